"""``GET /batches``."""

from __future__ import annotations

from datetime import timedelta

from tests import factories
from tests.web.api.conftest import GTIN, Machine, World


def add_batches(world: World, count: int, **over: object) -> list[int]:
    """Batches in the order in which the list shows them: pairs were ordered at the same moment."""
    with world.wired.db.transaction() as session:
        made = [
            factories.make_batch(
                session,
                brand_id=world.own.id,
                product_id=world.own.product_id,
                ordered_at=factories.NOW + timedelta(minutes=place // 2),
                **over,
            )
            for place in range(count)
        ]
        return [row.number for row in sorted(made, key=lambda row: (-row.ordered_at.timestamp(), row.number))]


def test_it_lists_the_brands_batches_and_nobody_elses(world: World, machine: Machine) -> None:
    answer = machine.get("/batches")
    assert answer.status_code == 200
    assert [item["number"] for item in answer.json["items"]] == [world.own.batch]
    assert answer.json["next"] is None
    assert answer.json["items"][0]["product"]["gtin"] == GTIN


def test_pages_follow_each_other_without_gap_or_repetition(world: World, machine: Machine) -> None:
    expected = add_batches(world, 7, is_test=True)
    seen: list[int] = []
    cursor: dict[str, str] = {}
    for size in (3, 3, 2):
        page = machine.get("/batches", limit=3, **cursor).json
        assert len(page["items"]) == size
        seen += [item["number"] for item in page["items"]]
        cursor = {"cursor": page["next"]}
    assert page["next"] is None
    assert [number for number in seen if number != world.own.batch] == expected
    assert len(seen) == len(set(seen)) == 8


def test_what_is_ordered_meanwhile_does_not_shift_the_pages(world: World, machine: Machine) -> None:
    expected = add_batches(world, 8)[:4]
    first = machine.get("/batches", limit=2).json
    with world.wired.db.transaction() as session:
        factories.make_batch(
            session,
            brand_id=world.own.id,
            product_id=world.own.product_id,
            ordered_at=factories.NOW + timedelta(days=1),
        )
    second = machine.get("/batches", limit=2, cursor=first["next"]).json
    assert [item["number"] for item in (*first["items"], *second["items"])] == expected


def test_it_finds_by_state_product_and_order_number(world: World, machine: Machine) -> None:
    (failed,) = add_batches(world, 1, state="failed", order_no="PO-77")

    def numbers(**query: object) -> list[int]:
        return [item["number"] for item in machine.get("/batches", **query).json["items"]]

    assert numbers(state="failed") == [failed]
    assert numbers(order_no="PO-77") == [failed]
    assert numbers(order_no="PO-7") == []
    assert set(numbers(product=GTIN)) == set(numbers(product=str(world.own.product_id))) == {failed, world.own.batch}
    assert numbers(product=str(world.other.product_id)) == []
    assert numbers(product=GTIN, state="ready") == [world.own.batch]


def test_an_operators_token_sees_every_brand_or_one(world: World, machine: Machine) -> None:
    operator = world.operator()
    assert {item["brand"] for item in operator.get("/batches").json["items"]} == {"shanquan", "chalin"}
    assert {item["brand"] for item in operator.get("/batches", brand="chalin").json["items"]} == {"chalin"}
    assert machine.get("/batches", brand="chalin").json["code"] == "brand_unknown"
    assert machine.get("/batches", brand="shanquan").status_code == 200
    assert operator.get("/batches", brand="nobody").status_code == 422


WRONG_QUERIES: list[tuple[dict[str, object], str]] = [
    ({"limit": 0}, "limit"),
    ({"limit": 101}, "limit"),
    ({"limit": "5.0"}, "limit"),
    ({"limit": "٥"}, "limit"),
    ({"state": "unready"}, "state"),
    ({"product": "lemonade"}, "product"),
    ({"order_no": "a\x00b"}, "order_no"),
    ({"page": 2}, "page"),
    ({"cursor": "!"}, "cursor"),
    ({"cursor": "bm90IG91cnM"}, "cursor"),
    ({"cursor": "WyIyMDI2LTAxLTAxIiwxXQ"}, "cursor"),
    ({"cursor": "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwxXQ"}, "cursor"),
    ({"cursor": "WyIyMDI2LTAxLTAxVDAwOjAwOjAwKzAwOjAwIiw5OTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ"}, "cursor"),
]


def test_it_refuses_what_it_does_not_know(machine: Machine) -> None:
    for query, field in WRONG_QUERIES:
        answer = machine.get("/batches", **query)
        assert (answer.status_code, answer.json["code"]) == (422, "invalid")
        assert answer.json["facts"]["field"] == field


def test_a_hundred_is_the_most(machine: Machine) -> None:
    assert machine.get("/batches", limit=100).status_code == 200
