"""The door of the console: signing in and out, lock-outs, sessions that end, forms that went stale."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from scancode.db import Database
from scancode.staff import service as staff
from scancode.staff.models import Staff, StaffSession
from scancode.staff.rules import Role
from scancode.web.console.access import local_path
from tests.factories import PASSWORD
from tests.web.console.desk import Desk, hire


@pytest.fixture
def carol(db: Database) -> Staff:
    return hire(db, "Carol", Role.FACTORY)


def knock(desk: Desk, password: str, path: str = "/console/login", login: str = "carol") -> tuple[int, str, str]:
    answer = desk.post(path, {"login": login, "password": password}, form=path)
    return answer.status_code, answer.headers.get("Location", ""), answer.text


def test_the_right_password_opens_the_console(app: Flask, db: Database, carol: Staff) -> None:
    desk = Desk(app, db)
    assert knock(desk, PASSWORD)[:2] == (302, "/console/")
    page = desk.get("/console/")
    assert page.status_code == 200
    assert "Carol" in page.text
    cookie = desk.client.get_cookie("ss")
    assert cookie is not None
    assert (cookie.http_only, cookie.same_site) == (True, "Lax")


def test_after_signing_in_one_is_where_one_wanted_to_be(app: Flask, db: Database, carol: Staff) -> None:
    desk = Desk(app, db)
    sent = desk.get("/console/account?x=1")
    assert (sent.status_code, sent.headers["Location"]) == (302, "/console/login?next=/console/account?x%3D1")
    assert knock(desk, PASSWORD, sent.headers["Location"])[:2] == (302, "/console/account?x=1")


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example/console/",
        "//evil.example/console/",
        "/\\evil.example",
        "/console\\..\\x",
        "/console/../me",
        "javascript:alert(1)",
        "/consolewide",
        "/me",
        "/console/login?next=/console/",
        "/console/logout",
        "/console/\nx",
        "/console/" + "x" * 500,
        "",
        None,
    ],
)
def test_nobody_is_sent_elsewhere(text: str | None) -> None:
    assert local_path(text) is None


@pytest.mark.parametrize("text", ["/console", "/console/", "/console/batches?state=ready&page=2"])
def test_a_path_of_the_console_is_fine(text: str) -> None:
    assert local_path(text) == text


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", "登录名或密码不正确"), ("en", "The login or the password is wrong")]
)
def test_a_wrong_password_is_refused_in_words(app: Flask, db: Database, carol: Staff, lang: str, words: str) -> None:
    status, _, page = knock(Desk(app, db), "wrong horse 9", f"/console/login?lang={lang}")
    assert status == 401
    assert words in page
    assert "wrong horse" not in page


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", "账号已锁定，还需等待 15 分钟"), ("en", "locked for 15 more minutes")]
)
def test_six_wrong_passwords_are_answered_with_how_long_to_wait(
    app: Flask, db: Database, carol: Staff, lang: str, words: str
) -> None:
    desk, path = Desk(app, db), f"/console/login?lang={lang}"
    answers = [knock(desk, "wrong horse 9", path) for _ in range(6)]
    assert [status for status, _, _ in answers] == [401] * 6
    assert [words in page for _, _, page in answers] == [False] * 4 + [True] * 2
    status, _, page = knock(desk, PASSWORD, path)
    assert status == 401
    assert words in page


def test_an_empty_form_says_what_is_missing(app: Flask, db: Database) -> None:
    status, _, page = knock(Desk(app, db), "", login="")
    assert status == 422
    assert "该字段是必填字段" in page


def test_signing_out_ends_the_session_everywhere(app: Flask, db: Database, carol: Staff) -> None:
    desk = Desk(app, db, carol)
    copied = desk.client.get_cookie("ss")
    assert copied is not None
    assert desk.post("/console/logout").headers["Location"] == "/console/login"
    thief = Desk(app, db)
    thief.client.set_cookie("ss", copied.value)
    assert thief.get("/console/").status_code == 302


def test_signing_out_needs_a_form_of_ours(app: Flask, db: Database, carol: Staff) -> None:
    desk = Desk(app, db, carol)
    assert desk.client.post("/console/logout").status_code == 400
    assert desk.get("/console/").status_code == 200


@pytest.mark.parametrize("how", ["revoked", "expired", "closed"])
def test_a_session_that_ended_in_the_middle_of_a_form_leads_to_the_door_and_back(
    app: Flask, db: Database, carol: Staff, how: str
) -> None:
    desk = Desk(app, db, carol)
    token = desk.token()
    with db.transaction() as session:
        now = datetime.now(UTC)
        if how == "revoked":
            staff.revoke_sessions(session, staff_id=carol.id, actor="x", now=now)
        elif how == "expired":
            session.execute(update(StaffSession).values(expires_at=now - timedelta(seconds=1)))
        else:
            staff.deactivate(session, staff_id=carol.id, actor="x", now=now)
    form = {"csrf_token": token, "old_password": PASSWORD, "password": "battery staple 7", "again": "battery staple 7"}
    answer = desk.client.post("/console/account", data=form, headers={"Referer": "http://localhost/console/account"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/console/login?next=/console/account")
    assert "登录已过期，请重新登录。" in desk.get(answer.headers["Location"]).text


def test_an_htmx_request_without_a_session_loads_the_door(app: Flask, db: Database) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/console/jobs"}
    answer = Desk(app, db).get("/console/jobs?part=1", headers=headers)
    assert answer.headers["HX-Redirect"] == "/console/login?next=/console/jobs"
    assert answer.data == b""


@pytest.mark.parametrize(("lang", "words"), [("zh", "表单已过期"), ("en", "The form has expired")])
def test_a_stale_form_is_refused_in_words(app: Flask, db: Database, carol: Staff, lang: str, words: str) -> None:
    desk = Desk(app, db, carol)
    answer = desk.client.post(f"/console/account?lang={lang}", data={"csrf_token": "stale", "old_password": PASSWORD})
    assert answer.status_code == 400
    assert words in answer.text


def test_a_forged_cookie_is_nobody(app: Flask, db: Database, carol: Staff) -> None:
    desk = Desk(app, db, carol)
    with desk.client.session_transaction() as cookie:
        cookie["_user_id"] = cookie["_user_id"][:33] + "guessed"
    assert desk.get("/console/").status_code == 302
    with desk.client.session_transaction() as cookie:
        cookie["_user_id"] = "not a session"
    assert desk.get("/console/").status_code == 302


def test_using_a_session_is_noted_now_and_then(app: Flask, db: Database, carol: Staff) -> None:
    desk = Desk(app, db, carol)
    old = datetime.now(UTC) - timedelta(minutes=6)
    with db.transaction() as session:
        session.execute(update(StaffSession).values(seen_at=old))
    desk.get("/console/account")
    with db.reading() as session:
        seen = session.scalar(select(StaffSession.seen_at))
    assert seen is not None
    assert seen > old + timedelta(minutes=5)


def test_who_is_signed_in_is_not_asked_again(app: Flask, db: Database, carol: Staff) -> None:
    answer = Desk(app, db, carol).get("/console/login")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/console/")
