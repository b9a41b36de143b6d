"""``POST /batches/{number}/activate|deactivate|void|recall`` and ``GET /batches/{number}/life``."""

from __future__ import annotations

from typing import Any

from tests import factories
from tests.web.api.conftest import Machine, World

ALL = {"ranges": [{"first": 0, "last": 999}]}
MESSAGES = {"message_zh": "已召回", "message_en": "Recalled"}
EVERY_CHANGE = [
    ("activate", ALL),
    ("deactivate", ALL),
    ("void", ALL | {"reason": "stolen"}),
    ("recall", ALL | MESSAGES),
]


def states(machine: Machine, number: int) -> list[tuple[int, int, str]]:
    items = machine.get(f"/batches/{number}/life").json["items"]
    return [(item["first"], item["last"], item["state"]) for item in items]


def test_it_activates_what_is_inactive(world: World, machine: Machine) -> None:
    answer = machine.post(f"/batches/{world.own.batch}/activate", ALL)
    assert answer.status_code == 200
    assert answer.json == {"changed": 100, "left": {"inactive": 0, "active": 900, "void": 0, "recalled": 0}}
    assert sum(last - first + 1 for first, last, state in states(machine, world.own.batch) if state == "active") == 1000
    (row,) = world.audited("codes.activate")
    assert row.actor.startswith("token:")


def test_it_deactivates_ranges(world: World, machine: Machine) -> None:
    ranges = [{"first": 100, "last": 199}, {"first": 0, "last": 0}]
    answer = machine.post(f"/batches/{world.own.batch}/deactivate", {"ranges": ranges, "note": "back"})
    assert answer.json["changed"] == 101
    assert states(machine, world.own.batch) == [(1, 99, "active"), (200, 899, "active")]


def test_it_voids_with_a_reason(world: World, machine: Machine) -> None:
    body = {"ranges": [{"first": 10, "last": 19}], "reason": "misprint"}
    assert machine.post(f"/batches/{world.own.batch}/void", body).json["changed"] == 10
    page = machine.get(f"/batches/{world.own.batch}/life").json
    (void,) = [item for item in page["items"] if item["state"] == "void"]
    assert (void["first"], void["last"], void["reason"]) == (10, 19, "misprint")
    assert page["counts"] == {"inactive": 100, "active": 890, "void": 10, "recalled": 0}


def test_another_reason_needs_a_note(world: World, machine: Machine) -> None:
    body: dict[str, Any] = {"ranges": [{"first": 10, "last": 19}], "reason": "other"}
    answer = machine.post(f"/batches/{world.own.batch}/void", body)
    assert (answer.status_code, answer.json["code"]) == (422, "void_reason")
    assert machine.post(f"/batches/{world.own.batch}/void", body | {"note": "fell into the river"}).status_code == 200


def test_it_recalls_with_words_in_both_languages(world: World, machine: Machine) -> None:
    answer = machine.post(f"/batches/{world.own.batch}/recall", ALL | MESSAGES)
    assert answer.json["changed"] == 1000
    (span, *_) = machine.get(f"/batches/{world.own.batch}/life").json["items"]
    assert (span["state"], span["message_zh"], span["message_en"]) == ("recalled", "已召回", "Recalled")
    blank = machine.post(f"/batches/{world.own.batch}/recall", ALL | MESSAGES | {"message_en": "  "})
    assert (blank.status_code, blank.json["code"]) == (422, "recall_message")


def test_doing_it_again_changes_nothing_and_says_so(world: World, machine: Machine) -> None:
    machine.post(f"/batches/{world.own.batch}/activate", ALL)
    answer = machine.post(f"/batches/{world.own.batch}/activate", ALL)
    assert (answer.status_code, answer.json["code"]) == (409, "life_nothing_to_change")
    assert answer.json["facts"] == {"void": 0, "recalled": 0, "other": 1000}


def test_another_brands_codes_are_out_of_reach(world: World, machine: Machine) -> None:
    for verb, body in EVERY_CHANGE:
        before = states(world.operator(), world.other.batch)
        answer = machine.post(f"/batches/{world.other.batch}/{verb}", body)
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
        assert states(world.operator(), world.other.batch) == before


def test_a_batch_must_be_ready(world: World, machine: Machine) -> None:
    for verb, body in EVERY_CHANGE:
        with world.wired.db.transaction() as session:
            batch = factories.make_batch(
                session, brand_id=world.own.id, product_id=world.own.product_id, state="minting"
            )
        answer = machine.post(f"/batches/{batch.number}/{verb}", body)
        assert (answer.status_code, answer.json["code"]) == (409, "batch_not_ready")


WRONG_RANGES: list[tuple[Any, str]] = [
    ([{"first": 5, "last": 4}], "range_reversed"),
    ([{"first": 0, "last": 1000}], "range_outside"),
    ([{"first": 0, "last": 9}, {"first": 9, "last": 12}], "ranges_overlap"),
]


def test_ranges_are_checked(world: World, machine: Machine) -> None:
    for ranges, code in WRONG_RANGES:
        answer = machine.post(f"/batches/{world.own.batch}/activate", {"ranges": ranges})
        assert (answer.status_code, answer.json["code"]) == (422, code)


WRONG_BODIES: list[tuple[Any, str]] = [
    ({}, "ranges"),
    ({"ranges": []}, "ranges"),
    ({"ranges": [{"first": 1}]}, "ranges.0.last"),
    ({"ranges": [{"first": -1, "last": 2}]}, "ranges.0.first"),
    ({"ranges": [{"first": 1, "last": 10**30}]}, "ranges.0.last"),
    ({"ranges": [{"first": 1, "last": 2.5}]}, "ranges.0.last"),
    ({"ranges": [[1, 2]]}, "ranges.0"),
    ({"ranges": [{"first": 1, "last": 2}] * 1001}, "ranges"),
    ({**ALL, "note": "a\u0000b"}, "note"),
    ({**ALL, "reason": "misprint"}, "reason"),
]


def test_it_names_the_field(world: World, machine: Machine) -> None:
    for body, field in WRONG_BODIES:
        answer = machine.post(f"/batches/{world.own.batch}/activate", body)
        assert (answer.status_code, answer.json["facts"]["field"]) == (422, field)


def test_a_reason_that_does_not_exist_is_refused(world: World, machine: Machine) -> None:
    answer = machine.post(f"/batches/{world.own.batch}/void", ALL | {"reason": "bored"})
    assert (answer.status_code, answer.json["facts"]["field"]) == (422, "reason")


def test_the_life_comes_in_pages(world: World, machine: Machine) -> None:
    ranges = [{"first": first, "last": first} for first in range(1, 899, 2)]
    machine.post(f"/batches/{world.own.batch}/void", {"ranges": ranges, "reason": "damaged"})
    seen: list[tuple[int, int]] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        page = machine.get(f"/batches/{world.own.batch}/life", limit=400, **cursor).json
        seen += [(item["first"], item["last"]) for item in page["items"]]
        cursor = {"cursor": page["next"]}
    assert page["next"] is None
    assert seen == [(serial, serial) for serial in range(898)] + [(898, 899)]
    assert machine.get(f"/batches/{world.own.batch}/life", limit=1001).status_code == 422
