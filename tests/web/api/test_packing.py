"""Packing by machines: a case at a time, and what is in it."""

from __future__ import annotations

import pytest

from batches import codes as press
from scancode.catalog import revision
from tests import factories
from tests.web.api.conftest import World


@pytest.fixture
def case(world: World) -> str:
    """The code of a case of the own brand."""
    with world.wired.db.transaction() as session:
        batch = factories.make_batch(session, brand_id=world.own.id, product_id=world.own.product_id, kinds="case")
        revision.bump(session)
    return press.mint_one(world.wired.keyring.derive(batch.kid, batch.salt), batch.number, press.Kind.CASE, 5)


def test_a_case_is_packed_shown_and_unpacked(world: World, case: str) -> None:
    line = world.machine()
    children = [world.own.code(serial, press.Kind.OUTER) for serial in range(12)]
    answer = line.post("/packing/pack", {"parent": case, "children": children, "capacity": 12})
    assert answer.status_code == 200, answer.json
    assert (answer.json["count"], answer.json["closed"]) == (12, True)
    shown = line.get(f"/codes/{case}/contents").json
    assert (shown["items"], shown["direct"]) == (
        12,
        [{"level": "item", "batch": world.own.batch, "first": 0, "last": 11}],
    )
    parents = line.get(f"/codes/{children[3]}/contents").json["parents"]
    assert [parent["serial"] for parent in parents] == [5]
    assert line.post("/packing/unpack", {"children": children[:2]}).json == {"unpacked": 2}
    assert line.get(f"/codes/{case}/contents").json["items"] == 10
    assert {row.action for row in world.audited("packing.pack")} == {"packing.pack"}


def test_a_lost_answer_is_asked_for_again(world: World, case: str) -> None:
    line, name = world.machine(), {"Idempotency-Key": "case-5"}
    body = {"parent": case, "children": [world.own.code(0)]}
    first, again = (line.post("/packing/pack", body, headers=name) for _ in range(2))
    assert (first.status_code, first.json) == (again.status_code, again.json)
    assert (first.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert len(world.audited("packing.pack")) == 1
    assert line.post("/packing/pack", body).json["code"] == "already_inside"


def test_a_wrong_count_packs_nothing(world: World, case: str) -> None:
    line = world.machine()
    body = {"parent": case, "children": [world.own.code(0)], "capacity": 12}
    answer = line.post("/packing/pack", body)
    assert (answer.status_code, answer.json["code"]) == (409, "wrong_count")
    assert line.get(f"/codes/{case}/contents").json["items"] == 0
    assert line.post("/packing/pack", {**body, "close": False}).status_code == 200


def test_another_brands_codes_do_not_exist_and_a_scope_is_needed(world: World, case: str) -> None:
    body = {"parent": case, "children": [world.other.code(0)]}
    assert world.machine().post("/packing/pack", body).status_code == 404
    assert world.machine(brand=world.other).get(f"/codes/{case}/contents").status_code == 404
    reader = world.machine(["batches:read"])
    assert reader.post("/packing/pack", body).status_code == 403
