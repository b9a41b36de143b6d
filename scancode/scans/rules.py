"""What a scan says. Pure: from the state of the code and who scanned it before, to a verdict and its history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from uuid import UUID

from scancode.channels import regions
from scancode.codes.rules import Life

HISTORY_MAX = 200
"""Scans of one code that are looked at; beyond it a page says «more than»."""
BROWSERS_OF_ADDRESS_MAX = 3
"""Browsers behind one network address count as so many at most: whoever throws cookies away alone marks nothing."""
REGIONS_TOLD = 3
PEOPLE_MIN = 3
"""So many people have to have scanned a code before places say anything: one may travel, two may be friends."""
JUMPS_MIN = 2
JUMP_KM_MIN = 300
"""Nearer places are not told apart: where an address is, is known to the city at best."""


class Verdict(StrEnum):
    """In order of precedence: the first that applies is shown."""

    FORGED = "forged"
    UNKNOWN = "unknown"
    RECALLED = "recalled"
    VOID = "void"
    INACTIVE = "inactive"
    SUSPECT = "suspect"
    REPEAT = "repeat"
    FIRST = "first"


class Risk(StrEnum):
    """What was odd about a scan, kept with it for staff."""

    CROWD = "crowd"
    """More than ``BROWSERS_OF_ADDRESS_MAX`` browsers of one network address scanned this code."""
    BULK = "bulk"
    """The browser scanned very many codes within an hour."""
    MISSES = "misses"
    """Several texts that are no code of ours came from the same network address shortly before."""


LIVE = (Verdict.SUSPECT, Verdict.REPEAT, Verdict.FIRST)
"""Scans that met a live code. Only these count when a later page speaks of earlier scans: a line operator who tried
the code before it was activated does not make the first consumer suspicious."""


@dataclass(frozen=True)
class Earlier:
    """A scan of the same code, made before. ``region`` is the number of a city or province (``channels.regions``)."""

    visitor_id: UUID
    scanned_at: datetime
    region: int | None = None
    address: str | None = None
    is_crowd: bool = False
    """One of many browsers at one address: it speaks for nothing. Kept, because addresses are not."""
    is_confirmed: bool = True
    """Whether a browser has shown the page; where none has, the scan is nothing to anybody but who made it."""


@dataclass(frozen=True)
class History:
    """What others did with the same code: how many of them, how often, when first and last; and own scans."""

    visitors: int = 0
    scans: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    own_first_at: datetime | None = None
    regions: tuple[int, ...] = ()
    """Where others scanned it, the latest first and each place once; at most ``REGIONS_TOLD``."""
    is_cut: bool = False
    """There were more than ``HISTORY_MAX`` scans; the numbers are lower bounds."""

    @property
    def is_empty(self) -> bool:
        return not self.scans and self.own_first_at is None


def history(earlier: Iterable[Earlier], *, visitor_id: UUID) -> History:
    """Sums up the earlier live scans of a code (oldest first, at most ``HISTORY_MAX``), as this visitor sees them:
    those of others that are confirmed, and all of their own."""
    visitors: set[UUID] = set()
    times: list[datetime] = []
    places: dict[int, None] = {}
    own: datetime | None = None
    count = 0
    for scan in earlier:
        count += 1
        if scan.visitor_id == visitor_id:
            own = own or scan.scanned_at
        elif scan.is_confirmed:
            visitors.add(scan.visitor_id)
            times.append(scan.scanned_at)
            if scan.region is not None:
                places.pop(scan.region, None)
                places[scan.region] = None
    return History(
        visitors=len(visitors),
        scans=len(times),
        first_at=times[0] if times else None,
        last_at=times[-1] if times else None,
        own_first_at=own,
        regions=tuple(reversed(places))[:REGIONS_TOLD],
        is_cut=count >= HISTORY_MAX,
    )


def judge(life: Life, seen: History, *, is_suspect: bool = False) -> Verdict:
    """The verdict on a genuine code. ``repeat`` speaks of other visitors only, and only of those who came first:
    whoever scanned first stays first, however often the item is scanned afterwards."""
    if life is Life.RECALLED:
        return Verdict.RECALLED
    if life is Life.VOID:
        return Verdict.VOID
    if life is Life.INACTIVE:
        return Verdict.INACTIVE
    if is_suspect:
        return Verdict.SUSPECT
    if seen.first_at is None or (seen.own_first_at is not None and seen.own_first_at <= seen.first_at):
        return Verdict.FIRST
    return Verdict.REPEAT


Kilometres = Callable[[int, int], float | None]
"""The least distance between two regions; None where it is not known."""


class Sign(StrEnum):
    """What speaks for a code having been copied."""

    VISITORS = "visitors"
    CITIES = "cities"
    SPEED = "speed"


class Standing(StrEnum):
    """What is thought of a code that was marked once."""

    OPEN = "open"
    """Marked by the rules; nobody has looked yet."""
    CONFIRMED = "confirmed"
    CLEARED = "cleared"
    """Somebody looked and found nothing: only scans made since then count."""
    TRUSTED = "trusted"
    """Never marked again: a sample on display, a code in an advertisement."""


SUSPECT = (Standing.OPEN, Standing.CONFIRMED)


@dataclass(frozen=True)
class CopyTerms:
    """From when on a code looks copied. Published in docs/risk.md; a brand may have its own."""

    visitors: int = 20
    cities: int = 5
    days: int = 30
    kmh: int = 1000


USUAL_TERMS = CopyTerms()


@dataclass(frozen=True)
class Signs:
    """What was found of a code, with the figures that say why."""

    found: tuple[Sign, ...]
    visitors: int
    cities: int


def signs_of_copying(
    scans: Sequence[Earlier], *, terms: CopyTerms, now: datetime, kilometres: Kilometres = regions.kilometres
) -> Signs:
    """What the live scans of a code (in any order) say, those of the last ``terms.days`` alone."""
    since = now - timedelta(days=terms.days)
    counted = (scan for scan in scans if scan.scanned_at >= since and not scan.is_crowd)
    recent = sorted(counted, key=lambda scan: scan.scanned_at)
    visitors = len({scan.visitor_id for scan in recent})
    cities = len({scan.region for scan in recent if scan.region is not None and is_city(scan.region)})
    found = []
    if visitors >= terms.visitors:
        found.append(Sign.VISITORS)
    if visitors >= PEOPLE_MIN:
        if cities >= terms.cities:
            found.append(Sign.CITIES)
        if _jumps(recent, terms.kmh, kilometres) >= JUMPS_MIN:
            found.append(Sign.SPEED)
    return Signs(tuple(found), visitors, cities)


CITY_PROVINCES = frozenset({11, 12, 31, 50, 81, 82, 99})
"""Municipalities, Hong Kong, Macau and everything abroad: one place each, whose number is a province's."""


def is_city(region: int) -> bool:
    """Whether a region is told to the city, not to the province alone."""
    return region % 10000 != 0 or region // 10000 in CITY_PROVINCES


def is_crowd(earlier: Iterable[Earlier], *, visitor_id: UUID, address: str | None) -> bool:
    """Whether so many other browsers of the same network address scanned the code that this one tells nothing new."""
    if address is None:
        return False
    others = {scan.visitor_id for scan in earlier if scan.is_confirmed and scan.address == address}
    return len(others - {visitor_id}) >= BROWSERS_OF_ADDRESS_MAX


def _jumps(scans: Sequence[Earlier], kmh: int, kilometres: Kilometres) -> int:
    """How often the item was with one visitor and then with another, faster than anything travels."""
    count = 0
    placed = [(scan, scan.region) for scan in scans if scan.region is not None]
    for (before, there), (after, here) in pairwise(placed):
        if before.visitor_id == after.visitor_id or there == here:
            continue
        distance = kilometres(there, here)
        if distance is None or distance < JUMP_KM_MIN:
            continue
        hours = (after.scanned_at - before.scanned_at).total_seconds() / 3600
        count += distance > kmh * hours
    return count
