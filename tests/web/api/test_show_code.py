"""``GET /codes/{code}``."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from batches import codes as press
from scancode.scans.models import Scan, ScanMiss
from tests import factories
from tests.web.api.conftest import Machine, Scanned, World


def flip(code: str, place: int) -> str:
    other = "0" if code[place] != "0" else "1"
    return code[:place] + other + code[place + 1 :]


def test_it_tells_all_about_a_genuine_code(world: World, machine: Machine) -> None:
    answer = machine.get(f"/codes/{world.own.code(7)}").json
    assert (answer["code"], answer["kind"], answer["serial"]) == (world.own.code(7), "inner", 7)
    assert answer["code_id"] == press.code_id(world.own.batch, press.Kind.INNER, 7)
    assert (answer["verdict"], answer["state"], answer["brand"]) == ("first", "active", "shanquan")
    assert answer["batch"]["number"] == world.own.batch
    assert answer["scans"] == {"count": 0, "is_more": False, "first_at": None, "last_at": None}


def test_it_reads_what_people_type(world: World, machine: Machine) -> None:
    code = world.own.code(7).lower()
    assert machine.get(f"/codes/{code[:5]}-{code[5:10]} {code[10:]}").json["serial"] == 7


def test_it_counts_scans_and_records_none(world: World, machine: Machine, scanned: Scanned) -> None:
    scanned(world.own, 7)
    scanned(world.own, 7, at=factories.NOW + timedelta(minutes=1), verdict="repeat")
    scanned(world.own, 8)
    for _ in range(2):
        answer = machine.get(f"/codes/{world.own.code(7)}").json
        assert (answer["verdict"], answer["scans"]["count"]) == ("repeat", 2)
        assert answer["scans"]["first_at"] == "2026-11-22T04:00:00Z"
        assert answer["scans"]["last_at"] == "2026-11-22T04:01:00Z"
    with world.wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Scan)) == 3


def test_a_scan_before_activation_does_not_make_it_a_repeat(world: World, machine: Machine, scanned: Scanned) -> None:
    scanned(world.own, 7, verdict="inactive")
    answer = machine.get(f"/codes/{world.own.code(7)}").json
    assert (answer["verdict"], answer["scans"]["count"]) == ("first", 1)


def test_it_tells_the_history_of_its_life(world: World, machine: Machine) -> None:
    path = f"/batches/{world.own.batch}"
    ranges = {"ranges": [{"first": 0, "last": 99}]}
    machine.post(f"{path}/void", ranges | {"reason": "lost", "note": "truck 7"})
    machine.post(f"{path}/recall", ranges | {"message_zh": "已召回", "message_en": "Recalled"})
    answer = machine.get(f"/codes/{world.own.code(7)}").json
    assert (answer["verdict"], answer["state"], answer["message_zh"]) == ("recalled", "recalled", "已召回")
    assert [(event["state"], event["reason"], event["note"]) for event in answer["history"]] == [
        ("recalled", "", ""),
        ("void", "lost", "truck 7"),
    ]
    assert machine.get(f"/codes/{world.own.code(100)}").json["history"] == []


def test_a_code_that_is_not_live_says_so(world: World, machine: Machine) -> None:
    answer = machine.get(f"/codes/{world.own.code(950)}").json
    assert (answer["verdict"], answer["state"], answer["changed_at"]) == ("inactive", "inactive", None)


def test_it_tells_bad_codes_apart_and_counts_none(world: World, machine: Machine) -> None:
    good = world.own.code(7)
    forged = good[:-6] + ("000000" if good[-6:] != "000000" else "111111")
    unknown = press.mint_one(b"k" * 32, world.own.batch ^ (1 << 24), press.Kind.INNER, 1)
    expected = {
        "ABC": "code_malformed",
        "%00": "code_malformed",
        "码" * 20: "code_malformed",
        flip(good, 12): "code_mistyped",
        forged: "code_forged",
        unknown: "code_unknown",
    }
    for text, code in expected.items():
        answer = machine.get(f"/codes/{text}")
        assert (answer.status_code, answer.json["code"]) == (404, code), text
        assert answer.content_type == "application/problem+json"
    world.app.extensions["scancode"].misses.flush()
    with world.wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(ScanMiss)) == 0


def test_a_kind_that_was_not_printed_is_unknown(world: World, machine: Machine) -> None:
    assert machine.get(f"/codes/{world.own.code(7, press.Kind.CASE)}").json["code"] == "code_unknown"
    assert machine.get(f"/codes/{world.own.code(1000)}").json["code"] == "code_unknown"


def test_another_brands_code_does_not_exist(world: World, machine: Machine) -> None:
    answer = machine.get(f"/codes/{world.other.code(7)}")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert world.operator().get(f"/codes/{world.other.code(7)}").json["brand"] == "chalin"


LONG_TEXTS: list[str] = ["x" * 101, "x" * 4000]


def test_a_text_that_is_far_too_long_is_refused(machine: Machine) -> None:
    for text in LONG_TEXTS:
        assert machine.get(f"/codes/{text}").status_code == 422
