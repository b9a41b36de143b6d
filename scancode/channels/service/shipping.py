"""Shipments: serials of a batch go to a channel or a store. Each serial is in at most one place at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from scancode.catalog import revision
from scancode.channels import rules
from scancode.channels.models import ReceiptGap, Shipment, ShipmentLine, ShippedRange
from scancode.channels.rules import Place, ShipmentKind
from scancode.channels.service.places import PlaceOff
from scancode.channels.service.reading import get_channel, get_store, load_shipped
from scancode.codes.models import Batch, BatchState, Life, LifeRange
from scancode.codes.ranges import Span
from scancode.codes.typed import LINES_MAX, check_ranges
from scancode.db import affected, insert_once, new_id
from scancode.errors import Invalid, NotFound, Refusal
from scancode.i18n import N_
from scancode.staff import service as staff


class NoSuchBatch(Refusal):
    code = "no_such_batch"
    text = N_("There is no batch {batch} of this brand. Check the number.")
    status = 404


class BatchNotShippable(Refusal):
    code = "batch_not_shippable"
    text = N_("Batch {batch} was cancelled or failed: nothing of it can be shipped.")


class DeadCodes(Refusal):
    """Facts: the first dead range of what was asked for, its state, how many serials are dead in all."""

    code = "dead_codes"
    text = N_("Serials {first}–{last} are void or recalled ({count} in all) and cannot be shipped.")


class AlreadyShipped(Refusal):
    """Facts: ``shipment`` is the number of the shipment that has them now."""

    code = "already_shipped"
    text = N_("Serials {first}–{last} already went out with shipment {shipment} ({count} in all were shipped before).")


class ShipmentNumberTaken(Refusal):
    code = "shipment_number_taken"
    text = N_("There is already a shipment {number}. Each shipment needs a number of its own.")


class NothingToShip(Refusal):
    code = "nothing_to_ship"
    text = N_("Nothing is left to ship: every code of this range is void or recalled.")
    status = 422


class NotShipped(Refusal):
    """Facts: the first range that is nowhere, how many serials are in all."""

    code = "not_shipped"
    text = N_("Serials {first}–{last} of batch {batch} are not there to move or to come back ({count} in all).")


class AlreadyReceived(Refusal):
    code = "already_received"
    text = N_("This shipment was received before.")


Selection = Mapping[int, Sequence[tuple[int, int]]]
"""Ranges of serials by batch."""


def ship(
    session: Session,
    *,
    brand_id: UUID,
    number: str,
    channel_id: UUID | None,
    store_id: UUID | None,
    batch_number: int | None = None,
    ranges: Sequence[tuple[int, int]] | None = None,
    selection: Selection | None = None,
    kind: ShipmentKind = ShipmentKind.OUT,
    note: str = "",
    move: bool = False,
    leave_out_dead: bool = False,
    staff_id: UUID | None = None,
    actor: str,
    now: datetime,
) -> Shipment:
    """Sends ``ranges`` of a batch (both ends included; None is the whole batch), or a ``selection`` of several, to a
    channel or to one of its stores; a return goes nowhere (``channel_id`` None).

    ``move`` takes serials out of the shipment that has them, as a transfer and a return always do; ``leave_out_dead``
    ships what is left without void and recalled ones. Raises NoSuchBatch, BatchNotShippable, NotFound, PlaceOff,
    DeadCodes, AlreadyShipped, NotShipped, ShipmentNumberTaken, NothingToShip, Invalid, and what ``check_ranges`` of
    codes raises.
    """
    number = _numbered(number)
    if selection is None:
        selection = {} if batch_number is None else {batch_number: ranges or ()}
    if not selection:
        raise NothingToShip
    batches = [_locked_batch(session, each, brand_id) for each in sorted(selection)]
    if kind is not ShipmentKind.RETURN:
        check_place(session, brand_id=brand_id, channel_id=channel_id, store_id=store_id)
    parcels = _parcels(session, batches, selection, kind, move, leave_out_dead)
    shipment_id = new_id(now)
    made = insert_once(
        session,
        Shipment,
        id=shipment_id,
        brand_id=brand_id,
        number=number,
        kind=kind.value,
        channel_id=channel_id,
        store_id=store_id,
        note=note.strip(),
        shipped_at=now,
        staff_id=staff_id,
        receipt_note="",
    )
    if not made:
        raise ShipmentNumberTaken(number=number)
    place = Place(channel_id, store_id, shipment_id) if channel_id is not None else None
    for parcel in parcels:
        _write_lines(session, shipment_id, parcel.batch, parcel.lines)
        _write_ranges(session, parcel.batch, parcel.old, rules.lay(parcel.old, parcel.wanted, place))
    revision.bump(session)
    shipment = session.get_one(Shipment, shipment_id)
    _audit(session, shipment, parcels, actor, now)
    return shipment


@dataclass(frozen=True)
class _Parcel:
    """What goes of one batch, and where everything of it was before."""

    batch: int
    wanted: Sequence[tuple[int, int]]
    old: Sequence[Span[Place]]
    lines: list[rules.Line]


def _parcels(
    session: Session,
    batches: Sequence[Batch],
    selection: Selection,
    kind: ShipmentKind,
    move: bool,
    leave_out_dead: bool,
) -> list[_Parcel]:
    """Raises NothingToShip where nothing is left of any. Of several batches what is dead stays behind unasked."""
    leave_out_dead = leave_out_dead or len(batches) > 1
    found = [_parcel(session, batch, selection[batch.number], kind, move, leave_out_dead) for batch in batches]
    if not any(parcel.lines for parcel in found):
        raise NothingToShip
    return found


def _parcel(
    session: Session,
    batch: Batch,
    ranges: Sequence[tuple[int, int]],
    kind: ShipmentKind,
    move: bool,
    leave_out_dead: bool,
) -> _Parcel:
    asked = check_ranges(ranges or [(0, batch.count - 1)], count=batch.count, limit=LINES_MAX)
    # What comes back may be dead: that is often why it does.
    wanted = asked if kind is ShipmentKind.RETURN else _alive(session, batch.number, asked, leave_out_dead)
    old = load_shipped(session, batch_number=batch.number).spans
    lines = rules.lines_of(old, wanted)
    moved = [line for line in lines if line.moved_from is not None]
    if kind is ShipmentKind.OUT:
        if moved and not move:
            raise _already_shipped(session, moved)
    else:
        fresh = [line for line in lines if line.moved_from is None]
        if fresh:
            first = fresh[0]
            raise NotShipped(first=first.first, last=first.last, batch=batch.number, count=_count(fresh))
    return _Parcel(batch.number, wanted, old, lines)


def receive(
    session: Session,
    *,
    shipment_id: UUID,
    missing: Selection | None = None,
    note: str = "",
    staff_id: UUID | None = None,
    actor: str,
    now: datetime,
) -> Shipment:
    """The place has what was sent; what is ``missing`` is held by nobody from now on.

    Raises NotFound, AlreadyReceived, NotShipped (missing is what the shipment does not hold), NoSuchBatch.
    """
    shipment = session.get(Shipment, shipment_id, populate_existing=True)
    if shipment is None:
        raise NotFound
    won = update(Shipment).where(Shipment.id == shipment_id, Shipment.received_at.is_(None))
    values = {"received_at": now, "received_by": staff_id, "receipt_note": note.strip()[:200]}
    if affected(session, won.values(values)) != 1:
        raise AlreadyReceived
    count = 0
    for number, ranges in sorted((missing or {}).items()):
        batch = _locked_batch(session, number, shipment.brand_id)
        wanted = check_ranges(ranges, count=batch.count, limit=LINES_MAX)
        old = load_shipped(session, batch_number=number).spans
        lines = rules.lines_of(old, wanted)
        strange = [line for line in lines if line.moved_from != shipment_id]
        if strange:
            first = strange[0]
            raise NotShipped(first=first.first, last=first.last, batch=number, count=_count(strange))
        _write_ranges(session, number, old, rules.lay(old, wanted, None))
        session.add_all(
            ReceiptGap(shipment_id=shipment_id, batch_number=number, first=first, last=last) for first, last in wanted
        )
        count += _count(lines)
    session.flush()
    revision.bump(session)
    staff.audit(
        session,
        actor=actor,
        brand_id=shipment.brand_id,
        action="shipment.receive",
        subject=f"shipment:{shipment_id}",
        facts={"number": shipment.number, "missing": count},
        now=now,
    )
    return session.get_one(Shipment, shipment_id, populate_existing=True)


def _numbered(number: str) -> str:
    clean = number.strip()
    if not 1 <= len(clean) <= 60:
        raise Invalid(field="number", problem=N_("It needs 1 to 60 characters."))
    return clean


def _already_shipped(session: Session, moved: Sequence[rules.Line]) -> AlreadyShipped:
    first = moved[0]
    holder = session.scalar(select(Shipment.number).where(Shipment.id == first.moved_from))
    return AlreadyShipped(first=first.first, last=first.last, shipment=holder, count=_count(moved))


def _audit(session: Session, shipment: Shipment, parcels: Sequence[_Parcel], actor: str, now: datetime) -> None:
    lines = [line for parcel in parcels for line in parcel.lines]
    moved = [line for line in lines if line.moved_from is not None]
    staff.audit(
        session,
        actor=actor,
        brand_id=shipment.brand_id,
        action={"out": "shipment.ship", "transfer": "shipment.transfer", "return": "shipment.return"}[shipment.kind],
        subject=f"shipment:{shipment.id}",
        facts={
            "number": shipment.number,
            "batch": [parcel.batch for parcel in parcels][:20] if len(parcels) > 1 else parcels[0].batch,
            "channel": str(shipment.channel_id) if shipment.channel_id else None,
            "store": str(shipment.store_id) if shipment.store_id else None,
            "count": _count(lines),
            "moved": _count(moved),
            "moved_from": sorted({str(line.moved_from) for line in moved})[:20],
        },
        now=now,
    )


def _count(lines: Sequence[rules.Line]) -> int:
    return sum(line.last - line.first + 1 for line in lines)


def _locked_batch(session: Session, batch_number: int, brand_id: UUID) -> Batch:
    """The batch, locked: two shipments of it, or a shipment and a void, take turns."""
    statement = select(Batch).where(Batch.number == batch_number, Batch.brand_id == brand_id).with_for_update()
    batch = session.scalars(statement).one_or_none()
    if batch is None:
        raise NoSuchBatch(batch=batch_number)
    if batch.state in (BatchState.CANCELLED, BatchState.FAILED, BatchState.WAITING, BatchState.REJECTED):
        raise BatchNotShippable(batch=batch_number)
    return batch


def check_place(session: Session, *, brand_id: UUID, channel_id: UUID | None, store_id: UUID | None) -> None:
    """Whether something may be sent there. Raises NotFound, PlaceOff, Invalid (a store of another channel)."""
    if channel_id is None:
        raise NotFound
    channel = get_channel(session, channel_id=channel_id)
    if channel.brand_id != brand_id:
        raise NotFound
    if not channel.is_active:
        raise PlaceOff(name=channel.name)
    if store_id is None:
        return
    store, owner = get_store(session, store_id=store_id)
    if owner.id != channel_id:
        raise Invalid(field="store", problem=N_("This store belongs to another channel."))
    if not store.is_active:
        raise PlaceOff(name=store.name)


def _alive(
    session: Session, batch_number: int, wanted: Sequence[tuple[int, int]], leave_out_dead: bool
) -> Sequence[tuple[int, int]]:
    rows = session.scalars(
        select(LifeRange)
        .where(
            LifeRange.batch_number == batch_number,
            LifeRange.state.in_([Life.VOID.value, Life.RECALLED.value]),
            LifeRange.last >= wanted[0][0],
            LifeRange.first <= wanted[-1][1],
        )
        .order_by(LifeRange.first)
    )
    spans = [Span(row.first, row.last, None) for row in rows]
    dead = [
        (part.first, part.last)
        for first, last in wanted
        for span in spans
        if (part := span.cut(first, last)) is not None
    ]
    if not dead:
        return wanted
    if not leave_out_dead:
        first, last = dead[0]
        raise DeadCodes(first=first, last=last, count=sum(high - low + 1 for low, high in dead))
    return rules.leave_out(wanted, dead)


def _write_lines(session: Session, shipment_id: UUID, batch_number: int, lines: Sequence[rules.Line]) -> None:
    session.add_all(
        ShipmentLine(
            shipment_id=shipment_id,
            batch_number=batch_number,
            first=line.first,
            last=line.last,
            moved_from=line.moved_from,
        )
        for line in lines
    )
    session.flush()


def _write_ranges(session: Session, batch_number: int, old: Sequence[Span[Place]], new: Sequence[Span[Place]]) -> None:
    """Writes the difference alone: a batch may lie in thousands of ranges, a shipment touches a few of them."""
    gone, made = set(old) - set(new), set(new) - set(old)
    for span in gone:
        session.execute(
            delete(ShippedRange).where(ShippedRange.batch_number == batch_number, ShippedRange.first == span.first),
            execution_options={"synchronize_session": False},
        )
    session.add_all(
        ShippedRange(
            batch_number=batch_number,
            first=span.first,
            last=span.last,
            shipment_id=span.value.shipment_id,
            channel_id=span.value.channel_id,
            store_id=span.value.store_id,
        )
        for span in made
    )
    session.flush()
