"""A WeChat for tests, as a real HTTP server: it checks what the real one checks, and misbehaves when it is told to.

It knows one official account, gives codes that work once, and tokens of both kinds: the plain one ends the plain one
before it, the stable one stays. Misbehaviour is queued by path: ``town.next("/cgi-bin/stable_token", errcode=-1)``.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from scancode.adapters.wechat import sign

APP_ID, SECRET = "wx0123456789abcdef", "s3cret-of-the-account-0123456789"
SCRIPT_PATH = "/open/js/jweixin-1.6.0.js"
STATE = re.compile(r"[0-9A-Za-z]{1,128}")
AUTHORIZE = re.compile(
    r"appid=[^&]+&redirect_uri=[^&]+&response_type=code&scope=(snsapi_base|snsapi_userinfo)&state=[^&]+"
)
CODE_LIVES_S = 300

Answer = tuple[int, bytes]


@dataclass
class Account:
    """What a person's code turns into."""

    openid: str
    unionid: str | None = None
    is_snapshot: bool = False


@dataclass
class TestTown:
    """The state of this WeChat, and its address once it is served."""

    __test__ = False

    url: str = ""
    redirect_hosts: set[str] = field(default_factory=lambda: {"127.0.0.1"})
    """The domains that the account's owner has named as allowed to ask for logins."""
    visitor: Account = field(default_factory=lambda: Account("o-wechat-alice-01", "u-wechat-alice-01"))
    """Whoever opens the login page."""
    codes: dict[str, tuple[Account, str, float]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    stable: str | None = None
    plain: str | None = None
    ticket: str | None = None
    lives_s: int = 7200
    followers: set[str] = field(default_factory=set)
    templates: dict[str, set[str]] = field(default_factory=dict)
    """The fields of each message template that the account has."""
    letters: dict[tuple[str, str], tuple[str, dict[str, str]]] = field(default_factory=dict)
    """What people received: by openid and key, the address and the fields. The same key is received once."""
    calls: list[str] = field(default_factory=list)
    authorized: list[str] = field(default_factory=list)
    """Query strings of the login page, as they came."""
    waiting: dict[str, deque[Callable[[], Answer | None]]] = field(default_factory=lambda: defaultdict(deque))
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def forget(self) -> TestTown:
        """The same server as if nothing had happened yet."""
        fresh = TestTown()
        for item in fields(TestTown):
            if item.name not in {"url", "released", "lock"}:
                setattr(self, item.name, getattr(fresh, item.name))
        return self

    def code(self, account: Account | None = None, scope: str = "snsapi_base") -> str:
        """A person has come back from the login page with this."""
        code = secrets.token_hex(16)
        self.codes[code] = (account or self.visitor, scope, time.monotonic())
        return code

    def next(
        self,
        path: str,
        *,
        errcode: int | None = None,
        body: bytes | None = None,
        status: int = 200,
        late_s: float = 0,
        never: bool = False,
        times: int = 1,
    ) -> None:
        """What the next calls of a path meet: an error in a 200, another body or status, after a while, or nothing
        until the server stops. Late without anything else is a right answer, late."""

        def act() -> Answer | None:
            if never:
                self.released.wait(20)
                return 200, b""
            if late_s:
                self.released.wait(late_s)
            if errcode is not None:
                return 200, json.dumps({"errcode": errcode, "errmsg": "as told, rid: 1-2-3"}).encode()
            return (status, body or b"") if body is not None or status != 200 else None

        self.waiting[path].extend([act] * times)

    def count(self, path: str) -> int:
        return self.calls.count(path)

    def lose_token(self) -> None:
        """The account's secret was reset, or another program forced a new token: ours is no good any more."""
        self.stable = None

    def verifies(self, config: dict[str, Any], url: str) -> bool:
        """Whether WeChat's app would accept what a page hands to ``wx.config``."""
        wanted = sign(ticket=self.ticket or "none", nonce=config["nonceStr"], timestamp_s=config["timestamp"], url=url)
        return bool(config["appId"] == APP_ID and config["signature"] == wanted)

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Answer:
        with self.lock:
            self.calls.append(path)
            told = self.waiting[path].popleft() if self.waiting[path] else None
        if told is not None and (forced := told()) is not None:
            return forced
        routes = {
            ("GET", "/sns/oauth2/access_token"): self._exchange,
            ("GET", "/cgi-bin/token"): self._plain_token,
            ("POST", "/cgi-bin/stable_token"): self._stable_token,
            ("GET", "/cgi-bin/ticket/getticket"): self._ticket,
            ("POST", "/cgi-bin/message/template/send"): self._send_template,
        }
        route = routes.get((method, path))
        if route is None:
            return 404, b"<html>not found</html>"
        fields = query | json.loads(body) if method == "POST" else query
        with self.lock:
            return 200, json.dumps(route(fields)).encode()

    @staticmethod
    def _stranger(given: dict[str, str]) -> dict[str, Any] | None:
        if given.get("appid") != APP_ID:
            return {"errcode": 40013, "errmsg": "invalid appid"}
        if given.get("secret") != SECRET:
            return {"errcode": 40125, "errmsg": "invalid appsecret"}
        return None

    def _exchange(self, given: dict[str, str]) -> dict[str, Any]:
        if stranger := self._stranger(given):
            return stranger
        code = given.get("code", "")
        if not code:
            return {"errcode": 41008, "errmsg": "missing code"}
        if code in self.used:
            return {"errcode": 40163, "errmsg": "code been used"}
        account, scope, made = self.codes.get(code, (None, "", 0.0))
        if account is None or given.get("grant_type") != "authorization_code":
            return {"errcode": 40029, "errmsg": "invalid code"}
        if time.monotonic() - made > CODE_LIVES_S:
            return {"errcode": 42003, "errmsg": "code expired"}
        self.used.add(code)
        found: dict[str, Any] = {
            "access_token": secrets.token_urlsafe(60), "expires_in": 7200, "refresh_token": secrets.token_urlsafe(60),
            "openid": account.openid, "scope": scope,
        }  # fmt: skip
        if account.is_snapshot:
            found["is_snapshotuser"] = 1
        if account.unionid and scope == "snsapi_userinfo":
            found["unionid"] = account.unionid
        return found

    def _plain_token(self, given: dict[str, str]) -> dict[str, Any]:
        if stranger := self._stranger(given):
            return stranger
        self.plain = secrets.token_urlsafe(90)
        return {"access_token": self.plain, "expires_in": self.lives_s}

    def _stable_token(self, given: dict[str, str]) -> dict[str, Any]:
        if stranger := self._stranger(given):
            return stranger
        self.stable = self.stable or secrets.token_urlsafe(380)
        return {"access_token": self.stable, "expires_in": self.lives_s}

    def _ticket(self, given: dict[str, str]) -> dict[str, Any]:
        if not given.get("access_token") or given["access_token"] not in (self.stable, self.plain):
            return {"errcode": 40001, "errmsg": "invalid credential, access_token is invalid or not latest"}
        if given.get("type") != "jsapi":
            return {"errcode": 40097, "errmsg": "invalid args"}
        self.ticket = secrets.token_urlsafe(60)
        return {"errcode": 0, "errmsg": "ok", "ticket": self.ticket, "expires_in": self.lives_s}

    def _send_template(self, given: dict[str, Any]) -> dict[str, Any]:
        if not given.get("access_token") or given["access_token"] not in (self.stable, self.plain):
            return {"errcode": 40001, "errmsg": "invalid credential, access_token is invalid or not latest"}
        if given.get("template_id") not in self.templates:
            return {"errcode": 40037, "errmsg": "invalid template_id"}
        if given.get("touser") not in self.followers:
            return {"errcode": 43004, "errmsg": "require subscribe"}
        if set(given["data"]) != self.templates[given["template_id"]]:
            return {"errcode": 47003, "errmsg": "argument invalid"}
        values = {name: each["value"] for name, each in given["data"].items()}
        self.letters.setdefault((given["touser"], given["client_msg_id"]), (given["url"], values))
        return {"errcode": 0, "errmsg": "ok", "msgid": len(self.letters)}

    def login_page(self, query: str, agent: str) -> tuple[int, str, str]:
        """Status, where to, page: silent logins go straight back, others ask first. Only the app shows it at all."""
        self.authorized.append(query)
        fields = dict(parse_qsl(query))
        if "MicroMessenger" not in agent:
            return 200, "", "<h1>请在微信客户端打开链接</h1>"
        if not AUTHORIZE.fullmatch(query) or not STATE.fullmatch(fields["state"]) or fields["appid"] != APP_ID:
            return 200, "", "<h1>参数错误</h1>"
        if urlsplit(fields["redirect_uri"]).hostname not in self.redirect_hosts:
            return 200, "", "<h1>redirect_uri 域名与后台配置不一致 (10003)</h1>"
        scope = fields["scope"]
        back = f"{fields['redirect_uri']}?" + urlencode({"code": self.code(scope=scope), "state": fields["state"]})
        if scope == "snsapi_base":
            return 302, back, ""
        no = f"{fields['redirect_uri']}?" + urlencode({"state": fields["state"]})
        ways = f'<a id="agree" href="{escape(back)}">允许</a> <a id="no" href="{escape(no)}">拒绝</a>'
        return 200, "", f"<h1>申请获得你的信息</h1>{ways}"


SCRIPT = b"""(() => {
  const waiting = [];
  let state = "new";
  const settle = (to) => { state = to; waiting.splice(0).forEach((call) => call()); };
  window.wx = {
    config(given) { window.__config = given; setTimeout(() => settle(window.__refuse ? "bad" : "good"), 0); },
    ready(call) { state === "good" ? call() : waiting.push(() => state === "good" && call()); },
    error(call) { state === "bad" ? call() : waiting.push(() => state === "bad" && call()); },
    checkJsApi({ jsApiList, success }) {
      const known = Object.fromEntries(jsApiList.map((name) => [name, !(window.__unknown || []).includes(name)]));
      success({ checkResult: known, errMsg: "checkJsApi:ok" });
    },
    scanQRCode({ success }) { success({ resultStr: window.__scanned, errMsg: "scanQRCode:ok" }); },
  };
})();
"""
"""What stands for WeChat's script: the calls that our pages make, answered as WeChat's app answers them."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def _answer(self) -> None:
        town: TestTown = self.server.town
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if parts.path == "/connect/oauth2/authorize":
            status, where, page = town.login_page(parts.query, self.headers.get("User-Agent", ""))
            return self._send(status, page.encode(), "text/html; charset=utf-8", where)
        if parts.path == SCRIPT_PATH:
            town.calls.append(SCRIPT_PATH)
            return self._send(200, SCRIPT, "application/javascript")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        status, answer = town.answer(self.command, parts.path, query, body)
        # WeChat says text/plain, whatever it sends.
        return self._send(status, answer, "text/plain")

    do_GET = do_POST = _answer  # noqa: N815

    def _send(self, status: int, body: bytes, kind: str, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that give up waiting are what is tested."""


@contextmanager
def town() -> Iterator[TestTown]:
    found = TestTown()
    server = _Server(("127.0.0.1", 0), _Handler)
    server.town = found  # type: ignore[attr-defined]
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.released.set()
        server.shutdown()
        server.server_close()
