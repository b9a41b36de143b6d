"""Which of the eight masks a symbol gets: the penalty rules of ISO/IEC 18004, 7.8.3, on whole arrays of symbols.

Rows and columns of a symbol are bits of machine words, so that a rule is a few shifts and a count of ones
for all places of a line, all lines, all masks and many symbols at once. Evaluated is the symbol before its
format and version information is added (7.8 stands before 7.9), as the ``qrcode`` package does.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from batches.text import Integers

MASK_COUNT: Final = 8
MODULES_MAX: Final = 64  # a line is one word

_HALF_WORD: Final = 32
_SCRATCH: Final = 5


def is_paired(modules: int) -> bool:
    """Whether a row and a column share a word: rows in the upper half, columns in the lower."""
    return modules <= _HALF_WORD


def lines_of(symbols: NDArray[np.bool_]) -> Integers:
    """(…, n, n) modules, True is dark, as (…, lines) words: the first module is the highest bit of its word or half.

    Up to 32 modules, line i holds row i and column i; above, the rows stand before the columns.
    """
    modules = symbols.shape[-1]
    width = _HALF_WORD if is_paired(modules) else MODULES_MAX
    weights = np.uint64(1) << np.arange(width - 1, width - 1 - modules, -1, dtype=np.uint64)
    rows = (symbols * weights).sum(axis=-1, dtype=np.uint64)
    columns = (symbols.swapaxes(-1, -2) * weights).sum(axis=-1, dtype=np.uint64)
    if is_paired(modules):
        return np.asarray(rows << np.uint64(_HALF_WORD) | columns)
    return np.concatenate([rows, columns], axis=-1)


class Judge:
    """Penalties of symbols of one size; holds the memory for so many at a time. Not to be shared between threads."""

    def __init__(self, modules: int, shape: tuple[int, ...]) -> None:
        """``shape`` is (lines, …) as in ``lines_of``, but with the lines first."""
        self._modules = modules
        self._scratch = [np.empty(shape, dtype=np.uint64) for _ in range(_SCRATCH)]
        self._ones = np.empty(shape, dtype=np.uint8)
        self._all, self._pairs, self._cores = (self._first(modules - less) for less in (0, 1, 6))
        self._rows = slice(None) if is_paired(modules) else slice(modules)
        self._row_bits = np.uint64((1 << 64) - (1 << _HALF_WORD) if is_paired(modules) else (1 << 64) - 1)
        # The standard's rule in its own words and in floating point, as everybody computes it.
        area = modules**2
        shares = (int(abs(dark / area * 100 - 50) / 5) * 10 for dark in range(area + 1))
        self._balance = np.array(list(shares), dtype=np.uint16)

    def _first(self, count: int) -> np.uint64:
        """A word whose lines have ones in their first ``count`` places."""
        if is_paired(self._modules):
            half = (1 << _HALF_WORD) - (1 << _HALF_WORD - count)
            return np.uint64(half << _HALF_WORD | half)
        return np.uint64((1 << MODULES_MAX) - (1 << MODULES_MAX - count))

    def penalties(self, lines: Integers) -> NDArray[np.uint16]:
        """(lines, …) words in, (…) penalties out; the words are left as they are."""
        same = self._scratch[0]
        np.left_shift(lines, np.uint64(1), out=same)
        same ^= lines
        np.invert(same, out=same)
        same &= self._pairs  # bit i: modules i and i + 1 are alike
        total = self._runs(same)
        total += np.uint16(3) * self._squares(lines, same)
        total += np.uint16(40) * self._finders(lines)
        np.bitwise_and(lines, self._row_bits, out=same)
        total += self._balance[self._count(same[self._rows])]
        return total

    def _count(self, words: Integers) -> NDArray[np.uint16]:
        """Ones in (lines, …) words, summed over the lines."""
        ones = self._ones[: len(words)]
        np.bitwise_count(words, out=ones)
        total: NDArray[np.uint16] = np.add.reduce(ones, axis=0, dtype=np.uint16)
        return total

    def _runs(self, same: Integers) -> NDArray[np.uint16]:
        """Rule 1: a run of 5 alike costs 3, each further module 1: its fives, and 2 for the run."""
        fives, starts = self._scratch[1:3]
        np.left_shift(same, np.uint64(1), out=starts)
        starts &= same
        np.left_shift(starts, np.uint64(2), out=fives)
        fives &= starts  # bit i: modules i to i + 4 are alike
        np.right_shift(fives, np.uint64(1), out=starts)
        np.invert(starts, out=starts)
        starts &= fives
        return self._count(fives) + np.uint16(2) * self._count(starts)

    def _squares(self, lines: Integers, same: Integers) -> NDArray[np.uint16]:
        """Rule 2: squares of two by two alike; counted along the rows alone."""
        rows, pairs = lines[self._rows], same[self._rows]
        square = self._scratch[1][: len(rows) - 1]
        np.bitwise_xor(rows[:-1], rows[1:], out=square)
        np.invert(square, out=square)
        square &= pairs[:-1]
        square &= pairs[1:]
        square &= self._row_bits
        return self._count(square)

    def _finders(self, lines: Integers) -> NDArray[np.uint16]:
        """Rule 3: dark-light-dark-light-dark as 1:1:3:1:1 with four light modules before or after it."""
        light, shifted, core, quiet, either = self._scratch
        np.invert(lines, out=light)
        light &= self._all
        np.left_shift(light, np.uint64(1), out=quiet)
        quiet &= light
        np.left_shift(quiet, np.uint64(2), out=shifted)
        quiet &= shifted  # bit i: modules i to i + 3 are light
        np.bitwise_and(lines, self._cores, out=core)
        for place, colour in ((1, light), (2, lines), (3, lines), (4, lines), (5, light), (6, lines)):
            np.left_shift(colour, np.uint64(place), out=shifted)
            core &= shifted  # bit i: the pattern begins at module i
        np.left_shift(quiet, np.uint64(7), out=either)
        either &= core
        np.left_shift(core, np.uint64(4), out=shifted)
        shifted &= quiet
        return self._count(either) + self._count(shifted)
