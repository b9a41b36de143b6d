"""Sends one person what waits to be said about points that expire, a message for each day on which some do. In the
quiet hours of the brand it waits. Sent again after a crash it goes under the same key, by which WeChat knows it.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.errors import OutsideError
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.stories import reminding
from scancode.stories.reminding import Letter
from scancode.wiring import Wired
from scancode.worker.letters import deliver, waits_for_morning
from scancode.worker.progress import Clock

LETTERS_MAX = 20
"""Of one person in one run: as many days as a reminder looks ahead have points end on."""


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    """Runs a job of kind ``remind``; payload ``{"account": …}``. Raises OutsideError where it is worth another try."""
    account_id = UUID(leased.payload["account"])
    if wired.ports.templates is None:
        raise OutsideError("wechat_not_configured", permanent=True)
    for _ in range(LETTERS_MAX):
        now = clock()
        letter = wired.db.retrying(partial(_next, wired, leased, account_id, now))
        if letter is None:
            return
        if waits_for_morning(wired, leased, letter.brand, now):
            return
        is_sent = deliver(wired, wired.ports.templates, letter, "/me/points")
        note = reminding.note_sent if is_sent else reminding.note_refused
        wired.db.retrying(partial(note, account_id=account_id, lot_ids=letter.lot_ids, now=clock()))


def _next(wired: Wired, leased: Leased, account_id: UUID, now: datetime, session: Session) -> Letter | None:
    jobs.hold(session, leased=leased)
    return reminding.next_letter(session, account_id=account_id, sealer=wired.sealer, now=now)
