"""Everything that the doors of the payment server share: its book, its keys, its faults, and who may come in."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable

from scancode.sandbox_pay.authorisations import Grants
from scancode.sandbox_pay.book import Book
from scancode.sandbox_pay.faults import Faults
from scancode.sandbox_pay.keys import MCH_ID, Keys
from scancode.sandbox_pay.notices import Postman, Send
from scancode.sandbox_pay.rules import Refused
from scancode.sandbox_pay.statements import Statements

CLOCKS_APART_S = 300
_AUTHORIZATION = re.compile(r'(\w+)="([^"]*)"')


class Bank:
    """``hang_s`` is how long a call hangs, ``rate`` how many a second a door takes."""

    def __init__(
        self,
        keys: Keys,
        book: Book,
        *,
        hang_s: float = 15.0,
        rate: int = 100,
        hurry: float = 1.0,
        today_too: bool = True,
        send: Send | None = None,
    ) -> None:
        self.keys, self.book, self.faults = keys, book, Faults()
        self.grants = Grants(book)
        self.postman = Postman(book, keys, self.faults, hurry=hurry, send=send)
        self.statements = Statements(book, today_too=today_too)
        self.hang_s, self.rate = hang_s, rate
        self._calls: dict[str, deque[float]] = {}
        self._nonces: deque[str] = deque(maxlen=100_000)
        self._turn = threading.Lock()

    def count(self, door: str) -> None:
        """Raises Refused when a door was used too often within the last second."""
        now = time.monotonic()
        with self._turn:
            calls = self._calls.setdefault(door, deque())
            while calls and calls[0] < now - 1:
                calls.popleft()
            if len(calls) >= self.rate:
                raise Refused(429, "FREQUENCY_LIMIT_EXCEED", "频率超限")
            calls.append(now)

    def require_merchant(self, authorization: str, signed: Callable[[str, str], bytes]) -> None:
        """Raises Refused unless the merchant signed this call just now, and for the first time."""
        scheme, _, rest = authorization.partition(" ")
        given = dict(_AUTHORIZATION.findall(rest))
        stamp, nonce = given.get("timestamp", ""), given.get("nonce_str", "")
        if scheme != "WECHATPAY2-SHA256-RSA2048" or given.get("mchid") != MCH_ID or not stamp.isdigit():
            raise Refused(401, "SIGN_ERROR", "Authorization")
        if given.get("serial_no") != self.keys.merchant.serial:
            raise Refused(401, "SIGN_ERROR", "serial_no")
        if abs(int(stamp) - self.book.now()) > CLOCKS_APART_S:
            raise Refused(401, "SIGN_ERROR", "timestamp")
        if not nonce or nonce in self._nonces:
            raise Refused(401, "SIGN_ERROR", "nonce_str")
        if not self.keys.is_merchants(signed(stamp, nonce), given.get("signature", "")):
            raise Refused(401, "SIGN_ERROR", "signature")
        with self._turn:
            self._nonces.append(nonce)
