"""The real WeChat: login of an official account (OAuth), the signature of pages that use WeChat's own script, and
messages by template.

WeChat's answers are HTTP 200 whatever happened, with ``errcode`` in the body; here each becomes an ``OutsideError``
that says whether trying again can help. A call has one time limit in all and an answer a size limit, and only some of
a process's threads may wait for WeChat at once, so that scans go on while it hangs. Nothing that identifies a person
and no secret is logged: WeChat wants the secret in addresses, so the library's own log of addresses is kept quiet.

Sources: developers.weixin.qq.com/doc/service (webdev/access, base/api_getstableaccesstoken, guide/h5/jssdk,
notify/template).
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urldefrag, urlencode

import httpx2
import structlog

from scancode.adapters.tokens import Fetched, Token, TokenShelf, system_clock
from scancode.errors import OutsideError
from scancode.ports import Login, PageSignature

for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)

ANSWER_BYTES_MAX = 64_000
TOKEN_CHARS_MAX = 4_000
TURN_S_MAX = 1.0
"""How long a call waits for its turn when many wait for WeChat already."""
log = structlog.get_logger(__name__)

BAD_CODE = frozenset({40029, 40163, 41008, 42003})
"""The login code is wrong, was used, is missing, has expired: a new login brings a new one."""
STALE_TOKEN = frozenset({40001, 40014, 42001})
"""The access token was replaced or has expired."""
BUSY = frozenset({-1, 45009, 45011, 50002})
"""Busy, beyond the day's or the minute's limit, limited for the moment."""

UNREACHABLE = frozenset({40003, 43004, 43101})
"""No such person at this account, not following it, or not wanting its messages."""

_OPENID = re.compile(r"[0-9A-Za-z_-]{6,128}")


class WeChatRefused(OutsideError):
    """WeChat said no. ``errcode`` is its own number."""

    def __init__(self, code: str, *, permanent: bool, errcode: int) -> None:
        super().__init__(code, permanent=permanent)
        self.errcode = errcode


class StaleToken(WeChatRefused):
    """The access token is not good any more, though it should be."""


@dataclass(frozen=True)
class Account:
    """The official account, and where WeChat is: settings, so that a test server can stand in for it."""

    app_id: str
    secret: str
    api_url: str
    open_url: str
    script_url: str
    timeout_s: float
    calls_at_once: int


class WeChat:
    """One per process: login, page scripts, messages. Connects on first use, so a server may fork first."""

    needs_app = True

    def __init__(
        self,
        account: Account,
        shelf: TokenShelf,
        *,
        clock: Callable[[], datetime] = system_clock,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        """``verify``: how WeChat's certificate is checked; tests without TLS save the time to load the world's."""
        self._account = account
        self._verify = verify
        self._shelf = shelf
        self._clock = clock
        self._turns = threading.BoundedSemaphore(account.calls_at_once)
        self.script_url = account.script_url

    def authorize_url(self, *, redirect_uri: str, state: str, with_consent: bool = False) -> str:
        # The order of the parameters is WeChat's: it compares them with a pattern.
        query = urlencode(
            {
                "appid": self._account.app_id,
                "redirect_uri": redirect_uri,
                "response_type": "code",
                "scope": "snsapi_userinfo" if with_consent else "snsapi_base",
                "state": state,
            }
        )
        return f"{self._account.open_url}/connect/oauth2/authorize?{query}#wechat_redirect"

    def exchange(self, *, code: str) -> Login:
        """The token for more about the person, which WeChat gives along, is dropped: nothing more is asked."""
        answer = self._call(
            "GET", "/sns/oauth2/access_token", **self._credentials(), code=code, grant_type="authorization_code"
        )
        openid, unionid = answer.get("openid"), answer.get("unionid")
        if not _is_id(openid):
            log.error("wechat_unreadable", path="/sns/oauth2/access_token", problem="openid")
            raise OutsideError("wechat_unreadable", permanent=False)
        # Whatever is not clearly a no is taken for a virtual account: money must not go to one.
        is_snapshot = answer.get("is_snapshotuser") not in (None, 0, "0", False)
        return Login(str(openid), is_snapshot=is_snapshot, unionid=str(unionid) if _is_id(unionid) else None)

    def sign_page(self, *, url: str) -> PageSignature:
        nonce, at_s = secrets.token_hex(8), int(self._clock().timestamp())
        signature = sign(ticket=self._ticket(), nonce=nonce, timestamp_s=at_s, url=url)
        return PageSignature(self._account.app_id, at_s, nonce, signature)

    def send_template(self, *, openid: str, template_id: str, url: str, fields: Mapping[str, str], key: str) -> None:
        message = {
            "touser": openid,
            "template_id": template_id,
            "url": url,
            "client_msg_id": key,
            "data": {name: {"value": value} for name, value in fields.items()},
        }
        token = self._access_token()
        try:
            self._post_message(token, message)
        except StaleToken:
            self._post_message(self._access_token(refused=token.version), message)

    def _post_message(self, token: Token, message: Mapping[str, Any]) -> None:
        self._ask("POST", "/cgi-bin/message/template/send", params={"access_token": token.value}, json=message)

    def check(self) -> None:
        """Whether app id, secret and this computer's address are accepted. Raises OutsideError."""
        self._ticket()

    def close(self) -> None:
        """Ends the connections that are kept open; the next call makes new ones."""
        client = self.__dict__.pop("_client", None)
        if client is not None:
            client.close()

    def _ticket(self) -> str:
        return self._shelf.get(f"wechat_ticket:{self._account.app_id}", self._fetch_ticket).value

    def _fetch_ticket(self) -> Fetched:
        token = self._access_token()
        try:
            answer = self._ask_ticket(token)
        except StaleToken:
            # Somebody replaced it (the secret was reset, another program forced a new one): one more try with the next.
            answer = self._ask_ticket(self._access_token(refused=token.version))
        return _fetched(answer, "ticket")

    def _ask_ticket(self, token: Token) -> Mapping[str, Any]:
        return self._call("GET", "/cgi-bin/ticket/getticket", access_token=token.value, type="jsapi")

    def _access_token(self, refused: int | None = None) -> Token:
        return self._shelf.get(f"wechat_token:{self._account.app_id}", self._fetch_token, refused=refused)

    def _fetch_token(self) -> Fetched:
        """The «stable» token: asked for again it is the same one,, and other programs' tokens do not end it."""
        answer = self._call("POST", "/cgi-bin/stable_token", **self._credentials(), grant_type="client_credential")
        return _fetched(answer, "access_token")

    def _credentials(self) -> dict[str, str]:
        return {"appid": self._account.app_id, "secret": self._account.secret}

    def _call(self, method: str, path: str, **fields: str) -> Mapping[str, Any]:
        """The answer's fields: GET sends ours in the address, POST as JSON. Raises OutsideError."""
        return self._ask(method, path, **({"json": fields} if method == "POST" else {"params": fields}))

    def _ask(self, method: str, path: str, **sent: Any) -> Mapping[str, Any]:
        with self._turn():
            try:
                body = self._send(method, path, sent)
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                log.warning("wechat_unreachable", path=path, problem=type(error).__name__)
                problem: str | None = "wechat_unreachable"
            else:
                problem = None
        if problem:  # raised out here, so that no traceback leads to the address with the secret
            raise OutsideError(problem, permanent=False)
        return _understood(body, path)

    def _send(self, method: str, path: str, sent: Mapping[str, Any]) -> bytes | None:
        """The body of a 200; None for any other status or what is too long. Tried twice only while nothing was sent."""
        deadline = time.monotonic() + self._account.timeout_s
        for attempt in (1, 2):
            left_s = max(0.1, deadline - time.monotonic())
            try:
                with self._client.stream(method, path, timeout=left_s, **sent) as answer:
                    return _read(answer, deadline)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if attempt == 2 or time.monotonic() > deadline:
                    raise
        raise AssertionError("unreachable")

    @cached_property
    def _client(self) -> httpx2.Client:
        return httpx2.Client(base_url=self._account.api_url, verify=self._verify, headers={"User-Agent": "scancode"})

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=TURN_S_MAX):
            log.warning("wechat_crowded", calls=self._account.calls_at_once)
            raise OutsideError("wechat_busy", permanent=False)
        try:
            yield
        finally:
            self._turns.release()


def sign(*, ticket: str, nonce: str, timestamp_s: int, url: str) -> str:
    """The signature that ``wx.config`` wants for a page, in hexadecimal."""
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp_s}&url={urldefrag(url).url}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _read(answer: httpx2.Response, deadline: float) -> bytes | None:
    if answer.status_code != 200:
        return None
    body = b""
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > ANSWER_BYTES_MAX:
            return None
        if time.monotonic() > deadline:  # each piece came in time, all together do not
            raise httpx2.ReadTimeout("the answer takes too long")
    return body


def _understood(body: bytes | None, path: str) -> Mapping[str, Any]:
    """The fields of a good answer. Raises OutsideError for what is none, and for the error that it tells."""
    try:
        answer = json.loads(body) if body is not None else None
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        log.warning(
            "wechat_unreadable", path=path, problem="no JSON object" if body is not None else "status or length"
        )
        raise OutsideError("wechat_unreadable", permanent=False)
    errcode = answer.get("errcode", 0)
    if errcode in (0, "0", None):
        return answer
    raise _refusal(errcode if isinstance(errcode, int) else 0, path)


def _refusal(errcode: int, path: str) -> WeChatRefused:
    if errcode in BAD_CODE:
        return WeChatRefused("login_code", permanent=True, errcode=errcode)
    if errcode in STALE_TOKEN:
        return StaleToken("wechat_token", permanent=False, errcode=errcode)
    if errcode in BUSY:
        log.warning("wechat_busy", path=path, errcode=errcode)
        return WeChatRefused("wechat_busy", permanent=False, errcode=errcode)
    if errcode in UNREACHABLE:
        return WeChatRefused("wechat_unreachable", permanent=True, errcode=errcode)
    # 40013 app id, 40125 secret, 40164 address not on the list, 48001 no right: an operator has to mend it.
    log.error("wechat_refused", path=path, errcode=errcode)
    return WeChatRefused("wechat_refused", permanent=True, errcode=errcode)


def _fetched(answer: Mapping[str, Any], name: str) -> Fetched:
    value, lives_s = answer.get(name), answer.get("expires_in")
    is_sound = isinstance(value, str) and 0 < len(value) <= TOKEN_CHARS_MAX and value.isascii() and value.isprintable()
    if not is_sound or not isinstance(lives_s, int) or isinstance(lives_s, bool) or lives_s <= 0:
        log.error("wechat_unreadable", problem=name)
        raise OutsideError("wechat_unreadable", permanent=False)
    return Fetched(str(value), lives_s)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _OPENID.fullmatch(value) is not None
