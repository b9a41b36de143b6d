"""Names of single things in the forms of GS1: Digital Link URIs of any host, and EPC URNs. Pure.

An item, a case or a pallet is a GTIN with a serial, our code; a case or a pallet that has an SSCC goes by that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from batches.sscc import is_sscc

HOST = "https://id.gs1.org"
EPC_LENGTH_MAX = 300
_LINK_SGTIN = re.compile(r"https?://[^/\s?#]+(?:/[^\s?#]*)?/01/([0-9]{14})/21/([0-9A-Za-z]{1,20})/?", re.IGNORECASE)
_LINK_SSCC = re.compile(r"https?://[^/\s?#]+(?:/[^\s?#]*)?/00/([0-9]{18})/?", re.IGNORECASE)
_URN_SGTIN = re.compile(r"urn:epc:id:sgtin:([0-9]{6,12})\.([0-9])([0-9]{0,6})\.([0-9A-Za-z]{1,20})")
_URN_SSCC = re.compile(r"urn:epc:id:sscc:([0-9]{4,12})\.([0-9])([0-9]{4,12})")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+")


@dataclass(frozen=True)
class Sgtin:
    """A trade item with a serial number."""

    gtin: str
    serial: str


@dataclass(frozen=True)
class Sscc:
    """A case or a pallet by its 18 digits."""

    digits: str


class BadEpc(ValueError):
    """This is no URI."""


def read(text: str) -> Sgtin | Sscc | None:
    """What a URI names; None for a thing of another kind than ours. Raises BadEpc for what is no URI at all."""
    if len(text) > EPC_LENGTH_MAX or not _URI.fullmatch(text):
        raise BadEpc(text[:60])
    if found := _LINK_SGTIN.fullmatch(text):
        return Sgtin(found[1], found[2].upper())
    if found := _LINK_SSCC.fullmatch(text):
        return Sscc(found[1]) if is_sscc(found[1]) else None
    if found := _URN_SGTIN.fullmatch(text):
        digits = found[2] + found[1] + found[3]
        return Sgtin(_checked(digits), found[4].upper()) if len(digits) == 13 else None
    if found := _URN_SSCC.fullmatch(text):
        digits = found[2] + found[1] + found[3]
        return Sscc(_checked(digits)) if len(digits) == 17 else None
    return None


def _checked(digits: str) -> str:
    """With its check digit, which URNs leave out."""
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits)))
    return f"{digits}{-total % 10}"


def sgtin(gtin: str, serial: str) -> str:
    return f"{HOST}/01/{gtin}/21/{serial}"


def sscc(digits: str) -> str:
    return f"{HOST}/00/{digits}"
