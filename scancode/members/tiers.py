"""Tiers: a brand's ladder of levels, reached by the points that a member earned within the last months. Pure.

What was earned is what came in; that it expired or was spent lowers nobody. The window begins at a midnight of the
brand, so that a member's tier changes by itself once a day at most.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from scancode.errors import Refusal
from scancode.i18n import N_

NAME_LENGTH_MAX = 40
STEPS_MAX = 8
MONTHS_MAX = 36
POINTS_MAX = 10**9


class BadLadder(Refusal):
    code = "tiers_ladder"
    text = N_("Each tier has a name in both languages, and its own number of points from 0 to 1,000,000,000.")
    status = 422


class BadMonths(Refusal):
    code = "tiers_months"
    text = N_("Points of the last 1 to 36 months can count.")
    status = 422


class TierInUse(Refusal):
    """Facts: ``tier``, ``names`` of what names it."""

    code = "tier_in_use"
    text = N_("{tier} is named by: {names}. End that or change it first.")


@dataclass(frozen=True)
class Tier:
    """``points``: from how many on it is reached. ``members`` is how many hold it, where that was counted."""

    id: UUID
    name_zh: str
    name_en: str
    points: int
    members: int = 0

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_zh


@dataclass(frozen=True)
class TierDraft:
    """A line of a ladder as a person typed it. Without an id it is a new tier."""

    id: UUID | None
    name_zh: str
    name_en: str
    points: int


@dataclass(frozen=True)
class Ladder:
    """The tiers of a brand, the lowest first; without any there are none. Points of the last ``months`` count."""

    months: int = 12
    tiers: tuple[Tier, ...] = ()

    def reached(self, earned: int) -> tuple[Tier, ...]:
        """The tier that so many points reach and all below it; the last is the member's."""
        return tuple(tier for tier in self.tiers if tier.points <= earned)

    def at(self, earned: int) -> Tier | None:
        reached = self.reached(earned)
        return reached[-1] if reached else None

    def next(self, earned: int) -> Tier | None:
        """The one above; None at the top."""
        return next((tier for tier in self.tiers if tier.points > earned), None)

    def find(self, tier_id: UUID) -> Tier | None:
        return next((tier for tier in self.tiers if tier.id == tier_id), None)

    def since(self, now: datetime, timezone: str) -> datetime:
        """From which moment on points count: the midnight of this day so many months ago, on the brand's clocks."""
        zone = ZoneInfo(timezone)
        today = now.astimezone(zone).date()
        year, month = divmod(today.year * 12 + today.month - 1 - self.months, 12)
        day = min(today.day, calendar.monthrange(year, month + 1)[1])
        return datetime.combine(date(year, month + 1, day), time(), zone)


@dataclass(frozen=True)
class Standing:
    """Where a member stands on the ladder, by the points that count now."""

    ladder: Ladder
    earned: int

    @property
    def reached(self) -> tuple[Tier, ...]:
        return self.ladder.reached(self.earned)

    @property
    def tier(self) -> Tier | None:
        return self.ladder.at(self.earned)

    @property
    def next(self) -> Tier | None:
        return self.ladder.next(self.earned)

    @property
    def missing(self) -> int:
        """Points to the next tier; 0 at the top."""
        return self.next.points - self.earned if self.next else 0

    @property
    def percent(self) -> int:
        """How far the next tier is reached, of the way from this one."""
        if self.next is None:
            return 100
        start = self.tier.points if self.tier else 0
        return 100 * (self.earned - start) // (self.next.points - start)


def checked(months: int, drafts: Sequence[TierDraft]) -> list[TierDraft]:
    """The ladder from the bottom up, names tidied. Raises BadLadder, BadMonths."""
    if not 1 <= months <= MONTHS_MAX:
        raise BadMonths
    tidied = [
        TierDraft(one.id, " ".join(one.name_zh.split()), " ".join(one.name_en.split()), one.points) for one in drafts
    ]
    points = {one.points for one in tidied}
    ids = [one.id for one in tidied if one.id]
    if len(points) != len(tidied) or len(tidied) > STEPS_MAX or len(set(ids)) != len(ids):
        raise BadLadder
    for one in tidied:
        names = (one.name_zh, one.name_en)
        fit = all(0 < len(name) <= NAME_LENGTH_MAX and name.isprintable() for name in names)
        if not fit or not 0 <= one.points <= POINTS_MAX:
            raise BadLadder
    return sorted(tidied, key=lambda one: one.points)


def tier_names(ladder: Ladder, at_least: str, among: Sequence[str]) -> tuple[str, str]:
    """What people are told of these tiers (by their ids), in Chinese and English."""
    found = [tier for tier in ladder.tiers if str(tier.id) == at_least or str(tier.id) in among]
    if at_least and found:
        return f"{found[0].name_zh}及以上", f"{found[0].name_en} and above"
    return "、".join(tier.name_zh for tier in found), ", ".join(tier.name_en for tier in found)
