"""A consumer's phone: keeps its cookies, sends forms with the token of the page that it looks at, reads English."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from batches import codes as press
from scancode.adapters.sandbox import Sms
from scancode.campaigns.planning import PrizeLine
from scancode.catalog import revision
from scancode.codes import service as codes
from scancode.wiring import Wired
from scancode.worker import loop
from tests.stories.scene import POINTS, set_up
from tests.web.console.office import words

MOBILE = "138 1234 8000"


@dataclass(frozen=True)
class Shop:
    """A brand whose codes all hold the same prize, its app, and its worker."""

    app: Flask
    wired: Wired
    brand_id: UUID
    slug: str
    batch_number: int

    def phone(self) -> Phone:
        return Phone(self, self.app.test_client())

    def code(self, serial: int) -> str:
        with self.wired.db.reading() as session:
            batch = codes.load_batch(session, number=self.batch_number, keyring=self.wired.keyring)
        assert batch is not None
        key = self.wired.keyring.derive("t1", bytes(16))
        return press.mint_one(key, self.batch_number, press.Kind.INNER, serial)

    def work(self) -> None:
        """The worker does what is due."""
        loop.run(self.wired, stop_event=threading.Event(), kinds={"sms", "payout"}, once=True)

    def inbox(self) -> list[tuple[str, str, str]]:
        assert isinstance(self.wired.ports.sms, Sms)
        return self.wired.ports.sms.world.messages()


@dataclass(frozen=True)
class Phone:
    shop: Shop
    client: FlaskClient

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers={"Accept-Language": "en"})

    def read(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return words(answer)

    def send(self, path: str, *, page: str | None = None, **fields: str) -> TestResponse:
        """Posts to ``path`` what a form on ``page`` (the same path unless named) would."""
        form = {"token": self.token(page or path), **fields}
        return self.client.post(path, data=form, headers={"Accept-Language": "en"})

    def token(self, page: str) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.get(page).get_data(as_text=True))
        assert found is not None, f"no form at {page}"
        return found[1]

    def ask(self, mobile: str = MOBILE, **more: str) -> TestResponse:
        return self.send("/join", phone=mobile, send="1", **({"terms": "y"} | more))

    def enter(self, password: str, mobile: str = MOBILE, **more: str) -> TestResponse:
        return self.send("/join", phone=mobile, password=password, **({"terms": "y"} | more))

    def join(self, mobile: str = MOBILE, **more: str) -> TestResponse:
        """The whole way: ask, receive, enter."""
        assert self.ask(mobile).status_code == 200
        self.shop.work()
        return self.enter(self.shop.inbox()[0][1], mobile, **more)

    def claim(self, serial: int) -> TestResponse:
        code = self.shop.code(serial)
        return self.send(f"/{code}/claim", page=f"/{code}")

    def show_wechat(self, name: str = "Alice 小艾", next_path: str = "/me") -> TestResponse:
        """Signs in with the make-believe WeChat; the answer is what comes after the callback."""
        chooser = self.get(f"/login/wechat?next={next_path}").headers["Location"]
        state = re.search(r"state=(\w+)", chooser)
        assert state is not None
        back = self.send(
            "/sandbox/wechat", page=chooser, person=name, state=state[1], redirect_uri="/login/wechat/back"
        )
        return self.get(back.headers["Location"])


def place(answer: TestResponse) -> str:
    """The path that a redirect leads to."""
    assert answer.status_code in {302, 303}, (answer.status_code, words(answer)[:300])
    return urlsplit(answer.headers["Location"]).path


def open_shop(app: Flask, wired: Wired, prizes: list[PrizeLine] | None = None) -> Shop:
    with wired.db.transaction() as session:
        scene = set_up(wired, session, prizes or POINTS, around=datetime.now(UTC))
        revision.bump(session)
    return Shop(app, wired, scene.brand.id, scene.brand.slug, scene.batch_number)
