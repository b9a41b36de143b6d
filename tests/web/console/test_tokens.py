"""API tokens in the console: shown once, ended by hand."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from scancode.db import Database
from scancode.staff import service as staff
from scancode.staff.rules import Role
from tests.conftest import NOW
from tests.factories import make_brand
from tests.web.console.desk import Desk, hire


@pytest.fixture
def admin(app: Flask, db: Database) -> Desk:
    return Desk(app, db, hire(db, "Anna", Role.ADMIN))


def make(desk: Desk, **over: object) -> str:
    form = {"name": "ERP", "scopes": ["batches:read", "reports:read"], "brand": "", "last_day": "2099-01-01"} | over
    page = desk.post("/console/tokens/new", form).text
    found = re.search(r"sct_[\w-]{43}", page)
    assert found, page
    return found[0]


def test_a_token_is_shown_once(db: Database, admin: Desk) -> None:
    token = make(admin)
    with db.reading() as session:
        facts = staff.find_token(session, token=token, now=NOW)
    assert facts is not None
    assert facts.scopes == {"batches:read", "reports:read"}
    page = admin.get("/console/tokens").text
    assert "ERP" in page
    assert token not in page


def test_a_revoked_token_is_over(db: Database, admin: Desk) -> None:
    token = make(admin)
    with db.reading() as session:
        facts = staff.find_token(session, token=token, now=NOW)
    assert facts is not None
    admin.post(f"/console/tokens/{facts.id}/revoke")
    with db.reading() as session:
        assert staff.find_token(session, token=token, now=NOW) is None
    assert "已吊销" in admin.get("/console/tokens").text


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"scopes": []}, "该字段是必填字段"),
        ({"name": ""}, "该字段是必填字段"),
        ({"last_day": "2020-01-01"}, "请选择将来的日期。"),
    ],
)
def test_what_cannot_be_taken_is_said(admin: Desk, over: dict[str, object], words: str) -> None:
    form = {"name": "ERP", "scopes": ["batches:read"], "brand": "", "last_day": ""} | over
    answer = admin.post("/console/tokens/new", form)
    assert answer.status_code == 422
    assert words in answer.text


def test_a_brands_administrator_makes_tokens_of_that_brand_alone(app: Flask, db: Database, admin: Desk) -> None:
    with db.transaction() as session:
        brand = make_brand(session)
    foreign = make(admin)
    desk = Desk(app, db, hire(db, "Bea", Role.ADMIN, brand.id))
    assert desk.post("/console/tokens/new", {"name": "x", "scopes": ["scans:read"], "brand": ""}).status_code == 422
    own = make(desk, brand=str(brand.id))
    with db.reading() as session:
        facts, other = (staff.find_token(session, token=token, now=NOW) for token in (own, foreign))
    assert facts is not None
    assert other is not None
    assert facts.brand_id == brand.id
    assert desk.post(f"/console/tokens/{other.id}/revoke").status_code == 404
