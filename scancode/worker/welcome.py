"""Sends a new member the welcome that they were given. In the quiet hours of the brand it waits. Sent again after a
crash it goes under the same key, by which WeChat knows it.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.stories import welcoming
from scancode.stories.welcoming import Letter
from scancode.wiring import Wired
from scancode.worker.letters import deliver, waits_for_morning
from scancode.worker.progress import Clock


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    """Runs a job of kind ``welcome``; payload ``{"member": …}``. Raises OutsideError where it is worth another try."""
    member_id, now = UUID(leased.payload["member"]), clock()
    if wired.ports.templates is None:
        wired.db.retrying(partial(welcoming.note_no_way, member_id=member_id, now=now))
        return
    letter = wired.db.retrying(partial(_next, wired, leased, member_id, now))
    if letter is None:
        return
    if not waits_for_morning(wired, leased, letter.brand, now):
        is_sent = deliver(wired, wired.ports.templates, letter, "/me")
        note = welcoming.note_sent if is_sent else welcoming.note_refused
        wired.db.retrying(partial(note, member_id=member_id, now=clock()))


def _next(wired: Wired, leased: Leased, member_id: UUID, now: datetime, session: Session) -> Letter | None:
    jobs.hold(session, leased=leased)
    return welcoming.next_letter(session, member_id=member_id, sealer=wired.sealer, now=now)
