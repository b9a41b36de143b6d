"""Rows of text files as arrays: bytes that never change, with serials and codes laid over them.

A plan says what stands in a row; it is a small value that another process can be given. A maker has the
memory: one block of rows that keeps its fixed bytes and gets new serials and codes again and again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from batches.bulk import BLOCK_CODES, HEAD_LENGTH, Mint, word_columns
from batches.items import Kind
from batches.text import CODE_LENGTH, Bytes

_GROUP: Final = 4
_GROUP_COUNT: Final = 10**_GROUP


def _numerals() -> Bytes:
    """ASCII of 0000 to 9999, shape (10000, 4)."""
    left = np.arange(_GROUP_COUNT)
    places = [left // 10**place % 10 + ord("0") for place in reversed(range(_GROUP))]
    return np.stack(places, axis=1).astype(np.uint8)


_NUMERALS: Final = _numerals()
_NUMERAL_WORDS: Final = _NUMERALS.view(np.uint32).ravel()


class Column(Protocol):
    """A cell that depends on the serial and is not a code. Must pickle, so that other processes can be given it."""

    def width(self, digits: int) -> int:
        """How many bytes it takes in rows whose serials have so many digits."""

    def lay(self, rows: Bytes, column: int, first: int) -> None:
        """Write it into contiguous (n, width) rows of serials ``first``, ``first + 1``, … from byte ``column`` on."""


@dataclass(frozen=True)
class Serials:
    """The serial in decimal, without leading zeros."""

    def width(self, digits: int) -> int:
        """As wide as the serial."""
        return digits

    def lay(self, rows: Bytes, column: int, first: int) -> None:
        """See ``Column``. All serials of ``rows`` must have as many digits as ``first``."""
        digits = len(str(first))
        done = 0
        while done < len(rows):  # runs that agree in all but the last four digits
            low = (first + done) % _GROUP_COUNT
            run = rows[done : done + _GROUP_COUNT - low]
            upper = str(first + done).encode("ascii")[:-_GROUP]
            for place, digit in enumerate(upper, start=column):
                run[:, place] = digit
            if digits >= _GROUP:
                words = np.ndarray(len(run), np.uint32, run.data, column + len(upper), (run.shape[1],))
                words[:] = _NUMERAL_WORDS[low : low + len(run)]
            else:
                run[:, column : column + digits] = _NUMERALS[low : low + len(run), _GROUP - digits :]
            done += len(run)


SERIALS: Final = Serials()
Cell = bytes | Kind | Column  # what is the same in every row, the code of a kind, or something else


@dataclass(frozen=True)
class RowPlan:
    """What stands in a row of batch ``number``, cell after cell, separators and line end included."""

    key: bytes = field(repr=False)
    number: int
    cells: tuple[Cell, ...]

    def row_bytes(self, digits: int) -> int:
        """The length of a row whose serial has so many digits."""
        return sum(_width(cell, digits) for cell in self.cells)

    def size_bytes(self, first: int, end: int) -> int:
        """The length of all rows of serials ``first`` to ``end - 1``."""
        runs = spans(first, end)
        return sum((stop - start) * self.row_bytes(len(str(start))) for start, stop in runs)

    def maker(self) -> RowMaker:
        """Something that makes these rows."""
        return RowMaker(self)


def spans(first: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut ``first`` to ``end - 1`` into runs of serials of equally many digits."""
    while first < end:
        stop = min(end, 10 ** len(str(first)))
        yield first, stop
        first = stop


class RowMaker:
    """Makes the rows of one plan, block by block, in memory of its own. Not to be shared between threads."""

    def __init__(self, plan: RowPlan) -> None:
        self._plan = plan
        kinds = {cell for cell in plan.cells if isinstance(cell, Kind)}
        self._mints = {kind: Mint(plan.key, plan.number, kind) for kind in kinds}
        self._digits = 0
        self._rows: Bytes = np.empty((0, 0), dtype=np.uint8)
        self._codes_at: dict[Kind, list[int]] = {}
        self._columns_at: list[tuple[Column, int]] = []

    def blocks(self, first: int, end: int) -> Iterator[Bytes]:
        """The rows of serials ``first`` to ``end - 1``: contiguous (n, width), each valid until the next."""
        for start, stop in spans(first, end):
            self._lay_out(len(str(start)))
            for place in range(start, stop, BLOCK_CODES):
                rows = self._rows[: min(BLOCK_CODES, stop - place)]
                for kind, columns in self._codes_at.items():
                    words = self._mints[kind].words(place, len(rows))
                    for column in columns:
                        for target, word in zip(word_columns(rows, column, len(words)), words, strict=True):
                            target[:] = word
                for cell, column in self._columns_at:
                    cell.lay(rows, column, place)
                yield rows

    def _lay_out(self, digits: int) -> None:
        """Prepare the block for serials of so many digits: its fixed bytes, and where the others go."""
        if digits == self._digits:
            return
        template = bytearray()
        self._codes_at, self._columns_at = {kind: [] for kind in self._mints}, []
        for cell in self._plan.cells:
            if isinstance(cell, bytes):
                template += cell
            elif isinstance(cell, Kind):
                self._codes_at[cell].append(len(template) + HEAD_LENGTH)
                template += self._mints[cell].head + bytes(CODE_LENGTH - HEAD_LENGTH)
            else:
                self._columns_at.append((cell, len(template)))
                template += bytes(cell.width(digits))
        self._rows = np.tile(np.frombuffer(template, dtype=np.uint8), (BLOCK_CODES, 1))
        self._digits = digits


def _width(cell: Cell, digits: int) -> int:
    if isinstance(cell, bytes):
        return len(cell)
    return CODE_LENGTH if isinstance(cell, Kind) else cell.width(digits)
