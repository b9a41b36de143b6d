"""What is due about points, looked at every five minutes: what was pending comes in, reservations lapse, lots expire,
people begin to be told of lots that will; and once a day, after two in the morning on the brand's clocks, the proof
that every sum agrees. One job, which puts itself back into the outbox.

Each account goes in a transaction of its own, so that nobody waits long; what was done is not done again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from scancode.catalog import service as catalog
from scancode.catalog.rules import BrandFacts
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.ledger import service as ledger
from scancode.ledger.rules import HoldFacts
from scancode.stories import points, reminding
from scancode.wiring import Wired
from scancode.worker.progress import Clock

KIND = KEY = "points"
EVERY = timedelta(minutes=5)
PROOF_HOUR = 2
PIECES_MAX = 500
"""Of a kind in one run; the next goes on."""
log = structlog.get_logger(__name__)


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    now = clock()
    with wired.db.reading() as session:
        brands = catalog.list_brands(session)
    done = {
        "settled": _settle(wired, {brand.id: brand for brand in brands}, now),
        "expired": _expire(wired, now),
        "reminded": sum(_remind(wired, brand, now) for brand in brands),
    }
    if any(done.values()):
        log.info("points_due", **done)
    for brand in brands:
        _prove_daily(wired, brand, now)
    with wired.db.transaction() as session:
        jobs.reschedule(session, leased=leased, run_at=now + EVERY, now=now)


def _settle(wired: Wired, brands: dict[UUID, BrandFacts], now: datetime) -> int:
    """Ends holds whose time has come: points come in, what was reserved is free again."""
    count, after = 0, None
    for _ in range(PIECES_MAX):
        with wired.db.reading() as session:
            due = ledger.due_holds(session, now=now, after=after)
        for one in due:
            count += wired.db.retrying(lambda session, one=one: _end(session, one, brands[one.brand_id], now))  # type: ignore[misc]
        if not due:
            break
        after = due[-1].id
    return count


def _end(session: Session, one: HoldFacts, brand: BrandFacts, now: datetime) -> int:
    try:
        if one.points > 0:
            expires_at = brand.points_expire_at(now)
            ledger.post_hold(session, account_id=one.account_id, hold_id=one.id, now=now, expires_at=expires_at)
        else:
            ledger.void_hold(session, account_id=one.account_id, hold_id=one.id, now=now)
    except (ledger.HoldEnded, ledger.Frozen):  # somebody was faster
        return 0
    return 1


def _expire(wired: Wired, now: datetime) -> int:
    gone, after = 0, None
    for _ in range(PIECES_MAX):
        with wired.db.reading() as session:
            accounts = ledger.expiring_accounts(session, now=now, after=after)
        for account_id in accounts:
            gone += wired.db.retrying(
                lambda session, account_id=account_id: ledger.expire(session, account_id=account_id, now=now)  # type: ignore[misc]
            )
        if not accounts:
            break
        after = accounts[-1]
    return gone


def _remind(wired: Wired, brand: BrandFacts, now: datetime) -> int:
    can_send = wired.ports.templates is not None
    count = 0
    for _ in range(PIECES_MAX):
        marked = wired.db.retrying(partial(reminding.announce, brand=brand, can_send=can_send, now=now))
        count += marked
        if marked == 0:
            break
    return count


def _prove_daily(wired: Wired, brand: BrandFacts, now: datetime) -> None:
    day = brand.day(now)
    if brand.local(now).hour < PROOF_HOUR:
        return
    with wired.db.reading() as session:
        if ledger.is_proved(session, brand_id=brand.id, day=day):
            return
    proof = points.prove(wired.db, brand_id=brand.id)
    with wired.db.transaction() as session:
        ledger.keep_proof(
            session,
            brand_id=brand.id,
            day=day,
            accounts=proof.accounts,
            wrong=proof.wrong,
            count=proof.wrong_count,
            now=now,
        )
    if proof.wrong_count:
        log.error("points_differ", brand=str(brand.id), count=proof.wrong_count)
