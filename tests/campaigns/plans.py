"""Small plans that several tests of campaigns share."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.models import Tranche
from scancode.campaigns.planning import PrizeLine, RangeLine
from scancode.catalog.models import Revision
from scancode.staff.models import AuditRow
from tests.factories import NOW

PACKET = PrizeLine("red_packet", 100, 10, "红包", "Red packet")
POINTS = PrizeLine("points", 50, 100, "积分", "Points")


def add(
    session: Session, campaign_id: UUID, batch_number: int, first: int = 0, last: int = 999, **over: Any
) -> Tranche:
    """A pool of 10 red packets of 1.00 yuan and 100 times 50 points over these codes."""
    return campaigns.add_tranche(
        session,
        campaign_id=campaign_id,
        ranges=over.pop("ranges", [RangeLine(batch_number, first, last)]),
        prizes=over.pop("prizes", [PACKET, POINTS]),
        actor="dave",
        now=over.pop("now", NOW),
        **over,
    )


def last_audit(session: Session) -> AuditRow:
    return session.scalars(select(AuditRow).order_by(AuditRow.seq.desc()).limit(1)).one()


def revision_of(session: Session) -> int:
    return session.scalar(select(Revision.number).where(Revision.id == 1)) or 0
