"""Who gets the credit for a scan, and which serials may be shipped. Pure decisions on frozen facts.

The last touch within the brand's days explains a scan of the same brand; else the place that the item was shipped to;
else the default channel of its batch; else the one channel that has stores where the scan was made; else nothing does,
and reports say ``unknown``. The first touch and what the item alone would say are kept beside it, so that a report can
be read by either.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from batches.text import ALPHABET
from scancode.channels import regions
from scancode.channels.rotation import Attendant
from scancode.codes.ranges import Span, overlay

TOKEN_LENGTH = 12
"""60 random bits: nobody finds a placed code by trying."""

_TOKEN = re.compile(rf"[{ALPHABET}]{{10,16}}")


LINK_PAGES = ("scan", "product")
"""Where a link of a product stands: on the page of a scanned item, on the product's own. Of others nothing is said."""


class Source(StrEnum):
    """How a scan came by its attribution, in order of precedence."""

    TOUCH = "touch"
    SHIPMENT = "shipment"
    BATCH = "batch"
    REGION = "region"
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
    rotation: str = ""
    team: tuple[Attendant, ...] = ()
    """The guides of a live code; empty for every other."""

    def attendant(self, guide_id: UUID | None) -> Attendant | None:
        """The guide of that id, if this live code may still lead to them."""
        return next((one for one in self.team if one.guide_id == guide_id and one.is_active), None)


@dataclass(frozen=True)
class Attribution:
    """Who gets the credit. ``source`` is one of ``Source``; unknown names nobody.

    ``first_…`` is the first touch that still counts, where a touch explains the scan. ``item_…`` is what the item says,
    whatever was touched: where it was shipped, else its batch's channel, else that of the region.
    """

    source: str
    channel_id: UUID | None = None
    store_id: UUID | None = None
    guide_id: UUID | None = None
    touchpoint_id: UUID | None = None
    first_touchpoint_id: UUID | None = None
    first_guide_id: UUID | None = None
    item_channel_id: UUID | None = None
    item_store_id: UUID | None = None
    region: int | None = None


UNKNOWN = Attribution(Source.UNKNOWN.value)
ATTRIBUTION_FIELDS: Final = tuple(field.name for field in fields(Attribution))


@dataclass(frozen=True)
class Seen:
    """A touch that a browser remembers; ``guide_id`` is whom a live code led to."""

    point: TouchpointFacts
    at: datetime
    guide_id: UUID | None = None


@dataclass(frozen=True)
class ItemFacts:
    """What speaks for an item whatever was touched: where it was shipped, the channel of its batch, the region of the
    scan and the only channel that has stores there."""

    place: Place | None = None
    batch_channel_id: UUID | None = None
    region: int | None = None
    region_channel_id: UUID | None = None


def attribute(
    *, touches: Sequence[Seen], item: ItemFacts, brand_id: UUID, now: datetime, touch_days: int
) -> Attribution:
    """The credit for a scan at ``now`` of an item of ``brand_id``. ``touches`` are the oldest first.

    A touch counts up to and including exactly ``touch_days`` after it; 0 days switches touches off. A placed code
    that is switched off at the time of the scan explains nothing; a guide who left a live code leaves the credit to
    its store and channel.
    """
    base = _of_item(item)
    counted = [seen for seen in touches if _counts(seen, brand_id=brand_id, now=now, touch_days=touch_days)]
    if not counted:
        return base
    first, last = counted[0], counted[-1]
    attendant = last.point.attendant(last.guide_id)
    return replace(
        base,
        source=Source.TOUCH.value,
        channel_id=last.point.channel_id,
        store_id=attendant.store_id if attendant else last.point.store_id,
        guide_id=attendant.guide_id if attendant else last.point.guide_id,
        touchpoint_id=last.point.id,
        first_touchpoint_id=first.point.id,
        first_guide_id=first.guide_id or first.point.guide_id,
    )


def _counts(seen: Seen, *, brand_id: UUID, now: datetime, touch_days: int) -> bool:
    point = seen.point
    is_ours = point.is_active and point.brand_id == brand_id
    return is_ours and touch_days > 0 and now - seen.at <= timedelta(days=touch_days)


def _of_item(item: ItemFacts) -> Attribution:
    """The credit without any touch."""
    if item.place is not None:
        source, channel_id, store_id = Source.SHIPMENT, item.place.channel_id, item.place.store_id
    elif item.batch_channel_id is not None:
        source, channel_id, store_id = Source.BATCH, item.batch_channel_id, None
    elif item.region_channel_id is not None:
        source, channel_id, store_id = Source.REGION, item.region_channel_id, None
    else:
        return replace(UNKNOWN, region=item.region)
    return Attribution(
        source.value, channel_id, store_id, item_channel_id=channel_id, item_store_id=store_id, region=item.region
    )


def sole_channels(stores: Iterable[tuple[int, UUID]]) -> dict[int, UUID]:
    """By province and by city: the channel, where all stores of that place are of one. ``stores`` are the region and
    the channel of each."""
    found: dict[int, set[UUID]] = defaultdict(set)
    for region, channel_id in stores:
        found[region].add(channel_id)
        found[regions.province_of(region)].add(channel_id)
    return {region: next(iter(channels)) for region, channels in found.items() if len(channels) == 1}


def channel_of_region(sole: Mapping[int, UUID], region: int | None) -> UUID | None:
    """The only channel of a city, else of its province, if there is one."""
    if region is None:
        return None
    return sole.get(region) or sole.get(regions.province_of(region))


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
