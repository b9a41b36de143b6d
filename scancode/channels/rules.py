"""Who gets the credit for a scan, and which serials may be shipped. Pure decisions on frozen facts.

The last touch within ``touch_days`` explains a scan of the same brand; else the place that the item was shipped to;
else nothing does, and reports say ``unknown``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from batches.text import ALPHABET
from scancode.codes.ranges import Span, overlay

TOKEN_LENGTH = 12
"""60 random bits: nobody finds a placed code by trying."""

_TOKEN = re.compile(rf"[{ALPHABET}]{{10,16}}")


class Source(StrEnum):
    """How a scan came by its attribution."""

    TOUCH = "touch"
    SHIPMENT = "shipment"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Place:
    """Where a range of serials was shipped to last."""

    channel_id: UUID
    store_id: UUID | None
    shipment_id: UUID


@dataclass(frozen=True)
class TouchpointFacts:
    """A placed code. ``is_active`` is False as soon as it, its guide, its store or its channel was deactivated."""

    id: UUID
    token: str
    brand_id: UUID
    kind: str
    channel_id: UUID
    store_id: UUID | None
    guide_id: UUID | None
    scene: str
    placement: str
    name: str
    is_active: bool
    store_name: str = ""


@dataclass(frozen=True)
class Attribution:
    """Who gets the credit. ``source`` is touch, shipment or unknown; unknown has no ids at all."""

    source: str
    channel_id: UUID | None = None
    store_id: UUID | None = None
    guide_id: UUID | None = None
    touchpoint_id: UUID | None = None


UNKNOWN = Attribution(Source.UNKNOWN.value)


def attribute(
    *,
    touch: TouchpointFacts | None,
    touched_at: datetime | None,
    place: Place | None,
    brand_id: UUID,
    now: datetime,
    touch_days: int,
) -> Attribution:
    """The credit for a scan at ``now`` of an item of ``brand_id`` that was shipped to ``place``.

    A touch counts up to and including exactly ``touch_days`` after it; 0 days switches touches off. A placed code
    that is switched off at the time of the scan explains nothing.
    """
    if (
        touch is not None
        and touched_at is not None
        and touch_days > 0
        and touch.is_active
        and touch.brand_id == brand_id
        and now - touched_at <= timedelta(days=touch_days)
    ):
        return Attribution(Source.TOUCH.value, touch.channel_id, touch.store_id, touch.guide_id, touch.id)
    if place is not None:
        return Attribution(Source.SHIPMENT.value, place.channel_id, place.store_id)
    return UNKNOWN


def read_token(text: str) -> str | None:
    """The token as it is stored, or None for a text that cannot be one (no query is spent on those)."""
    token = text.strip().upper()
    return token if _TOKEN.fullmatch(token) else None


def leave_out(ranges: Sequence[tuple[int, int]], dead: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """``ranges`` without the serials of ``dead``; both are sorted and free of overlaps."""
    left: list[tuple[int, int]] = []
    for first, last in ranges:
        start = first
        for low, high in dead:
            if high < start or low > last:
                continue
            if low > start:
                left.append((start, low - 1))
            start = high + 1
        if start <= last:
            left.append((start, last))
    return left


class ShipmentKind(StrEnum):
    """Out of the factory; from one place to another; back to the factory."""

    OUT = "out"
    TRANSFER = "transfer"
    RETURN = "return"


def lay(old: Sequence[Span[Place]], ranges: Sequence[tuple[int, int]], place: Place | None) -> list[Span[Place]]:
    """Where everything of a batch is, once ``ranges`` went to ``place`` (None: nowhere any more)."""
    spans = list(old)
    for first, last in ranges:
        if place is not None:
            spans = overlay(spans, Span(first, last, place))
        else:
            cut = [(span.cut(span.first, first - 1), span.cut(last + 1, span.last)) for span in spans]
            spans = [part for parts in cut for part in parts if part is not None]
    return spans


@dataclass(frozen=True)
class Line:
    """Serials that a shipment carried, and the shipment that they were moved from, if any."""

    first: int
    last: int
    moved_from: UUID | None


def lines_of(old: Sequence[Span[Place]], ranges: Sequence[tuple[int, int]]) -> list[Line]:
    """``ranges`` cut up by where their serials were before."""
    lines: list[Line] = []
    for first, last in ranges:
        start = first
        for span in old:
            part = span.cut(first, last)
            if part is None:
                continue
            if part.first > start:
                lines.append(Line(start, part.first - 1, None))
            lines.append(Line(part.first, part.last, span.value.shipment_id))
            start = part.last + 1
        if start <= last:
            lines.append(Line(start, last, None))
    return lines
