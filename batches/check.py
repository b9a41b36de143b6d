"""Proving a pack: that its files are the ones of the manifest and that every code in them is right.

The check reads the files as a stranger would and verifies code by code with the key, by another way than
the one that minted them: counts, order, uniqueness, kinds, batch, addresses. Without a key it still
proves hashes and counts. Findings are collected, not raised, so that one run tells everything.
"""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from batches.codes import Verifier
from batches.files import BOM, SERIAL, csv_columns
from batches.items import Kind
from batches.manifest import MANIFEST_NAME, Manifest, read_manifest
from batches.part import FileRecord, sha256_of
from batches.text import CODE_LENGTH

FINDINGS_MAX: Final = 100
CHUNK_BYTES: Final = 4 << 20
LINE_BYTES_MAX: Final = 4096

_COLUMN_COUNT_MAX: Final = 1 + 2 * len(Kind)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. ``code`` is for programs, ``row`` is the 1-based line, 0 for the whole file."""

    code: str
    file: str
    row: int
    message: str


@dataclass(frozen=True)
class PackReport:
    """What a check found: ``findings`` (at most FINDINGS_MAX), and how much was read and verified."""

    manifest: Manifest
    files: int
    rows: int
    codes_verified: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


@dataclass
class _Notes:
    """Findings under way, bounded; and the counters."""

    findings: list[Finding] = field(default_factory=list)
    rows: int = 0
    codes: int = 0

    def add(self, code: str, file: str, message: str, row: int = 0) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(code, file, row, message))


def check_pack(
    folder: Path, key: bytes | None = None, *, on_progress: Callable[[int, int, str], None] | None = None
) -> PackReport:
    """Check every file of the pack in ``folder``; with ``key``, every code of its CSV and TXT files as well.

    ``on_progress`` gets rows read, rows in all and the file's format. Raises BadManifest, OSError.
    """
    manifest = read_manifest(folder / MANIFEST_NAME)
    verifier = None if key is None else Verifier(key)
    total = sum(record.rows for record in manifest.files)
    notes = _Notes()
    _check_plan(manifest, notes)
    for record in manifest.files:
        _check_file(manifest, record, folder / record.name, verifier, notes)
        if on_progress is not None:
            on_progress(notes.rows, total, record.format)
    return PackReport(manifest, len(manifest.files), notes.rows, notes.codes, tuple(notes.findings))


def _check_file(manifest: Manifest, record: FileRecord, path: Path, verifier: Verifier | None, notes: _Notes) -> None:
    if not path.is_file():
        notes.add("missing", record.name, "the file is missing")
        return
    size_bytes = path.stat().st_size
    if size_bytes != record.size_bytes or sha256_of(path) != record.sha256:
        notes.add("changed", record.name, "size or SHA-256 differs from the manifest")
    if size_bytes > 2 * record.size_bytes + CHUNK_BYTES:
        return  # not this pack's file at all: reading it line by line would find nothing useful
    before = notes.rows
    if record.format in ("csv", "txt"):
        _Reader(manifest, record, path, verifier, notes).read()
    else:
        notes.rows += _drawn_rows(record, path, notes)
    if notes.rows - before != record.rows:
        notes.add("count", record.name, f"{notes.rows - before} rows instead of {record.rows}")


def _check_plan(manifest: Manifest, notes: _Notes) -> None:
    """That the files together hold the range of the manifest, each format and kind once and without gaps."""
    held: dict[tuple[str, Kind], list[tuple[int, int]]] = {}
    for record in manifest.files:
        if record.rows != record.last - record.first + 1:
            notes.add("count", record.name, "rows and range differ in the manifest")
        for kind in record.kinds:
            held.setdefault((record.format, kind), []).append((record.first, record.last + 1))
    for name in manifest.formats:
        for kind in manifest.kinds:
            edges = sorted(held.get((name, kind), []))
            joined = all(left[1] == right[0] for left, right in itertools.pairwise(edges))
            if not edges or not joined or (edges[0][0], edges[-1][1]) != (manifest.first, manifest.last + 1):
                notes.add("range", MANIFEST_NAME, f"{name} {kind.label}: gap, overlap or wrong range")


def _drawn_rows(record: FileRecord, path: Path, notes: _Notes) -> int:
    """Rows of a ZIP by its pictures; a PDF's are those of its hash."""
    if record.format != "png":
        return record.rows
    try:
        with zipfile.ZipFile(path) as archive:
            return len(set(archive.namelist()))
    except zipfile.BadZipFile:
        notes.add("damaged", record.name, "this is no ZIP file")
        return 0


class _Reader:
    """Reads one CSV or TXT file, a chunk of lines at a time."""

    def __init__(
        self, manifest: Manifest, record: FileRecord, path: Path, verifier: Verifier | None, notes: _Notes
    ) -> None:
        self._manifest = manifest
        self._record = record
        self._path = path
        self._verifier = verifier
        self._notes = notes
        self._prefix = manifest.url_prefix.encode("ascii")

    def read(self) -> None:
        """Note what is wrong; a row that cannot be taken apart counts but is not verified."""
        with self._path.open("rb") as file:
            columns: tuple[str, ...] = (f"{self._record.kinds[0].label}_url",)
            line = 0
            if self._record.format == "csv":
                head = file.readline(LINE_BYTES_MAX).removeprefix(BOM).strip()
                columns = tuple(head.decode("ascii", "replace").split(","))[:_COLUMN_COUNT_MAX]
                line = 1
                if not set(columns) <= set(csv_columns(self._record.kinds)):
                    self._note("header", "the header is not the one of this pack", 1)
                    return
            done = 0
            while lines := file.readlines(CHUNK_BYTES):
                self._check_lines([text.rstrip(b"\r\n") for text in lines], columns, done, line + done)
                done += len(lines)
            self._notes.rows += done

    def _note(self, code: str, message: str, row: int) -> None:
        self._notes.add(code, self._record.name, message, row)

    def _check_lines(self, lines: list[bytes], columns: tuple[str, ...], done: int, line: int) -> None:
        cells = [text.split(b",") for text in lines]
        good = [place for place, row in enumerate(cells) if len(row) == len(columns)]
        for place, row in enumerate(cells):
            if len(row) != len(columns):
                self._note("row", "the row is blank, or has too few or too many columns", line + place + 1)
        expected = self._record.first + done
        for column, name in enumerate(columns):
            label, _, form = name.partition("_")
            if name == SERIAL:
                for place in good:
                    if cells[place][column] != b"%d" % (expected + place):
                        self._note("serial", f"serial {expected + place} was expected", line + place + 1)
                continue
            prefix = self._prefix if form == "url" else b""
            width = len(prefix) + CODE_LENGTH
            whole = [
                place
                for place in good
                if len(cells[place][column]) == width and cells[place][column].startswith(prefix)
            ]
            for place in self._others(good, whole):
                self._note(form, f"{name} is not as it should be", line + place + 1)
            codes = b"".join(cells[place][column][-CODE_LENGTH:] for place in whole)
            self._check_codes(codes, Kind.of(label), whole, expected, line)

    @staticmethod
    def _others(all_places: list[int], some: list[int]) -> Iterator[int]:
        known = set(some)
        return (place for place in all_places if place not in known)

    def _check_codes(self, codes: bytes, kind: Kind, places: list[int], expected: int, line: int) -> None:
        """Verify codes that must be ``expected + place``: this very equality makes them unique as well."""
        if self._verifier is None:
            return
        block = self._verifier.read_range(np.frombuffer(codes, dtype=np.uint8).reshape(-1, CODE_LENGTH))
        self._notes.codes += len(places)
        serials = np.array(places, dtype=np.uint64) + np.uint64(expected)
        right = (block.batches == self._manifest.batch) & (block.kinds == kind) & (block.serials == serials)
        for index in np.flatnonzero(~block.genuine)[:FINDINGS_MAX]:
            self._note("forged", f"the {kind.label} code does not verify", line + places[index] + 1)
        for index in np.flatnonzero(block.genuine & ~right)[:FINDINGS_MAX]:
            found = f"{block.batches[index]} {Kind(int(block.kinds[index])).label} {block.serials[index]}"
            self._note("foreign", f"this code belongs elsewhere: {found}", line + places[index] + 1)
