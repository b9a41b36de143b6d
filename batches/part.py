"""One file being written: invisible under its name until it is whole, and reported only as far as it is on disk.

A file grows as ``NAME.part`` and takes its name in one step when it is finished, so a reader, or a run
started again after a crash, never meets half a file. Progress counts rows that have been flushed to
the disk, never rows that are merely on their way.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from batches.errors import Stopped
from batches.items import Kind
from batches.spec import BatchSpec

PART_SUFFIX: Final = ".part"

Progress = Callable[[int], None]  # rows of this file that are proved written
Stop = Callable[[], bool]  # asked between chunks; True ends the run with Stopped


@dataclass(frozen=True)
class FileRecord:
    """What is known of one finished file: its contents in words, and size and SHA-256 as read back from it."""

    name: str
    format: str
    kinds: tuple[Kind, ...]
    first: int
    last: int
    rows: int
    size_bytes: int
    sha256: str


class PartFile:
    """A file under construction, used by ``with``. An exception removes it; a normal end gives it its name."""

    def __init__(self, path: Path, on_progress: Progress | None = None, stop: Stop | None = None) -> None:
        self.path = path
        self.growing = path.with_name(path.name + PART_SUFFIX)
        self._on_progress = on_progress
        self._stop = stop

    def __enter__(self) -> Self:
        # What an earlier, killed run left under this name is worth nothing. It is removed, not written over:
        # a helper process of that run may have a moment to live.
        with contextlib.suppress(OSError):
            self.growing.unlink()
        self.file: BinaryIO = self.growing.open("wb")
        return self

    def read_back(self) -> BinaryIO:
        """The file under construction, to be read from its beginning."""
        return self.growing.open("rb", buffering=0)

    def prove(self, rows: int) -> None:
        """Put everything written so far on the disk and report ``rows``. Raises Stopped when asked to end."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.report(rows)
        self.check_stop()

    def report(self, rows: int) -> None:
        """Tell that so many rows are on the disk."""
        if self._on_progress is not None:
            self._on_progress(rows)

    def check_stop(self) -> None:
        """Raise Stopped when somebody has cancelled the run."""
        if self._stop is not None and self._stop():
            raise Stopped(f"stopped while writing {self.path.name}", file=self.path.name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.file.close()
            self.growing.unlink(missing_ok=True)
            return
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self.growing.replace(self.path)
        sync_folder(self.path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename durable. Windows has no such call and needs none: its journal orders renames."""
    if os.name != "posix":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def write_whole(path: Path, contents: bytes) -> None:
    """Replace a small file in one step, durably."""
    with PartFile(path) as part:
        part.file.write(contents)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file as it is on the disk, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def record_of(
    path: Path, spec: BatchSpec, file_format: str, kinds: tuple[Kind, ...], sha256: str | None = None
) -> FileRecord:
    """The record of a finished file that holds the range of ``spec``, one row an item.

    ``sha256`` is that of the file where it was read back already.
    """
    return FileRecord(
        name=path.name,
        format=file_format,
        kinds=kinds,
        first=spec.first,
        last=spec.last,
        rows=spec.count,
        size_bytes=path.stat().st_size,
        sha256=sha256 or sha256_of(path),
    )
