"""A browser opened a placed code; a person joined and came from somewhere."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.channels.models import Acquisition, Touch
from scancode.channels.rules import Attribution
from scancode.db import insert_once, new_id


def touch(
    session: Session,
    *,
    touchpoint_id: UUID,
    visitor_id: UUID,
    guide_id: UUID | None = None,
    is_link: bool = False,
    now: datetime,
) -> None:
    """Keeps that this browser opened this placed code, or a link that names it. All touches are kept; the cookie
    remembers some. ``guide_id`` is whom a live code led to."""
    session.add(
        Touch(
            visitor_id=visitor_id,
            id=new_id(now),
            touchpoint_id=touchpoint_id,
            guide_id=guide_id,
            is_link=is_link,
            touched_at=now,
        )
    )


def acquire(
    session: Session,
    *,
    member_id: UUID,
    brand_id: UUID,
    attribution: Attribution,
    product_id: UUID | None,
    batch_number: int | None,
    code_id: int | None,
    day: str,
    now: datetime,
) -> bool:
    """Writes where a new member came from. ``day`` is in the brand's zone. False when it was written before."""
    return insert_once(
        session,
        Acquisition,
        member_id=member_id,
        brand_id=brand_id,
        **vars(attribution),
        product_id=product_id,
        batch_number=batch_number,
        code_id=code_id,
        day=day,
        acquired_at=now,
    )
