"""The code: its kinds, its integer, its key, minting and verifying. The format of scancode/docs/press.md.

A code is AES-SIV in miniature: a 48-bit tag over batch, kind and serial, and that tag is the synthetic
IV under which kind and serial are sealed. One code at a time goes through ``Verifier``; millions go
through ``mint_range`` and ``read_range`` as numpy arrays, one AES call per block of codes (``bulk``). Keys never
appear in a representation or in an error.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from cryptography.hazmat.primitives.ciphers import CipherContext
from itsdangerous import Signer
from numpy.typing import NDArray

from batches.bulk import BLOCK_CODES, Ciphers, Mint, ciphers_of
from batches.errors import CodeError
from batches.items import (
    MAX_BATCH_COUNT,
    SEALED_BITS,
    SEALED_MASK,
    SERIAL_BITS,
    SERIAL_MASK,
    Kind,
    OutOfRange,
    Parts,
    UnknownKind,
    check_parts,
    code_id,
    out_of_range,
    parts_of,
    split_code_id,
)
from batches.text import (
    ALPHABET,
    BATCH_LENGTH,
    CODE_LENGTH,
    Bytes,
    Integers,
    Malformed,
    are_symbols,
    batch_of,
    from_integer,
    normalise,
    read_symbols,
    to_integer,
)

__all__ = [
    "CODE_LENGTH",
    "MAX_BATCH_COUNT",
    "Block",
    "CodeError",
    "Forged",
    "Kind",
    "Malformed",
    "OutOfRange",
    "Parts",
    "UnknownKind",
    "Verifier",
    "batch_of",
    "code_id",
    "derive_key",
    "mint_one",
    "mint_range",
    "near_miss",
    "normalise",
    "read_range",
    "split_code_id",
    "verify",
]

TAG_BITS: Final = 48
TAG_BYTES: Final = TAG_BITS // 8
KEY_BYTES: Final = 32
BATCH_SALT_BYTES: Final = 16
CHUNK_CODES: Final = 1 << 16  # 1 MB of AES blocks: the size at which ``update_into`` is fastest

_TAG_MASK: Final = (1 << TAG_BITS) - 1
_BLOCK_PAD: Final = bytes(16 - TAG_BYTES)


class Forged(CodeError):
    """Twenty good characters whose tag does not match: not made by us, or mistyped. Facts: ``batch``."""

    code = "forged"


class Block(NamedTuple):
    """What ``read_range`` found in n codes; rows that are not genuine hold meaningless numbers."""

    genuine: NDArray[np.bool_]
    batches: Integers
    kinds: Integers
    serials: Integers


def derive_key(secret: bytes | str, batch_salt: bytes) -> bytes:
    """K of one batch, 32 bytes, from the service's secret and the batch's 16 random bytes.

    Raises ValueError for an empty secret or a salt of another length: both would weaken every code
    silently. Source: scancode/docs/press.md.
    """
    if not secret:
        raise ValueError("the code secret is empty")
    if len(batch_salt) != BATCH_SALT_BYTES:
        raise ValueError(f"a batch salt has {BATCH_SALT_BYTES} bytes, this has {len(batch_salt)}")
    salt = b"scancode.batch." + batch_salt
    signer = Signer(secret, salt=salt, key_derivation="hmac", digest_method=hashlib.sha256)
    return signer.derive_key()


class Verifier:
    """Mints and verifies single codes under one K, with everything prepared that does not depend on the code.

    Safe to share between threads. Creating an AES context costs ten times as much as using one, and
    a context must not be used by two threads at once; so idle contexts wait in a list. ``list.pop``
    and ``list.append`` are atomic, hence no lock; there are never more contexts than threads were ever
    inside at once. ECB over whole blocks carries no state from one code to the next.
    """

    __slots__ = ("_idle", "_key")

    def __init__(self, key: bytes) -> None:
        """Take K (32 bytes, from ``derive_key``). Raises ValueError for any other length."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a batch key has {KEY_BYTES} bytes, this has {len(key)}")
        self._key = bytes(key)
        self._idle = [ciphers_of(self._key)]

    def __repr__(self) -> str:
        return "Verifier(…)"

    @staticmethod
    def _tag_of(ciphers: Ciphers, batch: int, open_bits: int) -> bytes:
        """48 bits of AES-CMAC over P = batch (4 bytes) | kind (1) | serial (4) | 7 zero bytes."""
        block = batch << 96 | (open_bits >> SERIAL_BITS) << 88 | (open_bits & SERIAL_MASK) << 56
        return ciphers.tagging.update((block ^ ciphers.subkey).to_bytes(16, "big"))[:TAG_BYTES]

    @staticmethod
    def _pad_of(ciphers: Ciphers, tag: bytes) -> int:
        """The 27 bits that seal kind and serial under this tag."""
        return int.from_bytes(ciphers.sealing.update(tag + _BLOCK_PAD)[:4], "big") >> (32 - SEALED_BITS)

    def verify(self, text: str) -> Parts:
        """What a code says, in whatever form it was typed. Raises Malformed, Forged."""
        number = to_integer(normalise(text))
        batch = number >> (SEALED_BITS + TAG_BITS)
        tag = (number & _TAG_MASK).to_bytes(TAG_BYTES, "big")
        try:
            ciphers = self._idle.pop()
        except IndexError:
            ciphers = ciphers_of(self._key)
        open_bits = (number >> TAG_BITS & SEALED_MASK) ^ self._pad_of(ciphers, tag)
        expected = self._tag_of(ciphers, batch, open_bits)
        self._idle.append(ciphers)
        if not hmac.compare_digest(tag, expected):
            raise Forged("the code's tag does not match", payload=text, batch=batch)
        return parts_of(batch, open_bits)

    def mint(self, batch: int, kind: int, serial: int) -> str:
        """The one code of this item. Raises OutOfRange."""
        check_parts(batch, kind, serial)
        open_bits = kind << SERIAL_BITS | serial
        try:
            ciphers = self._idle.pop()
        except IndexError:
            ciphers = ciphers_of(self._key)
        tag = self._tag_of(ciphers, batch, open_bits)
        sealed = open_bits ^ self._pad_of(ciphers, tag)
        self._idle.append(ciphers)
        head = batch << SEALED_BITS | sealed
        return from_integer(head << TAG_BITS | int.from_bytes(tag, "big"))

    def mint_range(self, batch: int, kind: int, first: int, count: int) -> Bytes:
        """Codes ``first`` to ``first + count - 1`` as ASCII, shape (count, 20). Raises OutOfRange.

        The result takes 20 bytes a code; callers that write files ask for a chunk at a time.
        """
        check_parts(batch, kind, first)
        if count < 0 or first + count > MAX_BATCH_COUNT:
            raise out_of_range("last serial", first + count - 1, MAX_BATCH_COUNT)
        out = np.empty((count, CODE_LENGTH), dtype=np.uint8)
        Mint(self._key, batch, kind, max(1, min(count, BLOCK_CODES))).write(out, 0, first)
        return out

    def read_range(self, codes: Bytes) -> Block:
        """Verify n canonical codes at once: ASCII of shape (n, 20) in, arrays of shape (n,) out.

        Rows with other characters than the alphabet's are not genuine; nothing is raised for them.
        """
        found: list[Block] = []
        ciphers = ciphers_of(self._key)
        for start in range(0, len(codes), CHUNK_CODES):
            rows = codes[start : start + CHUNK_CODES]
            batches = read_symbols(rows, 0, BATCH_LENGTH)
            high = read_symbols(rows, 4, 8)
            tags = (high & np.uint64(255)) << np.uint64(40) | read_symbols(rows, 12, 8)
            open_bits = (high >> np.uint64(8) & np.uint64(SEALED_MASK)) ^ self._pads(ciphers, tags)
            genuine = are_symbols(rows) & (self._tags(ciphers, batches, open_bits) == tags)
            kinds = open_bits >> np.uint64(SERIAL_BITS)
            found.append(Block(genuine, batches, kinds, open_bits & np.uint64(SERIAL_MASK)))
        if not found:
            empty = np.zeros(0, dtype=np.uint64)
            return Block(np.zeros(0, dtype=np.bool_), empty, empty, empty)
        return Block(*(np.concatenate(column) for column in zip(*found, strict=True)))

    @staticmethod
    def _tags(ciphers: Ciphers, batches: Integers, open_bits: Integers) -> Integers:
        """(n,) 48-bit tags of (n,) batches and kind-and-serial integers."""
        kinds = open_bits >> np.uint64(SERIAL_BITS)
        serials = open_bits & np.uint64(SERIAL_MASK)
        halves = np.empty((len(batches), 2), dtype=">u8")
        head = batches << np.uint64(32) | kinds << np.uint64(24) | serials >> np.uint64(8)
        halves[:, 0] = head ^ np.uint64(ciphers.subkey >> 64)
        halves[:, 1] = serials << np.uint64(56) ^ np.uint64(ciphers.subkey & (1 << 64) - 1)
        return _first_halves(ciphers.tagging, halves) >> np.uint64(64 - TAG_BITS)

    @staticmethod
    def _pads(ciphers: Ciphers, tags: Integers) -> Integers:
        """(n,) 27-bit pads of (n,) tags."""
        halves = np.zeros((len(tags), 2), dtype=">u8")
        halves[:, 0] = tags << np.uint64(64 - TAG_BITS)
        return _first_halves(ciphers.sealing, halves) >> np.uint64(64 - SEALED_BITS)


def _first_halves(context: CipherContext, blocks: NDArray[np.void]) -> Integers:
    """Encrypt (n, 2) big-endian words as n AES blocks; return the first word of each, (n,), native."""
    out = np.empty(16 * len(blocks) + 15, dtype=np.uint8)  # ``update_into`` asks for a block less one more
    written = context.update_into(blocks.view(np.uint8).data, out.data)
    return out[:written].view(">u8")[::2].astype(np.uint64)


def mint_one(key: bytes, batch: int, kind: int, serial: int) -> str:
    """The 20 characters of one item. Raises OutOfRange. For many, keep a ``Verifier``."""
    return Verifier(key).mint(batch, kind, serial)


def verify(key: bytes, text: str) -> Parts:
    """What a code says under K. Raises Malformed, Forged. For many, keep a ``Verifier``."""
    return Verifier(key).verify(text)


def mint_range(key: bytes, batch: int, kind: int, first: int, count: int) -> Bytes:
    """``count`` codes from serial ``first`` on: ASCII, shape (count, 20). Raises OutOfRange."""
    return Verifier(key).mint_range(batch, kind, first, count)


def read_range(key: bytes, codes: Bytes) -> Block:
    """Verify (n, 20) ASCII codes at once; see ``Verifier.read_range``."""
    return Verifier(key).read_range(codes)


def near_miss(verifier_for: Callable[[int], Verifier | None], text: str) -> bool:
    """Whether one wrong character, or two neighbours swapped, is all that keeps ``text`` from being genuine.

    ``verifier_for`` answers for a batch number from memory (None: no such batch); it is asked at most
    161 times. Of the 639 variants most keep the batch and are tried in one array. Raises Malformed.

    Only the fact is told, never the corrected code. Even so an answer is worth 9 bits of the 48-bit
    tag to a guesser, so call it for codes typed by hand and within a rate limit.
    """
    canonical = normalise(text)
    batch = batch_of(canonical)
    kept: list[str] = []
    for variant in _variants(canonical):
        if variant.startswith(canonical[:BATCH_LENGTH]):
            kept.append(variant)
            continue
        verifier = verifier_for(batch_of(variant))
        if verifier is not None and _is_genuine(verifier, variant):
            return True
    verifier = verifier_for(batch)
    if verifier is None:
        return False
    codes = np.frombuffer("".join(kept).encode(), dtype=np.uint8).reshape(-1, CODE_LENGTH)
    return bool(verifier.read_range(codes).genuine.any())


def _variants(canonical: str) -> list[str]:
    """All 620 substitutions and up to 19 swaps of neighbours of a canonical code."""
    variants = []
    for place, old in enumerate(canonical):
        head, tail = canonical[:place], canonical[place + 1 :]
        variants += [head + new + tail for new in ALPHABET if new != old]
        if tail and tail[0] != old:
            variants.append(head + tail[0] + old + tail[1:])
    return variants


def _is_genuine(verifier: Verifier, code: str) -> bool:
    try:
        verifier.verify(code)
    except Forged:
        return False
    return True
