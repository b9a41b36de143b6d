"""Who gets the credit, and which serials may be named in a shipment: decided without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from scancode.channels import rules
from scancode.channels.rules import Attribution, Line, Place, TouchpointFacts
from scancode.codes.ranges import Span

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
BRAND, OTHER_BRAND = UUID(int=1), UUID(int=2)
CHANNEL, STORE, GUIDE, POINT = UUID(int=10), UUID(int=11), UUID(int=12), UUID(int=13)
SHELF = TouchpointFacts(
    id=POINT,
    token="ABCDEFGH1234",
    brand_id=BRAND,
    kind="guide",
    channel_id=CHANNEL,
    store_id=STORE,
    guide_id=GUIDE,
    scene="",
    placement="",
    name="Bob",
    is_active=True,
)
PLACE = Place(channel_id=UUID(int=20), store_id=UUID(int=21), shipment_id=UUID(int=22))
BY_TOUCH = Attribution("touch", CHANNEL, STORE, GUIDE, POINT)
BY_SHIPMENT = Attribution("shipment", PLACE.channel_id, PLACE.store_id)


def credit(
    touch: TouchpointFacts | None = SHELF,
    *,
    ago: timedelta = timedelta(hours=1),
    place: Place | None = PLACE,
    touch_days: int = 7,
) -> Attribution:
    return rules.attribute(
        touch=touch, touched_at=NOW - ago, place=place, brand_id=BRAND, now=NOW, touch_days=touch_days
    )


def test_the_last_touch_explains_a_scan() -> None:
    assert credit() == BY_TOUCH


def test_a_touch_counts_up_to_exactly_seven_days() -> None:
    assert credit(ago=timedelta(days=7)) == BY_TOUCH


def test_a_touch_of_a_moment_more_than_seven_days_is_over() -> None:
    assert credit(ago=timedelta(days=7, microseconds=1)) == BY_SHIPMENT


def test_zero_days_switch_touches_off() -> None:
    assert credit(ago=timedelta(0), touch_days=0) == BY_SHIPMENT


def test_a_touch_of_another_brand_explains_nothing() -> None:
    assert credit(replace(SHELF, brand_id=OTHER_BRAND)) == BY_SHIPMENT


def test_a_placed_code_that_was_switched_off_explains_nothing() -> None:
    assert credit(replace(SHELF, is_active=False)) == BY_SHIPMENT


def test_without_a_touch_the_shipment_explains_a_scan() -> None:
    assert credit(None) == BY_SHIPMENT


def test_without_touch_and_shipment_it_is_unknown_and_names_nobody() -> None:
    assert credit(None, place=None) == Attribution("unknown", None, None, None, None)


def test_a_touch_without_its_time_is_no_touch() -> None:
    assert (
        rules.attribute(touch=SHELF, touched_at=None, place=None, brand_id=BRAND, now=NOW, touch_days=7).source
        == "unknown"
    )


def test_it_leaves_out_dead_serials() -> None:
    assert rules.leave_out([(0, 99)], [(0, 4), (50, 50), (99, 99)]) == [(5, 49), (51, 98)]
    assert rules.leave_out([(0, 9), (20, 29)], [(5, 24)]) == [(0, 4), (25, 29)]
    assert rules.leave_out([(0, 9)], [(0, 9)]) == []


def test_lines_say_where_each_serial_was_before() -> None:
    old = [Span(10, 19, PLACE)]
    assert rules.lines_of(old, [(0, 29)]) == [
        Line(0, 9, None),
        Line(10, 19, PLACE.shipment_id),
        Line(20, 29, None),
    ]


def test_a_new_shipment_takes_its_serials_out_of_the_old_one() -> None:
    new = Place(UUID(int=30), None, UUID(int=31))
    assert rules.lay([Span(0, 99, PLACE)], [(10, 19)], new) == [
        Span(0, 9, PLACE),
        Span(10, 19, new),
        Span(20, 99, PLACE),
    ]


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("abcdefgh1234", "ABCDEFGH1234"),
        (" ABCDEFGH12 ", "ABCDEFGH12"),
        ("ABCDEFGH1", None),
        ("ABCDEFGH1234ABCDE", None),
        ("ABCDEFGHI234", None),
        ("ABCDEFGH12'--", None),
    ],
)
def test_it_reads_a_token_in_either_case_and_nothing_else(text: str, token: str | None) -> None:
    assert rules.read_token(text) == token
