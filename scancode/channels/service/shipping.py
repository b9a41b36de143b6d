"""Shipments: serials of a batch go to a channel or a store. Each serial is in at most one place at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from scancode.catalog import revision
from scancode.channels import rules
from scancode.channels.models import Shipment, ShipmentLine, ShippedRange
from scancode.channels.rules import Place
from scancode.channels.service.places import PlaceOff
from scancode.channels.service.reading import get_channel, get_store, load_shipped
from scancode.codes.models import Batch, BatchState, Life, LifeRange
from scancode.codes.ranges import Span
from scancode.codes.typed import LINES_MAX, check_ranges
from scancode.db import insert_once, new_id
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


def ship(
    session: Session,
    *,
    brand_id: UUID,
    number: str,
    channel_id: UUID,
    store_id: UUID | None,
    batch_number: int,
    ranges: Sequence[tuple[int, int]] | None = None,
    note: str = "",
    move: bool = False,
    leave_out_dead: bool = False,
    staff_id: UUID | None = None,
    actor: str,
    now: datetime,
) -> Shipment:
    """Ships ``ranges`` (both ends included; None is the whole batch) to a channel or to one of its stores.

    ``move`` takes serials out of the shipment that has them; ``leave_out_dead`` ships what is left without void and
    recalled ones. Raises NoSuchBatch, BatchNotShippable, NotFound, PlaceOff, DeadCodes, AlreadyShipped,
    ShipmentNumberTaken, NothingToShip, Invalid, and what ``check_ranges`` of codes raises.
    """
    number = _numbered(number)
    batch = _locked_batch(session, batch_number, brand_id)
    _check_place(session, brand_id, channel_id, store_id)
    asked = check_ranges(ranges or [(0, batch.count - 1)], count=batch.count, limit=LINES_MAX)
    wanted = _alive(session, batch_number, asked, leave_out_dead)
    old = load_shipped(session, batch_number=batch_number).spans
    lines = rules.lines_of(old, wanted)
    moved = [line for line in lines if line.moved_from is not None]
    if moved and not move:
        raise _already_shipped(session, moved)
    shipment_id = new_id(now)
    made = insert_once(
        session,
        Shipment,
        id=shipment_id,
        brand_id=brand_id,
        number=number,
        channel_id=channel_id,
        store_id=store_id,
        note=note.strip(),
        shipped_at=now,
        staff_id=staff_id,
    )
    if not made:
        raise ShipmentNumberTaken(number=number)
    _write_lines(session, shipment_id, batch_number, lines)
    _write_ranges(session, batch_number, old, rules.lay(old, wanted, Place(channel_id, store_id, shipment_id)))
    revision.bump(session)
    shipment = session.get_one(Shipment, shipment_id)
    _audit(session, shipment, batch_number, lines, actor, now)
    return shipment


def _numbered(number: str) -> str:
    clean = number.strip()
    if not 1 <= len(clean) <= 60:
        raise Invalid(field="number", problem=N_("It needs 1 to 60 characters."))
    return clean


def _already_shipped(session: Session, moved: Sequence[rules.Line]) -> AlreadyShipped:
    first = moved[0]
    holder = session.scalar(select(Shipment.number).where(Shipment.id == first.moved_from))
    return AlreadyShipped(first=first.first, last=first.last, shipment=holder, count=_count(moved))


def _audit(
    session: Session,
    shipment: Shipment,
    batch_number: int,
    lines: Sequence[rules.Line],
    actor: str,
    now: datetime,
) -> None:
    moved = [line for line in lines if line.moved_from is not None]
    staff.audit(
        session,
        actor=actor,
        brand_id=shipment.brand_id,
        action="shipment.ship",
        subject=f"shipment:{shipment.id}",
        facts={
            "number": shipment.number,
            "batch": batch_number,
            "channel": str(shipment.channel_id),
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


def _check_place(session: Session, brand_id: UUID, channel_id: UUID, store_id: UUID | None) -> None:
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
    left = rules.leave_out(wanted, dead)
    if not left:
        raise NothingToShip
    return left


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
