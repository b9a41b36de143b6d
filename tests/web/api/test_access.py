"""Who is let in: tokens, scopes, brands, and how many calls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from scancode.app import create_app
from scancode.staff import service as staff
from scancode.staff.models import ApiToken
from scancode.staff.rules import SCOPES as EVERY_SCOPE
from scancode.wiring import Wired, connect
from tests.web.api.conftest import Machine, World

ENGLISH = {"Accept-Language": "en"}


def test_without_a_token_it_asks_for_one(client: FlaskClient) -> None:
    answer = client.get("/api/v1/batches", headers=ENGLISH)
    assert (answer.status_code, answer.json["code"]) == (401, "token_missing")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="scancode"'
    assert answer.content_type == "application/problem+json"


NO_TOKENS: list[str] = [
    "Bearer sct_unknown",
    "Bearer",
    "Bearer ",
    "Basic Y2Fyb2w6c2VjcmV0",
    "Bearer sct_" + "x" * 5000,
    "Bearer sct_\xff\xfe",
    "sct_unknown",
]


def test_a_token_that_is_none_is_refused(client: FlaskClient) -> None:
    for header in NO_TOKENS:
        answer = client.get("/api/v1/batches", headers={"Authorization": header})
        assert (answer.status_code, answer.json["code"]) == (401, "token_invalid")
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_revoked_token_is_refused(world: World) -> None:
    token_id, token = world.token(brand=world.own)
    machine = Machine(world.app.test_client(), token)
    assert machine.get("/batches").status_code == 200
    with world.wired.db.transaction() as session:
        staff.revoke_token(session, token_id=token_id, actor="test", now=datetime.now(UTC))
    assert machine.get("/batches").json["code"] == "token_invalid"


def test_a_token_ends_at_its_time(world: World) -> None:
    now = datetime.now(UTC)
    for expires_at, status in ((now - timedelta(seconds=1), 401), (now + timedelta(hours=1), 200)):
        machine = Machine(world.app.test_client(), world.token(brand=world.own, expires_at=expires_at)[1])
        assert machine.get("/batches").status_code == status


def test_a_token_ends_with_its_owners_account(world: World, machine: Machine) -> None:
    with world.wired.db.transaction() as session:
        staff.create(
            session,
            login="dave",
            name="Dave",
            password="another horse 42",
            role=staff.Role.ADMIN,
            now=datetime.now(UTC),
        )
        staff.deactivate(session, staff_id=world.staff_id, actor="test", now=datetime.now(UTC))
    assert machine.get("/batches").status_code == 401


SCOPES: list[tuple[str, str, str]] = [
    ("GET", "/batches", "batches:read"),
    ("GET", "/batches/1", "batches:read"),
    ("GET", "/batches/1/files/a.csv", "batches:files"),
    ("GET", "/batches/1/life", "batches:read"),
    ("GET", "/codes/X", "batches:read"),
    ("POST", "/batches", "batches:write"),
    ("POST", "/batches/1/cancel", "batches:write"),
    ("POST", "/batches/1/retry", "batches:write"),
    ("POST", "/batches/1/activate", "batches:write"),
    ("POST", "/batches/1/deactivate", "batches:write"),
    ("POST", "/batches/1/void", "batches:write"),
    ("POST", "/batches/1/recall", "batches:write"),
    ("GET", "/scans", "scans:read"),
    ("GET", "/suspects", "scans:read"),
    ("GET", "/complaints", "complaints:read"),
    ("GET", "/reports/funnel", "reports:read"),
    ("GET", "/reports/content", "reports:read"),
    ("GET", "/members/x/preferences", "members:read"),
]


def test_it_names_the_scope_that_is_missing(world: World) -> None:
    for method, path, scope in SCOPES:
        rest = set(EVERY_SCOPE) - {scope}
        machine = world.machine(rest)
        answer = machine.post(path, {}) if method == "POST" else machine.get(path)
        assert (answer.status_code, answer.json["code"], answer.json["facts"]) == (
            403,
            "scope_missing",
            {"scope": scope},
        )
        assert f'error="insufficient_scope", scope="{scope}"' in answer.headers["WWW-Authenticate"]
        assert scope in answer.json["title"]


def test_the_last_use_is_noted_but_not_with_every_call(world: World) -> None:
    token_id, token = world.token(brand=world.own)
    machine = Machine(world.app.test_client(), token)

    def used_at() -> datetime | None:
        with world.wired.db.reading() as session:
            return session.get_one(ApiToken, token_id).used_at

    assert used_at() is None
    machine.get("/batches")
    noted = used_at()
    assert noted is not None
    machine.get("/batches")
    assert used_at() == noted


def test_a_refused_call_is_no_use(world: World) -> None:
    token_id, token = world.token({"scans:read"}, brand=world.own)
    Machine(world.app.test_client(), token).get("/batches")
    with world.wired.db.reading() as session:
        assert session.get_one(ApiToken, token_id).used_at is None


def test_the_language_is_the_headers_and_never_a_cookies(world: World, machine: Machine) -> None:
    machine.client.set_cookie("lang", "en")
    for language, start in (("zh-CN", "这里没有内容"), ("en-GB,en;q=0.8", "There is nothing"), ("fr", "这里没有内容")):
        machine.language = language
        assert machine.get("/batches/77").json["title"].startswith(start)


def test_no_answer_sets_a_cookie(machine: Machine) -> None:
    for path in ("/batches", "/batches/77", "/nothing", "/openapi.json"):
        answer = machine.get(path, lang="en")
        assert answer.status_code in (200, 404, 422)
        assert "Set-Cookie" not in answer.headers, path


def test_unknown_addresses_and_methods_are_problems_too(client: FlaskClient) -> None:
    lost = client.get("/api/v2/batches", headers=ENGLISH)
    assert (lost.status_code, lost.json["code"], lost.content_type) == (404, "not_found", "application/problem+json")
    wrong = client.delete("/api/v1/batches", headers=ENGLISH)
    assert (wrong.status_code, wrong.json["code"]) == (405, "method_not_allowed")
    assert set(wrong.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.fixture
def guarded(wired: Wired) -> Iterator[Wired]:
    """The same program with its rate limits on: tests are without them."""
    guarded = connect(wired.settings.model_copy(update={"env": "development"}))
    yield guarded
    guarded.db.close()


def test_a_storm_of_calls_is_slowed_down_token_by_token(world: World, guarded: Wired) -> None:
    app = create_app(wired=guarded)
    app.config.update(API_CALLS="5 per minute", API_STRANGER_CALLS="3 per minute")
    noisy = Machine(app.test_client(), world.token(brand=world.own)[1])
    quiet = Machine(app.test_client(), world.token(brand=world.own)[1])
    paths = ("/batches", "/batches/77", "/scans", "/batches/77/life", "/batches", "/batches")
    assert [noisy.get(path).status_code for path in paths] == [200, 404, 200, 404, 200, 429]
    answer = noisy.get("/batches")
    assert (answer.json["code"], answer.headers["Retry-After"]) == ("too_many_calls", "30")
    assert quiet.get("/batches").status_code == 200
    stranger = app.test_client()
    assert [stranger.get("/api/v1/batches").status_code for _ in range(4)] == [401, 401, 401, 429]
    assert quiet.get("/batches").status_code == 200
