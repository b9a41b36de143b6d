"""Files sent by machines: taken in once, read before they change anything, reported line by line; rights and brands."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from batches import codes as press
from scancode.catalog import revision
from scancode.worker import loop
from tests import factories
from tests.web.api.conftest import Machine, World


def send(machine: Machine, kind: str, *texts: str, key: str | None = None, **fields: Any) -> TestResponse:
    name = "files" if kind == "check" else "file"
    data = {**fields, name: [(io.BytesIO(text.encode()), f"{at}.csv") for at, text in enumerate(texts)]}
    headers = {"Authorization": f"Bearer {machine.token}", "Accept-Language": "en"}
    headers |= {"Idempotency-Key": key} if key else {}
    return machine.client.post(f"/api/v1/uploads/{kind}", data=data, headers=headers)


def work(world: World) -> None:
    loop.run(world.wired, stop_event=threading.Event(), once=True, kinds=["upload"], clock=lambda: datetime.now(UTC))


def lines(world: World, *serials: int) -> str:
    return "".join(f"{world.own.code(serial)}\n" for serial in serials)


def add_cases(world: World) -> list[str]:
    with world.wired.db.transaction() as session:
        batch = factories.make_batch(session, brand_id=world.own.id, product_id=world.own.product_id, kinds="case")
        revision.bump(session)
    key = world.wired.keyring.derive(batch.kid, batch.salt)
    return [press.mint_one(key, batch.number, press.Kind.CASE, serial) for serial in range(3)]


def test_an_association_file_is_taken_in_once_and_taken_back(world: World) -> None:
    line, case = world.machine(), add_cases(world)[0]
    text = "".join(f"{world.own.code(serial)},{case}\n" for serial in range(4))
    made = send(line, "packing", text, key="shift-7", case_size=4)
    assert (made.status_code, made.json["state"], made.json["kind"]) == (202, "waiting", "packing"), made.json
    again = send(line, "packing", text, key="shift-7", case_size=4)
    assert (again.json["id"], again.headers["Idempotent-Replayed"]) == (made.json["id"], "true")
    assert send(line, "packing", text + text, key="shift-7", case_size=4).json["code"] == "idempotency_key_reused"
    work(world)
    place = f"/uploads/{made.json['id']}"
    told = line.get(place).json
    assert (told["state"], told["rows"], told["result"]["cases"], told["progress"]["job"]) == ("done", 4, 1, "done")
    assert line.get(f"/codes/{case}/contents").json["items"] == 4
    assert line.get("/uploads", kind="packing").json["items"] == [told]
    assert line.post(f"{place}/confirm", {}).json["code"] == "upload_state"
    assert line.post(f"{place}/undo", {}).json["state"] == "undoing"
    work(world)
    assert line.get(place).json["result"]["undone"] == 4
    assert line.get(f"/codes/{case}/contents").json["items"] == 0
    assert [row.actor[:6] for row in world.audited("packing.undo")] == ["token:"]


def test_a_file_that_is_wrong_says_where(world: World) -> None:
    line = world.machine()
    made = send(line, "packing", f"{world.other.code(1)},{add_cases(world)[0]}\n").json
    work(world)
    told = line.get(f"/uploads/{made['id']}").json
    (problem,) = told["first_problems"]
    assert (told["state"], problem["line"], problem["column"], problem["code"]) == ("refused", 1, "item", "foreign")
    assert problem["problem"].startswith("not a code of this brand")
    with line.get(f"/uploads/{made['id']}/report") as report:
        assert "1,item,foreign" in report.text
    assert len(world.audited("upload.report")) == 1


def test_rejects_are_counted_first_and_voided_when_that_is_confirmed(world: World) -> None:
    line = world.machine()
    made = send(line, "life", lines(world, 3, 4), batch=world.own.batch, verb="void", reason="misprint").json
    work(world)
    place = f"/uploads/{made['id']}"
    assert (line.get(place).json["state"], line.get(place).json["result"]["count"]) == ("read", 2)
    assert line.get(f"/codes/{world.own.code(3)}").json["verdict"] != "void"
    assert line.post(f"{place}/confirm", {}).json["state"] == "confirmed"
    work(world)
    assert line.get(place).json["state"] == "done"
    assert line.get(f"/codes/{world.own.code(3)}").json["verdict"] == "void"
    assert line.post(f"{place}/cancel", {}).json["code"] == "upload_state"
    weak = world.machine(["batches:write", "batches:read"])
    wish = {"batch": world.own.batch, "verb": "restore", "note": "found"}
    assert send(weak, "life", lines(world, 3), **wish).json["code"] == "scope_missing"
    back = send(line, "life", lines(world, 3), **wish).json["id"]
    work(world)
    assert weak.post(f"/uploads/{back}/confirm", {}).json["code"] == "scope_missing"
    assert line.post(f"/uploads/{back}/confirm", {}).status_code == 200


def test_a_shipment_and_returned_files_go_the_same_way(world: World) -> None:
    wms = world.machine()
    with world.wired.db.transaction() as session:
        channel = factories.make_channel(session, brand_id=world.own.id)
        shut = factories.make_channel(session, brand_id=world.own.id, is_active=False)
    wish = {"number": "CK-1", "channel_id": str(channel.id)}
    made = send(wms, "shipment", lines(world, 5, 6), **wish)
    checked = send(wms, "check", lines(world, 1, 2), lines(world, 2), batch=world.own.batch)
    work(world)
    told = wms.get(f"/uploads/{made.json['id']}").json
    assert (told["state"], told["result"]["count"], told["result"]["number"]) == ("done", 2, "CK-1")
    held = wms.get(f"/channels/{channel.id}/holdings").json["items"]
    assert [(item["first"], item["last"]) for item in held] == [(5, 6)]
    found = wms.get(f"/uploads/{checked.json['id']}").json
    assert (found["state"], found["result"]["counts"]["duplicate"]) == ("done", 1)
    with wms.get(f"/uploads/{checked.json['id']}/report", form="json") as report:
        assert report.json["counts"] == found["result"]["counts"]
    assert send(wms, "shipment", lines(world, 7), **wish).json["code"] == "shipment_number_taken"
    assert send(wms, "shipment", lines(world, 7), number="CK-2", channel_id=str(shut.id)).json["code"] == "place_off"
    assert send(wms, "shipment", lines(world, 7), number="CK-2").status_code == 404


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_no_upload_is_refused(world: World) -> None:
    line, stranger = world.machine(), world.machine(brand=world.other)
    assert line.post("/uploads/packing", {}).json["code"] == "files_type"
    assert send(line, "packing", case_size=12).json["code"] == "files_type"
    assert send(line, "packing", "a", "b").json["code"] == "too_many_files"
    assert send(line, "packing", "a", case_size="twelve").json["errors"][0]["field"] == "case_size"
    assert send(line, "packing", "a", cases=12).json["errors"][0]["code"] == "extra_forbidden"
    assert send(line, "packing", "a", batch=world.other.batch).status_code == 404
    assert send(line, "life", "a", batch=world.other.batch, verb="activate").status_code == 404
    assert send(line, "life", "a", batch=world.own.batch, verb="restore").json["code"] == "restore_note"
    assert send(world.operator(), "check", "a").json["code"] == "brand_needed"
    made = send(line, "check", "a").json["id"]
    assert stranger.get(f"/uploads/{made}").status_code == 404
    assert stranger.post(f"/uploads/{made}/cancel", {}).status_code == 404
    assert stranger.get("/uploads").json["items"] == []
    assert line.get(f"/uploads/{made}/report").status_code == 404
    assert line.post(f"/uploads/{made}/cancel", {}).json["state"] == "cancelled"
