"""Which guide a live code leads to: one printed code, several people, by a rule. Pure.

Never to anybody who is off duty, outside their hours, or has met as many people today as they can. Whoever was led to
a guide before meets the same one again while that guide is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from scancode.errors import Refusal
from scancode.i18n import N_

TEAM_MAX = 100
WEIGHT_MAX = 100
SHIFTS_MAX = 14
_SHIFT = re.compile(r"(?:([1-7])(?:-([1-7]))? )?(\d\d):([0-5]\d)-(\d\d):([0-5]\d)")
_NEVER = datetime.min.replace(tzinfo=UTC)


class BadShifts(Refusal):
    code = "bad_shifts"
    text = N_("Write hours as 09:00-18:00, or with days as 1-5 09:00-18:00, 6-7 10:00-16:00 (1 is Monday).")
    status = 422


class Rule(StrEnum):
    """``turns``: whoever waited longest. ``weight``: in proportion to the weights, counted by day."""

    TURNS = "turns"
    WEIGHT = "weight"


@dataclass(frozen=True)
class Shift:
    """Minutes of the day from ``begins`` up to ``ends``, on ``days`` (1 is Monday). One that ends before it begins
    goes on after midnight and belongs to the day on which it began."""

    days: frozenset[int]
    begins: int
    ends: int

    def holds(self, local: datetime) -> bool:
        minute, day = local.hour * 60 + local.minute, local.isoweekday()
        if self.begins < self.ends:
            return day in self.days and self.begins <= minute < self.ends
        yesterday = day - 1 or 7
        return (day in self.days and minute >= self.begins) or (yesterday in self.days and minute < self.ends)


@dataclass(frozen=True)
class Attendant:
    """A guide of a live code. ``day_max`` 0 is no limit; no shifts are all hours."""

    guide_id: UUID
    store_id: UUID
    name: str
    weight: int = 1
    day_max: int = 0
    shifts: tuple[Shift, ...] = ()
    is_on_duty: bool = True
    is_active: bool = True
    """False once the guide or their store was switched off."""

    def is_there(self, local: datetime) -> bool:
        """Whether the guide serves at this moment of the brand's clocks."""
        works = not self.shifts or any(shift.holds(local) for shift in self.shifts)
        return self.is_active and self.is_on_duty and works


@dataclass(frozen=True)
class Taken:
    """How many people a guide met today through this code, and when the last, on whatever day."""

    today: int = 0
    last_at: datetime | None = None


def choose(
    team: Sequence[Attendant], taken: Mapping[UUID, Taken], *, rule: str, local: datetime, before: UUID | None = None
) -> Attendant | None:
    """The guide for somebody who comes at ``local``; None when nobody is there who can.

    ``before`` is the guide whom they met last through this code: being met again takes no turn and no room.
    """
    there = [one for one in team if one.is_there(local)]
    known = next((one for one in there if one.guide_id == before), None)
    if known is not None:
        return known
    nobody = Taken()
    free = [one for one in there if not one.day_max or taken.get(one.guide_id, nobody).today < one.day_max]
    if not free:
        return None
    if rule == Rule.WEIGHT:
        return min(free, key=lambda one: Fraction(taken.get(one.guide_id, nobody).today + 1, one.weight))
    return min(free, key=lambda one: taken.get(one.guide_id, nobody).last_at or _NEVER)


def read_shifts(text: str) -> tuple[Shift, ...]:
    """Hours as people write them: ``09:00-18:00`` every day, ``1-5 09:00-18:00, 6-7 10:00-16:00``. Raises BadShifts."""
    parts = [" ".join(part.split()) for part in re.split(r"[,，;；]", text) if part.strip()]
    if len(parts) > SHIFTS_MAX:
        raise BadShifts
    return tuple(_read_shift(part) for part in parts)


def _read_shift(text: str) -> Shift:
    found = _SHIFT.fullmatch(text)
    if found is None:
        raise BadShifts
    first, last = int(found[1] or 1), int(found[2] or found[1] or 7)
    begins, ends = int(found[3]) * 60 + int(found[4]), int(found[5]) * 60 + int(found[6])
    if begins == ends or begins >= 24 * 60 or ends > 24 * 60 or last < first:
        raise BadShifts
    return Shift(frozenset(range(first, last + 1)), begins, ends)
