"""Changing the life of codes by ranges of serials: activate, deactivate, void, recall. Undoing a void or a recall is
left to people in the console."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from scancode.codes import listing
from scancode.codes import service as codes
from scancode.codes.rules import Activate, Change, Deactivate, Life, Range, Recall, Void, VoidReason
from scancode.codes.typed import RANGES_MAX
from scancode.web.api.access import caller
from scancode.web.api.batches import LifeCounts
from scancode.web.api.routes import BATCHES, get, post
from scancode.web.api.shapes import (
    BATCH_NUMBER_MAX,
    Answer,
    Asked,
    BatchPath,
    Cursor,
    LifeName,
    Whole,
    number,
    read_cursor,
    reply,
    text_field,
    write_cursor,
)
from scancode.web.runtime import runtime

SPANS_MAX = 1000
Serial = Annotated[int, Field(strict=True, ge=0, le=BATCH_NUMBER_MAX)]
Note = Annotated[str, text_field(300, description="kept in the history of these codes")]
Message = Annotated[str, text_field(300, min_length=1, description="shown to whoever scans these codes")]


class SerialRange(Asked):
    """Serials from `first` to `last`, both included."""

    first: Serial = Field(examples=[0])
    last: Serial = Field(examples=[999])


class Activation(Asked):
    """Which codes to activate."""

    ranges: list[SerialRange] = Field(min_length=1, max_length=RANGES_MAX)
    note: Note = ""


class Deactivation(Asked):
    """Which live codes to take back."""

    ranges: list[SerialRange] = Field(min_length=1, max_length=RANGES_MAX)
    note: Note = ""


class Voiding(Asked):
    """Which codes to kill, and why. With `other` a note is needed."""

    ranges: list[SerialRange] = Field(min_length=1, max_length=RANGES_MAX)
    reason: VoidReason = Field(examples=["misprint"])
    note: Note = ""


class Recalling(Asked):
    """Which codes to recall, and what people read who scan them."""

    ranges: list[SerialRange] = Field(min_length=1, max_length=RANGES_MAX)
    message_zh: Message = Field(examples=["本批次已召回，请勿饮用，可到购买处退货。"])
    message_en: Message = Field(examples=["This lot is recalled. Do not drink it; return it where you bought it."])
    note: Note = ""


class ChangedAnswer(Answer):
    """What a change did."""

    changed: int = Field(description="codes that were changed", examples=[1000])
    left: LifeCounts = Field(description="codes that were left alone, by their state")


class LifeSpan(Answer):
    """Serials from `first` to `last`, both included, that share a state."""

    first: int
    last: int
    state: LifeName
    reason: str
    message_zh: str
    message_en: str
    changed_at: datetime | None


class LifePage(Answer):
    """The spans of a batch in order; serials in none of them are inactive."""

    counts: LifeCounts
    items: list[LifeSpan]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


class LifeQuery(Asked):
    """Which spans to list."""

    limit: Annotated[int, Field(ge=1, le=SPANS_MAX, description="most spans of this page"), Whole] = SPANS_MAX
    cursor: Cursor | None = None


@post(
    "/batches/<number>/activate", scope="batches:write", tag=BATCHES, answers={200: ChangedAnswer}, refusals=(404, 409)
)
def activate_codes(path: BatchPath, body: Activation) -> Response:
    """Make codes live.

    Void and recalled codes stay as they are and are counted in `left`.
    """
    return _change(path.number, body.ranges, Activate(body.note))


@post(
    "/batches/<number>/deactivate",
    scope="batches:write",
    tag=BATCHES,
    answers={200: ChangedAnswer},
    refusals=(404, 409),
)
def deactivate_codes(path: BatchPath, body: Deactivation) -> Response:
    """Take live codes back to inactive."""
    return _change(path.number, body.ranges, Deactivate(body.note))


@post("/batches/<number>/void", scope="batches:write", tag=BATCHES, answers={200: ChangedAnswer}, refusals=(404, 409))
def void_codes(path: BatchPath, body: Voiding) -> Response:
    """Kill codes for a reason.

    Undone by a person, or with the right `batches:restore`.
    """
    return _change(path.number, body.ranges, Void(body.reason, body.note))


@post("/batches/<number>/recall", scope="batches:write", tag=BATCHES, answers={200: ChangedAnswer}, refusals=(404, 409))
def recall_codes(path: BatchPath, body: Recalling) -> Response:
    """Put a recall's message on codes, whatever their state.

    A new recall replaces the message. Undone by a person, or with the right `batches:restore`.
    """
    return _change(path.number, body.ranges, Recall(body.message_zh, body.message_en, body.note))


@get("/batches/<number>/life", scope="batches:read", tag=BATCHES, answers={200: LifePage}, refusals=(404,))
def show_life(path: BatchPath, query: LifeQuery) -> Response:
    """List the states of a batch's codes as ranges of serials."""
    after = read_cursor(query.cursor, number)[0] if query.cursor else None
    with runtime().db.reading() as session:
        batch = codes.get_batch(session, number=path.number, brand_id=caller().brand_id)
        counts = listing.count_life(session, batch_number=batch.number, count=batch.count)
        spans = listing.page_of_life(session, batch_number=batch.number, after=after, limit=query.limit + 1)
    items = [
        LifeSpan(
            first=span.first,
            last=span.last,
            state=span.value.state.value,
            reason=span.value.reason,
            message_zh=span.value.message_zh,
            message_en=span.value.message_en,
            changed_at=span.value.changed_at,
        )
        for span in spans[: query.limit]
    ]
    end = write_cursor(items[-1].first) if len(spans) > query.limit else None
    return reply(LifePage(counts=_counts(counts), items=items, next=end))


def _change(batch_number: int, ranges: list[SerialRange], what: Change) -> Response:
    shared, now, token = runtime(), runtime().now(), caller()
    wanted: list[Range] = [(item.first, item.last) for item in ranges]

    def work(session: Session) -> codes.Changed:
        codes.get_batch(session, number=batch_number, brand_id=token.brand_id)
        return codes.change(
            session,
            batch_number=batch_number,
            ranges=wanted,
            what=what,
            actor=token.actor,
            staff_id=token.staff_id,
            now=now,
        )

    done = shared.db.retrying(work)
    return reply(ChangedAnswer(changed=done.count, left=_counts(done.left)))


def _counts(found: dict[Life, int]) -> LifeCounts:
    return LifeCounts(**{str(state): found.get(state, 0) for state in Life})
