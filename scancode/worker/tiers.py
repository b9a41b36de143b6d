"""Keeps the tiers of members what they have earned. Once a day of each brand, after its midnight, everybody is settled,
since points of months ago count no longer; in between every ten minutes those in whose accounts points moved. One job,
which puts itself back into the outbox.

Some hundred members go in a transaction of their own, so that nobody waits long; what was done is not done again.
"""

from __future__ import annotations

from collections.abc import Callable
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
from scancode.members import service as members
from scancode.wiring import Wired
from scancode.worker.progress import Clock

KIND = KEY = "tiers"
EVERY = timedelta(minutes=10)
OVERLAP = timedelta(minutes=5)
"""What was posted before the last look may have been committed after it."""
PAGE = 300
Page = Callable[[Session, UUID | None], list[UUID]]
log = structlog.get_logger(__name__)


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    now = clock()
    with wired.db.reading() as session:
        brands = {brand.id: brand for brand in catalog.list_brands(session)}
        states = members.ladders(session)
    for state in states:
        if state.brand_id in brands:
            _settle(wired, brands[state.brand_id], state, now)
    with wired.db.transaction() as session:
        jobs.reschedule(session, leased=leased, run_at=now + EVERY, now=now)


def _settle(wired: Wired, brand: BrandFacts, state: members.LadderState, now: datetime) -> None:
    day, looked_at = brand.day(now), state.looked_at
    is_whole = state.settled_day != day or looked_at is None

    def page(session: Session, after: UUID | None) -> list[UUID]:
        if looked_at is None or is_whole:
            return members.page_of_members(session, brand_id=brand.id, after=after, limit=PAGE)
        since = looked_at - OVERLAP
        return ledger.changed_accounts(session, brand_id=brand.id, since=since, after=after, limit=PAGE)

    changed = _settle_pages(wired, brand.id, page, now)
    with wired.db.transaction() as session:
        members.note_settled(session, state=state, day=day, now=now)
    if changed or is_whole:
        log.info("tiers_settled", brand=str(brand.id), changed=changed, whole=is_whole)


def _settle_pages(wired: Wired, brand_id: UUID, page: Page, now: datetime) -> int:
    changed, after = 0, None
    while True:
        with wired.db.reading() as session:
            found = page(session, after)
        if not found:
            return changed
        work = partial(members.settle_tiers, brand_id=brand_id, member_ids=found, now=now)
        changed += wired.db.retrying(work)
        after = found[-1]
