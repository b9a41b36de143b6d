"""ZIP files among those that come back from a print house: opened into a folder, so that the preflight reads the
tables in them like any other. A hostile archive has nothing to say: names become numbers, sizes have a limit."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from batches.errors import TooMany
from batches.tables import is_workbook

ENTRIES_MAX: Final = 1_000
OPENED_BYTES_MAX: Final = 20_000_000_000
TABLE_ENDINGS: Final = (".csv", ".txt", ".tsv", ".xlsx")
CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Sent:
    """A file as it was sent: where it lies, what it is called. ``fault`` is a key of ``reported.FAULTS``."""

    path: Path
    name: str
    fault: str = ""


@dataclass(frozen=True)
class Opened:
    """What is to be read, and the names of what is no table."""

    files: tuple[Sent, ...]
    skipped: tuple[str, ...]


def is_archive(path: Path) -> bool:
    """Whether this is a ZIP, but no workbook."""
    if not is_workbook(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return "[Content_Types].xml" not in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def opened_bytes(sent: Sequence[Sent]) -> int:
    """How much the archives among these files become. Raises TooMany above OPENED_BYTES_MAX."""
    total = sum(entry.file_size for file in sent if is_archive(file.path) for entry in _entries(file.path))
    if total > OPENED_BYTES_MAX:
        raise TooMany("the archives are too large", format="bytes", count=total, limit=OPENED_BYTES_MAX)
    return total


def open_archives(sent: Sequence[Sent], folder: Path, *, on_bytes: Callable[[int], None] = lambda done: None) -> Opened:
    """The tables among these files, those of archives written into ``folder``. ``on_bytes`` may raise to stop.

    Raises TooMany, OSError.
    """
    opened_bytes(sent)
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Sent] = []
    skipped: list[str] = []
    done = 0
    for file in sent:
        if not is_archive(file.path):
            files.append(file)
            continue
        entries = [entry for entry in _entries(file.path) if not _is_rubbish(entry)]
        if len(entries) > ENTRIES_MAX:
            files.append(Sent(file.path, file.name, "files"))
            continue
        for entry in entries:
            name = f"{file.name}/{PurePosixPath(entry.filename.replace(chr(92), '/')).name}"
            if not entry.filename.lower().endswith(TABLE_ENDINGS):
                skipped.append(name)
                continue
            path = folder / f"{len(files):06d}"
            try:
                done = _extract(file.path, entry, path, done, on_bytes)
            except _Encrypted:
                files.append(Sent(file.path, name, "encrypted"))
            except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error):
                files.append(Sent(file.path, name, "zip"))
            else:
                files.append(Sent(path, name))
    return Opened(tuple(files), tuple(skipped))


class _Encrypted(Exception):
    pass


def _entries(path: Path) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(path) as archive:
        return [entry for entry in archive.infolist() if not entry.is_dir()]


def _is_rubbish(entry: zipfile.ZipInfo) -> bool:
    """What some computers add to every archive."""
    name = PurePosixPath(entry.filename)
    return "__MACOSX" in name.parts or name.name.startswith("._") or name.name in (".DS_Store", "Thumbs.db")


def _extract(source: Path, entry: zipfile.ZipInfo, path: Path, done: int, on_bytes: Callable[[int], None]) -> int:
    """Writes one entry; no more than it says of itself, which was added up before."""
    if entry.flag_bits & 1:
        raise _Encrypted
    with zipfile.ZipFile(source) as archive, archive.open(entry) as reading, path.open("wb") as writing:
        while piece := reading.read(CHUNK_BYTES):
            writing.write(piece)
            done += len(piece)
            on_bytes(done)
    return done
