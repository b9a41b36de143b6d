"""From when on scans look wrong: a brand's own values, where it has any, over the installation's settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.catalog import revision
from scancode.db import insert_once
from scancode.scans.models import RiskTerms
from scancode.scans.rules import CopyTerms
from scancode.staff import service as staff


def own_terms(session: Session, *, brand_id: UUID) -> RiskTerms | None:
    return session.get(RiskTerms, brand_id, populate_existing=True)


def load_copy_terms(session: Session, *, brand_id: UUID, otherwise: CopyTerms) -> CopyTerms:
    """When a code of this brand looks copied."""
    own = own_terms(session, brand_id=brand_id)
    if own is None:
        return otherwise
    return CopyTerms(
        visitors=own.suspect_visitors or otherwise.visitors,
        cities=own.suspect_cities or otherwise.cities,
        days=own.suspect_days or otherwise.days,
        kmh=own.suspect_kmh or otherwise.kmh,
    )


def set_terms(session: Session, *, brand_id: UUID, values: Mapping[str, int | None], actor: str, now: datetime) -> None:
    """A brand's own values, by column; None goes back to the setting. All processes know within a second."""
    insert_once(session, RiskTerms, brand_id=brand_id)
    row = own_terms(session, brand_id=brand_id)
    assert row is not None
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    session.flush()
    if changed:
        revision.bump(session)
        staff.audit(
            session,
            actor=actor,
            brand_id=brand_id,
            action="risk.terms",
            subject=f"brand:{brand_id}",
            facts=changed,
            now=now,
        )
