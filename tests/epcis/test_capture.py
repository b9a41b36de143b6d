"""Events that a line's system sends become our verbs: once, in the order of time, whole or as far as can be."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from scancode.catalog.models import Product
from scancode.channels import service as channels
from scancode.channels.models import Channel, Shipment, Store
from scancode.codes import service as codes
from scancode.codes.models import LifeEvent
from scancode.epcis import captured, epcs, rules
from scancode.epcis import service as epcis
from scancode.epcis.captured import Behaviour
from scancode.epcis.models import EpcisCapture
from scancode.packing import service as packing
from scancode.packing.rules import Level, Unit
from scancode.wiring import Wired
from scancode.worker import loop
from tests import factories
from tests.conftest import NOW
from tests.packing.floor import Floor, make_floor

LATER = NOW + timedelta(seconds=1)


class Line:
    """A line's system, and the worker that carries out what it sends."""

    def __init__(self, wired: Wired) -> None:
        self.wired = wired
        self.sent = 0
        with wired.db.transaction() as session:
            self.floor: Floor = make_floor(session, wired)
            channel: Channel = factories.make_channel(session, brand_id=self.floor.brand_id)
            store: Store = factories.make_store(session, channel_id=channel.id)
            self.channel_id, self.store_id = channel.id, store.id
            self.gtin = session.get_one(Product, self.floor.product_id).gtin

    def epc(self, unit: Unit) -> str:
        return epcs.sgtin(self.gtin, self.floor.code(unit))

    def items(self, first: int, last: int) -> list[str]:
        return [self.epc(self.floor.item(serial)) for serial in range(first, last + 1)]

    def event(
        self, action: str, step: str, names: Sequence[str] = (), *, minute: int = 0, **more: Any
    ) -> dict[str, Any]:
        kind = "AggregationEvent" if "parentID" in more else "ObjectEvent"
        return {
            "type": kind,
            "eventID": f"urn:uuid:{uuid4()}",
            "eventTime": rules.stamp(NOW + timedelta(minutes=minute)),
            "eventTimeZoneOffset": "+08:00",
            "action": action,
            "bizStep": step,
            "childEPCs" if kind == "AggregationEvent" else "epcList": list(names),
            **more,
        }

    def shipping(self, names: Sequence[str], number: str = "DN-1", **more: Any) -> dict[str, Any]:
        wish = {
            "bizTransactionList": [{"type": "desadv", "bizTransaction": f"urn:epcglobal:cbv:bt:520001000008:{number}"}],
            "destinationList": [{"type": "location", "destination": f"urn:uuid:{self.store_id}"}],
        }
        return self.event("OBSERVE", "shipping", names, **(wish | more))

    def send(self, *events: dict[str, Any], behaviour: Behaviour = Behaviour.ROLLBACK) -> UUID:
        document = rules.document(events, now=NOW)
        self.sent += 1
        with self.wired.db.transaction() as session:
            return epcis.ask_capture(
                session, brand_id=self.floor.brand_id, document=document, behaviour=behaviour, actor="token:x",
                staff_id=None, now=NOW + timedelta(microseconds=self.sent),
            ).id  # fmt: skip

    def work(self) -> None:
        loop.run(self.wired, stop_event=threading.Event(), once=True, kinds=["capture"], clock=lambda: LATER)

    def job(self, capture_id: UUID) -> EpcisCapture:
        with self.wired.db.reading() as session:
            return epcis.get_capture(session, capture_id=capture_id, brand_id=self.floor.brand_id)

    def done(self, *events: dict[str, Any], **how: Any) -> tuple[bool | None, int, int, list[str]]:
        """Whether it is a success, how many were applied and repeated, and the codes of the errors."""
        made = self.send(*events, **how)
        self.work()
        job = self.job(made)
        assert (job.finished_at, job.document) == (LATER, "")
        return job.is_success, job.applied, job.repeated, [error["code"] for error in json.loads(job.errors)]

    def state(self, serial: int) -> str:
        with self.wired.db.reading() as session:
            return codes.life_of(session, batch_number=self.floor.items, serial=serial).state.value


@pytest.fixture
def line(wired: Wired) -> Line:
    return Line(wired)


def test_a_day_of_a_line_becomes_ours_whatever_the_order_of_the_list(line: Line) -> None:
    floor = line.floor
    case = line.epc(floor.case(1))
    one = line.shipping([case], minute=4)
    day = [
        line.event("DELETE", "decommissioning", line.items(3, 3), minute=2, disposition="damaged"),
        line.event("ADD", "packing", line.items(0, 2), minute=3, parentID=case),
        line.event("ADD", "https://ref.gs1.org/cbv/BizStep-commissioning", line.items(0, 4), minute=1),
        one,
        line.event(
            "OBSERVE", "receiving", [case], minute=5, bizTransactionList=one["bizTransactionList"],
        ),
    ]  # fmt: skip
    assert line.done(*day) == (True, 5, 0, [])
    assert [line.state(serial) for serial in range(6)] == ["active"] * 3 + ["void", "active", "inactive"]
    with line.wired.db.reading() as session:
        assert packing.parent_of(session, unit=floor.item(2)) == floor.case(1)
        shipment = channels.find_shipment(session, brand_id=floor.brand_id, number="DN-1")
        assert shipment is not None
        assert (shipment.store_id, shipment.received_at is not None) == (line.store_id, True)
        held = channels.held_ranges(session, channel_id=line.channel_id, store_id=line.store_id, limit=9)
        assert sorted((row.batch_number, row.first, row.last) for row in held) == sorted(
            [(floor.items, 0, 2), (floor.cases, 1, 1)]
        )
        note = session.scalar(select(LifeEvent.note).where(LifeEvent.first == 0))
        assert note == f"EPCIS {day[2]['eventTime']} {day[2]['eventID']}"
        steps = [
            event["bizStep"]
            for event in epcis.page(
                session, brand_id=floor.brand_id, keyring=line.wired.keyring, question=rules.Question(), limit=99
            ).events
        ]
    assert steps == ["commissioning", "decommissioning", "packing", "shipping", "shipping", "receiving", "receiving"]


def test_an_event_is_carried_out_once_by_its_id(line: Line) -> None:
    first = line.event("ADD", "commissioning", line.items(0, 1))
    assert line.done(first) == (True, 1, 0, [])
    more = line.event("ADD", "commissioning", line.items(2, 2))
    assert line.done(first, more, dict(reversed(first.items()))) == (True, 1, 2, [])
    assert line.done({**first, "epcList": line.items(5, 5)}) == (False, 0, 0, ["epcis_event_id"])
    nameless = {name: value for name, value in line.event("ADD", "commissioning", line.items(7, 7)).items()
                if name != "eventID"}  # fmt: skip
    assert line.done(nameless) == (True, 1, 0, [])
    assert line.done(nameless) == (True, 0, 1, [])
    with line.wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(LifeEvent)) == 3


def test_a_wrong_event_takes_the_others_with_it_unless_they_shall_proceed(line: Line) -> None:
    good = line.event("ADD", "commissioning", line.items(0, 0))
    forged = line.event("ADD", "commissioning", [line.items(1, 1)[0][:-1] + "U"])
    other = epcs.sgtin(line.gtin, line.floor.code(Unit(line.floor.foreign, Level.ITEM, 5)))
    foreign = line.event("ADD", "commissioning", [other])
    strange = line.event("OBSERVE", "inspecting", line.items(2, 2))
    mixed = [*line.items(0, 0), line.epc(line.floor.pallet(0))]
    full = line.event("ADD", "packing", mixed, parentID=line.epc(line.floor.case(0)))
    nowhere = line.shipping(line.items(0, 0), destinationList=[])
    day = [good, forged, foreign, strange, full, nowhere]
    wrong = ["epcis_epc", "epcis_epc", "epcis_event", "wrong_kind", "epcis_place"]
    assert line.done(*day) == (False, 0, 0, wrong)
    assert line.state(0) == "inactive"
    assert line.done(*day, behaviour=Behaviour.PROCEED) == (False, 1, 0, wrong)
    assert line.state(0) == "active"
    with line.wired.db.reading() as session:
        assert packing.parent_of(session, unit=line.floor.item(0)) is None
        assert session.scalar(select(func.count()).select_from(Shipment)) == 0


def test_one_delivery_may_be_told_as_many_events(line: Line) -> None:
    assert line.done(line.shipping(line.items(0, 1)), line.shipping(line.items(5, 5))) == (True, 2, 0, [])
    assert line.done(line.shipping(line.items(8, 8))) == (False, 0, 0, ["shipment_number_taken"])
    assert line.done(line.shipping(line.items(0, 0), "DN-2")) == (False, 0, 0, ["already_shipped"])
    from_here = [{"type": "location", "source": f"urn:uuid:{line.store_id}"}]
    to = [{"type": "location", "destination": f"urn:uuid:{line.channel_id}"}]
    moved = line.shipping(line.items(0, 0), "DN-3", sourceList=from_here, destinationList=to)
    back = line.shipping(line.items(0, 0), "DN-4", disposition="returned", destinationList=[], minute=1)
    assert line.done(moved, back) == (True, 2, 0, [])
    came = line.event("OBSERVE", "receiving", line.items(0, 0), bizTransactionList=moved["bizTransactionList"])
    assert line.done(came) == (True, 1, 0, [])
    of_one = line.shipping([])["bizTransactionList"]
    strange = line.event("OBSERVE", "receiving", line.items(1, 2), bizTransactionList=of_one)
    assert line.done(strange) == (False, 0, 0, ["not_shipped"])


def test_dead_things_do_not_live_again_and_others_are_not_unpacked(line: Line) -> None:
    case = line.epc(line.floor.case(0))
    assert line.done(
        line.event("ADD", "commissioning", line.items(0, 5)),
        line.event("DELETE", "decommissioning", line.items(0, 0), minute=1),
        line.event("ADD", "packing", line.items(1, 2), minute=1, parentID=case),
    ) == (True, 3, 0, [])
    assert line.done(line.event("ADD", "commissioning", line.items(0, 9))) == (False, 0, 0, ["epcis_dead"])
    assert line.state(9) == "inactive"
    other = line.epc(line.floor.case(7))
    assert line.done(line.event("DELETE", "unpacking", line.items(1, 1), parentID=other))[3] == ["epcis_parent"]
    assert line.done(line.event("DELETE", "unpacking", line.items(1, 1), parentID=case)) == (True, 1, 0, [])
    assert line.done(line.event("DELETE", "unpacking", [], parentID=case)) == (True, 1, 0, [])


def test_documents_are_carried_out_in_the_order_in_which_they_came(line: Line) -> None:
    """Even where the second one's job is taken first, or the first one's was lost."""
    made = [
        line.send(line.event("ADD", "commissioning", line.items(0, 0))),
        line.send(line.event("DELETE", "decommissioning", line.items(0, 0))),
    ]
    with line.wired.db.transaction() as session:
        assert epcis.due_captures(session, capture_id=made[1]) == made
        session.execute(text("DELETE FROM jobs WHERE key = :key"), {"key": f"capture:{made[0]}"})
    line.work()
    assert [line.job(one).is_success for one in made] == [True, True]
    with line.wired.db.transaction() as session:
        assert not epcis.carry_out(session, capture_id=made[1], keyring=line.wired.keyring, now=NOW)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda document: document.pop("@context"), "@context"),
        (lambda document: document.update(schemaVersion=2), "schemaVersion"),
        (lambda document: document["epcisBody"].update(eventList=[]), "no event"),
        (lambda document: document["epcisBody"].update(eventList={}), "eventList"),
        (lambda document: document["epcisBody"]["eventList"][0].pop("eventTime"), "eventTime"),
        (lambda document: document["epcisBody"]["eventList"][0].update(eventTime="noon"), "noon"),
        (lambda document: document["epcisBody"]["eventList"][0].update(action="INVENT"), "INVENT"),
    ],
)
def test_what_is_not_the_standards_is_refused_at_once(spoil: Any, problem: str) -> None:
    event = {"type": "ObjectEvent", "action": "ADD", "bizStep": "commissioning", "eventTime": "2026-11-22T04:00:00Z",
             "eventTimeZoneOffset": "+08:00", "epcList": ["https://id.gs1.org/00/006141411234567890"]}  # fmt: skip
    document = rules.document([event], now=NOW)
    for each in captured.check_envelope(document):
        captured.check_event(each)
    spoil(document)
    with pytest.raises(captured.BadDocument) as refused:
        for each in captured.check_envelope(document):
            captured.check_event(each)
    assert problem in str(refused.value.facts)


def test_a_document_has_its_limits() -> None:
    with pytest.raises(captured.DocumentTooLarge):
        captured.check_envelope(rules.document([{}] * (captured.EVENTS_MAX + 1), now=NOW))
    with pytest.raises(captured.DocumentTooLarge):
        captured.check_envelope(rules.document([{"epcList": ["x"] * (captured.EPCS_MAX + 1)}], now=NOW))
