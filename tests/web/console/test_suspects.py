"""Suspect codes in the console: the queue, the code's page with its reasons, and deciding with a comment."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from batches import codes as press
from scancode.catalog import revision
from scancode.scans import service as scans
from scancode.staff.models import AuditRow
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests.web.console.office import Office, open_office, words

EN = {"Accept-Language": "en"}


@pytest.fixture
def office(app: Flask, wired: Wired) -> Office:
    """Codes 0 to 99 are live; three people make a code suspect."""
    office = open_office(app, wired)
    office.go_live()
    with wired.db.transaction() as session:
        values = {"suspect_visitors": 3}
        scans.set_terms(session, brand_id=office.brand_id, values=values, actor="t", now=datetime.now(UTC))
        revision.bump(session)
    return office


@pytest.fixture
def text(office: Office) -> str:
    return office.text(7)


def scan(office: Office, text: str, address: int) -> str:
    environ = {"REMOTE_ADDR": f"192.0.2.{address}"}
    return words(office.app.test_client().get(f"/{text}", headers=EN, environ_base=environ))


def test_from_the_third_person_to_a_decision(office: Office, text: str) -> None:
    carol, mallory = office.desk(Role.FACTORY), office.desk(Role.FACTORY, "other_brand_id")
    assert "No code looks copied" in words(carol.get("/console/suspects"))
    scan(office, text, 1)
    assert "scanned before" in scan(office, text, 2)
    page = scan(office, text, 3)
    assert "This code may have been copied" in page
    assert "Claim" not in page
    assert "very many people" in words(carol.get("/console/suspects"))
    assert "No code looks copied" in words(mallory.get("/console/suspects"))
    here = f"/console/lookup?q={text}"
    shown = words(carol.get(here))
    assert "Suspect: may have been copied" in shown
    assert "Visitor 3" in shown
    verb = f"/console/suspects/{press.code_id(office.batch, press.Kind.INNER, 7)}"
    assert mallory.post(f"{verb}/clear", {"comment": "mine"}).status_code == 404
    carol.post(f"{verb}/confirm", {"comment": " ", "looked_up": text})
    assert "in a few words why" in carol.said()
    assert carol.post(f"{verb}/confirm", {"comment": "printed in Yiwu", "looked_up": text}).location == here
    assert "printed in Yiwu" in words(carol.get(here))
    assert "No code looks copied" in words(carol.get("/console/suspects"))
    carol.post(f"{verb}/clear", {"comment": "a display"})
    assert "scanned before" in scan(office, text, 4)
    with office.wired.db.reading() as session:
        said = select(AuditRow.action).where(AuditRow.action.startswith("suspicion.")).order_by(AuditRow.seq)
        assert session.scalars(said).all() == ["suspicion.confirm", "suspicion.clear"]


def test_an_administrator_sets_a_brands_own_rules(office: Office) -> None:
    olga, path = office.desk(Role.ADMIN, ""), "/console/suspects/terms"
    own, other = (f"{path}?brand=brand-{each.hex[-8:]}" for each in (office.brand_id, office.other_brand_id))
    assert olga.post(own, {"suspect_visitors": "2"}, form=own).status_code == 422
    assert olga.post(own, {"suspect_visitors": "50"}, form=own).status_code == 302
    assert 'value="50"' in olga.get(own).text
    assert 'value="50"' in office.desk(Role.ADMIN).get(path).text
    assert 'value="50"' not in office.desk(Role.ADMIN, "other_brand_id").get(own).text
    assert 'value="50"' not in olga.get(other).text
    assert office.desk(Role.MARKETING).get(path).status_code == 403
