"""From scans outside a territory to a case that somebody closes, in the database and in the console."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.catalog import service as catalog
from scancode.channels import service as channels
from scancode.channels.rules import UNKNOWN
from scancode.codes.rules import Life
from scancode.db import new_id
from scancode.diversion import service as diversion
from scancode.diversion.rules import CaseMoved, CaseState, DiversionTerms, NoteMissing
from scancode.scans import service as scans
from scancode.scans.models import Suspicion
from scancode.scans.rules import Standing
from scancode.scans.writer import Sighting, write
from scancode.staff.models import AuditRow
from scancode.staff.rules import Role
from scancode.wiring import Wired
from scancode.worker.diversion import KEY
from scancode.worker.loop import run
from tests import factories
from tests.conftest import NOW
from tests.web.console.desk import Desk
from tests.web.console.office import Office, open_office, words

pytestmark = pytest.mark.usefixtures("noon")
ZHEJIANG, HANGZHOU, SHENZHEN = 330000, 330100, 440300
TERMS = DiversionTerms()


@pytest.fixture
def office(app: Flask, wired: Wired) -> Office:
    """Serials 0 to 99 went to a channel in Zhejiang."""
    office = open_office(app, wired)
    with wired.db.transaction() as session:
        factories.make_life(session, batch_number=office.batch, first=0, last=99)
        channel = factories.make_channel(session, brand_id=office.brand_id, name="华东")
        channels.ship(
            session, brand_id=office.brand_id, number="S-1", channel_id=channel.id, store_id=None,
            batch_number=office.batch, ranges=[(0, 99)], actor="t", now=NOW - timedelta(days=2),
        )  # fmt: skip
        diversion.set_territory(session, channel_id=channel.id, places=[ZHEJIANG], actor="t", now=NOW)
    return office


def scan(session: Session, office: Office, serial: int, region: int, *, hours_ago: int = 1) -> None:
    at = NOW - timedelta(hours=hours_ago)
    span = channels.load_shipped(session, batch_number=office.batch).find(serial)
    channel_id: UUID | None = span.value.channel_id if span else None
    sighting = Sighting(
        code_id=office.batch << 27 | 1 << 25 | serial,
        scan_id=new_id(at),
        scanned_at=at,
        day=at.astimezone(UTC).strftime("%Y-%m-%d"),
        visitor_id=uuid4(),
        brand_id=office.brand_id,
        product_id=office.product_id,
        batch_number=office.batch,
        life=Life.ACTIVE,
        attribution=replace(UNKNOWN, item_channel_id=channel_id, region=region),
        client="wechat",
        address_digest=None,
        is_test=False,
    )
    write(session, [sighting])


def look(session: Session, office: Office, now: datetime = NOW) -> int:
    brand = catalog.load_brand(session, brand_id=office.brand_id)
    assert brand is not None
    return diversion.look(session, brand=brand, terms=TERMS, now=now)


def cases(session: Session, *states: CaseState) -> list[diversion.CaseFacts]:
    return diversion.list_cases(session, brand_id=None, states=states or tuple(CaseState), limit=9)


def test_a_case_is_opened_once_renewed_and_opened_anew_only_by_news(office: Office, wired: Wired) -> None:
    with wired.db.transaction() as session:
        for serial in range(2):
            scan(session, office, serial, SHENZHEN)
        scan(session, office, 90, HANGZHOU)
        scan(session, office, 500, SHENZHEN)  # shipped nowhere
        scan(session, office, 5, SHENZHEN, hours_ago=80)  # before it left
        assert look(session, office) == 0
        scan(session, office, 2, SHENZHEN)
        assert look(session, office) == 1
        (found,) = cases(session, CaseState.OPEN)
        assert (found.shipment_number, found.case.items, found.case.scanned) == ("S-1", 3, 5)
        scan(session, office, 3, SHENZHEN)
        assert look(session, office) == 0
        (found,) = cases(session)
        assert found.case.items == 4
        assert diversion.regions_of_case(session, case_id=found.case.id) == [(SHENZHEN, 4)]
        work = {"case_id": found.case.id, "actor": "staff:x"}
        with pytest.raises(NoteMissing):
            diversion.work_on(session, verb="confirm", text=" ", now=NOW, **work)
        diversion.work_on(session, verb="explain", text="a fair", now=NOW, **work)
        with pytest.raises(CaseMoved):
            diversion.work_on(session, verb="confirm", text="late", now=NOW, **work)
        assert look(session, office) == 0
        scan(session, office, 4, SHENZHEN, hours_ago=-1)
        assert look(session, office, NOW + timedelta(hours=2)) == 1


def test_what_a_copied_code_did_before_it_was_suspect_opens_no_case(office: Office, wired: Wired) -> None:
    with wired.db.transaction() as session:
        for serial in range(3):
            scan(session, office, serial, SHENZHEN)
        mark = Suspicion(
            code_id=office.batch << 27 | 1 << 25 | 2, brand_id=office.brand_id, product_id=office.product_id,
            batch_number=office.batch, state=Standing.OPEN.value, signs="visitors", visitors=20, cities=1, found_at=NOW,
        )  # fmt: skip
        session.add(mark)
        session.flush()
        assert look(session, office) == 0
        mark.state = Standing.CLEARED.value
        session.flush()
        assert look(session, office) == 1
        (found,) = cases(session)
        assert (found.case.items, found.case.scanned) == (3, 3)
        scan(session, office, 3, SHENZHEN)
        mark.state = Standing.CONFIRMED.value
        session.flush()
        assert look(session, office) == 0
        (found,) = cases(session)
        assert (found.case.items, found.case.scanned) == (3, 3)
        assert diversion.regions_of_case(session, case_id=found.case.id) == [(SHENZHEN, 3)]


def test_from_the_menu_to_a_closed_case(office: Office, wired: Wired) -> None:
    with wired.db.transaction() as session:
        for serial in range(3):
            scan(session, office, serial, SHENZHEN)
        look(session, office)
        (found,) = cases(session)
        people = [
            factories.add_staff(session, role=Role.MARKETING, brand_id=brand)
            for brand in (office.brand_id, office.other_brand_id)
        ]
    dave, mallory = (Desk(office.app, wired.db, person) for person in people)
    for desk in (dave, mallory):
        desk.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    here = f"/console/diversion/{found.case.id}"
    assert "Shenzhen" in words(dave.get(here))
    assert "Zhejiang" in words(dave.get(here))
    assert dave.get(f"{here}/regions.json").get_json()["series"][0]["values"] == [3]
    assert [mallory.get(path).status_code for path in (here, f"{here}/regions.json")] == [404, 404]
    assert mallory.post(f"{here}/take").status_code == 404
    dave.post(f"{here}/take")
    dave.post(f"{here}/confirm", {"text": "the dealer admits it"})
    assert "the dealer admits it" in words(dave.get(here))
    assert "Guangdong" in words(dave.get("/console/diversion?state=closed"))
    assert "华东" in dave.post("/console/diversion/export.csv").text


def test_a_note_on_a_closed_case_hides_no_news(office: Office, wired: Wired) -> None:
    with wired.db.transaction() as session:
        for serial in range(3):
            scan(session, office, serial, SHENZHEN, hours_ago=5)
        look(session, office, NOW - timedelta(hours=4))
        (found,) = cases(session)
    for verb, hours_ago in (("explain", 3), ("note", 1)):
        with wired.db.transaction() as session:
            at = NOW - timedelta(hours=hours_ago)
            diversion.work_on(session, case_id=found.case.id, verb=verb, text="seen", actor="t", now=at)
    with wired.db.transaction() as session:
        scan(session, office, 7, SHENZHEN, hours_ago=2)
    with wired.db.transaction() as session:
        assert look(session, office) == 1


def test_what_goes_out_comes_in_again(office: Office, wired: Wired) -> None:
    """A name that a spreadsheet would take for a formula is defused in the file, and still that channel's."""
    with wired.db.transaction() as session:
        channel = factories.make_channel(session, brand_id=office.brand_id, name="=华南")
        diversion.set_territory(session, channel_id=channel.id, places=[SHENZHEN], actor="t", now=NOW)
    dave, path = office.desk(), "/console/diversion/territories"
    file = dave.get(f"{path}.csv").data
    assert "'=华南".encode() in file
    assert dave.post(path, {"file": (io.BytesIO(file), "a.csv")}).status_code == 302


def test_a_cell_without_end_is_no_file_of_territories(office: Office) -> None:
    sent = b"channel,store,province,city\n" + b"x" * 200_000
    answer = office.desk().post("/console/diversion/territories", {"file": (io.BytesIO(sent), "a.csv")})
    assert answer.status_code == 422


def test_territories_by_hand_and_by_file(office: Office, wired: Wired) -> None:
    with wired.db.transaction() as session:
        person = factories.add_staff(session, role=Role.MARKETING, brand_id=office.brand_id)
        (channel,) = channels.list_channels(session, brand_id=office.brand_id)
    dave, path = Desk(office.app, wired.db, person), "/console/diversion/territories"
    page = f"/console/channels/{channel.id}/territory"
    assert "浙江" in dave.get(page).text
    assert dave.post(page, {"places": "Atlantis"}).status_code == 422
    assert dave.post(page, {"places": "广东省 深圳市"}).status_code == 302
    sent = "channel,store,province,city\n华东,,江苏省,苏州市\n".encode("gbk")
    assert dave.post(path, {"file": (io.BytesIO(b"x,y\n"), "a.csv")}).status_code == 422
    assert dave.post(path, {"file": (io.BytesIO(sent), "a.csv")}).status_code == 302
    assert "华东,,江苏,苏州" in dave.get("/console/diversion/territories.csv").text


def test_a_brand_has_its_own_rules_and_the_worker_follows_them(office: Office, wired: Wired) -> None:
    """Four of a hundred items in Shenzhen are news to those who have said nothing, and not to this brand."""
    dave, path = office.desk(Role.MARKETING), "/console/diversion/terms"
    with wired.db.transaction() as session:
        for serial in range(4):
            scan(session, office, serial, SHENZHEN)

    def opened(now: datetime) -> int:
        run(wired, stop_event=threading.Event(), once=True, clock=lambda: now, kinds={KEY})
        with wired.db.reading() as session:
            return len(cases(session))

    def says(**values: str) -> int:
        return dave.post(path, values, form=path).status_code

    assert says(diversion_items="5") == 302
    assert opened(NOW) == 0
    assert says(diversion_km="5000") == 302  # and whatever stood in the other fields is gone
    assert opened(NOW + timedelta(hours=1)) == 0
    assert says(diversion_items="4", diversion_km="0") == 302
    assert opened(NOW + timedelta(hours=2)) == 1


def test_own_rules_of_diversion_are_marketings_and_of_one_brand(office: Office, wired: Wired) -> None:
    path, usual = "/console/diversion/terms", replace(TERMS, share_percent=33)
    dave, mallory = office.desk(Role.MARKETING), office.desk(Role.MARKETING, "other_brand_id")
    for wrong in ({"items": "1"}, {"share": "0"}, {"share": "101"}, {"km": "-1"}, {"days": "366"}, {"items": "many"}):
        assert dave.post(path, {f"diversion_{k}": v for k, v in wrong.items()}, form=path).status_code == 422
    assert office.desk(Role.FACTORY).get(path).status_code == 403
    with wired.db.transaction() as session:
        brands = [office.brand_id, office.other_brand_id]
        for brand_id in brands:
            scans.set_terms(session, brand_id=brand_id, values={"suspect_visitors": 9}, actor="olga", now=NOW)
    assert dave.post(path, {"diversion_items": "7", "diversion_km": "0"}, form=path).status_code == 302
    other = f"brand-{office.other_brand_id.hex[-8:]}"
    assert mallory.post(f"{path}?brand={other}", {"diversion_items": "8"}, form=path).status_code == 302
    assert (
        dave.post(f"{path}?brand={other}", {"diversion_days": "2", "diversion_km": "0"}, form=path).status_code == 302
    )
    assert 'value="2"' in dave.get(path).text
    with wired.db.reading() as session:
        own, others = (diversion.load_terms(session, brand_id=one, otherwise=usual) for one in brands)
        kept = [row.suspect_visitors for one in brands if (row := scans.own_terms(session, brand_id=one))]
        actions = session.scalars(select(AuditRow.action).where(AuditRow.action == "risk.terms")).all()
    assert own == replace(usual, days=2, kilometres=0)
    assert others == replace(usual, items=8)
    assert (kept, len(actions)) == ([9, 9], 5)
