"""What happened to codes as EPCIS 2.0: each event, its words, the standard's schema, paging without loss, a file."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from sqlalchemy.orm import Session

from batches.codes import Kind
from batches.sscc import sscc_of
from scancode.catalog.models import Brand
from scancode.channels import service as channels
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.codes.rules import Activate, Recall, Restore, Void, VoidReason
from scancode.epcis import epcs, rules
from scancode.epcis import service as epcis
from scancode.epcis.rules import Event, Question
from scancode.packing import service as packing
from scancode.packing.rules import Level, Unit
from scancode.wiring import Wired
from tests import factories
from tests.conftest import NOW
from tests.packing.floor import Floor, make_floor

SCHEMA = json.loads((Path(rules.__file__).parent / "EPCISDocument.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def floor(session: Session, wired: Wired) -> Floor:
    """A day: 0-1199 activated, 12 packed into case 1, shipped and received but for one, one voided, one recalled."""
    floor = make_floor(session, wired, count=2000)
    by: dict[str, Any] = {"actor": "staff:carol"}

    def at(minutes: int) -> dict[str, Any]:
        return {**by, "now": NOW + timedelta(minutes=minutes)}

    codes.change(session, batch_number=floor.items, ranges=[(0, 1199)], what=Activate(), **at(0))
    packing.open_container(session, parent=floor.case(1), capacity=12, brand_id=floor.brand_id, **at(1))
    items = [floor.item(serial) for serial in range(12)]
    packing.pack(session, parent=floor.case(1), children=items, brand_id=floor.brand_id, **at(2))
    channel = factories.make_channel(session, brand_id=floor.brand_id)
    store = factories.make_store(session, channel_id=channel.id)
    shipment = channels.ship(
        session, brand_id=floor.brand_id, number="CK-1", channel_id=channel.id, store_id=store.id,
        selection={floor.items: [(0, 11)], floor.cases: [(1, 1)]}, **at(3),
    )  # fmt: skip
    channels.receive(session, shipment_id=shipment.id, missing={floor.items: [(5, 5)]}, **at(4))
    packing.unpack(session, children=[floor.item(11)], brand_id=floor.brand_id, **at(5))
    codes.change(session, batch_number=floor.items, ranges=[(7, 7)], what=Void(VoidReason.DAMAGED), **at(6))
    codes.change(session, batch_number=floor.items, ranges=[(8, 8)], what=Recall("停", "stop"), **at(7))
    codes.change(session, batch_number=floor.items, ranges=[(7, 7)], what=Restore("found"), **at(8))
    return floor


def read(session: Session, wired: Wired, floor: Floor, *, limit: int = 100, **question: Any) -> list[Event]:
    found: list[Event] = []
    place = None
    for _ in range(100):
        page = epcis.page(
            session, brand_id=floor.brand_id, keyring=wired.keyring, question=Question(**question), after=place,
            limit=limit,
        )  # fmt: skip
        found += page.events
        place = page.next
        if place is None:
            return found
    raise AssertionError("the pages never end")


def test_a_day_is_told_in_the_standards_words_and_its_schema_takes_it(
    session: Session, wired: Wired, floor: Floor
) -> None:
    events = read(session, wired, floor)
    told = [(event["type"], event["action"], event["bizStep"], event["disposition"]) for event in events]
    assert told == [
        *[("ObjectEvent", "ADD", "commissioning", "active")] * 3,  # 1200 codes, at most 500 an event
        ("AggregationEvent", "ADD", "packing", "in_progress"),
        *[("ObjectEvent", "OBSERVE", "shipping", "in_transit")] * 2,
        *[("ObjectEvent", "OBSERVE", "receiving", "in_progress")] * 2,
        ("AggregationEvent", "DELETE", "unpacking", "in_progress"),
        ("ObjectEvent", "DELETE", "decommissioning", "inactive"),
        ("ObjectEvent", "OBSERVE", "holding", "recalled"),
        ("ObjectEvent", "OBSERVE", "inspecting", "active"),
    ]
    document = rules.document(events, now=NOW)
    standard = jsonschema_rs.Draft7Validator(SCHEMA, validate_formats=True)
    standard.validate(document)
    standard.validate(rules.query_document(events, now=NOW))
    spoiled = rules.document([{**events[0], "action": "INVENT"}], now=NOW)
    assert not standard.is_valid(spoiled)
    assert not standard.is_valid(rules.document([{**events[0], "eventTime": "noon"}], now=NOW))


def test_things_are_named_by_what_a_partner_can_scan(session: Session, wired: Wired, floor: Floor) -> None:
    (packed,) = read(session, wired, floor, steps=frozenset({"packing"}))
    gtin = packed["parentID"].split("/")[4]
    assert packed["parentID"] == f"https://id.gs1.org/01/{gtin}/21/{floor.code(floor.case(1))}"
    outer = [f"https://id.gs1.org/01/{gtin}/21/{floor.code(floor.item(serial), Kind.OUTER)}" for serial in range(12)]
    assert packed["childEPCs"] == outer
    received = read(session, wired, floor, steps=frozenset({"receiving"}))
    assert sum(len(event["epcList"]) for event in received) == 12
    assert outer[5] not in {epc for event in received for epc in event["epcList"]}
    assert packed["eventTimeZoneOffset"] == "+08:00"


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_small_pages_tell_the_same_once_and_in_order(session: Session, wired: Wired, floor: Floor, limit: int) -> None:
    whole = read(session, wired, floor)
    assert read(session, wired, floor, limit=limit) == whole
    assert max(Counter(event["eventID"] for event in whole).values()) == 1
    assert [event["eventTime"] for event in whole] == sorted(event["eventTime"] for event in whole)


def test_many_rows_of_many_tables_are_read_in_portions_without_loss(
    session: Session, wired: Wired, floor: Floor
) -> None:
    for serial in range(1200, 1450):
        codes.change(
            session, batch_number=floor.items, ranges=[(serial, serial)], what=Activate(), actor="t",
            now=NOW + timedelta(hours=1, seconds=serial // 7),
        )  # fmt: skip
    events = read(session, wired, floor, limit=30, since=NOW + timedelta(hours=1))
    assert len(events) == 250
    assert len({event["epcList"][0] for event in events}) == 250


def test_a_question_narrows_it(session: Session, wired: Wired, floor: Floor) -> None:
    assert len(read(session, wired, floor, types=frozenset({"AggregationEvent"}))) == 2
    assert len(read(session, wired, floor, since=NOW + timedelta(minutes=6))) == 3
    assert len(read(session, wired, floor, until=NOW + timedelta(minutes=1))) == 3
    assert len(read(session, wired, floor, actions=frozenset({"DELETE"}), dispositions=frozenset({"inactive"}))) == 1


def test_a_case_with_an_sscc_goes_by_it_everywhere(session: Session, wired: Wired) -> None:
    floor = make_floor(session, wired)
    case = session.get_one(Batch, floor.cases)
    case.sscc_prefix, case.sscc_first = "6901234", 70
    session.flush()
    by: dict[str, Any] = {"actor": "staff:carol", "now": NOW}
    codes.change(session, batch_number=floor.cases, ranges=[(2, 3)], what=Activate(), **by)
    packing.open_container(session, parent=floor.case(2), capacity=None, brand_id=floor.brand_id, **by)
    packing.pack(session, parent=floor.case(2), children=[floor.item(0)], brand_id=floor.brand_id, **by)
    names = [f"https://id.gs1.org/00/{sscc_of('6901234', 70 + serial)}" for serial in (2, 3)]
    made, packed = read(session, wired, floor)
    assert (made["epcList"], packed["parentID"]) == (names, names[0])
    things = epcis.Things(session, wired.keyring, session.get_one(Brand, floor.brand_id))
    assert [things.find(name) for name in names] == [floor.case(2), floor.case(3)]
    assert things.find(f"https://id.gs1.org/00/{sscc_of('6901234', 69)}") is None
    assert things.find(f"https://id.gs1.org/00/{sscc_of('6901234', 70 + 5000)}") is None


def test_a_thing_is_found_by_every_name_it_has(session: Session, wired: Wired, floor: Floor) -> None:
    things = epcis.Things(session, wired.keyring, session.get_one(Brand, floor.brand_id))
    gtin = things.batch(floor.items).gtin
    urn = f"urn:epc:id:sgtin:{gtin[1:8]}.{gtin[0]}{gtin[8:13]}"
    for kind in (Kind.OUTER, Kind.INNER):
        code = floor.code(floor.item(7), kind)
        for name in (epcs.sgtin(gtin, code), f"HTTPS://Q.EXAMPLE/x/01/{gtin}/21/{code.lower()}", f"{urn}.{code}"):
            assert things.find(name) == floor.item(7), name
    forged = code[:-1] + ("0" if code[-1] != "0" else "1")
    other = "0" * 13 + "0"
    foreign = floor.code(Unit(floor.foreign, Level.ITEM, 7))
    for name in (
        epcs.sgtin(gtin, forged), epcs.sgtin(other, code), epcs.sgtin(gtin, foreign), "urn:epc:id:sgln:1.2.3",
    ):  # fmt: skip
        assert things.find(name) is None, name
    with pytest.raises(epcs.BadEpc):
        things.find("no uri")


def test_a_question_about_things_finds_what_names_them(session: Session, wired: Wired, floor: Floor) -> None:
    def steps(**question: frozenset[Unit]) -> list[str]:
        return [event["bizStep"] for event in read(session, wired, floor, **question)]

    one, case = frozenset({floor.item(11)}), frozenset({floor.case(1)})
    assert steps(epcs=one) == ["commissioning", "packing", "shipping", "receiving", "unpacking"]
    assert steps(epcs=case) == ["shipping", "receiving"]
    assert steps(parents=case) == ["packing", "unpacking"]
    assert steps(anywhere=case) == ["packing", "shipping", "receiving", "unpacking"]
    assert steps(anywhere=case, epcs=one) == ["packing", "unpacking"]
    assert steps(epcs=frozenset({floor.item(5)})) == ["commissioning", "packing", "shipping"]  # it never arrived
    assert steps(epcs=frozenset()) == steps(parents=one) == []
    (found,) = read(session, wired, floor, epcs=frozenset({floor.item(1100)}))
    whole = read(session, wired, floor)
    assert found["eventID"] == whole[2]["eventID"]  # the third of a long range, by the same id
    assert read(session, wired, floor, epcs=one, limit=1) == read(session, wired, floor, epcs=one)


def test_test_batches_and_other_brands_are_left_out(session: Session, wired: Wired, floor: Floor) -> None:
    other = make_floor(session, wired)
    assert read(session, wired, other) == []
    test = factories.make_batch(session, brand_id=floor.brand_id, product_id=floor.product_id, is_test=True)
    before = len(read(session, wired, floor))
    codes.change(session, batch_number=test.number, ranges=[(0, 9)], what=Activate(), actor="t", now=NOW)
    assert len(read(session, wired, floor)) == before


def test_portions_hold_every_serial_once() -> None:
    portions = list(rules.chunks([(0, 3), (10, 10), (20, 29)], 4))
    assert [sum(last - first + 1 for first, last in part) for part in portions] == [4, 4, 4, 3]
    assert [serial for part in portions for first, last in part for serial in range(first, last + 1)] == [
        *range(4), 10, *range(20, 30),
    ]  # fmt: skip
