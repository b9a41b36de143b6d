"""What is asked about shipments: what went out, what of it is still there, what a place holds, what could go out."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from scancode.catalog.models import Product
from scancode.channels.models import Channel, ReceiptGap, Shipment, ShipmentLine, ShippedRange, Store
from scancode.codes.models import Batch, BatchState
from scancode.codes.ranges import Span
from scancode.errors import NotFound

NEVER_PRINTED = [
    state.value for state in (BatchState.CANCELLED, BatchState.FAILED, BatchState.WAITING, BatchState.REJECTED)
]


def get_shipment(session: Session, *, shipment_id: UUID) -> Shipment:
    """Raises NotFound."""
    found = session.get(Shipment, shipment_id)
    if found is None:
        raise NotFound
    return found


def find_shipment(session: Session, *, brand_id: UUID, number: str) -> Shipment | None:
    """A brand's shipment by its number."""
    wanted = select(Shipment).where(Shipment.brand_id == brand_id, Shipment.number == number.strip())
    return session.scalars(wanted).one_or_none()


@dataclass(frozen=True)
class ShipmentRow:
    shipment: Shipment
    channel: Channel | None
    store: Store | None
    batch_number: int | None
    count: int


def list_shipments(
    session: Session,
    *,
    brand_id: UUID,
    channel_id: UUID | None = None,
    store_id: UUID | None = None,
    limit: int,
    offset: int = 0,
) -> list[ShipmentRow]:
    """The newest first. ``count`` is what the shipment carried, wherever it is now."""
    carried = (
        select(
            ShipmentLine.shipment_id,
            func.min(ShipmentLine.batch_number).label("batch_number"),
            func.sum(ShipmentLine.last - ShipmentLine.first + 1).label("count"),
        )
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(Shipment.brand_id == brand_id)
        .group_by(ShipmentLine.shipment_id)
        .subquery()
    )
    statement = (
        select(Shipment, Channel, Store, carried.c.batch_number, carried.c.count)
        .outerjoin(Channel, Channel.id == Shipment.channel_id)
        .outerjoin(Store, Store.id == Shipment.store_id)
        .outerjoin(carried, carried.c.shipment_id == Shipment.id)
        .where(Shipment.brand_id == brand_id)
    )
    if channel_id is not None:
        statement = statement.where(Shipment.channel_id == channel_id)
    if store_id is not None:
        statement = statement.where(Shipment.store_id == store_id)
    statement = statement.order_by(Shipment.shipped_at.desc(), Shipment.id.desc()).limit(limit).offset(offset)
    return [
        ShipmentRow(shipment, channel, store, batch_number, int(count or 0))
        for shipment, channel, store, batch_number, count in session.execute(statement)
    ]


def trail(
    session: Session, *, batch_number: int, serial: int, limit: int = 50
) -> list[tuple[Shipment, Channel | None]]:
    """Every shipment that carried a serial, the newest first."""
    query = (
        select(Shipment, Channel)
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .outerjoin(Channel, Channel.id == Shipment.channel_id)
        .where(ShipmentLine.batch_number == batch_number, ShipmentLine.first <= serial, ShipmentLine.last >= serial)
        .order_by(Shipment.shipped_at.desc(), Shipment.id.desc())
        .limit(limit)
    )
    return [(shipment, channel) for shipment, channel in session.execute(query)]


@dataclass(frozen=True)
class LineRow:
    """Serials of a shipment, how many of them are still where it sent them, and whence they were moved."""

    batch_number: int
    first: int
    last: int
    moved_from: Shipment | None
    still_there: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1


def lines_of_shipment(session: Session, *, shipment_id: UUID) -> list[LineRow]:
    lines = session.execute(
        select(ShipmentLine, Shipment)
        .outerjoin(Shipment, Shipment.id == ShipmentLine.moved_from)
        .where(ShipmentLine.shipment_id == shipment_id)
        .order_by(ShipmentLine.batch_number, ShipmentLine.first)
    ).all()
    kept = session.scalars(select(ShippedRange).where(ShippedRange.shipment_id == shipment_id)).all()
    spans = [(row.batch_number, Span(row.first, row.last, None)) for row in kept]
    return [
        LineRow(
            line.batch_number,
            line.first,
            line.last,
            origin,
            sum(
                part.count
                for batch_number, span in spans
                if batch_number == line.batch_number and (part := span.cut(line.first, line.last)) is not None
            ),
        )
        for line, origin in lines
    ]


@dataclass(frozen=True)
class HeldRange:
    """Serials of a batch that a place has now, and the shipment that brought them."""

    batch_number: int
    first: int
    last: int
    order_no: str
    gtin: str
    product_name_zh: str
    product_name_en: str
    shipment: Shipment
    store: Store | None

    @property
    def count(self) -> int:
        return self.last - self.first + 1


def held_ranges(
    session: Session,
    *,
    channel_id: UUID | None = None,
    store_id: UUID | None = None,
    after: tuple[int, int] | None = None,
    limit: int,
) -> list[HeldRange]:
    """What a store, or a channel with its stores, has now, range by range from ``after`` (batch, first) on."""
    query = (
        select(ShippedRange, Batch.order_no, Product.gtin, Product.name_zh, Product.name_en, Shipment, Store)
        .join(Batch, Batch.number == ShippedRange.batch_number)
        .join(Product, Product.id == Batch.product_id)
        .join(Shipment, Shipment.id == ShippedRange.shipment_id)
        .outerjoin(Store, Store.id == ShippedRange.store_id)
        .order_by(ShippedRange.batch_number, ShippedRange.first)
        .limit(limit)
    )
    if store_id is not None:
        query = query.where(ShippedRange.store_id == store_id)
    else:
        query = query.where(ShippedRange.channel_id == channel_id)
    if after is not None:
        number, first = after
        beyond = and_(ShippedRange.batch_number == number, ShippedRange.first > first)
        query = query.where(or_(ShippedRange.batch_number > number, beyond))
    return [
        HeldRange(row.batch_number, row.first, row.last, order_no, gtin, zh, en, shipment, store)
        for row, order_no, gtin, zh, en, shipment, store in session.execute(query)
    ]


def gaps(session: Session, *, shipment_id: UUID) -> list[tuple[int, int, int]]:
    """What was missing at the receipt: batch, first, last."""
    rows = session.scalars(
        select(ReceiptGap)
        .where(ReceiptGap.shipment_id == shipment_id)
        .order_by(ReceiptGap.batch_number, ReceiptGap.first)
    )
    return [(row.batch_number, row.first, row.last) for row in rows]


@dataclass(frozen=True)
class Holding:
    """What a store or a channel has of a batch now."""

    batch: Batch
    product_name_zh: str
    product_name_en: str
    count: int

    def product_name(self, locale: str) -> str:
        return self.product_name_zh if locale == "zh" else self.product_name_en


def holdings(
    session: Session, *, channel_id: UUID | None = None, store_id: UUID | None = None, limit: int = 100
) -> list[Holding]:
    """What was shipped there and not moved on, batch by batch, the newest batch first."""
    count = func.sum(ShippedRange.last - ShippedRange.first + 1)
    statement = (
        select(Batch, Product.name_zh, Product.name_en, count)
        .join(Batch, Batch.number == ShippedRange.batch_number)
        .join(Product, Product.id == Batch.product_id)
        .group_by(Batch.number, Product.id)
        .order_by(Batch.ordered_at.desc())
        .limit(limit)
    )
    if store_id is not None:
        statement = statement.where(ShippedRange.store_id == store_id)
    elif channel_id is not None:
        statement = statement.where(ShippedRange.channel_id == channel_id)
    return [Holding(batch, zh, en, int(number)) for batch, zh, en, number in session.execute(statement)]


def find_batch(session: Session, *, brand_id: UUID, text: str) -> Batch | None:
    """A brand's batch by its number or its order number."""
    wanted = text.strip()
    by_order = select(Batch).where(Batch.brand_id == brand_id, Batch.order_no == wanted)
    found = session.scalars(by_order).one_or_none()
    if found is None and wanted.isdecimal() and len(wanted) <= 9:
        found = session.get(Batch, int(wanted))
    return found if found is not None and found.brand_id == brand_id else None


def shippable_batches(session: Session, *, brand_id: UUID, limit: int = 100) -> list[tuple[Batch, Product]]:
    """The brand's newest batches that are printed or being printed, for a form to offer."""
    statement = (
        select(Batch, Product)
        .join(Product, Product.id == Batch.product_id)
        .where(Batch.brand_id == brand_id, Batch.state.not_in(NEVER_PRINTED))
        .order_by(Batch.ordered_at.desc())
        .limit(limit)
    )
    return [(batch, product) for batch, product in session.execute(statement)]
