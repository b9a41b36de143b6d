"""Carries out EPCIS documents that were sent, in the order in which they came to a brand: a line commissions before it
packs, whichever worker takes which job."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from scancode.epcis import service as epcis
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.wiring import Wired
from scancode.worker.progress import Clock

log = structlog.get_logger(__name__)


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    """Runs a job of kind ``capture``; payload ``{"id": …}``."""
    with wired.db.reading() as session:
        due = epcis.due_captures(session, capture_id=UUID(leased.payload["id"]))
    for capture_id in due:
        done = wired.db.retrying(partial(_work, wired=wired, leased=leased, capture_id=capture_id, clock=clock))
        log.info("epcis_captured", id=str(capture_id), done=done)


def _work(session: Session, *, wired: Wired, leased: Leased, capture_id: UUID, clock: Clock) -> bool:
    jobs.hold(session, leased=leased)
    return epcis.carry_out(session, capture_id=capture_id, keyring=wired.keyring, now=clock())
