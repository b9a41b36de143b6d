"""Messages to one person through WeChat: what reminders and welcomes have in common."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import structlog

from scancode.catalog.rules import BrandFacts
from scancode.errors import OutsideError
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.letters import Template, not_quiet_before
from scancode.ports import TemplateSender
from scancode.wiring import Wired

log = structlog.get_logger(__name__)


class Letter(Protocol):
    """A message, and the ``key`` by which WeChat knows it when it is sent again."""

    @property
    def openid(self) -> str: ...
    @property
    def template(self) -> Template: ...
    @property
    def fields(self) -> dict[str, str]: ...
    @property
    def brand(self) -> BrandFacts: ...
    @property
    def key(self) -> str: ...


def waits_for_morning(wired: Wired, leased: Leased, brand: BrandFacts, now: datetime) -> bool:
    """True in the quiet hours of the brand: the job runs again when they are over."""
    local = brand.local(now)
    later = not_quiet_before(local)
    if later == local:
        return False
    with wired.db.transaction() as session:
        jobs.reschedule(session, leased=leased, run_at=later, now=now)
    return True


def deliver(wired: Wired, sender: TemplateSender, letter: Letter, page: str) -> bool:
    """Sends it, with a link to a page of the brand's. False where WeChat does not reach this person, now or later;
    raises OutsideError where it is worth another try."""
    try:
        sender.send_template(
            openid=letter.openid,
            template_id=letter.template.id,
            url=f"{wired.settings.base_url.rstrip('/')}{page}?brand={letter.brand.slug}",
            fields=letter.fields,
            key=letter.key,
        )
    except OutsideError as error:
        if not error.permanent:
            raise
        log.warning("letter_refused", page=page, problem=error.code)
        return False
    return True
