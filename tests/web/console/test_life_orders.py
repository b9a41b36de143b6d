"""Life at the console: by case and at a set time, by a file of rejects, by both ends of a roll; one page for a code."""

from __future__ import annotations

import html
import io
import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from scancode.catalog import revision
from scancode.codes import service as codes
from scancode.codes.rules import Life
from scancode.packing import service as packing
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests.packing.floor import BY, Floor, make_floor
from tests.web.console.desk import Desk, hire

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def floor(wired: Wired) -> Floor:
    with wired.db.transaction() as session:
        floor = make_floor(session, wired)
        packing.open_container(session, parent=floor.case(0), capacity=None, brand_id=floor.brand_id, **BY)
        items = [floor.item(serial) for serial in range(10)]
        packing.pack(session, parent=floor.case(0), children=items, brand_id=floor.brand_id, **BY)
        revision.bump(session)
    return floor


@pytest.fixture
def carol(app: Flask, wired: Wired, floor: Floor) -> Desk:
    return Desk(app, wired.db, hire(wired.db, "Carol", Role.FACTORY, floor.brand_id))


def send(desk: Desk, path: str, **fields: Any) -> TestResponse:
    data = {"csrf_token": desk.token(path), **fields}
    return desk.client.post(path, data=data, headers=ENGLISH)


def state(wired: Wired, batch: int, serial: int) -> Life:
    with wired.db.reading() as session:
        return codes.life_of(session, batch_number=batch, serial=serial).state


def expected(answer: TestResponse) -> str:
    found = re.search(r'name="expected"[^>]*value="(\d+)"', answer.text)
    assert found, answer.text
    return found[1]


def test_a_case_is_activated_after_one_more_press(carol: Desk, wired: Wired, floor: Floor) -> None:
    fields = {"kind": "unit", "value": floor.code(floor.case(0))}
    asked = send(carol, "/console/life/activate", **fields)
    assert expected(asked) == "11"
    assert state(wired, floor.items, 0) is Life.INACTIVE
    done = send(carol, "/console/life/activate", **fields, expected="11")
    assert done.status_code == 302
    assert state(wired, floor.items, 9) is Life.ACTIVE


def test_a_set_time_is_listed_and_cancelled(carol: Desk, wired: Wired, floor: Floor) -> None:
    fields = {"kind": "unit", "value": floor.code(floor.case(0)), "at": "2099-01-01T08:30"}
    done = send(carol, "/console/life/void", **fields, reason="lost", expected="11")
    page = carol.get(done.location, headers=ENGLISH).text
    assert "2099-01-01 08:30" in page
    path = re.search(r'action="(/console/life/orders/[^"]+/cancel)"', page)
    assert path
    carol.post(path[1])
    assert path[1] not in carol.get("/console/life").text
    assert state(wired, floor.items, 0) is Life.INACTIVE


def test_a_file_of_rejects_is_voided(carol: Desk, wired: Wired, floor: Floor) -> None:
    path = f"/console/batches/{floor.items}/life/void"
    lines = f"{floor.code(floor.item(3))}\r\nhttps://q.example/{floor.code(floor.item(5))}\r\n700\r\n"
    asked = send(carol, path, reason="misprint", file=(io.BytesIO(lines.encode()), "rejects.txt"))
    assert expected(asked) == "3"
    assert "3,5,700" in asked.text
    assert send(carol, path, reason="misprint", ranges="3,5,700", expected="3").status_code == 302
    assert [state(wired, floor.items, serial) for serial in (3, 4, 700)] == [Life.VOID, Life.INACTIVE, Life.VOID]
    wrong = send(carol, path, reason="misprint", file=(io.BytesIO(b"3\nrubbish\n"), "rejects.txt"))
    assert "Line 2" in wrong.text


def test_both_ends_of_a_roll_are_a_range(carol: Desk, wired: Wired, floor: Floor) -> None:
    path = f"/console/batches/{floor.items}/life/activate"
    roll = f"{floor.code(floor.item(499))} .. {floor.code(floor.item(200))}"
    assert send(carol, path, ranges=roll).status_code == 302
    assert [state(wired, floor.items, serial) for serial in (199, 200, 499, 500)] == [
        Life.INACTIVE, Life.ACTIVE, Life.ACTIVE, Life.INACTIVE,
    ]  # fmt: skip


def test_one_page_tells_everything_of_a_code(carol: Desk, floor: Floor) -> None:
    for query in (floor.code(floor.item(4)), f"{floor.items}:4"):
        page = carol.get(f"/console/lookup?q={query}", headers=ENGLISH).text
        assert f"unit={floor.cases}:case:0" in page.replace("%3A", ":")
        assert "Packed into" in page
        assert "Claimed" in page
    assert "'wasm-unsafe-eval'" in carol.get("/console/lookup").headers["Content-Security-Policy"]


def test_what_was_looked_up_is_shown_again_after_its_change(carol: Desk, wired: Wired, floor: Floor) -> None:
    seen = f"{floor.items}:4"
    page = carol.get(f"/console/lookup?q={seen}", headers=ENGLISH).text
    path = re.search(r'href="([^"]+/life/void[^"]+)"', page)
    assert path
    here = html.unescape(path[1])
    asked = send(carol, here, ranges="4", reason="lost")
    assert f"/console/lookup?q={floor.items}:4" in asked.text.replace("%3A", ":")  # "Cancel" leads back as well
    done = send(carol, here, ranges="4", reason="lost", expected=expected(asked))
    assert done.location.replace("%3A", ":") == f"/console/lookup?q={seen}"
    assert "Lost" in carol.get(done.location, headers=ENGLISH).text
    assert state(wired, floor.items, 4) is Life.VOID


def test_a_case_that_was_looked_up_is_changed_with_what_is_in_it(carol: Desk, wired: Wired, floor: Floor) -> None:
    for typed, named in ((floor.code(floor.case(0)),) * 2, (f"{floor.cases}:0", f"{floor.cases}:case:0")):
        page = html.unescape(carol.get(f"/console/lookup?q={typed}", headers=ENGLISH).text)
        path = re.search(r'href="(/console/life/activate[^"]+)"', page)
        assert path
        assert f"value={named}" in path[1].replace("%3A", ":")
        assert f"/console/batches/{floor.cases}/life/activate" not in page
    asked = send(carol, path[1], kind="unit", value=f"{floor.cases}:case:0")
    assert expected(asked) == "11"
    done = send(carol, path[1], kind="unit", value=f"{floor.cases}:case:0", expected="11")
    assert done.location.replace("%3A", ":") == f"/console/lookup?q={floor.cases}:0"
    assert state(wired, floor.items, 9) is Life.ACTIVE


def test_a_case_is_named_by_batch_and_serial_where_there_is_such_a_case(carol: Desk, floor: Floor) -> None:
    page = html.unescape(carol.get(f"/console/packing/units?unit={floor.cases}:case:0", headers=ENGLISH).text)
    assert f"value={floor.cases}:case:0" in page.replace("%3A", ":")
    for name in (f"{floor.items}:case:0", f"{floor.foreign}:item:0", f"{floor.cases}:case:1000", "1:case:0"):
        answer = send(carol, "/console/life/void", kind="unit", value=name, reason="lost")
        assert (answer.status_code, "nothing in it" in answer.text) == (422, True), name


def test_marketing_changes_nothing(app: Flask, wired: Wired, floor: Floor) -> None:
    dave = Desk(app, wired.db, hire(wired.db, "Dave", Role.MARKETING, floor.brand_id))
    assert dave.get("/console/life").status_code == 403
    assert dave.get("/console/life/void").status_code == 403
