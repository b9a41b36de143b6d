"""Questions about scans that were made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scancode.channels.rules import ATTRIBUTION_FIELDS, Attribution, Source
from scancode.db import affected
from scancode.scans.models import Scan
from scancode.scans.rules import Risk, Verdict

PURGE_MAX = 5000
LOCATED_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class ScanFacts:
    """One recorded scan."""

    code_id: int
    scanned_at: datetime
    verdict: Verdict
    brand_id: UUID
    product_id: UUID
    batch_number: int
    visitor_id: UUID
    attribution: Attribution
    client: str
    risks: tuple[Risk, ...]
    """What was odd about it."""
    is_test: bool
    is_confirmed: bool
    """False: its page was sent and never shown; it counts for nothing."""


def of_code(session: Session, *, code_id: int, limit: int = 50) -> list[ScanFacts]:
    """The newest scans of a code."""
    return _facts(session, Scan.code_id == code_id, limit=limit)


def latest_of_visitor(
    session: Session, *, visitor_id: UUID, brand_id: UUID | None = None, limit: int = 20
) -> list[ScanFacts]:
    """The newest scans that a browser made, of one brand or of all."""
    wanted = Scan.visitor_id == visitor_id
    return _facts(session, wanted if brand_id is None else wanted & (Scan.brand_id == brand_id), limit=limit)


def attribution_of(session: Session, *, code_id: int, visitor_id: UUID) -> Attribution | None:
    """Where this visitor's newest scan of the code came from, else anybody's; None where it was never scanned."""
    own = _facts(session, (Scan.code_id == code_id) & (Scan.visitor_id == visitor_id), limit=1)
    found = own or _facts(session, (Scan.code_id == code_id) & Scan.is_confirmed.is_(True), limit=1)
    return found[0].attribution if found else None


def region_of(session: Session, *, code_id: int, visitor_id: UUID) -> int | None:
    """Where this visitor last scanned the code, as far as it is known: by the address, or by what they shared."""
    mine = (Scan.code_id == code_id, Scan.visitor_id == visitor_id, Scan.region.is_not(None))
    return session.scalar(select(Scan.region).where(*mine).order_by(Scan.id.desc()).limit(1))


def forget_addresses(session: Session, *, now: datetime, days: int) -> int:
    """Removes keyed hashes of addresses older than ``days``; at most ``PURGE_MAX`` a call. Returns how many."""
    old = (
        select(Scan.code_id, Scan.id)
        .where(Scan.address_digest.is_not(None), Scan.scanned_at < now - timedelta(days=days))
        .limit(PURGE_MAX)
    )
    count = 0
    for code_id, scan_id in session.execute(old).all():
        statement = update(Scan).where(Scan.code_id == code_id, Scan.id == scan_id).values(address_digest=None)
        count += affected(session, statement)
    return count


def _facts(session: Session, wanted: object, *, limit: int) -> list[ScanFacts]:
    rows = session.scalars(select(Scan).where(wanted).order_by(Scan.id.desc()).limit(limit)).all()  # type: ignore[arg-type]
    return [
        ScanFacts(
            code_id=row.code_id,
            scanned_at=row.scanned_at,
            verdict=Verdict(row.verdict),
            brand_id=row.brand_id,
            product_id=row.product_id,
            batch_number=row.batch_number,
            visitor_id=row.visitor_id,
            attribution=Attribution(**{name: getattr(row, name) for name in ATTRIBUTION_FIELDS}),
            client=row.client,
            risks=tuple(Risk(risk) for risk in (row.risk or "").split(",") if risk),
            is_test=row.is_test,
            is_confirmed=row.is_confirmed,
        )
        for row in rows
    ]


def locate(
    session: Session, *, code_id: int, visitor_id: UUID, region: int, region_channel_id: UUID | None, now: datetime
) -> bool:
    """A person told where they made their newest scan of a code, at most an hour ago. A scan that nothing else explains
    is credited to the only channel there, if there is one. False when there is no such scan."""
    mine = (Scan.code_id == code_id, Scan.visitor_id == visitor_id, Scan.scanned_at >= now - LOCATED_WITHIN)
    newest = session.scalar(select(Scan.id).where(*mine).order_by(Scan.id.desc()).limit(1))
    if newest is None:
        return False
    this = update(Scan).where(Scan.code_id == code_id, Scan.id == newest)
    affected(session, this.values(region=region))
    source = Source.REGION if region_channel_id is not None else Source.UNKNOWN
    weak = this.where(Scan.source.in_([Source.REGION.value, Source.UNKNOWN.value]))
    credit = {"source": source.value, "channel_id": region_channel_id, "item_channel_id": region_channel_id}
    affected(session, weak.values(**credit))
    return True
