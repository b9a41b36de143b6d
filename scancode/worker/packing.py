"""Takes a line's association file in: reads it in pieces, checks it, and writes all of it in one transaction or none;
takes it back in pieces, so that others can pack meanwhile and a page can say how far it is."""

from __future__ import annotations

import json

import structlog
from sqlalchemy.orm import Session

from scancode.packing import association
from scancode.packing import service as packing
from scancode.packing.association import CodeReader, Rows
from scancode.stories.code_lists import count_lines
from scancode.worker.uploads import Attempt

RUNS_AT_ONCE = 5_000
log = structlog.get_logger(__name__)


def take_up(attempt: Attempt) -> None:
    """Raises Refusal, Cancelled, LeaseLost."""
    rows = _read(attempt)
    if not rows.problems:
        attempt.report(len(rows.lines), len(rows.lines), "writing")

        def take_in(session: Session) -> None:
            if packing.take_in(session, import_id=attempt.id, rows=rows, now=attempt.clock()):
                log.info("packing_taken_in", id=str(attempt.id), rows=len(rows.lines))

        attempt.commit(take_in)
    if rows.problems:
        attempt.refuse(rows.problems, len(rows.lines))


def _read(attempt: Attempt) -> Rows:
    (path, _), *_ = attempt.files()
    total, wish = count_lines(path), packing.wish_of(attempt.row)
    with attempt.wired.db.reading() as session:
        keys = packing.load_keys(session, brand_id=attempt.row.brand_id, keyring=attempt.wired.keyring)
    number = wish.batch_number
    batch = (number, keys[number]) if number is not None and number in keys else None
    rows = association.read_file(
        path, CodeReader(keys), batch=batch, on_rows=lambda done: attempt.report(done, max(total, done + 1), "reading")
    )
    association.check(rows, case_size=wish.case_size, pallet_size=wish.pallet_size, may_be_short=wish.may_be_short)
    if not rows.problems:
        with attempt.wired.db.reading() as session:
            packing.check_against_database(session, rows=rows)
    return rows


def undo(attempt: Attempt) -> None:
    """Takes the file back piece by piece; killed in between, it goes on with what is left. Raises LeaseLost."""
    row = attempt.row
    with attempt.wired.db.reading() as session:
        left = packing.still_there(session, import_id=row.id)
    before: int = json.loads(row.result).get("undone", 0)
    done = 0

    def take_back(session: Session) -> int:
        return packing.undo_some(
            session, import_id=row.id, staff_id=row.staff_id, now=attempt.clock(), limit=RUNS_AT_ONCE
        )

    attempt.report(before, before + left, "undoing")
    while count := attempt.commit(take_back):
        done += count
        attempt.report(before + done, before + left, "undoing")
    attempt.commit(lambda session: packing.end_undoing(session, import_id=row.id, actor=row.actor, now=attempt.clock()))
