"""When scans outside a territory are worth a look, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from scancode.diversion.rules import (
    DiversionTerms,
    FileForm,
    Sighted,
    UnknownOwner,
    UnknownPlace,
    is_outside,
    owners_of,
    read_file,
    read_places,
    surfaced,
)
from scancode.errors import Refusal

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ZHEJIANG, HANGZHOU, JIAXING, SHANGHAI, GUANGDONG, SHENZHEN, URUMQI = (
    330000, 330100, 330400, 310000, 440000, 440300, 650100,
)  # fmt: skip
TERMS = DiversionTerms(items=3, share_percent=20, kilometres=50, days=30)


def seen(item: int, region: int = SHENZHEN, *, by: int = 0, parent: int | None = None) -> Sighted:
    at = NOW + timedelta(minutes=item)
    return Sighted((7, item), UUID(int=item + 1), item, UUID(int=by or item + 100), at, region, parent)


@pytest.mark.parametrize(
    ("region", "outside"),
    [
        (HANGZHOU, False),
        (ZHEJIANG, False),  # only the province is known
        (JIAXING, True),
        (SHANGHAI, True),
        (URUMQI, True),
        (990000, True),
    ],
)
def test_a_place_is_outside_for_certain_or_not_at_all(region: int, outside: bool) -> None:
    assert is_outside(region, [HANGZHOU], beyond_km=20) is outside


def test_next_door_belongs_to_it() -> None:
    assert is_outside(JIAXING, [SHANGHAI], beyond_km=0)
    assert not is_outside(JIAXING, [SHANGHAI], beyond_km=50)


def test_several_items_of_several_people_are_worth_a_look() -> None:
    (found,) = surfaced([seen(n) for n in range(3)], [ZHEJIANG], scanned_items=10, terms=TERMS)
    assert (found.region, found.items, found.of_case) == (GUANGDONG, 3, 0)
    assert found.kilometres is not None
    assert 400 < found.kilometres < 1000
    assert found.latest_at == NOW + timedelta(minutes=2)


@pytest.mark.parametrize(
    "scans",
    [
        [seen(n) for n in range(2)],
        [seen(1) for _ in range(9)],  # one item, looked at often
        [seen(n, by=5) for n in range(9)],  # somebody took some home
        [seen(0), seen(1), seen(2, URUMQI)],  # one province each
        [seen(n, HANGZHOU) for n in range(9)],
    ],
    ids=["two", "one item", "one person", "scattered", "inside"],
)
def test_it_does_not_cry_wolf(scans: list[Sighted]) -> None:
    assert surfaced(scans, [ZHEJIANG], scanned_items=10, terms=TERMS) == []


def test_a_small_share_is_worth_a_look_only_where_it_is_of_one_case() -> None:
    assert surfaced([seen(n) for n in range(3)], [ZHEJIANG], scanned_items=16, terms=TERMS) == []
    (found,) = surfaced([seen(n, parent=9) for n in range(3)], [ZHEJIANG], scanned_items=1000, terms=TERMS)
    assert found.of_case == 3


def test_without_a_territory_nothing_is_outside() -> None:
    assert surfaced([seen(n) for n in range(9)], [], scanned_items=9, terms=TERMS) == []


def test_places_are_read_a_line_each() -> None:
    assert read_places("浙江省\n\n广东省，深圳市\n上海 上海市\n浙江") == [ZHEJIANG, SHENZHEN, SHANGHAI]


@pytest.mark.parametrize("typed", ["Atlantis", "浙江省 深圳市"])
def test_a_place_that_is_none_is_named(typed: str) -> None:
    with pytest.raises(UnknownPlace) as caught:
        read_places(f"浙江\n{typed}")
    assert caught.value.facts["line"] == 2


CHANNEL, STORE = UUID(int=1), UUID(int=2)


def test_a_file_names_channels_and_stores() -> None:
    rows = read_file(
        "\ufeffprovince,city,channel,store\n浙江省,,华东,\n浙江省,杭州市,华东,西湖店\n,,,\n上海市,,华东,\n"
    )
    found = owners_of(rows, channels={"华东": CHANNEL}, stores={(CHANNEL, "西湖店"): STORE})
    assert found == {(CHANNEL, None): [ZHEJIANG, SHANGHAI], (CHANNEL, STORE): [HANGZHOU]}


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", FileForm),
        ("channel,store\n", FileForm),
        ("channel,store,province,city\n华东,,Atlantis,\n", UnknownPlace),
        ("channel,store,province,city\n别家,,浙江,\n", UnknownOwner),
        ("channel,store,province,city\n华东,没有,浙江,\n", UnknownOwner),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(text: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        owners_of(read_file(text), channels={"华东": CHANNEL}, stores={})
