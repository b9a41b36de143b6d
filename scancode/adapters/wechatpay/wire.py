"""One signed call to the provider and its verified answer. What goes wrong becomes a PayoutError; nothing is repeated
here but a connection that could not be made, which goes to the provider's second address.

Nothing of a request or an answer is ever logged: both hold openids.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx2

from scancode.adapters.wechatpay.platform import Platform, Refused
from scancode.adapters.wechatpay.signing import Merchant
from scancode.errors import PayoutError

ANSWER_BYTES_MAX = 1 << 20
NOT_NOW = frozenset(
    {"NOT_ENOUGH", "FREQUENCY_LIMITED", "FREQUENCY_LIMIT_EXCEED", "RATELIMIT_EXCEEDED", "RATELIMIT_EXCEED"}
)
"""Words for «the same again later»: the balance is empty, or we were too quick."""
_WORD = re.compile(r"[A-Z][A-Z0-9_]{1,59}")
_NUMBER = re.compile(r"[0-9A-Za-z]{1,64}")


@dataclass(frozen=True)
class Terms:
    """What every order says alike: our app, where news is posted, and the provider's words for what money is paid for
    and how its person perceives it."""

    app_id: str
    notify_url: str
    scene: str
    perception: str


class Wire:
    """``url`` and ``backup_url`` are origins without a path; an empty one means that there is no second address."""

    def __init__(
        self,
        *,
        url: str,
        backup_url: str,
        merchant: Merchant,
        timeout_s: float,
        connect_s: float,
        clock: Callable[[], datetime],
    ) -> None:
        self.merchant = merchant
        self._urls = [each.rstrip("/") for each in (url, backup_url) if each]
        self._clock = clock
        # A proxy of the environment is for the way out of the house, not for a test server on this machine.
        self._client = httpx2.Client(
            timeout=httpx2.Timeout(timeout_s, connect=connect_s), trust_env=url.startswith("https://")
        )

    def close(self) -> None:
        """Gives up the connections that are kept open."""
        self._client.close()

    def call(
        self,
        method: str,
        target: str,
        body: str = "",
        *,
        platform: Platform,
        serial: str | None = None,
    ) -> dict[str, Any]:
        """The verified JSON object that answers; ``serial`` names the key that personal fields are sealed with.

        Raises PayoutError, with ``status`` where there was an answer.
        """
        with self._open(method, target, body, serial) as answer:
            raw = _read(answer)
            if answer.is_success:
                _require_signed(answer, raw, platform)
                return _object(raw) if raw else {}
            raise _failure(answer, raw, platform)

    def download(self, target: str) -> Iterator[bytes]:
        """The pieces of a file, whose answer the provider does not sign: compare its hash. Raises PayoutError."""
        with self._open("GET", target, "", None) as answer:
            if not answer.is_success:
                raise PayoutError("bill_unavailable", "temporary", status=answer.status_code)
            try:
                yield from answer.iter_bytes()
            except httpx2.TransportError as error:
                raise PayoutError("pay_no_answer", "unknown") from error

    @contextmanager
    def _open(self, method: str, target: str, body: str, serial: str | None) -> Iterator[httpx2.Response]:
        for place, url in enumerate(self._urls, start=1):
            signed = self.merchant.authorization(
                method=method, target=target, body=body, timestamp=int(self._clock().timestamp())
            )
            headers = {"Authorization": signed, "Accept": "application/json", "User-Agent": "scancode"}
            headers |= {"Content-Type": "application/json"} if method != "GET" else {}
            headers |= {"Wechatpay-Serial": serial} if serial else {}
            request = self._client.build_request(method, url + target, content=body.encode(), headers=headers)
            try:
                answer = self._client.send(request, stream=True)
            except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError) as error:
                if place == len(self._urls):
                    raise PayoutError("pay_unreachable", "temporary") from error
            except (httpx2.TransportError, httpx2.InvalidURL) as error:
                raise PayoutError("pay_no_answer", "unknown") from error
            else:
                break
        try:
            yield answer
        finally:
            answer.close()


class Line:
    """Calls of which only the platform's signatures are believed, and which name the key that we go by."""

    def __init__(self, wire: Wire, platform: Platform) -> None:
        self.wire, self.platform = wire, platform

    def call(self, method: str, target: str, body: str = "") -> dict[str, Any]:
        """As ``Wire.call``."""
        newest = self.platform.newest()
        return self.wire.call(method, target, body, platform=self.platform, serial=newest.serial if newest else None)

    def find(self, before: str, number: str, after: str = "") -> dict[str, Any] | None:
        """What is known of a number, whose address stands around it; None where the provider does not know it."""
        if not _NUMBER.fullmatch(number):
            return None
        try:
            return self.call("GET", f"{before}{number}{after}")
        except PayoutError as error:
            if error.status == 404:
                return None
            raise


def _read(answer: httpx2.Response) -> bytes:
    raw = b""
    try:
        for piece in answer.iter_bytes():
            raw += piece
            if len(raw) > ANSWER_BYTES_MAX:
                break
    except (httpx2.TransportError, httpx2.DecodingError) as error:
        raise PayoutError("pay_no_answer", "unknown", status=answer.status_code) from error
    return raw


def _require_signed(answer: httpx2.Response, raw: bytes, platform: Platform) -> None:
    try:
        platform.check(answer.headers, raw)
    except Refused as refused:
        raise PayoutError(refused.code, "unknown") from refused  # without a status: it is not theirs


def _failure(answer: httpx2.Response, raw: bytes, platform: Platform) -> PayoutError:
    """A refusal in the provider's word for it. Not all are signed; one that is signed wrongly says nothing."""
    status = answer.status_code
    if "Wechatpay-Signature" in answer.headers:
        _require_signed(answer, raw, platform)
    if status >= 500 or status < 400:
        return PayoutError("pay_failing", "unknown", status=status)
    try:
        word = str(_object(raw).get("code"))
    except PayoutError:
        word = ""
    code = word if _WORD.fullmatch(word) else f"HTTP_{status}"
    return PayoutError(code, "temporary" if status == 429 or code in NOT_NOW else "permanent", status=status)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except ValueError as error:
        raise PayoutError("pay_unreadable", "unknown") from error
    if not isinstance(found, dict):
        raise PayoutError("pay_unreadable", "unknown")
    return found


def text_of(value: Any, limit: int) -> str | None:
    """A text of an answer, None for none. Raises ValueError for what is no text of that length."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > limit:
        raise ValueError("not a text of that length")
    return value
