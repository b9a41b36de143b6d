"""What is mistyped, forged, out of date, too large or plainly hostile: each is answered clearly, in both languages,
with its machine code and a fitting status; nothing is written, nothing is lost, and nothing is ever a 500."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from batches import codes as press
from scancode.campaigns.models import Campaign
from scancode.catalog import revision
from scancode.codes import service as codes
from scancode.codes.rules import Deactivate, Recall, Void, VoidReason
from scancode.config import Settings
from scancode.db import Base
from scancode.members.models import Member
from scancode.staff import service as staff
from scancode.staff.models import StaffSession
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests import factories, servers
from tests.kept import web_app
from tests.stories.scene import set_up
from tests.web.console.desk import Desk, hire
from tests.web.console.office import words
from tests.web.h5.phone import Phone
from tests.web.h5.phone import Shop as Shelf

LANGUAGES = ("zh", "en")
VOID, RECALLED, INACTIVE = 100, 101, 102
RECALL_ZH, RECALL_EN = "请停止饮用并退回门店", "Do not drink it, bring it back"
PROBLEM = re.compile(r'data-problem="([a-z_]+)"|<code>([a-z_]+)</code>')


@dataclass(frozen=True)
class Market:
    """A running campaign whose codes hold points; one code is void, one recalled, one inactive; a second batch whose
    campaign is over."""

    shelf: Shelf
    wired: Wired
    over: int

    @property
    def number(self) -> int:
        return self.shelf.batch_number

    def key(self) -> bytes:
        return self.wired.keyring.derive("t1", bytes(16))

    def code(self, serial: int, *, number: int | None = None, kind: press.Kind = press.Kind.INNER) -> str:
        return press.mint_one(self.key(), number or self.number, kind, serial)

    @contextmanager
    def unchanged(self, **expected: int) -> Iterator[None]:
        """No table has more or fewer rows afterwards, but for what is expected (table name: rows more)."""
        before = self._rows()
        yield
        after = self._rows()
        assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == expected

    def _rows(self) -> dict[str, int]:
        with self.wired.db.reading() as session:
            return {
                table.name: session.scalar(select(func.count()).select_from(table)) or 0
                for table in Base.metadata.sorted_tables
                if table.name != "scan_misses"  # counts, by day, of what was no code of ours
            }


@pytest.fixture
def market(app: Flask, wired: Wired) -> Market:
    now = datetime.now(UTC)
    with wired.db.transaction() as session:
        scene = set_up(wired, session, around=now)
        number = scene.batch_number
        codes.change(
            session, batch_number=number, ranges=[(VOID, VOID)], what=Void(VoidReason.STOLEN), actor="t", now=now
        )
        codes.change(
            session,
            batch_number=number,
            ranges=[(RECALLED, RECALLED)],
            what=Recall(RECALL_ZH, RECALL_EN),
            actor="t",
            now=now,
        )
        codes.change(session, batch_number=number, ranges=[(INACTIVE, INACTIVE)], what=Deactivate(), actor="t", now=now)
        over = factories.make_batch(session, brand_id=scene.brand.id, product_id=scene.product_id)
        factories.make_life(session, batch_number=over.number, first=0, last=999)
        ended = factories.make_offer(session, wired.draw_sealer, batch=over)
        session.execute(
            update(Campaign)
            .where(Campaign.id == ended.id)
            .values(starts_at=now - timedelta(days=9), ends_at=now - timedelta(days=2))
        )
        revision.bump(session)
        shelf = Shelf(app, wired, scene.brand.id, scene.brand.slug, number)
        return Market(shelf, wired, over.number)


def get(client: FlaskClient, path: str, language: str) -> TestResponse:
    return client.get(path, headers={"Accept-Language": language})


def token(client: FlaskClient) -> str:
    """A form token of this browser, as any page with a form holds."""
    found = re.search(r'name="token" value="([^"]+)"', client.get("/join").text)
    assert found
    return found[1]


def claim(client: FlaskClient, text: str, language: str) -> TestResponse:
    return client.post(f"/{text}/claim", data={"token": token(client)}, headers={"Accept-Language": language})


def problem(answer: TestResponse) -> str:
    """The machine code of a refusal."""
    if answer.is_json:
        return str(answer.json["code"])
    found = PROBLEM.search(answer.text)
    return next(filter(None, found.groups())) if found else ""


# codes that are not ours


def forged(market: Market) -> str:
    return press.mint_one(bytes(32), market.number, press.Kind.INNER, 3)


def substituted(market: Market) -> str:
    code = market.code(3)
    return code[:9] + ("2" if code[9] != "2" else "3") + code[10:]


def swapped(market: Market) -> str:
    code = market.code(3)
    at = next(at for at in range(6, 19) if code[at] != code[at + 1])
    return code[:at] + code[at + 1] + code[at] + code[at + 2 :]


def foreign(market: Market) -> str:
    """Of somebody else's install: its batch is none of ours, and no slip of the finger makes it one."""
    return press.mint_one(bytes(range(32)), (market.number + 7777) % (1 << 25), press.Kind.INNER, 3)


CHECK_ZH, CHECK_EN = "一两个字符输错", "Please check them against the package"


@pytest.mark.parametrize(
    ("text", "code", "zh", "en"),
    [
        (forged, "code_forged", "不是品牌方发出的", "not made by the brand"),
        (substituted, "code_mistyped", CHECK_ZH, CHECK_EN),
        (swapped, "code_mistyped", CHECK_ZH, CHECK_EN),
        (foreign, "code_unknown", "未查到此码", "do not know this code"),
        (lambda market: market.code(3)[:19], "code_malformed", "编码不完整", "not a complete code"),
        (lambda market: market.code(3)[:19] + "U", "code_malformed", "编码不完整", "not a complete code"),
        (lambda market: market.code(1000), "code_unknown", "未查到此码", "do not know this code"),
        (lambda market: market.code(3, kind=press.Kind.CASE), "code_unknown", "未查到此码", "do not know this code"),
    ],
    ids=["forged", "substituted", "swapped", "foreign", "short", "wrong-letter", "beyond-the-batch", "wrong-kind"],
)
def test_what_is_not_ours_is_explained_to_whoever_looks_or_claims(
    app: Flask, market: Market, text: object, code: str, zh: str, en: str
) -> None:
    typed, client = text(market), app.test_client()  # type: ignore[operator]
    with market.unchanged():
        for language, said in (("zh", zh), ("en", en)):
            for answer in (get(client, f"/{typed}", language), claim(client, typed, language)):
                assert answer.status_code == 404
                assert said in words(answer)
                assert problem(answer) == code
                assert ("counterfeit" in words(answer)) == (code == "code_forged" and language == "en")


def test_in_a_storm_nobody_looks_for_slips_of_the_fingers(app: Flask, market: Market) -> None:
    """A look costs a thousand times a verification; what one process spends is no other's."""
    allowance, moment = app.extensions["scancode"].near_misses, time.monotonic()
    allowance.clock = lambda: moment  # it comes back with the seconds
    while allowance.take():
        pass
    assert problem(get(app.test_client(), f"/{substituted(market)}", "en")) == "code_forged"
    assert problem(get(web_app(market.wired).test_client(), f"/{substituted(market)}", "en")) == "code_mistyped"


# codes of ours that pay nothing


@pytest.mark.parametrize(
    ("serial", "seen", "code", "refused"),
    [
        (VOID, ("此码已作废", "no longer valid"), "claim_void", ("已作废", "was voided")),
        (RECALLED, (RECALL_ZH, RECALL_EN), "claim_recalled", ("召回", "was recalled")),
        (INACTIVE, ("尚未上市放行", "Not yet released"), "claim_inactive", ("尚未", "not been released")),
    ],
    ids=["void", "recalled", "inactive"],
)
def test_a_dead_code_says_so_and_pays_nothing(
    app: Flask, market: Market, serial: int, seen: tuple[str, str], code: str, refused: tuple[str, str]
) -> None:
    text, client = market.code(serial), app.test_client()
    with market.unchanged(scans=2):
        for language, said, no in zip(LANGUAGES, seen, refused, strict=True):
            page = get(client, f"/{text}", language)
            assert page.status_code == 200
            assert said in words(page)
            assert "/claim" not in page.text
            answer = claim(client, text, language)
            assert (answer.status_code, problem(answer)) == (409, code)
            assert no in words(answer)


def test_an_ended_campaign_pays_nothing_and_says_when_it_ended(app: Flask, market: Market) -> None:
    text, client = market.code(3, number=market.over), app.test_client()
    with market.unchanged(scans=2):
        for language, said, refused in (("zh", "已于", "结束"), ("en", "ended on", "ended on")):
            page = get(client, f"/{text}", language)
            assert page.status_code == 200
            assert said in words(page)
            assert "/claim" not in page.text
            answer = claim(client, text, language)
            assert (answer.status_code, problem(answer)) == (409, "claim_ended")
            assert refused in words(answer)


def test_what_somebody_else_has_claimed_stays_theirs(app: Flask, market: Market) -> None:
    text = market.code(3)
    assert claim(app.test_client(), text, "zh").status_code == 303
    with market.unchanged():
        for language, said in (("zh", "已于"), ("en", "was claimed on")):
            answer = claim(app.test_client(), text, language)
            assert (answer.status_code, problem(answer)) == (409, "claimed_by_another")
            assert said in words(answer)


# forms


def test_a_form_without_its_token_changes_nothing(app: Flask, market: Market) -> None:
    text, own, other = market.code(3), app.test_client(), app.test_client()
    own.get(f"/{text}")
    stolen = token(other)
    tokens = [{}, {"token": ""}, {"token": "made-up"}, {"token": stolen}, {"token": "签" * 9000}]
    with market.unchanged():
        for path in (f"/{text}/claim", "/join", "/me/leave", "/sandbox/pay"):
            for language, said in (("zh", "请重新打开"), ("en", "open it again")):
                for form in tokens:
                    answer = own.post(path, data=form, headers={"Accept-Language": language})
                    assert (answer.status_code, problem(answer)) == (400, "form_expired")
                    assert said in words(answer)


def test_staff_forms_without_their_token_change_nothing(app: Flask, market: Market) -> None:
    desk = Desk(app, market.wired.db, hire(market.wired.db, "Carol", Role.FACTORY, market.shelf.brand_id))
    with market.unchanged():
        for language, said in (("zh", "表单已过期"), ("en", "The form has expired")):
            for form in ({}, {"csrf_token": "made-up"}):
                answer = desk.client.post("/console/batches/order", data=form, headers={"Accept-Language": language})
                assert (answer.status_code, problem(answer)) == (400, "form_expired")
                assert said in words(answer)


@pytest.mark.parametrize(("language", "said"), [("zh", "请重新登录"), ("en", "Please sign in again")])
def test_a_session_that_ends_amid_a_form_leads_back_to_the_form(
    app: Flask, market: Market, language: str, said: str
) -> None:
    db = market.wired.db
    desk = Desk(app, db, hire(db, "Carol", Role.FACTORY, market.shelf.brand_id))
    path = "/console/batches/order"
    form = {"csrf_token": desk.token(path), "count": "5", "order_no": "PO-1"}
    with db.transaction() as session:
        session.execute(update(StaffSession).values(revoked_at=datetime.now(UTC)))
    with market.unchanged():
        headers = {"Accept-Language": language, "Referer": f"http://localhost{path}"}
        answer = desk.client.post(path, data=form, headers=headers)
        assert answer.status_code == 302
        assert answer.headers["Location"] == f"/console/login?next={path}"
        assert said in words(get(desk.client, answer.headers["Location"], language))


# passwords


@pytest.mark.parametrize(("language", "wrong", "locked"), [("zh", "不正确", "已锁定"), ("en", "is wrong", "locked")])
def test_six_wrong_passwords_lock_out_the_right_one_too(
    app: Flask, market: Market, language: str, wrong: str, locked: str
) -> None:
    hire(market.wired.db, "Carol", Role.FACTORY, market.shelf.brand_id)
    desk = Desk(app, market.wired.db)
    path = f"/console/login?lang={language}"
    answers = [
        desk.post(path, {"login": "carol", "password": password}, form=path)
        for password in ["wrong horse 9"] * 6 + [factories.PASSWORD]
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert [problem(answer) for answer in answers] == ["wrong_password"] * 4 + ["account_locked"] * 3
    assert wrong in words(answers[0])
    assert locked in words(answers[-1])
    with market.wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(StaffSession)) == 0


@pytest.mark.parametrize(("language", "said"), [("zh", "验证码"), ("en", "wrong or no longer valid")])
def test_six_wrong_one_time_passwords_use_up_the_right_one(
    app: Flask, market: Market, language: str, said: str
) -> None:
    phone = Phone(market.shelf, app.test_client())
    phone.get(f"/{market.code(3)}?lang={language}")
    assert phone.ask().status_code == 200
    market.shelf.work()
    right = market.shelf.inbox()[0][1]
    wrong = "000000" if right != "000000" else "000001"
    for password in [wrong] * 6 + [right]:
        answer = phone.enter(password)
        assert (answer.status_code, problem(answer)) == (422, "wrong_password")
        assert said in words(answer)
    with market.wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Member)) == 0


# over a real server


def test_a_body_of_ten_megabytes_is_refused_and_the_reason_arrives(market: Market, settings: Settings) -> None:
    """Over sockets: a server that hangs up on a sender would never be understood."""
    with market.wired.db.transaction() as session:
        person = factories.make_staff(session, role=Role.ADMIN)
        _, bearer = staff.issue_token(
            session,
            name="ERP",
            scopes=["batches:write"],
            brand_id=market.shelf.brand_id,
            staff_id=person.id,
            expires_at=None,
            actor="t",
            now=datetime.now(UTC),
        )
    text = market.code(3)
    said = {"zh": "提交的内容过大，请缩小文件或减少文字后重试。", "en": "too large"}
    with servers.gunicorn(settings, workers=1) as url, market.unchanged():
        for path, kind in (
            (f"/{text}/claim", "application/x-www-form-urlencoded"),
            ("/console/login", "application/x-www-form-urlencoded"),
            ("/console/login", "multipart/form-data; boundary=x"),
            ("/join", "application/x-www-form-urlencoded"),
            ("/api/v1/batches", "application/json"),
        ):
            for language in LANGUAGES:
                headers = {"Content-Type": kind, "Accept-Language": language, "Authorization": f"Bearer {bearer}"}
                status, body = send(url, "POST", path, b"x" * 10_000_000, headers)
                assert status == 413, path
                assert "too_large" in body
                assert said[language] in body, (path, body)


def test_odd_methods_and_broken_requests_are_refused_by_a_real_server(market: Market, settings: Settings) -> None:
    text = market.code(3)
    with servers.gunicorn(settings, workers=1) as url, market.unchanged():
        for path in (f"/{text}", f"/{text}/claim", "/console/login", "/api/v1/batches", "/", "/healthz"):
            for method in ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get"):
                for language, said in (
                    ("zh", "此地址不支持这种请求方式。"),
                    ("en", "does not take that kind of request"),
                ):
                    status, body = send(url, method, path, None, {"Accept-Language": language})
                    assert status in {400, 405, 501}, (method, path)
                    if status == 405:
                        assert "method_not_allowed" in body
                        assert said in body, (path, body)
        assert send(url, "OPTIONS", "/", None, {})[0] == 200
        for path in (
            "/%00",
            "/%ff%fe",
            f"/{text}%00",
            "/" + "A" * 3000,
            "/.%2e/etc/passwd",
            "/static/..%2f..%2fwsgi.py",
        ):
            assert send(url, "GET", path, None, {})[0] == 404
        assert send(url, "GET", "/?q=" + "A" * 9000, None, {})[0] in {200, 400, 414}
        assert send(url, "GET", "/", None, {"Cookie": "sv=%00; ss=\x7f\xff; lang=xx"})[0] in {200, 400}


def send(url: str, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, str]:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=60)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if "json" in (answer.getheader("Content-Type") or ""):
            text = text.encode().decode("unicode_escape")
        return answer.status, text
    finally:
        connection.close()
