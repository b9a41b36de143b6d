"""The line's association file: which item went into which case, which case onto which pallet. Read as arrays.

A row is ``item,case,pallet`` (in this order, or as the header says); a cell is a code or its address, an item may be a
serial where the file is of one batch. Nothing here asks the database: what a batch's codes look like is handed in.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from batches.codes import CODE_LENGTH, Kind, Malformed, Verifier, normalise
from batches.items import SEALED_BITS, SERIAL_BITS
from batches.text import BATCH_LENGTH, are_symbols, read_symbols
from scancode.codes.typed import code_in
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.packing.rules import Ids, Level

ROWS_MAX = 2_000_000
ROWS_AT_ONCE = 50_000
PROBLEMS_MAX = 100_000
COLUMNS = (Level.ITEM, Level.CASE, Level.PALLET)
NOTHING = -1
_UNREADABLE = "U" * CODE_LENGTH  # U is in no code
HEADERS = {
    Level.ITEM: {"item", "code", "serial", "单品", "单品码", "商品码", "产品码", "内码", "外码", "码", "序号"},
    Level.CASE: {"case", "box", "carton", "箱", "箱码", "外箱"},
    Level.PALLET: {"pallet", "垛", "垛码", "托盘", "托盘码"},
}
PROBLEMS = {
    "malformed": N_("no complete code"),
    "foreign": N_("not a code of this brand: forged, or of another"),
    "outside": N_("beyond the batch, or of a kind that it does not have"),
    "not_ready": N_("of a batch that is not ready"),
    "wrong_kind": N_("of the wrong kind for this column"),
    "empty_row": N_("neither an item in a case nor a case on a pallet"),
    "twice": N_("stands in the file more than once"),
    "two_parents": N_("this case stands on more than one pallet"),
    "wrong_count": N_("this case or pallet does not hold as many as it should"),
    "packed_before": N_("packed before, by hand or by another file"),
    "in_use": N_("this case or pallet holds something already"),
    "dead": N_("void or recalled"),
}
"""Machine codes of what can be wrong with a line, as the error file names them."""


class FileUnreadable(Refusal):
    code = "association_unreadable"
    text = N_("This is no text file with columns: save it as CSV in UTF-8 or GBK.")
    status = 422


class ColumnsMissing(Refusal):
    code = "association_columns"
    text = N_("The file needs a column of cases beside one of items or of pallets: item,case,pallet.")
    status = 422


class TooManyRows(Refusal):
    code = "association_rows"
    text = N_("The file has more than {limit} rows. Split it between two cases.")
    status = 422


@dataclass(frozen=True)
class BatchKey:
    """What it takes to read the codes of a batch."""

    verifier: Verifier
    count: int
    kinds: frozenset[int]
    is_ready: bool


@dataclass(frozen=True)
class Problem:
    line: int
    column: str
    code: str
    cell: str = ""


@dataclass
class Rows:
    """What was read: unit ids (n,), NOTHING where a cell is empty or wrong, with the line each row stands on."""

    lines: Ids
    columns: dict[Level, Ids]
    problems: list[Problem] = field(default_factory=list)

    def add(self, line: int, column: str, code: str, cell: str = "") -> None:
        if len(self.problems) <= PROBLEMS_MAX:
            self.problems.append(Problem(line, column, code, cell[:60]))


class CodeReader:
    """Reads cells of codes into unit ids with the keys of the brand's batches."""

    def __init__(self, keys: Mapping[int, BatchKey] | Callable[[int], BatchKey | None]) -> None:
        self._find = keys if callable(keys) else keys.get

    def read(self, cells: Sequence[str]) -> tuple[Ids, list[tuple[int, str]]]:
        """(n,) unit ids, and (place, problem) of each cell that is none."""
        ids = np.full(len(cells), NOTHING, dtype=np.int64)
        if not cells:
            return ids, []
        text = "".join([cell if len(cell) == CODE_LENGTH else _canonical(cell) for cell in cells])
        rows = np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8).reshape(-1, CODE_LENGTH)
        odd = np.flatnonzero(~are_symbols(rows))
        if len(odd):
            rows = rows.copy()
            for place in odd.tolist():
                rows[place] = np.frombuffer(_canonical(cells[place]).encode(), dtype=np.uint8)
        readable = are_symbols(rows)
        wrong = [(place, "malformed") for place in np.flatnonzero(~readable).tolist()]
        batches = read_symbols(rows, 0, BATCH_LENGTH)
        for number in np.unique(batches[readable]).tolist():
            places = np.flatnonzero(readable & (batches == number))
            key = self._find(number)
            if key is None:
                wrong += [(place, "foreign") for place in places.tolist()]
                continue
            wrong += self._of_batch(number, key, rows, places, ids)
        return ids, sorted(wrong)

    def _of_batch(
        self, number: int, key: BatchKey, rows: NDArray[np.uint8], places: NDArray[np.intp], ids: Ids
    ) -> list[tuple[int, str]]:
        block = key.verifier.read_range(np.ascontiguousarray(rows[places]))
        kinds, serials = block.kinds.astype(np.int64), block.serials.astype(np.int64)
        fits = np.isin(kinds, sorted(key.kinds)) & (serials < key.count)
        levels = np.where(kinds == Kind.OUTER, int(Level.ITEM), kinds)
        good = block.genuine & fits & key.is_ready
        ids[places[good]] = (number << SEALED_BITS) | (levels[good] << SERIAL_BITS) | serials[good]
        wrong = [(place, "foreign") for place in places[~block.genuine].tolist()]
        wrong += [(place, "outside") for place in places[block.genuine & ~fits].tolist()]
        if not key.is_ready:
            wrong += [(place, "not_ready") for place in places[block.genuine & fits].tolist()]
        return wrong


def _canonical(cell: str) -> str:
    try:
        return normalise(code_in(cell))
    except Malformed:
        return _UNREADABLE


def read_file(
    path: Path, reader: CodeReader, *, batch: tuple[int, BatchKey] | None, on_rows: Callable[[int], None]
) -> Rows:
    """The whole file. ``on_rows`` hears how many rows are read, and may raise to stop.

    Raises FileUnreadable, ColumnsMissing, TooManyRows.
    """
    lines: list[Ids] = []
    parts: dict[Level, list[Ids]] = {level: [] for level in COLUMNS}
    found = Rows(np.zeros(0, dtype=np.int64), {})
    done = 0
    for numbers, cells in _pieces(path):
        done += len(numbers)
        if done > ROWS_MAX:
            raise TooManyRows(limit=ROWS_MAX)
        lines.append(np.array(numbers, dtype=np.int64))
        for level in COLUMNS:
            parts[level].append(_read_column(found, numbers, cells[level], level, reader, batch))
        on_rows(done)
    if not done:
        raise ColumnsMissing
    found.lines = np.concatenate(lines)
    found.columns = {level: np.concatenate(parts[level]) for level in COLUMNS}
    return found


def _read_column(
    found: Rows,
    numbers: Sequence[int],
    cells: Sequence[str],
    level: Level,
    reader: CodeReader,
    batch: tuple[int, BatchKey] | None,
) -> Ids:
    ids = np.full(len(cells), NOTHING, dtype=np.int64)
    filled = [place for place, cell in enumerate(cells) if cell]
    if not filled:
        return ids
    wanted = [cells[place] for place in filled]
    if level is Level.ITEM and batch is not None and all(len(cell) < 10 and cell.isdecimal() for cell in wanted):
        got, wrong = _serials(wanted, *batch)
    else:
        got, wrong = _once_each(reader, wanted) if level is not Level.ITEM else reader.read(wanted)
    ids[filled] = got
    for place, code in wrong:
        found.add(numbers[filled[place]], level.label, code, wanted[place])
    kinds = (ids >> SERIAL_BITS) & 3
    for place in np.flatnonzero((ids != NOTHING) & (kinds != int(level))).tolist():
        found.add(numbers[place], level.label, "wrong_kind", cells[place])
        ids[place] = NOTHING
    return ids


def _once_each(reader: CodeReader, cells: Sequence[str]) -> tuple[Ids, list[tuple[int, str]]]:
    """Codes of cases repeat from row to row: each is read once."""
    place_of: dict[str, int] = {}
    places = np.array([place_of.setdefault(cell, len(place_of)) for cell in cells], dtype=np.intp)
    ids, wrong = reader.read(list(place_of))
    bad = dict(wrong)
    repeated = [(place, bad[which]) for place, which in enumerate(places.tolist()) if which in bad] if bad else []
    return ids[places], repeated


def _serials(cells: Sequence[str], number: int, key: BatchKey) -> tuple[Ids, list[tuple[int, str]]]:
    serials = np.array([int(cell) for cell in cells], dtype=np.int64)
    fits = serials < key.count
    ids = np.where(fits, (number << SEALED_BITS) | (int(Level.ITEM) << SERIAL_BITS) | serials, NOTHING)
    return ids, [(place, "outside") for place in np.flatnonzero(~fits).tolist()]


def _pieces(path: Path) -> Iterator[tuple[list[int], dict[Level, list[str]]]]:
    """Line numbers and cells by column, so many rows at a time."""
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        start = file.read(4096)
        file.seek(0)
        if "\x00" in start:
            raise FileUnreadable
        rows = csv.reader(file, delimiter=_delimiter(start))
        try:
            first = next(rows, [])
            places = _places(first)
            if places is None:
                places = {level: place for place, level in enumerate(COLUMNS[: len(first)])}
                first_line = 1
            else:
                first, first_line = [], 2
            if Level.CASE not in places or len(places) < 2:
                raise ColumnsMissing
            yield from _gathered(rows, first, first_line, places)
        except (csv.Error, UnicodeDecodeError) as error:
            raise FileUnreadable from error


def _gathered(
    rows: Iterator[list[str]], first: list[str], first_line: int, places: Mapping[Level, int]
) -> Iterator[tuple[list[int], dict[Level, list[str]]]]:
    numbers: list[int] = []
    cells: dict[Level, list[str]] = {level: [] for level in COLUMNS}
    line = first_line
    row: list[str] | None = first or next(rows, None)
    while row is not None:
        if any(row):
            numbers.append(line)
            for level in COLUMNS:
                place = places.get(level, NOTHING)
                cells[level].append(row[place].strip() if 0 <= place < len(row) else "")
        if len(numbers) >= ROWS_AT_ONCE:
            yield numbers, cells
            numbers, cells = [], {level: [] for level in COLUMNS}
        row = next(rows, None)
        line += 1
    if numbers:
        yield numbers, cells


def _encoding(path: Path) -> str:
    """UTF-8 (with or without BOM), or GBK. A file of codes is ASCII all the same: its start decides."""
    start = path.read_bytes()[:4096] if path.stat().st_size <= 4096 else _start(path)
    try:
        io.TextIOWrapper(io.BytesIO(start.rsplit(b"\n", 1)[0]), encoding="utf-8").read()
        return "utf-8-sig"
    except UnicodeDecodeError:
        return "gb18030"


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096)


def _delimiter(start: str) -> str:
    line = start.split("\n", 1)[0]
    return max((",", "\t", ";"), key=line.count)


def _places(header: Sequence[str]) -> dict[Level, int] | None:
    """Where each column stands, when this row is a header."""
    names = [re.sub(r"[\s_]|code$", "", cell.strip().lower()) or cell.strip().lower() for cell in header]
    found = {
        level: place
        for level in COLUMNS
        for place, name in enumerate(names)
        if name in HEADERS[level] or header[place].strip() in HEADERS[level]
    }
    return found or None


def check(rows: Rows, *, case_size: int | None, pallet_size: int | None, may_be_short: bool) -> None:
    """Adds what is wrong with the file in itself: nothing in a row, repeats, two pallets, wrong counts."""
    item, case, pallet = (rows.columns[level] for level in COLUMNS)
    is_wrong = {problem.line for problem in rows.problems}
    pairs = ((item != NOTHING) & (case != NOTHING)) | ((case != NOTHING) & (pallet != NOTHING))
    for line in rows.lines[~pairs].tolist():
        if line not in is_wrong:
            rows.add(line, "", "empty_row")
    _check_repeats(rows, item)
    lined, which = _first_of_each(case, pallet)
    _check_pallets(rows, case, pallet, lined, which)
    _check_counts(rows, Level.CASE, case[(item != NOTHING)], rows.lines[item != NOTHING], case_size, may_be_short)
    on_pallet = which[(pallet[which] != NOTHING) & (case[which] != NOTHING)]
    _check_counts(rows, Level.PALLET, pallet[on_pallet], rows.lines[on_pallet], pallet_size, may_be_short)


def _check_repeats(rows: Rows, item: Ids) -> None:
    there = np.flatnonzero(item != NOTHING)
    order = there[np.argsort(item[there], kind="stable")]
    again = order[1:][item[order][1:] == item[order][:-1]]
    for place in sorted(again.tolist())[: PROBLEMS_MAX + 1]:
        rows.add(int(rows.lines[place]), Level.ITEM.label, "twice")


def _first_of_each(case: Ids, pallet: Ids) -> tuple[Ids, NDArray[np.intp]]:
    """The rows at which each pair of case and pallet stands first."""
    both = np.flatnonzero((case != NOTHING) & (pallet != NOTHING))
    pairs = np.stack([case[both], pallet[both]], axis=1) if len(both) else np.zeros((0, 2), dtype=np.int64)
    if not len(both):
        return pairs, both
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    arranged = pairs[order]
    is_new = np.ones(len(order), dtype=np.bool_)
    is_new[1:] = (arranged[1:] != arranged[:-1]).any(axis=1)
    return arranged[is_new], both[order[is_new]]


def _check_pallets(rows: Rows, case: Ids, pallet: Ids, pairs: Ids, which: NDArray[np.intp]) -> None:
    for place in np.flatnonzero(pairs[1:, 0] == pairs[:-1, 0]).tolist() if len(pairs) > 1 else ():
        rows.add(int(rows.lines[which[place + 1]]), Level.CASE.label, "two_parents")


def _check_counts(rows: Rows, level: Level, parents: Ids, lines: Ids, size: int | None, may_be_short: bool) -> None:
    held = parents != NOTHING
    if size is None or not held.any():
        return
    _, firsts, counts = np.unique(parents[held], return_index=True, return_counts=True)
    wrong = counts > size if may_be_short else counts != size
    for place in firsts[wrong].tolist():
        rows.add(int(lines[held][place]), level.label, "wrong_count")


def pairs_of(rows: Rows) -> list[tuple[Ids, Ids]]:
    """(children, parents) of items in cases, and of cases on pallets; each pair once."""
    item, case, pallet = (rows.columns[level] for level in COLUMNS)
    inside = (item != NOTHING) & (case != NOTHING)
    pairs, _ = _first_of_each(case, pallet)
    return [(item[inside], case[inside]), (pairs[:, 0], pairs[:, 1])]
