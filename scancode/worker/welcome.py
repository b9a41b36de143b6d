"""Sends a new member the welcome that they were given. In the quiet hours of the brand it waits. Sent again after a
crash it goes under the same key, by which WeChat knows it.
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
from scancode.ports import TemplateSender
from scancode.stories import welcoming
from scancode.stories.welcoming import Letter
from scancode.wiring import Wired
from scancode.worker.progress import Clock

log = structlog.get_logger(__name__)


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    """Runs a job of kind ``welcome``; payload ``{"member": …}``."""
    member_id, now = UUID(leased.payload["member"]), clock()
    if wired.ports.templates is None:
        wired.db.retrying(partial(welcoming.note_no_way, member_id=member_id, now=now))
        return
    letter = wired.db.retrying(partial(_next, wired, leased, member_id, now))
    if letter is None:
        return
    local = letter.brand.local(now)
    if (later := not_quiet_before(local)) != local:
        with wired.db.transaction() as session:
            jobs.reschedule(session, leased=leased, run_at=later, now=now)
        return
    _send(wired, wired.ports.templates, letter, member_id, clock)


def _next(wired: Wired, leased: Leased, member_id: UUID, now: datetime, session: Session) -> Letter | None:
    jobs.hold(session, leased=leased)
    return welcoming.next_letter(session, member_id=member_id, sealer=wired.sealer, now=now)


def _send(wired: Wired, templates: TemplateSender, letter: Letter, member_id: UUID, clock: Clock) -> None:
    """Raises OutsideError where it is worth another try."""
    note = welcoming.note_sent
    try:
        templates.send_template(
            openid=letter.openid,
            template_id=letter.template.id,
            url=f"{wired.settings.base_url.rstrip('/')}/me?brand={letter.brand.slug}",
            fields=letter.fields,
            key=letter.key,
        )
    except OutsideError as error:
        if not error.permanent:
            raise
        log.warning("welcome_refused", member=str(member_id), problem=error.code)
        note = welcoming.note_refused
    wired.db.retrying(partial(note, member_id=member_id, now=clock()))
