"""Shipments by a WMS: by case, receipt with something missing, what a store holds."""

from __future__ import annotations

from batches import codes as press
from scancode.catalog import revision
from tests import factories
from tests.web.api.conftest import World


def test_a_case_is_shipped_received_and_held(world: World) -> None:
    with world.wired.db.transaction() as session:
        batch = factories.make_batch(session, brand_id=world.own.id, product_id=world.own.product_id, kinds="case")
        channel = factories.make_channel(session, brand_id=world.own.id)
        store = factories.make_store(session, channel_id=channel.id)
        revision.bump(session)
    key = world.wired.keyring.derive(batch.kid, batch.salt)
    case = press.mint_one(key, batch.number, press.Kind.CASE, 0)
    wms = world.machine()
    wms.post("/packing/pack", {"parent": case, "children": [world.own.code(serial) for serial in range(6)]})
    body = {"number": "CK-9", "channel_id": str(channel.id), "store_id": str(store.id), "codes": [case]}
    made, again = (wms.post("/shipments", body, headers={"Idempotency-Key": "ck-9"}) for _ in range(2))
    assert made.status_code == 201, made.json
    assert (again.status_code, again.json["id"]) == (201, made.json["id"])
    assert wms.post("/shipments", body).json["code"] in {"already_shipped", "shipment_number_taken"}
    received = wms.post(f"/shipments/{made.json['id']}/receive", {"missing": [world.own.code(5)]})
    assert received.json["received_at"]
    held = wms.get(f"/stores/{store.id}/holdings", limit=1).json
    rest = wms.get(f"/stores/{store.id}/holdings", limit=1, cursor=held["next"]).json
    ranges = {(item["batch"], item["first"], item["last"]) for item in held["items"] + rest["items"]}
    assert ranges == {(world.own.batch, 0, 4), (batch.number, 0, 0)}
    assert world.machine(brand=world.other).get(f"/stores/{store.id}/holdings").status_code == 404
    back = wms.post("/shipments", {"number": "TH-1", "kind": "return", "codes": [world.own.code(0)]})
    assert (back.status_code, back.json["channel_id"]) == (201, None)
