"""Misuse as it meets the pages: too many forgeries, too many scans, addresses that are held off, robots."""

from __future__ import annotations

import base64
import json
import re

import altcha
import pytest
from flask import Flask
from sqlalchemy import func, select

from scancode.scans.models import Scan
from scancode.staff.rules import Role
from scancode.web.guard import Caps
from scancode.wiring import Wired
from tests import factories
from tests.web.console.desk import Desk
from tests.web.console.office import Office, open_office, words
from tests.web.test_clients import RECORDED

EN = {"Accept-Language": "en"}
FORGED = "ZZZZZZZZZZZZZZZZZZZZ"
pytestmark = pytest.mark.usefixtures("noon")


@pytest.fixture
def office(app: Flask, wired: Wired) -> Office:
    office = open_office(app, wired)
    office.go_live()
    return office


@pytest.fixture
def text(office: Office) -> str:
    return office.text(7)


def limit(office: Office, **over: int) -> None:
    caps = {"scans_of_address": 0, "scans_of_visitor": 0, "scans_of_code": 0, "claims_of_person": 0, "misses": 0}
    office.app.extensions["scancode"].guard.caps = Caps(**(caps | over))


def count(office: Office) -> int:
    with office.wired.db.reading() as session:
        return session.scalar(select(func.count()).select_from(Scan)) or 0


def test_after_too_many_forgeries_a_browser_works_and_goes_on(office: Office, text: str) -> None:
    limit(office, misses=2)
    client = office.app.test_client()
    assert [client.get(f"/{FORGED}", headers=EN).status_code for _ in range(4)] == [404, 404, 429, 429]
    page = client.get(f"/{FORGED}", headers=EN)
    assert "h5/work." in page.text
    assert "wait ten minutes" in words(page)
    assert client.get(f"/01/06901234567892/21/{FORGED}", headers=EN | {"Accept": "text/html"}).status_code == 429
    assert "This item is genuine" in words(client.get(f"/{text}", headers=EN))
    question = client.get("/work").get_json()
    challenge = altcha.ChallengeV1(
        "SHA-256", question["challenge"], question["maxnumber"], question["salt"], question["signature"]
    )
    solution = altcha.solve_challenge_v1(challenge)
    assert solution is not None
    answer = {name: question[name] for name in ("algorithm", "challenge", "salt", "signature")}
    payload = base64.b64encode(json.dumps({**answer, "number": solution.number}).encode()).decode()
    form = {"token": question["token"], "payload": payload, "next": f"/{FORGED}"}
    done = client.post("/work", data=form)
    assert (done.status_code, done.location) == (303, f"/{FORGED}")
    assert client.get(f"/{FORGED}", headers=EN).status_code == 404
    assert client.post("/work", data=form | {"next": "//evil.example"}).status_code == 400  # spent
    assert office.app.test_client().get(f"/{FORGED}").status_code == 429


def test_scans_beyond_a_limit_are_not_recorded(office: Office, text: str) -> None:
    limit(office, scans_of_address=2)
    client = office.app.test_client()
    assert [client.get(f"/{text}").status_code for _ in range(3)] == [200, 200, 429]
    assert count(office) == 2


def test_who_is_held_off_neither_scans_nor_claims(office: Office, text: str) -> None:
    with office.wired.db.transaction() as session:
        operator = factories.add_staff(session, role=Role.ADMIN)
        admin = factories.add_staff(session, role=Role.ADMIN, brand_id=office.brand_id)
    olga, carol = (Desk(office.app, office.wired.db, person) for person in (operator, admin))
    assert carol.get("/console/blocks").status_code == 403
    assert olga.post("/console/blocks", {"value": "10.0.0.0/8", "reason": "storm", "days": "1"}).status_code == 422
    assert olga.post("/console/blocks", {"value": "203.0.113.0/24", "reason": "storm", "days": "1"}).status_code == 302
    office.app.extensions["scancode"].watch.look()
    home = {"REMOTE_ADDR": "203.0.113.9"}
    mallory = office.app.test_client()
    assert mallory.get(f"/{text}", environ_base=home).status_code == 403
    assert count(office) == 0
    mallory.get(f"/{text}")
    token = re.search(r'name="token" value="([^"]+)"', mallory.get(f"/{text}/report").text)
    assert token is not None
    assert mallory.post(f"/{text}/claim", data={"token": token[1]}, environ_base=home).status_code == 403
    lift = re.search(r'action="(/console/blocks/[^"]+/lift)"', olga.get("/console/blocks").text)
    assert lift is not None
    olga.post(lift[1])
    office.app.extensions["scancode"].watch.look()
    assert mallory.get(f"/{text}", environ_base=home).status_code == 200


def test_recorded_robots_change_nothing(office: Office, text: str) -> None:
    client = office.app.test_client()
    for robot in RECORDED["robot"][::7]:
        headers = {name: value for name, value in robot.items() if name != "name"}
        assert client.get(f"/{text}", headers=headers).status_code == 200, robot["name"]
    assert count(office) == 0
    client.get(f"/{text}", headers={"User-Agent": RECORDED["person"][0]["User-Agent"]})
    assert count(office) == 1
