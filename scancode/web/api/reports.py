"""The attribution funnel as JSON or CSV."""

from __future__ import annotations

from typing import Literal

from flask import Response, request
from pydantic import Field

from scancode.reports import service as reports
from scancode.reports.rules import Funnel, FunnelRow
from scancode.staff import service as staff
from scancode.web.api.access import brand_of_call, caller
from scancode.web.api.routes import REPORTS, get
from scancode.web.api.shapes import Answer, Asked, BrandSlug, Day, reply
from scancode.web.csv_files import csv_file
from scancode.web.runtime import runtime

DimensionName = Literal["channel", "store", "guide", "scene", "touchpoint", "region", "product", "batch", "day"]
ModelName = Literal["last", "first", "item"]


class FunnelQuery(Asked):
    """Which funnel, and of which days."""

    by: DimensionName = Field(description="what the rows are", examples=["channel"])
    first: Day
    last: Day
    brand: BrandSlug | None = None
    model: ModelName = Field(
        "last", description="who gets the credit: the last touch, the first, or the item alone (where it was shipped)"
    )


class FunnelRowAnswer(Answer):
    """What one channel, store … brought. Money is in fen."""

    key: str = Field(description="id, batch number, number of a region, day or scene; empty for what nothing explains")
    name_zh: str
    name_en: str
    shipped: int | None = Field(
        description="items; null where nothing is shipped to: guides, scenes, placed codes, regions"
    )
    activated: int | None = Field(description="items; null for guides, scenes, placed codes and regions")
    opened: int | None = Field(description="of placed codes: distinct browsers that opened it; else null")
    scanned: int = Field(description="distinct codes")
    scans: int
    visitors: int = Field(description="distinct browsers")
    claims: int
    members: int = Field(description="new members")
    paid_fen: int
    promised_fen: int = Field(description="what is paid included")
    cost_per_member_fen: int | None = Field(description="null without a new member")


class FunnelAnswer(Answer):
    """The funnel, the best rows first (days in order, what nothing explains last)."""

    by: DimensionName
    model: ModelName
    first: str
    last: str
    timezone: str
    brand: str
    rows: list[FunnelRowAnswer]
    total: FunnelRowAnswer = Field(description="counts each code and each visitor once, so it may be less than the sum")
    left_off: int = Field(description="rows beyond the first 2000")


COLUMNS = tuple(FunnelRowAnswer.model_fields)


@get(
    "/reports/funnel",
    scope="reports:read",
    tag=REPORTS,
    answers={200: FunnelAnswer},
)
def show_funnel(query: FunnelQuery) -> Response:
    """Read the attribution funnel.

    With `Accept: text/csv` as CSV in UTF-8: the same columns, a line `total` at the end; that leaves a row in the audit
    record. At most 366 days.
    """
    shared = runtime()
    with shared.db.reading() as session:
        brand = brand_of_call(session, query.brand)
        funnel = reports.funnel(
            session,
            brand_id=brand.id,
            by=query.by,
            first_day=query.first,
            last_day=query.last,
            model=query.model,
        )
    response = _as_csv(funnel) if wants_csv() else _as_json(funnel, brand.slug)
    if wants_csv():
        with shared.db.transaction() as session:
            staff.audit(
                session,
                actor=caller().actor,
                brand_id=brand.id,
                action="report.export",
                subject=f"brand:{brand.id}",
                facts={
                    "report": "funnel",
                    "by": query.by,
                    "model": query.model,
                    "first": query.first,
                    "last": query.last,
                },
                now=shared.now(),
            )
    response.vary.add("Accept")
    return response


def wants_csv() -> bool:
    """Whether the call asks for CSV rather than JSON."""
    return request.accept_mimetypes.best_match(("application/json", "text/csv"), "application/json") == "text/csv"


def _row(row: FunnelRow) -> FunnelRowAnswer:
    return FunnelRowAnswer(**{name: getattr(row, name) for name in COLUMNS})


def _as_json(funnel: Funnel, brand: str) -> Response:
    return reply(
        FunnelAnswer(
            by=funnel.by,
            model=funnel.model,
            first=funnel.period.first_day,
            last=funnel.period.last_day,
            timezone=funnel.period.timezone,
            brand=brand,
            rows=[_row(row) for row in funnel.rows],
            total=_row(funnel.total),
            left_off=funnel.left_off,
        )
    )


def _as_csv(funnel: Funnel) -> Response:
    rows = [[getattr(_row(row), name) for name in COLUMNS] for row in (*funnel.rows, funnel.total)]
    rows[-1][0] = "total"
    name = f"funnel-{funnel.by}-{funnel.period.first_day}-{funnel.period.last_day}.csv"
    return csv_file(name, COLUMNS, rows, mark="")
