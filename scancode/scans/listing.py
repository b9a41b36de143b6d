"""Confirmed scans in pages that continue where the last one ended, and how often a code was scanned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from scancode.scans.models import Scan
from scancode.scans.rules import LIVE

COUNT_MAX = 10_000
"""Scans of one code that are counted; beyond it the answer is «more than»."""
BATCH_SHIFT = 27

Place = tuple[str, UUID]
"""Where a page ended: day and id of its last scan."""


@dataclass(frozen=True)
class ScanCount:
    """How often a code was scanned, tests and dead codes included; the live scans are what a verdict looks at."""

    count: int
    is_cut: bool
    first_at: datetime | None
    last_at: datetime | None
    first_live_at: datetime | None


def page_of_scans(
    session: Session,
    *,
    brand_id: UUID,
    first_day: str | None = None,
    last_day: str | None = None,
    batch_number: int | None = None,
    code_id: int | None = None,
    after: Place | None = None,
    limit: int,
) -> list[Scan]:
    """Scans of a brand in the order of their days and ids, oldest first, from ``after`` on.

    An id begins with the time at which its scan was made, so what comes later stands later; but scans of the same
    moment may be committed or confirmed in another order, so a reader at the very end shall read the last minute again.
    """
    counted = (Scan.brand_id == brand_id, Scan.is_confirmed.is_(True))
    query = select(Scan).where(*counted).order_by(Scan.day, Scan.id).limit(limit)
    if first_day is not None:
        query = query.where(Scan.day >= first_day)
    if last_day is not None:
        query = query.where(Scan.day <= last_day)
    if code_id is not None:
        query = query.where(Scan.code_id == code_id)
    elif batch_number is not None:
        # By the key as well as by the column: a batch's codes are one range of it.
        begins, ends = batch_number << BATCH_SHIFT, (batch_number + 1) << BATCH_SHIFT
        query = query.where(Scan.batch_number == batch_number, Scan.code_id >= begins, Scan.code_id < ends)
    if after is not None:
        day, scan_id = after
        query = query.where(or_(Scan.day > day, and_(Scan.day == day, Scan.id > scan_id)))
    return list(session.scalars(query))


def count_of_code(session: Session, *, code_id: int) -> ScanCount:
    """Counts the scans of a code, at most ``COUNT_MAX`` of them."""
    some = (
        select(Scan.scanned_at, Scan.verdict)
        .where(Scan.code_id == code_id, Scan.is_confirmed.is_(True))
        .order_by(Scan.id)
        .limit(COUNT_MAX + 1)
        .subquery()
    )
    count, first_at, last_at = session.execute(
        select(func.count(), func.min(some.c.scanned_at), func.max(some.c.scanned_at))
    ).one()
    live = select(func.min(some.c.scanned_at)).where(some.c.verdict.in_([str(verdict) for verdict in LIVE]))
    return ScanCount(min(count, COUNT_MAX), count > COUNT_MAX, first_at, last_at, session.scalar(live))
