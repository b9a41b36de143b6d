"""``POST /life/…``: a case, a pallet, a shipment, a lot, a batch; now or at a set time; cancelling; bringing back."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from scancode.catalog import revision
from scancode.channels import service as channels
from scancode.codes import service as codes
from scancode.packing import service as packing
from scancode.staff.rules import SCOPES
from scancode.wiring import Wired
from scancode.worker import loop
from tests import factories
from tests.packing.floor import BY, Floor, make_floor
from tests.web.api.conftest import Brand, Machine, World


@pytest.fixture
def floor(wired: Wired) -> Floor:
    """Items 0-4 in case 0; 3-5 went out as CK-1."""
    with wired.db.transaction() as session:
        floor = make_floor(session, wired)
        by = BY | {"brand_id": floor.brand_id}
        packing.open_container(session, parent=floor.case(0), capacity=None, **by)
        packing.pack(session, parent=floor.case(0), children=[floor.item(serial) for serial in range(5)], **by)
        channel = factories.make_channel(session, brand_id=floor.brand_id)
        channels.ship(
            session, number="CK-1", channel_id=channel.id, store_id=None, selection={floor.items: [(3, 5)]}, **by
        )
        factories.make_batch(session, brand_id=floor.brand_id, product_id=floor.product_id, lot="L1", count=7)
        revision.bump(session)
    return floor


@pytest.fixture
def world(wired: Wired, app: Flask, floor: Floor) -> World:
    with wired.db.transaction() as session:
        person, other = factories.make_staff(session, name="Carol"), factories.make_brand(session)
    own = Brand(floor.brand_id, "own", floor.product_id, floor.items, b"")
    return World(wired, app, person.id, own, Brand(other.id, "other", floor.product_id, floor.items, b""))


def changed(answer: Any) -> int:
    assert answer.status_code == 201, answer.json
    return int(answer.json["changed"])


def test_each_name_means_its_codes(machine: Machine, floor: Floor) -> None:
    case = floor.code(floor.case(0))
    assert changed(machine.post("/life/activate", {"code": case})) == 5 + 1
    assert changed(machine.post("/life/activate", {"shipment": "CK-1"})) == 1  # 3 and 4 live since
    words = {"message_zh": "召回", "message_en": "Recalled"}
    assert changed(machine.post("/life/recall", {"lot": "L1"} | words)) == 7
    ranges = [{"first": 10, "last": 19}]
    assert changed(machine.post("/life/void", {"batch": floor.items, "ranges": ranges, "reason": "stolen"})) == 10
    assert changed(machine.post("/life/deactivate", {"batch": floor.items})) == 6
    assert changed(machine.post("/life/restore", {"batch": floor.items, "ranges": ranges, "note": "found"})) == 10
    listed = machine.get("/life/orders", limit=4).json
    assert [item["verb"] for item in listed["items"]] == ["restore", "deactivate", "void", "recall"]
    rest = machine.get("/life/orders", limit=4, cursor=listed["next"]).json
    assert ([item["verb"] for item in rest["items"]], rest["next"]) == (["activate", "activate"], None)


def test_a_set_time_is_kept_and_can_be_cancelled_until_then(world: World, machine: Machine, floor: Floor) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    wish = {"code": floor.code(floor.case(0)), "at": at.isoformat()}
    headers = {"Authorization": f"Bearer {machine.token}", "Idempotency-Key": "plan-1"}
    made = [machine.client.post("/api/v1/life/activate", json=wish, headers=headers) for _ in range(2)]
    assert made[0].json == made[1].json
    assert made[0].json["state"] == "scheduled"
    dropped = machine.post("/life/activate", wish).json["id"]
    assert machine.post(f"/life/orders/{dropped}/cancel", {}).json["state"] == "cancelled"
    assert machine.post(f"/life/orders/{dropped}/cancel", {}).json["code"] == "life_order_state"
    assert len(machine.get("/life/orders", state="scheduled").json["items"]) == 1
    loop.run(world.wired, stop_event=threading.Event(), once=True, kinds=["life"], clock=lambda: at)
    done = machine.get(f"/life/orders/{made[0].json['id']}").json
    assert (done["state"], done["changed"]) == ("done", 6)
    with world.wired.db.reading() as session:
        assert codes.life_of(session, batch_number=floor.items, serial=4).state == "active"


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({}, 422, "invalid"),
        ({"lot": "L1", "shipment": "CK-1"}, 422, "invalid"),
        ({"lot": "L1", "ranges": [{"first": 0, "last": 1}]}, 422, "invalid"),
        ({"lot": "L2"}, 422, "target_empty"),
        ({"shipment": "CK-2"}, 422, "target_empty"),
        ({"lot": "L1", "at": "2020-01-01T00:00:00Z"}, 422, "time_past"),
        ({"lot": "L1", "at": "2099-01-01T00:00:00"}, 422, "invalid"),
        ({"lot": "L1", "at": 4070908800}, 422, "invalid"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_cannot_be_meant_is_refused_at_once(
    machine: Machine, wish: dict[str, Any], status: int, code: str
) -> None:
    answer = machine.post("/life/activate", wish)
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_ranges_beyond_a_batch_are_refused_before_their_time(machine: Machine, floor: Floor) -> None:
    wish = {"batch": floor.items, "ranges": [{"first": 0, "last": 5000}], "at": "2099-01-01T00:00:00Z"}
    assert machine.post("/life/activate", wish).json["code"] == "range_outside"


def test_bringing_back_is_a_right_of_its_own_and_brands_are_apart(world: World, floor: Floor) -> None:
    line = world.machine([scope for scope in SCOPES if scope != "batches:restore"])
    assert line.post("/life/restore", {"lot": "L1", "note": "x"}).json["code"] == "scope_missing"
    made = line.post("/life/activate", {"lot": "L1", "at": "2099-01-01T00:00:00Z"}).json["id"]
    stranger = world.machine(brand=world.other)
    assert stranger.get(f"/life/orders/{made}").status_code == 404
    assert stranger.post(f"/life/orders/{made}/cancel", {}).status_code == 404
    assert stranger.get("/life/orders").json["items"] == []
    assert stranger.post("/life/activate", {"code": floor.code(floor.case(0))}).status_code == 404
    assert stranger.post("/life/activate", {"batch": floor.items}).status_code == 404
    assert stranger.post("/life/activate", {"lot": "L1"}).json["code"] == "target_empty"
