"""Reads what happened to a brand's codes, in the order of time, as EPCIS events: life, packing, shipments, receipts.

Four tables are read side by side, each from the same place on; a row may be many events, so a place is a time, a table,
a row and a number within the row. Test batches are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from batches.codes import Kind, Verifier
from scancode.catalog.models import Brand, Product
from scancode.channels.models import ReceiptGap, Shipment, ShipmentLine
from scancode.channels.rules import leave_out
from scancode.codes.keys import Keyring
from scancode.codes.models import Batch, LifeEvent
from scancode.codes.orders import kinds_of
from scancode.codes.typed import merge
from scancode.epcis import rules
from scancode.epcis.rules import AGGREGATION, OBJECT, Event, Question
from scancode.packing.models import PackingEvent
from scancode.packing.rules import Level
from scancode.packing.service.reading import run_of_event

ROWS_AT_ONCE = 100
PARENTS_MAX = 1 << 25
MADE_MAX = 2000
"""Events that one page may make before it is handed out, however few of them were asked for."""


@dataclass(frozen=True)
class Place:
    """Where a page ended: the next event is number ``skip`` of this row, or the first of the next one."""

    at: datetime
    table: int
    row_id: UUID
    skip: int


@dataclass(frozen=True)
class Page:
    events: list[Event]
    next: Place | None


class Writer:
    """Writes codes as the world knows them: GS1 Digital Link URIs of what is printed outside."""

    def __init__(self, session: Session, keyring: Keyring, brand: Brand) -> None:
        self._session = session
        self._keyring = keyring
        self.zone = ZoneInfo(brand.timezone)
        self._known: dict[int, tuple[Verifier, str, tuple[Kind, ...], bool]] = {}

    def batch(self, number: int) -> tuple[Verifier, str, tuple[Kind, ...], bool]:
        """Its key, GTIN, kinds, and whether it is a test."""
        if number not in self._known:
            query = select(Batch, Product.gtin).join(Product, Product.id == Batch.product_id)
            row, gtin = self._session.execute(query.where(Batch.number == number)).one()
            verifier = Verifier(self._keyring.derive(row.kid, row.salt))
            self._known[number] = (verifier, gtin, kinds_of(row.kinds), row.is_test)
        return self._known[number]

    def level(self, number: int) -> Level:
        """What a serial of the batch is, as life and shipments know it."""
        return min(Level.of(kind) for kind in self.batch(number)[2])

    def epcs(self, number: int, level: Level, ranges: list[rules.Range]) -> list[str]:
        verifier, gtin, kinds, _ = self.batch(number)
        kind = Kind(int(level))
        if level is Level.ITEM and Kind.OUTER in kinds:
            kind = Kind.OUTER  # what a partner can scan; the inner code is the prize
        return [
            f"https://id.gs1.org/01/{gtin}/21/{verifier.mint(number, kind, serial)}"
            for first, last in ranges
            for serial in range(first, last + 1)
        ]

    def offset(self, at: datetime) -> str:
        return rules.zone_offset(at.astimezone(self.zone))


def page(
    session: Session,
    *,
    brand_id: UUID,
    keyring: Keyring,
    question: Question,
    after: Place | None = None,
    limit: int,
) -> Page:
    """The next events that fit, oldest first, and where to go on (None at the end)."""
    brand = session.get_one(Brand, brand_id)
    writer = Writer(session, keyring, brand)
    found: list[Event] = []
    made, place = 0, after
    for row_place, expand in _rows(session, brand_id, question, after):
        skip = place.skip if place is not None and row_place[:3] == (place.at, place.table, place.row_id) else 0
        for number, event in enumerate(islice(expand(writer), skip, None), skip):
            here = Place(*row_place, number)
            if len(found) >= limit or made >= MADE_MAX:
                return Page(found, here)
            made += 1
            if question.fits(event):
                found.append(event)
    return Page(found, None)


Row = tuple[tuple[datetime, int, UUID], Callable[[Writer], Iterator[Event]]]


def _rows(session: Session, brand_id: UUID, question: Question, after: Place | None) -> Iterator[Row]:
    """All rows from ``after`` on, in order, read in portions."""
    at = after
    inclusive = True
    while True:
        portion: list[Row] = []
        full = False
        for table, read in enumerate(_TABLES):
            rows = read(session, brand_id, question, _from(at, table, inclusive))
            full = full or len(rows) >= ROWS_AT_ONCE
            portion += rows
        portion.sort(key=lambda row: (row[0][0], row[0][1], row[0][2].hex))
        # Beyond what the shortest full table reached, others may still have rows: hand out one portion's worth only.
        handed = portion[:ROWS_AT_ONCE] if full else portion
        yield from handed
        if not full or not handed:
            return
        at, inclusive = Place(*handed[-1][0], 0), False


Condition = Callable[[Any, Any], ColumnElement[bool] | None]


def _from(at: Place | None, table: int, inclusive: bool) -> Condition:
    """The condition on a table's time and id for rows from this place on."""

    def condition(when: Any, row_id: Any) -> ColumnElement[bool] | None:
        if at is None:
            return None
        later: ColumnElement[bool] = when > at.at
        if table < at.table:
            return later
        if table > at.table:
            return or_(later, when == at.at)
        same = row_id >= at.row_id if inclusive else row_id > at.row_id
        return or_(later, and_(when == at.at, same))

    return condition


def _bounded(query: Any, when: Any, row_id: Any, question: Question, start: Condition) -> Any:
    beginning = start(when, row_id)
    for condition in (
        beginning,
        when >= question.since if question.since else None,
        when < question.until if question.until else None,
    ):
        if condition is not None:
            query = query.where(condition)
    return query.order_by(when, row_id).limit(ROWS_AT_ONCE)


def _life(session: Session, brand_id: UUID, question: Question, start: Condition) -> list[Row]:
    query = select(LifeEvent).join(Batch, Batch.number == LifeEvent.batch_number)
    query = query.where(Batch.brand_id == brand_id, Batch.is_test.is_(False))
    rows = session.scalars(_bounded(query, LifeEvent.at, LifeEvent.id, question, start)).all()
    return [((row.at, 0, row.id), partial(_tell_life, row)) for row in rows]


def _tell_life(row: LifeEvent, writer: Writer) -> Iterator[Event]:
    level = writer.level(row.batch_number)
    for place, ranges in enumerate(rules.chunks([(row.first, row.last)])):
        yield rules.make(
            row_id=row.id,
            place=place,
            kind=OBJECT,
            at=row.at,
            zone_offset=writer.offset(row.at),
            words=rules.life_words(row.state, row.was),
            epcList=writer.epcs(row.batch_number, level, ranges),
        )


def _packing(session: Session, brand_id: UUID, question: Question, start: Condition) -> list[Row]:
    query = select(PackingEvent).join(Batch, Batch.number == PackingEvent.batch_number)
    query = query.where(PackingEvent.brand_id == brand_id, Batch.is_test.is_(False))
    rows = session.scalars(_bounded(query, PackingEvent.at, PackingEvent.id, question, start)).all()
    return [((row.at, 1, row.id), partial(_tell_packing, row)) for row in rows]


def _tell_packing(row: PackingEvent, writer: Writer) -> Iterator[Event]:
    run = run_of_event(row)
    place = 0
    for parent, inside in run.one_by_one(PARENTS_MAX):
        above = writer.epcs(parent.batch, parent.level, [(parent.serial, parent.serial)])[0]
        for ranges in rules.chunks([inside]):
            yield rules.make(
                row_id=row.id,
                place=place,
                kind=AGGREGATION,
                at=row.at,
                zone_offset=writer.offset(row.at),
                words=rules.PACKING_WORDS[row.action],
                parentID=above,
                childEPCs=writer.epcs(run.batch, run.level, ranges),
            )
            place += 1


def _shipping(session: Session, brand_id: UUID, question: Question, start: Condition) -> list[Row]:
    query = select(Shipment).where(Shipment.brand_id == brand_id)
    rows = session.scalars(_bounded(query, Shipment.shipped_at, Shipment.id, question, start)).all()
    return [
        (
            (row.shipped_at, 2, row.id),
            partial(_tell_shipment, session, row, row.shipped_at, False),
        )
        for row in rows
    ]


def _receiving(session: Session, brand_id: UUID, question: Question, start: Condition) -> list[Row]:
    query = select(Shipment).where(Shipment.brand_id == brand_id, Shipment.received_at.is_not(None))
    rows = session.scalars(_bounded(query, Shipment.received_at, Shipment.id, question, start)).all()
    return [
        (
            (row.received_at, 3, row.id),
            partial(_tell_shipment, session, row, row.received_at, True),
        )
        for row in rows
        if row.received_at is not None
    ]


def _tell_shipment(session: Session, row: Shipment, at: datetime, is_receipt: bool, writer: Writer) -> Iterator[Event]:
    place = 3_000_000_000 if is_receipt else 0  # a receipt is another event of the same row
    to = row.store_id or row.channel_id
    for number, ranges in _lines(session, row.id, is_receipt=is_receipt).items():
        if writer.batch(number)[3]:
            continue
        for portion in rules.chunks(ranges):
            yield rules.make(
                row_id=row.id,
                place=place,
                kind=OBJECT,
                at=at,
                zone_offset=writer.offset(at),
                words=rules.RECEIVING_WORDS if is_receipt else rules.SHIPPING_WORDS[row.kind],
                epcList=writer.epcs(number, writer.level(number), portion),
                bizTransactionList=[{"type": "desadv", "bizTransaction": f"urn:uuid:{row.id}"}],
                destinationList=[{"type": "location", "destination": f"urn:uuid:{to}"}] if to else None,
            )
            place += 1


def _lines(session: Session, shipment_id: UUID, *, is_receipt: bool) -> dict[int, list[rules.Range]]:
    found: dict[int, list[rules.Range]] = {}
    for row in session.scalars(
        select(ShipmentLine)
        .where(ShipmentLine.shipment_id == shipment_id)
        .order_by(ShipmentLine.batch_number, ShipmentLine.first)
    ):
        found.setdefault(row.batch_number, []).append((row.first, row.last))
    lacking: dict[int, list[rules.Range]] = {}
    if is_receipt:
        for gap in session.scalars(select(ReceiptGap).where(ReceiptGap.shipment_id == shipment_id)):
            lacking.setdefault(gap.batch_number, []).append((gap.first, gap.last))
    return {number: leave_out(merge(ranges), sorted(lacking.get(number, []))) for number, ranges in found.items()}


_TABLES = (_life, _packing, _shipping, _receiving)
