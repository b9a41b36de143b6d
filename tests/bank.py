"""``scancode sandbox-pay`` within the test's own process, and the real adapter that talks to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from scancode import config
from scancode.adapters.wechatpay.gateway import Gateway
from scancode.ports import Bill
from scancode.sandbox_pay import keys
from scancode.sandbox_pay.bank import Bank
from scancode.sandbox_pay.book import Book
from scancode.sandbox_pay.keys import Keys
from scancode.sandbox_pay.server import listen
from scancode.wiring import connect
from tests.conftest import SECRETS


@cache
def _keys() -> Keys:
    """Made once: three RSA keys take their time. Tests that change them take a copy."""
    return keys.make()


@dataclass
class Town:
    """The server, where it is, and settings with which the program pays there."""

    bank: Bank
    url: str
    gateways: list[Gateway] = field(default_factory=list)

    def settings(self, *, certificates: bool = False, **over: Any) -> config.Settings:
        environ = self.bank.keys.settings(self.url, certificates=certificates)
        given = {"env": "test", "wechatpay_timeout_s": 30, "wechatpay_rate": 1000, **SECRETS, **over}
        return config.load(environ, **given)

    def over(self, settings: config.Settings) -> config.Settings:
        """The same settings, but that money is paid here."""
        own = self.settings()
        names = [name for name in config.Settings.model_fields if name.startswith("wechatpay_")]
        return settings.model_copy(
            update={name: getattr(own, name) for name in (*names, "payout_gateway", "wechat_app_id")}
        )

    def gateway(self, **over: Any) -> Gateway:
        found = connect(self.settings(database_url="sqlite://", **over)).ports.payout
        assert isinstance(found, Gateway)
        self.gateways.append(found)
        return found

    def hang_up(self) -> None:
        """Closes what tests have opened."""
        while self.gateways:
            self.gateways.pop().close()


@contextmanager
def open_bank(**over: Any) -> Iterator[Town]:
    """Without its postman's thread: tests call ``bank.postman.deliver_due()``."""
    made = _keys()
    own = Keys(made.merchant, made.v3_key, list(made.platform), made._loaded)
    bank = Bank(own, Book(), **{"hang_s": 0.8, "rate": 10_000, **over})
    server = listen(bank, "127.0.0.1", 0)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    town = Town(bank, f"http://127.0.0.1:{server.server_address[1]}")
    try:
        yield town
    finally:
        town.hang_up()
        server.shutdown()
        server.server_close()


def bill(number: str = "SC1", amount_fen: int = 188, **over: Any) -> Bill:
    return Bill(number, "openid-alice", amount_fen, "晴岚红包", "开盖有礼", "扫码红包", **over)
