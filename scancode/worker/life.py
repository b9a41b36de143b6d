"""Carries out a change of life at the time that was set for it. A refusal is kept for the person who ordered it; the
job itself is over then, since trying again would refuse again. The change is one transaction, so its progress is
nothing of it, then all."""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from scancode.errors import Refusal
from scancode.i18n import translations
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.stories import life_orders
from scancode.wiring import Wired
from scancode.worker.progress import Clock, Progress

log = structlog.get_logger(__name__)


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    """Runs a job of kind ``life``; payload ``{"id": …}``."""
    order_id = UUID(leased.payload["id"])
    progress = Progress(wired, leased, clock, lambda _: True)

    def work(session: Session) -> None:
        jobs.hold(session, leased=leased)
        life_orders.carry_out(session, order_id=order_id, now=clock())

    try:
        with wired.db.reading() as session:
            count = life_orders.foresee(session, order_id=order_id, now=clock())
        progress.report(0, count, "changing")
        wired.db.retrying(work)
        progress.report(count, count, "changing")
    except Refusal as refusal:
        spoken = " / ".join(refusal.sentence(translations(locale).gettext) for locale in ("zh", "en"))
        log.warning("life_order_refused", id=str(order_id), code=refusal.code)
        wired.db.retrying(lambda session: life_orders.fail(session, order_id=order_id, problem=spoken, now=clock()))
