"""Many claims at once, in threads: the database decides, and one code rewards once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.claims.models import Claim
from scancode.claims.rules import Claimant
from scancode.codes import service as codes
from scancode.codes.rules import Void, VoidReason
from scancode.db import Database
from scancode.errors import Refusal
from scancode.ledger import service as ledger
from scancode.payouts.models import Payout
from scancode.wiring import Wired
from tests.claims.shop import Shop, open_shop, points, visitor
from tests.factories import NOW

MANY = 64


def at_once(works: Sequence[Callable[[], object]]) -> Counter[object]:
    """Starts all of them together; what each came to, refusals by their code."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        gate.wait()
        try:
            return work()
        except Refusal as refusal:
            return refusal.code

    with ThreadPoolExecutor(len(works)) as pool:
        return Counter(pool.map(run, works))


def claiming(db: Database, shop: Shop, claimant: Claimant, serial: int = 0) -> Callable[[], object]:
    def work() -> object:
        answer = db.retrying(lambda session: shop.claim(session, claimant, serial))
        return "new" if answer.is_new else "same"

    return work


def counts(session: Session) -> tuple[int, int]:
    tables = (Claim, Payout)
    return tuple(session.scalar(select(func.count()).select_from(table)) for table in tables)  # type: ignore[return-value]


def test_one_subject_claims_one_code_64_times_and_is_paid_once(db: Database, open_day: Shop) -> None:
    with db.transaction() as session:
        alice = Claimant(visitor().visitor_id, open_day.openid(session))
    assert at_once([claiming(db, open_day, alice)] * MANY) == {"new": 1, "same": MANY - 1}
    with db.reading() as session:
        assert counts(session) == (1, 1)


def test_64_subjects_claim_one_code_and_one_is_paid(db: Database, open_day: Shop) -> None:
    with db.transaction() as session:
        people = [Claimant(visitor().visitor_id, open_day.openid(session, f"openid-{n}")) for n in range(MANY)]
    assert at_once([claiming(db, open_day, one) for one in people]) == {"new": 1, "claimed_by_another": MANY - 1}
    with db.reading() as session:
        assert counts(session) == (1, 1)


def test_one_person_claims_many_codes_at_once_and_every_point_counts(db: Database, wired: Wired) -> None:
    with db.transaction() as session:
        shop = open_shop(session, wired, prizes=points(7))
        alice = Claimant(visitor().visitor_id, shop.openid(session))
    assert at_once([claiming(db, shop, alice, serial) for serial in range(16)]) == {"new": 16}
    with db.reading() as session:
        assert alice.identity_id is not None
        assert ledger.balance(session, account_id=alice.identity_id) == 16 * 7


def test_one_reservation_is_bound_once_by_many_tabs(db: Database, open_day: Shop) -> None:
    bob = visitor()
    with db.transaction() as session:
        open_day.claim(session, bob)
        known = Claimant(bob.visitor_id, open_day.openid(session))

    def bind() -> object:
        return db.retrying(lambda session: open_day.bind(session, known))

    at_once([bind] * 16)
    with db.reading() as session:
        assert counts(session) == (1, 1)


def test_after_a_void_nobody_claims(db: Database, open_day: Shop) -> None:
    done = threading.Event()

    def void() -> object:
        with db.transaction() as session:
            codes.change(
                session,
                batch_number=open_day.batch.number,
                ranges=[(0, 999)],
                what=Void(VoidReason.STOLEN),
                actor="carol",
                now=NOW,
            )
        done.set()
        return "void"

    def claim(serial: int) -> Callable[[], object]:
        def work() -> object:
            was_void = done.is_set()
            try:
                claiming(db, open_day, visitor(), serial)()
            except Refusal:
                return "refused"
            return "too late" if was_void else "won"

        return work

    found = at_once([void, *(claim(serial) for serial in range(24))])
    assert found["too late"] == 0
    assert found["void"] == 1
    assert at_once([claiming(db, open_day, visitor(), 500)]) == {"claim_void": 1}


def test_after_a_pause_nobody_claims(db: Database, open_day: Shop) -> None:
    done = threading.Event()

    def pause() -> object:
        with db.transaction() as session:
            campaigns.pause(session, campaign_id=open_day.campaign_id, actor="dave", now=NOW)
        done.set()
        return "pause"

    def claim(serial: int) -> Callable[[], object]:
        def work() -> object:
            was_paused = done.is_set()
            try:
                claiming(db, open_day, visitor(), serial)()
            except Refusal:
                return "refused"
            return "too late" if was_paused else "won"

        return work

    found = at_once([pause, *(claim(serial) for serial in range(24))])
    assert found["too late"] == 0
    assert at_once([claiming(db, open_day, visitor(), 500)]) == {"claim_paused": 1}
