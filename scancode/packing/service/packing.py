"""Packing by hand: into a case or onto a pallet, out of it, from one to another; opening and closing.

Two people who pack the same things at once take turns: the batches concerned are locked first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from scancode.codes import service as codes
from scancode.codes.models import Batch, Life
from scancode.codes.orders import kinds_of
from scancode.db import affected, insert_once
from scancode.packing.models import Container, PackedCode
from scancode.packing.rules import (
    CAPACITY_MAX,
    CHILDREN_MAX,
    Action,
    AlreadyInside,
    AlreadyPacked,
    BadCapacity,
    ContainerClosed,
    ContainerFull,
    DeadUnit,
    Level,
    NotAContainer,
    NotPacked,
    OtherProduct,
    Run,
    Selection,
    TooManyUnits,
    Unit,
    UnitOutside,
    WrongCount,
    check_levels,
    has_own_life,
)
from scancode.packing.rules import (
    select as selected,
)
from scancode.packing.service import holding
from scancode.packing.service.reading import direct_count, first_product, look_into
from scancode.staff import service as staff


@dataclass(frozen=True)
class Filled:
    """A case or a pallet and how full it is."""

    unit: Unit
    count: int
    capacity: int | None
    is_closed: bool


def open_container(
    session: Session,
    *,
    parent: Unit,
    capacity: int | None,
    brand_id: UUID | None,
    actor: str,
    staff_id: UUID | None = None,
    now: datetime,
) -> Filled:
    """Begins (or goes on) packing into a case or onto a pallet; a closed one is opened again. ``capacity`` None keeps
    what was said before.

    Raises NotAContainer, UnitOutside, DeadUnit, BadCapacity, WrongCount (more is in it already).
    """
    if parent.level is Level.ITEM:
        raise NotAContainer
    if capacity is not None and not 1 <= capacity <= CAPACITY_MAX:
        raise BadCapacity(limit=CAPACITY_MAX)
    batch = holding.lock(session, numbers=[parent.batch], brand_id=brand_id)[parent.batch]
    _check_alive(session, batch, parent)
    count = direct_count(session, parent=parent)
    if capacity is not None and count > capacity:
        raise WrongCount(count=count, capacity=capacity)
    made = insert_once(
        session,
        Container,
        code_id=parent.id,
        capacity=capacity,
        is_closed=False,
        opened_at=now,
        closed_at=None,
        staff_id=staff_id,
    )
    if not made:
        values = {"is_closed": False, "closed_at": None} | ({"capacity": capacity} if capacity is not None else {})
        affected(session, update(Container).where(Container.code_id == parent.id).values(values))
    _audit(session, batch.brand_id, "packing.open", parent, {"capacity": capacity, "count": count}, actor, now)
    return find_container(session, unit=parent)


def find_container(session: Session, *, unit: Unit) -> Filled:
    """How full it is. One that nobody packs by hand has no capacity and counts as closed once something is in it."""
    row = session.scalars(select(Container).where(Container.code_id == unit.id)).one_or_none()
    count = direct_count(session, parent=unit)
    if row is None:
        return Filled(unit, count, None, count > 0)
    session.refresh(row)
    return Filled(unit, count, row.capacity, row.is_closed)


def pack(
    session: Session,
    *,
    parent: Unit,
    children: Sequence[Unit],
    brand_id: UUID | None,
    move: bool = False,
    actor: str,
    staff_id: UUID | None = None,
    now: datetime,
) -> Filled:
    """Puts units into a case or onto a pallet; ``move`` takes them out of where they are.

    Raises NotAContainer, WrongKind, TooManyUnits, UnitOutside, DeadUnit, AlreadyInside, AlreadyPacked,
    ContainerClosed, ContainerFull, OtherProduct.
    """
    if not 1 <= len(children) <= CHILDREN_MAX:
        raise TooManyUnits(limit=CHILDREN_MAX)
    check_levels(parent, children)
    wanted = selected(children)
    if len(set(children)) != len(children):
        raise AlreadyInside
    locked = holding.lock(session, numbers=[parent.batch, *(child.batch for child in children)], brand_id=brand_id)
    for unit in (parent, *children):
        _check_alive(session, locked[unit.batch], unit)
    filled = find_container(session, unit=parent)
    if filled.is_closed:
        raise ContainerClosed
    _check_places(session, wanted, parent, move)
    if filled.capacity is not None and filled.count + len(children) > filled.capacity:
        raise ContainerFull(capacity=filled.capacity, count=filled.count)
    _check_product(session, parent, children, locked)
    owner = locked[parent.batch].brand_id
    if move:
        _take(session, wanted, owner, staff_id, now - timedelta(microseconds=1))  # before it went in
    rows = [{"code_id": child.id, "parent_id": parent.id, "packed_at": now, "staff_id": staff_id} for child in children]
    session.execute(insert(PackedCode), rows)
    runs = holding.joined([_step(child, parent) for child in children])
    holding.record(session, brand_id=owner, action=Action.PACK, runs=runs, staff_id=staff_id, now=now)
    facts = {"count": len(children), "moved": move, **_named(children)}
    _audit(session, owner, "packing.pack", parent, facts, actor, now)
    return Filled(parent, filled.count + len(children), filled.capacity, False)


def unpack(
    session: Session,
    *,
    children: Sequence[Unit],
    brand_id: UUID | None,
    actor: str,
    staff_id: UUID | None = None,
    now: datetime,
) -> list[Run]:
    """Takes units out of whatever holds them; what was closed is open again. Returns how they were packed.

    Raises TooManyUnits, UnitOutside, NotPacked (of any).
    """
    if not 1 <= len(children) <= CHILDREN_MAX:
        raise TooManyUnits(limit=CHILDREN_MAX)
    locked = holding.lock(session, numbers=[child.batch for child in children], brand_id=brand_id)
    wanted = selected(children)
    before = holding.parents_of(session, selection=wanted)
    if sum(run.count for run in before) != len(set(children)):
        raise NotPacked
    owner = locked[children[0].batch].brand_id
    _take(session, wanted, owner, staff_id, now)
    _audit(session, owner, "packing.unpack", children[0], {"count": len(set(children)), **_named(children)}, actor, now)
    return before


def empty(
    session: Session,
    *,
    parent: Unit,
    brand_id: UUID | None,
    actor: str,
    staff_id: UUID | None = None,
    now: datetime,
) -> int:
    """Takes everything out of a case or off a pallet (cases stay packed); returns how many. Raises as ``unpack``."""
    if parent.level is Level.ITEM:
        raise NotAContainer
    inside = look_into(session, parent=parent)
    if not inside:
        raise NotPacked
    numbers = [parent.batch, *(batch for batch, _ in inside)]
    owner = holding.lock(session, numbers=numbers, brand_id=brand_id)[parent.batch].brand_id
    runs = _take(session, look_into(session, parent=parent), owner, staff_id, now)
    count = sum(run.count for run in runs)
    _audit(session, owner, "packing.empty", parent, {"count": count}, actor, now)
    return count


def close(
    session: Session,
    *,
    parent: Unit,
    brand_id: UUID | None,
    may_differ: bool = False,
    actor: str,
    staff_id: UUID | None = None,
    now: datetime,
) -> Filled:
    """Ends packing. Raises WrongCount unless it holds as many as belong into it, or it ``may_differ``; NotPacked when
    nothing is in it, UnitOutside."""
    batch = holding.lock(session, numbers=[parent.batch], brand_id=brand_id)[parent.batch]
    filled = find_container(session, unit=parent)
    if filled.count == 0:
        raise NotPacked
    if filled.capacity is not None and filled.count != filled.capacity and not may_differ:
        raise WrongCount(count=filled.count, capacity=filled.capacity)
    affected(session, update(Container).where(Container.code_id == parent.id).values(is_closed=True, closed_at=now))
    _audit(session, batch.brand_id, "packing.close", parent, {"count": filled.count}, actor, now)
    return Filled(parent, filled.count, filled.capacity, True)


def _take(session: Session, wanted: Selection, owner: UUID, staff_id: UUID | None, now: datetime) -> list[Run]:
    taken = holding.take_out(session, selection=wanted)
    holders = [
        Unit(run.parent_batch, run.parent_level, serial).id
        for run in taken
        for serial in range(run.parent_first, run.parent_last + 1)
    ]
    for start in range(0, len(holders), CHILDREN_MAX):
        some = Container.code_id.in_(holders[start : start + CHILDREN_MAX])
        affected(session, update(Container).where(some).values(is_closed=False, closed_at=None))
    holding.record(
        session, brand_id=owner, action=Action.UNPACK, runs=holding.joined(taken), staff_id=staff_id, now=now
    )
    return taken


def _step(child: Unit, parent: Unit) -> Run:
    return Run(child.batch, child.level, child.serial, child.serial, parent.batch, parent.level, parent.serial, 1)


def _check_alive(session: Session, batch: Batch, unit: Unit) -> None:
    if unit.serial >= batch.count:
        raise UnitOutside
    if not has_own_life(unit.level, kinds_of(batch.kinds)):
        return
    state = codes.life_of(session, batch_number=unit.batch, serial=unit.serial).state
    if state in (Life.VOID, Life.RECALLED):
        raise DeadUnit


def _check_places(session: Session, wanted: Selection, parent: Unit, move: bool) -> None:
    for run in holding.parents_of(session, selection=wanted):
        held_by = run.parent_of(run.first)
        if held_by == parent:
            raise AlreadyInside
        if not move:
            raise AlreadyPacked(level=held_by.level.label, batch=held_by.batch, serial=held_by.serial)


def _check_product(session: Session, parent: Unit, children: Sequence[Unit], locked: dict[int, Batch]) -> None:
    """A case holds one product; a pallet may hold several."""
    if parent.level is not Level.CASE:
        return
    products = {locked[child.batch].product_id for child in children}
    inside = first_product(session, parent=parent)
    if len(products | ({inside} if inside else set())) > 1:
        raise OtherProduct


def _named(children: Sequence[Unit]) -> dict[str, object]:
    return {"children": [f"{child.batch}:{child.serial}" for child in children[:20]]}


def _audit(
    session: Session, brand_id: UUID, action: str, unit: Unit, facts: dict[str, object], actor: str, now: datetime
) -> None:
    subject = f"{unit.level.label}:{unit.batch}:{unit.serial}"
    staff.audit(session, actor=actor, brand_id=brand_id, action=action, subject=subject, facts=facts, now=now)
