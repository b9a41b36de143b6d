"""Under which conditions a campaign gives: where, to whom, how often, how much a day, and when it gives more.

Pure; a campaign keeps them as one text. Everything here is published with the rules and frozen with them. A campaign
without conditions counts nothing when it is claimed from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from scancode.channels.regions import covers, regions
from scancode.i18n import N_

COUNT_MAX = 10**9
RED_PACKET_FEN_MIN = 10
RED_PACKET_FEN_MAX = 20_000
POINTS_MAX = 1_000_000
LIMITS = (
    "person_day_max",
    "person_max",
    "day_max",
    "day_fen_max",
    "nth",
    "nth_points",
    "nth_fen",
    "nth_count",
    "hold_day",
    "hold_score",
    "hold_days",
)
HOLD_DAYS = 3
HOLD_DAYS_MAX = 30
HOLD_SCORE_MAX = 260
"""What speaks against a claim adds up to no more (``claims.risk``)."""
PLACES_MAX = 500
REGION_LENGTH_MAX = 60
TAGS_MAX = 50
BOOSTS_MAX = 10
FACTORS = (2, 3, 4, 5)


class RegionsOf(StrEnum):
    """Whose regions are meant."""

    STORE = "store"
    SCAN = "scan"


class Members(StrEnum):
    """Who may claim. New members joined after the campaign had begun."""

    ANY = ""
    MEMBERS = "members"
    NEW = "new"
    EXISTING = "existing"


@dataclass(frozen=True)
class Boost:
    """So many times the points for codes from these stores, within the window and the hours of the brand's clock:
    ``from_hour`` is in it, ``to_hour`` is not."""

    factor: int
    stores: tuple[str, ...]
    starts_at: str
    ends_at: str
    from_hour: int = 0
    to_hour: int = 24

    def holds(self, store_id: UUID | None, local: datetime) -> bool:
        """``local`` is the moment on the brand's clock."""
        if store_id is None or str(store_id) not in self.stores:
            return False
        inside = datetime.fromisoformat(self.starts_at) <= local < datetime.fromisoformat(self.ends_at)
        return inside and self.from_hour <= local.hour < self.to_hour


@dataclass(frozen=True)
class Place:
    """Where a code came from, as far as is known; ``province`` and ``city`` are those of the store."""

    channel_id: UUID | None = None
    store_id: UUID | None = None
    touchpoint_id: UUID | None = None
    province: str = ""
    city: str = ""


@dataclass(frozen=True)
class Person:
    """What of a member conditions may ask: the ids of their tags, of their tier, and of it with all below it."""

    tags: frozenset[str] = frozenset()
    tier: str = ""
    reached: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Conditions:
    """None is no limit, an empty tuple is everywhere. Days are the brand's.

    ``person_day_max``, ``person_max``: codes of one person, in a day and in all. ``day_max``: codes of everybody in a
    day. ``day_fen_max``: money of everybody in a day; for pools with odds, whose later prizes of the day become thanks.
    ``channels``, ``stores``, ``scenes`` (ids) and ``regions`` (a province or city): a code takes part that comes from
    one of them. The ``nth`` code of a person gives a second prize, ``nth_points`` or a red packet of ``nth_fen``, at
    most ``nth_count`` times in all. From the code number ``hold_day`` of a person in a day on, staff look before
    anything is given, and so they do where ``hold_score`` points speak against a claim (``claims.risk``); what nobody
    has decided ``hold_days`` days later is given (None: ``HOLD_DAYS``). ``tags_any``, ``tags_none`` (ids): members
    take part who carry one of these tags, and none of those; who hold the tier ``tier_min`` or one above it; who hold
    one of ``tiers``. ``products`` (ids) and ``batches`` (numbers): items take part of any of these. With ``regions_of``
    the scan ``regions`` are numbers of provinces and cities where the phone has to be.
    """

    person_day_max: int | None = None
    person_max: int | None = None
    day_max: int | None = None
    day_fen_max: int | None = None
    channels: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    scenes: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    members: str = Members.ANY
    boosts: tuple[Boost, ...] = ()
    nth: int | None = None
    nth_points: int | None = None
    nth_fen: int | None = None
    nth_count: int | None = None
    hold_day: int | None = None
    tags_any: tuple[str, ...] = ()
    tags_none: tuple[str, ...] = ()
    tier_min: str = ""
    tiers: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    regions_of: str = RegionsOf.STORE
    hold_score: int | None = None
    hold_days: int | None = None

    @property
    def is_empty(self) -> bool:
        return self == NONE

    @property
    def is_for_all(self) -> bool:
        """Every code and everybody takes part; how often, how much and when it is more aside."""
        aside: dict[str, Any] = {**dict.fromkeys(LIMITS), "boosts": ()}
        return replace(self, **aside) == NONE

    @property
    def counts_nothing(self) -> bool:
        """Nothing is looked up or counted for a claim that looks like any other."""
        return self == NONE or replace(self, hold_score=None, hold_days=None) == NONE

    @property
    def may_hold(self) -> bool:
        return self.hold_day is not None or self.hold_score is not None

    @property
    def counts_people(self) -> bool:
        limits = (self.person_day_max, self.person_max, self.nth, self.hold_day)
        return any(limit is not None for limit in limits)

    @property
    def names_places(self) -> bool:
        """Where the item came from."""
        return bool(self.channels or self.stores or self.scenes or self._store_regions)

    @property
    def scan_regions(self) -> tuple[int, ...]:
        """Where the phone has to be; empty for everywhere."""
        is_scan = self.regions_of == RegionsOf.SCAN
        return tuple(int(one) for one in self.regions) if is_scan else ()

    @property
    def _store_regions(self) -> tuple[str, ...]:
        return self.regions if self.regions_of == RegionsOf.STORE else ()

    def takes_item(self, product_id: UUID, batch_number: int) -> bool:
        """Whether an item of that batch takes part."""
        chosen = self.products or self.batches
        return not chosen or str(product_id) in self.products or str(batch_number) in self.batches

    def takes_scan(self, region: int | None) -> bool:
        """Whether a scan made there does; one of which nobody knows where does not."""
        wanted = self.scan_regions
        return not wanted or (region is not None and any(covers(one, region) for one in wanted))

    @property
    def names_people(self) -> bool:
        """Whether it matters which member claims; then nobody else may."""
        return bool(self.tags_any or self.tags_none or self.names_tiers)

    @property
    def names_tiers(self) -> bool:
        return bool(self.tier_min or self.tiers)

    @property
    def marks(self) -> frozenset[UUID]:
        """The ids of all tags and tiers that are named."""
        return frozenset(map(UUID, filter(None, (*self.tags_any, *self.tags_none, self.tier_min, *self.tiers))))

    def admits(self, person: Person) -> bool:
        """Whether such a member takes part."""
        if self.tags_any and not person.tags.intersection(self.tags_any):
            return False
        return not person.tags.intersection(self.tags_none) and self.suits(person)

    def suits(self, person: Person) -> bool:
        """Whether a member's tier is one that takes part."""
        if self.tier_min and self.tier_min not in person.reached:
            return False
        return not self.tiers or person.tier in self.tiers

    @property
    def factor_most(self) -> int:
        """How many times its points a code may give at most."""
        return max((boost.factor for boost in self.boosts), default=1)

    def takes_part(self, place: Place) -> bool:
        """Whether a code from there does."""
        return not self.names_places or (
            str(place.channel_id) in self.channels
            or str(place.store_id) in self.stores
            or str(place.touchpoint_id) in self.scenes
            or (bool(place.province) and place.province in self._store_regions)
            or (bool(place.city) and place.city in self._store_regions)
        )

    def factor(self, store_id: UUID | None, local: datetime) -> int:
        """How many times its points a code gives; the largest of the boosts that hold."""
        return max((boost.factor for boost in self.boosts if boost.holds(store_id, local)), default=1)

    def nth_most(self, codes: int) -> int:
        """How many second prizes so many codes can come to, whoever claims them."""
        most = codes // self.nth if self.nth else 0
        return most if self.nth_count is None else min(most, self.nth_count)


NONE = Conditions()


def problems(conditions: Conditions) -> Iterator[tuple[str, str]]:
    """``(field, English sentence)`` for everything that cannot be meant."""
    for name in LIMITS:
        value = getattr(conditions, name)
        if value is not None and not 1 <= value <= COUNT_MAX:
            yield name, N_("A limit is 1 to 1,000,000,000. Leave it empty for none.")
    if conditions.person_day_max and conditions.person_max and conditions.person_day_max > conditions.person_max:
        yield "person_day_max", N_("This is more than a person may have in all.")
    kinds = [conditions.nth_points, conditions.nth_fen].count(None)
    if (conditions.nth is None) != (kinds == 2) or kinds == 0 or (conditions.nth is None and conditions.nth_count):
        yield "nth", N_("Say which code of a person gives a second prize, and either points or a red packet.")
    if conditions.nth_fen is not None and not RED_PACKET_FEN_MIN <= conditions.nth_fen <= RED_PACKET_FEN_MAX:
        yield "nth_fen", N_("A red packet is 0.10 to 200 yuan.")
    if conditions.nth_points is not None and conditions.nth_points > POINTS_MAX:
        yield "nth_points", N_("These are too many points for one prize.")
    if conditions.hold_score and conditions.hold_score > HOLD_SCORE_MAX:
        yield "hold_score", N_("No claim can have more than 260 points against it. Usual is 60.")
    if conditions.hold_days and (conditions.hold_days > HOLD_DAYS_MAX or not conditions.may_hold):
        yield "hold_days", N_("Staff have at most 30 days, and only where something is held.")
    if max(map(len, (conditions.channels, conditions.stores, conditions.scenes, conditions.regions))) > PLACES_MAX:
        yield "stores", N_("These are too many places: choose their channel or region instead.")
    if max(len(conditions.products), len(conditions.batches)) > PLACES_MAX:
        yield "products", N_("There are too many lines.")
    if any(len(one) > REGION_LENGTH_MAX for one in conditions.regions):
        yield "regions", N_("This is no province or city that we know.")
    if conditions.regions_of not in list(RegionsOf):
        yield "regions_of", N_("Choose whose regions are meant.")
    elif conditions.regions_of == RegionsOf.SCAN and not all(_is_region(one) for one in conditions.regions):
        yield "regions", N_("This is no province or city that we know.")
    if max(len(conditions.tags_any), len(conditions.tags_none)) > TAGS_MAX:
        yield "tags_any", N_("These are too many tags: put one tag on all of these members instead.")
    if conditions.tier_min and conditions.tiers:
        yield "tier_min", N_("Choose the lowest tier, or single ones: not both.")
    if set(conditions.tags_any) & set(conditions.tags_none):
        yield "tags_none", N_("A tag cannot be both asked for and ruled out.")
    if len(conditions.boosts) > BOOSTS_MAX:
        yield "boosts", N_("There are too many lines.")
    for boost in conditions.boosts:
        if boost.factor not in FACTORS or not boost.stores:
            yield "boosts", N_("More points need stores, and a factor from 2 to 5.")
        if not (boost.starts_at < boost.ends_at and 0 <= boost.from_hour < boost.to_hour <= 24):
            yield "boosts", N_("More points need a window and hours that end after they begin.")


def _is_region(number: str) -> bool:
    return number in map(str, regions())


def to_text(conditions: Conditions) -> str:
    """Only what is not the default, so that an empty text is no conditions."""
    values = asdict(conditions)
    changed = {
        field.name: values[field.name]
        for field in fields(conditions)
        if getattr(conditions, field.name) != field.default
    }
    return json.dumps(changed, ensure_ascii=False, sort_keys=True, separators=(",", ":")) if changed else ""


def from_text(text: str) -> Conditions:
    """What ``to_text`` wrote."""
    if not text:
        return NONE
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(text).items()
    }
    values["boosts"] = tuple(Boost(**{**one, "stores": tuple(one["stores"])}) for one in values.get("boosts", ()))
    return Conditions(**values)
