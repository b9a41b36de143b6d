"""What people report about items, for a brand's own customer service: never the number of anybody, nor a photo."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from flask import Response
from pydantic import Field

from batches.codes import Kind, split_code_id
from scancode.complaints import service as complaints
from scancode.complaints.models import Complaint
from scancode.complaints.rules import ComplaintState
from scancode.staff import service as staff
from scancode.web.api.access import brand_of_call, caller
from scancode.web.api.routes import COMPLAINTS, get
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

StateName = Literal["open", "answered", "closed"]


class ComplaintQuery(Asked):
    """Which of them."""

    state: StateName = "open"
    brand: BrandSlug | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class ComplaintAnswer(Answer):
    """What somebody reported."""

    id: UUID
    made_at: datetime
    changed_at: datetime
    state: StateName
    kind: Literal["fake", "opened", "claimed", "quality", "other"]
    verdict: str = Field(description="what the code's page said then; `forged` or `unknown` for a text that is none")
    code_id: int | None = Field(description="null for a text that is no code of ours")
    batch: int | None
    code_kind: KindName | None
    serial: int | None
    product_id: UUID | None
    typed: str = Field(description="the text that is no code of ours")
    text: str = Field(description="empty where there is a photo only, or once it was erased")
    answer: str
    is_erased: bool


class ComplaintPage(Answer):
    """Complaints, the newest first."""

    items: list[ComplaintAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


@get("/complaints", scope="complaints:read", tag=COMPLAINTS, answers={200: ComplaintPage})
def list_complaints(query: ComplaintQuery) -> Response:
    """List what people report about items, the newest first.

    People write what they like: treat the words as personal data. The beginning of a list (a call without `cursor`)
    leaves a row in the audit record.
    """
    before = read_cursor(query.cursor, moment, UUID) if query.cursor else None
    shared = runtime()
    with shared.db.reading() as session:
        brand = brand_of_call(session, query.brand)
        rows = complaints.list_complaints(
            session,
            brand_id=brand.id,
            states=(ComplaintState(query.state),),
            before=(before[0], before[1]) if before else None,
            limit=query.limit + 1,
        )
    if before is None:
        with shared.db.transaction() as session:
            staff.audit(
                session,
                actor=caller().actor,
                brand_id=brand.id,
                action="complaint.export",
                subject=f"brand:{brand.id}",
                facts={"state": query.state},
                now=shared.now(),
            )
    shown = rows[: query.limit]
    end = write_cursor(shown[-1].made_at.isoformat(), str(shown[-1].id)) if len(rows) > query.limit else None
    return reply(ComplaintPage(items=[_answer(row) for row in shown], next=end))


def _answer(row: Complaint) -> ComplaintAnswer:
    parts = split_code_id(row.code_id) if row.code_id is not None else None
    same = (
        "id",
        "made_at",
        "changed_at",
        "state",
        "kind",
        "verdict",
        "code_id",
        "product_id",
        "typed",
        "text",
        "answer",
    )
    return ComplaintAnswer.model_validate(
        {name: getattr(row, name) for name in same}
        | {
            "batch": row.batch_number,
            "code_kind": Kind(parts.kind).label if parts else None,
            "serial": parts.serial if parts else None,
            "is_erased": row.erased_at is not None,
        }
    )
