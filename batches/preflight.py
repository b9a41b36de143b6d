"""The print house's preflight: what is wrong with files of codes, whoever wrote them.

Any mixture of CSV, TXT and XLSX is read as it comes: encoding, delimiter and line ends are seen, columns
of codes and addresses are found by what stands in them. Blank and truncated rows, codes that occur
twice (within and across files), codes of other batches, forged ones, overlapping ranges and, with a
manifest, missing codes are noted. Findings are collected, not raised; memory stays bounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from batches.archives import Sent
from batches.codes import Block, Verifier
from batches.columns import Roles, roles_of
from batches.errors import BadTable
from batches.items import Kind
from batches.manifest import Manifest
from batches.seen import Rows, Serials, Unkeyed
from batches.tables import Lines, Mask, Places, Shape, fits, read_lines, shape_of
from batches.text import BATCH_LENGTH, CODE_LENGTH, Bytes, Malformed, are_symbols, normalise, read_symbols

SHOWN_MAX: Final = 20  # findings of one sort in one file; the rest is counted
FINDINGS_MAX: Final = 200_000
FILES_MAX: Final = 1_000
BATCHES_MAX: Final = 1_000

VerifierFor = Callable[[int], Sequence[Verifier]]  # candidates for a batch number, none where it is foreign


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. ``row`` is the 1-based line, 0 for the whole file; ``facts`` fill its sentence."""

    code: str
    file: str
    row: int
    facts: dict[str, str]


@dataclass(frozen=True)
class FileFacts:
    """What one file turned out to be. ``ranges``: first and last serial by batch and kind (only with a key)."""

    name: str
    shape: Shape
    rows: int
    codes: int
    batches: tuple[int, ...]
    ranges: dict[tuple[int, Kind], tuple[int, int]]


@dataclass(frozen=True)
class Report:
    """The result: ``findings`` (at most SHOWN_MAX of a sort and file) and how often each sort occurred."""

    files: tuple[FileFacts, ...]
    findings: tuple[Finding, ...]
    counts: dict[str, int]
    codes_verified: int

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.counts


@dataclass
class _Notes:
    shown_max: int = SHOWN_MAX
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    shown: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, code: str, file: str, row: int = 0, **facts: str) -> None:
        self.counts[code] += 1
        self.shown[code, file] += 1
        if self.shown[code, file] <= self.shown_max and len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(code, file, row, facts))


@dataclass
class _File:
    """One file under way. ``offset`` is the number of all rows before it."""

    name: str
    shape: Shape
    offset: int
    rows: int = 0
    codes: int = 0
    batches: set[int] = field(default_factory=set)
    ranges: dict[tuple[int, Kind], tuple[int, int]] = field(default_factory=dict)


def any_of(keys: Sequence[bytes]) -> VerifierFor:
    """Verifiers of keys whose batches nobody has named: all of them are tried on every batch."""
    verifiers = [Verifier(key) for key in keys]
    return lambda number: verifiers


def check_files(
    paths: Sequence[Path | Sent],
    *,
    verifiers: VerifierFor | None = None,
    manifest: Manifest | None = None,
    on_progress: Callable[[int, str], None] | None = None,
    shown_max: int = SHOWN_MAX,
) -> Report:
    """Check files of codes. ``verifiers`` knows keys, ``manifest`` says what is expected; both may be missing.

    ``on_progress`` gets rows read and the file's name, and may raise to stop. ``shown_max`` findings of one sort in
    one file are kept, the others counted. Raises TooMany, OSError.
    """
    sent = [path if isinstance(path, Sent) else Sent(path, path.name) for path in paths]
    if len(sent) > FILES_MAX:
        raise BadTable(f"more than {FILES_MAX} files", file=str(len(sent)), reason="files")
    check = _Preflight(verifiers, manifest, on_progress, shown_max)
    for file in sent:
        check.read(file)
    return check.report()


class _Preflight:
    def __init__(
        self,
        verifiers: VerifierFor | None,
        manifest: Manifest | None,
        on_progress: Callable[[int, str], None] | None,
        shown_max: int,
    ) -> None:
        self._verifiers = verifiers
        self._manifest = manifest
        self._prefix = None if manifest is None else manifest.url_prefix.encode("ascii")
        self._on_progress = on_progress
        self._notes = _Notes(shown_max)
        self._files: list[_File] = []
        self._serials = Serials()
        self._unkeyed = Unkeyed()
        self._verified = 0
        self._opened: set[int] = set()

    def read(self, sent: Sent) -> None:
        """Check one file by itself, and its codes against those of the files before."""
        shape = shape_of(sent.path)
        before = self._files[-1] if self._files else None
        file = _File(sent.name, shape, before.offset + before.rows if before else 0)
        self._files.append(file)
        try:
            if sent.fault:
                raise BadTable(f"{sent.name}: {sent.fault}", file=sent.name, reason=sent.fault)
            self._read(file, sent.path)
        except BadTable as error:
            self._notes.add("unreadable", file.name, reason=str(error.facts["reason"]))

    def _read(self, file: _File, path: Path) -> None:
        shape = file.shape
        if shape.newline in ("mixed", "cr"):
            self._notes.add("newline", file.name, found=shape.newline)
        if shape.encoding in ("unknown", "utf-16"):
            self._notes.add("encoding", file.name, found=shape.encoding)
        roles: Roles | None = None
        for lines in read_lines(path, shape):
            if roles is None:
                roles = roles_of(lines)
                if not roles.groups:
                    self._notes.add("no_codes", file.name)
                    return
                self._prefix = self._prefix or roles.prefix
            self._check(file, lines, roles)
            if self._on_progress is not None:
                self._on_progress(file.offset + file.rows, file.name)
        if roles is None:
            self._notes.add("empty", file.name)
        if len(file.batches) > 1:
            self._notes.add("mixed", file.name, batches=", ".join(map(str, sorted(file.batches)[:10])))

    def _check(self, file: _File, lines: Lines, roles: Roles) -> None:
        file.rows += len(lines)
        if not fits(lines.buffer, file.shape.encoding):
            self._notes.add("encoding", file.name, lines.first, found=str(file.shape.encoding))
        counts = lines.counts()
        blank = lines.starts == lines.ends
        head = np.zeros(len(lines), dtype=np.bool_)
        head[0] = roles.has_header and lines.first == 1
        for place in np.flatnonzero(blank):
            self._notes.add("blank", file.name, lines.first + int(place))
        torn = ~blank & ~head & (counts != roles.columns)
        for place in np.flatnonzero(torn):
            found = str(int(counts[place]))
            self._notes.add("columns", file.name, lines.first + int(place), found=found, expected=str(roles.columns))
        rows = np.flatnonzero(~blank & ~torn & ~head)
        if not len(rows):
            return
        starts, ends = lines.cells(rows, roles.columns)
        for group in roles.groups:
            first = None
            for column in group:
                codes, good = self._column(file, lines, rows, starts[:, column], ends[:, column], roles.forms[column])
                if first is None:
                    first = codes, good
                    self._codes(file, codes[good], (lines.first + rows[good]).astype(np.uint32))
                else:
                    differ = good & first[1] & (codes != first[0]).any(axis=1)
                    for place in rows[differ]:
                        self._notes.add("pair", file.name, lines.first + int(place))

    def _column(
        self, file: _File, lines: Lines, rows: Places, starts: Places, ends: Places, form: str
    ) -> tuple[Bytes, Mask]:
        """The codes of one column, (n, 20), and which of them are whole. What is not is noted."""
        prefix = (self._prefix or b"") if form == "url" else b""
        width = len(prefix) + CODE_LENGTH
        whole = ends - starts == width
        codes = np.zeros((len(rows), CODE_LENGTH), dtype=np.uint8)
        at = starts[whole]
        if form == "url" and len(at):
            same = (lines.buffer[at[:, None] + np.arange(len(prefix))] == np.frombuffer(prefix, np.uint8)).all(axis=1)
            whole[np.flatnonzero(whole)[~same]] = False
            at = starts[whole]
        codes[whole] = lines.buffer[at[:, None] + (len(prefix) + np.arange(CODE_LENGTH))]
        whole[whole] = are_symbols(codes[whole])
        for place in np.flatnonzero(~whole):
            cell = lines.text(int(starts[place]), int(ends[place]))
            mended = self._mended(file, cell, lines.first + int(rows[place]), form)
            if mended is not None:
                codes[place] = np.frombuffer(mended.encode(), dtype=np.uint8)
                whole[place] = True
        return codes, whole

    def _mended(self, file: _File, cell: str, row: int, form: str) -> str | None:
        """A code that is written otherwise (lower case, hyphens, another host), or None: then it is noted."""
        head, slash, tail = cell.strip().rpartition("/")
        try:
            code = normalise(tail)
        except Malformed:
            self._notes.add("truncated" if len(tail) < CODE_LENGTH else "malformed", file.name, row, cell=cell[:80])
            return None
        expected = (self._prefix or b"").decode("ascii")
        if form == "url" and (head + slash).upper() != expected:
            self._notes.add("address", file.name, row, cell=cell[:80], expected=expected)
        elif form == "url" and head + slash != expected:
            self._notes.add("case", file.name, row, cell=cell[:80])
        return code

    def _codes(self, file: _File, codes: Bytes, rows: Rows) -> None:
        """Codes of one kind and the lines in which they stand."""
        file.codes += len(codes)
        numbers = read_symbols(codes, 0, BATCH_LENGTH)
        for number in np.unique(numbers).tolist():
            here = numbers == number
            if len(file.batches) < BATCHES_MAX:
                file.batches.add(number)
            if self._manifest is not None and number != self._manifest.batch:
                self._foreign(file, codes[here], rows[here], number)
            elif self._verifiers is None:
                self._unkeyed.add(codes[here], rows[here] + np.uint32(file.offset))
            else:
                self._verify(file, codes[here], rows[here], number)

    def _verify(self, file: _File, codes: Bytes, rows: Rows, number: int) -> None:
        best: Block | None = None
        for verifier in self._verifiers(number) if self._verifiers else ():
            block = verifier.read_range(codes)
            if best is None or block.genuine.sum() > best.genuine.sum():
                best = block
        # A key belongs to one batch: where it has opened one, a batch of which it opens nothing is another's.
        if best is None or (self._opened - {number} and number not in self._opened and not best.genuine.any()):
            self._foreign(file, codes, rows, number)
            return
        genuine = best.genuine
        if genuine.any():
            self._opened.add(number)
        self._verified += int(genuine.sum())
        for place in np.flatnonzero(~genuine):
            self._notes.add("forged", file.name, int(rows[place]), cell=codes[place].tobytes().decode())
        for kind in np.unique(best.kinds[genuine]).tolist():
            mine = genuine & (best.kinds == kind)
            serials = best.serials[mine]
            self._range(file, number, Kind(kind), int(serials.min()), int(serials.max()))
            again, earlier = self._serials.add(number, kind, serials, rows[mine] + np.uint32(file.offset))
            for place, origin in zip(again.tolist(), earlier.tolist(), strict=True):
                self._duplicate(place, origin)

    def _foreign(self, file: _File, codes: Bytes, rows: Rows, number: int) -> None:
        for place in range(len(codes)):
            self._notes.add(
                "foreign", file.name, int(rows[place]), cell=codes[place].tobytes().decode(), batch=str(number)
            )

    def _range(self, file: _File, number: int, kind: Kind, first: int, last: int) -> None:
        known = file.ranges.get((number, kind), (first, last))
        file.ranges[number, kind] = min(known[0], first), max(known[1], last)

    def _duplicate(self, row: int, earlier: int) -> None:
        there, here = self._place(earlier), self._place(row)
        self._notes.add("duplicate", here[0], here[1], other=there[0], other_row=str(there[1]))

    def _place(self, row: int) -> tuple[str, int]:
        """The file and the line of a row counted over all files."""
        file = next(each for each in reversed(self._files) if each.offset < row)
        return file.name, row - file.offset

    def report(self) -> Report:
        """Everything that was found, after what only shows when all files are read."""
        for row, earlier in self._unkeyed.duplicates():
            self._duplicate(row, earlier)
        self._check_overlaps()
        if self._manifest is not None and self._verifiers is not None:
            self._check_missing(self._manifest)
        facts = tuple(
            FileFacts(file.name, file.shape, file.rows, file.codes, tuple(sorted(file.batches)), file.ranges)
            for file in self._files
        )
        return Report(facts, tuple(self._notes.findings), dict(self._notes.counts), self._verified)

    def _check_overlaps(self) -> None:
        spans: dict[tuple[int, Kind], list[tuple[int, int, str]]] = {}
        for file in self._files:
            for what, (first, last) in file.ranges.items():
                spans.setdefault(what, []).append((first, last, file.name))
        for (_, kind), found in spans.items():
            reach: tuple[int, str] | None = None
            for first, last, name in sorted(found):
                if reach is not None and first <= reach[0]:
                    ends = str(first), str(min(last, reach[0]))
                    self._notes.add("overlap", name, other=reach[1], kind=kind.label, first=ends[0], last=ends[1])
                reach = (last, name) if reach is None or last > reach[0] else reach

    def _check_missing(self, manifest: Manifest) -> None:
        met = {kind for file in self._files for number, kind in file.ranges if number == manifest.batch}
        for kind in sorted(met):
            count, gaps = self._serials.missing(manifest.batch, kind, manifest.first, manifest.last)
            if count:
                shown = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in gaps)
                self._notes.add("missing", self._files[-1].name, kind=kind.label, count=str(count), gaps=shown)
