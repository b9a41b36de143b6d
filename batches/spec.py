"""What is to be printed: one range of one batch, checked, and the addresses that its symbols carry.

Everything in an address is upper case, so that a symbol stays in the alphanumeric mode of QR, which
is what keeps it small. A host is a name or an IPv4 address, with ``http://`` and a port for a trial on
a computer of one's own; shipped labels have neither.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from batches.errors import BadSpec
from batches.items import MAX_BATCH_COUNT, Kind
from batches.sscc import sscc_of

HOST_LENGTH_MAX: Final = 100
NAME_LENGTH_MAX: Final = 120
ORDER_LENGTH_MAX: Final = 64

_BASE: Final = re.compile(r"(?:(HTTPS?)://)?([A-Z0-9.-]+)(?::([0-9]{1,5}))?/?")
_LABEL: Final = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?")
_LOT: Final = re.compile(r"""[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}""")  # GS1 AI (10): CSET 82, X..20


def base_url(host: str) -> str:
    """``HTTPS://HOST`` from a host or a base URL, upper case, without a slash at the end. Raises BadSpec."""
    match = _BASE.fullmatch(host.strip().upper()) if host.isascii() and len(host) <= HOST_LENGTH_MAX else None
    if match is None:
        raise _refused("host", host, "is no host name: letters, digits, dots and hyphens, perhaps with a port")
    scheme, name, port = match.groups(default="")
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise _refused("host", host, "has an empty or wrong part between its dots")
    if port and not 0 < int(port) < 65536:
        raise _refused("host", host, "has no such port")
    return f"{scheme or 'HTTPS'}://{name}" + (f":{port}" if port else "")


def url(host: str, code: str) -> str:
    """``HTTPS://HOST/CODE``: what a symbol says. ``host`` may be a base URL. Raises BadSpec."""
    return f"{base_url(host)}/{code}"


def digital_link_url(host: str, gtin: str, code: str) -> str:
    """``HTTPS://HOST/01/GTIN14/21/CODE``: a GS1 Digital Link (URI Syntax 1.7.0). Raises BadSpec."""
    if not is_gtin14(gtin):
        raise _refused("gtin", gtin, "is no GTIN of 14 digits with a right check digit")
    return f"{base_url(host)}/01/{gtin}/21/{code}"


def is_gtin14(text: str) -> bool:
    """Whether these are 14 digits, the last of which checks the others (GS1 General Specifications, 7.9)."""
    if len(text) != 14 or not (text.isascii() and text.isdigit()):
        return False
    return sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(text)) % 10 == 0


@dataclass(frozen=True, kw_only=True)
class BatchSpec:
    """One range of one batch, and what stands around its codes. Raises BadSpec when a field is impossible.

    ``count`` items from serial ``first`` on, each with one code of every kind in ``kinds``. ``host`` is
    a host or a base URL; with ``digital_link`` the symbols say GS1 Digital Links and ``gtin`` is needed.
    ``lot`` is the production lot (GS1 AI 10), never the batch. ``is_test`` marks codes that no report counts.
    With ``sscc_prefix``, cases and pallets have an SSCC each, counted from ``sscc_first`` at serial 0 on.
    An order above a batch's size is several: this is ``part`` of ``parts``. ``replaces`` is a spoiled batch's number.
    """

    number: int
    kinds: tuple[Kind, ...]
    count: int
    host: str
    first: int = 0
    product_name: str = ""
    gtin: str | None = None
    lot: str | None = None
    order_no: str = ""
    is_test: bool = False
    digital_link: bool = False
    sscc_prefix: str = ""
    sscc_first: int = 0
    part: int = 1
    parts: int = 1
    replaces: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.number < MAX_BATCH_COUNT:
            raise _refused("number", self.number, f"is outside 0 to {MAX_BATCH_COUNT - 1}")
        if not self.kinds or len(set(self.kinds)) != len(self.kinds):
            labels = ",".join(Kind(kind).label for kind in self.kinds)
            raise _refused("kinds", labels, "must name at least one kind, and none twice")
        if not 0 <= self.first < MAX_BATCH_COUNT:
            raise _refused("first", self.first, f"is outside 0 to {MAX_BATCH_COUNT - 1}")
        if not 1 <= self.count <= MAX_BATCH_COUNT - self.first:
            raise _refused("count", self.count, f"is outside 1 to {MAX_BATCH_COUNT - self.first}")
        base_url(self.host)
        if self.gtin is not None and not is_gtin14(self.gtin):
            raise _refused("gtin", self.gtin, "is no GTIN of 14 digits with a right check digit")
        if self.digital_link and self.gtin is None:
            raise _refused("gtin", "", "is missing: a GS1 Digital Link needs it")
        if self.lot is not None and not _LOT.fullmatch(self.lot):
            raise _refused("lot", self.lot, "is no GS1 lot: 1 to 20 letters, digits and signs of CSET 82")
        if self.sscc_prefix and self.shipped_kinds:
            sscc_of(self.sscc_prefix, self.sscc_reference(self.shipped_kinds[-1], self.last))
        for field, text, limit in (
            ("product_name", self.product_name, NAME_LENGTH_MAX),
            ("order_no", self.order_no, ORDER_LENGTH_MAX),
        ):
            if len(text) > limit or not text.isprintable():
                raise _refused(field, text, f"is longer than {limit} or holds control characters")

    @property
    def last(self) -> int:
        """The last serial of the range."""
        return self.first + self.count - 1

    @property
    def code_count(self) -> int:
        """How many codes the range has over all its kinds."""
        return self.count * len(self.kinds)

    @property
    def shipped_kinds(self) -> tuple[Kind, ...]:
        """The kinds that get an SSCC: cases and pallets, where the brand has a company prefix."""
        return tuple(kind for kind in self.kinds if kind in (Kind.CASE, Kind.PALLET)) if self.sscc_prefix else ()

    def sscc_reference(self, kind: Kind, serial: int) -> int:
        """The number that this unit's SSCC is made of; a case and a pallet of one serial stand beside each other."""
        return self.sscc_first + serial * len(self.shipped_kinds) + self.shipped_kinds.index(kind)

    def sscc_for(self, kind: Kind, serial: int) -> str | None:
        """The SSCC of a unit, or None where this kind has none."""
        if kind not in self.shipped_kinds:
            return None
        return sscc_of(self.sscc_prefix, self.sscc_reference(kind, serial))

    @property
    def url_prefix(self) -> str:
        """What stands before the code in every symbol of this range."""
        if self.digital_link and self.gtin is not None:
            return digital_link_url(self.host, self.gtin, "")
        return url(self.host, "")


def _refused(field: str, value: str | int, why: str) -> BadSpec:
    shown = repr(value) if isinstance(value, str) else str(value)
    return BadSpec(f"{field} {shown} {why}", payload=str(value), field=field, value=str(value)[:80])
