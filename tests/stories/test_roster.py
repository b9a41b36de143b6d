"""The members of a brand as staff see them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scancode.channels.rules import UNKNOWN, Seen
from scancode.db import new_id
from scancode.errors import NotFound
from scancode.stories import own_data, roster
from scancode.stories.roster import Chosen
from tests.stories.scene import NOW, Scene


def people(scene: Scene) -> None:
    """Three members: one from a store, one from nowhere, one from a shelf; a day apart."""
    for number, origin in enumerate((scene.shipped, UNKNOWN, None)):
        browser, at = new_id(NOW), NOW + timedelta(days=number)
        if origin:
            scene.scan(browser, number, at=at, by=origin)
        touch = scene.touchpoint() if origin is None else None
        scene.join(
            browser, phone=f"+861381234800{number}", touches=[Seen(touch, at)] if touch else [], at=at,
            marketing=number == 0,
        )  # fmt: skip


def listed(scene: Scene, chosen: Chosen | None = None, **over: object) -> list[str]:
    rows = roster.list_members(
        scene.session,
        brand_id=scene.brand.id,
        chosen=chosen or Chosen(),
        **({"limit": 10} | over),  # type: ignore[arg-type]
    )
    return [row.phone_hint for row in rows]


def test_it_lists_the_newest_first_with_masked_phones(scene: Scene) -> None:
    people(scene)
    assert listed(scene) == ["138****8002", "138****8001", "138****8000"]
    oldest = roster.list_members(scene.session, brand_id=scene.brand.id, chosen=Chosen(), limit=10)[-1]
    assert (oldest.source, oldest.wants_offers, oldest.has_openid, oldest.points) == ("shipment", True, False, 0)
    assert oldest.channel.startswith("渠道")
    assert oldest.store.startswith("门店")


def test_it_turns_pages(scene: Scene) -> None:
    people(scene)
    first = roster.list_members(scene.session, brand_id=scene.brand.id, chosen=Chosen(), limit=2)
    assert listed(scene, before=first[-1].id) == ["138****8000"]


def test_it_filters_by_source_place_and_day(scene: Scene) -> None:
    people(scene)
    assert listed(scene, Chosen(source="unknown")) == ["138****8001"]
    assert listed(scene, Chosen(channel_id=scene.channel_id)) == ["138****8002", "138****8000"]
    assert listed(scene, Chosen(store_id=scene.store_id)) == ["138****8000"]
    second_day = scene.brand.day(NOW + timedelta(days=1))
    assert listed(scene, Chosen(first_day=second_day, last_day=second_day)) == ["138****8001"]


def test_another_brand_sees_nobody(scene: Scene) -> None:
    people(scene)
    assert roster.list_members(scene.session, brand_id=new_id(NOW), chosen=Chosen(), limit=10) == []


def test_who_left_stays_on_the_list_without_a_phone(scene: Scene) -> None:
    joined = scene.join(new_id(NOW))
    own_data.leave(scene.session, brand_id=scene.brand.id, member_id=joined.member_id, now=NOW)
    row = roster.get_row(scene.session, member_id=joined.member_id)
    assert (row.phone_hint, row.left_at) == ("", NOW)
    with pytest.raises(NotFound):
        roster.get_row(scene.session, member_id=new_id(NOW))


def test_an_export_goes_through_every_page(scene: Scene) -> None:
    people(scene)
    rows = list(roster.all_members(scene.session, brand_id=scene.brand.id, chosen=Chosen(), chunk_rows=2))
    assert [row.phone_hint for row in rows] == ["138****8002", "138****8001", "138****8000"]
