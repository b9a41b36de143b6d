"""EPCIS 2.0 events and documents as plain values, and which of them a question means. Pure.

An event names at most ``EPCS_PER_EVENT`` things: a range of a million serials is told as many events, made one by one
as they are asked for. The words are those of the Core Business Vocabulary 2.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.packing.rules import Level, Unit

EPCS_PER_EVENT = 500
PER_PAGE, PER_PAGE_MAX = 30, 100
CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
VERSION = "2.0"
OBJECT, AGGREGATION = "ObjectEvent", "AggregationEvent"
Event = dict[str, Any]
Range = tuple[int, int]

LIFE_WORDS: Mapping[str, tuple[str, str, str]] = {
    "active": ("ADD", "commissioning", "active"),
    "inactive": ("OBSERVE", "holding", "inactive"),
    "void": ("DELETE", "decommissioning", "inactive"),
    "recalled": ("OBSERVE", "holding", "recalled"),
}
"""By the state that codes came to: action, business step, disposition."""
BACK_TO_LIFE = ("OBSERVE", "inspecting", "active")
PACKING_WORDS = {"pack": ("ADD", "packing", "in_progress"), "unpack": ("DELETE", "unpacking", "in_progress")}
SHIPPING_WORDS = {
    "out": ("OBSERVE", "shipping", "in_transit"),
    "transfer": ("OBSERVE", "shipping", "in_transit"),
    "return": ("OBSERVE", "shipping", "returned"),
}
RECEIVING_WORDS = ("OBSERVE", "receiving", "in_progress")


class BadEpcisQuery(Refusal):
    """Facts: ``parameter``."""

    code = "epcis_query"
    text = N_("“{parameter}” is no parameter of this query, or has a value that cannot be taken.")
    status = 400


class EpcisNotSupported(Refusal):
    """A parameter of the standard that is not supported here. Facts: ``parameter``."""

    code = "epcis_unsupported"
    text = N_("“{parameter}” belongs to the standard, but is not supported here.")
    status = 501


@dataclass(frozen=True)
class Draft:
    """An event before its things are named, which is what costs. ``level`` and ``ranges`` are of ``batch``."""

    kind: str
    words: tuple[str, str, str]
    batch: int
    level: Level
    ranges: Sequence[Range]
    parent: Unit | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def names(self, units: frozenset[Unit]) -> bool:
        """Whether any of these is in its list of things."""
        return any(
            unit.batch == self.batch
            and unit.level == self.level
            and any(first <= unit.serial <= last for first, last in self.ranges)
            for unit in units
        )


@dataclass(frozen=True)
class Question:
    """What a query asks for; None and empty sets of words mean everything, an empty set of units nothing."""

    since: datetime | None = None
    until: datetime | None = None
    types: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    steps: frozenset[str] = frozenset()
    dispositions: frozenset[str] = frozenset()
    epcs: frozenset[Unit] | None = None
    parents: frozenset[Unit] | None = None
    anywhere: frozenset[Unit] | None = None
    """In its list of things, or as its parent."""

    def fits(self, draft: Draft) -> bool:
        action, step, disposition = draft.words
        wishes = (
            (draft.kind, self.types),
            (action, self.actions),
            (step, self.steps),
            (disposition, self.dispositions),
        )
        if not all(not wish or said in wish for said, wish in wishes):
            return False
        if self.epcs is not None and not draft.names(self.epcs):
            return False
        if self.parents is not None and draft.parent not in self.parents:
            return False
        return self.anywhere is None or draft.parent in self.anywhere or draft.names(self.anywhere)

    @property
    def things(self) -> list[frozenset[Unit]]:
        """What must be named, somewhere: each of these sets."""
        return [units for units in (self.epcs, self.parents, self.anywhere) if units is not None]


def life_words(state: str, was: str) -> tuple[str, str, str]:
    """Commissioning is an activation; what lives again after a void or a recall is observed."""
    if state == "active" and was in ("void", "recalled"):
        return BACK_TO_LIFE
    return LIFE_WORDS[state]


def chunks(ranges: Iterable[Range], size: int = EPCS_PER_EVENT) -> Iterator[list[Range]]:
    """The same serials in portions of ``size``."""
    portion: list[Range] = []
    room = size
    for first, last in ranges:
        start = first
        while start <= last:
            end = min(last, start + room - 1)
            portion.append((start, end))
            room -= end - start + 1
            start = end + 1
            if room == 0:
                yield portion
                portion, room = [], size
    if portion:
        yield portion


def make(
    *,
    row_id: UUID,
    place: int,
    kind: str,
    at: datetime,
    zone_offset: str,
    words: tuple[str, str, str],
    **more: Any,
) -> Event:
    """An event. Its id is the same whenever it is made again."""
    action, step, disposition = words
    return {
        "type": kind,
        "eventID": f"urn:uuid:{uuid5(row_id, str(place))}",
        "eventTime": stamp(at),
        "recordTime": stamp(at),
        "eventTimeZoneOffset": zone_offset,
        "action": action,
        "bizStep": step,
        "disposition": disposition,
        **{name: value for name, value in more.items() if value},
    }


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def zone_offset(at: datetime) -> str:
    """``+08:00``. ``at`` is in the zone of the brand."""
    minutes = int((at.utcoffset() or at.astimezone(UTC).utcoffset()).total_seconds() // 60)  # type: ignore[union-attr]
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def document(events: Sequence[Event], *, now: datetime) -> dict[str, Any]:
    """A file of events."""
    return {**_head("EPCISDocument", now), "epcisBody": {"eventList": list(events)}}


def query_document(events: Sequence[Event], *, now: datetime) -> dict[str, Any]:
    """The answer to a query."""
    results = {"queryName": "SimpleEventQuery", "resultsBody": {"eventList": list(events)}}
    return {**_head("EPCISQueryDocument", now), "epcisBody": {"queryResults": results}}


def _head(kind: str, now: datetime) -> dict[str, Any]:
    return {"@context": [CONTEXT], "type": kind, "schemaVersion": VERSION, "creationDate": stamp(now)}
