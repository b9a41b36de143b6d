"""The two other draws beside the permutation: a random amount inside a prize, and the turn of a wheel with odds.

Both follow from the tranche's secret and the code's place alone, so that they can be proved once it is revealed:

    H(label, …) = the first 8 bytes, big-endian, of HMAC-SHA-256(secret, label | each number in 8 bytes, big-endian)

    amounts     The places of a line of the table go in pairs, 2p and 2p+1. With u = H("scancode.amount.1", line, p) mod
                (most - least + 1) the first gets least + u, the second most - u; one that is left over gets the middle,
                rounded down. Each amount is uniform, and the line adds up to count * (least + most) // 2 exactly.
    the wheel   H("scancode.wheel.1", index) * 1,000,000 >> 64 falls into the chances of the lines, laid end to end;
                beyond them there is no prize. The amount: least + H("scancode.wheel.2", index) mod (most - least + 1).
                Where the wheel stops at one more turn it is turned again, at most TURNS_MAX times in all; the k-th turn
                has k as a further number behind the index in both H. The last turn has no further one: there those
                lines are no prize.

The remainders are uniform to within 2^-40 for any amount that can exist.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

WHOLE_PPM: Final = 1_000_000
"""Chances are parts per million."""
TURNS_MAX: Final = 3
"""How often one code turns the wheel at most."""


def sum_of(least: int, most: int, count: int) -> int:
    """What a line of random amounts adds up to, exactly."""
    return count * (least + most) // 2


def amount_at(secret: bytes, *, line: int, index: int, least: int, most: int, count: int) -> int:
    """The amount at a place 0…count-1 of a line of the table."""
    if index == count - 1 and count % 2:
        return (least + most) // 2
    shift = _number(secret, b"scancode.amount.1", line, index // 2) % (most - least + 1)
    return most - shift if index % 2 else least + shift


def turn(secret: bytes, *, index: int, chances_ppm: Iterable[int], nth: int = 1) -> int | None:
    """Which line the wheel stops at in the n-th turn for a code's index within its tranche; None for no prize."""
    stop = _number(secret, b"scancode.wheel.1", *_turn_of(index, nth)) * WHOLE_PPM >> 64
    for line, chance in enumerate(chances_ppm):
        if stop < chance:
            return line
        stop -= chance
    return None


def amount_won(secret: bytes, *, index: int, least: int, most: int, nth: int = 1) -> int:
    """The amount that goes with a turn of the wheel."""
    return least + _number(secret, b"scancode.wheel.2", *_turn_of(index, nth)) % (most - least + 1)


def _turn_of(index: int, nth: int) -> tuple[int, ...]:
    return (index,) if nth == 1 else (index, nth)


def _number(secret: bytes, label: bytes, *numbers: int) -> int:
    text = label + b"".join(number.to_bytes(8, "big") for number in numbers)
    return int.from_bytes(hmac.digest(secret, text, hashlib.sha256)[:8], "big")
