"""What people type, paste, scan or upload for ranges of serials: numbers, ranges, codes, or «all». Pure.

``0-999, 1500`` in any punctuation of either language; a whole code or its URL stands for its serial, and two of them
with ``..`` or a dash between are both ends of a roll, whichever way round it was wound.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from scancode.codes.rules import Range
from scancode.errors import Refusal
from scancode.i18n import N_

RANGES_MAX = 1000
TEXT_LENGTH_MAX = 60_000
LINES_MAX = 50_000
"""Lines of an uploaded file, such as the camera rejects of a line."""
FILE_RANGES_TEXT_MAX = 900_000
"""Characters that the ranges of such a file may take as text: what a form without files carries."""
_BETWEEN_ENDS = re.compile(r"\s*(?:\.\.+|~|～|至|到)\s*|\s+(?:-|–|—|－|to)\s+")


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


RANGE_REFUSALS = (RangeForm, RangeReversed, RangeOutside, RangesOverlap, TooManyRanges)
"""What may be wrong with ranges that somebody typed."""


class BadLine(Refusal):
    """Facts: ``line`` counted from 1, what stands there, how many lines are wrong in all."""

    code = "bad_line"
    text = N_("Line {line}: “{typed}” is neither a serial nor a code of this batch ({count} lines are wrong).")
    status = 422


class TooManyLines(Refusal):
    code = "too_many_lines"
    text = N_("The file has more than {limit} lines. Split it.")
    status = 422


ReadCode = Callable[[str], int]
"""Turns a pasted code into its serial, or raises."""


def parse_ranges(
    text: str, *, count: int, read_code: ReadCode | None = None, limit: int = RANGES_MAX
) -> tuple[Range, ...]:
    """The ranges that a text names, sorted.

    Raises RangeForm, RangeMissing, RangeReversed, RangeOutside, RangesOverlap, TooManyRanges.
    """
    if text.strip().lower() in {"all", "全部", "整批"}:
        return ((0, count - 1),)
    if len(text) > max(TEXT_LENGTH_MAX, limit * 18):
        raise TooManyRanges(limit=limit)
    items = [item for item in re.split(r"[,，、;；\n\r]+", text) if item.strip()]
    if not items:
        raise RangeMissing
    if len(items) > limit:
        raise TooManyRanges(limit=limit)
    return check_ranges([_one(item.strip(), read_code) for item in items], count=count, limit=limit)


def parse_lines(lines: Iterable[str], *, count: int, read_code: ReadCode) -> tuple[Range, ...]:
    """The serials of a file of codes, addresses, serials or ranges, one a line, as ranges; repeats are one.

    Raises BadLine, TooManyLines, RangeMissing.
    """
    found: list[Range] = []
    wrong: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if number > LINES_MAX:
            raise TooManyLines(limit=LINES_MAX)
        item = line.strip().strip('"').strip()
        if not item:
            continue
        try:
            first, last = _one(item, read_code)
        except Refusal:
            wrong.append((number, item[:40]))
            continue
        if first > last or last >= count:
            wrong.append((number, item[:40]))
        else:
            found.append((first, last))
    if wrong:
        raise BadLine(line=wrong[0][0], typed=wrong[0][1], count=len(wrong))
    if not found:
        raise RangeMissing
    return merge(found)


def merge(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """The same serials in as few ranges as can be, sorted."""
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def written(ranges: Iterable[Range]) -> str:
    """Ranges as ``parse_ranges`` reads them."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def check_ranges(ranges: Sequence[Range], *, count: int, limit: int = RANGES_MAX) -> tuple[Range, ...]:
    """The same, sorted. Raises RangeMissing, RangeReversed, RangeOutside, RangesOverlap, TooManyRanges."""
    if not ranges:
        raise RangeMissing
    if len(ranges) > limit:
        raise TooManyRanges(limit=limit)
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


def _one(item: str, read_code: ReadCode | None) -> Range:
    match = re.fullmatch(r"([0-9]{1,9})(?:\s*(?:-|–|—|~|～|－|至|到|\.\.|to)\s*([0-9]{1,9}))?", item)
    if match:
        first = int(match[1])
        return first, int(match[2]) if match[2] else first
    ends = _BETWEEN_ENDS.split(item)
    if read_code is None or len(ends) > 2 or not all(_may_be_code(end) for end in ends):
        raise RangeForm(typed=item[:40])
    serials = sorted(read_code(end.strip()) for end in ends)
    return serials[0], serials[-1]


def _may_be_code(item: str) -> bool:
    return len(item) >= 20 and re.search(r"[0-9A-Za-z]{4}", item) is not None


_MARKS = "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
_AROUND = " \t\r\n\u3000.,;:!()[]<>\"'。．，、；：！（）【】「」《》“”‘’" + _MARKS


def code_in(text: str) -> str:
    """The code within what was pasted: a URL's last part, or the text itself, without the signs of the sentence that it
    stood in and the marks of direction that come along when it is copied."""
    bare = text.strip(_AROUND).split("?")[0].split("#")[0]
    return bare.rstrip("/").rsplit("/", 1)[-1].strip(_AROUND)[:80]
