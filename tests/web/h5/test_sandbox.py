"""The make-believe outside world: the whole story by pressing buttons; nothing of it without the sandbox."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask

from scancode import config
from scancode.app import create_app
from scancode.ports import Ports
from scancode.wiring import Wired
from tests.conftest import SECRETS
from tests.web.console.office import words
from tests.web.h5.phone import Phone, Shop, place


def fields(page: str, form: int = 0) -> dict[str, str]:
    """The hidden and filled fields of a form of the page."""
    found = re.findall(r"<form.*?</form>", page, flags=re.DOTALL)[form]
    pairs = re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', found)
    pairs += [(b, a) for a, b in re.findall(r'<input[^>]*value="([^"]*)"[^>]*name="(\w+)"', found)]
    return {name: value.replace("&amp;", "&") for name, value in pairs}


def test_the_whole_way_needs_no_keyboard(shop: Shop) -> None:
    alice = shop.phone()
    page = alice.send("/join", demo="1").get_data(as_text=True)
    number = fields(page)["phone"]
    assert number.startswith("138 0013 ")
    sent = alice.ask(number).get_data(as_text=True)
    link = re.search(r'href="(/sandbox/phone\?[^"]+)"', sent)
    assert link is not None
    inbox_url = link[1].replace("&amp;", "&")
    assert "No new message yet" in alice.read(inbox_url)
    shop.work()
    inbox = alice.get(inbox_url).get_data(as_text=True)
    assert "make-believe" in inbox
    filled = alice.client.post("/join", data=fields(inbox) | {"fill": "1"}).get_data(as_text=True)
    form = fields(filled)
    assert form["password"].isdigit()
    assert re.search(r'<input checked[^>]*name="terms"', filled)
    answer = alice.client.post("/join", data=form | {"terms": "y", "enter": "1"})
    assert place(answer) == "/me"


def test_the_demo_number_is_this_browsers_own(shop: Shop) -> None:
    def offered(phone: Phone) -> str:
        return fields(phone.send("/join", demo="1").get_data(as_text=True))["phone"]

    alice, bob = shop.phone(), shop.phone()
    assert offered(alice) == offered(alice)
    assert offered(alice) != offered(bob)


def test_money_is_received_by_pressing_a_button(money_shop: Shop) -> None:
    alice = money_shop.phone()
    alice.claim(1)
    reward = place(alice.show_wechat(next_path="/me/rewards"))
    money_shop.work()
    page = alice.get(reward).get_data(as_text=True)
    link = re.search(r'href="(/me/rewards/\d+)"', page)
    assert link is not None
    pay = re.search(r'href="(/sandbox/pay\?[^"]+)"', alice.get(link[1]).get_data(as_text=True))
    assert pay is not None
    pay_url = pay[1].replace("&amp;", "&")
    assert "1.88" in alice.read(pay_url)
    form = fields(alice.get(pay_url).get_data(as_text=True))
    assert place(alice.client.post("/sandbox/pay", data=form | {"later": "1"})) == link[1]
    assert "1.88" in alice.read(pay_url)
    assert place(alice.client.post("/sandbox/pay", data=form | {"receive": "1"})) == link[1]
    assert "Nothing is waiting here" in alice.read(pay_url)


def test_sandbox_pages_lead_nowhere_else(shop: Shop) -> None:
    alice = shop.phone()
    page = "/sandbox/wechat?state=x&redirect_uri=https://evil.example/steal"
    answer = alice.send("/sandbox/wechat", page=page, person="Bob 大博", redirect_uri="https://evil.example/steal")
    assert answer.headers["Location"].startswith("/steal?")
    left = alice.send(
        "/sandbox/pay", page="/sandbox/wechat", package="x", later="1", return_url="https://evil.example/me"
    )
    assert left.headers["Location"] == "/me"


def test_every_page_says_that_it_is_make_believe(shop: Shop) -> None:
    alice = shop.phone()
    for path in ("/sandbox/wechat", "/sandbox/phone", "/sandbox/pay"):
        assert "Nothing here is real" in alice.read(path)


@pytest.fixture
def real(wired: Wired, database_url: str) -> Flask:
    """An installation without any sandbox."""
    settings = config.load({}, env="test", database_url=database_url, **SECRETS)
    return create_app(wired=replace(wired, settings=settings, ports=Ports(None, None, None)))


def test_none_of_it_exists_without_the_sandbox(real: Flask, shop: Shop) -> None:
    stranger = real.test_client()
    for path in ("/sandbox/wechat", "/sandbox/phone", "/sandbox/pay"):
        assert stranger.get(path).status_code == 404
    page = stranger.get(f"/{shop.code(1)}").get_data(as_text=True)
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    for path in ("/sandbox/wechat", "/sandbox/pay"):
        assert stranger.post(path, data={"token": token[1], "receive": "1"}).status_code == 404
    answer = stranger.post("/join", data={"token": token[1], "demo": "1"}, headers={"Accept-Language": "en"})
    assert "Sandbox" not in words(answer)
    assert "0013" not in words(answer)
