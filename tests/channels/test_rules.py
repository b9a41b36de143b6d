"""Who gets the credit, and which serials may be named in a shipment: decided without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from scancode.channels import rules
from scancode.channels.rotation import Attendant
from scancode.channels.rules import Attribution, ItemFacts, Line, Place, Seen, TouchpointFacts
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
ITEM = {"item_channel_id": PLACE.channel_id, "item_store_id": PLACE.store_id}
BY_TOUCH = Attribution("touch", CHANNEL, STORE, GUIDE, POINT, POINT, GUIDE, **ITEM)
BY_SHIPMENT = Attribution("shipment", PLACE.channel_id, PLACE.store_id, **ITEM)
BATCHS, REGIONS = UUID(int=40), UUID(int=50)


def credit(
    touch: TouchpointFacts | None = SHELF,
    *,
    ago: timedelta = timedelta(hours=1),
    item: ItemFacts | None = None,
    touch_days: int = 7,
) -> Attribution:
    touches = [Seen(touch, NOW - ago, touch.guide_id)] if touch else []
    return attribute(touches, item=item, touch_days=touch_days)


def attribute(touches: list[Seen], *, item: ItemFacts | None = None, touch_days: int = 7) -> Attribution:
    return rules.attribute(
        touches=touches, item=item or ItemFacts(PLACE), brand_id=BRAND, now=NOW, touch_days=touch_days
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


def test_of_several_touches_the_last_gets_the_credit_and_the_first_that_counts_is_kept() -> None:
    poster = replace(SHELF, id=UUID(int=60), guide_id=None, channel_id=UUID(int=61), store_id=None)
    card = replace(poster, id=UUID(int=62))
    days = [NOW - timedelta(days=count) for count in (8, 5, 1)]
    found = attribute([Seen(SHELF, days[0]), Seen(poster, days[1]), Seen(card, days[2])])
    assert (found.touchpoint_id, found.first_touchpoint_id) == (card.id, poster.id)
    assert (found.channel_id, found.store_id, found.guide_id) == (UUID(int=61), None, None)
    assert found.item_channel_id == PLACE.channel_id


def test_a_live_code_credits_the_guide_to_whom_it_led() -> None:
    eve = Attendant(UUID(int=70), UUID(int=71), "Eve")
    live = replace(SHELF, guide_id=None, team=(eve,))
    found = attribute([Seen(live, NOW, eve.guide_id)])
    assert (found.guide_id, found.store_id, found.first_guide_id) == (eve.guide_id, eve.store_id, eve.guide_id)
    gone = attribute([Seen(replace(live, team=(replace(eve, is_active=False),)), NOW, eve.guide_id)])
    assert (gone.source, gone.guide_id, gone.store_id) == ("touch", None, STORE)


def test_without_a_touch_the_shipment_explains_a_scan() -> None:
    assert credit(None) == BY_SHIPMENT


def test_without_a_shipment_the_channel_of_the_batch_does_and_then_that_of_the_region() -> None:
    item = ItemFacts(None, BATCHS, 440300, REGIONS)
    assert credit(None, item=item) == Attribution("batch", BATCHS, item_channel_id=BATCHS, region=440300)
    item = ItemFacts(None, None, 440300, REGIONS)
    assert credit(None, item=item) == Attribution("region", REGIONS, item_channel_id=REGIONS, region=440300)


def test_where_nothing_explains_it_it_is_unknown_and_names_nobody_but_keeps_the_region() -> None:
    assert credit(None, item=ItemFacts()) == Attribution("unknown")
    assert credit(None, item=ItemFacts(region=440300)) == Attribution("unknown", region=440300)


def test_a_channel_is_credited_with_a_region_only_where_it_is_alone() -> None:
    one, other = UUID(int=1), UUID(int=2)
    sole = rules.sole_channels([(440300, one), (440300, one), (440100, other), (330100, other)])
    assert rules.channel_of_region(sole, 440300) == one
    assert rules.channel_of_region(sole, 440100) == other
    assert rules.channel_of_region(sole, 440400) is None  # two channels in that province
    assert rules.channel_of_region(sole, 330200) == other  # alone in the province
    assert rules.channel_of_region(sole, None) is None


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
