"""How much speaks for a claim not having been made by a consumer: frozen facts in, points and their reasons out. Pure.

The weights are told to staff (docs/risk.md), never to the public: whoever knows them keeps below them. What the public
reads is the rule itself: that staff may look first, until when, and what happens if nobody does. None of these facts
refuses anything, and no single one holds a reward under the usual threshold: a family that opens a whole carton at
home has neighbouring serials, one address and one afternoon.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from enum import StrEnum

from scancode.i18n import N_

USUAL_THRESHOLD = 60
RUN_SPAN = 50
"""Serials of a batch that are no further apart are neighbours: about two cartons."""
SMELL_TODAY, SMELL_RUN, SMELL_ADDRESS_RUN = 5, 3, 6
"""From these counts on (in memory, roughly) the book is asked for the exact ones."""
CARTON_CLAIMS, CARTON_PEOPLE = 10, 3
CROWD_PEOPLE = 10
YOUNG_MINUTES = 10
TOO_FAST_KMH, JUMP_KM = 1000, 300


class Reason(StrEnum):
    """What may speak against a claim; each counts once."""

    TODAY = "today"
    RUN = "run"
    ADDRESS_RUN = "address_run"
    CARTON = "carton"
    CROWD = "crowd"
    YOUNG = "young"
    MISSES = "misses"
    BULK = "bulk"
    NEAR_BLOCK = "near_block"
    PLACE = "place"
    SPEED = "speed"


@dataclass(frozen=True)
class Glimpse:
    """What a process knows of a claim without asking the database: counts of the hour and of the day, in memory."""

    today: int = 0
    run: int = 0
    address_run: int = 0
    address_people: int = 0
    misses: bool = False
    bulk: bool = False
    near_block: bool = False
    territory_km: int | None = None
    """So many kilometres around a territory belong to it, where the brand does not say; None: the program's own."""

    @property
    def smells(self) -> bool:
        """Worth a closer look. Many people at one address alone are not: a phone company has thousands behind one."""
        return (
            self.today >= SMELL_TODAY
            or self.run >= SMELL_RUN
            or self.address_run >= SMELL_ADDRESS_RUN
            or self.misses
            or self.bulk
            or self.near_block
        )


NO_GLIMPSE = Glimpse()


@dataclass(frozen=True)
class RiskFacts:
    """What is known of a claim and its maker, who is the openid, the member or else the browser.

    ``today`` and ``run`` are codes of theirs within 24 hours, in all and among the neighbours of this one, this one
    included. ``address_run`` and ``address_people`` are neighbouring codes and people of the network address within
    the hour. ``carton_claims`` and ``carton_people`` are of the carton that the item was packed into, within 24 hours.
    ``outside_km`` is how far the claim was made from the territory that the item was shipped to, ``kmh`` how fast its
    maker must have travelled since their last claim; both None where that is not known. ``known_minutes`` is how long
    the openid, or else the browser, has been known.
    """

    today: int = 0
    run: int = 0
    address_run: int = 0
    address_people: int = 0
    misses: bool = False
    bulk: bool = False
    near_block: bool = False
    territory_km: int | None = None
    carton_claims: int = 0
    carton_people: int = 0
    known_minutes: int | None = None
    outside_km: int | None = None
    kmh: int | None = None

    @property
    def glimpse(self) -> Glimpse:
        """The part of it that was known from memory alone."""
        return Glimpse(**{field.name: getattr(self, field.name) for field in fields(Glimpse)})


Test = Callable[[RiskFacts], bool]
WEIGHTS: tuple[tuple[Reason, int, Test], ...] = (
    (Reason.TODAY, 30, lambda facts: facts.today >= 30),
    (Reason.TODAY, 15, lambda facts: facts.today >= 10),
    (Reason.RUN, 45, lambda facts: facts.run >= 30),
    (Reason.RUN, 30, lambda facts: facts.run >= 12),
    (Reason.ADDRESS_RUN, 30, lambda facts: facts.address_run >= 12),
    (
        Reason.CARTON,
        20,
        lambda facts: facts.carton_claims >= CARTON_CLAIMS and facts.carton_people >= CARTON_PEOPLE,
    ),
    (Reason.CROWD, 10, lambda facts: facts.address_people >= CROWD_PEOPLE),
    (Reason.YOUNG, 10, lambda facts: facts.known_minutes is not None and facts.known_minutes < YOUNG_MINUTES),
    (Reason.MISSES, 20, lambda facts: facts.misses),
    (Reason.BULK, 25, lambda facts: facts.bulk),
    (Reason.NEAR_BLOCK, 20, lambda facts: facts.near_block),
    (Reason.PLACE, 20, lambda facts: facts.outside_km is not None),
    (Reason.SPEED, 30, lambda facts: facts.kmh is not None and facts.kmh > TOO_FAST_KMH),
)
"""The first line of a reason that holds is the one that counts."""

TEXTS: dict[Reason, str] = {
    Reason.TODAY: N_("{today} codes of this person within 24 hours"),
    Reason.RUN: N_("{run} of their codes are neighbours on the roll"),
    Reason.ADDRESS_RUN: N_("{address_run} neighbouring codes from one network address within the hour"),
    Reason.CARTON: N_("{carton_claims} items of its carton claimed by {carton_people} people within 24 hours"),
    Reason.CROWD: N_("{address_people} people claim from this network address"),
    Reason.YOUNG: N_("known for {known_minutes} minutes only"),
    Reason.MISSES: N_("texts that are no code came from this address"),
    Reason.BULK: N_("the browser scans very many codes"),
    Reason.NEAR_BLOCK: N_("the network next door is held off"),
    Reason.PLACE: N_("claimed {outside_km} km outside the territory it was shipped to"),
    Reason.SPEED: N_("{kmh} km/h since their last claim"),
}


@dataclass(frozen=True)
class Score:
    """``points`` is the sum of the weights in ``reasons``."""

    points: int
    reasons: tuple[tuple[Reason, int], ...]
    facts: RiskFacts

    def sentences(self, translate: Callable[[str], str]) -> list[tuple[str, int]]:
        """Each reason in words with the figures behind it, and its weight."""
        values = asdict(self.facts)
        return [(translate(TEXTS[reason]).format(**values), weight) for reason, weight in self.reasons]


def score(facts: RiskFacts) -> Score:
    found: dict[Reason, int] = {}
    for reason, weight, holds in WEIGHTS:
        if reason not in found and holds(facts):
            found[reason] = weight
    return Score(sum(found.values()), tuple(found.items()), facts)


def to_texts(one: Score) -> tuple[str, str]:
    """Reasons with their weights and facts, as a row keeps them: a weight that changes later does not change these."""
    kept = {name: value for name, value in asdict(one.facts).items() if value is not None and value is not False}
    reasons = ",".join(f"{reason.value}:{weight}" for reason, weight in one.reasons)
    return reasons, json.dumps(kept, sort_keys=True, separators=(",", ":"))


def from_texts(reasons: str, facts: str) -> Score:
    """What ``to_texts`` wrote."""
    pairs = [one.split(":") for one in reasons.split(",") if one]
    read = tuple((Reason(name), int(weight)) for name, weight in pairs)
    return Score(sum(weight for _, weight in read), read, RiskFacts(**json.loads(facts or "{}")))
