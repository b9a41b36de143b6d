"""``GET /reports/funnel``."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests import factories
from tests.web.api.conftest import Machine, Scanned, World

DAYS = {"first": "2026-11-20", "last": "2026-11-22"}


@pytest.fixture
def sold(world: World, scanned: Scanned) -> str:
    """Three scans of two codes through a channel whose name a spreadsheet would run; returns the channel's id."""
    with world.wired.db.transaction() as session:
        channel = factories.make_channel(session, brand_id=world.own.id, name='=HYPERLINK("x")')
    for serial in (1, 1, 2):
        scanned(world.own, serial, source="shipment", channel_id=channel.id)
    scanned(world.own, 3)
    return str(channel.id)


def test_it_reads_the_funnel_by_channel(machine: Machine, sold: str) -> None:
    funnel = machine.get("/reports/funnel", by="channel", **DAYS).json
    assert (funnel["by"], funnel["brand"], funnel["timezone"]) == ("channel", "shanquan", "Asia/Shanghai")
    assert (funnel["first"], funnel["last"], funnel["left_off"]) == ("2026-11-20", "2026-11-22", 0)
    found = {row["key"]: (row["scanned"], row["scans"]) for row in funnel["rows"]}
    assert found == {sold: (2, 3), "": (1, 1)}
    assert (funnel["total"]["scanned"], funnel["total"]["scans"]) == (3, 4)


DIMENSIONS: list[str] = ["channel", "store", "guide", "scene", "product", "batch", "day"]


def test_every_dimension_answers(machine: Machine, sold: str) -> None:
    for by in DIMENSIONS:
        answer = machine.get("/reports/funnel", by=by, **DAYS)
        assert (answer.status_code, answer.json["by"]) == (200, by)


def test_as_csv_it_has_the_same_numbers_and_no_formulas(world: World, machine: Machine, sold: str) -> None:
    answer = machine.get("/reports/funnel", {"Accept": "text/csv"}, by="channel", **DAYS)
    assert answer.content_type == "text/csv; charset=utf-8"
    assert "Accept" in answer.headers["Vary"]
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert [(row["key"], row["scanned"]) for row in rows] == [(sold, "2"), ("", "1"), ("total", "3")]
    assert rows[0]["name_zh"] == '\'=HYPERLINK("x")'
    assert rows[0]["cost_per_member_fen"] == ""
    (row,) = world.audited("report.export")
    assert row.brand_id == world.own.id


def test_reading_as_json_is_no_export(world: World, machine: Machine, sold: str) -> None:
    machine.get("/reports/funnel", {"Accept": "*/*"}, by="day", **DAYS)
    assert world.audited("report.export") == []


def test_another_brands_numbers_stay_its_own(world: World, machine: Machine, sold: str) -> None:
    stranger = world.machine(brand=world.other)
    assert stranger.get("/reports/funnel", by="batch", **DAYS).json["total"]["scans"] == 0
    assert stranger.get("/reports/funnel", by="batch", brand="shanquan", **DAYS).json["code"] == "brand_unknown"
    operator = world.operator()
    assert operator.get("/reports/funnel", by="batch", **DAYS).json["code"] == "brand_needed"
    assert operator.get("/reports/funnel", by="batch", brand="shanquan", **DAYS).json["total"]["scans"] == 4


WRONG_QUERIES: list[tuple[dict[str, Any], str]] = [
    ({"by": "planet"}, "invalid"),
    ({"by": None}, "invalid"),
    ({"first": "yesterday"}, "invalid"),
    ({"first": "2026-11-23"}, "bad_period"),
    ({"first": "2025-11-21"}, "period_too_long"),
    ({"first": "0001-01-01", "last": "0001-01-01"}, "bad_period"),
    ({"csv": "1"}, "invalid"),
]


def test_it_refuses_what_it_does_not_know(machine: Machine) -> None:
    for query, code in WRONG_QUERIES:
        asked = {name: value for name, value in ({"by": "day"} | DAYS | query).items() if value is not None}
        answer = machine.get("/reports/funnel", **asked)
        assert (answer.status_code, answer.json["code"]) == (422, code)
