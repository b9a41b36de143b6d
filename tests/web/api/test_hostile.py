"""What no honest client sends: never a 500, always a problem that says what is wrong."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from tests.web.api.conftest import GTIN, Machine, World

JSON = "application/json"
PATHS = ("/batches", "/batches/1/activate", "/batches/1/void", "/batches/1/recall")
BODIES: list[tuple[bytes | str, str, int, str]] = [
    (b"", JSON, 400, "json_form"),
    (b"{", JSON, 400, "json_form"),
    (b"\xff\xfe{}", JSON, 400, "json_form"),
    (b'{"a": "\xc3"}', JSON, 400, "json_form"),
    ("[" * 100_000, JSON, 400, "json_form"),
    ('{"a":' * 40_000, JSON, 400, "json_form"),
    ("[" * 900 + "]" * 900, JSON, 422, "invalid"),
    ("1" * 5000, JSON, 400, "json_form"),
    ("NaN", JSON, 422, "invalid"),
    ("null", JSON, 422, "invalid"),
    ("[]", JSON, 422, "invalid"),
    ('"{\\"count\\": 1}"', JSON, 422, "invalid"),
    ("count=1", "application/x-www-form-urlencoded", 415, "content_type"),
    ("{}", "text/plain", 415, "content_type"),
    ("{}", "", 415, "content_type"),
    (b'{"note": "' + b"x" * 300_000 + b'"}', JSON, 413, "too_large"),
    (b"x" * 10_000_000, JSON, 413, "too_large"),
]


def send(machine: Machine, path: str, body: bytes | str, content_type: str) -> TestResponse:
    headers = {"Authorization": f"Bearer {machine.token}", "Accept-Language": "en"}
    return machine.client.post(f"/api/v1{path}", data=body, content_type=content_type or None, headers=headers)


def test_bodies_that_are_none_are_explained(machine: Machine) -> None:
    for path in PATHS:
        for body, content_type, status, code in BODIES:
            answer = send(machine, path, body, content_type)
            assert (answer.status_code, answer.json["code"]) == (status, code), (path, body[:20])
            assert (answer.json["status"], answer.content_type) == (status, "application/problem+json")


def test_wrong_values_anywhere_are_refused(machine: Machine) -> None:
    order: dict[str, Any] = {"order_no": "PO-1", "product": GTIN, "count": 5, "kinds": ["inner"]}
    values: list[Any] = [
        None,
        [],
        {},
        -1,
        10**300,
        1e308,
        "a\u0000b",
        "\ud800",
        "'; DROP TABLE batches; --",
        "x" * 100_000,
        {"$ne": 1},
        [[[[1]]]],
    ]
    for field in order:
        for value in values:
            answer = machine.post("/batches", order | {field: value})
            known_good = field == "order_no" and value == "'; DROP TABLE batches; --"
            assert answer.status_code == (201 if known_good else 422), (field, str(value)[:30])


def test_strange_addresses_are_not_found_or_refused(world: World, machine: Machine) -> None:
    number = world.own.batch
    for path in (
        "/batches/%F0%9F%92%A9",
        f"/batches/{number}%00",
        f"/batches/{number}/files/%00",
        f"/batches/{number}/files/..%2f..%2fetc%2fpasswd",
        f"/batches/{number}/life?cursor=%00",
        "/batches?order_no=%00",
        "/batches?state=%ff",
        "/codes/%ff%fe",
        "/codes/" + "%E7%A0%81" * 90,
        "/scans?code=%00&limit=1",
        "/scans?first=%EF%BC%92%EF%BC%90%EF%BC%92%EF%BC%96-11-22",
        "/reports/funnel?by=day&first=2026-11-22&last=%00",
    ):
        headers = {"Authorization": f"Bearer {machine.token}", "Accept-Language": "\x01;q=x, en;q=nan"}
        answer = machine.client.get(f"/api/v1{path}", headers=headers)
        assert answer.status_code in (404, 422), path
        assert answer.content_type == "application/problem+json", path


def test_only_the_first_problems_of_many_are_listed(machine: Machine) -> None:
    answer = machine.post("/batches", {f"field {number} " + "x" * 200: 1 for number in range(500)})
    assert answer.status_code == 422
    assert len(answer.json["errors"]) == 20
    assert all(len(item["field"]) <= 100 for item in answer.json["errors"])
