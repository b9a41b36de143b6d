"""Periods, rates and order of a report: decided without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scancode.reports import rules
from scancode.reports.rules import Counts, FunnelRow

SHANGHAI = "Asia/Shanghai"


def test_a_period_begins_and_ends_at_the_brands_midnight() -> None:
    period = rules.read_period("2026-11-22", "2026-11-22", timezone=SHANGHAI)
    assert period.begins_at == datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
    assert period.ends_before == datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


def test_a_day_of_the_clock_change_is_as_long_as_it_is() -> None:
    period = rules.read_period("2026-10-25", "2026-10-25", timezone="Europe/Berlin")
    assert period.ends_before - period.begins_at == timedelta(hours=25)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 22, 15, 59, tzinfo=UTC), "2026-11-22"),
        (datetime(2026, 11, 22, 16, 1, tzinfo=UTC), "2026-11-23"),
    ],
)
def test_a_moment_falls_on_the_brands_day(moment: datetime, day: str) -> None:
    assert rules.Period("2026-11-22", "2026-11-22", SHANGHAI).day_of(moment) == day


def test_a_period_may_have_366_days_and_no_more() -> None:
    assert len(rules.read_period("2024-01-01", "2024-12-31", timezone="UTC").days()) == 366
    with pytest.raises(rules.PeriodTooLong):
        rules.read_period("2024-01-01", "2025-01-01", timezone="UTC")


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-11-22", "2026-11-21"),
        ("", ""),
        ("2026-02-30", "2026-03-01"),
        ("22/11/2026", "2026-11-22"),
        ("0001-01-01", "0001-01-02"),
        ("9999-12-30", "9999-12-31"),
    ],
)
def test_it_refuses_a_period_that_is_none(first: str, last: str) -> None:
    with pytest.raises(rules.BadPeriod):
        rules.read_period(first, last, timezone=SHANGHAI)


def test_the_last_seven_days_end_today() -> None:
    assert rules.last_days("2026-03-03", 7) == ("2026-02-25", "2026-03-03")


@pytest.mark.parametrize(
    ("paid", "members", "cost"), [(1000, 3, 333), (500, 3, 167), (5, 2, 3), (0, 4, 0), (9, 0, None)]
)
def test_the_cost_of_a_member_is_rounded_to_a_fen(paid: int, members: int, cost: int | None) -> None:
    assert FunnelRow("x", paid_fen=paid, members=members).cost_per_member_fen == cost


def test_a_rate_of_nothing_is_none() -> None:
    assert FunnelRow("x", claims=1).claim_rate is None
    assert FunnelRow("x", claims=1, scanned=4).claim_rate == 0.25
    assert FunnelRow("x", members=1, visitors=3).join_rate == pytest.approx(1 / 3)


def test_unknown_comes_last_however_much_it_has() -> None:
    rows = [FunnelRow("", scanned=99), FunnelRow("a", scanned=1), FunnelRow("b", scanned=2)]
    assert [row.key for row in rules.in_order(rows, "channel")] == ["b", "a", ""]


def test_guides_and_scenes_have_no_shipped_items() -> None:
    counts = Counts(shipped={"x": 5}, activated={"x": 5})
    assert (counts.row("x", by="guide").shipped, counts.row("x", by="scene").activated) == (None, None)
    assert counts.row("x", by="store").shipped == 5


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_a_formula_is_defused(text: str) -> None:
    assert rules.defuse(text) == "'" + text


@pytest.mark.parametrize("text", ["", "华东商超", "a=b", "1-2"])
def test_an_ordinary_text_is_left_alone(text: str) -> None:
    assert rules.defuse(text) == text
