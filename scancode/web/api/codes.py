"""Looking a single code up: its state, its history and how often it was scanned. Never a scan itself."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from scancode.codes import service as codes
from scancode.errors import NotFound
from scancode.scans import listing
from scancode.scans import service as scans
from scancode.scans.rules import History, judge
from scancode.web.api.access import caller
from scancode.web.api.batches import product_answer
from scancode.web.api.routes import CODES, get
from scancode.web.api.shapes import Answer, Asked, KindName, LifeName, ProductAnswer, reply
from scancode.web.api.suspects import SuspicionAnswer, suspicion_answer
from scancode.web.reading import read_code
from scancode.web.runtime import runtime

HISTORY_MAX = 100


class CodePath(Asked):
    """Names a code in an address."""

    code: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="20 characters as printed; lower case, spaces and hyphens are understood",
            examples=["15NM7GKYV6QA0BMHYHKJ"],
        ),
    ]


class CodeBatch(Answer):
    """The batch of a code."""

    number: int
    order_no: str
    lot: str
    is_test: bool


class CodeEvent(Answer):
    """Something that was done to the code, with others of its batch."""

    state: LifeName
    reason: str
    note: str
    at: datetime


class CodeScans(Answer):
    """How often the code was scanned."""

    count: int = Field(description="at most 10000")
    is_more: bool = Field(description="there were more than `count`")
    first_at: datetime | None
    last_at: datetime | None


class CodeAnswer(Answer):
    """A genuine code."""

    code: str = Field(description="20 characters, upper case", examples=["15NM7GKYV6QA0BMHYHKJ"])
    code_id: int = Field(description="its integer form, 52 bits", examples=[165700811358208])
    kind: KindName
    serial: int
    verdict: Literal["recalled", "void", "inactive", "suspect", "repeat", "first"] = Field(
        description="what the next person would be told who has not scanned it before"
    )
    state: LifeName
    reason: str = Field(description="why it is void")
    message_zh: str = Field(description="of a recall")
    message_en: str = Field(description="of a recall")
    changed_at: datetime | None = Field(description="since when it is in this state; null if it never changed")
    brand: str
    product: ProductAnswer
    batch: CodeBatch
    history: list[CodeEvent] = Field(description="newest first, at most 100")
    scans: CodeScans
    suspicion: SuspicionAnswer | None = Field(description="null for a code that never looked copied")


@get("/codes/<code>", scope="batches:read", tag=CODES, answers={200: CodeAnswer}, refusals=(404,))
def show_code(path: CodePath) -> Response:
    """Look a code up.

    404 with `code_malformed`, `code_mistyped`, `code_unknown` or `code_forged` when it is no code of ours; 404
    `not_found` when it is another brand's. Nothing is recorded.
    """
    shared = runtime()
    code = read_code(shared, path.code)
    if caller().brand_id not in (None, code.brand.id):
        raise NotFound
    number = code.batch.number
    with shared.db.reading() as session:
        batch = codes.get_batch(session, number=number)
        life = codes.life_of(session, batch_number=number, serial=code.serial)
        events = codes.history(session, batch_number=number, serial=code.serial, limit=HISTORY_MAX)
        counted = listing.count_of_code(session, code_id=code.code_id)
        mark = scans.find_suspicion(session, code_id=code.code_id)
        product = product_answer(session, code.product.id)
    is_suspect = mark is not None and mark.is_suspect
    answer = {
        "code": code.text,
        "code_id": code.code_id,
        "kind": code.kind.label,
        "serial": code.serial,
        "verdict": judge(life.state, History(first_at=counted.first_live_at), is_suspect=is_suspect).value,
        "state": life.state.value,
        "reason": life.reason,
        "message_zh": life.message_zh,
        "message_en": life.message_en,
        "changed_at": life.changed_at,
        "brand": code.brand.slug,
        "product": product,
        "batch": {"number": number, "order_no": batch.order_no, "lot": batch.lot, "is_test": batch.is_test},
        "history": [{"state": it.state.value, "reason": it.reason, "note": it.note, "at": it.at} for it in events],
        "scans": {
            "count": counted.count,
            "is_more": counted.is_cut,
            "first_at": counted.first_at,
            "last_at": counted.last_at,
        },
        "suspicion": suspicion_answer(mark) if mark else None,
    }
    return reply(CodeAnswer.model_validate(answer))
