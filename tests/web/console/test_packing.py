"""Packing at the console: the line's file by upload, packing scan by scan, what is in a case; and for whom."""

from __future__ import annotations

import io
import re
import threading
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from batches.codes import Kind
from scancode.catalog import revision
from scancode.packing.rules import Level, Unit
from scancode.staff.rules import Role
from scancode.wiring import Wired
from scancode.worker import loop
from tests.packing.floor import Floor, make_floor
from tests.web.console.desk import Desk, hire

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def floor(wired: Wired) -> Floor:
    with wired.db.transaction() as session:
        floor = make_floor(session, wired)
        revision.bump(session)
    return floor


@pytest.fixture
def carol(app: Flask, wired: Wired, floor: Floor) -> Desk:
    return Desk(app, wired.db, hire(wired.db, "Carol", Role.FACTORY, floor.brand_id))


def upload(desk: Desk, text: str, **over: str) -> TestResponse:
    data: dict[str, Any] = {"csrf_token": desk.token("/console/packing"), "may_be_short": "y", **over}
    data["file"] = (io.BytesIO(text.encode()), "line.csv")
    return desk.client.post("/console/packing", data=data, headers=ENGLISH)


def work(wired: Wired) -> None:
    loop.run(wired, stop_event=threading.Event(), once=True, kinds=["upload"])


def pairs(floor: Floor, count: int) -> str:
    return "item,case\n" + "".join(
        f"{floor.code(floor.item(serial))},{floor.code(floor.case(serial // 10))}\n" for serial in range(count)
    )


def test_a_file_is_sent_worked_off_shown_and_undone(carol: Desk, wired: Wired, floor: Floor) -> None:
    answer = upload(carol, pairs(floor, 30), case_size="10")
    assert answer.status_code == 302
    page = carol.get(answer.location, headers=ENGLISH).text
    assert "Waiting for a worker." in page
    assert re.findall(r'href="([^"]+)" aria-current="page"', page) == ["/console/packing"]
    work(wired)
    assert carol.get(answer.location, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    page = carol.get(answer.location, headers=ENGLISH).text
    assert "Undo this file" in page
    inside = carol.get(f"/console/packing/units?q={floor.code(floor.case(2))}", headers=ENGLISH).text
    assert "20–29" in inside
    carol.post(f"{answer.location}/undo")
    assert "Being undone" in carol.get(answer.location, headers=ENGLISH).text
    work(wired)
    assert "20–29" not in carol.get(f"/console/packing/units?q={floor.code(floor.case(2))}").text.split("card-title")[0]
    assert "/undo" not in carol.get(answer.location).text


def test_a_refused_file_shows_its_lines_and_gives_them_as_a_file(carol: Desk, wired: Wired, floor: Floor) -> None:
    answer = upload(carol, pairs(floor, 3) + f"nonsense,{floor.code(floor.case(0))}\n")
    work(wired)
    page = carol.get(answer.location, headers=ENGLISH).text
    assert "no complete code" in page
    with carol.get(f"{answer.location}/report.csv") as errors:
        assert errors.status_code == 200
        assert "5,item,malformed,nonsense" in errors.text


@pytest.mark.parametrize("over", [{"case_size": "0"}, {"batch": "no such"}])
def test_a_form_that_makes_no_sense_is_shown_again(carol: Desk, floor: Floor, over: dict[str, str]) -> None:
    assert upload(carol, pairs(floor, 1), **over).status_code == 422


def test_a_form_without_a_file_is_shown_again(carol: Desk) -> None:
    answer = carol.client.post(
        "/console/packing", data={"csrf_token": carol.token("/console/packing")}, headers=ENGLISH
    )
    assert answer.status_code == 422
    assert "Choose a file first." in answer.text


def test_an_upload_may_be_larger_than_any_form_up_to_its_own_limit(
    app: Flask, carol: Desk, wired: Wired, floor: Floor
) -> None:
    large = pairs(floor, 400)
    app.config["MAX_CONTENT_LENGTH"] = 5_000
    assert upload(carol, large).status_code == 302
    app.config["UPLOAD_BYTES_MAX"] = 10_000
    assert upload(carol, large).status_code == 413


def scan(desk: Desk, verb: str, **fields: str) -> dict[str, Any]:
    data = {"csrf_token": desk.token("/console/packing"), **fields}
    answer = desk.client.post(f"/console/packing/hand/{verb}", data=data, headers=ENGLISH)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_scan_by_scan_until_the_case_is_full(carol: Desk, floor: Floor) -> None:
    case = floor.code(floor.case(7))
    opened = scan(carol, "open", parent=f"https://q.example/{case}", capacity="2")
    assert (opened["ok"], opened["count"], opened["capacity"]) == (True, 0, 2)
    first = floor.code(floor.item(1), Kind.OUTER)
    assert scan(carol, "add", parent=case, code=first)["count"] == 1
    assert scan(carol, "add", parent=case, code=floor.code(floor.item(1), Kind.INNER))["code"] == "already_inside"
    assert scan(carol, "close", parent=case)["code"] == "wrong_count"
    assert scan(carol, "add", parent=case, code=floor.code(floor.item(2)))["count"] == 2
    assert scan(carol, "add", parent=case, code=floor.code(floor.item(3)))["code"] == "container_full"
    assert scan(carol, "undo", parent=case, code=floor.code(floor.item(2)))["count"] == 1
    assert scan(carol, "close", parent=case, differs="1")["closed"] is True
    assert scan(carol, "add", parent=case, code=floor.code(floor.item(4)))["code"] == "container_closed"


def test_what_does_not_belong_is_refused_as_it_happens(carol: Desk, floor: Floor) -> None:
    case = floor.code(floor.case(0))
    scan(carol, "open", parent=case)
    foreign = floor.code(Unit(floor.foreign, Level.ITEM, 0))
    assert scan(carol, "add", parent=case, code=foreign)["code"] == "code_not_ours"
    assert scan(carol, "add", parent=case, code="rubbish")["code"] == "code_unreadable"
    assert scan(carol, "add", parent=case, code=floor.code(floor.case(1)))["code"] == "wrong_kind"
    assert scan(carol, "open", parent=floor.code(floor.item(1)))["code"] == "not_a_container"
    assert scan(carol, "open", parent=case, capacity="many")["code"] == "bad_capacity"


def test_only_pages_with_a_camera_may_run_webassembly(carol: Desk) -> None:
    assert "'wasm-unsafe-eval'" in carol.get("/console/packing/hand").headers["Content-Security-Policy"]
    assert "wasm" not in carol.get("/console/batches").headers["Content-Security-Policy"]


def test_marketing_packs_nothing_and_another_brand_sees_nothing(
    app: Flask, carol: Desk, wired: Wired, floor: Floor
) -> None:
    location = upload(carol, pairs(floor, 2)).location
    dave = Desk(app, wired.db, hire(wired.db, "Dave", Role.MARKETING, floor.brand_id))
    assert dave.get("/console/packing").status_code == 403
    with wired.db.transaction() as session:
        other = make_floor(session, wired)
    frank = Desk(app, wired.db, hire(wired.db, "Frank", Role.FACTORY, other.brand_id))
    assert frank.get(location).status_code == 404
    assert frank.get(f"/console/packing/units?unit={floor.cases}:case:0").status_code == 404
    assert frank.get("/console/packing/units?unit=x").status_code == 404
