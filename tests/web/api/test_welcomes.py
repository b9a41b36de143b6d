"""Welcomes for machines: listed, written, removed; rights, brands, repeats."""

from __future__ import annotations

from uuid import UUID

from scancode.channels import service as channels
from scancode.channels.rules import UNKNOWN
from tests import factories
from tests.factories import NOW
from tests.web.api.conftest import World
from tests.web.api.test_people import join

TEXTS = {"title_zh": "欢迎", "title_en": "Welcome"}


def test_welcomes_are_written_listed_and_removed(world: World) -> None:
    crm = world.machine()
    with world.wired.db.transaction() as session:
        channel = factories.make_channel(session, brand_id=world.own.id)
        store = factories.make_store(session, channel_id=channel.id)
        places = [{"target": "store", "target_id": str(store.id)}, {"target": "channel", "target_id": str(channel.id)}]
        name, above = store.name, channel.name
    for place in (*places, {"target": "brand"}):
        made = crm.post("/welcomes", {**place, **TEXTS})
        assert (made.status_code, crm.post("/welcomes", {**place, **TEXTS}).json) == (200, made.json)
    assert len(world.audited("welcome.create")) == 3
    alice = join(world, world.own)
    with world.wired.db.transaction() as session:
        channels.give_welcome(session, member_id=alice, brand_id=world.own.id, attribution=UNKNOWN, now=NOW)
    first = crm.get("/welcomes", limit=2).json
    assert [(one["target"], one["name"], one["given"]) for one in first["items"]] == [
        ("store", name, 0), ("channel", above, 0),
    ]  # fmt: skip
    rest = crm.get("/welcomes", limit=2, cursor=first["next"]).json
    assert [(one["target"], one["given"], one["seen"]) for one in rest["items"]] == [("brand", 1, 0)]
    assert rest["next"] is None
    assert [one["target"] for one in crm.get("/welcomes", target="channel").json["items"]] == ["channel"]
    assert crm.get("/welcomes", cursor="eHg").json["code"] == "invalid"
    assert crm.post("/welcomes/delete", places[0]).json == places[0]
    assert crm.post("/welcomes/delete", places[0]).status_code == 404
    assert len(crm.get("/welcomes").json["items"]) == 2


def test_what_is_wrong_is_named(world: World) -> None:
    crm = world.machine()
    brand = {"target": "brand", **TEXTS}
    for change, field in (
        ({"title_en": ""}, "title_en"),
        ({"title_en": "x" * 41}, "title_en"),
        ({"text_zh": "好"}, "text_en"),
        ({"link": "http://x.example", "button_zh": "好", "button_en": "x"}, "link"),
        ({"target": "store"}, "target_id"),
        ({"target": "tag"}, "target"),
        ({"extra": 1}, "extra"),
    ):
        told = crm.post("/welcomes", {**brand, **change})
        assert (told.status_code, told.json["facts"]["field"]) == (422, field)


def test_another_brands_places_do_not_exist_and_writing_takes_its_right(world: World) -> None:
    crm, mallory = world.machine(), world.machine(brand=world.other)
    with world.wired.db.transaction() as session:
        channel_id = str(factories.make_channel(session, brand_id=world.own.id).id)
    theirs = {"target": "channel", "target_id": channel_id}
    assert mallory.post("/welcomes", {**theirs, **TEXTS}).status_code == 404
    assert crm.post("/welcomes", {**theirs, **TEXTS}).status_code == 200
    assert mallory.post("/welcomes/delete", theirs).status_code == 404
    assert mallory.get("/welcomes").json["items"] == []
    assert crm.post("/welcomes", {"target": "brand", "target_id": str(UUID(int=1)), **TEXTS}).status_code == 404
    reader = world.machine(["members:read"])
    assert reader.post("/welcomes", {"target": "brand", **TEXTS}).json["code"] == "scope_missing"
    assert reader.post("/welcomes/delete", theirs).json["code"] == "scope_missing"
    assert world.machine(["batches:read"]).get("/welcomes").json["code"] == "scope_missing"
