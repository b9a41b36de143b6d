"""EPCIS documents at the console: which came, what was wrong event by event, and not another brand's."""

from __future__ import annotations

import threading
from uuid import UUID

from flask import Flask

from scancode.catalog import revision
from scancode.epcis import rules
from scancode.epcis import service as epcis
from scancode.epcis.captured import Behaviour
from scancode.staff.rules import Role
from scancode.wiring import Wired
from scancode.worker import loop
from tests import factories
from tests.packing.floor import BY, make_floor
from tests.web.console.desk import Desk, hire

ENGLISH = {"Accept-Language": "en"}


def test_a_document_tells_what_became_of_it(app: Flask, wired: Wired) -> None:
    event = {
        "type": "ObjectEvent", "eventID": "urn:uuid:0b7f0e4e-3b8a-4c3b-9c55-6d2f6f3f0001", "action": "ADD",
        "eventTime": "2026-11-22T04:00:00+08:00", "eventTimeZoneOffset": "+08:00", "bizStep": "commissioning",
        "epcList": ["https://id.gs1.org/00/106141412345678908"],
    }  # fmt: skip
    with wired.db.transaction() as session:
        floor, other = make_floor(session, wired), factories.make_brand(session)
        made: UUID = epcis.ask_capture(
            session, brand_id=floor.brand_id, document=rules.document([event], now=factories.NOW),
            behaviour=Behaviour.ROLLBACK, staff_id=None, **BY,
        ).id  # fmt: skip
        revision.bump(session)
    carol = Desk(app, wired.db, hire(wired.db, "Carol", Role.FACTORY, floor.brand_id))
    mallory = Desk(app, wired.db, hire(wired.db, "Mallory", Role.FACTORY, other.id))
    page = f"/console/epcis/{made}"
    assert "Waiting for a worker." in carol.get(page, headers=ENGLISH | {"HX-Request": "true"}).text
    loop.run(wired, stop_event=threading.Event(), once=True, kinds=["capture"], clock=lambda: factories.NOW)
    assert carol.get(page, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    told = carol.get(page, headers=ENGLISH).text
    assert "Nothing of the document was carried out." in told
    assert "names nothing of this brand." in told
    assert event["eventID"] in told
    assert page in carol.get("/console/epcis").text
    assert mallory.get(page).status_code == 404
    assert "还没有文档" in mallory.get("/console/epcis").text
