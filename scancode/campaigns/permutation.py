"""The permutation behind an exact draw: the codes of a tranche, shuffled by a secret, one at a time.

A tranche of N codes has N places in its prize table. ``place_of`` sends the index of a code to its place: a bijection
of 0…N-1 that only the tranche's 32-byte secret knows, worked out for one index without looking at the others, so that
nothing is stored or counted at a draw and every prize of the table is held by exactly one code.

The construction is public, so that a revealed secret proves the draw. It is the generalised Feistel cipher with cycle
walking of Black and Rogaway, "Ciphers with Arbitrary Finite Domains" (CT-RSA 2002), methods 2 and 3:

    a   the least integer whose square is N or more;   b   the least integer with a * b >= N
    index = left * b + right,   left in 0…a-1,   right in 0…b-1
    ten rounds, r = 0…9:
        even r:  left  = (left  + F(r, right)) mod a
        odd r:   right = (right + F(r, left))  mod b
    F(r, v) = the first 8 bytes, big-endian, of HMAC-SHA-256(secret, "scancode.draw.1" | N (8 bytes) | r (1) | v (8))
    a result of N or more is sent through all rounds again, until it is less than N

a * b exceeds N by less than a, so hardly any index walks twice. Ten rounds are those of FF1 (NIST SP 800-38G), which
is built alike; the remainder of 64 bits by a or b is uniform to within 2^-45 for any tranche that can exist.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from math import isqrt
from typing import Final

ROUNDS: Final = 10
SECRET_BYTES: Final = 32
LABEL: Final = b"scancode.draw.1"


def place_of(secret: bytes, size: int, index: int) -> int:
    """Where in 0…size-1 the code with this index falls. Raises ValueError for a wrong secret, size or index."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"the secret of a tranche has {SECRET_BYTES} bytes, this has {len(secret)}")
    if not 0 <= index < size:
        raise ValueError(f"index {index} is outside a tranche of {size}")
    lefts = isqrt(size - 1) + 1
    rights = -(-size // lefts)
    keyed = _keyed(secret, LABEL + size.to_bytes(8, "big"))
    place = index
    while True:
        place = _once(keyed, lefts, rights, place)
        if place < size:
            return place


_Keyed = tuple["hashlib._Hash", "hashlib._Hash"]


@lru_cache(maxsize=256)
def _keyed(secret: bytes, head: bytes) -> _Keyed:
    """HMAC-SHA-256 (RFC 2104) under the secret, up to the end of ``head``: its inner and its outer hash, to be copied.

    ``hmac.digest`` gives the same, but lets go of the interpreter's lock at each call, ten times a draw.
    """
    key = secret.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + head)
    return inner, hashlib.sha256(bytes(byte ^ 0x5C for byte in key))


def _once(keyed: _Keyed, lefts: int, rights: int, place: int) -> int:
    left, right = divmod(place, rights)
    for turn in range(0, ROUNDS, 2):
        left = (left + _mix(keyed, turn, right)) % lefts
        right = (right + _mix(keyed, turn + 1, left)) % rights
    return left * rights + right


def _mix(keyed: _Keyed, turn: int, value: int) -> int:
    inner, outer = keyed[0].copy(), keyed[1].copy()
    inner.update((turn << 64 | value).to_bytes(9, "big"))
    outer.update(inner.digest())
    return int.from_bytes(outer.digest()[:8], "big")
