"""Places: their numbers, names, and which is around a point."""

from __future__ import annotations

import pytest

from scancode.channels import regions


@pytest.mark.parametrize(
    ("province", "city", "code"),
    [
        ("广东省", "深圳市", 440300),
        ("广东", "", 440000),
        ("广东", "不在", 440000),
        ("上海市", "上海市", 310000),
        ("内蒙古自治区", "阿拉善盟", 152900),
        ("内蒙古", "锡林郭勒", 152500),
        ("吉林", "吉林市", 220200),
        ("湖南省", "湘西土家族苗族自治州", 433100),
        ("新疆维吾尔自治区", "伊犁哈萨克自治州", 654000),
        ("Bavaria", "", None),
    ],
)
def test_it_finds_a_place_by_its_name(province: str, city: str, code: int | None) -> None:
    assert regions.find(province, city) == code


@pytest.mark.parametrize(
    ("latitude", "longitude", "code"),
    [
        (22.54, 114.06, 440300),
        (31.23, 121.47, 310000),
        (22.3, 114.17, 810000),
        (48.85, 2.35, regions.ABROAD),
        (91.0, 0.0, None),
        (float("nan"), 0.0, None),
    ],
)
def test_it_finds_the_city_around_a_point(latitude: float, longitude: float, code: int | None) -> None:
    assert regions.nearest(latitude, longitude) == code


def test_places_have_names_in_both_languages() -> None:
    assert regions.name_of(440300, "zh") == "广东 深圳"
    assert regions.name_of(440300, "en") == "Shenzhen, Guangdong"
    assert regions.name_of(310000, "en") == "Shanghai"
    assert regions.name_of(None, "zh") == regions.name_of(123, "zh") == ""


def test_a_province_covers_its_cities() -> None:
    assert regions.covers(440000, 440300)
    assert regions.covers(440300, 440300)
    assert not regions.covers(440300, 440000)
    assert not regions.covers(330000, 440300)
    assert 440300 in [city.code for city in regions.cities_of(440000)]
    assert len(regions.provinces()) == 35


def test_the_distance_of_two_places_is_that_of_their_nearest_counties() -> None:
    shanghai, hangzhou, urumqi, shenzhen, hongkong = 310000, 330100, 650100, 440300, 810000
    assert 3000 < (regions.kilometres(shanghai, urumqi) or 0) < 3400
    assert 60 < (regions.kilometres(shanghai, hangzhou) or 0) < 180
    assert (regions.kilometres(shenzhen, hongkong) or 999) < 40
    assert regions.kilometres(330000, hangzhou) == 0
    assert regions.kilometres(regions.ABROAD, shanghai) is None
