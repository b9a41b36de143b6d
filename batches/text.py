"""The text form of a code: twenty characters of Crockford base32, and what people make of them by hand.

Everything here is about characters and bits; nothing knows a key. A person who types a code may use
lower case, I or L for 1, O for 0, spaces, any hyphen, or a Chinese keyboard's full-width characters:
all of that is the same code. What is left over is refused with the reason and the place.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from batches.errors import CodeError

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH: Final = 20
BATCH_LENGTH: Final = 5  # 25 bits: the batch number fills the first five characters exactly
TEXT_LENGTH_MAX: Final = 80  # a code with a separator and a stray blank after each character

Bytes = NDArray[np.uint8]
Integers = NDArray[np.uint64]

_CANONICAL: Final = re.compile(f"[{ALPHABET}]{{{CODE_LENGTH}}}")
# Python reads base 32 with the digits 0-9A-V; one translation makes its integer parser ours.
_TO_PYTHON: Final = str.maketrans(ALPHABET, "0123456789ABCDEFGHIJKLMNOPQRSTUV")
_SYMBOLS: Final[Bytes] = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
_NO_VALUE: Final = 255
_VALUES: Final[Bytes] = np.full(256, _NO_VALUE, dtype=np.uint8)
_VALUES[_SYMBOLS] = np.arange(32, dtype=np.uint8)


class Malformed(CodeError):
    """Not twenty characters of the alphabet: a typing error, or no code at all.

    Facts: ``reason`` is "length" (with ``length``, ``expected``) or "character" (with ``character``
    and its 1-based ``position`` among the characters that count).
    """

    code = "malformed"


def _typed_forms() -> dict[int, str | None]:
    """The table for ``str.translate`` from what people type to the alphabet; None drops a character."""
    forms: dict[str, str | None] = dict(zip("ilo", "110", strict=True))
    forms |= {letter.lower(): letter for letter in ALPHABET if letter.isalpha()}
    forms |= {"I": "1", "L": "1", "O": "0"}
    # Full-width forms stand 0xFEE0 above ASCII; Chinese input methods produce them unasked.
    plain = {symbol: symbol for symbol in ALPHABET} | forms
    forms |= {chr(ord(symbol) + 0xFEE0): meant for symbol, meant in plain.items()}
    spaces = "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    spaces += "\u2028\u2029\u202f\u205f\u3000\u200b\u200c\u200d\u2060\ufeff"
    hyphens = "-\u00ad\u058a\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212"
    hyphens += "\u2e3a\u2e3b\u301c\u30fc\ufe58\ufe63\uff0d"
    forms |= dict.fromkeys(spaces + hyphens, None)
    return {ord(symbol): meant for symbol, meant in forms.items()}


_TYPED: Final = _typed_forms()


def normalise(text: str) -> str:
    """Return the canonical 20 characters of a code as scanned or typed.

    Raises Malformed when what remains is not 20 characters of Crockford base32 (U is not one).
    Source: scancode/docs/press.md; Crockford, "Base 32".
    """
    if _CANONICAL.fullmatch(text):
        return text
    if len(text) > TEXT_LENGTH_MAX:
        raise _wrong_length(text, len(text))
    typed = text.translate(_TYPED)
    if _CANONICAL.fullmatch(typed):
        return typed
    for position, symbol in enumerate(typed, start=1):
        if symbol not in ALPHABET:
            raise Malformed(
                f"{symbol!r} (character {position}) does not occur in codes",
                payload=text,
                reason="character",
                character=symbol,
                position=position,
            )
    raise _wrong_length(text, len(typed))


def _wrong_length(text: str, length: int) -> Malformed:
    return Malformed(
        f"a code has {CODE_LENGTH} characters, this has {length}",
        payload=text,
        reason="length",
        length=length,
        expected=CODE_LENGTH,
    )


def batch_of(text: str) -> int:
    """The batch number (0 to 2^25-1) that a code names: in clear, so no key is needed. Raises Malformed."""
    return int(normalise(text)[:BATCH_LENGTH].translate(_TO_PYTHON), 32)


def to_integer(canonical: str) -> int:
    """The 100-bit integer of a canonical code (as returned by ``normalise``)."""
    return int(canonical.translate(_TO_PYTHON), 32)


def from_integer(number: int) -> str:
    """The canonical 20 characters of a 100-bit integer, most significant first."""
    return "".join([ALPHABET[number >> shift & 31] for shift in range(5 * (CODE_LENGTH - 1), -1, -5)])


def spell_words(words: Integers, spare: Integers, flags: NDArray[np.bool_]) -> None:
    """Turn 40-bit integers into eight characters each, in place: the first character at the lowest address.

    ``words`` and ``spare`` have one shape, contiguous along the last axis; ``flags`` is eight times as long
    in the last axis. The five-bit groups are spread to bytes by halving, then a character is its value, the
    code of "0", and what the alphabet leaves out before it (after 9 seven signs; I, L, O and U one each).
    """
    for bits, lanes in ((20, 1), (10, 2), (5, 4)):
        width = 64 // lanes
        mask = np.uint64(sum((1 << bits) - 1 << width * lane for lane in range(lanes)))
        # The upper half of each lane goes to its lower end: that is where memory begins.
        np.bitwise_and(words, mask, out=spare)
        spare <<= np.uint64(width // 2)
        words >>= np.uint64(bits)
        words &= mask
        words |= spare
    values, skipped, ones = words.view(np.uint8), spare.view(np.uint8), flags.view(np.uint8)
    np.greater(values, 9, out=flags)
    np.left_shift(flags.view(np.uint64), np.uint64(3), out=spare)  # eight bytes at once: seven is eight less one
    skipped -= ones
    for last in (ALPHABET.index(letter) for letter in "HKNT"):  # each stands before a letter that is left out
        np.greater(values, last, out=flags)
        skipped += ones
    values += ord("0")
    values += skipped


def read_symbols(codes: Bytes, column: int, count: int) -> Integers:
    """The inverse of ``write_symbols``: (n,) integers from ``count`` (at most 12) characters of each row."""
    values = np.zeros(len(codes), dtype=np.uint64)
    for place in range(column, column + count):
        values <<= np.uint64(5)
        values |= _VALUES[codes[:, place]] & np.uint64(31)
    return values


def values_of(codes: Bytes) -> Bytes:
    """0 to 31 for each of (n, m) ASCII bytes of the (canonical) alphabet."""
    return _VALUES[codes]


def are_symbols(codes: Bytes) -> NDArray[np.bool_]:
    """For each row of (n, m) ASCII bytes whether all its characters are of the (canonical) alphabet."""
    found: NDArray[np.bool_] = (_VALUES[codes] != _NO_VALUE).all(axis=1)
    return found
