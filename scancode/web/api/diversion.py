"""Items that surfaced outside their territory, for a brand's own systems."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from flask import Response
from pydantic import Field

from scancode.channels import regions
from scancode.diversion import service as diversion
from scancode.diversion.rules import CaseState
from scancode.diversion.service import CaseFacts
from scancode.web.api.access import brand_of_call
from scancode.web.api.routes import REPORTS, get
from scancode.web.api.shapes import Answer, Asked, BrandSlug, Cursor, Limit, moment, read_cursor, reply, write_cursor
from scancode.web.runtime import runtime

StateName = Literal["open", "working", "confirmed", "explained"]


class DiversionQuery(Asked):
    """Which of them."""

    state: StateName = Field("open", description="`open`: nobody has taken it yet")
    brand: BrandSlug | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class DiversionAnswer(Answer):
    """Items of one shipment that were scanned in one province outside the territory of where it was sent."""

    id: UUID
    state: StateName
    opened_at: datetime
    latest_at: datetime = Field(description="the newest scan that it rests on")
    shipment_id: UUID
    shipment: str = Field(description="its number")
    channel_id: UUID
    store_id: UUID | None
    region: int = Field(description="GB/T 2260", examples=[440000])
    region_name: str = Field(examples=["广东"])
    items: int
    scanned: int = Field(description="items of the shipment that were scanned anywhere")
    of_case: int = Field(description="the most that were packed in one case; 0 where they were not packed")
    kilometres: int | None = Field(description="from the nearest part of the territory")


class DiversionPage(Answer):
    """Cases, the newest first."""

    items: list[DiversionAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


@get("/diversion", scope="reports:read", tag=REPORTS, answers={200: DiversionPage})
def list_diversion(query: DiversionQuery) -> Response:
    """List cases of diversion, the newest first."""
    before = read_cursor(query.cursor, moment, UUID) if query.cursor else None
    with runtime().db.reading() as session:
        brand = brand_of_call(session, query.brand)
        rows = diversion.list_cases(
            session,
            brand_id=brand.id,
            states=(CaseState(query.state),),
            before=(before[0], before[1]) if before else None,
            limit=query.limit + 1,
        )
    shown = rows[: query.limit]
    end = None
    if len(rows) > query.limit:
        end = write_cursor(shown[-1].case.opened_at.isoformat(), str(shown[-1].case.id))
    return reply(DiversionPage(items=[_answer(row) for row in shown], next=end))


def _answer(row: CaseFacts) -> DiversionAnswer:
    names = ("id", "state", "opened_at", "latest_at", "shipment_id", "channel_id", "store_id", "region", "items")
    figures = {name: getattr(row.case, name) for name in (*names, "scanned", "of_case", "kilometres")}
    region_name = regions.name_of(row.case.region, "zh")
    return DiversionAnswer.model_validate(figures | {"shipment": row.shipment_number, "region_name": region_name})
