"""What is asked about packing: what a case or a pallet holds, all the way down; what holds a unit, all the way up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from scancode.codes.models import Batch
from scancode.codes.orders import kinds_of
from scancode.codes.rules import Range
from scancode.codes.typed import merge
from scancode.packing.models import PackedCode, PackingEvent
from scancode.packing.rules import Action, Level, Run, Selection, Unit, count_of, has_own_life
from scancode.packing.rules import select as selected
from scancode.packing.service import holding
from scancode.staff.models import Staff

EVENTS_MAX = 50


@dataclass(frozen=True)
class Contents:
    """Everything in a unit, itself left out: items, cases and how many lie directly in it."""

    direct: Selection
    all: Selection

    @property
    def items(self) -> int:
        return count_of(self.all, Level.ITEM)

    @property
    def cases(self) -> int:
        return count_of(self.all, Level.CASE)

    @property
    def direct_count(self) -> int:
        return sum(count_of(self.direct, level) for level in Level)


def look_into(session: Session, *, parent: Unit) -> Selection:
    """What lies directly in it."""
    return _inside(session, {(parent.batch, parent.level): ((parent.serial, parent.serial),)})


def contents(session: Session, *, parent: Unit) -> Contents:
    direct = look_into(session, parent=parent)
    everything = dict(direct)
    layer = direct
    for _ in range(len(Level)):
        layer = _inside(session, {key: ranges for key, ranges in layer.items() if key[1] is not Level.ITEM})
        if not layer:
            break
        for key, ranges in layer.items():
            everything[key] = merge([*everything.get(key, ()), *ranges])
    return Contents(direct, everything)


def _inside(session: Session, parents: Selection) -> Selection:
    found: dict[tuple[int, Level], list[Range]] = {}
    for (batch, level), ranges in parents.items():
        for first, last in ranges:
            for row in holding.rows_in(session, batch=batch, level=level, first=first, last=last):
                part = holding.run_of(row).within(first, last)
                if part is not None:
                    found.setdefault((row.batch_number, Level(row.level)), []).append(part)
            for single in holding.singles_in(session, batch=batch, level=level, first=first, last=last):
                child = Unit.of(single.code_id)
                found.setdefault((child.batch, child.level), []).append((child.serial, child.serial))
    return {key: merge(ranges) for key, ranges in found.items()}


def direct_count(session: Session, *, parent: Unit) -> int:
    single = session.scalar(select(func.count()).where(PackedCode.parent_id == parent.id)) or 0
    ranges = 0
    for row in holding.rows_in(
        session, batch=parent.batch, level=parent.level, first=parent.serial, last=parent.serial
    ):
        part = holding.run_of(row).within(parent.serial, parent.serial)
        ranges += part[1] - part[0] + 1 if part else 0
    return single + ranges


def first_product(session: Session, *, parent: Unit) -> UUID | None:
    """The product of what is in it; None when it is empty."""
    child_id = session.scalar(select(PackedCode.code_id).where(PackedCode.parent_id == parent.id).limit(1))
    if child_id is not None:
        number = Unit.of(child_id).batch
    else:
        rows = holding.rows_in(session, batch=parent.batch, level=parent.level, first=parent.serial, last=parent.serial)
        if not rows:
            return None
        number = rows[0].batch_number
    return session.scalar(select(Batch.product_id).where(Batch.number == number))


def parent_of(session: Session, *, unit: Unit) -> Unit | None:
    """What holds it directly."""
    for run in holding.parents_of(session, selection=selected([unit])):
        return run.parent_of(unit.serial)
    return None


def parents(session: Session, *, unit: Unit) -> list[Unit]:
    """What holds it, and what holds that: the case, the pallet."""
    found: list[Unit] = []
    above = parent_of(session, unit=unit)
    while above is not None and len(found) < len(Level):
        found.append(above)
        above = parent_of(session, unit=above)
    return found


def everything(session: Session, *, units: Sequence[Unit]) -> dict[int, tuple[Range, ...]]:
    """Serials by batch of items, and of cases and pallets with all that is in them."""
    selection = selected(units)
    for unit in units:
        if unit.level is not Level.ITEM:
            for key, ranges in contents(session, parent=unit).all.items():
                selection[key] = merge([*selection.get(key, ()), *ranges])
    return serials(session, selection=selection)


def serials(
    session: Session, *, selection: Selection, batches: Mapping[int, Batch] | None = None
) -> dict[int, tuple[Range, ...]]:
    """Serials by batch, as life and shipments know them: items, and cases and pallets whose batch is theirs alone.

    Where a batch carries items as well, the serial of its case code is that of an item: it has no life of its own.
    """
    numbers = {number for number, _ in selection}
    known = batches or {
        row.number: row for row in session.scalars(select(Batch).where(Batch.number.in_(sorted(numbers))))
    }
    found: dict[int, list[Range]] = {}
    for (number, level), ranges in selection.items():
        if has_own_life(level, kinds_of(known[number].kinds)):
            found.setdefault(number, []).extend(ranges)
    return {number: merge(ranges) for number, ranges in sorted(found.items())}


@dataclass(frozen=True)
class Step:
    """Something that was packed or unpacked: a run of it."""

    action: Action
    run: Run
    at: datetime
    staff_name: str | None
    is_import: bool

    def other_of(self, unit: Unit) -> Unit | None:
        """What a child went into or came out of; None where the unit was the parent."""
        same = (self.run.batch, self.run.level) == (unit.batch, unit.level)
        return self.run.parent_of(unit.serial) if same and self.run.first <= unit.serial <= self.run.last else None


def history(session: Session, *, unit: Unit, limit: int = EVENTS_MAX) -> list[Step]:
    """What was done with a unit, as a child and as a parent, newest first."""
    as_child = and_(
        PackingEvent.batch_number == unit.batch,
        PackingEvent.level == int(unit.level),
        PackingEvent.first <= unit.serial,
        PackingEvent.last >= unit.serial,
    )
    low = Unit(unit.batch, unit.level, 0).id
    as_parent = and_(
        PackingEvent.parent_id.between(low, unit.id),
        PackingEvent.parent_last >= unit.serial,
    )
    query = (
        select(PackingEvent, Staff.name)
        .outerjoin(Staff, Staff.id == PackingEvent.staff_id)
        .where(or_(as_child, as_parent))
        .order_by(PackingEvent.at.desc(), PackingEvent.id.desc())
        .limit(limit)
    )
    return [
        Step(Action(row.action), run_of_event(row), row.at, name, row.import_id is not None)
        for row, name in session.execute(query)
    ]


def run_of_event(row: PackingEvent) -> Run:
    parent = Unit.of(row.parent_id)
    return Run(
        row.batch_number,
        Level(row.level),
        row.first,
        row.last,
        parent.batch,
        parent.level,
        parent.serial,
        row.size,
        row.offset,
    )
