"""Shipments for a WMS: out, from place to place, back; receipts; what a store or a channel holds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.channels.models import Shipment
from scancode.channels.rules import ShipmentKind
from scancode.codes.typed import RANGES_MAX, merge
from scancode.errors import NotFound
from scancode.packing import service as packing
from scancode.packing.rules import CHILDREN_MAX
from scancode.web.api.access import brand_of_call, caller
from scancode.web.api.life import SerialRange
from scancode.web.api.once import Repeating, made_once
from scancode.web.api.packing import Code, unit_of
from scancode.web.api.routes import SHIPMENTS, get, post
from scancode.web.api.shapes import (
    Answer,
    Asked,
    BatchNumber,
    BrandSlug,
    Cursor,
    Limit,
    number,
    read_cursor,
    reply,
    text_field,
    write_cursor,
)
from scancode.web.runtime import runtime

KindWord = Literal["out", "transfer", "return"]
Codes = Annotated[list[Code], Field(max_length=CHILDREN_MAX, description="a case or a pallet means all in it")]


class Shipping(Asked):
    """What goes where. Name `codes`, or a `batch` (whole, or `ranges` of it), or both."""

    number: Annotated[str, text_field(60, min_length=1, description="your delivery note; each is used once")]
    kind: KindWord = "out"
    channel_id: UUID | None = Field(None, description="not for a return")
    store_id: UUID | None = None
    codes: Codes = []
    batch: BatchNumber | None = None
    ranges: list[SerialRange] = Field([], max_length=RANGES_MAX)
    note: Annotated[str, text_field(200)] = ""
    move: Annotated[bool, Field(strict=True, description="take codes out of an earlier shipment")] = False
    leave_out_dead: Annotated[bool, Field(strict=True, description="send the others without void ones")] = False
    brand: BrandSlug | None = None


class Receiving(Asked):
    """What did not arrive, if anything."""

    missing: Codes = []
    note: Annotated[str, text_field(200)] = ""


class ShipmentAnswer(Answer):
    """A shipment."""

    id: UUID
    number: str
    kind: KindWord
    channel_id: UUID | None
    store_id: UUID | None
    shipped_at: datetime
    received_at: datetime | None


class ShipmentPath(Asked):
    """Names a shipment in an address."""

    shipment_id: UUID


class PlacePath(Asked):
    """Names a channel or a store in an address."""

    place: Literal["channels", "stores"]
    place_id: UUID


class HoldingQuery(Asked):
    """Which page."""

    limit: Limit = 50
    cursor: Cursor | None = None


class HeldAnswer(Answer):
    """Serials from `first` to `last` that a place has now."""

    batch: int
    order_no: str
    gtin: str
    first: int
    last: int
    store_id: UUID | None
    shipment: str


class HeldPage(Answer):
    """What a place holds, by batch and serial."""

    items: list[HeldAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


@post("/shipments", scope="batches:write", tag=SHIPMENTS, answers={201: ShipmentAnswer}, refusals=(404, 409))
def ship_codes(header: Repeating, body: Shipping) -> Response:
    """Book a shipment, a transfer or a return.

    The same `number` again answers 409 `shipment_number_taken`, unless the same `Idempotency-Key` came with both.
    Scans are credited to the last place.
    """
    shared, token = runtime(), caller()
    units = [unit_of(code) for code in body.codes]

    def work(session: Session) -> ShipmentAnswer:
        selection = packing.everything(session, units=units)
        if body.batch is not None:
            ranges = [(item.first, item.last) for item in body.ranges]
            selection[body.batch] = tuple(merge([*selection.get(body.batch, ()), *ranges])) if ranges else ()
        made = channels.ship(
            session,
            brand_id=brand_of_call(session, body.brand).id,
            number=body.number,
            channel_id=None if body.kind == "return" else body.channel_id,
            store_id=None if body.kind == "return" else body.store_id,
            selection=selection,
            kind=ShipmentKind(body.kind),
            note=body.note,
            move=body.move,
            leave_out_dead=body.leave_out_dead,
            staff_id=token.staff_id,
            actor=token.actor,
            now=shared.now(),
        )
        return _answer(made)

    return made_once(header.key, work)


@post(
    "/shipments/<shipment_id>/receive",
    scope="batches:write",
    tag=SHIPMENTS,
    answers={200: ShipmentAnswer},
    refusals=(404, 409),
)
def receive_shipment(path: ShipmentPath, body: Receiving) -> Response:
    """Confirm that a shipment arrived, and what of it did not."""
    shared, token = runtime(), caller()
    units = [unit_of(code) for code in body.missing]

    def work(session: Session) -> Shipment:
        found = channels.get_shipment(session, shipment_id=path.shipment_id)
        if token.brand_id not in (None, found.brand_id):
            raise NotFound
        return channels.receive(
            session,
            shipment_id=path.shipment_id,
            missing=packing.everything(session, units=units),
            note=body.note,
            staff_id=token.staff_id,
            actor=token.actor,
            now=shared.now(),
        )

    return reply(_answer(shared.db.retrying(work)))


@get("/<place>/<place_id>/holdings", scope="batches:read", tag=SHIPMENTS, answers={200: HeldPage}, refusals=(404,))
def list_holdings(path: PlacePath, query: HoldingQuery) -> Response:
    """List what a channel or a store holds now, as ranges of serials."""
    after = read_cursor(query.cursor, number, number) if query.cursor else None
    with runtime().db.reading() as session:
        if path.place == "stores":
            _, channel = channels.get_store(session, store_id=path.place_id)
        else:
            channel = channels.get_channel(session, channel_id=path.place_id)
        if caller().brand_id not in (None, channel.brand_id):
            raise NotFound
        rows = channels.held_ranges(
            session,
            channel_id=channel.id,
            store_id=path.place_id if path.place == "stores" else None,
            after=(after[0], after[1]) if after else None,
            limit=query.limit + 1,
        )
    items = [
        HeldAnswer(
            batch=row.batch_number,
            order_no=row.order_no,
            gtin=row.gtin,
            first=row.first,
            last=row.last,
            store_id=row.store.id if row.store else None,
            shipment=row.shipment.number,
        )
        for row in rows[: query.limit]
    ]
    end = write_cursor(items[-1].batch, items[-1].first) if len(rows) > query.limit else None
    return reply(HeldPage(items=items, next=end))


def _answer(shipment: Shipment) -> ShipmentAnswer:
    columns: dict[str, Any] = {name: getattr(shipment, name) for name in ShipmentAnswer.model_fields}
    return ShipmentAnswer.model_validate(columns)
