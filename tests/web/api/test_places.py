"""Channels, stores, guides, placed and live codes, a batch's channel, a look: as a CRM keeps them in step."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from scancode.staff.rules import SCOPES
from tests.web.api.conftest import Machine, World


def made(machine: Machine, path: str, **body: Any) -> dict[str, Any]:
    answer = machine.post(path, body)
    assert answer.status_code == 201, answer.json
    found: dict[str, Any] = answer.json
    return found


@pytest.fixture
def street(machine: Machine) -> dict[str, str]:
    """A channel with two stores, two guides in the first."""
    channel = made(machine, "/channels", name="华东经销")["id"]
    first, second = (made(machine, "/stores", channel_id=channel, name=name)["id"] for name in ("一店", "二店"))
    guides = [made(machine, "/guides", store_id=first, name=name)["id"] for name in ("小林", "小陈")]
    return {"channel": channel, "first": first, "second": second, "lin": guides[0], "chen": guides[1]}


def test_places_are_made_listed_and_changed(machine: Machine, street: dict[str, str]) -> None:
    (channel,) = machine.get("/channels").json["items"]
    assert (channel["name"], channel["kind"], channel["is_active"]) == ("华东经销", "retail", True)
    page = machine.get("/stores", limit=1).json
    rest = machine.get("/stores", limit=1, cursor=page["next"]).json
    assert [page["items"][0]["name"], rest["items"][0]["name"], rest["next"]] == ["一店", "二店", None]
    changed = machine.post(f"/stores/{street['second']}", {"city": "苏州", "province": "江苏"}).json
    assert (changed["name"], changed["city"], changed["is_active"]) == ("二店", "苏州", True)
    assert machine.get("/stores", channel_id=street["channel"]).json["items"][1]["city"] == "苏州"
    guide = machine.post(f"/guides/{street['lin']}", {"shifts": "1-5 09:00-18:00", "is_on_duty": False}).json
    assert (guide["name"], guide["shifts"], guide["is_on_duty"]) == ("小林", "1-5 09:00-18:00", False)
    assert len(machine.get("/guides", store_id=street["first"]).json["items"]) == 2
    assert machine.get("/guides", store_id=street["second"]).json["items"] == []
    off = machine.post(f"/channels/{street['channel']}", {"is_active": False}).json
    assert (off["name"], off["is_active"]) == ("华东经销", False)
    assert machine.get(f"/channels/{street['channel']}").json == off


def test_what_is_wrong_is_said(machine: Machine, street: dict[str, str]) -> None:
    assert machine.post("/channels", {"name": "华东经销"}).json["code"] == "name_taken"
    assert machine.post(f"/guides/{street['lin']}", {"shifts": "whenever"}).json["code"] == "bad_shifts"
    assert machine.post("/stores", {"channel_id": street["channel"], "name": " "}).status_code == 422
    assert machine.post(f"/stores/{street['first']}", {"colour": "red"}).status_code == 422
    machine.post(f"/channels/{street['channel']}", {"is_active": False})
    assert machine.post("/stores", {"channel_id": street["channel"], "name": "三店"}).json["code"] == "place_off"


def test_placed_codes_have_an_address_and_stay_printed(machine: Machine, street: dict[str, str]) -> None:
    wish = {"channel_id": street["channel"], "store_id": street["first"], "name": "货架 3", "scene": "Shelf"}
    key = {"Idempotency-Key": "shelf-3"}
    first, again = (machine.post("/placed-codes", wish, headers=key).json for _ in range(2))
    assert first == again
    assert first["url"].endswith(f"/T/{first['token']}")
    assert (first["kind"], first["scene"], first["store_id"]) == ("scene", "shelf", street["first"])
    changed = machine.post(f"/placed-codes/{first['id']}", {"placement": "入口", "is_active": False}).json
    assert (changed["token"], changed["placement"], changed["is_active"]) == (first["token"], "入口", False)
    kinds = [item["kind"] for item in machine.get("/placed-codes", channel_id=street["channel"]).json["items"]]
    assert sorted(kinds) == ["guide", "guide", "scene", "store", "store"]
    assert [item["id"] for item in machine.get("/placed-codes", kind="scene").json["items"]] == [first["id"]]
    elsewhere = {**wish, "store_id": made(machine, "/stores", channel_id=street["channel"], name="三店")["id"]}
    other = made(machine, "/channels", name="电商")["id"]
    assert machine.post("/placed-codes", {**elsewhere, "channel_id": other}).status_code == 422


def test_live_codes_keep_their_team(machine: Machine, street: dict[str, str]) -> None:
    team = [{"guide_id": street["lin"], "weight": 3}, {"guide_id": street["chen"], "day_max": 20}]
    live = made(machine, "/live-codes", channel_id=street["channel"], name="企微活码", scene="counter", team=team)
    assert (live["kind"], live["rotation"], len(live["team"])) == ("live", "turns", 2)
    changed = machine.post(f"/live-codes/{live['id']}", {"rotation": "weight"}).json
    assert changed["rotation"] == "weight"
    assert {one["guide_id"]: (one["weight"], one["day_max"]) for one in changed["team"]} == {
        street["lin"]: (3, 0),
        street["chen"]: (1, 20),
    }
    alone = machine.post(f"/live-codes/{live['id']}", {"team": [{"guide_id": street["chen"]}]}).json
    assert [one["guide_id"] for one in alone["team"]] == [street["chen"]]
    assert machine.get(f"/placed-codes/{live['id']}").json == alone
    twice = [{"guide_id": street["lin"]}, {"guide_id": street["lin"]}]
    assert machine.post(f"/live-codes/{live['id']}", {"team": twice}).status_code == 422
    assert machine.post(f"/placed-codes/{live['id']}", {"name": "x"}).status_code == 422
    shelf = made(machine, "/placed-codes", channel_id=street["channel"], name="货架", scene="shelf")
    assert machine.post(f"/live-codes/{shelf['id']}", {"rotation": "turns"}).status_code == 404


def test_a_batch_has_a_channel(world: World, machine: Machine, street: dict[str, str]) -> None:
    path = f"/batches/{world.own.batch}/channel"
    assert machine.get(path).json == {"channel_id": None}
    assert machine.post(path, {"channel_id": street["channel"]}).json == {"channel_id": street["channel"]}
    assert machine.get(path).json == {"channel_id": street["channel"]}
    assert machine.post(path, {"channel_id": None}).json == {"channel_id": None}
    assert machine.post(path, {}).status_code == 422
    assert [row.actor.partition(":")[0] for row in world.audited("batch.channel")] == ["token", "token"]


def test_a_look_is_read_and_changed(world: World, machine: Machine) -> None:
    assert machine.get("/look").json["logo"] is None
    changed = machine.post("/look", {"colour": "#AA3322", "font": "song"}).json
    assert (changed["colour"], changed["font"], changed["accent"]) == ("#aa3322", "song", "")
    assert machine.post("/look", {"colour": "red"}).status_code == 422
    picture = io.BytesIO()
    Image.new("RGB", (120, 60), "red").save(picture, "PNG")
    sent = {"Authorization": f"Bearer {machine.token}"}
    dressed = machine.client.post(
        "/api/v1/look/logo", data={"file": (io.BytesIO(picture.getvalue()), "logo.png")}, headers=sent
    )
    assert dressed.status_code == 200
    assert dressed.json["logo"].startswith("http://127.0.0.1:8000/media/")
    broken = machine.client.post("/api/v1/look/logo", data={"file": (io.BytesIO(b"no"), "a.png")}, headers=sent)
    assert broken.json["code"] == "picture_unreadable"
    assert machine.post("/look/logo/remove", {}).json["logo"] is None
    assert len(world.audited("brand.look")) == 1
    assert len(world.audited("brand.logo")) == 2


def test_another_brand_sees_and_changes_nothing(world: World, machine: Machine, street: dict[str, str]) -> None:
    shelf = made(machine, "/placed-codes", channel_id=street["channel"], name="货架", scene="shelf")
    live = made(
        machine, "/live-codes", channel_id=street["channel"], name="活码", scene="a", team=[{"guide_id": street["lin"]}]
    )
    mallory = world.machine(brand=world.other)
    own = made(mallory, "/channels", name="别家")["id"]
    for path in ("/channels", "/stores", "/guides", "/placed-codes"):
        assert [one["id"] for one in mallory.get(path).json["items"]] == ([own] if path == "/channels" else [])
    shown = [
        f"/channels/{street['channel']}",
        f"/stores/{street['first']}",
        f"/guides/{street['lin']}",
        f"/placed-codes/{shelf['id']}",
        f"/batches/{world.own.batch}/channel",
    ]
    for path in shown:
        assert mallory.get(path).status_code == 404, path
    changes: list[tuple[str, dict[str, Any]]] = [
        *((path, {"name": "mine"}) for path in shown[:4]),
        (f"/live-codes/{live['id']}", {"name": "mine"}),
        ("/stores", {"channel_id": street["channel"], "name": "x"}),
        ("/guides", {"store_id": street["first"], "name": "x"}),
        ("/placed-codes", {"channel_id": street["channel"], "name": "x", "scene": "x"}),
        ("/placed-codes", {"channel_id": own, "store_id": street["first"], "name": "x", "scene": "x"}),
        ("/live-codes", {"channel_id": own, "name": "x", "scene": "x", "team": [{"guide_id": street["lin"]}]}),
        (shown[4], {"channel_id": own}),
        (f"/batches/{world.other.batch}/channel", {"channel_id": street["channel"]}),
    ]
    for path, body in changes:
        assert mallory.post(path, body).status_code in {404, 422}, path
    assert mallory.get("/look", brand=world.own.slug).status_code == 422
    assert machine.get(f"/placed-codes/{shelf['id']}").json["name"] == "货架"


def test_each_scope_opens_its_own_calls(world: World, street: dict[str, str]) -> None:
    reader = world.machine({"places:read"})
    assert reader.get("/stores").status_code == 200
    assert reader.post("/channels", {"name": "x"}).json["code"] == "scope_missing"
    assert world.machine(set(SCOPES) - {"brands:look"}).get("/look").json["code"] == "scope_missing"
    assert world.operator().get("/stores").json["code"] == "brand_needed"
