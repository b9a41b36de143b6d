"""One's own account: the password, and where one is signed in."""

from __future__ import annotations

import pytest
from flask import Flask

from scancode.db import Database
from scancode.staff.models import Staff
from scancode.staff.rules import Role
from tests.factories import PASSWORD
from tests.web.console.desk import Desk, hire

NEW = "battery staple 7"


@pytest.fixture
def carol(db: Database) -> Staff:
    return hire(db, "Carol", Role.FACTORY)


def test_a_new_password_signs_the_other_browsers_out(app: Flask, db: Database, carol: Staff) -> None:
    desk, other = Desk(app, db, carol), Desk(app, db, carol)
    answer = desk.post("/console/account", {"old_password": PASSWORD, "password": NEW, "again": NEW})
    assert answer.status_code == 302
    assert "密码已修改" in desk.said()
    assert other.get("/console/").status_code == 302


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"old_password": "wrong", "password": NEW, "again": NEW}, "当前密码不正确。"),
        ({"old_password": PASSWORD, "password": NEW, "again": NEW + "x"}, "两次输入的密码不一致。"),
        (
            {"old_password": PASSWORD, "password": "aaaaaaaaaaaa", "again": "aaaaaaaaaaaa"},
            "请至少使用 5 个不同的字符。",
        ),
        ({"old_password": PASSWORD, "password": "my carol 123", "again": "my carol 123"}, "密码不能包含登录名。"),
    ],
)
def test_what_cannot_be_taken_is_said_beside_its_field(
    app: Flask, db: Database, carol: Staff, form: dict[str, str], words: str
) -> None:
    answer = Desk(app, db, carol).post("/console/account", form)
    assert answer.status_code == 422
    assert words in answer.text


def test_another_session_is_signed_out_from_here(app: Flask, db: Database, carol: Staff) -> None:
    desk, other, third = (Desk(app, db, carol) for _ in range(3))
    desk.post(f"/console/account/sessions/{other.session_id}/revoke")
    assert (other.get("/console/").status_code, third.get("/console/").status_code) == (302, 200)
    desk.post("/console/account/sessions/revoke-others")
    assert (desk.get("/console/").status_code, third.get("/console/").status_code) == (200, 302)


def test_somebody_elses_session_is_not_mine_to_end(app: Flask, db: Database, carol: Staff) -> None:
    dave = Desk(app, db, hire(db, "Dave", Role.MARKETING))
    answer = Desk(app, db, carol).post(f"/console/account/sessions/{dave.session_id}/revoke")
    assert answer.status_code == 404
    assert dave.get("/console/").status_code == 200
