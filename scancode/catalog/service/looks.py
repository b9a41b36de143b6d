"""A brand's look: its colours and font, and its logo."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from scancode.catalog import revision
from scancode.catalog.colours import is_colour
from scancode.catalog.looks import FONTS, BadFont, Look
from scancode.catalog.models import Brand, Logo
from scancode.catalog.pictures import Encoded
from scancode.catalog.rules import BadColour
from scancode.db import affected
from scancode.errors import NotFound
from scancode.staff import service as staff


def dress(session: Session, *, brand_id: UUID, look: Look, actor: str, now: datetime) -> None:
    """Raises NotFound, BadColour, BadFont."""
    colour, accent = look.colour.strip().lower(), look.accent.strip().lower()
    for each in (colour, accent or colour):
        if not is_colour(each):
            raise BadColour(typed=each[:20])
    if look.font not in FONTS:
        raise BadFont
    values = {"colour": colour, "accent": accent, "font": look.font}
    _change(session, brand_id, values, "brand.look", values, actor, now)


def set_logo(session: Session, *, brand_id: UUID, picture: Encoded, actor: str, now: datetime) -> None:
    """An encoded picture (``catalog.pictures.encode``) instead of what was there. Raises NotFound."""
    _change(session, brand_id, {"logo_sha256": picture.sha256}, "brand.logo", {"sha256": picture.sha256}, actor, now)
    session.execute(delete(Logo).where(Logo.brand_id == brand_id))
    session.add(Logo(brand_id=brand_id, mime=picture.mime, sha256=picture.sha256, content=picture.content))
    session.flush()


def remove_logo(session: Session, *, brand_id: UUID, actor: str, now: datetime) -> None:
    """Raises NotFound."""
    _change(session, brand_id, {"logo_sha256": ""}, "brand.logo", {"sha256": None}, actor, now)
    session.execute(delete(Logo).where(Logo.brand_id == brand_id))


def _change(
    session: Session,
    brand_id: UUID,
    values: dict[str, str],
    action: str,
    facts: dict[str, Any],
    actor: str,
    now: datetime,
) -> None:
    """The row of the brand comes first: two changes of one brand take turns there."""
    if affected(session, update(Brand).where(Brand.id == brand_id).values(values)) != 1:
        raise NotFound
    revision.bump(session)
    staff.audit(
        session, actor=actor, brand_id=brand_id, action=action, subject=f"brand:{brand_id}", facts=facts, now=now
    )
