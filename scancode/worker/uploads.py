"""Works off what people upload: one runner for every kind of file, which says what to do with it when it is taken up,
when a person has confirmed it, and when it is undone.

Killed at any moment an upload is begun again: what it changes is one transaction at the end. It can be cancelled until
then. What is wrong with a file is written beside it, a line for each problem, before the upload is marked as refused.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from batches.errors import PressError
from batches.words import spoken
from scancode.errors import OutsideError, Refusal
from scancode.i18n import N_, translations
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.packing.association import Problem
from scancode.uploads import service as uploads
from scancode.uploads.models import Upload, UploadFile
from scancode.uploads.rules import DiskFull, UploadKind, UploadState, require_space
from scancode.wiring import Wired
from scancode.worker.progress import FULL, Clock, Progress

FIRST_PROBLEMS = 20
ORPHANS_KEPT = timedelta(days=1)
FreeBytes = Callable[[Path], int]
log = structlog.get_logger(__name__)


class Cancelled(Exception):
    """Somebody does not want the file any more."""


class FilesGone(Refusal):
    code = "files_gone"
    text = N_("The file is no longer on the server. Send it again.")
    status = 410


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class Attempt:
    """One attempt at one upload: its row, its files, and how the worker says how far it is."""

    def __init__(
        self, wired: Wired, leased: Leased, clock: Clock, row: Upload, *, free: FreeBytes = free_bytes
    ) -> None:
        self.wired = wired
        self.clock = clock
        self.row = row
        self.id = row.id
        self.folder = uploads.folder(wired.settings.var_dir, row.id)
        self._leased = leased
        self._free = free
        self._progress = Progress(wired, leased, clock, lambda session: uploads.is_wanted(session, upload_id=self.id))

    def files(self) -> list[tuple[Path, UploadFile]]:
        """Where each file lies, and what it was called. Raises FilesGone."""
        with self.wired.db.reading() as session:
            rows = uploads.files_of(session, upload_id=self.id)
        found = [(uploads.source_folder(self.wired.settings.var_dir, self.id) / str(row.place), row) for row in rows]
        if not found or not all(path.is_file() for path, _ in found):
            raise FilesGone
        return found

    def report(self, done: int, total: int, stage: str) -> None:
        """Says how far it is. Raises LeaseLost, Cancelled."""
        self._progress.report(done, max(total, done), stage)
        if self._progress.shall_stop():
            raise Cancelled

    def require_space(self, needs_bytes: int) -> None:
        """Raises DiskFull before anything large is written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        require_space(needs_bytes=needs_bytes, free_bytes=self._free(self.folder))

    def commit(self, work: Callable[[Session], Any]) -> Any:
        """Runs ``work`` in a transaction that is ours alone. Raises LeaseLost."""

        def alone(session: Session) -> Any:
            jobs.hold(session, leased=self._leased)
            return work(session)

        return self.wired.db.retrying(alone)

    def end(self, states: Iterable[UploadState], to: UploadState, **values: Any) -> bool:
        """One step of the upload; False where it was cancelled meanwhile."""
        moved: bool = self.commit(
            lambda session: uploads.move(session, self.id, was=set(states), to=to, ended_at=self.clock(), **values)
        )
        return moved

    def refuse(self, problems: Sequence[Problem], rows: int, *, said: Refusal | str | None = None) -> None:
        """Nothing is taken in: the lines that are wrong, or why the whole file is."""
        ordered = sorted(problems, key=lambda item: (item.line, item.column))
        result: dict[str, Any] = {"problems": [list(row_of(item)) for item in ordered[:FIRST_PROBLEMS]]}
        if isinstance(said, Refusal):
            result |= {"code": said.code, **_both(said)}
        elif said:
            result |= dict(zip(("zh", "en"), said.split(" / ", 1) if " / " in said else (said, said), strict=True))
        if ordered:
            self.folder.mkdir(parents=True, exist_ok=True)
            head = ("line", "column", "code", "cell")
            write_table(uploads.report_path(self.wired.settings.var_dir, self.id), head, map(row_of, ordered))
        running = (UploadState.RUNNING, UploadState.CONFIRMED)
        count = max(len(ordered), 1)
        self.end(running, UploadState.REFUSED, problems=count, rows=rows, result=result)
        log.info("upload_refused", kind=self.row.kind, id=str(self.id), problems=count)


@dataclass(frozen=True)
class Kind:
    """What is done with one kind of upload. Each may raise Refusal, PressError, Cancelled; ``confirmed`` and ``undo``
    are None where nobody is asked and nothing is undone."""

    take_up: Callable[[Attempt], None]
    confirmed: Callable[[Attempt], None] | None = None
    undo: Callable[[Attempt], None] | None = None


def run(wired: Wired, leased: Leased, clock: Clock, *, free: FreeBytes = free_bytes) -> None:
    """Runs a job of kind ``upload``; payload ``{"id": …}``."""
    from scancode.worker.upload_kinds import KINDS

    upload_id = UUID(leased.payload["id"])

    def begin(session: Session) -> Upload | None:
        jobs.hold(session, leased=leased)
        return uploads.begin(session, upload_id=upload_id)

    row = wired.db.retrying(begin)
    if row is not None:
        attempt = Attempt(wired, leased, clock, row, free=free)
        try:
            _work(KINDS[UploadKind(row.kind)], attempt)
        except Cancelled:
            log.info("upload_cancelled", kind=row.kind, id=str(upload_id))
        except Refusal as refusal:
            attempt.refuse([], 0, said=refusal)
        except PressError as error:
            attempt.refuse([], 0, said=spoken(error))
        except OSError as error:
            if error.errno not in FULL:
                raise
            needs = max(1, sum(path.stat().st_size for path, _ in attempt.files()))
            attempt.refuse(
                [], 0, said=DiskFull(needs_mb=round(needs / 1e6) + 1, has_mb=round(free(attempt.folder) / 1e6))
            )
    _drop(wired, upload_id)


def _work(kind: Kind, attempt: Attempt) -> None:
    work = {UploadState.CONFIRMED: kind.confirmed, UploadState.UNDOING: kind.undo}.get(
        UploadState(attempt.row.state), kind.take_up
    )
    if work is None:
        raise OutsideError("upload_cannot", permanent=True)
    work(attempt)


def _drop(wired: Wired, upload_id: UUID) -> None:
    """What was sent leaves the disk once nothing is to be done with it; a cancelled upload leaves nothing."""
    with wired.db.reading() as session:
        row = uploads.get_upload(session, upload_id=upload_id)
    if row.state == UploadState.CANCELLED:
        shutil.rmtree(uploads.folder(wired.settings.var_dir, upload_id), ignore_errors=True)
    elif row.state in (UploadState.DONE, UploadState.REFUSED, UploadState.UNDONE):
        shutil.rmtree(uploads.source_folder(wired.settings.var_dir, upload_id), ignore_errors=True)


def row_of(problem: Problem) -> tuple[int, str, str, str]:
    return problem.line, problem.column, problem.code, problem.cell


def write_table(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A CSV for people: with a byte-order mark, and nothing in it that a spreadsheet would take for a formula."""
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for row in rows:
            writer.writerow([unformulated(cell) if isinstance(cell, str) else cell for cell in row])
    part.replace(path)


def unformulated(cell: str) -> str:
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t") else cell


def write_json(path: Path, facts: Any) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
    part.replace(path)


def _both(refusal: Refusal) -> dict[str, str]:
    return {locale: refusal.sentence(translations(locale).gettext) for locale in ("zh", "en")}


def sweep(wired: Wired, session: Session, *, now: datetime) -> int:
    """Folders of uploads that are long over leave the disk, and those that belong to none; returns how many."""
    var_dir, root = wired.settings.var_dir, wired.settings.var_dir / "uploads"
    stale = uploads.list_stale(session, before=now - timedelta(days=wired.settings.upload_days))
    for upload_id in stale:
        shutil.rmtree(uploads.folder(var_dir, upload_id), ignore_errors=True)
    gone = uploads.mark_gone(session, upload_ids=stale, now=now)
    limit = (now - ORPHANS_KEPT).timestamp()
    old = [path for path in root.glob("*") if path.stat().st_mtime < limit] if root.is_dir() else []
    named = {path: _id_of(path.name) for path in old[:1000]}
    known = uploads.known(session, upload_ids=[found for found in named.values() if found])
    for path, owner in named.items():
        if owner is None and path.is_file():  # the rest of a transfer that broke off
            path.unlink(missing_ok=True)
        elif owner is not None and owner not in known:
            shutil.rmtree(path, ignore_errors=True)
    return gone


def _id_of(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
