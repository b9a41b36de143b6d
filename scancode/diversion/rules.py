"""When scans outside a territory are worth a look. Pure, and slow to cry wolf.

One bottle in a suitcase is no diversion, nor is a family's, nor a town across the border, nor a place of which only the
province is known. Several items of one shipment, scanned by several people in one province far enough outside, are.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from scancode.channels import regions
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.scans.rules import is_city

PEOPLE_MIN = 2
"""What one person carries about is theirs."""
PLACES_MAX = 500
"""Of one territory."""
ROWS_MAX = 20_000
"""Of one file of territories."""
Kilometres = Callable[[int, int], float | None]
COLUMNS = ("channel", "store", "province", "city")


class CaseState(StrEnum):
    OPEN = "open"
    WORKING = "working"
    CONFIRMED = "confirmed"
    """Closed: it was diversion."""
    EXPLAINED = "explained"
    """Closed: there is a good reason."""


WAITING = (CaseState.OPEN, CaseState.WORKING)
CLOSED = (CaseState.CONFIRMED, CaseState.EXPLAINED)


class UnknownPlace(Refusal):
    """Facts: ``line``, ``typed``."""

    code = "territory_place"
    text = N_("Line {line}: there is no place “{typed}”. Write a province, or a province and a city: 浙江省 杭州市.")
    status = 422


class TooManyPlaces(Refusal):
    code = "territory_long"
    text = N_("At most {limit} places. Write the province instead of all its cities.")
    status = 422


class FileForm(Refusal):
    code = "territory_file"
    text = N_("The file needs the columns channel, store, province, city (CSV, UTF-8), and at most {limit} rows.")
    status = 422


class UnknownOwner(Refusal):
    """Facts: ``line``, ``typed``."""

    code = "territory_owner"
    text = N_("Line {line}: there is no channel or store “{typed}”.")
    status = 422


class CaseMoved(Refusal):
    code = "diversion_moved"
    text = N_("Somebody else has moved this case meanwhile. Look at it again.")


class NoteMissing(Refusal):
    code = "diversion_note"
    text = N_("Write in a few words what you found.")
    status = 422


@dataclass(frozen=True)
class DiversionTerms:
    """From when on a case is opened. Published in docs/risk.md."""

    items: int = 3
    share_percent: int = 20
    kilometres: int = 50
    days: int = 30


@dataclass(frozen=True)
class Sighted:
    """A scan of an item of a shipment, with the case that the item was packed into, if any."""

    item: tuple[int, int]
    """Batch and serial."""
    scan_id: UUID
    code_id: int
    visitor_id: UUID
    scanned_at: datetime
    region: int
    parent: int | None = None


@dataclass(frozen=True)
class Surfaced:
    """A province in which items of a shipment came up."""

    region: int
    scans: tuple[Sighted, ...]
    items: int
    of_case: int
    kilometres: int | None

    @property
    def latest_at(self) -> datetime:
        return max(scan.scanned_at for scan in self.scans)


def is_outside(
    region: int, territory: Iterable[int], *, beyond_km: int, kilometres: Kilometres = regions.kilometres
) -> bool:
    """Whether a place is outside for certain: in no part of the territory, nor near one, nor a province of which only a
    part is in it."""
    for part in territory:
        if regions.covers(part, region) or regions.covers(region, part):
            return False
        distance = kilometres(part, region)
        if distance is not None and distance < beyond_km:
            return False
    return True


def surfaced(
    sighted: Sequence[Sighted],
    territory: Sequence[int],
    *,
    scanned_items: int,
    terms: DiversionTerms,
    kilometres: Kilometres = regions.kilometres,
) -> list[Surfaced]:
    """Where a shipment's items came up so that somebody should look. ``scanned_items`` is how many of it were scanned
    anywhere."""
    if not territory:
        return []
    by_province: dict[int, list[Sighted]] = {}
    for scan in sighted:
        if is_outside(scan.region, territory, beyond_km=terms.kilometres, kilometres=kilometres):
            by_province.setdefault(regions.province_of(scan.region), []).append(scan)
    found = []
    for region, scans in sorted(by_province.items()):
        items = {scan.item for scan in scans}
        cases = Counter({scan.item: scan.parent for scan in scans}.values())
        cases.pop(None, None)
        of_case = max(cases.values(), default=0)
        is_much = 100 * len(items) >= terms.share_percent * max(scanned_items, 1) or of_case >= terms.items
        if len(items) >= terms.items and len({scan.visitor_id for scan in scans}) >= PEOPLE_MIN and is_much:
            distances = [kilometres(part, region) for part in territory]
            known = [distance for distance in distances if distance is not None]
            found.append(Surfaced(region, tuple(scans), len(items), of_case, round(min(known)) if known else None))
    return found


def read_places(text: str) -> list[int]:
    """The numbers of places, a line each, provinces and cities in Chinese. Raises UnknownPlace, TooManyPlaces."""
    found: dict[int, None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.replace(",", " ").replace("，", " ").split()
        if words:
            found[_place(number, words[0], words[1] if len(words) > 1 else "")] = None
    return _bounded(list(found))


@dataclass(frozen=True)
class Row:
    """A line of a file of territories."""

    line: int
    channel: str
    store: str
    region: int


def read_file(text: str) -> list[Row]:
    """Raises FileForm, UnknownPlace."""
    try:
        lines = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
    except csv.Error as error:
        raise FileForm(limit=ROWS_MAX) from error
    if not lines or len(lines) > ROWS_MAX + 1:
        raise FileForm(limit=ROWS_MAX)
    head = [cell.strip().lower() for cell in lines[0]]
    if not set(COLUMNS) <= set(head):
        raise FileForm(limit=ROWS_MAX)
    places = [head.index(name) for name in COLUMNS]
    rows = []
    for number, cells in enumerate(lines[1:], 2):
        if any(cell.strip() for cell in cells):
            channel, store, province, city = (_plain(cells[at].strip()) if at < len(cells) else "" for at in places)
            rows.append(Row(number, channel, store, _place(number, province, city)))
    return rows


def _plain(cell: str) -> str:
    """Without the mark that keeps a spreadsheet from taking it for a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@＝＋－＠") else cell


def owners_of(
    rows: Sequence[Row], *, channels: Mapping[str, UUID], stores: Mapping[tuple[UUID, str], UUID]
) -> dict[tuple[UUID, UUID | None], list[int]]:
    """The places by channel and store (None: of the channel itself). Raises UnknownOwner, TooManyPlaces."""
    found: dict[tuple[UUID, UUID | None], list[int]] = {}
    for row in rows:
        channel_id = channels.get(row.channel)
        if channel_id is None:
            raise UnknownOwner(line=row.line, typed=row.channel[:60])
        store_id = stores.get((channel_id, row.store)) if row.store else None
        if row.store and store_id is None:
            raise UnknownOwner(line=row.line, typed=row.store[:60])
        found.setdefault((channel_id, store_id), []).append(row.region)
    return {owner: _bounded(list(dict.fromkeys(places))) for owner, places in found.items()}


def _place(line: int, province: str, city: str) -> int:
    found = regions.find(province, city)
    is_whole = found is not None and not is_city(found)
    if found is None or (city.strip() and is_whole):
        raise UnknownPlace(line=line, typed=f"{province} {city}".strip()[:60])
    return found


def _bounded(places: list[int]) -> list[int]:
    if len(places) > PLACES_MAX:
        raise TooManyPlaces(limit=PLACES_MAX)
    return places
