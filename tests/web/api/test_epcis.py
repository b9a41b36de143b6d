"""``GET /epcis/v2/events``: its headers, its paging, its scope, and what it does not support."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from scancode.codes import service as codes
from scancode.codes.rules import Void, VoidReason
from tests.factories import NOW
from tests.web.api.conftest import GTIN, Machine, World


@pytest.fixture(autouse=True)
def three_voided(world: World) -> None:
    with world.wired.db.transaction() as session:
        for serial in (1, 3, 5):
            codes.change(
                session, batch_number=world.own.batch, ranges=[(serial, serial)], what=Void(VoidReason.LOST),
                actor="t", now=NOW,
            )  # fmt: skip


def ask(machine: Machine, path: str = "/epcis/v2/events", **query: Any) -> TestResponse:
    headers = {"Authorization": f"Bearer {machine.token}", "Accept-Language": "en"}
    return machine.client.get(path, query_string=query or None, headers=headers)


def test_pages_are_linked_and_the_first_is_on_the_record(world: World) -> None:
    machine = world.machine()
    answer = ask(machine, perPage=2, EQ_bizStep="decommissioning")
    assert answer.status_code == 200
    assert answer.headers["GS1-EPCIS-Version"] == "2.0.0"
    events = answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert [event["bizStep"] for event in events] == ["decommissioning"] * 2
    link = answer.headers["Link"]
    rest = ask(machine, link[1 : link.index(">")])
    more = rest.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert len(more) == 1
    assert "Link" not in rest.headers
    assert len({event["eventID"] for event in events + more}) == 3
    assert len(world.audited("epcis.export")) == 1


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"EQ_bizLocation": "urn:x:1"}, 501, "epcis_unsupported"),
        ({"MATCH_epc": "urn:epc:idpat:sgtin:1234567.012345.*"}, 501, "epcis_unsupported"),
        ({"MATCH_epc": "no uri"}, 400, "epcis_query"),
        ({"MATCH_anyEPC": ""}, 400, "epcis_query"),
        ({"colour": "red"}, 400, "epcis_query"),
        ({"GE_eventTime": "yesterday"}, 400, "epcis_query"),
        ({"GE_eventTime": "2026-11-22T00:00:00"}, 400, "epcis_query"),
        ({"perPage": "0"}, 400, "epcis_query"),
        ({"nextPageToken": "x"}, 400, "epcis_query"),
        ({"eventType": "Party"}, 400, "epcis_query"),
    ],
)
def test_what_is_not_supported_is_said(world: World, query: dict[str, str], status: int, code: str) -> None:
    answer = ask(world.machine(), **query)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"
    wanted = {400: "QueryParameterException", 501: "ImplementationException"}[status]
    assert answer.json["type"] == f"epcisException:{wanted}"
    assert answer.headers["GS1-EPCIS-Version"] == "2.0.0"


def test_things_are_asked_for_by_any_of_their_names(world: World) -> None:
    machine = world.machine()
    names = [f"https://id.gs1.org/01/{GTIN}/21/{world.own.code(serial)}" for serial in (1, 3, 7)]
    answer = ask(machine, MATCH_epc=",".join(names), perPage=1, EQ_bizStep="decommissioning")
    link = answer.headers["Link"]
    more = ask(machine, link[1 : link.index(">")])
    found = [one.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"] for one in (answer, more)]
    assert [len(events) for events in found] == [1, 1]
    nobody = ask(machine, MATCH_parentID=names[0])
    assert nobody.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"] == []
    assert ask(world.machine(["scans:read"])).json["type"] == "epcisException:SecurityException"


def test_it_needs_its_own_right_and_shows_one_brand(world: World) -> None:
    assert ask(world.machine(["batches:read"])).status_code == 403
    assert ask(Machine(world.app.test_client(), "sct_none")).status_code == 401
    other = ask(world.machine(brand=world.other), EQ_bizStep="decommissioning")
    assert other.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"] == []
    assert ask(world.operator()).status_code == 422
    assert ask(world.operator(), brand=world.own.slug).status_code == 200
