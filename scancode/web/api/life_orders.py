"""Life of what is named otherwise than by serials of one batch: a case, a pallet, a shipment, a production lot; now or
at a set time. What is set for later is listed and can be cancelled until then; what is dead can be brought back."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.codes import service as codes
from scancode.codes.models import LifeOrder
from scancode.codes.rules import Activate, Change, Deactivate, Recall, Restore, Void, VoidReason
from scancode.codes.typed import RANGES_MAX, written
from scancode.errors import Invalid, NotFound
from scancode.i18n import N_
from scancode.stories import life_orders
from scancode.stories.life_orders import OrderState, Target, TargetEmpty
from scancode.web.api.access import brand_of_call, caller, find_brand_of_call
from scancode.web.api.life import Message, Note, SerialRange
from scancode.web.api.once import Repeating, made_once
from scancode.web.api.packing import Code, unit_of
from scancode.web.api.routes import LIFE, get, post
from scancode.web.api.shapes import (
    Answer,
    Asked,
    BatchNumber,
    BrandSlug,
    Cursor,
    Limit,
    Moment,
    Nothing,
    OrderNumber,
    read_cursor,
    reply,
    text_field,
    write_cursor,
)
from scancode.web.runtime import runtime

StateWord = Literal["scheduled", "done", "failed", "cancelled"]
VerbWord = Literal["activate", "deactivate", "void", "recall", "restore"]
if set(get_args(StateWord)) != set(OrderState):
    raise AssertionError("a state of life orders is missing here")


class TargetAsked(Asked):
    """What is meant: exactly one of `code`, `shipment`, `lot` and `batch` (whole, or `ranges` of it)."""

    code: Code | None = Field(None, description="of a case or a pallet: it and all that is in it when it happens")
    shipment: OrderNumber | None = Field(None, description="number of a shipment: what it carried")
    lot: str | None = text_field(20, default=None, min_length=1, description="a production lot: all of its batches")
    batch: BatchNumber | None = None
    ranges: list[SerialRange] = Field([], max_length=RANGES_MAX, description="of the batch; all of it if empty")
    at: Moment | None = Field(None, description="when it shall happen; at once if null")
    brand: BrandSlug | None = None


class TargetActivation(TargetAsked):
    """What shall live."""

    note: Note = ""


class TargetDeactivation(TargetAsked):
    """What shall not live any more."""

    note: Note = ""


class TargetVoiding(TargetAsked):
    """What is dead, and why."""

    reason: VoidReason = Field(examples=["stolen"])
    note: Note = ""


class TargetRecalling(TargetAsked):
    """What is recalled, and what people read who scan it."""

    message_zh: Message
    message_en: Message
    note: Note = ""


class TargetRestoring(TargetAsked):
    """What comes back, and why it may."""

    note: str = text_field(300, min_length=1, description="why these codes may live again")


class LifeOrderAnswer(Answer):
    """A change of life."""

    id: UUID
    verb: VerbWord
    title: str = Field(description="what it is for, for people", examples=["case 1234567:42"])
    state: StateWord
    run_at: datetime
    ordered_at: datetime
    ended_at: datetime | None
    changed: int = Field(description="codes that were changed")
    problem: str = Field(description="why it failed, in Chinese and English")


class LifeOrderPage(Answer):
    """Changes of life, the newest first."""

    items: list[LifeOrderAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


class LifeOrderQuery(Asked):
    """Which changes to list."""

    state: StateWord | None = None
    brand: BrandSlug | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class LifeOrderPath(Asked):
    """Names a change of life in an address."""

    order_id: UUID


@post("/life/activate", scope="batches:write", tag=LIFE, answers={201: LifeOrderAnswer}, refusals=(404, 409))
def activate_target(header: Repeating, body: TargetActivation) -> Response:
    """Make a case, a pallet, a shipment, a lot or a batch live, now or at a set time."""
    return _order(header, body, Activate(body.note))


@post("/life/deactivate", scope="batches:write", tag=LIFE, answers={201: LifeOrderAnswer}, refusals=(404, 409))
def deactivate_target(header: Repeating, body: TargetDeactivation) -> Response:
    """Take live codes back to inactive, now or at a set time."""
    return _order(header, body, Deactivate(body.note))


@post("/life/void", scope="batches:write", tag=LIFE, answers={201: LifeOrderAnswer}, refusals=(404, 409))
def void_target(header: Repeating, body: TargetVoiding) -> Response:
    """Kill codes for a reason, now or at a set time."""
    return _order(header, body, Void(body.reason, body.note))


@post("/life/recall", scope="batches:write", tag=LIFE, answers={201: LifeOrderAnswer}, refusals=(404, 409))
def recall_target(header: Repeating, body: TargetRecalling) -> Response:
    """Put a recall's message on codes, whatever their state, now or at a set time."""
    return _order(header, body, Recall(body.message_zh, body.message_en, body.note))


@post("/life/restore", scope="batches:restore", tag=LIFE, answers={201: LifeOrderAnswer}, refusals=(404, 409))
def restore_target(header: Repeating, body: TargetRestoring) -> Response:
    """Undo a void or a recall.

    Codes are again what they were before. What was claimed stays claimed.
    """
    return _order(header, body, Restore(body.note))


@get("/life/orders", scope="batches:read", tag=LIFE, answers={200: LifeOrderPage})
def list_life_orders(query: LifeOrderQuery) -> Response:
    """List changes of life, those to come among them."""
    after = read_cursor(query.cursor, UUID)[0] if query.cursor else None
    with runtime().db.reading() as session:
        brand = find_brand_of_call(session, query.brand)
        rows = life_orders.page_of_orders(
            session,
            brand_id=brand.id if brand else None,
            state=OrderState(query.state) if query.state else None,
            after=after,
            limit=query.limit + 1,
        )
    items = [_answer(row) for row in rows[: query.limit]]
    end = write_cursor(str(items[-1].id)) if len(rows) > query.limit else None
    return reply(LifeOrderPage(items=items, next=end))


@get("/life/orders/<order_id>", scope="batches:read", tag=LIFE, answers={200: LifeOrderAnswer}, refusals=(404,))
def show_life_order(path: LifeOrderPath) -> Response:
    """Show what became of a change."""
    with runtime().db.reading() as session:
        return reply(_answer(_visible(session, path.order_id)))


@post(
    "/life/orders/<order_id>/cancel",
    scope="batches:write",
    tag=LIFE,
    answers={200: LifeOrderAnswer},
    refusals=(404, 409),
)
def cancel_life_order(path: LifeOrderPath, body: Nothing) -> Response:
    """Cancel a change that is still to come. 409 `life_order_state` where it is over."""
    shared, token = runtime(), caller()

    def work(session: Session) -> LifeOrder:
        _visible(session, path.order_id)
        life_orders.cancel(session, order_id=path.order_id, actor=token.actor, now=shared.now())
        return life_orders.get_order(session, order_id=path.order_id)

    return reply(_answer(shared.db.retrying(work)))


def _order(header: Repeating, body: TargetAsked, what: Change) -> Response:
    shared, token = runtime(), caller()

    def work(session: Session) -> LifeOrderAnswer:
        brand_id, target, title = _target(session, body)
        return _answer(
            life_orders.order(
                session,
                brand_id=brand_id,
                target=target,
                title=title,
                what=what,
                run_at=body.at,
                actor=token.actor,
                staff_id=token.staff_id,
                now=shared.now(),
            )
        )

    return made_once(header.key, work)


def _target(session: Session, body: TargetAsked) -> tuple[UUID, Target, str]:
    """The brand, what is meant, and how people call it. Raises Invalid, NotFound, TargetEmpty, BrandNeeded, …"""
    named = [name for name in ("code", "shipment", "lot", "batch") if getattr(body, name) is not None]
    if len(named) != 1:
        raise Invalid(field="code", problem=N_("Name exactly one of: code, shipment, lot, batch."))
    if body.ranges and body.batch is None:
        raise Invalid(field="ranges", problem=N_("Ranges are of a batch: name it, too."))
    if body.code is not None:
        unit = unit_of(body.code)
        brand_id = codes.get_batch(session, number=unit.batch).brand_id
        return brand_id, Target.unit(unit), f"{unit.level.label} {unit.batch}:{unit.serial}"
    if body.batch is not None:
        batch = codes.get_batch(session, number=body.batch, brand_id=caller().brand_id)
        ranges = [(item.first, item.last) for item in body.ranges] or [(0, batch.count - 1)]
        return batch.brand_id, Target.ranges(batch.number, ranges), f"{batch.order_no}: {written(ranges)}"
    brand_id = brand_of_call(session, body.brand).id
    if body.lot is not None:
        return brand_id, Target.lot(body.lot), body.lot
    found = channels.find_shipment(session, brand_id=brand_id, number=body.shipment or "")
    if found is None:
        raise TargetEmpty
    return brand_id, Target.shipment(found.id), found.number


def _visible(session: Session, order_id: UUID) -> LifeOrder:
    """Raises NotFound."""
    row = life_orders.get_order(session, order_id=order_id)
    if caller().brand_id not in (None, row.brand_id):
        raise NotFound
    return row


def _answer(row: LifeOrder) -> LifeOrderAnswer:
    names = ("id", "verb", "title", "state", "run_at", "ordered_at", "ended_at", "problem")
    return LifeOrderAnswer(changed=row.count, **{name: getattr(row, name) for name in names})
