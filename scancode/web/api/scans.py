"""Recorded scans, for a brand's own analysis: when, which code, and where it came from. Nothing here tells one browser
from another, neither visitor nor address."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from batches.codes import Kind, split_code_id
from scancode.catalog import service as catalog
from scancode.catalog.rules import BrandFacts
from scancode.codes import service as codes
from scancode.errors import NotFound
from scancode.reports import rules as reports
from scancode.scans import listing
from scancode.scans.models import Scan
from scancode.staff import service as staff
from scancode.web.api.access import brand_of_call, caller
from scancode.web.api.routes import SCANS, get
from scancode.web.api.shapes import (
    Answer,
    Asked,
    BatchNumber,
    BrandSlug,
    Cursor,
    Day,
    KindName,
    Limit,
    day,
    read_cursor,
    reply,
    write_cursor,
)
from scancode.web.reading import read_code
from scancode.web.runtime import Runtime, runtime


class ScanQuery(Asked):
    """Which scans to list. Without days: of a code or a batch all, else those of the last seven days."""

    first: Day | None = None
    last: Day | None = None
    batch: BatchNumber | None = None
    code: Annotated[str, Field(min_length=1, max_length=100, examples=["15NM7GKYV6QA0BMHYHKJ"])] | None = None
    brand: BrandSlug | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class AttributionAnswer(Answer):
    """Where a scan came from: the placed code that was opened last, else where the item was shipped, else its batch's
    channel, else the only channel of the region, else unknown. ``first_…`` is the first touch that counted, ``item_…``
    what the item says whatever was touched."""

    source: Literal["touch", "shipment", "batch", "region", "unknown"]
    channel_id: UUID | None
    store_id: UUID | None
    guide_id: UUID | None
    touchpoint_id: UUID | None
    first_touchpoint_id: UUID | None
    first_guide_id: UUID | None
    item_channel_id: UUID | None
    item_store_id: UUID | None


class ScanAnswer(Answer):
    """One scan by a person."""

    id: UUID
    scanned_at: datetime
    day: str = Field(description="in the brand's time zone", examples=["2026-11-22"])
    code_id: int = Field(examples=[165700811358208])
    batch: int
    kind: KindName
    serial: int
    product_id: UUID
    verdict: Literal["recalled", "void", "inactive", "suspect", "repeat", "first"]
    client: Literal["wechat", "alipay", "browser"]
    region: int | None = Field(
        description="province or city by its GB/T 2260 number, 990000 abroad; null where nothing is known",
        examples=[440300],
    )
    is_test: bool = Field(description="of a test batch, which no report counts")
    attribution: AttributionAnswer


class ScanPage(Answer):
    """Scans, the oldest first."""

    items: list[ScanAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


@get("/scans", scope="scans:read", tag=SCANS, answers={200: ScanPage}, refusals=(404,))
def list_scans(query: ScanQuery) -> Response:
    """List scans, the oldest first.

    Scans of the same moment may arrive in another order than their ids: whoever follows the end of the list reads the
    last minute again. The beginning of a list (a call without `cursor`) leaves a row in the audit record.
    """
    after = read_cursor(query.cursor, day, UUID) if query.cursor else None
    shared = runtime()
    code_id, batch_number = query_code(shared, query)
    with shared.db.reading() as session:
        brand = _brand(session, query, batch_number)
        first_day, last_day = _days(shared, query, brand, is_narrow=batch_number is not None)
        rows = listing.page_of_scans(
            session,
            brand_id=brand.id,
            first_day=first_day,
            last_day=last_day,
            batch_number=batch_number,
            code_id=code_id,
            after=(after[0], after[1]) if after else None,
            limit=query.limit + 1,
        )
        items = [_answer(row) for row in rows[: query.limit]]
    if after is None:
        _note_export(shared, brand, {"first": first_day, "last": last_day, "batch": batch_number, "code_id": code_id})
    end = write_cursor(items[-1].day, str(items[-1].id)) if len(rows) > query.limit else None
    return reply(ScanPage(items=items, next=end))


def query_code(shared: Runtime, query: ScanQuery) -> tuple[int | None, int | None]:
    """The code id and the batch that the call asks for. Raises NotFound where the code is not of that batch."""
    if query.code is None:
        return None, query.batch
    code = read_code(shared, query.code)
    if query.batch is not None and query.batch != code.batch.number:
        raise NotFound
    return code.code_id, code.batch.number


def _brand(session: Session, query: ScanQuery, batch_number: int | None) -> BrandFacts:
    """The brand whose scans are meant: that of the batch, else as the call says. Raises NotFound for another's."""
    if batch_number is None:
        return brand_of_call(session, query.brand)
    batch = codes.get_batch(session, number=batch_number, brand_id=caller().brand_id)
    brand = catalog.load_brand(session, brand_id=batch.brand_id)
    if brand is None or query.brand not in (None, brand.slug):
        raise NotFound
    return brand


def _days(shared: Runtime, query: ScanQuery, brand: BrandFacts, *, is_narrow: bool) -> tuple[str | None, str | None]:
    """The days asked for. Raises BadPeriod, PeriodTooLong."""
    if query.first is None and query.last is None and is_narrow:
        return None, None
    last = query.last or brand.day(shared.now())
    try:
        first = query.first or reports.last_days(last, 7)[0]
    except (ValueError, OverflowError) as error:
        raise reports.BadPeriod from error
    period = reports.read_period(first, last, timezone=brand.timezone)
    return period.first_day, period.last_day


def _note_export(shared: Runtime, brand: BrandFacts, facts: dict[str, object]) -> None:
    with shared.db.transaction() as session:
        staff.audit(
            session,
            actor=caller().actor,
            brand_id=brand.id,
            action="scan.export",
            subject=f"brand:{brand.id}",
            facts={name: value for name, value in facts.items() if value is not None},
            now=shared.now(),
        )


def _answer(scan: Scan) -> ScanAnswer:
    parts = split_code_id(scan.code_id)
    return ScanAnswer.model_validate(
        {
            "id": scan.id,
            "scanned_at": scan.scanned_at,
            "day": scan.day,
            "code_id": scan.code_id,
            "batch": scan.batch_number,
            "kind": Kind(parts.kind).label,
            "serial": parts.serial,
            "product_id": scan.product_id,
            "verdict": scan.verdict,
            "client": scan.client,
            "region": scan.region,
            "is_test": scan.is_test,
            "attribution": {name: getattr(scan, name) for name in AttributionAnswer.model_fields},
        }
    )
