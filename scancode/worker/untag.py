"""Takes a tag that was deleted off the members who still carry it, some hundred in a transaction of their own, so that
nobody waits long. What was done is not done again."""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.members import service as members
from scancode.wiring import Wired
from scancode.worker.progress import Clock

log = structlog.get_logger(__name__)


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    """Runs a job of kind ``untag``; payload ``{"tag": …}``."""
    tag_id, count = UUID(leased.payload["tag"]), 0

    def some(session: Session) -> int:
        jobs.hold(session, leased=leased)
        return members.untag_some(session, tag_id=tag_id)

    while done := wired.db.retrying(some):
        count += done
    log.info("tag_deleted", tag=str(tag_id), members=count)
