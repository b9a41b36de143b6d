"""Sends one person what waits to be said about points that expire, a message for each day on which some do. In the
quiet hours of the brand it waits. Sent again after a crash it goes under the same key, by which WeChat knows it.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from scancode.errors import OutsideError
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.letters import not_quiet_before
from scancode.stories import reminding
from scancode.stories.reminding import Letter
from scancode.wiring import Wired
from scancode.worker.progress import Clock

LETTERS_MAX = 20
"""Of one person in one run: as many days as a reminder looks ahead have points end on."""
log = structlog.get_logger(__name__)


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    """Runs a job of kind ``remind``; payload ``{"account": …}``."""
    account_id = UUID(leased.payload["account"])
    if wired.ports.templates is None:
        raise OutsideError("wechat_not_configured", permanent=True)
    for _ in range(LETTERS_MAX):
        now = clock()
        letter = wired.db.retrying(partial(_next, wired, leased, account_id, now))
        if letter is None:
            return
        local = letter.brand.local(now)
        if (later := not_quiet_before(local)) != local:
            with wired.db.transaction() as session:
                jobs.reschedule(session, leased=leased, run_at=later, now=now)
            return
        _send(wired, letter, account_id, clock)


def _next(wired: Wired, leased: Leased, account_id: UUID, now: datetime, session: Session) -> Letter | None:
    jobs.hold(session, leased=leased)
    return reminding.next_letter(session, account_id=account_id, sealer=wired.sealer, now=now)


def _send(wired: Wired, letter: Letter, account_id: UUID, clock: Clock) -> None:
    """Raises OutsideError where it is worth another try."""
    assert wired.ports.templates is not None
    note = reminding.note_sent
    try:
        wired.ports.templates.send_template(
            openid=letter.openid,
            template_id=letter.template.id,
            url=f"{wired.settings.base_url.rstrip('/')}/me/points?brand={letter.brand.slug}",
            fields=letter.fields,
            key=letter.key,
        )
    except OutsideError as error:
        if not error.permanent:
            raise
        log.warning("reminder_refused", account=str(account_id), problem=error.code)
        note = reminding.note_refused
    wired.db.retrying(partial(note, account_id=account_id, lot_ids=letter.lot_ids, now=clock()))
