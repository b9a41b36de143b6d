from __future__ import annotations

from datetime import datetime

import pytest

from scancode.campaigns.conditions import NONE, Boost, Conditions, Place, from_text, problems, to_text
from scancode.db import new_id
from tests.factories import NOW

SHOP, OTHER = new_id(NOW), new_id(NOW)
EVENING = Boost(3, (str(SHOP),), "2026-12-01T00:00", "2026-12-03T00:00", 18, 22)


def test_conditions_are_kept_as_a_text_and_read_back() -> None:
    full = Conditions(2, 9, 100, 5000, ("a",), ("b", "c"), ("d",), ("浙江省",), "new", (EVENING,), 5, 100)
    assert from_text(to_text(full)) == full
    assert to_text(NONE) == ""
    assert from_text("") == NONE
    assert from_text(to_text(Conditions(day_max=3))) == Conditions(day_max=3)


@pytest.mark.parametrize(
    ("moment", "factor"),
    [
        ("2026-12-01T18:00", 3),
        ("2026-12-01T17:59", 1),
        ("2026-12-02T21:59", 3),
        ("2026-12-02T22:00", 1),
        ("2026-11-30T18:00", 1),
        ("2026-12-03T18:00", 1),
    ],
)
def test_more_points_within_window_and_hours_and_only_there(moment: str, factor: int) -> None:
    conditions = Conditions(boosts=(EVENING,))
    local = datetime.fromisoformat(moment)
    assert conditions.factor(SHOP, local) == factor
    assert conditions.factor(OTHER, local) == conditions.factor(None, local) == 1


def test_a_code_takes_part_that_comes_from_any_of_the_places() -> None:
    somewhere = Conditions(stores=(str(SHOP),), regions=("杭州市",))
    assert somewhere.takes_part(Place(store_id=SHOP))
    assert somewhere.takes_part(Place(store_id=OTHER, city="杭州市"))
    assert not somewhere.takes_part(Place(store_id=OTHER, city="上海市"))
    assert not somewhere.takes_part(Place())
    assert NONE.takes_part(Place())


def test_regions_are_those_of_the_store_or_of_the_scan() -> None:
    scans = Conditions(regions=("330000", "310000"), regions_of="scan")
    assert not scans.names_places
    assert scans.takes_part(Place(province="330000"))
    assert scans.takes_scan(330100), "a city of the province"
    assert scans.takes_scan(310000)
    assert not scans.takes_scan(440300)
    assert not scans.takes_scan(None), "nobody knows where"
    stores = Conditions(regions=("浙江省",))
    assert stores.takes_scan(None)
    assert stores.scan_regions == ()


def test_items_take_part_of_any_chosen_product_or_batch() -> None:
    some = Conditions(products=(str(SHOP),), batches=("7",))
    assert some.takes_item(SHOP, 9)
    assert some.takes_item(OTHER, 7)
    assert not some.takes_item(OTHER, 9)
    assert NONE.takes_item(OTHER, 9)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (Conditions(day_max=0), "day_max"),
        (Conditions(person_day_max=3, person_max=2), "person_day_max"),
        (Conditions(nth=5), "nth"),
        (Conditions(nth_count=5), "nth"),
        (Conditions(nth=5, nth_points=5, nth_fen=50), "nth"),
        (Conditions(nth=5, nth_fen=20_001), "nth_fen"),
        (Conditions(regions=("浙江",), regions_of="scan"), "regions"),
        (Conditions(regions=("330000", "1"), regions_of="scan"), "regions"),
        (Conditions(regions_of="moon"), "regions_of"),
        (Conditions(boosts=(Boost(6, (str(SHOP),), "2026-12-01", "2026-12-02"),)), "boosts"),
        (Conditions(boosts=(Boost(3, (), "2026-12-01", "2026-12-02"),)), "boosts"),
        (Conditions(boosts=(Boost(3, (str(SHOP),), "2026-12-02", "2026-12-01"),)), "boosts"),
        (Conditions(boosts=(Boost(3, (str(SHOP),), "2026-12-01", "2026-12-02", 9, 9),)), "boosts"),
    ],
)
def test_what_cannot_be_meant_is_said(wrong: Conditions, field: str) -> None:
    assert [name for name, _ in problems(wrong)] == [field]
