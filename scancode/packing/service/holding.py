"""Where units lie: the rows of ranges and of single codes, read and rewritten. Only the verbs of packing use this."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import numpy as np
from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from batches.items import MAX_BATCH_COUNT
from scancode.codes.models import Batch, BatchState
from scancode.codes.rules import Range
from scancode.db import affected, insert_bulk, new_id
from scancode.packing.models import PackedCode, PackedRange, PackingEvent
from scancode.packing.rules import Action, Level, Run, Selection, Unit, UnitOutside, runs_of

RANGES_PER_QUERY = 60


def lock(session: Session, *, numbers: Iterable[int], brand_id: UUID | None) -> dict[int, Batch]:
    """Locks these batches for packing, in the order of their numbers.

    Raises UnitOutside where one is another brand's (``brand_id`` None: any will do), or not ready.
    """
    found: dict[int, Batch] = {}
    for number in sorted(set(numbers)):
        batch = session.scalars(
            select(Batch).where(Batch.number == number).with_for_update(key_share=True)
        ).one_or_none()
        if batch is None or batch.state != BatchState.READY or brand_id not in (None, batch.brand_id):
            raise UnitOutside
        found[number] = batch
    if len({batch.brand_id for batch in found.values()}) > 1:
        raise UnitOutside
    return found


def run_of(row: PackedRange) -> Run:
    return Run(
        row.batch_number,
        Level(row.level),
        row.first,
        row.last,
        row.parent_batch,
        Level(row.parent_level),
        row.parent_first,
        row.size,
        row.offset,
    )


def runs_where(session: Session, condition: ColumnElement[bool]) -> list[Run]:
    """The runs of many rows, without an object for each row."""
    columns = (
        PackedRange.batch_number,
        PackedRange.level,
        PackedRange.first,
        PackedRange.last,
        PackedRange.parent_batch,
        PackedRange.parent_level,
        PackedRange.parent_first,
        PackedRange.size,
        PackedRange.offset,
    )
    return [
        Run(batch, Level(level), first, last, above, Level(above_level), above_first, size, offset)
        for batch, level, first, last, above, above_level, above_first, size, offset in session.execute(
            select(*columns).where(condition)
        )
    ]


def rows_of(session: Session, *, batch: int, level: Level, ranges: Sequence[Range]) -> list[PackedRange]:
    """The rows that hold any of these children, in order."""
    found: list[PackedRange] = []
    for start in range(0, len(ranges), RANGES_PER_QUERY):
        some = ranges[start : start + RANGES_PER_QUERY]
        hits = or_(*(and_(PackedRange.first <= last, PackedRange.last >= first) for first, last in some))
        found += session.scalars(
            select(PackedRange)
            .where(PackedRange.batch_number == batch, PackedRange.level == level, hits)
            .order_by(PackedRange.first)
        )
    return list({row.first: row for row in found}.values())


def rows_in(session: Session, *, batch: int, level: Level, first: int, last: int) -> list[PackedRange]:
    """The rows whose parents are any of ``first`` to ``last``."""
    return list(
        session.scalars(
            select(PackedRange)
            .where(
                PackedRange.parent_batch == batch,
                PackedRange.parent_level == level,
                PackedRange.parent_first <= last,
                PackedRange.parent_last >= first,
            )
            .order_by(PackedRange.batch_number, PackedRange.level, PackedRange.first)
        )
    )


def singles(session: Session, *, batch: int, level: Level, ranges: Sequence[Range]) -> list[PackedCode]:
    """The rows of these children that were packed singly, in order."""
    found: list[PackedCode] = []
    for start in range(0, len(ranges), RANGES_PER_QUERY):
        some = ranges[start : start + RANGES_PER_QUERY]
        hits = or_(
            *(
                PackedCode.code_id.between(Unit(batch, level, first).id, Unit(batch, level, last).id)
                for first, last in some
            )
        )
        found += session.scalars(select(PackedCode).where(hits).order_by(PackedCode.code_id))
    return found


def singles_in(session: Session, *, batch: int, level: Level, first: int, last: int) -> list[PackedCode]:
    """The rows whose parents are any of ``first`` to ``last``."""
    low, high = Unit(batch, level, first).id, Unit(batch, level, min(last, MAX_BATCH_COUNT - 1)).id
    return list(
        session.scalars(select(PackedCode).where(PackedCode.parent_id.between(low, high)).order_by(PackedCode.code_id))
    )


def parents_of(session: Session, *, selection: Selection) -> list[Run]:
    """How these units are packed now: a run for each stretch; what is packed nowhere is in none."""
    found: list[Run] = []
    for (batch, level), ranges in selection.items():
        for row in rows_of(session, batch=batch, level=level, ranges=ranges):
            found += run_of(row).without(ranges)[1]
        for single in singles(session, batch=batch, level=level, ranges=ranges):
            unit, parent = Unit.of(single.code_id), Unit.of(single.parent_id)
            found.append(Run(batch, level, unit.serial, unit.serial, parent.batch, parent.level, parent.serial, 1))
    return found


def take_out(session: Session, *, selection: Selection) -> list[Run]:
    """Removes these units from wherever they are; returns how they were packed."""
    taken: list[Run] = []
    for (batch, level), ranges in selection.items():
        for row in rows_of(session, batch=batch, level=level, ranges=ranges):
            left, out = run_of(row).without(ranges)
            taken += out
            key = (
                PackedRange.batch_number == batch,
                PackedRange.level == level,
                PackedRange.first == row.first,
            )
            affected(session, delete(PackedRange).where(*key))
            session.expunge(row)
            put_runs(session, runs=left, import_id=row.import_id, now=row.packed_at)
        for single in singles(session, batch=batch, level=level, ranges=ranges):
            unit, parent = Unit.of(single.code_id), Unit.of(single.parent_id)
            taken.append(Run(batch, level, unit.serial, unit.serial, parent.batch, parent.level, parent.serial, 1))
            affected(session, delete(PackedCode).where(PackedCode.code_id == single.code_id))
            session.expunge(single)
    return taken


def put_runs(session: Session, *, runs: Sequence[Run], import_id: UUID | None, now: datetime) -> None:
    """Writes runs of units that are packed nowhere else."""
    rows = [
        {
            "batch_number": run.batch,
            "level": int(run.level),
            "first": run.first,
            "last": run.last,
            "parent_batch": run.parent_batch,
            "parent_level": int(run.parent_level),
            "parent_first": run.parent_first,
            "parent_last": run.parent_last,
            "size": run.size,
            "offset": run.offset,
            "import_id": import_id,
            "packed_at": now,
        }
        for run in runs
    ]
    insert_bulk(session, PackedRange, rows)


def record(
    session: Session,
    *,
    brand_id: UUID,
    action: Action,
    runs: Sequence[Run],
    staff_id: UUID | None,
    import_id: UUID | None = None,
    now: datetime,
) -> None:
    """Keeps what happened."""
    rows = [
        {
            "parent_id": Unit(run.parent_batch, run.parent_level, run.parent_first).id,
            "id": new_id(now),
            "brand_id": brand_id,
            "action": action.value,
            "batch_number": run.batch,
            "level": int(run.level),
            "first": run.first,
            "last": run.last,
            "parent_last": run.parent_last,
            "size": run.size,
            "offset": run.offset,
            "at": now,
            "staff_id": staff_id,
            "import_id": import_id,
        }
        for run in runs
    ]
    insert_bulk(session, PackingEvent, rows)


def joined(runs: Sequence[Run]) -> list[Run]:
    """Single steps as the runs that they make together, for a short history."""
    if any(run.count > 1 for run in runs):
        return list(runs)
    children = np.array([Unit(run.batch, run.level, run.first).id for run in runs], dtype=np.int64)
    parents = np.array([Unit(run.parent_batch, run.parent_level, run.parent_first).id for run in runs], dtype=np.int64)
    return runs_of(children, parents)
