"""The hourly chore: forgets what was only to be kept for a while. One job, which puts itself back into the outbox.

Each kind of row goes in pieces of its own transaction, so that nobody waits long; what is left is for the next hour.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.claims import service as claims
from scancode.complaints import service as complaints
from scancode.handover import service as handover
from scancode.jobs import service as jobs
from scancode.jobs.rules import JobState, Leased
from scancode.members import service as members
from scancode.payouts import service as payouts
from scancode.scans import service as scans
from scancode.staff import service as staff
from scancode.wiring import Wired
from scancode.worker import uploads

KEY = "tidy"
EVERY = timedelta(hours=1)
PIECES_MAX = 50
MESSAGE_JOBS_KEPT = timedelta(days=1)
"""Jobs that send messages hold a sealed phone number."""
JOBS_KEPT = timedelta(days=90)
CROSSINGS_KEPT = timedelta(days=1)
SESSIONS_KEPT = timedelta(days=90)
NOTICES_KEPT = timedelta(days=7)
"""The provider repeats a notice for a day."""
log = structlog.get_logger(__name__)


def see_to_it(session: Session, *, now: datetime, kind: str = KEY) -> None:
    """Makes sure that a chore (its kind is its key) is in the outbox: every worker does so when it starts."""
    if jobs.enqueue(session, kind=kind, key=kind, payload={}, run_at=now, now=now):
        return
    job = jobs.find(session, key=kind)
    if job is not None and job.state in {JobState.DEAD, JobState.CANCELLED, JobState.DONE}:
        jobs.requeue(session, key=kind, run_at=now, now=now)


def run(wired: Wired, leased: Leased, clock: Callable[[], datetime]) -> None:
    now = clock()
    days = wired.settings.address_days
    chores: dict[str, Callable[[Session], int]] = {
        "addresses": lambda session: scans.forget_addresses(session, now=now, days=days),
        "passwords": lambda session: members.purge(session, now=now),
        "messages": lambda session: jobs.sweep(session, kind="sms", before=now - MESSAGE_JOBS_KEPT, with_dead=True),
        "jobs": lambda session: jobs.sweep(session, before=now - JOBS_KEPT),
        "downloads": lambda session: handover.forget_addresses(
            session, before=now - timedelta(days=wired.settings.download_log_days)
        ),
        "calls": lambda session: staff.forget_calls(session, now=now),
        "crossings": lambda session: claims.sweep_crossings(session, before=now - CROSSINGS_KEPT),
        "uploads": lambda session: uploads.sweep(wired, session, now=now),
        "notices": lambda session: payouts.forget_notices(session, before=now - NOTICES_KEPT),
        "blocks": lambda session: scans.forget_blocks(session, now=now),
        "complaints": lambda session: complaints.sweep(
            session, before=now - timedelta(days=wired.settings.complaint_days), now=now
        ),
        "likings": lambda session: channels.sweep_likings(
            session, before=now - timedelta(days=wired.settings.preference_days)
        ),
        "sessions": lambda session: staff.sweep_sessions(session, before=now - SESSIONS_KEPT),
    }
    forgotten = {name: _in_pieces(wired, chore) for name, chore in chores.items()}
    log.info("tidied", **forgotten)
    with wired.db.transaction() as session:
        jobs.reschedule(session, leased=leased, run_at=clock() + EVERY, now=clock())


def _in_pieces(wired: Wired, chore: Callable[[Session], int]) -> int:
    total = 0
    for _ in range(PIECES_MAX):
        gone = wired.db.retrying(chore)
        total += gone
        if gone == 0:
            break
    return total
