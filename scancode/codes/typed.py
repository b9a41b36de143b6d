"""What people type or paste for a range of serials: numbers, ranges, codes, or «all». Pure.

``0-999, 1500`` in any punctuation of either language; a whole code or its URL stands for its serial.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from scancode.codes.rules import Range
from scancode.errors import Refusal
from scancode.i18n import N_

RANGES_MAX = 1000
TEXT_LENGTH_MAX = 60_000


class RangeForm(Refusal):
    code = "range_form"
    text = N_("“{typed}” is neither a number, nor a range such as 0-999, nor a code.")
    status = 422


class RangeMissing(Refusal):
    code = "range_missing"
    text = N_("Say which codes: serials such as 0-999, 1500, or “all”.")
    status = 422


class RangeReversed(Refusal):
    code = "range_reversed"
    text = N_("{first}-{last} runs backwards: the smaller serial comes first.")
    status = 422


class RangeOutside(Refusal):
    code = "range_outside"
    text = N_("{first}-{last} does not lie within this batch: its serials run from 0 to {end}.")
    status = 422


class RangesOverlap(Refusal):
    code = "ranges_overlap"
    text = N_("Serial {serial} is named more than once.")
    status = 422


class TooManyRanges(Refusal):
    code = "too_many_ranges"
    text = N_("At most {limit} ranges can be changed at once.")
    status = 422


def parse_ranges(text: str, *, count: int, read_code: Callable[[str], int] | None = None) -> tuple[Range, ...]:
    """The ranges that a text names, sorted. ``read_code`` turns a pasted code into its serial, or raises.

    Raises RangeForm, RangeMissing, RangeReversed, RangeOutside, RangesOverlap, TooManyRanges.
    """
    if text.strip().lower() in {"all", "全部", "整批"}:
        return ((0, count - 1),)
    if len(text) > TEXT_LENGTH_MAX:
        raise TooManyRanges(limit=RANGES_MAX)
    items = [item for item in re.split(r"[,，、;；\n\r]+", text) if item.strip()]
    if not items:
        raise RangeMissing
    if len(items) > RANGES_MAX:
        raise TooManyRanges(limit=RANGES_MAX)
    return check_ranges([_one(item.strip(), read_code) for item in items], count=count)


def check_ranges(ranges: list[Range], *, count: int) -> tuple[Range, ...]:
    """The same, sorted. Raises RangeMissing, RangeReversed, RangeOutside, RangesOverlap, TooManyRanges."""
    if not ranges:
        raise RangeMissing
    if len(ranges) > RANGES_MAX:
        raise TooManyRanges(limit=RANGES_MAX)
    previous = -1
    for first, last in sorted(ranges):
        if first > last:
            raise RangeReversed(first=first, last=last)
        if first < 0 or last >= count:
            raise RangeOutside(first=first, last=last, end=count - 1)
        if first <= previous:
            raise RangesOverlap(serial=first)
        previous = last
    return tuple(sorted(ranges))


def _one(item: str, read_code: Callable[[str], int] | None) -> Range:
    match = re.fullmatch(r"([0-9]{1,9})(?:\s*(?:-|–|—|~|～|－|至|到|\.\.|to)\s*([0-9]{1,9}))?", item)
    if match:
        first = int(match[1])
        return first, int(match[2]) if match[2] else first
    if read_code is not None and re.search(r"[0-9A-Za-z]{4}", item) and len(item) >= 20:
        serial = read_code(item)
        return serial, serial
    raise RangeForm(typed=item[:40])


def code_in(text: str) -> str:
    """The code within what was pasted: a URL's last part, or the text itself."""
    bare = text.strip().split("?")[0].split("#")[0]
    return bare.rstrip("/").rsplit("/", 1)[-1][:80]
