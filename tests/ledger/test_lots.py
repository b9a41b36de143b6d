"""Lots: spent in the order in which they expire, gone when their time is over, kept through merging."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from scancode.ledger import service as ledger
from scancode.ledger.models import Account, PointsLot
from tests.ledger.test_post import ALICE, BOB, BRAND, spend

DAY = timedelta(days=1)


def earn(session: Session, cause: str, points: int, now: datetime, days: int | None = None) -> None:
    ledger.post(
        session,
        account_id=ALICE,
        counter_account_id=ledger.issuer_id(BRAND),
        brand_id=BRAND,
        cause=cause,
        points=points,
        now=now,
        expires_at=None if days is None else now + days * DAY,
    )


def left(session: Session, account_id: object = ALICE) -> list[tuple[int, datetime | None]]:
    found = ledger.list_lots(session, account_id=account_id, limit=50)  # type: ignore[arg-type]
    return [(lot.left_points, lot.expires_at) for lot in found]


def test_what_expires_first_is_spent_first_and_what_never_does_last(session: Session, now: datetime) -> None:
    earn(session, "claim:1", 5, now)
    earn(session, "claim:2", 5, now, days=9)
    earn(session, "claim:3", 5, now, days=2)
    spend(session, ALICE, "spend:1", 7, now)
    assert left(session) == [(3, now + 9 * DAY), (5, None)]
    spend(session, ALICE, "spend:2", 4, now)
    assert left(session) == [(4, None)]


def test_a_lot_expires_once_at_its_moment_and_not_before(session: Session, now: datetime) -> None:
    earn(session, "claim:1", 5, now, days=2)
    earn(session, "claim:2", 3, now)
    before = now + 2 * DAY - timedelta(microseconds=1)
    assert ledger.expiring_accounts(session, now=before, after=None) == []
    assert ledger.expire(session, account_id=ALICE, now=before) == 0
    assert ledger.expiring_accounts(session, now=now + 2 * DAY, after=None) == [ALICE]
    assert ledger.expire(session, account_id=ALICE, now=now + 2 * DAY) == 5
    assert ledger.expire(session, account_id=ALICE, now=now + 3 * DAY) == 0
    assert ledger.balance(session, account_id=ALICE) == 3
    assert ledger.total(session, account_id=ledger.sink_id(BRAND)) == 5


def test_merging_keeps_the_times(session: Session, now: datetime) -> None:
    earn(session, "claim:1", 5, now, days=2)
    earn(session, "claim:2", 3, now)
    ledger.remind(session, brand_id=BRAND, until=now + 5 * DAY, now=now)
    ledger.reassign(session, from_id=ALICE, to_id=BOB, brand_id=BRAND, cause="join:1", now=now)
    assert left(session) == []
    assert left(session, BOB) == [(5, now + 2 * DAY), (3, None)]
    assert ledger.remind(session, brand_id=BRAND, until=now + 5 * DAY, now=now) == []  # told once, whoever holds it


def test_a_lot_is_announced_once(session: Session, now: datetime) -> None:
    earn(session, "claim:1", 5, now, days=10)
    assert ledger.remind(session, brand_id=BRAND, until=now + 9 * DAY, now=now) == []
    assert len(ledger.remind(session, brand_id=BRAND, until=now + 10 * DAY, now=now)) == 1
    assert ledger.remind(session, brand_id=BRAND, until=now + 10 * DAY, now=now) == []


def test_a_reservation_keeps_a_lot_until_it_ends(session: Session, now: datetime) -> None:
    earn(session, "claim:1", 5, now, days=1)
    ledger.hold(session, account_id=ALICE, brand_id=BRAND, cause="gift:1", points=-2, due_at=now + 5 * DAY, now=now)
    later = now + 2 * DAY
    assert ledger.expire(session, account_id=ALICE, now=later) == 0
    one = ledger.list_holds(session, account_id=ALICE, limit=1)[0]
    ledger.post_hold(session, account_id=ALICE, hold_id=one.id, now=later)
    assert ledger.expire(session, account_id=ALICE, now=later) == 3
    assert ledger.find_unbalanced(session) == []


def test_what_was_spent_cannot_be_taken_back(session: Session, now: datetime) -> None:
    earn(session, "claim:1", 5, now)
    spend(session, ALICE, "spend:1", 3, now + DAY)
    spent, entry = ledger.entries(session, account_id=ALICE, limit=2)
    with pytest.raises(ledger.SpentAlready) as refused:
        ledger.reverse(session, account_id=ALICE, entry_id=entry.id, brand_id=BRAND, now=now)
    assert refused.value.facts == {"points": 5, "missing": 3}
    assert ledger.reverse(session, account_id=ALICE, entry_id=spent.id, brand_id=BRAND, now=now) == 3
    assert ledger.reverse(session, account_id=ALICE, entry_id=entry.id, brand_id=BRAND, now=now) == -5
    with pytest.raises(ledger.ReversedAlready):
        ledger.reverse(session, account_id=ALICE, entry_id=spent.id, brand_id=BRAND, now=now)
    assert left(session) == []


def test_a_frozen_account_takes_what_codes_earn_and_gives_nothing(session: Session, now: datetime) -> None:
    earn(session, "claim:1", 5, now, days=1)
    assert ledger.freeze(session, account_id=ALICE, brand_id=BRAND, reason="looked into", now=now)
    ledger.grant_many(session, brand_id=BRAND, grants=[ledger.Grant(ALICE, "claim:2", 4)], now=now)
    with pytest.raises(ledger.Frozen) as refused:
        spend(session, ALICE, "spend:1", 1, now)
    assert refused.value.facts == {"reason": "looked into"}
    assert ledger.expiring_accounts(session, now=now + 2 * DAY, after=None) == []
    assert ledger.close(session, account_id=ALICE, brand_id=BRAND, now=now) == 9  # whoever leaves may always leave


def test_a_past_balance_is_the_sum_until_then(session: Session, now: datetime) -> None:
    earn(session, "claim:1", 5, now)
    spend(session, ALICE, "spend:1", 2, now + DAY)
    moments = (now - DAY, now, now + DAY)
    assert [ledger.balance_at(session, account_id=ALICE, moment=moment) for moment in moments] == [0, 5, 3]


@pytest.mark.parametrize("change", ["lot", "reserved", "entry"])
def test_the_proof_finds_what_was_meddled_with(session: Session, now: datetime, change: str) -> None:
    earn(session, "claim:1", 5, now)
    assert ledger.wrong_accounts(session, brand_id=BRAND, after=None) == ([], None, 1)
    assert ledger.wrong_brand(session, brand_id=BRAND) is None
    if change == "lot":
        session.execute(update(PointsLot).values(left_points=4))
    elif change == "reserved":
        session.execute(update(Account).values(reserved=1))
    else:
        session.connection().exec_driver_sql("UPDATE entries SET points = 6 WHERE points = 5")
        whole = ledger.wrong_brand(session, brand_id=BRAND)
        assert whole is not None
        assert whole.account_id is None
    wrong, _, _ = ledger.wrong_accounts(session, brand_id=BRAND, after=None)
    assert [one.account_id for one in wrong] == ledger.find_unbalanced(session) == [ALICE]
