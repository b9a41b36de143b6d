"""Symbols by the million: for a fixed version, level and mask a symbol is an affine function of its data bits.

Error correction, interleaving and placement only ever add bits modulo 2. So a symbol is that of a code of
twenty zeros, exclusive-or one table entry for each pair of characters of the code. The ``qrcode`` package
draws the symbol of zeros under each mask and says which modules hold data; everything else is numpy.
Source: ISO/IEC 18004, 7.4.4 (pairs of characters are 11 bits), 7.5 to 7.8.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import qrcode
from numpy.typing import NDArray
from qrcode.base import rs_blocks
from qrcode.util import ALPHA_NUM, MODE_ALPHA_NUM, BitBuffer, QRData, create_bytes, mode_sizes_for_version

from batches.masks import MASK_COUNT, MODULES_MAX, Judge, is_paired, lines_of
from batches.text import ALPHABET, CODE_LENGTH, Bytes, Integers, values_of

VERSION_MAX: Final = (MODULES_MAX - 17) // 4
BLOCK_JUDGED: Final = 256  # all masks of so many fit the processor's cache
BLOCK_FIXED: Final = 1 << 11
PREFIXES_KEPT: Final = 8

_PAIR_BITS: Final = 11
_LAST_BITS: Final = 6
_BASE: Final = len(ALPHA_NUM)
_ZEROS: Final = "0" * CODE_LENGTH


class _Table(NamedTuple):
    """What some neighbouring characters of a code change: their places, and (32 ** places, lines) words."""

    places: tuple[int, ...]
    words: Integers


class Symbols:
    """The symbols that say ``prefix`` and a code, level M, in the alphanumeric mode. Immutable and shared.

    ``version`` and ``modules`` are those of every such symbol: they depend on the length alone.
    """

    def __init__(self, prefix: str) -> None:
        """Raises ValueError where the symbol would be larger than version VERSION_MAX, or has other characters."""
        code = _code_of(prefix + _ZEROS, None)
        self.version: int = code.best_fit()
        self.modules: int = 17 + 4 * self.version
        if self.version > VERSION_MAX:
            raise ValueError(f"version {self.version} is larger than {VERSION_MAX}")
        self.row_bytes: int = (self.modules + 7) // 8
        self._drawn = lines_of(_under_all_masks(prefix, self.version, is_test=False)).T
        self._judged = lines_of(_under_all_masks(prefix, self.version, is_test=True)).T
        self._tables = _tables(prefix, self.version)

    def _changes(self, codes: Bytes) -> Integers:
        """(lines, n) words: what (n, 20) codes change in the symbol of zeros."""
        values = values_of(codes)
        total = np.zeros((len(codes), self._drawn.shape[0]), dtype=np.uint64)
        taken = np.empty_like(total)
        for places, words in self._tables:
            index = values[:, places[0]].astype(np.intp)
            if len(places) == 2:
                index *= len(ALPHABET)
                index += values[:, places[1]]
            np.take(words, index, axis=0, out=taken, mode="clip")
            total ^= taken
        return total

    def fixed(self, codes: Bytes, mask: int) -> Bytes:
        """The symbols of (n, 20) canonical codes under one mask: (n, modules, row_bytes), dark is 1."""
        out = np.empty((len(codes), self.modules, self.row_bytes), dtype=np.uint8)
        for start in range(0, len(codes), BLOCK_FIXED):
            found = self._changes(codes[start : start + BLOCK_FIXED])
            found ^= self._drawn[:, mask]
            out[start : start + BLOCK_FIXED] = self._rows(found)
        return out

    def standard(self, codes: Bytes) -> tuple[Bytes, NDArray[np.uint8]]:
        """The symbols of (n, 20) canonical codes, (n, modules, row_bytes), and the mask of each, (n,).

        The mask is the one with the least penalty, the first of several.
        """
        out = np.empty((len(codes), self.modules, self.row_bytes), dtype=np.uint8)
        masks = np.empty(len(codes), dtype=np.uint8)
        block = min(BLOCK_JUDGED, max(1, len(codes)))
        judge = self._new_judge(block)
        lines = np.empty((len(self._drawn), MASK_COUNT, block), dtype=np.uint64)
        for start in range(0, len(codes), block):
            found = self._changes(codes[start : start + block])
            if len(found) < block:  # the last few
                judge, lines = self._new_judge(len(found)), np.empty((*lines.shape[:2], len(found)), dtype=np.uint64)
            np.bitwise_xor(self._judged[:, :, np.newaxis], found.T[:, np.newaxis, :], out=lines)
            chosen = judge.penalties(lines).argmin(axis=0)
            masks[start : start + block] = chosen
            found ^= self._drawn.T[chosen]
            out[start : start + block] = self._rows(found)
        return out, masks

    def of(self, code: str) -> NDArray[np.bool_]:
        """The one symbol of this canonical code, (modules, modules), as ``symbols.symbol_of`` draws it but sooner."""
        rows, _ = self.standard(np.frombuffer(code.encode("ascii"), dtype=np.uint8).reshape(1, CODE_LENGTH))
        return np.unpackbits(rows[0], axis=1)[:, : self.modules].astype(np.bool_)

    def penalties(self, codes: Bytes) -> NDArray[np.uint16]:
        """(8, n) penalties of (n, 20) codes under every mask."""
        lines = self._judged[:, :, np.newaxis] ^ self._changes(codes).T[:, np.newaxis, :]
        return self._new_judge(len(codes)).penalties(lines)

    def _new_judge(self, count: int) -> Judge:
        return Judge(self.modules, (len(self._drawn), MASK_COUNT, count))

    def _rows(self, found: Integers) -> Bytes:
        """(n, lines) words as packed rows."""
        if not is_paired(self.modules):
            found = found[:, : self.modules]
        rows = found.astype(">u8").view(np.uint8).reshape(len(found), self.modules, 8)
        return rows[:, :, : self.row_bytes]


@lru_cache(maxsize=PREFIXES_KEPT)
def symbols_for(prefix: str) -> Symbols:
    """The symbols of an order: ``prefix`` is what stands before the code. Raises ValueError; see ``Symbols``."""
    return Symbols(prefix)


def _code_of(text: str, version: int | None) -> qrcode.QRCode:
    code = qrcode.QRCode(version=version, error_correction=qrcode.ERROR_CORRECT_M, border=0)
    code.add_data(QRData(text, mode=MODE_ALPHA_NUM))
    return code


def _under_all_masks(prefix: str, version: int, *, is_test: bool) -> NDArray[np.bool_]:
    """(8, n, n): the symbol of the code of zeros; ``is_test`` leaves format and version information light."""
    code = _code_of(prefix + _ZEROS, version)
    drawn = []
    for mask in range(MASK_COUNT):
        code.makeImpl(is_test, mask)
        drawn.append(np.array(code.modules, dtype=np.bool_))
    return np.stack(drawn)


def _tables(prefix: str, version: int) -> list[_Table]:
    """What each pair of characters of the code changes; a pair may begin in the prefix, and one may be left over."""
    data_at = 4 + mode_sizes_for_version(version)[MODE_ALPHA_NUM]
    prefix_length = len(prefix)
    end = prefix_length + CODE_LENGTH
    values = np.array([ALPHA_NUM.index(symbol.encode()) for symbol in ALPHABET])
    bits_of = _BitPatterns(version)
    found = []
    for first in range(prefix_length - prefix_length % 2, end, 2):
        bits_at = data_at + first // 2 * _PAIR_BITS
        places = tuple(place - prefix_length for place in (first, first + 1) if prefix_length <= place < end)
        if len(places) == 2:
            numbers = (values[:, np.newaxis] * _BASE + values).ravel()
        elif first < prefix_length:  # the pair's number is a sum, so what changes depends on the other character
            other = _BASE * ALPHA_NUM.index(prefix[-1].encode())
            numbers = other + values ^ other
        else:
            numbers = values
        width = _LAST_BITS if first + 1 == end else _PAIR_BITS
        words = np.zeros((len(numbers), bits_of.lines), dtype=np.uint64)
        for bit in range(width):
            is_set = (numbers >> (width - 1 - bit) & 1).astype(np.bool_)
            words[is_set] ^= bits_of.lines_of_bit(bits_at + bit)
        found.append(_Table(places, words))
    return found


class _BitPatterns:
    """Which modules one bit of the data turns over, its error correction included."""

    def __init__(self, version: int) -> None:
        self._blocks = rs_blocks(version, qrcode.ERROR_CORRECT_M)
        self._capacity = sum(block.data_count for block in self._blocks)
        self._plain = self._code_words([1] * self._capacity)  # the package cannot divide a block of zeros
        self._modules = 17 + 4 * version
        self._order = _order_of_modules(version, sum(block.total_count for block in self._blocks))
        self.lines: int = self._modules if is_paired(self._modules) else 2 * self._modules

    def _code_words(self, words: list[int]) -> Bytes:
        """Data words with their error correction, in the order of the symbol."""
        buffer = BitBuffer()
        buffer.buffer = words
        return np.array(create_bytes(buffer, self._blocks), dtype=np.uint8)

    def lines_of_bit(self, bit: int) -> Integers:
        """(lines,) words."""
        words = [1] * self._capacity
        words[bit // 8] ^= 0x80 >> bit % 8
        symbol = np.zeros((self._modules, self._modules), dtype=np.bool_)
        rows, columns = self._order.T
        symbol[rows, columns] = np.unpackbits(self._code_words(words) ^ self._plain)
        return lines_of(symbol)


def _order_of_modules(version: int, word_count: int) -> NDArray[np.intp]:
    """(bits, 2) rows and columns in the order in which code words fill them: 7.7.3, upwards and downwards in turn."""
    code = qrcode.QRCode(version=version, error_correction=qrcode.ERROR_CORRECT_M, border=0)
    drawn = []
    for word in (0x00, 0xFF):  # what differs between them holds data
        code.data_cache = [word] * word_count
        code.makeImpl(True, 0)
        drawn.append(np.array(code.modules, dtype=np.bool_))
    holds = drawn[0] ^ drawn[1]
    modules = len(holds)
    order: list[tuple[int, int]] = []
    for turn, right in enumerate((*range(modules - 1, 6, -2), 5, 3, 1)):  # column 6 is the timing pattern
        rows = range(modules - 1, -1, -1) if turn % 2 == 0 else range(modules)
        order += [(row, column) for row in rows for column in (right, right - 1) if holds[row, column]]
    return np.array(order, dtype=np.intp)
