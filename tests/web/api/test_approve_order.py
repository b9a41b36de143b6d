"""Approving and rejecting large orders by API: a token speaks for its owner, and needs a right of its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from scancode.staff import service as staff
from scancode.staff.models import Staff
from scancode.staff.rules import Role
from tests import factories
from tests.web.api.conftest import GTIN, Machine, World


def order(machine: Machine, **over: Any) -> Any:
    body = {"order_no": "PO-L", "product": GTIN, "count": 1_000_001, "kinds": ["inner"]}
    answer = machine.post("/batches", body | over)
    assert answer.status_code == 201, answer.json
    return answer.json


def colleague(world: World, scopes: tuple[str, ...] = ("batches:approve",)) -> Machine:
    with world.wired.db.transaction() as session:
        bob = factories.make_staff(session, name="Bob", brand_id=world.own.id)
        _, token = staff.issue_token(
            session, name="MES", scopes=scopes, brand_id=world.own.id, staff_id=bob.id, actor="x", expires_at=None,
            now=factories.NOW,
        )  # fmt: skip
    return Machine(world.app.test_client(), token)


def test_a_large_order_waits_until_the_other_owner_approves(world: World) -> None:
    machine = world.machine(brand=world.own)
    made = order(machine)
    assert made["state"] == "waiting"
    assert made["approval"]["is_approved"] is None
    own = machine.post(f"/batches/{made['number']}/approve", {})
    assert (own.status_code, own.json["code"]) == (403, "approval_same_person")  # type: ignore[index]
    answer = colleague(world).post(f"/batches/{made['number']}/approve", {})
    assert (answer.status_code, answer.json["is_approved"]) == (200, True)  # type: ignore[index]
    again = colleague(world).post(f"/batches/{made['number']}/approve", {})
    assert (again.status_code, again.json["code"]) == (409, "approval_over")  # type: ignore[index]
    assert machine.get(f"/batches/{made['number']}").json["state"] == "ordered"  # type: ignore[index]


def test_a_rejection_is_told(world: World) -> None:
    machine = world.machine(brand=world.own)
    made = order(machine)
    assert colleague(world).post(f"/batches/{made['number']}/reject", {}).status_code == 422
    assert colleague(world).post(f"/batches/{made['number']}/reject", {"reason": "too many"}).status_code == 200
    told = machine.get(f"/batches/{made['number']}").json
    assert told is not None
    assert (told["state"], told["approval"]["reason"]) == ("rejected", "too many")


def test_ordering_is_no_right_to_approve(world: World) -> None:
    made = order(world.machine(brand=world.own))
    answer = colleague(world, ("batches:write",)).post(f"/batches/{made['number']}/approve", {})
    assert (answer.status_code, answer.json["code"]) == (403, "scope_missing")  # type: ignore[index]


def test_a_token_approves_no_more_than_its_owner_may(world: World) -> None:
    made = order(world.machine(brand=world.own))
    machine = colleague(world)
    with world.wired.db.transaction() as session:
        session.execute(update(Staff).where(Staff.name == "Bob").values(role=Role.MARKETING.value))
    answer = machine.post(f"/batches/{made['number']}/approve", {})
    assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")  # type: ignore[index]


def test_a_replacement_names_its_batch(world: World) -> None:
    machine = world.machine(brand=world.own)
    body = {"order_no": "R-1", "product": GTIN, "count": 10, "kinds": ["inner"], "replaces": world.own.batch}
    refused = machine.post("/batches", body)
    assert (refused.status_code, refused.json["code"]) == (409, "order_replaces")  # type: ignore[index]
    spoil = {"ranges": [{"first": 0, "last": 9}], "reason": "misprint"}
    assert machine.post(f"/batches/{world.own.batch}/void", spoil).status_code == 200
    made = machine.post("/batches", body)
    assert (made.status_code, made.json["replaces"]) == (201, world.own.batch)  # type: ignore[index]
