"""What the columns of a stranger's table hold, found by looking: codes, addresses, or neither.

A code and its address stand side by side in one row and are one code; outer and inner code of an item
are two. So columns that hold the same code form a group, and each group is checked once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from batches.tables import COLUMNS_MAX, Lines
from batches.text import CODE_LENGTH, Malformed, normalise

SAMPLE_ROWS: Final = 50


@dataclass(frozen=True)
class Roles:
    """The columns of a table: ``groups`` of columns with the same code, ``forms`` of each ("code" or "url").

    ``prefix`` is what stands before the code in the first address, as it would be printed: upper case.
    """

    columns: int
    has_header: bool
    groups: tuple[tuple[int, ...], ...]
    forms: dict[int, str]
    prefix: bytes


def roles_of(lines: Lines) -> Roles:
    """What the columns hold, judged by the first lines of a file."""
    counts = lines.counts()
    filled = np.flatnonzero(lines.starts != lines.ends)[: SAMPLE_ROWS + 1]
    if not len(filled):
        return Roles(1, False, (), {}, b"")
    columns = min(int(np.bincount(counts[filled]).argmax()), COLUMNS_MAX)
    sample = [place for place in filled.tolist() if counts[place] == columns]
    table = [_row(lines, place, columns) for place in sample]
    codes = [[_code(cell) for cell in row] for row in table]
    usual = [column for column in range(columns) if 2 * sum(row[column] is not None for row in codes) > len(codes)]
    if len(codes) == 2 and not usual:  # a header and one row
        usual = [column for column in range(columns) if codes[1][column] is not None]
    has_header = bool(codes) and sample[0] == 0 and all(codes[0][column] is None for column in usual)
    good = [place for place, row in enumerate(codes) if all(row[column] is not None for column in usual)]
    if not usual or not good:
        return Roles(columns, has_header, (), {}, b"")
    cells, found = table[good[0]], codes[good[0]]
    forms = {column: "url" if "/" in cells[column] else "code" for column in usual}
    groups: dict[str, list[int]] = {}
    for column in usual:
        groups.setdefault(str(found[column]), []).append(column)
    prefix = next((cells[column].strip()[:-CODE_LENGTH] for column in usual if forms[column] == "url"), "")
    return Roles(
        columns, has_header, tuple(map(tuple, groups.values())), forms, prefix.upper().encode("ascii", "replace")
    )


def _row(lines: Lines, place: int, columns: int) -> list[str]:
    starts, ends = lines.cells(np.array([place]), columns)
    return [lines.text(int(start), int(end)) for start, end in zip(starts[0], ends[0], strict=True)]


def _code(cell: str) -> str | None:
    """The code in a cell or at the end of an address, or None."""
    try:
        return normalise(cell.strip().rpartition("/")[2])
    except Malformed:
        return None
