"""Which codes were met before, and where: duplicates of millions of codes in bounded memory.

With a key every code has its serial, and four bytes a serial remember the row that had it first.
Without one, codes are compared by a 64-bit number each and sorted at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from batches.errors import TooMany
from batches.items import MAX_BATCH_COUNT
from batches.text import Bytes, Integers, read_symbols

UNKEYED_COUNT_MAX: Final = 30_000_000  # 12 bytes each, and as much again to sort them
TABLES_MAX: Final = 64  # batches times kinds

Rows = NDArray[np.uint32]  # over all files: where a row's file begins, plus its line
Pairs = tuple[Rows, Rows]  # a row and the row that had the same code before


class Serials:
    """Rows by batch, kind and serial."""

    def __init__(self) -> None:
        self._tables: dict[tuple[int, int], Rows] = {}

    def add(self, batch: int, kind: int, serials: Integers, rows: Rows) -> Pairs:
        """Note where these serials stand; those that stood elsewhere before come back. Raises TooMany."""
        table = self._table(batch, kind)
        places = serials.astype(np.intp)
        unique, first_at, group = np.unique(places, return_index=True, return_inverse=True)
        before = table[places].astype(np.int64) - 1
        in_this = rows[first_at][group]
        earlier = np.where(before >= 0, before, in_this)
        again = (before >= 0) | (first_at[group] != np.arange(len(places)))
        fresh = table[unique] == 0
        table[unique[fresh]] = rows[first_at[fresh]] + np.uint32(1)
        return rows[again], earlier[again].astype(np.uint32)

    def missing(self, batch: int, kind: int, first: int, last: int) -> tuple[int, list[tuple[int, int]]]:
        """How many serials of a range were never met, and the first ten gaps."""
        table = self._tables.get((batch, kind))
        if table is None:
            return last - first + 1, [(first, last)]
        absent = np.flatnonzero(table[first : last + 1] == 0) + first
        if not len(absent):
            return 0, []
        breaks = np.flatnonzero(np.diff(absent) > 1)
        starts = absent[np.concatenate([[0], breaks + 1])]
        ends = absent[np.concatenate([breaks, [len(absent) - 1]])]
        return len(absent), [(int(a), int(b)) for a, b in zip(starts[:10], ends[:10], strict=True)]

    def _table(self, batch: int, kind: int) -> Rows:
        if (batch, kind) not in self._tables:
            if len(self._tables) >= TABLES_MAX:
                raise TooMany("too many batches at once", format="batches", count=TABLES_MAX + 1, limit=TABLES_MAX)
            # Pages of zeros cost nothing until they are written to.
            self._tables[batch, kind] = np.zeros(MAX_BATCH_COUNT, dtype=np.uint32)
        return self._tables[batch, kind]


class Unkeyed:
    """Codes whose serial nobody here can read."""

    def __init__(self) -> None:
        self._numbers: list[Integers] = []
        self._rows: list[Rows] = []
        self._count = 0

    def add(self, codes: Bytes, rows: Rows) -> None:
        """Note (n, 20) codes and their rows. Raises TooMany above UNKEYED_COUNT_MAX."""
        self._count += len(codes)
        if self._count > UNKEYED_COUNT_MAX:
            raise TooMany(
                "too many codes to compare without a key",
                format="codes",
                count=self._count,
                limit=UNKEYED_COUNT_MAX,
            )
        self._numbers.append(_numbers(codes))
        self._rows.append(rows)

    def duplicates(self) -> Iterator[tuple[int, int]]:
        """Each row whose code stood elsewhere before, with the first row that had it."""
        if not self._numbers:
            return
        numbers, rows = np.concatenate(self._numbers), np.concatenate(self._rows)
        order = np.argsort(numbers, kind="stable")
        same = np.flatnonzero(numbers[order][1:] == numbers[order][:-1])
        origin = -1
        for place in same.tolist():
            origin = place if origin < 0 or numbers[order[origin]] != numbers[order[place]] else origin
            yield int(rows[order[place + 1]]), int(rows[order[origin]])


def _numbers(codes: Bytes) -> Integers:
    """(n,) 64-bit numbers of codes: two different codes of thirty million agree once in 40,000 such files."""
    high, low = read_symbols(codes, 0, 10), read_symbols(codes, 10, 10)
    mixed = (high ^ (high >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    found: Integers = (mixed + low) * np.uint64(0xBF58476D1CE4E5B9)
    return found ^ (found >> np.uint64(32))
