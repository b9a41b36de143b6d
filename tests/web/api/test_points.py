"""Points for machines: what a member holds, given and taken once per cause, never below zero, never another brand's."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

from scancode.ledger import service as ledger
from scancode.members import service as members
from tests.factories import NOW
from tests.web.api.conftest import Machine, World
from tests.web.api.test_people import join


def change(machine: Machine, member: UUID, points: Any, cause: str = "order-1", **more: Any) -> Any:
    body = {"points": points, "cause": cause, "note": "bought tea", **more}
    return machine.post(f"/members/{member}/points", body)


def test_points_are_given_and_taken_once_per_cause(world: World) -> None:
    till, alice = world.machine(), join(world, world.own)
    place = f"/members/{alice}/points"
    empty = {"balance": 0, "available": 0, "reserved": 0, "pending": 0, "is_frozen": False}
    assert till.get(place).json == empty
    made = change(till, alice, 120)
    assert (made.status_code, made.json) == (201, {"is_new": True, "balance": 120, "state": "posted"})
    assert change(till, alice, 120).json == {"is_new": False, "balance": 120, "state": "posted"}
    assert change(till, alice, 121).json["code"] == "points_cause_used"
    assert change(till, alice, -120).json["code"] == "points_cause_used"
    assert change(till, alice, -50, "spend-1").json["balance"] == 70
    overdrawn = change(till, alice, -71, "spend-2")
    assert (overdrawn.status_code, overdrawn.json["code"]) == (409, "overdrawn")
    assert overdrawn.json["facts"] == {"needed": 71, "balance": 70}
    assert change(till, alice, -70, "spend-2").json["balance"] == 0, "a refusal uses no cause up"
    record = world.audited("points.enter")
    assert len(record) == 3
    assert not [row for row in record if "order-1" in row.facts or "spend-2" in row.facts], (
        "words stay out of the record"
    )
    entries = {one["id"]: one["points"] for one in till.get(f"{place}/entries").json["items"]}
    told = [json.loads(row.facts) for row in record]
    assert {one["entry"]: one["points"] for one in told} == entries
    first = till.get(f"{place}/entries", limit=2).json
    rest = till.get(f"{place}/entries", limit=2, cursor=first["next"]).json
    told = [(one["points"], one["cause"], one["note"]) for one in first["items"] + rest["items"]]
    assert told == [
        (-70, "api:spend-2", "bought tea"), (-50, "api:spend-1", "bought tea"), (120, "api:order-1", "bought tea"),
    ]  # fmt: skip
    assert rest["next"] is None
    assert till.get(f"{place}/lots").json == {"items": []}
    with world.wired.db.reading() as session:
        assert ledger.find_unbalanced(session) == []


def test_a_cause_is_one_among_all_members_of_the_brand(world: World) -> None:
    till, alice = world.machine(), join(world, world.own)
    bob = join(world, world.own, "+8613800000002")
    assert change(till, alice, 10).status_code == 201
    for points in (10, -10):
        assert change(till, bob, points).json["code"] == "points_cause_used"
    elsewhere = join(world, world.other)
    assert change(world.machine(brand=world.other), elsewhere, 10).status_code == 201
    keyed = {"Idempotency-Key": "k1"}
    body = {"points": 5, "cause": "order-2", "note": "x"}
    answers = [till.post(f"/members/{bob}/points", body, keyed) for _ in range(2)]
    assert answers[0].json == answers[1].json == {"is_new": True, "balance": 5, "state": "posted"}
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_the_balance_of_a_past_moment_and_lots_are_told(world: World) -> None:
    till, alice = world.machine(), join(world, world.own)
    with world.wired.db.transaction() as session:
        for days, points in ((0, 30), (2, 12)):
            at = NOW + timedelta(days=days)
            ledger.post(
                session, account_id=alice, counter_account_id=ledger.issuer_id(world.own.id),
                brand_id=world.own.id, cause=f"claim:{days}", points=points, now=at,
                expires_at=at + timedelta(days=365),
            )  # fmt: skip
        ledger.freeze(session, account_id=alice, brand_id=world.own.id, reason="checked", now=NOW)
    place = f"/members/{alice}/points"
    told = till.get(place, at="2026-11-23T04:00:00Z").json
    assert told == {"balance": 30, "available": None, "reserved": None, "pending": None, "is_frozen": None}
    assert till.get(place, at="yesterday").json["code"] == "invalid"
    now = till.get(place).json
    assert (now["balance"], now["available"], now["is_frozen"]) == (42, 0, True)
    assert [(one["left"], one["points"]) for one in till.get(f"{place}/lots").json["items"]] == [(30, 30), (12, 12)]
    frozen = change(till, alice, 5)
    assert (frozen.status_code, frozen.json["code"]) == (409, "points_frozen")


def test_what_is_no_change_is_refused(world: World) -> None:
    till, alice = world.machine(), join(world, world.own)
    for points in (0, 10**7 + 1, -(10**7) - 1, "5", 1.5, True, None):
        assert change(till, alice, points).status_code == 422, points
    for cause in ("", "a b", "x" * 81, "ä", None):
        assert change(till, alice, 5, cause).status_code == 422, cause  # type: ignore[arg-type]
    assert change(till, alice, 5, note="").status_code == 422
    assert change(till, alice, 5, note="a\u0000b").status_code == 422
    assert till.get(f"/members/{alice}/points").json["balance"] == 0


def test_another_brands_members_and_those_who_left_have_no_points(world: World) -> None:
    till, mallory, alice = world.machine(), world.machine(brand=world.other), join(world, world.own)
    for path in ("points", "points/entries", "points/lots"):
        assert mallory.get(f"/members/{alice}/{path}").status_code == 404
    assert change(mallory, alice, 5).status_code == 404
    reader = world.machine(["points:read", "members:write"])
    assert change(reader, alice, 5).json["code"] == "scope_missing"
    assert world.machine(["points:write"]).get(f"/members/{alice}/points").json["code"] == "scope_missing"
    with world.wired.db.transaction() as session:
        members.forget(session, member_id=alice, now=NOW)
    assert change(till, alice, 5).json["code"] == "not_a_member"
    assert change(till, UUID(int=1), 5).status_code == 404


def test_a_cause_sent_many_times_at_once_is_posted_once(world: World) -> None:
    tills, alice = [world.machine() for _ in range(4)], join(world, world.own)
    told: list[tuple[int, bool]] = []

    def send(till: Machine) -> None:
        answer = change(till, alice, 7)
        told.append((answer.status_code, answer.json.get("is_new")))

    threads = [threading.Thread(target=send, args=(till,)) for till in tills]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [(201, False)] * 3 + [(201, True)]
    assert tills[0].get(f"/members/{alice}/points").json["balance"] == 7


def test_reminders_are_read_page_by_page(world: World) -> None:
    till, alice = world.machine(), join(world, world.own)
    with world.wired.db.transaction() as session:
        for days in (1, 2, 3):
            ledger.post(
                session, account_id=alice, counter_account_id=ledger.issuer_id(world.own.id),
                brand_id=world.own.id, cause=f"claim:{days}", points=days, now=NOW,
                expires_at=NOW + timedelta(days=days),
            )  # fmt: skip
        ledger.remind(session, brand_id=world.own.id, until=NOW + timedelta(days=9), now=NOW)
    first = till.get("/points/reminders", limit=2).json
    rest = till.get("/points/reminders", limit=2, cursor=first["next"]).json
    items = first["items"] + rest["items"]
    assert sorted(one["points"] for one in items) == [1, 2, 3]
    assert {(one["member_id"], one["state"], one["reason"]) for one in items} == {(str(alice), "waiting", "")}
    assert rest["next"] is None
    assert world.machine(brand=world.other).get("/points/reminders").json["items"] == []
