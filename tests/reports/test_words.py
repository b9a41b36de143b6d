"""The CSV file of a report: what a spreadsheet opens without surprises."""

from __future__ import annotations

import csv
import io

from scancode.i18n import translator
from scancode.reports import words
from scancode.reports.rules import Funnel, FunnelRow, Period

EVIL = '=HYPERLINK("https://evil.example","click")'
ROWS = (
    FunnelRow(
        "a",
        name_zh="华东商超",
        note="retail",
        shipped=100,
        activated=80,
        scanned=2,
        scans=3,
        visitors=1,
        claims=2,
        members=1,
        paid_fen=188,
        promised_fen=388,
    ),
    FunnelRow("b", name_zh=EVIL, note="@x", shipped=0, activated=0, paid_fen=5),
    FunnelRow("", scanned=1),
)


def table(locale: str) -> list[list[str]]:
    funnel = Funnel("channel", Period("2026-11-22", "2026-11-22", "Asia/Shanghai"), ROWS, ROWS[0])
    body = words.to_csv(funnel, locale=locale, translate=translator(locale))
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(body[3:].decode())))


def test_it_has_a_head_the_rows_and_the_total() -> None:
    lines = table("en")
    assert len(lines) == 5
    assert lines[0][0] == "Channel"
    assert {len(line) for line in lines} == {12}
    assert lines[1] == ["华东商超", "retail", "100", "80", "2", "3", "1", "2", "1", "1.88", "3.88", "1.88"]
    assert lines[-1][0] == "Total"


def test_it_speaks_chinese() -> None:
    lines = table("zh")
    assert lines[0][0] == "渠道"
    assert lines[3][0] == "未知"
    assert lines[-1][0] == "合计"


def test_a_name_that_looks_like_a_formula_is_defused() -> None:
    line = table("en")[2]
    assert line[0] == "'" + EVIL
    assert line[1] == "'@x"


def test_a_member_without_cost_and_a_row_without_shipping_are_empty_cells() -> None:
    line = table("en")[3]
    assert (line[0], line[2], line[3], line[-1]) == ("Unknown", "", "", "")


def test_yuan_has_two_decimals() -> None:
    assert [words.yuan(fen) for fen in (0, 5, 100, 123_456, None)] == ["0.00", "0.05", "1.00", "1234.56", ""]
