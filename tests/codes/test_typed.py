"""What people type for a range of serials."""

from __future__ import annotations

import pytest

from scancode.codes.typed import (
    BadLine,
    RangeForm,
    RangeMissing,
    RangeOutside,
    RangeReversed,
    RangesOverlap,
    TooManyLines,
    TooManyRanges,
    code_in,
    parse_lines,
    parse_ranges,
    written,
)

CODE = "ABCDE12345ABCDE12345"


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("0-999", [(0, 999)]),
        ("0-9, 15", [(0, 9), (15, 15)]),
        ("15；0～9", [(0, 9), (15, 15)]),
        ("0 - 9\n15\n\n20至30、40到41，50 to 51", [(0, 9), (15, 15), (20, 30), (40, 41), (50, 51)]),
        ("999", [(999, 999)]),
        ("all", [(0, 999)]),
        (" 全部 ", [(0, 999)]),
        ("007", [(7, 7)]),
    ],
)
def test_it_reads(text: str, ranges: list[tuple[int, int]]) -> None:
    assert list(parse_ranges(text, count=1000)) == ranges


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", RangeMissing),
        (" , ；\n", RangeMissing),
        ("9-0", RangeReversed),
        ("0-1000", RangeOutside),
        ("1000", RangeOutside),
        ("0-9, 9", RangesOverlap),
        ("5, 5", RangesOverlap),
        ("3-4, 0-9", RangesOverlap),
        ("abc", RangeForm),
        ("-5", RangeForm),
        ("1.5", RangeForm),
        ("1-2-3", RangeForm),
        ("٣", RangeForm),
        (CODE, RangeForm),
        (",".join(str(n) for n in range(0, 2002, 2)), TooManyRanges),
        ("1" * 60_001, TooManyRanges),
    ],
)
def test_it_refuses(text: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        parse_ranges(text, count=1000)


def test_it_takes_a_thousand_ranges() -> None:
    assert len(parse_ranges(",".join(str(n) for n in range(0, 2000, 2)), count=2000)) == 1000


def test_it_reads_codes_among_numbers() -> None:
    read = {CODE: 7, f"https://q.example/{CODE}?from=wx": 9}
    text = f"0-3, {CODE}\nhttps://q.example/{CODE}?from=wx"
    assert parse_ranges(text, count=10, read_code=read.__getitem__) == ((0, 3), (7, 7), (9, 9))


@pytest.mark.parametrize(
    "text",
    [CODE, f"https://q.example/{CODE}", f"HTTPS://Q.EXAMPLE/01/06901234567892/21/{CODE}/", f" {CODE}?a=/b#c "],
)
def test_it_finds_the_code_in_what_was_pasted(text: str) -> None:
    assert code_in(text) == CODE


def test_two_codes_are_both_ends_of_a_roll_whichever_way_it_was_wound() -> None:
    ends = {CODE: 70, CODE[::-1]: 9}
    for text in (f"{CODE} - {CODE[::-1]}", f"{CODE}..{CODE[::-1]}", f"{CODE[::-1]} 至 {CODE}"):
        assert parse_ranges(text, count=100, read_code=ends.__getitem__) == ((9, 70),)
    with pytest.raises(RangeForm):
        parse_ranges(f"{CODE} - 70", count=100, read_code=ends.__getitem__)


def test_a_file_of_rejects_becomes_ranges_and_repeats_are_one() -> None:
    lines = ["7", f'"{CODE}"', "", "5", "6-8", "7"]
    assert parse_lines(lines, count=10, read_code={CODE: 1}.__getitem__) == ((1, 1), (5, 8))
    assert written(((1, 1), (5, 8))) == "1,5-8"


@pytest.mark.parametrize(("lines", "place"), [(["1", "ten", "-"], 2), (["99"], 1), (["3-1"], 1)])
def test_a_wrong_line_is_named_and_the_wrong_ones_counted(lines: list[str], place: int) -> None:
    with pytest.raises(BadLine) as refused:
        parse_lines(lines, count=10, read_code={}.__getitem__)
    assert refused.value.facts["line"] == place
    assert refused.value.facts["count"] == len(lines) - (lines[0] == "1")


def test_a_file_has_a_limit_and_must_name_something() -> None:
    with pytest.raises(TooManyLines):
        parse_lines(["1"] * 50_001, count=10, read_code={}.__getitem__)
    with pytest.raises(RangeMissing):
        parse_lines(["", " "], count=10, read_code={}.__getitem__)
