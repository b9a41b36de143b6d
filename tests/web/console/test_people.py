"""Staff accounts in the console, for administrators of the operator and of a brand."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from scancode.catalog.models import Brand
from scancode.db import Database
from scancode.staff import service as staff
from scancode.staff.models import AuditRow, Staff
from scancode.staff.rules import Role
from tests.factories import PASSWORD, make_brand
from tests.web.console.desk import Desk, hire


@pytest.fixture
def brand(db: Database) -> Brand:
    with db.transaction() as session:
        return make_brand(session)


@pytest.fixture
def admin(app: Flask, db: Database) -> Desk:
    return Desk(app, db, hire(db, "Anna", Role.ADMIN))


def read(db: Database, staff_id: UUID) -> Staff:
    with db.reading() as session:
        return staff.get_staff(session, staff_id=staff_id)


def form(**over: str) -> dict[str, str]:
    return {"name": "周工", "login": "zhou", "password": PASSWORD, "role": "factory", "brand": ""} | over


def test_an_administrator_opens_an_account(db: Database, admin: Desk, brand: Brand) -> None:
    answer = admin.post("/console/people/new", form(brand=str(brand.id)))
    assert answer.status_code == 302
    with db.reading() as session:
        made = staff.find_staff(session, login="zhou")
    assert made is not None
    assert (made.name, made.role, made.brand_id) == ("周工", "factory", brand.id)
    assert "周工" in admin.get("/console/people").text


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"login": "anna"}, "登录名 anna 已被使用"),
        ({"login": "two words"}, "2 到 80 个字符"),
        ({"password": "aaaaaaaaaaaa"}, "请至少使用 5 个不同的字符"),
        ({"role": "emperor"}, "不是有效的选择"),
        ({"brand": "00000000-0000-0000-0000-000000000001"}, "不是有效的选择"),
    ],
)
def test_what_cannot_be_taken_is_said(admin: Desk, over: dict[str, str], words: str) -> None:
    answer = admin.post("/console/people/new", form(**over))
    assert answer.status_code == 422
    assert words in answer.text


@pytest.mark.parametrize("role", [Role.FACTORY, Role.MARKETING])
@pytest.mark.parametrize(
    "path", ["/console/people", "/console/people/new", "/console/tokens", "/console/audit", "/console/jobs"]
)
def test_others_may_not_look(app: Flask, db: Database, role: Role, path: str) -> None:
    desk = Desk(app, db, hire(db, "Carol", role))
    answer = desk.get(path)
    assert answer.status_code == 403
    assert "您的账号没有此权限" in answer.text
    assert path not in desk.get("/console/").text


def test_a_brands_administrator_sees_that_brand_alone(app: Flask, db: Database, brand: Brand) -> None:
    carol, erin = hire(db, "Carol", Role.FACTORY, brand.id), hire(db, "Erin", Role.FACTORY)
    desk = Desk(app, db, hire(db, "Bea", Role.ADMIN, brand.id))
    page = desk.get("/console/people").text
    assert "Carol" in page
    assert "Erin" not in page
    assert desk.get(f"/console/people/{carol.id}").status_code == 200
    assert desk.get(f"/console/people/{erin.id}").status_code == 404
    for verb in ("deactivate", "unlock", "password", "sessions/revoke"):
        path = f"/console/people/{erin.id}/{verb}"
        assert desk.post(path, {"password": "battery staple 7"}).status_code in {302, 404}
    assert read(db, erin.id).is_active
    assert read(db, erin.id).password_hash == erin.password_hash
    assert desk.post("/console/people/new", form(brand="")).status_code == 422
    assert desk.get("/console/jobs").status_code == 403
    assert desk.post("/console/audit/check").status_code == 403


def test_a_new_role_signs_the_person_out(app: Flask, db: Database, admin: Desk, brand: Brand) -> None:
    carol = hire(db, "Carol", Role.FACTORY)
    desk = Desk(app, db, carol)
    change = {"name": "Carol C", "role": "marketing", "brand": str(brand.id)}
    assert admin.post(f"/console/people/{carol.id}", change).status_code == 302
    changed = read(db, carol.id)
    assert (changed.name, changed.role, changed.brand_id) == ("Carol C", "marketing", brand.id)
    assert desk.get("/console/").status_code == 302


def test_nobody_changes_their_own_role_or_closes_themselves(db: Database, admin: Desk) -> None:
    assert admin.person is not None
    own = f"/console/people/{admin.person.id}"
    assert admin.post(own, {"name": "Anna", "role": "factory", "brand": ""}).status_code == 403
    assert admin.post(f"{own}/deactivate").status_code == 403
    assert admin.post(own, {"name": "Anne", "role": "admin", "brand": ""}).status_code == 302
    assert read(db, admin.person.id).name == "Anne"


def test_an_account_is_closed_and_opened_again(app: Flask, db: Database, admin: Desk) -> None:
    carol = hire(db, "Carol", Role.FACTORY)
    desk = Desk(app, db, carol)
    admin.post(f"/console/people/{carol.id}/deactivate")
    assert desk.get("/console/").status_code == 302
    assert "已停用" in admin.get(f"/console/people/{carol.id}").text
    admin.post(f"/console/people/{carol.id}/reactivate")
    assert read(db, carol.id).is_active


def test_a_given_password_works_and_signs_out(app: Flask, db: Database, admin: Desk) -> None:
    carol = hire(db, "Carol", Role.FACTORY)
    desk = Desk(app, db, carol)
    admin.post(f"/console/people/{carol.id}/password", {"password": "short"})
    assert desk.get("/console/").status_code == 200
    admin.post(f"/console/people/{carol.id}/password", {"password": "battery staple 7"})
    assert desk.get("/console/").status_code == 302
    door = Desk(app, db)
    answer = door.post("/console/login", {"login": "carol", "password": "battery staple 7"})
    assert answer.headers["Location"] == "/console/"


def test_anybodys_session_can_be_ended(app: Flask, db: Database, admin: Desk) -> None:
    carol = hire(db, "Carol", Role.FACTORY)
    one, other = Desk(app, db, carol), Desk(app, db, carol)
    path = f"/console/people/{carol.id}/sessions/revoke"
    admin.post(path, {"session_id": str(one.session_id)})
    assert (one.get("/console/").status_code, other.get("/console/").status_code) == (302, 200)
    assert admin.post(path, {"session_id": "rubbish"}).status_code == 404
    admin.post(path)
    assert other.get("/console/").status_code == 302


def test_every_change_is_recorded_with_who_did_it(db: Database, admin: Desk) -> None:
    carol = hire(db, "Carol", Role.FACTORY)
    assert admin.person is not None
    for verb in ("deactivate", "reactivate", "unlock"):
        admin.post(f"/console/people/{carol.id}/{verb}")
    with db.reading() as session:
        rows = session.execute(select(AuditRow.action, AuditRow.actor).order_by(AuditRow.seq)).all()[2:]
    assert [tuple(row) for row in rows] == [
        (f"staff.{verb}", f"staff:{admin.person.id}") for verb in ("deactivate", "reactivate", "unlock")
    ]
