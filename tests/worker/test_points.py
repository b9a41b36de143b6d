"""The chore of points: what is pending comes in, reservations lapse, lots expire, books are proved."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from uuid import UUID

from sqlalchemy import update

from scancode.catalog import service as catalog
from scancode.catalog.models import Brand
from scancode.db import new_id
from scancode.ledger import service as ledger
from scancode.ledger.models import PointsLot
from scancode.stories import points
from scancode.wiring import Wired
from scancode.worker import loop
from tests.factories import NOW, make_brand

DAY = timedelta(days=1)


def work(wired: Wired, at: datetime) -> None:
    with wired.db.transaction() as session:
        session.connection().exec_driver_sql("DELETE FROM jobs")
    loop.run(wired, stop_event=Event(), kinds={"points"}, once=True, clock=lambda: at)


def test_points_come_in_are_announced_and_expire(wired: Wired) -> None:
    with wired.db.transaction() as session:
        brand_id = make_brand(session).id
        session.execute(update(Brand).values(points_term="days", points_count=10, points_remind_days=3))
        brand = catalog.load_brand(session, brand_id=brand_id)
        assert brand is not None
        account = points.Account(new_id(NOW), brand, "staff:dave")
        adjust = {"account": account, "note": "late parcel", "now": NOW}
        points.adjust(session, **adjust, form_id=UUID(int=1), points=50, until=NOW + DAY)  # type: ignore[arg-type]
        points.adjust(session, **adjust, form_id=UUID(int=2), points=20, until=None)  # type: ignore[arg-type]
        points.adjust(session, **adjust, form_id=UUID(int=3), points=-5, until=NOW + 2 * DAY)  # type: ignore[arg-type]

    def there(at: datetime) -> tuple[int, int, int]:
        work(wired, at)
        with wired.db.reading() as session:
            found = ledger.account(session, account_id=account.id)
            return found.balance, found.available, found.pending

    assert there(NOW) == (20, 15, 50)
    assert there(NOW + DAY) == (70, 65, 0)
    assert there(NOW + 2 * DAY) == (70, 70, 0)
    work(wired, NOW + 8 * DAY)
    with wired.db.reading() as session:
        lots = ledger.list_lots(session, account_id=account.id, limit=5)
        assert [(lot.left_points, lot.reminded_at is not None) for lot in lots] == [(20, True), (50, False)]
    assert there(NOW + 11 * DAY) == (50, 50, 0)
    assert there(NOW + 12 * DAY) == (0, 0, 0)


def test_a_proof_a_day_says_what_is_wrong(wired: Wired) -> None:
    with wired.db.transaction() as session:
        brand = catalog.load_brand(session, brand_id=make_brand(session).id)
        assert brand is not None
        account = points.Account(new_id(NOW), brand, "staff:dave")
        points.adjust(session, account=account, form_id=UUID(int=1), points=9, note="gift", until=None, now=NOW)
    work(wired, NOW)
    with wired.db.transaction() as session:
        session.execute(update(PointsLot).values(left_points=8))
    work(wired, NOW + timedelta(hours=1))  # the day has its proof
    with wired.db.reading() as session:
        assert [proof.wrong_count for proof, _ in ledger.last_proofs(session, brand_id=None)] == [0]
    work(wired, NOW + DAY - timedelta(hours=11))  # one o'clock at night: the books rest until two
    work(wired, NOW + DAY)
    with wired.db.reading() as session:
        (proof, wrong), *more = ledger.last_proofs(session, brand_id=brand.id)
    assert (proof.wrong_count, more) == (1, [])
    assert [replace(one, account_id=None) for one in wrong] == [replace(wrong[0], account_id=None)]
    assert (wrong[0].account_id, wrong[0].balance, wrong[0].lots) == (account.id, 9, 8)
