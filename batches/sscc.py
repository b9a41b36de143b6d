"""Serial Shipping Container Codes: 18 digits that name a case or a pallet, and their bars.

An SSCC is the company prefix between an extension digit and a serial reference, and a check digit (GS1
General Specifications, 2.6 and 7.9). Here extension digit and reference are one number counted from 0, so
a prefix of seven digits names ten thousand million units. As bars it stands in GS1-128 behind AI (00).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from batches.errors import BadSpec
from batches.text import Bytes

SSCC_LENGTH: Final = 18
PREFIX_LENGTHS: Final = range(4, 13)
BARS_MODULES: Final = 156  # start, FNC1, ten pairs, check: 13 of 11 modules; stop: 13

_ZERO: Final = ord("0")
_START_C: Final = 105
_FNC1: Final = 102
_STOP: Final = 106
# ISO/IEC 15417, table 1: widths of bars and spaces in turn, of the symbols 0 to 106.
_DIGITS: Final = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222123122123221"
    "223211221132221231213212223112312131311222321122321221312212322112322211212123212321232121111323131123131321"
    "112313132113132311211313231113231311112133112331132131113123113321133121313121211331231131213113213311213131"
    "311123311321331121312113312311332111314111221411431111111224111422121124121421141122141221112214112412122114"
    "122411142112142211241211221114413111241112134111111242121142121241114212124112124211411212421112421211212141"
    "214121412121111143111341131141114113114311411113411311113141114131311141411131211412211214211232"
)
_WIDTHS: Final = (*(_DIGITS[place : place + 6] for place in range(0, len(_DIGITS), 6)), "2331112")


def is_prefix(text: str) -> bool:
    """Whether this can be a GS1 company prefix: 4 to 12 digits."""
    return len(text) in PREFIX_LENGTHS and text.isascii() and text.isdigit()


def capacity(prefix: str) -> int:
    """How many units a company prefix can name."""
    return int(10 ** (SSCC_LENGTH - 1 - len(prefix)))


def sscc_of(prefix: str, reference: int) -> str:
    """The 18 digits of one unit. Raises BadSpec for an impossible prefix or a reference beyond its capacity."""
    return bytes(sscc_range(prefix, reference, 1)[0]).decode("ascii")


def sscc_range(prefix: str, first: int, count: int, step: int = 1) -> Bytes:
    """``count`` SSCCs of references ``first``, ``first + step``, …: ASCII, shape (count, 18). Raises BadSpec."""
    if not is_prefix(prefix):
        raise BadSpec(
            f"company prefix {prefix!r} is not 4 to 12 digits", payload=prefix, field="sscc_prefix", value=prefix
        )
    if first < 0 or first + step * (count - 1) >= capacity(prefix):
        last = first + step * (count - 1)
        raise BadSpec(
            f"prefix {prefix} names {capacity(prefix)} units, not number {last}", field="sscc_first", value=str(last)
        )
    out = np.empty((count, SSCC_LENGTH), dtype=np.uint8)
    left = np.arange(count, dtype=np.int64) * step + first
    digits = SSCC_LENGTH - 1 - len(prefix)
    out[:, 1 : 1 + len(prefix)] = np.frombuffer(prefix.encode("ascii"), dtype=np.uint8)
    places = [0, *range(1 + len(prefix), SSCC_LENGTH - 1)]
    for place in reversed(places[:digits]):
        out[:, place] = left % 10 + _ZERO
        left //= 10
    out[:, -1] = check_digits(out[:, :-1]) + _ZERO
    return out


def check_digits(digits: Bytes) -> NDArray[np.int64]:
    """(n,) GS1 check digits of (n, m) ASCII digits: weights 3 and 1 from the right."""
    weights = np.where(np.arange(digits.shape[1])[::-1] % 2 == 0, 3, 1)
    found: NDArray[np.int64] = -((digits.astype(np.int64) - _ZERO) * weights).sum(axis=1) % 10
    return found


def is_sscc(text: str) -> bool:
    """Whether these are 18 digits of which the last checks the others."""
    if len(text) != SSCC_LENGTH or not (text.isascii() and text.isdigit()):
        return False
    digits = np.frombuffer(text.encode("ascii"), dtype=np.uint8).reshape(1, -1)
    return int(check_digits(digits[:, :-1])[0]) == int(text[-1])


def spaced(sscc: str) -> str:
    """``(00) 1 0614141 …`` as people read it: the application identifier, then groups of four."""
    groups = " ".join(sscc[start : start + 4] for start in range(0, SSCC_LENGTH, 4))
    return f"(00) {groups}"


def bars_of(sscc: str) -> NDArray[np.bool_]:
    """GS1-128 of AI (00): (156,) modules, True is dark, without its quiet zones of ten modules (ISO/IEC 15417)."""
    values = [_START_C, _FNC1, *(int(pair) for pair in _pairs("00" + sscc))]  # two digits a symbol
    total = values[0] + sum(place * value for place, value in enumerate(values[1:], start=1))
    widths = "".join(_WIDTHS[value] for value in (*values, total % 103, _STOP))
    dark = np.arange(len(widths)) % 2 == 0
    return np.repeat(dark, [int(width) for width in widths])


def _pairs(digits: str) -> list[str]:
    return [digits[start : start + 2] for start in range(0, len(digits), 2)]
