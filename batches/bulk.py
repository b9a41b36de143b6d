"""Codes by the million: the same numbers as for one code, an array at a time, in memory that is used again and again.

A ``Mint`` holds the buffers of one batch and kind. A block of serials becomes AES blocks, tags, seals and
characters with some sixty array operations and two AES calls, and no Python object for any code. All
buffers together fit the processor's cache; asking the system for fresh ones would cost as much as the work.
Words are laid out for little-endian processors, which all those are that the press runs on.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from numpy.typing import NDArray

from batches.items import SEALED_BITS, SERIAL_BITS
from batches.text import Integers, from_integer, spell_words

BLOCK_CODES: Final = 1 << 15  # tried from 2^11 to 2^16: the fastest, and half of 2^16's memory
HEAD_LENGTH: Final = 4  # characters that all codes of a batch share; the fifth is spelled with the rest
WORD_LENGTH: Final = 8

_TAG_BITS: Final = 48
_HALF: Final = (1 << 64) - 1
_FORTY: Final = np.uint64((1 << 40) - 1)


class Ciphers(NamedTuple):
    """The AES contexts of one K, ready for whole blocks, and the CMAC subkey of a full block."""

    tagging: CipherContext
    sealing: CipherContext
    subkey: int


def ciphers_of(key: bytes) -> Ciphers:
    """New contexts for K (32 bytes). A context serves one thread at a time."""
    tagging, sealing = (_encryptor(part) for part in (key[:16], key[16:]))
    # CMAC of exactly one full block is AES(M xor subkey): RFC 4493, figure 2.1.
    return Ciphers(tagging, sealing, _double(tagging.update(bytes(16))))


def _encryptor(key: bytes) -> CipherContext:
    # ECB is right here: each block is one independent code, and CMAC and the seal are built on top of it.
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305


def _double(block: bytes) -> int:
    """Multiply by x in GF(2^128): RFC 4493, section 2.3."""
    shifted = int.from_bytes(block, "big") << 1
    return shifted ^ (0x87 | 1 << 128) if shifted >> 128 else shifted


class Mint:
    """The codes of one batch and kind, at most ``block_codes`` at a time. Not to be shared between threads."""

    def __init__(self, key: bytes, batch: int, kind: int, block_codes: int = BLOCK_CODES) -> None:
        """Take K (32 bytes), a batch number and a kind that fit a code; see ``items.check_parts``."""
        self._ciphers = ciphers_of(key)
        self.head: bytes = from_integer(batch << (100 - 25))[:HEAD_LENGTH].encode("ascii")
        subkey = self._ciphers.subkey
        # The first word of P in the order of its digits, the second in the order of the machine's memory.
        self._first_word = np.uint64((batch << 32 | kind << 24) ^ subkey >> 64)
        self._second_word = np.frombuffer((subkey & _HALF).to_bytes(8, "big"), dtype="<u8")[0]
        self._open_kind = np.uint64(kind << SERIAL_BITS)
        self._batch_rest = np.uint64((batch & 31) << 35)
        self._steps = np.arange(block_codes, dtype=np.uint64)
        self._serials = np.empty_like(self._steps)
        self._tags = np.empty_like(self._steps)
        self._plain = np.zeros((block_codes, 2), dtype="<u8")
        self._ivs = np.zeros((block_codes, 2), dtype="<u8")  # their second words stay zero
        # ``update_into`` asks for a block less one more than it writes.
        self._sealed = np.empty(16 * block_codes + 15, dtype=np.uint8)
        self._words = np.empty((2, block_codes), dtype=np.uint64)
        self._spare = np.empty_like(self._words)
        self._flags = np.empty((2, block_codes * WORD_LENGTH), dtype=np.bool_)

    def words(self, first: int, count: int) -> Integers:
        """Characters 4 to 19 of the codes of serials ``first`` to ``first + count - 1``.

        Shape (2, count): a word holds eight characters in the order of memory. The array is valid until
        the next call. The other characters are ``head``.
        """
        serials, tags, spare = self._serials[:count], self._tags[:count], self._spare[0, :count]
        np.add(self._steps[:count], np.uint64(first), out=serials)
        self._tag(serials, tags, spare)
        self._encrypt(self._ciphers.sealing, self._ivs[:count], spare)
        spare >>= np.uint64(64 - SEALED_BITS)
        spare ^= serials
        spare ^= self._open_kind
        # 80 bits from the fifth character on: what is left of the batch (5), sealed (27), tag (48); in two halves.
        words = self._words[:, :count]
        np.left_shift(spare, np.uint64(8), out=words[0])
        words[0] |= self._batch_rest
        np.right_shift(tags, np.uint64(40), out=spare)
        words[0] |= spare
        np.bitwise_and(tags, _FORTY, out=words[1])
        spell_words(words, self._spare[:, :count], self._flags[:, : count * WORD_LENGTH])
        return words

    def _tag(self, serials: Integers, tags: Integers, spare: Integers) -> None:
        """Fill ``tags``, and the blocks from which the seals are made."""
        plain, ivs = self._plain[: len(serials)], self._ivs[: len(serials)]
        np.right_shift(serials, np.uint64(8), out=spare)
        spare ^= self._first_word
        plain[:, 0] = spare.view(">u8")
        np.bitwise_and(serials, np.uint64(255), out=spare)
        np.bitwise_xor(spare, self._second_word, out=plain[:, 1])
        self._encrypt(self._ciphers.tagging, plain, tags)
        tags >>= np.uint64(64 - _TAG_BITS)
        np.left_shift(tags, np.uint64(64 - _TAG_BITS), out=spare)
        ivs[:, 0] = spare.view(">u8")

    def _encrypt(self, context: CipherContext, blocks: NDArray[np.void], out: Integers) -> None:
        """Encrypt (n, 2) words as n AES blocks; leave the first word of each, read big-endian, in ``out``."""
        context.update_into(blocks.view(np.uint8).reshape(-1).data, self._sealed.data)
        out[:] = self._sealed[: 16 * len(blocks)].view(">u8")[::2]

    def write(self, rows: NDArray[np.uint8], column: int, first: int) -> None:
        """Lay the codes of serials from ``first`` on over (n, width) contiguous rows, 20 bytes from ``column`` on."""
        for start in range(0, len(rows), len(self._steps)):
            block = rows[start : start + len(self._steps)]
            block[:, column : column + HEAD_LENGTH] = np.frombuffer(self.head, dtype=np.uint8)
            words = self.words(first + start, len(block))
            for target, word in zip(word_columns(block, column + HEAD_LENGTH, 2), words, strict=True):
                target[:] = word


def word_columns(rows: NDArray[np.uint8], column: int, count: int) -> list[Integers]:
    """``count`` runs of eight bytes from ``column`` on as (n,) words over contiguous (n, width) rows."""
    if column + WORD_LENGTH * count > rows.shape[1]:
        raise ValueError("the words do not fit the row")
    if not len(rows):
        return [np.empty(0, dtype=np.uint64)] * count
    places = range(column, column + WORD_LENGTH * count, WORD_LENGTH)
    return [np.ndarray(len(rows), np.uint64, rows.data, place, (rows.shape[1],)) for place in places]
