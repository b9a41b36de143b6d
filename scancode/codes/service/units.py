"""Numbers for cases and pallets: each order takes its SSCCs from the brand's company prefix, once and for good."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from batches.codes import Kind
from batches.errors import PressError
from scancode.catalog.models import Brand
from scancode.codes.orders import ANY_GTIN, OrderDraft, unprintable
from scancode.db import affected


def take_ssccs(session: Session, draft: OrderDraft, brand_id: UUID) -> tuple[str, int]:
    """The brand's company prefix and the first of the numbers that this batch takes. Raises BadOrder.

    Numbers are taken by an UPDATE, so no two orders share one; a refused order gives them back.
    """
    shipped = sum(kind in (Kind.CASE, Kind.PALLET) for kind in draft.kinds)
    prefix = session.scalar(select(Brand.company_prefix).where(Brand.id == brand_id)) or ""
    if not shipped or not prefix:
        return "", 0
    count = shipped * draft.count
    # Brands of one company share its prefix: they count on together, from the furthest of them.
    sharing = Brand.company_prefix == prefix
    affected(session, update(Brand).where(sharing).values(sscc_next=Brand.sscc_next + count))
    after = session.scalar(select(func.max(Brand.sscc_next)).where(sharing)) or count
    affected(session, update(Brand).where(sharing).values(sscc_next=after))
    first = after - count
    try:
        replace(draft.spec(number=0, gtin=ANY_GTIN), sscc_prefix=prefix, sscc_first=first)
    except PressError as error:
        raise unprintable(error) from error
    return prefix, first
