"""Sealing, links, downloads and press kits over the API: secrets told once, calls made again, two people, brands."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
import pyzipper
from flask import Flask

from batches.codes import Kind
from scancode.codes import service as codes
from scancode.handover import service as handover
from scancode.wiring import Wired
from tests import factories
from tests.handover.works import Works, open_works
from tests.web.api.conftest import Brand, Machine, World


@pytest.fixture
def works(wired: Wired) -> Works:
    return open_works(wired, count=20)


@pytest.fixture
def world(wired: Wired, app: Flask, works: Works) -> World:
    with wired.db.transaction() as session:
        person = factories.make_staff(session, name="Carol")
        other = factories.make_brand(session)
    own = Brand(works.brand_id, "own", works.product_id, works.number, b"")
    return World(wired, app, person.id, own, Brand(other.id, "other", works.product_id, works.number, b""))


def call(machine: Machine, path: str, body: Any, key: str) -> Any:
    headers = {"Authorization": f"Bearer {machine.token}", "Idempotency-Key": key, "Accept-Language": "en"}
    return machine.client.post(f"/api/v1{path}", json=body, headers=headers)


def test_a_pack_is_sealed_once_and_its_password_told_again_to_the_same_call(world: World, works: Works) -> None:
    machine = world.machine()
    path, wish = f"/batches/{works.number}/seal", {"house": str(works.house_id), "form": "zip"}
    first = call(machine, path, wish, "seal-1")
    assert (first.status_code, first.headers["Cache-Control"]) == (201, "no-store")
    again = call(machine, path, dict(reversed(wish.items())), "seal-1")
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert call(machine, path, wish | {"form": "age"}, "seal-1").json["code"] == "idempotency_key_reused"
    assert call(world.machine(), path, wish | {"form": "age"}, "seal-1").status_code == 201  # another token's own key
    works.work()
    listed = machine.get(f"/batches/{works.number}/sealed").json["items"]
    assert [item["state"] for item in listed] == ["ready", "ready"]
    assert all("password" not in item for item in listed)
    fetched = machine.get(f"/sealed/{first.json['id']}/file")
    assert fetched.headers["Content-Disposition"].endswith(f"batch-{works.number}.zip")
    with pyzipper.AESZipFile(BytesIO(fetched.data)) as archive:
        archive.setpassword(first.json["password"].encode())
        assert {name: archive.read(name) for name in archive.namelist()} == works.plain
    fetched.close()
    assert machine.post(f"/batches/{works.number}/seal", wish).json["code"] == "pack_gone"


def test_a_link_is_made_used_logged_and_taken_back(world: World, works: Works) -> None:
    machine = world.machine()
    sealed, _ = works.ask()
    early = machine.post(f"/sealed/{sealed}/links", {"for_whom": "Li Wei"})
    assert (early.status_code, early.json["code"]) == (409, "sealed_not_ready")
    works.work()
    made = call(machine, f"/sealed/{sealed}/links", {"for_whom": "Li Wei", "days": 300}, "link-1")
    assert made.status_code == 201
    assert call(machine, f"/sealed/{sealed}/links", {"for_whom": "Li Wei", "days": 300}, "link-1").json == made.json
    (listed,) = machine.get(f"/sealed/{sealed}/links").json["items"]
    assert (listed["state"], listed["for_whom"]) == ("open", "Li Wei")
    assert not {"passcode", "url"} & listed.keys()
    browser = world.app.test_client()
    page = made.json["url"].removeprefix("http://127.0.0.1:8000")
    assert browser.post(page, data={"passcode": "WRONG-WRONG"}).status_code == 403
    opened = browser.post(page, data={"passcode": made.json["passcode"]})
    permit = opened.headers["Location"].partition("?")[2]
    sent = browser.get(f"{page}/file?{permit}", headers={"User-Agent": "Mozilla/5.0"})
    assert len(sent.data) > 0
    sent.close()
    (row,) = machine.get(f"/batches/{works.number}/downloads").json["items"]
    assert (row["for_whom"], row["actor"], row["address"]) == ("Li Wei", f"link:{listed['id']}", "127.0.0.1")
    for _ in range(2):
        assert machine.post(f"/links/{listed['id']}/revoke", {}).json["state"] == "revoked"
    assert browser.get(page).status_code == 410


def test_what_waits_is_cancelled_and_only_then(world: World, works: Works) -> None:
    machine = world.machine()
    sealed, _ = works.ask()
    assert machine.post(f"/sealed/{sealed}/retry", {}).json["code"] == "seal_state"
    assert machine.post(f"/sealed/{sealed}/cancel", {}).json["state"] == "cancelled"
    assert machine.post(f"/sealed/{sealed}/cancel", {}).status_code == 409


def test_another_brand_sees_nothing_and_each_right_is_its_own(world: World, works: Works) -> None:
    sealed, _ = works.ask()
    works.work()
    link, _, _ = works.link(sealed)
    stranger, reader = world.machine(brand=world.other), world.machine(["batches:read", "batches:write"])
    seal = {"house": str(works.house_id), "form": "age"}
    for path, body in (
        (f"/batches/{works.number}/seal", seal), (f"/sealed/{sealed}/links", {"for_whom": "x"}),
        (f"/links/{link}/revoke", {}), (f"/sealed/{sealed}/cancel", {}),
    ):  # fmt: skip
        assert stranger.post(path, body).status_code == 404, path
        assert reader.post(path, body).json["code"] == "scope_missing", path
    for path in (f"/sealed/{sealed}/file", f"/sealed/{sealed}/links", f"/batches/{works.number}/downloads"):
        assert stranger.get(path).status_code == 404, path
        assert reader.get(path).json["code"] == "scope_missing", path
    assert stranger.get("/houses").json["items"] == []
    assert [house["has_key"] for house in reader.get("/houses").json["items"]] == [True]


def test_a_kit_waits_for_a_person_and_no_token_is_one(world: World, works: Works) -> None:
    machine = world.machine()
    with world.wired.db.transaction() as session:
        number = codes.order(
            session, brand_id=works.brand_id, product_id=works.product_id, order_no="OFF-1", count=50,
            kinds=(Kind.INNER,), kid="t1", base_url="https://q.example", is_offline=True, actor="t", now=factories.NOW,
        ).number  # fmt: skip
    wish = {"house": str(works.house_id), "first": 0, "last": 19, "days": 5}
    made = call(machine, f"/batches/{number}/kits", wish, "kit-1")
    assert (made.status_code, made.json["state"]) == (201, "waiting")
    assert call(machine, f"/batches/{number}/kits", wish, "kit-1").json == made.json
    assert machine.post(f"/batches/{number}/kits", wish).json["code"] == "kit_overlaps"
    assert machine.post(f"/batches/{works.number}/kits", wish).json["code"] == "kit_not_offline"
    assert machine.get(f"/kits/{made.json['id']}/file").status_code == 404
    served = {str(rule) for rule in world.app.url_map.iter_rules() if str(rule).startswith("/api/")}
    assert not [rule for rule in served if "kit" in rule and ("approve" in rule or "reject" in rule)]
    key = world.wired.keyring.derive("t1", codes_salt(world, number))
    own: dict[str, Any] = {"kit_id": made.json["id"], "key": key, "actor": "t", "now": factories.NOW}
    with world.wired.db.transaction() as session:
        kit = handover.list_kits(session, batch_number=number)[0].id
        with pytest.raises(handover.KitSamePerson):  # the token's owner, by whatever face
            handover.approve_kit(session, **(own | {"kit_id": kit, "staff_id": world.staff_id}))
        bob = factories.make_staff(session, name="Bob")
        handover.approve_kit(session, **(own | {"kit_id": kit, "staff_id": bob.id}))
    assert machine.get(f"/batches/{number}/kits").json["items"][0]["state"] == "approved"
    assert machine.post(f"/kits/{kit}/withdraw", {}).json["code"] == "kit_decided"
    second = call(machine, f"/batches/{number}/kits", wish | {"first": 20, "last": 29}, "kit-2").json["id"]
    assert world.machine(brand=world.other).post(f"/kits/{second}/withdraw", {}).status_code == 404
    assert machine.post(f"/kits/{second}/withdraw", {}).json["state"] == "cancelled"
    assert machine.post(f"/batches/{number}/kits", wish | {"first": 20, "last": 29}).status_code == 201
    assert len(machine.get(f"/kits/{kit}/file").data) > 100
    assert len(world.audited("kit.download")) == 1


def codes_salt(world: World, number: int) -> bytes:
    with world.wired.db.reading() as session:
        return codes.get_batch(session, number=number).salt
