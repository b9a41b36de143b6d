"""``POST /batches``."""

from __future__ import annotations

from sqlalchemy import func, select

from scancode.codes.models import Batch
from scancode.jobs.models import Job
from tests.web.api.conftest import GTIN, Machine, World

ORDER = {
    "order_no": "PO-1",
    "product": GTIN,
    "count": 500,
    "kinds": ["outer", "inner"],
    "formats": ["csv", "txt"],
    "lot": "L1",
    "note": "express",
}


def test_it_orders_and_asks_for_the_minting(world: World, machine: Machine) -> None:
    answer = machine.post("/batches", ORDER)
    assert answer.status_code == 201
    batch = answer.json
    assert answer.headers["Location"] == f"/api/v1/batches/{batch['number']}"
    assert (batch["order_no"], batch["state"], batch["brand"], batch["count"]) == ("PO-1", "ordered", "shanquan", 500)
    assert (batch["kinds"], batch["formats"], batch["lot"]) == (["outer", "inner"], ["csv", "txt"], "L1")
    assert batch["progress"] == {"job": "queued", "stage": "", "done_rows": 0, "total_rows": 0, "error": None}
    assert (batch["files"], batch["manifest"], batch["life"]["inactive"]) == ([], None, 500)
    with world.wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Job).where(Job.kind == "mint")) == 1
    (row,) = world.audited("batch.order")
    assert row.actor.startswith("token:")
    assert row.brand_id == world.own.id


def test_the_same_order_again_is_the_same_batch(world: World, machine: Machine) -> None:
    first, second = machine.post("/batches", ORDER), machine.post("/batches", ORDER)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json["number"] == second.json["number"]
    assert len(world.audited("batch.order")) == 1


def test_the_same_number_for_another_order_is_refused(machine: Machine) -> None:
    machine.post("/batches", ORDER)
    answer = machine.post("/batches", {**ORDER, "count": 501})
    assert (answer.status_code, answer.json["code"]) == (409, "order_no_taken")
    assert answer.content_type == "application/problem+json"


def test_a_product_may_be_named_by_its_id(world: World, machine: Machine) -> None:
    answer = machine.post("/batches", {**ORDER, "product": str(world.own.product_id)})
    assert answer.status_code == 201
    assert answer.json["product"]["gtin"] == GTIN


def test_it_has_modest_defaults(machine: Machine) -> None:
    answer = machine.post("/batches", {"order_no": "PO-2", "product": GTIN[1:], "count": 1, "kinds": ["inner"]})
    assert (answer.status_code, answer.json["formats"], answer.json["is_test"]) == (201, ["csv"], False)


def test_another_brands_product_does_not_exist(world: World, machine: Machine) -> None:
    answer = machine.post("/batches", {**ORDER, "product": str(world.other.product_id)})
    assert (answer.status_code, answer.json["code"]) == (422, "product_unknown")
    assert world.operator().post("/batches", {**ORDER, "product": str(world.other.product_id)}).status_code == 201


def test_reading_does_not_allow_ordering(world: World) -> None:
    answer = world.machine({"batches:read"}).post("/batches", ORDER)
    assert (answer.status_code, answer.json["code"]) == (403, "scope_missing")
    assert answer.json["facts"] == {"scope": "batches:write"}


WRONG_FIELDS: list[tuple[str, object, str]] = [
    ("count", 0, "This must be 1 or more."),
    ("count", (32 << 25) + 1, "This must be 1073741824 or less."),
    ("count", 10**400, "This must be 1073741824 or less."),
    ("count", "500", "A whole number is needed."),
    ("count", True, "A whole number is needed."),
    ("count", None, "A whole number is needed."),
    ("kinds", [], "At least 1 entries are needed."),
    ("kinds", ["inner", "inner"], "Each entry may stand here only once."),
    ("kinds", "inner", "A list is needed."),
    ("order_no", "", "At least 1 characters are needed."),
    ("order_no", "x" * 61, "At most 60 characters are possible."),
    ("order_no", {"$gt": ""}, "A text is needed."),
    ("is_test", 1, "Either true or false is needed."),
    ("colour", "red", "There is no such field."),
]


def test_it_names_the_field_and_the_problem(machine: Machine) -> None:
    for field, value, problem in WRONG_FIELDS:
        answer = machine.post("/batches", {**ORDER, field: value})
        assert answer.status_code == 422
        assert answer.json["code"] == "invalid"
        assert [item["field"] for item in answer.json["errors"]] == [field]
        assert answer.json["errors"][0]["problem"] == problem
        assert answer.json["title"] == f"Please check {field}: {problem}"


def test_it_names_every_field_in_chinese_too(machine: Machine) -> None:
    machine.language = "zh-CN"
    answer = machine.post("/batches", {"count": 1.5})
    assert {item["field"] for item in answer.json["errors"]} == {"order_no", "product", "count", "kinds"}
    assert "需要整数。" in {item["problem"] for item in answer.json["errors"]}
    assert answer.headers["Content-Language"] == "zh"


UNPRINTABLE: list[tuple[dict[str, object], str]] = [
    ({"order_no": "   "}, "order_no"),
    ({"lot": "批次"}, "order_unprintable"),
    ({"count": 1 << 25, "formats": ["pdf"]}, "order_unprintable"),
    ({"product": "6901234567893"}, "gtin_check_digit"),
    ({"product": "00000000"}, "gtin_form"),
]


def test_it_passes_on_what_the_factory_refuses(machine: Machine) -> None:
    for over, code in UNPRINTABLE:
        answer = machine.post("/batches", {**ORDER, **over})
        assert (answer.status_code, answer.json["code"]) == (422, code)


def test_an_archived_product_cannot_be_ordered(world: World, machine: Machine) -> None:
    from scancode.catalog import service as catalog
    from tests.factories import NOW

    with world.wired.db.transaction() as session:
        catalog.archive_product(session, product_id=world.own.product_id, actor="test", now=NOW)
    answer = machine.post("/batches", ORDER)
    assert (answer.status_code, answer.json["code"]) == (409, "product_archived")
    with world.wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Batch)) == 2
