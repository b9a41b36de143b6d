"""Every five minutes: held rewards that nobody decided in time are paid, as the rules of their campaigns say.

One job, which puts itself back into the outbox. Each goes in a transaction of its own; where staff decide at the same
moment, whoever is first decides. What is not on sale any more, or looks copied, waits for somebody's look. While
claims are stopped nothing is paid: it is done when they go on.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from scancode.claims import service as claims
from scancode.claims.rules import ClaimsStopped, HeldCodeClosed, NotHeld
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.wiring import Wired
from scancode.worker.progress import Clock

KEY = "held"
EVERY = timedelta(minutes=5)
PIECES_MAX = 25
log = structlog.get_logger(__name__)


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    paid, closed = 0, set[int]()
    with suppress(ClaimsStopped):
        for _ in range(PIECES_MAX):
            with wired.db.reading() as session:
                due = claims.list_due(session, now=clock(), besides=closed)
            if not due:
                break
            for code_id in due:
                try:
                    paid += _release(wired, code_id, clock)
                except HeldCodeClosed:  # it waits until somebody settles what is wrong with the code, or refuses it
                    closed.add(code_id)
    if paid:
        log.info("held_released", count=paid)
    with wired.db.transaction() as session:
        jobs.reschedule(session, leased=leased, run_at=clock() + EVERY, now=clock())


def _release(wired: Wired, code_id: int, clock: Clock) -> bool:
    """False where somebody was faster. Raises ClaimsStopped, HeldCodeClosed."""

    def work(session: Session) -> None:
        claims.release_due(session, code_id=code_id, prefix=wired.settings.payout_prefix, now=clock())

    with suppress(NotHeld):
        wired.db.retrying(work)
        return True
    return False
