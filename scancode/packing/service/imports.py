"""Association files: asked for, taken in by the worker all or nothing, undone. What every upload goes through is the
business of ``uploads``; here is what this kind of file does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import numpy as np
from sqlalchemy import and_, delete, func, select, tuple_
from sqlalchemy.orm import Session

from batches.codes import Verifier
from batches.items import SERIAL_BITS, SERIAL_MASK
from scancode.codes import service as codes
from scancode.codes.keys import Keyring
from scancode.codes.models import Batch, BatchState, Life
from scancode.codes.orders import kinds_of
from scancode.db import affected
from scancode.packing.association import BatchKey, Rows, pairs_of
from scancode.packing.models import PackedCode, PackedRange
from scancode.packing.rules import CAPACITY_MAX, Action, BadCapacity, Ids, Level, Unit, has_own_life, runs_of
from scancode.packing.service import holding
from scancode.staff import service as staff
from scancode.uploads import service as uploads
from scancode.uploads.models import Upload
from scancode.uploads.rules import UploadKind, UploadMoved, UploadState
from scancode.uploads.service import Received


@dataclass(frozen=True)
class Wish:
    """How an association file is to be read."""

    batch_number: int | None = None
    case_size: int | None = None
    pallet_size: int | None = None
    may_be_short: bool = True


def ask_import(
    session: Session,
    *,
    brand_id: UUID,
    file: Received,
    wish: Wish,
    var_dir: Path,
    actor: str,
    staff_id: UUID | None = None,
    now: datetime,
) -> UUID:
    """Has the worker take the file in. Raises BadCapacity, NotFound (no such batch of the brand)."""
    for size in (wish.case_size, wish.pallet_size):
        if size is not None and not 1 <= size <= CAPACITY_MAX:
            raise BadCapacity(limit=CAPACITY_MAX)
    if wish.batch_number is not None:
        codes.get_batch(session, number=wish.batch_number, brand_id=brand_id)
    return uploads.ask(
        session,
        brand_id=brand_id,
        kind=UploadKind.PACKING,
        wish=asdict(wish),
        files=[file],
        var_dir=var_dir,
        actor=actor,
        staff_id=staff_id,
        now=now,
    )


def wish_of(row: Upload) -> Wish:
    return Wish(**json.loads(row.wish))


def load_keys(session: Session, *, brand_id: UUID, keyring: Keyring) -> dict[int, BatchKey]:
    """What it takes to read the codes of a brand."""
    query = select(Batch.number, Batch.kid, Batch.salt, Batch.count, Batch.kinds, Batch.state)
    return {
        number: BatchKey(
            Verifier(keyring.derive(kid, salt)),
            count,
            frozenset(int(kind) for kind in kinds_of(kinds)),
            state == BatchState.READY,
        )
        for number, kid, salt, count, kinds, state in session.execute(query.where(Batch.brand_id == brand_id))
    }


def check_against_database(session: Session, *, rows: Rows) -> None:
    """Adds what only the database knows: packed before, cases in use, dead codes."""
    for children, parents in pairs_of(rows):
        for ids, problem in ((children, "packed_before"), (np.unique(parents), "in_use")):
            for batch, level, serials in _by_batch(ids):
                taken = _taken(session, batch, level, serials, as_parent=problem == "in_use")
                _blame(rows, level, batch, serials[taken], problem)
    for level, ids in rows.columns.items():
        for batch, _, serials in _by_batch(np.unique(ids[ids >= 0])):
            if not has_own_life(level, kinds_of(codes.get_batch(session, number=batch).kinds)):
                continue
            spans = codes.load_life(session, batch_number=batch, first=int(serials[0]), last=int(serials[-1]))
            dead = [span for span in spans if span.value.state in (Life.VOID, Life.RECALLED)]
            is_dead = _covered(serials, [span.first for span in dead], [span.last for span in dead])
            _blame(rows, level, batch, serials[is_dead], "dead")


def take_in(session: Session, *, import_id: UUID, rows: Rows, now: datetime) -> bool:
    """Writes everything; called with nothing wrong. False when something is wrong after all, or it was cancelled."""
    pairs = pairs_of(rows)
    numbers = {int(number) for both in pairs for ids in both for number in np.unique(ids >> (SERIAL_BITS + 2))}
    row = uploads.get_upload(session, upload_id=import_id)
    holding.lock(session, numbers=numbers, brand_id=row.brand_id)
    check_against_database(session, rows=rows)
    if rows.problems:
        return False
    runs = [run for children, parents in pairs for run in runs_of(children, parents)]
    result = {
        "cases": len(np.unique(np.concatenate([pairs[0][1], pairs[1][0]]))),
        "pallets": len(np.unique(pairs[1][1])),
        "runs": len(runs),
    }
    values = {"rows": len(rows.lines), "result": result, "ended_at": now}
    if not uploads.move(session, import_id, was={UploadState.RUNNING}, to=UploadState.DONE, **values):
        return False
    holding.put_runs(session, runs=runs, import_id=import_id, now=now)
    holding.record(
        session,
        brand_id=row.brand_id,
        action=Action.PACK,
        runs=runs,
        staff_id=row.staff_id,
        import_id=import_id,
        now=now,
    )
    return True


def undo_some(session: Session, *, import_id: UUID, staff_id: UUID | None, now: datetime, limit: int) -> int:
    """Takes out, of at most so many runs, what still lies as the file put it; what was moved since stays. Returns how
    many units that were: none when nothing is left."""
    row = uploads.get_upload(session, upload_id=import_id)
    place = (PackedRange.batch_number, PackedRange.level, PackedRange.first)
    of_file = PackedRange.import_id == import_id
    end = session.execute(select(*place).where(of_file).order_by(*place).limit(1).offset(limit)).first()
    some = and_(of_file, tuple_(*place) < tuple_(*end)) if end is not None else of_file
    involved = session.execute(select(PackedRange.batch_number, PackedRange.parent_batch).where(some).distinct())
    holding.lock(session, numbers={number for pair in involved for number in pair}, brand_id=row.brand_id)
    runs = holding.runs_where(session, some)
    affected(session, delete(PackedRange).where(some))
    holding.record(
        session,
        brand_id=row.brand_id,
        action=Action.UNPACK,
        runs=runs,
        staff_id=staff_id,
        import_id=import_id,
        now=now,
    )
    count = sum(run.count for run in runs)
    result = json.loads(row.result)
    result["undone"] = result.get("undone", 0) + count
    if not uploads.move(session, import_id, was={UploadState.UNDOING}, to=UploadState.UNDOING, result=result):
        raise UploadMoved
    return count


def end_undoing(session: Session, *, import_id: UUID, actor: str, now: datetime) -> None:
    """Nothing lies as the file put it any more. Does nothing where that was said before."""
    if not uploads.move(session, import_id, was={UploadState.UNDOING}, to=UploadState.UNDONE):
        return
    row = uploads.get_upload(session, upload_id=import_id)
    staff.audit(
        session,
        actor=actor,
        brand_id=row.brand_id,
        action="packing.undo",
        subject=f"upload:{import_id}",
        facts={"count": json.loads(row.result).get("undone", 0)},
        now=now,
    )


def still_there(session: Session, *, import_id: UUID) -> int:
    """How many units lie as the file put them."""
    total = func.sum(PackedRange.last - PackedRange.first + 1)
    return int(session.scalar(select(total).where(PackedRange.import_id == import_id)) or 0)


def _by_batch(ids: Ids) -> list[tuple[int, Level, Ids]]:
    """Serials (sorted) by batch and level."""
    found = []
    for head in np.unique(ids >> SERIAL_BITS).tolist():
        unit = Unit.of(head << SERIAL_BITS)
        found.append((unit.batch, unit.level, np.sort(ids[ids >> SERIAL_BITS == head] & SERIAL_MASK)))
    return found


def _taken(session: Session, batch: int, level: Level, serials: Ids, *, as_parent: bool) -> np.ndarray:
    """(n,) which of these are in something (or, ``as_parent``, hold something)."""
    first, last = int(serials[0]), int(serials[-1])
    low, high = Unit(batch, level, first).id, Unit(batch, level, last).id
    if as_parent:
        rows = holding.rows_in(session, batch=batch, level=level, first=first, last=last)
        ends = sorted((row.parent_first, row.parent_last) for row in rows)
        column = PackedCode.parent_id
    else:
        ends = [
            (row.first, row.last) for row in holding.rows_of(session, batch=batch, level=level, ranges=[(first, last)])
        ]
        column = PackedCode.code_id
    singles = np.array(
        session.scalars(select(column).where(column.between(low, high)).distinct()).all(), dtype=np.int64
    )
    taken = _covered(serials, [end[0] for end in ends], [end[1] for end in ends])
    found: np.ndarray = taken | np.isin(serials, singles & SERIAL_MASK)
    return found


def _covered(serials: Ids, firsts: Sequence[int], lasts: Sequence[int]) -> np.ndarray:
    """(n,) whether each serial lies in one of the ranges, which are sorted by their firsts and may overlap."""
    if not firsts:
        return np.zeros(len(serials), dtype=np.bool_)
    place = np.searchsorted(np.array(firsts), serials, side="right") - 1
    reach = np.maximum.accumulate(np.array(lasts))
    found: np.ndarray = (place >= 0) & (reach[np.maximum(place, 0)] >= serials)
    return found


def _blame(rows: Rows, level: Level, batch: int, serials: Ids, problem: str) -> None:
    if not len(serials):
        return
    ids = (Unit(batch, level, 0).id) | serials
    column = rows.columns[level]
    places = np.flatnonzero(np.isin(column, ids))
    _, firsts = np.unique(column[places], return_index=True)
    for place in np.sort(places[firsts]).tolist():
        unit = Unit.of(int(column[place]))
        rows.add(int(rows.lines[place]), level.label, problem, f"{unit.batch}:{unit.serial}")
