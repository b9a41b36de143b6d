"""Codes that look copied, for a brand's own systems: which, why, and what was decided."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from flask import Response
from pydantic import Field

from batches.codes import Kind, split_code_id
from scancode.scans import service as scans
from scancode.scans.rules import Standing
from scancode.scans.service import SuspicionFacts
from scancode.web.api.access import brand_of_call
from scancode.web.api.routes import SCANS, get
from scancode.web.api.shapes import (
    Answer,
    Asked,
    BrandSlug,
    Cursor,
    KindName,
    Limit,
    moment,
    read_cursor,
    reply,
    write_cursor,
)
from scancode.web.runtime import runtime

StandingName = Literal["open", "confirmed", "cleared", "trusted"]


class SuspectQuery(Asked):
    """Which of them."""

    state: StandingName = Field("open", description="`open`: nobody has looked yet")
    brand: BrandSlug | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class SuspicionAnswer(Answer):
    """A code that looked copied, with what spoke for it when it was marked last."""

    code_id: int = Field(examples=[165700811358208])
    batch: int
    kind: KindName
    serial: int
    state: StandingName = Field(description="`open` and `confirmed` are what a verdict calls `suspect`")
    signs: list[Literal["visitors", "cities", "speed"]]
    visitors: int = Field(description="different visitors when it was marked")
    cities: int = Field(description="different cities")
    found_at: datetime


class SuspectPage(Answer):
    """Codes, those marked last first."""

    items: list[SuspicionAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


@get("/suspects", scope="scans:read", tag=SCANS, answers={200: SuspectPage})
def list_suspects(query: SuspectQuery) -> Response:
    """List codes that look copied.

    The rules are published in the service's documentation. A suspect code verifies nothing and pays nothing until
    somebody has cleared it.
    """
    before = read_cursor(query.cursor, moment, int) if query.cursor else None
    with runtime().db.reading() as session:
        brand = brand_of_call(session, query.brand)
        rows = scans.list_suspects(
            session,
            brand_id=brand.id,
            states=(Standing(query.state),),
            before=(before[0], before[1]) if before else None,
            limit=query.limit + 1,
        )
    shown = rows[: query.limit]
    end = write_cursor(shown[-1].found_at.isoformat(), shown[-1].code_id) if len(rows) > query.limit else None
    return reply(SuspectPage(items=[suspicion_answer(row) for row in shown], next=end))


def suspicion_answer(facts: SuspicionFacts) -> SuspicionAnswer:
    parts = split_code_id(facts.code_id)
    return SuspicionAnswer.model_validate(
        {
            "code_id": facts.code_id,
            "batch": facts.batch_number,
            "kind": Kind(parts.kind).label,
            "serial": parts.serial,
            "state": facts.state.value,
            "signs": [sign.value for sign in facts.signs],
            "visitors": facts.visitors,
            "cities": facts.cities,
            "found_at": facts.found_at,
        }
    )
