"""The client of WeChat against a server that checks and misbehaves: logins, tokens for all processes, signed pages."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from scancode.adapters import wechat
from scancode.adapters.tokens import TokenShelf
from scancode.adapters.wechat import WeChat, WeChatRefused, sign
from scancode.db import Database
from scancode.errors import OutsideError
from scancode.jobs.models import OutsideToken
from scancode.sealing import Sealer
from scancode.wiring import Wired
from tests.conftest import NOW
from tests.wechat import APP_ID, SECRET, Account, TestTown, town

EXCHANGE, TOKEN, TICKET = "/sns/oauth2/access_token", "/cgi-bin/stable_token", "/cgi-bin/ticket/getticket"
PAGE = "http://127.0.0.1:8000/me/rewards/7?new=1"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


TURN_S = 20
OPEN: list[WeChat] = []


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture(scope="module")
def served() -> Iterator[TestTown]:
    with town() as found:
        yield found


@pytest.fixture
def there(served: TestTown) -> TestTown:
    return served.forget()


def client(
    there: TestTown,
    db: Database,
    sealer: Sealer,
    *,
    clock: Clock | None = None,
    patience_s: float = 5,
    **over: object,
) -> WeChat:
    account = wechat.Account(APP_ID, SECRET, there.url, "https://open.example", "https://res.example/a.js", 5, 4)
    clock = clock or Clock()
    shelf = TokenShelf(db, sealer, turn_s=TURN_S, patience_s=patience_s, clock=clock)
    OPEN.append(WeChat(dataclasses.replace(account, **over), shelf, clock=clock, verify=False))  # type: ignore[arg-type]
    return OPEN[-1]


@pytest.fixture
def alone(there: TestTown) -> WeChat:
    """For logins, which need no database."""
    return client(there, None, None)  # type: ignore[arg-type]


def refused(call: object, code: str, *, permanent: bool) -> OutsideError:
    with pytest.raises(OutsideError) as error:
        call()  # type: ignore[operator]
    assert (error.value.code, error.value.permanent) == (code, permanent)
    return error.value


# Where the browser is sent


def test_the_silent_login_is_asked_for_with_the_parameters_in_wechats_order(alone: WeChat) -> None:
    url = alone.authorize_url(redirect_uri="https://q.cn/login/wechat/back", state="a1")
    assert url == (
        f"https://open.example/connect/oauth2/authorize?appid={APP_ID}&redirect_uri=https%3A%2F%2Fq.cn%2Flogin%2Fwechat"
        "%2Fback&response_type=code&scope=snsapi_base&state=a1#wechat_redirect"
    )


def test_consent_is_asked_for_only_where_that_is_wanted(alone: WeChat) -> None:
    url = alone.authorize_url(redirect_uri="https://q.cn/b", state="a1", with_consent=True)
    assert "&scope=snsapi_userinfo&" in url


# The code that comes back


def test_a_code_is_good_for_one_person_once(there: TestTown, alone: WeChat) -> None:
    code = there.code(Account("o-alice-1234567890"))
    assert alone.exchange(code=code) == wechat.Login("o-alice-1234567890")
    error = refused(lambda: alone.exchange(code=code), "login_code", permanent=True)
    assert isinstance(error, WeChatRefused)
    assert error.errcode == 40163


def test_the_unionid_comes_with_consent_only(there: TestTown, alone: WeChat) -> None:
    bob = Account("o-bob-1234567890", "u-bob-1234567890")
    assert alone.exchange(code=there.code(bob)).unionid is None
    assert alone.exchange(code=there.code(bob, "snsapi_userinfo")).unionid == "u-bob-1234567890"


def test_a_virtual_account_is_told(there: TestTown, alone: WeChat) -> None:
    assert alone.exchange(code=there.code(Account("o-virtual-123456", is_snapshot=True))).is_snapshot


@pytest.mark.parametrize(
    ("errcode", "code", "permanent"),
    [(40029, "login_code", True), (40163, "login_code", True), (41008, "login_code", True), (42003, "login_code", True),
     (-1, "wechat_busy", False), (45009, "wechat_busy", False), (45011, "wechat_busy", False),
     (40164, "wechat_refused", True), (48001, "wechat_refused", True), (999999, "wechat_refused", True)],
)  # fmt: skip
def test_an_error_in_a_200_says_whether_to_try_again(
    there: TestTown, alone: WeChat, errcode: int, code: str, permanent: bool
) -> None:
    there.next(EXCHANGE, errcode=errcode)
    refused(lambda: alone.exchange(code=there.code()), code, permanent=permanent)


@pytest.mark.parametrize("over", [{"app_id": "wx-other"}, {"secret": "wrong"}])
def test_another_account_is_refused_for_good(there: TestTown, over: dict[str, str]) -> None:
    other = client(there, None, None, **over)  # type: ignore[arg-type]
    refused(lambda: other.exchange(code=there.code()), "wechat_refused", permanent=True)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"null", b"[]", b'{"openid": ', b'"o-alice-1234567890"', b"{}", b'{"openid": null}',
     b'{"openid": 7}', b'{"openid": ["o-alice-1234567890"]}', b'{"openid": ""}', b'{"openid": "a b c d e f g h"}',
     b'{"openid": "' + b"o" * 200 + b'"}', b"[" * 5000, b"x" * 70_000, b"\xff\xfe\x00"],
)  # fmt: skip
def test_nonsense_is_nobody(there: TestTown, alone: WeChat, body: bytes) -> None:
    there.next(EXCHANGE, body=body)
    refused(lambda: alone.exchange(code=there.code()), "wechat_unreadable", permanent=False)


@pytest.mark.parametrize("mark", [1, "1", True, "yes", [0]])
def test_a_doubtful_mark_counts_as_a_virtual_account(there: TestTown, alone: WeChat, mark: object) -> None:
    there.next(EXCHANGE, body=json.dumps({"openid": "o-alice-1234567890", "is_snapshotuser": mark}).encode())
    assert alone.exchange(code="x").is_snapshot


@pytest.mark.parametrize("status", [302, 404, 500, 502])
def test_another_status_is_a_passing_fault(there: TestTown, alone: WeChat, status: int) -> None:
    there.next(EXCHANGE, status=status, body=b'{"openid": "o-alice-1234567890"}')
    refused(lambda: alone.exchange(code="x"), "wechat_unreadable", permanent=False)


def test_an_answer_that_does_not_come_is_not_waited_for(there: TestTown) -> None:
    hasty = client(there, None, None, timeout_s=0.15)  # type: ignore[arg-type]
    there.next(EXCHANGE, never=True)
    refused(lambda: hasty.exchange(code=there.code()), "wechat_unreachable", permanent=False)
    assert there.count(EXCHANGE) == 1  # a code may have been used: it is not sent twice


def test_a_late_answer_is_an_answer(there: TestTown, alone: WeChat) -> None:
    there.next(EXCHANGE, late_s=0.05)
    assert alone.exchange(code=there.code()).openid == there.visitor.openid


def test_nobody_there_is_a_passing_fault(there: TestTown) -> None:
    away = client(there, None, None, api_url="http://127.0.0.1:9")  # type: ignore[arg-type]
    refused(lambda: away.exchange(code="x"), "wechat_unreachable", permanent=False)


def test_only_so_many_threads_wait_for_wechat(there: TestTown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wechat, "TURN_S_MAX", 0.02)
    narrow = client(there, None, None, calls_at_once=1)  # type: ignore[arg-type]
    there.next(EXCHANGE, late_s=0.3)
    code = there.code()
    first = threading.Thread(target=lambda: narrow.exchange(code=code))
    first.start()
    while not there.count(EXCHANGE):
        pass
    refused(lambda: narrow.exchange(code=there.code()), "wechat_busy", permanent=False)
    there.released.set()
    first.join()
    there.released.clear()
    assert narrow.exchange(code=there.code()).openid == there.visitor.openid


def test_no_log_and_no_error_holds_a_secret_a_code_or_a_person(
    there: TestTown, alone: WeChat, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    code = there.code()
    alone.exchange(code=code)
    there.next(EXCHANGE, status=500)
    errors = [refused(lambda: alone.exchange(code=code), "wechat_unreadable", permanent=False)]
    away = client(there, None, None, api_url="http://127.0.0.1:9")  # type: ignore[arg-type]
    errors.append(refused(lambda: away.exchange(code=code), "wechat_unreachable", permanent=False))
    written = capsys.readouterr()
    everything = caplog.text + written.out + written.err + repr([(e, e.__cause__, e.__context__) for e in errors])
    for word in (SECRET, code, there.visitor.openid):
        assert word not in everything


# Tokens and tickets


def test_signing_matches_wechats_published_example() -> None:
    ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    for url in ("http://mp.weixin.qq.com?params=value", "http://mp.weixin.qq.com?params=value#here"):
        found = sign(ticket=ticket, nonce="Wm3WZYTPz0wzccnW", timestamp_s=1414587457, url=url)
        assert found == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"


def test_pages_are_signed_with_one_token_and_one_ticket(there: TestTown, wired: Wired) -> None:
    one, other = (client(there, wired.db, wired.sealer) for _ in range(2))
    for page in (one.sign_page(url=PAGE), other.sign_page(url=PAGE + "#top")):
        config = {
            "appId": page.app_id,
            "timestamp": page.timestamp_s,
            "nonceStr": page.nonce,
            "signature": page.signature,
        }
        assert there.verifies(config, PAGE)
        assert not there.verifies(config, PAGE + "&more")
    assert (there.count(TOKEN), there.count(TICKET)) == (1, 1)


def test_what_is_kept_is_sealed(there: TestTown, wired: Wired) -> None:
    client(there, wired.db, wired.sealer).check()
    with wired.db.reading() as session:
        kept = "".join(session.scalars(select(OutsideToken.sealed)))  # type: ignore[arg-type]
    assert there.stable is not None
    assert there.ticket is not None
    assert there.stable[:40] not in kept
    assert there.ticket not in kept


def test_many_at_once_fetch_once(there: TestTown, wired: Wired) -> None:
    """Eight threads of two «processes» need a ticket at the same moment, and WeChat is slow."""
    there.next(TOKEN, late_s=0.1)
    there.next(TICKET, late_s=0.1)
    clients = [client(there, wired.db, wired.sealer) for _ in range(2)]
    found: list[bool] = []

    def ask(which: WeChat) -> None:
        page = which.sign_page(url=PAGE)
        found.append(
            sign(ticket=there.ticket or "", nonce=page.nonce, timestamp_s=page.timestamp_s, url=PAGE) == page.signature
        )

    threads = [threading.Thread(target=ask, args=(clients[n % 2],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8
    assert (there.count(TOKEN), there.count(TICKET)) == (1, 1)


def test_a_token_is_renewed_before_it_ends_and_the_old_one_serves_while_that_fails(
    there: TestTown, wired: Wired
) -> None:
    clock = Clock()
    one = client(there, wired.db, wired.sealer, clock=clock)
    one.check()
    clock.now += timedelta(seconds=7200 - 200)
    there.next(TICKET, errcode=-1)
    one.check()
    assert there.count(TICKET) == 2
    one.check()  # a moment after the failure nobody tries again
    assert there.count(TICKET) == 2
    clock.now += timedelta(seconds=4)
    one.check()
    assert (there.count(TOKEN), there.count(TICKET)) == (2, 3)


def test_a_failure_is_told_to_all_and_not_tried_by_each(there: TestTown, wired: Wired) -> None:
    there.next(TOKEN, errcode=40164, times=5)
    clock = Clock()
    one = client(there, wired.db, wired.sealer, clock=clock)
    error = refused(one.check, "wechat_refused", permanent=True)
    assert isinstance(error, WeChatRefused)
    assert error.errcode == 40164
    for _ in range(3):
        refused(one.check, "token_pending", permanent=False)
    assert there.count(TOKEN) == 1
    there.waiting.clear()
    clock.now += timedelta(seconds=4)
    one.check()


def test_a_token_that_was_ended_elsewhere_is_replaced_once_and_the_call_repeated(there: TestTown, wired: Wired) -> None:
    clock = Clock()
    one = client(there, wired.db, wired.sealer, clock=clock)
    one.check()
    there.lose_token()
    clock.now += timedelta(seconds=7000)  # the ticket's time has come, the token's by our book as well
    one.check()
    there.lose_token()
    with wired.db.transaction() as session:
        ticket = session.get(OutsideToken, f"wechat_ticket:{APP_ID}")
        assert ticket is not None
        session.delete(ticket)
    one.check()
    assert there.count(TICKET) == 4  # one was refused
    assert there.count(TOKEN) == 3


TEMPLATE = "tpl-0123456789-0123456789-0123456789"
LETTER = {"openid": "o-alice-01", "template_id": TEMPLATE, "url": "https://q.example/me/points", "key": "k1"}


def test_a_message_goes_out_once_under_its_key_with_a_fresh_token_if_need_be(there: TestTown, wired: Wired) -> None:
    there.templates[TEMPLATE], there.followers = {"number2", "time3"}, {"o-alice-01"}
    one = client(there, wired.db, wired.sealer)
    fields = {"number2": "50", "time3": "2026年12月31日"}
    for _ in range(2):
        one.send_template(**LETTER, fields=fields)  # type: ignore[arg-type]
    assert there.letters == {("o-alice-01", "k1"): ("https://q.example/me/points", fields)}
    there.lose_token()
    one.send_template(**(LETTER | {"key": "k2"}), fields=fields)  # type: ignore[arg-type]
    assert len(there.letters) == 2
    assert there.count(TOKEN) == 2


@pytest.mark.parametrize(
    ("errcode", "code", "permanent"),
    [(43004, "wechat_unreachable", True), (43101, "wechat_unreachable", True), (40037, "wechat_refused", True),
     (47003, "wechat_refused", True), (45009, "wechat_busy", False), (-1, "wechat_busy", False)],
)  # fmt: skip
def test_a_message_that_is_refused_says_whether_to_try_again(
    there: TestTown, wired: Wired, errcode: int, code: str, permanent: bool, caplog: pytest.LogCaptureFixture
) -> None:
    there.next("/cgi-bin/message/template/send", errcode=errcode)
    one = client(there, wired.db, wired.sealer)
    refused(lambda: one.send_template(**LETTER, fields={"number2": "5"}), code, permanent=permanent)  # type: ignore[arg-type]
    assert there.stable is not None
    assert there.stable not in caplog.text
    assert "o-alice-01" not in caplog.text


def test_a_token_that_is_never_right_is_given_up(there: TestTown, wired: Wired) -> None:
    there.next(TICKET, errcode=40001, times=9)
    refused(client(there, wired.db, wired.sealer).check, "wechat_token", permanent=False)
    assert (there.count(TICKET), there.count(TOKEN)) == (2, 2)


def test_another_program_of_the_same_account_does_no_harm(there: TestTown, wired: Wired) -> None:
    """The brand's other system takes plain tokens, each of which ends the one before; the stable one stays."""
    one = client(there, wired.db, wired.sealer)
    one.check()
    kept = there.stable
    for _ in range(3):
        there.answer("GET", "/cgi-bin/token", {"appid": APP_ID, "secret": SECRET}, b"")
    with wired.db.transaction() as session:
        ticket = session.get(OutsideToken, f"wechat_ticket:{APP_ID}")
        session.delete(ticket)
    one.check()
    assert there.stable == kept
    assert (there.count(TICKET), there.count(TOKEN)) == (2, 1)


@pytest.mark.parametrize(
    "body",
    [b'{"access_token": "t"}', b'{"access_token": "", "expires_in": 7200}', b'{"access_token": 5, "expires_in": 7200}',
     b'{"access_token": "t", "expires_in": 0}', b'{"access_token": "t", "expires_in": true}',
     b'{"access_token": "t\\n", "expires_in": 7200}', b'{"access_token": "t", "expires_in": "7200"}', b"{}"],
)  # fmt: skip
def test_a_token_of_the_wrong_form_is_not_kept(there: TestTown, wired: Wired, body: bytes) -> None:
    there.next(TOKEN, body=body)
    refused(client(there, wired.db, wired.sealer).check, "wechat_unreadable", permanent=False)
    with wired.db.reading() as session:
        assert session.scalars(select(OutsideToken.sealed).where(OutsideToken.sealed.is_not(None))).all() == []


def test_a_turn_that_was_lost_with_its_process_comes_back(there: TestTown, wired: Wired) -> None:
    """A process was killed while it fetched: after its turn another one does it."""
    clock = Clock()
    one = client(there, wired.db, wired.sealer, clock=clock, patience_s=0.02)
    there.next(TOKEN, errcode=-1)
    one._shelf._db = _WithoutEnd(wired.db)  # type: ignore[assignment]
    refused(one.check, "wechat_busy", permanent=False)
    one._shelf._db = wired.db
    refused(one.check, "token_pending", permanent=False)
    clock.now += timedelta(seconds=TURN_S)
    one.check()


class _WithoutEnd:
    """A database that loses what is written after the first statement of each kind: the process is dead by then."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.reading = db.reading
        self._begun = 0

    def retrying(self, work: object) -> object:
        self._begun += 1
        return self._db.retrying(work) if self._begun <= 2 else None  # type: ignore[arg-type]
