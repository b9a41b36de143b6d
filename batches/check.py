"""Proving a pack: that its files are the ones of the manifest and that every code in them is right.

The check reads the files as a stranger would and verifies code by code with the key, by another way than
the one that minted them: counts, order, uniqueness, kinds, batch, addresses. Without a key it still
proves hashes and counts. Findings are collected, not raised, so that one run tells everything.
"""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from batches.codes import Verifier
from batches.errors import BadTable, Stopped
from batches.files import SERIAL, TABLES, columns_of, constant_cells, heading, sscc_block, unformulated
from batches.items import Kind
from batches.manifest import MANIFEST_NAME, Manifest, read_manifest
from batches.part import FileRecord, Stop, sha256_of
from batches.tables import INNER, Lines, Places, Shape, decimals, read_lines
from batches.text import CODE_LENGTH

FINDINGS_MAX: Final = 100
CHUNK_BYTES: Final = 4 << 20


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
    folder: Path,
    key: bytes | None = None,
    *,
    manifest: Manifest | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
    stop: Stop | None = None,
    known: Mapping[str, int] = MappingProxyType({}),
    on_checked: Callable[[FileRecord, int], None] | None = None,
) -> PackReport:
    """Check every file of the pack in ``folder``; with ``key``, every code of its CSV and TXT files as well.

    ``manifest`` stands in for the one in the folder. ``on_progress`` gets rows read, rows in all and the file's
    format. ``on_checked`` gets each table in which nothing is wrong, and how many codes were verified in it; ``known``
    are such tables of an earlier run by name, which are not read again. Raises BadManifest, Stopped, OSError.
    """
    manifest = manifest or read_manifest(folder / MANIFEST_NAME)
    verifier = None if key is None else Verifier(key)
    total = sum(record.rows for record in manifest.files)
    notes = _Notes()
    _check_plan(manifest, notes)
    for record in manifest.files:
        watch = _Watch(record, notes.rows, total, on_progress, stop)
        watch(0)
        if record.name in known:
            notes.rows += record.rows
            notes.codes += known[record.name]
        else:
            faults, codes = len(notes.findings), notes.codes
            _check_file(manifest, record, folder / record.name, verifier, notes, watch)
            if on_checked is not None and record.format in TABLES and len(notes.findings) == faults:
                on_checked(record, notes.codes - codes)
        watch(notes.rows - watch.before)
    return PackReport(manifest, len(manifest.files), notes.rows, notes.codes, tuple(notes.findings))


@dataclass(frozen=True)
class _Watch:
    """Tells how many rows of one file are read, after ``before`` of the others. Raises Stopped."""

    record: FileRecord
    before: int
    total: int
    on_progress: Callable[[int, int, str], None] | None
    stop: Stop | None

    def __call__(self, rows: int) -> None:
        if self.stop is not None and self.stop():
            raise Stopped(f"stopped while checking {self.record.name}", file=self.record.name)
        if self.on_progress is not None:
            self.on_progress(min(self.before + rows, self.total), self.total, self.record.format)


def _check_file(
    manifest: Manifest, record: FileRecord, path: Path, verifier: Verifier | None, notes: _Notes, watch: _Watch
) -> None:
    if not path.is_file():
        notes.add("missing", record.name, "the file is missing")
        return
    size_bytes = path.stat().st_size
    if size_bytes != record.size_bytes or sha256_of(path) != record.sha256:
        notes.add("changed", record.name, "size or SHA-256 differs from the manifest")
    if size_bytes > 2 * record.size_bytes + CHUNK_BYTES:
        return  # not this pack's file at all: reading it line by line would find nothing useful
    before = notes.rows
    if record.format in TABLES:
        try:
            _Reader(manifest, record, path, verifier, notes).read(watch)
        except BadTable as error:
            notes.add("damaged", record.name, str(error))
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
    if record.format not in ("png", "svg"):
        return record.rows
    try:
        with zipfile.ZipFile(path) as archive:
            return len(set(archive.namelist()))
    except zipfile.BadZipFile:
        notes.add("damaged", record.name, "this is no ZIP file")
        return 0


class _Reader:
    """Reads one table, a chunk of lines at a time, and compares it with what the manifest says must stand there."""

    def __init__(
        self, manifest: Manifest, record: FileRecord, path: Path, verifier: Verifier | None, notes: _Notes
    ) -> None:
        self._manifest = manifest
        self._record = record
        self._path = path
        self._verifier = verifier
        self._notes = notes
        self._spec = manifest.spec()
        self._columns = columns_of(self._spec, manifest.ticket)
        if record.format == "txt":
            self._columns = (f"{record.kinds[0].label}_url",)
        self._has_header = record.format != "txt" and manifest.ticket.header != "none"
        self._constants = constant_cells(self._spec)
        if record.format == "csv":  # as written, an apostrophe before a formula included
            self._constants = {name: unformulated(text) for name, text in self._constants.items()}

    def read(self, on_rows: Callable[[int], None]) -> None:
        """Note what is wrong; a row that cannot be taken apart counts but is not verified."""
        done = 0
        for lines in read_lines(self._path, self._shape()):
            if self._has_header and lines.first == 1:
                if not self._is_header(lines):
                    self._note("header", "the header is not the one of this pack", 1)
                    return
                lines = Lines(2, lines.buffer, lines.starts[1:], lines.ends[1:], lines.delimiter)
            if len(lines):
                self._check_lines(lines, done)
            done += len(lines)
            on_rows(done)
        self._notes.rows += done

    def _shape(self) -> Shape:
        if self._record.format == "xlsx":
            return Shape(None, INNER, None)
        ticket, name = self._manifest.ticket, self._record.format
        newline = "crlf" if ticket.newline_of(name) == b"\r\n" else "lf"
        return Shape(ticket.encoding_of(name), "," if name == "csv" else "", newline)

    def _is_header(self, lines: Lines) -> bool:
        expected = lines.delimiter.join(heading(name, self._manifest.ticket.header) for name in self._columns)
        encoding = "gbk" if self._shape().encoding == "gbk" else "utf-8"
        return lines.buffer[lines.starts[0] : lines.ends[0]].tobytes() == expected.encode(encoding)

    def _note(self, code: str, message: str, row: int) -> None:
        self._notes.add(code, self._record.name, message, row)

    def _check_lines(self, lines: Lines, done: int) -> None:
        good = lines.counts() == len(self._columns)
        for place in np.flatnonzero(~good)[:FINDINGS_MAX].tolist():
            self._note("row", "the row is blank, or has too few or too many columns", lines.first + place)
        rows = np.flatnonzero(good)
        starts, ends = lines.cells(rows, len(self._columns))
        expected = self._record.first + done + rows
        for column, name in enumerate(self._columns):
            form = name.partition("_")[2]
            cells = starts[:, column], ends[:, column]
            if name == SERIAL:
                wrong = decimals(lines, *cells) != expected
                for place in np.flatnonzero(wrong)[:FINDINGS_MAX].tolist():
                    self._note("serial", f"serial {expected[place]} was expected", lines.first + int(rows[place]))
            elif form in ("code", "url"):
                self._check_codes(lines, rows, cells, name, expected)
            else:
                self._check_fixed(lines, rows, cells, name, expected)

    def _check_fixed(
        self, lines: Lines, rows: Places, cells: tuple[Places, Places], name: str, expected: Places
    ) -> None:
        """Cells that follow from the order alone: the product in each row, SSCCs."""
        label, _, form = name.partition("_")
        starts, ends = cells
        if form == "sscc":
            kind = Kind.of(label)
            first = int(expected[0]) if len(expected) else 0
            last = int(expected[-1]) if len(expected) else -1
            wanted = sscc_block(self._spec, kind, first, last + 1)[expected - first]
        else:
            encoding = "gbk" if self._shape().encoding == "gbk" else "utf-8"
            cell = np.frombuffer(self._constants[name].encode(encoding), dtype=np.uint8)
            wanted = np.broadcast_to(cell, (len(rows), len(cell)))
        same = ends - starts == wanted.shape[1]
        places = starts[same][:, None] + np.arange(wanted.shape[1])
        same[same] = (lines.buffer[places] == wanted[same]).all(axis=1)
        for place in np.flatnonzero(~same)[:FINDINGS_MAX].tolist():
            self._note(form or name, f"{name} is not as it should be", lines.first + int(rows[place]))

    def _check_codes(
        self, lines: Lines, rows: Places, cells: tuple[Places, Places], name: str, expected: Places
    ) -> None:
        """Verify codes that must be of serial ``expected``: this very equality makes them unique as well."""
        label, _, form = name.partition("_")
        starts, ends = cells
        prefix = np.frombuffer((self._manifest.url_prefix if form == "url" else "").encode("ascii"), dtype=np.uint8)
        whole = ends - starts == len(prefix) + CODE_LENGTH
        whole[whole] = (lines.buffer[starts[whole][:, None] + np.arange(len(prefix))] == prefix).all(axis=1)
        for place in np.flatnonzero(~whole)[:FINDINGS_MAX].tolist():
            self._note(form, f"{name} is not as it should be", lines.first + int(rows[place]))
        if self._verifier is None or not whole.any():
            return
        codes = lines.buffer[starts[whole][:, None] + (len(prefix) + np.arange(CODE_LENGTH))]
        block = self._verifier.read_range(codes)
        self._notes.codes += len(codes)
        kind, at = Kind.of(label), lines.first + rows[whole]
        right = (block.batches == self._manifest.batch) & (block.kinds == kind)
        right &= block.serials == expected[whole].astype(np.uint64)
        for index in np.flatnonzero(~block.genuine)[:FINDINGS_MAX]:
            self._note("forged", f"the {label} code does not verify", int(at[index]))
        for index in np.flatnonzero(block.genuine & ~right)[:FINDINGS_MAX]:
            found = f"{block.batches[index]} {Kind(int(block.kinds[index])).label} {block.serials[index]}"
            self._note("foreign", f"this code belongs elsewhere: {found}", int(at[index]))
