"""``GET /scans``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests import factories
from tests.factories import NOW
from tests.web.api.conftest import Machine, Scanned, World

DAYS = {"first": "2026-11-20", "last": "2026-11-22"}


def ids(machine: Machine, **query: Any) -> list[UUID]:
    answer = machine.get("/scans", **query)
    assert answer.status_code == 200, answer.json
    return [UUID(item["id"]) for item in answer.json["items"]]


def test_it_shows_a_scan_and_nothing_of_the_person(world: World, machine: Machine, scanned: Scanned) -> None:
    with world.wired.db.transaction() as session:
        channel = factories.make_channel(session, brand_id=world.own.id)
        store = factories.make_store(session, channel_id=channel.id)
    scan_id = scanned(world.own, 7, source="shipment", channel_id=channel.id, store_id=store.id, is_test=True)
    (item,) = machine.get("/scans", **DAYS).json["items"]
    assert item == {
        "id": str(scan_id),
        "scanned_at": "2026-11-22T04:00:00Z",
        "day": "2026-11-22",
        "code_id": item["code_id"],
        "batch": world.own.batch,
        "kind": "inner",
        "serial": 7,
        "product_id": str(world.own.product_id),
        "verdict": "first",
        "client": "wechat",
        "is_test": True,
        "region": None,
        "attribution": {
            "source": "shipment",
            "channel_id": str(channel.id),
            "store_id": str(store.id),
            "guide_id": None,
            "touchpoint_id": None,
            "first_touchpoint_id": None,
            "first_guide_id": None,
            "item_channel_id": None,
            "item_store_id": None,
        },
    }


def test_it_takes_both_days_and_no_more(machine: Machine, world: World, scanned: Scanned) -> None:
    by_day = {
        day: scanned(world.own, number, at=NOW - timedelta(days=4 - number), day=f"2026-11-{day}")
        for number, day in enumerate((19, 20, 21, 22, 23))
    }
    assert ids(machine, **DAYS) == [by_day[20], by_day[21], by_day[22]]
    assert ids(machine, first="2026-11-23", last="2026-11-23") == [by_day[23]]


def test_without_days_it_means_the_last_week(machine: Machine, world: World, scanned: Scanned) -> None:
    now = datetime.now(UTC)
    today = (now + timedelta(hours=8)).date()
    scanned(world.own, 1, at=now - timedelta(days=7), day=(today - timedelta(days=7)).isoformat())
    kept = scanned(world.own, 2, at=now - timedelta(days=6), day=(today - timedelta(days=6)).isoformat())
    newest = scanned(world.own, 3, at=now, day=today.isoformat())
    assert ids(machine) == [kept, newest]


def test_pages_follow_each_other_within_and_across_days(world: World, machine: Machine, scanned: Scanned) -> None:
    made = [
        scanned(world.own, number, at=NOW + timedelta(hours=7 * number), day=f"2026-11-{20 + number // 3}")
        for number in range(7)
    ]
    seen: list[UUID] = []
    cursor: dict[str, str] = {}
    for size in (3, 3, 1):
        page = machine.get("/scans", first="2026-11-20", last="2026-11-30", limit=3, **cursor).json
        assert len(page["items"]) == size
        seen += [UUID(item["id"]) for item in page["items"]]
        cursor = {"cursor": page["next"]}
    assert (seen, page["next"]) == (made, None)


def test_it_finds_a_batchs_and_a_codes_scans_of_all_times(world: World, machine: Machine, scanned: Scanned) -> None:
    with world.wired.db.transaction() as session:
        neighbour = world.own.batch ^ 1
        factories.make_batch(session, brand_id=world.own.id, product_id=world.own.product_id, number=neighbour)
    long_ago = scanned(world.own, 7, at=NOW - timedelta(days=900), day="2024-06-05")
    lately = scanned(world.own, 7)
    other = scanned(world.own, 8, at=NOW + timedelta(minutes=1))
    assert ids(machine, batch=world.own.batch) == [long_ago, lately, other]
    assert ids(machine, code=world.own.code(7)) == [long_ago, lately]
    assert ids(machine, code=world.own.code(7), **DAYS) == [lately]
    assert ids(machine, batch=neighbour) == []
    assert machine.get("/scans", batch=neighbour, code=world.own.code(7)).status_code == 404


def test_another_brands_scans_do_not_exist(world: World, machine: Machine, scanned: Scanned) -> None:
    scanned(world.other, 7)
    assert ids(machine, **DAYS) == []
    for query in ({"batch": world.other.batch}, {"code": world.other.code(7)}):
        assert machine.get("/scans", **query).status_code == 404
    assert machine.get("/scans", brand="chalin", **DAYS).json["code"] == "brand_unknown"


def test_an_operators_token_says_which_brand(world: World, scanned: Scanned) -> None:
    scan_id = scanned(world.other, 7)
    operator = world.operator()
    assert operator.get("/scans", **DAYS).json["code"] == "brand_needed"
    assert ids(operator, brand="chalin", **DAYS) == [scan_id]
    assert ids(operator, batch=world.other.batch) == [scan_id]
    assert operator.get("/scans", batch=world.other.batch, brand="shanquan").status_code == 404


def test_the_beginning_of_a_list_is_recorded_and_its_pages_are_not(
    world: World, machine: Machine, scanned: Scanned
) -> None:
    for serial in range(3):
        scanned(world.own, serial)
    first = machine.get("/scans", limit=2, **DAYS).json
    machine.get("/scans", limit=2, cursor=first["next"], **DAYS)
    (row,) = world.audited("scan.export")
    assert '"first":"2026-11-20"' in row.facts


WRONG_QUERIES: list[tuple[dict[str, Any], str]] = [
    ({"first": "2026-11-22", "last": "2026-11-21"}, "bad_period"),
    ({"first": "2026-02-30", "last": "2026-03-01"}, "bad_period"),
    ({"last": "0001-01-01"}, "bad_period"),
    ({"last": "2026-13-45"}, "bad_period"),
    ({"first": "2025-11-21", "last": "2026-11-22"}, "period_too_long"),
    ({"first": "22.11.2026"}, "invalid"),
    ({"first": "2026-11-22\n"}, "invalid"),
    ({"batch": -1}, "invalid"),
    ({"visitor": "x"}, "invalid"),
    ({"cursor": "WyIyMDI2LTExLTIyIiwibm8gaWQiXQ"}, "invalid"),
    ({"cursor": "WyJhXHUwMDAwYiIsIjAxOTNhMmI0LTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMCJd"}, "invalid"),
]


def test_it_refuses_what_it_does_not_know(machine: Machine) -> None:
    for query, code in WRONG_QUERIES:
        answer = machine.get("/scans", **query)
        assert (answer.status_code, answer.json["code"]) == (422, code)


def test_a_code_that_is_none_is_explained(machine: Machine) -> None:
    assert machine.get("/scans", code="ABC").json["code"] == "code_malformed"
