"""Files that name codes one a line: camera rejects of a line to be voided, cases and pallets of a shipment. CSV, TXT or
XLSX in any usual encoding; the first cell of a line counts. Read as arrays, so that a million lines are no matter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from batches.items import SERIAL_MASK
from batches.tables import is_workbook, read_lines, shape_of
from scancode.codes.rules import Range
from scancode.codes.typed import RangeMissing, TooManyLines, merge
from scancode.packing.association import NOTHING, PROBLEMS_MAX, BatchKey, CodeReader, Problem
from scancode.packing.rules import Level, Unit

LINES_MAX = 2_000_000
UNITS_MAX = 200_000
"""Cases, pallets and items that one shipment may name singly."""
_SERIALS = re.compile(r"([0-9]{1,9})(?:\s*(?:-|–|—|~|～|至|到|\.\.)\s*([0-9]{1,9}))?")
_HEADINGS = re.compile(r"[^0-9]{1,40}")
OnRows = Callable[[int], None]


@dataclass
class Found:
    """What a file named: ranges of serials (with a batch) or units, and the lines that name nothing."""

    ranges: list[Range] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lines: int = 0

    def blame(self, line: int, code: str, cell: str) -> None:
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(line, "", code, cell[:60]))


def count_lines(path: Path) -> int:
    """How many lines a text has, so that a bar knows its end; of a workbook nobody can tell so cheaply."""
    if is_workbook(path):
        return 0
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))


def read_ranges(path: Path, *, number: int, key: BatchKey, on_rows: OnRows) -> Found:
    """The serials of one batch that a file names by code, address, serial or range of serials, merged.

    Raises TooManyLines, RangeMissing, BadTable (no text that can be read), and what ``on_rows`` raises.
    """
    found, reader = Found(), CodeReader({number: key})
    for numbers, cells in first_cells(path, found, LINES_MAX, on_rows):
        codes = []
        for line, cell in zip(numbers, cells, strict=True):
            match = _SERIALS.fullmatch(cell)
            if match is None:
                codes.append((line, cell))
                continue
            first = int(match[1])
            last = int(match[2]) if match[2] else first
            if first <= last < key.count:
                found.ranges.append((first, last))
            else:
                found.blame(line, "outside", cell)
        ids = _read(reader, codes, found)
        found.ranges += [(serial, serial) for serial in np.unique(ids & SERIAL_MASK).tolist()]
    found.ranges = list(merge(found.ranges))
    if not found.ranges and not found.problems:
        raise RangeMissing
    return found


def read_units(path: Path, *, keys: Mapping[int, BatchKey], on_rows: OnRows) -> Found:
    """The items, cases and pallets that a file names by their codes. Raises as ``read_ranges``."""
    found, reader = Found(), CodeReader(keys)
    for numbers, cells in first_cells(path, found, UNITS_MAX, on_rows):
        ids = _read(reader, list(zip(numbers, cells, strict=True)), found)
        found.units += [Unit.of(each) for each in ids.tolist()]
    found.units = list(dict.fromkeys(found.units))
    if not found.units and not found.problems:
        raise RangeMissing
    return found


def _read(reader: CodeReader, codes: list[tuple[int, str]], found: Found) -> np.ndarray:
    ids, wrong = reader.read([cell for _, cell in codes])
    for place, problem in wrong:
        found.blame(codes[place][0], problem, codes[place][1])
    good: np.ndarray = ids[ids != NOTHING]
    return good


def first_cells(path: Path, found: Found, limit: int, on_rows: OnRows) -> Iterator[tuple[list[int], list[str]]]:
    """Line numbers and first cells, some thousands at a time; blank lines and a heading are left out."""
    for lines in read_lines(path, shape_of(path)):
        found.lines = lines.first + len(lines) - 1
        if found.lines > limit:
            raise TooManyLines(limit=limit)
        numbers, cells = [], []
        for place, (start, end) in enumerate(zip(lines.starts.tolist(), lines.ends.tolist(), strict=True)):
            text = lines.text(start, end)
            cell = re.split(r"[,;\t\x1f]", text, maxsplit=1)[0].strip().strip('"').strip()
            if cell and not (lines.first + place == 1 and _HEADINGS.fullmatch(cell)):
                numbers.append(lines.first + place)
                cells.append(cell)
        yield numbers, cells
        on_rows(found.lines)


def levels_of(units: list[Unit]) -> dict[str, int]:
    """How many of each level, for the page."""
    counted = dict.fromkeys((level.label for level in Level), 0)
    for unit in units:
        counted[unit.level.label] += 1
    return counted
