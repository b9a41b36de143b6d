"""Takes a line's association file in: reads it in pieces, checks it, and writes all of it in one transaction or none.

Killed at any moment it begins again; it can be cancelled between two pieces. What is wrong is written beside the file,
a line for each, before the import is marked as refused.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from scancode.errors import OutsideError, Refusal
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.packing import association
from scancode.packing import service as packing
from scancode.packing.association import CodeReader, Problem, Rows
from scancode.wiring import Wired
from scancode.worker.progress import Clock, Progress

log = structlog.get_logger(__name__)


class Cancelled(Exception):
    """Somebody does not want the file any more."""


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    """Runs a job of kind ``packing``; payload ``{"id": …}``."""
    Import(wired, leased, clock).run()


class Import:
    """One attempt at one file."""

    def __init__(self, wired: Wired, leased: Leased, clock: Clock) -> None:
        self._wired = wired
        self._leased = leased
        self._clock = clock
        self._id = UUID(leased.payload["id"])
        self._path = packing.upload_path(wired.settings.var_dir, self._id)
        self._progress = Progress(wired, leased, clock, lambda session: packing.is_running(session, import_id=self._id))
        self._total = 0

    def run(self) -> None:
        wish = self._wired.db.retrying(self._begin)
        if wish is None:
            self._path.unlink(missing_ok=True)
            return
        if not self._path.is_file():
            self._refuse([Problem(0, "", "malformed", "the file is gone")], 0)
            raise OutsideError("association_file_gone", permanent=True)
        try:
            rows = self._read(wish)
        except Cancelled:
            self._path.unlink(missing_ok=True)
            return
        except Refusal as refusal:
            self._refuse([Problem(1, "", refusal.code)], 0)
            return
        if not rows.problems:
            self._progress.report(len(rows.lines), len(rows.lines), "writing")
            self._wired.db.retrying(lambda session: self._take_in(session, rows))
        if rows.problems:
            self._refuse(rows.problems, len(rows.lines))
        else:
            self._path.unlink(missing_ok=True)

    def _begin(self, session: Session) -> packing.PackingImport | None:
        jobs.hold(session, leased=self._leased)
        return packing.begin(session, import_id=self._id)

    def _read(self, wish: packing.PackingImport) -> Rows:
        with self._path.open("rb") as file:
            self._total = sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))
        with self._wired.db.reading() as session:
            keys = packing.load_keys(session, brand_id=wish.brand_id, keyring=self._wired.keyring)
        number = wish.batch_number
        batch = (number, keys[number]) if number is not None and number in keys else None
        rows = association.read_file(self._path, CodeReader(keys), batch=batch, on_rows=self._on_rows)
        association.check(rows, case_size=wish.case_size, pallet_size=wish.pallet_size, may_be_short=wish.may_be_short)
        if not rows.problems:
            with self._wired.db.reading() as session:
                packing.check_against_database(session, rows=rows)
        return rows

    def _take_in(self, session: Session, rows: Rows) -> None:
        jobs.hold(session, leased=self._leased)
        if packing.take_in(session, import_id=self._id, rows=rows, now=self._clock()):
            log.info("packing_taken_in", id=str(self._id), rows=len(rows.lines))

    def _on_rows(self, done: int) -> None:
        """Raises LeaseLost, Cancelled."""
        self._progress.report(done, max(self._total, done + 1), "reading")
        if self._progress.shall_stop():
            raise Cancelled

    def _refuse(self, problems: Sequence[Problem], rows: int) -> None:
        ordered = sorted(problems, key=lambda item: (item.line, item.column))
        write_problems(self._path.with_suffix(".errors.csv"), ordered)
        self._path.unlink(missing_ok=True)

        def write(session: Session) -> None:
            packing.refuse(session, import_id=self._id, problems=ordered, rows=rows, now=self._clock())

        self._wired.db.retrying(write)


def write_problems(path: Path, problems: Sequence[Problem]) -> None:
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "column", "code", "cell"))
        for item in problems:
            cell = "'" + item.cell if item.cell[:1] in ("=", "+", "-", "@") else item.cell
            writer.writerow((item.line, item.column, item.code, cell))
    part.replace(path)
