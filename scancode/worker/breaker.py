"""Once a minute: has a campaign given away more money within an hour than its breaker allows? Then it trips.

One job, which puts itself back into the outbox.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from scancode.campaigns import service as campaigns
from scancode.claims import service as claims
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.wiring import Wired
from scancode.worker.progress import Clock

KEY = "breaker"
EVERY = timedelta(minutes=1)
log = structlog.get_logger(__name__)


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    now = clock()
    with wired.db.reading() as session:
        over = [
            (armed.campaign_id, spent)
            for armed in campaigns.list_armed(session, now=now)
            if (spent := claims.spent_fen(session, campaign_id=armed.campaign_id, since=armed.since)) > armed.most_fen
        ]
    for campaign_id, spent in over:
        tripped = wired.db.retrying(
            lambda session, campaign_id=campaign_id, spent=spent: campaigns.trip(  # type: ignore[misc]
                session, campaign_id=campaign_id, spent_fen=spent, now=clock()
            )
        )
        log.warning("breaker_tripped", campaign=str(campaign_id), spent_fen=spent, was_first=tripped)
    with wired.db.transaction() as session:
        jobs.reschedule(session, leased=leased, run_at=clock() + EVERY, now=clock())
