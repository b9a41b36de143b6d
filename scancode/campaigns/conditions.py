"""Under which conditions a campaign gives: how often a person, how much a day. Pure; a campaign keeps them as one text.

Everything here is published with the rules and frozen with them. A campaign without conditions counts nothing when it
is claimed from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields

from scancode.i18n import N_

COUNT_MAX = 10**9
LIMITS = ("person_day_max", "person_max", "day_max", "day_fen_max")


@dataclass(frozen=True)
class Conditions:
    """None is no limit. Days are the brand's.

    ``person_day_max``, ``person_max``: codes of one person, in a day and in all. ``day_max``: codes of everybody in a
    day. ``day_fen_max``: money of everybody in a day; for pools with odds, whose later prizes of the day become thanks.
    """

    person_day_max: int | None = None
    person_max: int | None = None
    day_max: int | None = None
    day_fen_max: int | None = None

    @property
    def is_empty(self) -> bool:
        return self == NONE

    @property
    def counts_people(self) -> bool:
        return self.person_day_max is not None or self.person_max is not None


NONE = Conditions()


def problems(conditions: Conditions) -> Iterator[tuple[str, str]]:
    """``(field, English sentence)`` for everything that cannot be meant."""
    for name in LIMITS:
        value = getattr(conditions, name)
        if value is not None and not 1 <= value <= COUNT_MAX:
            yield name, N_("A limit is at least 1. Leave it empty for none.")
    if conditions.person_day_max and conditions.person_max and conditions.person_day_max > conditions.person_max:
        yield "person_day_max", N_("This is more than a person may have in all.")


def to_text(conditions: Conditions) -> str:
    """Only what is not the default, so that an empty text is no conditions."""
    changed = {
        field.name: getattr(conditions, field.name)
        for field in fields(conditions)
        if getattr(conditions, field.name) != field.default
    }
    return json.dumps(changed, sort_keys=True, separators=(",", ":")) if changed else ""


def from_text(text: str) -> Conditions:
    """What ``to_text`` wrote."""
    return Conditions(**json.loads(text)) if text else NONE
