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

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.orm import Session

from scancode.catalog.models import Brand
from scancode.channels.models import ReceiptGap, Shipment, ShipmentLine
from scancode.channels.rules import leave_out
from scancode.codes.keys import Keyring
from scancode.codes.models import Batch, LifeEvent
from scancode.codes.typed import merge
from scancode.epcis import rules
from scancode.epcis.rules import AGGREGATION, OBJECT, Draft, Event, Question
from scancode.epcis.service.things import Things
from scancode.packing.models import PackingEvent
from scancode.packing.rules import Unit
from scancode.packing.service.reading import run_of_event

ROWS_AT_ONCE = 100
PARENTS_MAX = 1 << 25
LOOKED_MAX = 20_000
"""Events that one page may look at before it is handed out, however few of them were asked for."""
LIFE, PACKING, SHIPPING, RECEIVING = range(4)
RECEIPTS_FROM = 3_000_000_000


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
    things = Things(session, keyring, session.get_one(Brand, brand_id))
    found: list[Event] = []
    looked, place = 0, after
    for row, tell in _rows(session, brand_id, question, after):
        at, table, row_id = row
        skip = place.skip if place is not None and row == (place.at, place.table, place.row_id) else 0
        for number, draft in enumerate(islice(tell(things), skip, None), skip):
            if len(found) >= limit or looked >= LOOKED_MAX:
                return Page(found, Place(at, table, row_id, number))
            looked += 1
            if question.fits(draft):
                found.append(_event(things, row, number, draft))
    return Page(found, None)


def _event(things: Things, row: RowPlace, number: int, draft: Draft) -> Event:
    at, table, row_id = row
    names = things.names(draft.batch, draft.level, list(draft.ranges))
    parent = draft.parent
    above = things.names(parent.batch, parent.level, [(parent.serial, parent.serial)])[0] if parent else None
    return rules.make(
        row_id=row_id,
        # A receipt is another event of the same shipment.
        place=number + (RECEIPTS_FROM if table == RECEIVING else 0),
        kind=draft.kind,
        at=at,
        zone_offset=rules.zone_offset(at.astimezone(things.zone)),
        words=draft.words,
        parentID=above,
        **{"childEPCs" if draft.kind == AGGREGATION else "epcList": names},
        **draft.more,
    )


RowPlace = tuple[datetime, int, UUID]
Row = tuple[RowPlace, Callable[[Things], Iterator[Draft]]]


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
    query = query.where(*(or_(false(), *map(_in_life, units)) for units in question.things))
    rows = session.scalars(_bounded(query, LifeEvent.at, LifeEvent.id, question, start)).all()
    return [((row.at, LIFE, row.id), partial(_tell_life, row)) for row in rows]


def _tell_life(row: LifeEvent, things: Things) -> Iterator[Draft]:
    words = rules.life_words(row.state, row.was)
    for ranges in rules.chunks([(row.first, row.last)]):
        yield Draft(OBJECT, words, row.batch_number, things.batch(row.batch_number).level, ranges)


def _packing(session: Session, brand_id: UUID, question: Question, start: Condition) -> list[Row]:
    query = select(PackingEvent).join(Batch, Batch.number == PackingEvent.batch_number)
    query = query.where(PackingEvent.brand_id == brand_id, Batch.is_test.is_(False))
    query = query.where(*(or_(false(), *map(_in_packing, units)) for units in question.things))
    rows = session.scalars(_bounded(query, PackingEvent.at, PackingEvent.id, question, start)).all()
    return [((row.at, PACKING, row.id), partial(_tell_packing, row)) for row in rows]


def _tell_packing(row: PackingEvent, _: Things) -> Iterator[Draft]:
    run = run_of_event(row)
    words = rules.PACKING_WORDS[row.action]
    for parent, inside in run.one_by_one(PARENTS_MAX):
        for ranges in rules.chunks([inside]):
            yield Draft(AGGREGATION, words, run.batch, run.level, ranges, parent)


def _shipping(session: Session, brand_id: UUID, question: Question, start: Condition) -> list[Row]:
    query = select(Shipment).where(Shipment.brand_id == brand_id)
    query = query.where(*(or_(false(), *map(_in_shipment, units)) for units in question.things))
    rows = session.scalars(_bounded(query, Shipment.shipped_at, Shipment.id, question, start)).all()
    return [((row.shipped_at, SHIPPING, row.id), partial(_tell_shipment, session, row, False)) for row in rows]


def _receiving(session: Session, brand_id: UUID, question: Question, start: Condition) -> list[Row]:
    query = select(Shipment).where(Shipment.brand_id == brand_id, Shipment.received_at.is_not(None))
    query = query.where(*(or_(false(), *map(_in_shipment, units)) for units in question.things))
    rows = session.scalars(_bounded(query, Shipment.received_at, Shipment.id, question, start)).all()
    return [
        ((row.received_at, RECEIVING, row.id), partial(_tell_shipment, session, row, True))
        for row in rows
        if row.received_at is not None
    ]


def _tell_shipment(session: Session, row: Shipment, is_receipt: bool, things: Things) -> Iterator[Draft]:
    to = row.store_id or row.channel_id
    words = rules.RECEIVING_WORDS if is_receipt else rules.SHIPPING_WORDS[row.kind]
    more: dict[str, Any] = {
        "bizTransactionList": [{"type": "desadv", "bizTransaction": f"urn:uuid:{row.id}"}],
        "destinationList": [{"type": "location", "destination": f"urn:uuid:{to}"}] if to else None,
    }
    for number, ranges in _lines(session, row.id, is_receipt=is_receipt).items():
        if things.batch(number).is_test:
            continue
        for portion in rules.chunks(ranges):
            yield Draft(OBJECT, words, number, things.batch(number).level, portion, more=more)


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


# Which rows may name a unit, as far as the database can tell; ``Question.fits`` looks at each event.


def _in_life(unit: Unit) -> ColumnElement[bool]:
    return and_(LifeEvent.batch_number == unit.batch, LifeEvent.first <= unit.serial, LifeEvent.last >= unit.serial)


def _in_packing(unit: Unit) -> ColumnElement[bool]:
    as_child = and_(
        PackingEvent.batch_number == unit.batch,
        PackingEvent.level == int(unit.level),
        PackingEvent.first <= unit.serial,
        PackingEvent.last >= unit.serial,
    )
    first_parent = Unit(unit.batch, unit.level, 0).id
    as_parent = and_(PackingEvent.parent_id.between(first_parent, unit.id), PackingEvent.parent_last >= unit.serial)
    return or_(as_child, as_parent)


def _in_shipment(unit: Unit) -> ColumnElement[bool]:
    return exists().where(
        ShipmentLine.shipment_id == Shipment.id,
        ShipmentLine.batch_number == unit.batch,
        ShipmentLine.first <= unit.serial,
        ShipmentLine.last >= unit.serial,
    )


_TABLES = (_life, _packing, _shipping, _receiving)
