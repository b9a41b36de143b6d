"""From when on items look diverted: a brand's own values, where it has any, over the installation's settings."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from scancode.diversion.rules import DiversionTerms
from scancode.scans import service as scans


def load_terms(session: Session, *, brand_id: UUID, otherwise: DiversionTerms) -> DiversionTerms:
    """When a case of this brand is opened. No kilometres at all is a value, too."""
    own = scans.own_terms(session, brand_id=brand_id)
    if own is None:
        return otherwise
    return DiversionTerms(
        items=own.diversion_items or otherwise.items,
        share_percent=own.diversion_share or otherwise.share_percent,
        kilometres=otherwise.kilometres if own.diversion_km is None else own.diversion_km,
        days=own.diversion_days or otherwise.days,
    )
