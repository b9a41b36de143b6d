"""WeChat in a real Chromium, with a WeChat on another origin: a claim's form leads to its login and back under the
strict policy, its script receives money and scans, and what a browser outside won comes over by link and number."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from pydantic import SecretStr
from werkzeug.serving import make_server

from scancode.app import create_app
from scancode.config import Settings
from scancode.ports import Ports
from scancode.wiring import Wired, connect
from tests import browser as chrome
from tests import servers
from tests.browser import PHONE, Window
from tests.stories.scene import MONEY
from tests.web.h5.phone import Shop, open_shop
from tests.web.h5.walking import SMALL, WIDTH, Walk
from tests.wechat import APP_ID, SCRIPT_PATH, SECRET, Account, TestTown, town

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("servers"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
WECHAT = PHONE | {"user_agent": f"{PHONE['user_agent']} MicroMessenger/8.0.50"}
BRIDGE = """window.WeixinJSBridge = { invoke(name, given, call) {
  sessionStorage.invoked = JSON.stringify([name, given, window.__config, location.href]);
  call({ err_msg: name + (sessionStorage.answer || ":ok") });
} };"""
"""What WeChat's app puts into every page that it shows."""


@dataclass
class Street:
    shop: Shop
    there: TestTown
    alice: Window
    outside: Window


@pytest.fixture
def street(settings: Settings, wired: Wired) -> Iterator[Street]:
    chrome.path()
    port = servers.free_port()
    with town() as there:
        named = {
            "base_url": f"http://127.0.0.1:{port}", "login_gateway": "wechat", "wechat_app_id": APP_ID,
            "wechat_secret": SecretStr(SECRET), "wechat_api_url": there.url, "wechat_open_url": there.url,
            "wechat_script_url": there.url + SCRIPT_PATH,
        }  # fmt: skip
        connected = connect(settings.model_copy(update=named))
        wechat = connected.ports
        # Without a page of the sandbox's: the person receives the money on WeChat's.
        ports = Ports(identity=wechat.identity, scripts=wechat.scripts, payout=wired.ports.payout, sms=wired.ports.sms)
        wired = replace(wired, settings=connected.settings, ports=ports)
        app = create_app(wired=wired)
        shop = open_shop(app, wired, MONEY)
        server = make_server("127.0.0.1", port, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with chrome.chromium() as browser:
            alice = Window.open(browser, named["base_url"], "alice", locale="en-US", device=WECHAT)  # type: ignore[arg-type]
            alice.page.add_init_script(BRIDGE)
            outside = Window.open(browser, named["base_url"], "outside", locale="zh-CN", device=PHONE)  # type: ignore[arg-type]
            yield Street(shop, there, alice, outside)
        server.shutdown()
        thread.join()
        server.server_close()
        connected.db.close()


def wait_until(window: Window, script: str) -> None:
    """The page's policy forbids Playwright's own way of waiting for a script."""
    end = time.monotonic() + chrome.PATIENCE_S
    while not window.page.evaluate(script):
        assert time.monotonic() < end, script


def test_a_person_claims_and_receives_inside_wechat(street: Street) -> None:
    alice, there = street.alice, street.there
    alice.go(f"/{street.shop.code(1)}")
    alice.click("text=Claim my reward")  # POST, 303, our login, WeChat's, and back
    assert "/me/rewards/" in alice.page.url
    assert len(there.authorized) == 1
    alice.sees("We are sending it")
    assert there.count(SCRIPT_PATH) == 1
    street.shop.work()
    receive = alice.page.locator("[data-transfer]")
    receive.wait_for()
    alice.look()
    alice.page.evaluate("sessionStorage.answer = ':cancel'")
    receive.click()
    wait_until(alice, "sessionStorage.invoked")
    assert "back=1" not in alice.page.url
    alice.page.evaluate("sessionStorage.answer = ''")
    with alice.page.expect_navigation(url="**back=1"):
        receive.click()
    name, given, config, page = json.loads(alice.page.evaluate("sessionStorage.invoked"))
    assert name == "requestMerchantTransfer"
    assert given["mchId"]
    assert given["package"]
    assert there.verifies(config, page)
    alice.sees("We are asking WeChat")

    alice.page.evaluate("window.__unknown = ['requestMerchantTransfer']")
    alice.page.locator("[data-transfer]").click()
    alice.sees("This WeChat is too old")

    alice.go("/")
    alice.page.evaluate(f"window.__scanned = 'HTTPS://Q.BRAND.CN/{street.shop.code(2)}'")
    with alice.page.expect_navigation(url=f"**/{street.shop.code(2)}"):
        alice.page.locator("[data-wechat-scan]").click()
    alice.look()
    assert there.count(SCRIPT_PATH) == 3  # not on the page of a package


def test_what_was_won_outside_is_taken_into_wechat(street: Street) -> None:
    outside, alice = street.outside, street.alice
    outside.go(f"/{street.shop.code(1)}")
    outside.press("立即抽奖")
    outside.press("转到微信领取")
    number = outside.page.inner_text(".guide__number")
    link = outside.page.inner_text(".guide__link code")
    outside.look()
    street.there.visitor = Account("o-alice-1234567890")
    alice.go(link)  # through the silent login, and back to the form
    alice.page.fill("[name=number]", number)
    alice.click("form [type=submit]")
    assert "/me/rewards?" in alice.page.url
    alice.sees("The reward that we kept for you is yours now.")
    outside.sees("奖励已转入微信")
    assert street.there.count(SCRIPT_PATH) == 0


def test_axe_finds_nothing_on_any_page_inside_wechat_nor_on_the_way_there(street: Street) -> None:
    """The login's ends, joining and agreeing, money that WeChat's script receives, coming over from outside."""
    shop, there, alice, outside = street.shop, street.there, street.alice, street.outside
    for window in (alice, outside):
        window.page.set_viewport_size({"width": WIDTH, "height": SMALL["viewport"]["height"]})  # type: ignore[index]
    inside, without = Walk(shop, alice), Walk(shop, outside)
    for path in ("/", f"/{shop.code(1)}", "/join", "/login/wechat/back?state=none&code=1"):
        inside.see(path)
    there.visitor = Account("o-snapshot", is_snapshot=True)
    inside.see("/login/wechat?next=/me")
    there.visitor = Account("o-wechat-alice-01", "u-wechat-alice-01")
    there.next("/sns/oauth2/access_token", errcode=-1, times=9)
    inside.see("/login/wechat?next=/me")
    there.waiting.clear()
    inside.see("/login/wechat?next=/me")  # known, and no member yet
    inside.see("/join")
    alice.page.goto(f"/{shop.code(1)}")
    alice.click("form[action$='/claim'] button")
    inside.look("it is on its way")
    shop.work()
    alice.page.locator("[data-transfer]").wait_for()
    inside.look("it waits to be received")
    alice.page.evaluate("window.__unknown = ['requestMerchantTransfer']")
    alice.page.locator("[data-transfer]").click()
    alice.sees("This WeChat is too old")
    inside.look("it cannot be received here")
    inside.join()
    for path in ("/me", "/me/privacy", "/me/rewards"):
        inside.see(path)

    without.see("/login/wechat?next=/me")
    outside.page.goto(f"/{shop.code(2)}")
    outside.page.locator("form[action$='/claim'] button").click()
    without.look("kept until it is taken into WeChat")
    outside.press("转到微信领取")
    without.look("open in WeChat, with what is kept")
    link = outside.page.inner_text(".guide__link code")
    there.visitor = Account("o-bob-1234567890")
    alice.page.context.clear_cookies()
    inside.see(link)
    alice.page.fill("[name=number]", "000000")
    alice.page.locator("form [type=submit]").click()
    inside.look("a number that is wrong")
    problems = [*inside.problems, *without.problems]
    assert not problems, "\n".join(problems)
