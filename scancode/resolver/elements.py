"""The value of an Application Identifier against its definition: length, characters, check digits, dates and the like.

What would need a list that changes (countries, currencies, kinds of packaging) is checked for its form alone.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable

from scancode.resolver.dictionary import Component, Entry

_CHARACTERS = {
    "N": re.compile(r"[0-9]*"),
    "X": re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]*"),
    "Y": re.compile(r"[#\-/0-9A-Z]*"),
    "Z": re.compile(r"[A-Za-z0-9_-]*={0,2}"),
}
_SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_SET_32 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
PREFIX_DIGITS = 4
"""A company prefix has that many digits at least."""


def is_value(entry: Entry, value: str) -> bool:
    """Whether the value is one that this Application Identifier can have."""
    rest = value
    for component in entry.components:
        if not rest and component.is_optional:
            break
        part, rest = rest[: component.length_max], rest[component.length_max :]
        if not _fits(component, part):
            return False
    return not rest


def _fits(component: Component, part: str) -> bool:
    if not component.length_min <= len(part) or not _CHARACTERS[component.kind].fullmatch(part):
        return False
    return all(_CHECKS[name](part) for name in component.checks)


def has_check_digit(digits: str) -> bool:
    """Whether the last digit is the one that the others ask for: weights 3 and 1 in turn, from the right."""
    return sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(digits[-2::-1])) % 10 == (
        -int(digits[-1]) % 10
    )


def _has_check_pair(text: str) -> bool:
    """Source: GS1 General Specifications, 7.9.5 (Global Model Number)."""
    body, pair = text[:-2], text[-2:]
    if len(pair) < 2 or any(char not in _SET_82 for char in body):
        return False
    weights = _primes(len(body))
    total = sum(_SET_82.index(char) * weight for char, weight in zip(reversed(body), weights, strict=True)) % 1021
    return pair == _SET_32[total >> 5] + _SET_32[total & 31]


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def _is_iban(text: str) -> bool:
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{7,30}", text):
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def _is_date(text: str, *, day_may_be_zero: bool = False) -> bool:
    """``YYMMDD`` or ``YYYYMMDD``. Which century a short year is in does not matter: 1951 to 2050 have no odd one."""
    year, month, day = int(text[:-4]) + (2000 if len(text) == 6 else 0), int(text[-4:-2]), int(text[-2:])
    if not 1 <= month <= 12 or year < 1:
        return False
    return (0 if day_may_be_zero else 1) <= day <= monthrange(year, month)[1]


def _is_piece_of_total(text: str) -> bool:
    middle = len(text) // 2
    return 0 < int(text[:middle]) <= int(text[middle:])


def _is_place_in_order(text: str) -> bool:
    found = re.fullmatch(r"([1-9][0-9]*)/([1-9][0-9]*)", text)
    return found is not None and int(found[1]) <= int(found[2])


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


_CHECKS: dict[str, Callable[[str], bool]] = {
    "csum": has_check_digit,
    "csumalpha": _has_check_pair,
    "gcppos1": _matches(rf"[0-9]{{{PREFIX_DIGITS}}}.*"),
    "gcppos2": _matches(rf".[0-9]{{{PREFIX_DIGITS}}}.*"),
    "yymmdd": _is_date,
    "yymmd0": lambda text: _is_date(text, day_may_be_zero=True),
    "yyyymmdd": _is_date,
    "hh": _matches(r"[01][0-9]|2[0-3]"),
    "mi": _matches(r"[0-5][0-9]"),
    "ss": _matches(r"[0-5][0-9]"),
    "hhmi": _matches(r"(?:[01][0-9]|2[0-3])[0-5][0-9]"),
    "hyphen": _matches(r"-+"),
    "hasnondigit": lambda text: not text.isdigit(),
    "nonzero": lambda text: bool(text.strip("0")),
    "nozeroprefix": lambda text: text == "0" or not text.startswith("0"),
    "zero": lambda text: not text.strip("0"),
    "yesno": _matches(r"[01]"),
    "winding": _matches(r"[019]"),
    "iso5218": _matches(r"[0129]"),
    "importeridx": _matches(r"[-0-9A-Z_a-z]"),
    "mediatype": _matches(r"0[1-9]|10|[89][0-9]"),
    "latitude": lambda text: int(text) <= 1_800_000_000,
    "longitude": lambda text: int(text) <= 3_600_000_000,
    "pieceoftotal": _is_piece_of_total,
    "posinseqslash": _is_place_in_order,
    "pcenc": _matches(r"(?:[^%]|%[0-9A-Fa-f]{2})*"),
    "iban": _is_iban,
    "iso3166": _matches(r"[0-9]{3}"),
    "iso3166999": _matches(r"[0-9]{3}"),
    "iso3166alpha2": _matches(r"[A-Z]{2}"),
    "iso4217": _matches(r"[0-9]{3}"),
    "packagetype": _matches(r"[0-9A-Z]{1,3}"),
    "couponcode": _matches(r"[0-9]+"),
    "couponposoffer": _matches(r"[01][0-9]+"),
}
