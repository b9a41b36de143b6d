"""``/epcis/v2/capture``: 202 and a job, the standard's headers and problem types, limits, rights and brands."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from scancode.epcis import captured, rules
from scancode.worker import loop
from tests.factories import NOW
from tests.web.api.conftest import GTIN, Machine, World

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def document(world: World, *serials: int, **more: Any) -> dict[str, Any]:
    event = {
        "type": "ObjectEvent", "eventID": f"urn:uuid:{uuid4()}", "eventTime": "2026-11-22T04:00:00+08:00",
        "eventTimeZoneOffset": "+08:00", "action": "ADD", "bizStep": "commissioning",
        "epcList": [f"https://id.gs1.org/01/{GTIN}/21/{world.own.code(serial)}" for serial in serials],
    }  # fmt: skip
    return rules.document([event | more], now=NOW)


def send(machine: Machine, body: Any, **headers: str) -> TestResponse:
    sent = {"Authorization": f"Bearer {machine.token}", "Accept-Language": "en", **headers}
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return machine.client.post("/epcis/v2/capture", data=text, content_type="application/ld+json", headers=sent)


def ask(machine: Machine, path: str) -> TestResponse:
    return machine.client.get(path, headers={"Authorization": f"Bearer {machine.token}", "Accept-Language": "en"})


def work(world: World) -> None:
    loop.run(world.wired, stop_event=threading.Event(), once=True, kinds=["capture"], clock=lambda: datetime.now(UTC))


def test_a_document_becomes_a_job_that_tells_what_became_of_it(world: World) -> None:
    machine = world.machine(["epcis:capture"])
    wish = document(world, 950, 951)
    taken = send(machine, wish)
    assert taken.status_code == 202
    assert (taken.headers["GS1-EPCIS-Capture-Limit"], taken.headers["GS1-EPCIS-Version"]) == ("100", "2.0.0")
    job = ask(machine, taken.headers["Location"]).json
    assert (job["running"], job["success"], job["captureErrorBehaviour"]) == (True, False, "rollback")
    assert "/epcis/v2/capture/" + job["captureID"] == taken.headers["Location"]
    again = send(machine, wish, **{"GS1-Capture-Error-Behaviour": "proceed"})
    work(world)
    first, second = (ask(machine, one.headers["Location"]).json for one in (taken, again))
    assert (first["running"], first["success"], first["applied"], first["errors"]) == (False, True, 1, [])
    assert (second["success"], second["applied"], second["repeated"]) == (True, 0, 1)
    assert [row.actor[:6] for row in world.audited("codes.activate")] == ["token:"]
    lost = send(machine, document(world, 1, epcList=["https://id.gs1.org/00/106141412345678908"]))
    work(world)
    (error,) = ask(machine, lost.headers["Location"]).json["errors"]
    assert (error["type"], error["code"], error["index"]) == ("epcisException:ValidationException", "epcis_epc", 0)
    assert error["title"].startswith("“https://id.gs1.org/00/")


def test_jobs_are_listed_in_pages_and_each_brand_has_its_own(world: World) -> None:
    machine = world.machine()
    made = [send(machine, document(world, 950 + turn)).json["captureID"] for turn in range(3)]
    page = ask(machine, "/epcis/v2/capture?perPage=2")
    link = page.headers["Link"]
    rest = ask(machine, link[1 : link.index(">")])
    assert sorted(job["captureID"] for job in page.json + rest.json) == sorted(made)
    assert "Link" not in rest.headers
    stranger = world.machine(brand=world.other)
    assert ask(stranger, "/epcis/v2/capture").json == []
    missed = ask(stranger, f"/epcis/v2/capture/{made[0]}")
    assert (missed.status_code, missed.json["type"]) == (404, "epcisException:NoSuchResourceException")
    send(stranger, document(world, 960))
    work(world)
    assert ask(stranger, "/epcis/v2/capture").json[0]["errors"][0]["code"] == "epcis_epc"  # the codes are another's


@only_sqlite
def test_what_cannot_be_taken_is_refused_with_the_standards_type(world: World) -> None:
    machine, invalid = world.machine(), "epcisException:ValidationException"
    many = {**document(world, 1), "epcisBody": {"eventList": [{}] * (captured.EVENTS_MAX + 1)}}
    for body, status, code, kind in (
        (b"{", 400, "json_form", invalid),
        ("[" * 100_000, 400, "json_form", invalid),
        ({"type": "EPCISDocument"}, 400, "epcis_document", invalid),
        (document(world, 1, action="INVENT"), 400, "epcis_document", invalid),
        (many, 413, "epcis_limit", "epcisException:CaptureLimitExceededException"),
        (b'{"a": "' + b"x" * 4_000_001 + b'"}', 413, "too_large", "epcisException:CaptureLimitExceededException"),
    ):
        answer = send(machine, body)
        assert (answer.status_code, answer.json["code"], answer.json["type"]) == (status, code, kind)
    bad = send(machine, document(world, 1), **{"GS1-Capture-Error-Behaviour": "hope"})
    assert (bad.status_code, bad.json["code"]) == (400, "epcis_query")
    assert send(world.machine(["epcis:read"]), document(world, 1)).json["code"] == "scope_missing"
    assert send(world.operator(), document(world, 1)).json["code"] == "brand_needed"
    assert ask(machine, "/epcis/v2/capture/x").status_code == 404
    proceeding = send(machine, document(world, 1, action="INVENT"), **{"GS1-Capture-Error-Behaviour": "proceed"})
    work(world)
    (error,) = ask(machine, proceeding.headers["Location"]).json["errors"]
    assert (error["code"], "INVENT" in error["title"]) == ("epcis_document", True)
