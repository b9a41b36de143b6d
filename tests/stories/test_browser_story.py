"""The main job through a real browser, with real server processes and the real worker, by four people.

Carol (factory) orders codes, downloads the sheet, ships and activates them; Dave (marketing) opens a channel, a store
and a guide, writes a campaign that Erin publishes, and reads the report; Alice opens what the printed symbols say,
wins, is paid, joins.
Nothing is asserted that a person could not see, but for the files that they download.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from scancode.catalog import revision
from scancode.config import Settings
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests import browser as chrome
from tests import factories, servers
from tests.bank import Town as Bank
from tests.bank import open_bank
from tests.browser import DESK, PHONE, Window

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("servers")]

COUNT = 24
SHIPPED = 20
ZONE = ZoneInfo("Asia/Shanghai")
STORE, GUIDE = "静安寺店", "王小满"
WELCOME = "静安寺店欢迎您"
CHINESE, ENGLISH = "zh-CN", "en-US"


@dataclass
class Town:
    """The served brand, and the windows of its people."""

    url: str
    settings: Settings
    folder: Path
    carol: Window
    dave: Window
    erin: Window
    alice: Window
    friend: Window
    guest: Window


@pytest.fixture
def bank() -> Iterator[Bank]:
    """The payment server, calling back."""
    with open_bank() as found:
        found.bank.postman.start()
        yield found
        found.bank.postman.stop()


@pytest.fixture
def town(wired: Wired, settings: Settings, bank: Bank, tmp_path: Path) -> Iterator[Town]:
    chrome.path()
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}"
    settings = bank.over(settings.model_copy(update={"base_url": url}))
    with wired.db.transaction() as session:
        brand = factories.make_brand(session, slug="shanquan")
        factories.make_product(session, brand_id=brand.id, gtin="06901234567892")
        factories.make_staff(session, name="Carol", login="carol", role=Role.FACTORY, brand_id=brand.id)
        factories.make_staff(session, name="Dave", login="dave", role=Role.MARKETING, brand_id=brand.id)
        factories.make_staff(session, name="Erin", login="erin", role=Role.MARKETING, brand_id=brand.id)
        revision.bump(session)
    with servers.gunicorn(settings, workers=2, port=port), chrome.chromium() as browser:
        assert servers.Browser(url).get("/readyz")[0] == 200  # its processes take their time to start

        def window(name: str, locale: str, device: dict[str, object]) -> Window:
            return Window.open(browser, url, name, locale=locale, device=device)

        yield Town(
            url,
            settings,
            tmp_path,
            carol=window("carol", CHINESE, DESK),
            dave=window("dave", ENGLISH, DESK),
            erin=window("erin", ENGLISH, DESK),
            alice=window("alice", CHINESE, PHONE),
            friend=window("friend", ENGLISH, PHONE),
            guest=window("guest", CHINESE, PHONE),
        )


def test_four_people_do_the_whole_job(town: Town) -> None:
    sign_in(town.carol, "carol")
    sign_in(town.dave, "dave")
    order_batch(town.carol)
    guide_page = open_places(town.dave)
    with servers.worker(town.settings):
        urls = download_labels(town)
        ship_and_activate(town.carol)
        publish_campaign(town.dave, town.erin)

        win_and_be_paid(town.alice, urls[3])
        look_at_the_friends_bottle(town.friend, urls[3])
        come_through_the_guide(town, guide_page, urls[7])
        join_by_phone(town.alice)
    read_report(town)
    void_one(town, urls[5])


def sign_in(window: Window, login: str) -> None:
    window.go("/console/")
    window.page.fill("[name=login]", login)
    window.page.fill("[name=password]", factories.PASSWORD)
    window.click("form [type=submit]")
    assert "/console/login" not in window.page.url


def order_batch(carol: Window) -> None:
    """The worker does not run yet, so that she sees the order wait, and then move by itself."""
    carol.go("/console/batches")
    carol.press("订购码")
    page = carol.page
    page.select_option("[name=product]", index=0)
    page.fill("[name=count]", str(COUNT))
    page.check("[name=formats][value=csv]")
    page.check("[name=formats][value=pdf]")
    page.fill("[name=order_no]", "PO-1")
    page.fill("[name=lot]", "L2611A")
    carol.press("确认订购")
    carol.sees("等待后台处理")


def open_places(dave: Window) -> str:
    """A channel, a store in it, a guide in that; the address of the page of the guide's code."""
    page = dave.page
    dave.go("/console/channels")
    dave.press("New channel")
    page.fill("[name=name]", "鲜邻便利")
    dave.press("Create channel")
    dave.press("New store")
    page.fill("[name=name]", STORE)
    page.fill("[name=city]", "上海市")
    dave.press("Create store")
    write_welcome(dave)
    dave.press("New guide")
    page.fill("[name=name]", GUIDE)
    dave.press("Create guide")
    dave.go(page.url)
    with page.expect_navigation():
        page.locator("tr", has_text=GUIDE).get_by_role("link", name="Code and card").click()
    dave.sees("Times opened")
    return page.url


def download_labels(town: Town) -> list[str]:
    """What the printed symbols say, by serial: every label of the sheet is read, and agrees with the list."""
    carol = town.carol
    carol.page.locator("a[download]").first.wait_for()
    carol.look()
    sheet = carol.download('a[download][href$=".pdf"]', town.folder)
    listed = carol.download('a[download][href$=".csv"]', town.folder)
    rows = list(csv.DictReader(io.StringIO(listed.read_text(encoding="utf-8-sig"))))
    urls = [row["inner_url"] for row in rows]
    assert [int(row["serial"]) for row in rows] == list(range(COUNT))
    assert all(url == f"{town.url.upper()}/{row['inner_code']}" for url, row in zip(urls, rows, strict=True))
    assert sorted(read_sheet(sheet)) == sorted(urls)
    return urls


def read_sheet(path: Path) -> list[str]:
    document = pypdfium2.PdfDocument(path)
    try:
        pictures = [sheet.render(scale=4).to_pil() for sheet in document]
    finally:
        document.close()
    return [found.text for picture in pictures for found in zxingcpp.read_barcodes(picture)]


def ship_and_activate(carol: Window) -> None:
    page = carol.page
    batch = page.url
    number = batch.rstrip("/").split("/")[-1]
    carol.go("/console/shipments")
    carol.press("新建出库单")
    page.fill("[name=number]", "CK-1")
    page.fill("[name=batch]", number)
    page.fill("[name=ranges]", f"0-{SHIPPED - 1}")
    page.select_option("[name=place]", label=STORE)
    carol.press("登记出库")
    carol.sees("CK-1", STORE)
    carol.go(batch)
    carol.press("激活")
    page.fill("[name=ranges]", "all")
    carol.press("激活")
    assert page.url.split("#")[0] == batch
    carol.sees("已激活")


def write_welcome(dave: Window) -> None:
    """From the page of the store: what is typed stands on the phone beside it before it is saved."""
    page = dave.page
    back = page.url
    dave.press("Welcome")
    fields = {"title_zh": WELCOME, "title_en": "The shop says hello", "link": "/me/points", "button_zh": "看积分"}
    for name, text in {**fields, "button_en": "My points"}.items():
        page.fill(f"#{name}", text)
    page.frame_locator(".look__phone").get_by_text("The shop says hello").wait_for()
    page.check("#shown [value=zh]")
    page.frame_locator(".look__phone").get_by_text(WELCOME).wait_for()
    dave.press("Save")
    dave.sees("The shop says hello", STORE)
    dave.go(back)


def publish_campaign(dave: Window, erin: Window) -> None:
    """A table of as many red packets as codes: whoever claims has won. Dave writes it, Erin looks and publishes."""
    page, now = dave.page, datetime.now(ZONE)
    dave.go("/console/campaigns")
    dave.press("New campaign")
    page.fill("[name=name_zh]", "开盖有礼")
    page.fill("[name=name_en]", "Under the cap")
    page.fill("[name=starts_at]", f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}")
    page.fill("[name=ends_at]", f"{now + timedelta(days=30):%Y-%m-%dT%H:%M}")
    page.fill("[name=budget_yuan]", "45.12")
    dave.press("Keep draft")
    dave.press("Add prize pool")
    page.select_option("[name=ranges-0-batch]", index=1)
    page.fill("[name=prizes-0-amount]", "1.88")
    page.fill("[name=prizes-0-count]", str(COUNT))
    expect(page.locator(".pool__side")).to_contain_text("¥45.12 / ¥45.12")
    dave.press("Keep prize pool")
    dave.sees("Ready to be reviewed")
    dave.press("Ask for review")
    dave.sees("A colleague has to look at it")
    sign_in(erin, "erin")
    erin.go(urlsplit(page.url).path)
    erin.sees("Worst case", "¥45.12")
    erin.page.get_by_role("button", name="Approve and publish").click()
    with erin.page.expect_navigation():
        erin.page.locator("#confirm [value=yes]").click()
    erin.sees("Published. From now on", "Running")


def win_and_be_paid(alice: Window, url: str) -> None:
    alice.until(url, "立即抽奖")
    alice.sees("正品验证通过", "您是第一位扫码者")
    alice.press("立即抽奖")
    alice.sees("还差一步", "1.88")
    choose_wechat(alice, "用微信领取", "Alice 小艾")
    receive = alice.page.get_by_role("button", name="领取 ¥1.88")
    receive.wait_for()
    alice.look()
    with alice.page.expect_navigation():
        receive.click()
    alice.sees("1.88")
    alice.press("收款")
    alice.sees("已到账")


def choose_wechat(window: Window, label: str, person: str) -> None:
    window.press(label)
    window.press(person)


def look_at_the_friends_bottle(friend: Window, url: str) -> None:
    friend.go(url)
    friend.sees("Genuine code, scanned before", "The reward of this code was claimed on")


def come_through_the_guide(town: Town, guide_page: str, url: str) -> None:
    """The guide's own symbol first, then a bottle: the bottle is credited to the guide."""
    town.dave.go(guide_page)
    picture = town.dave.download('main a[href*="download=1"][href*="png"]', town.folder)
    (symbol,) = zxingcpp.read_barcodes(Image.open(picture))
    assert symbol.text.lower().startswith(f"{town.url}/t/")
    guest = town.guest
    guest.go(symbol.text)
    guest.sees(GUIDE)
    guest.go(url)
    guest.press("立即抽奖")
    choose_wechat(guest, "用微信领取", "Bob 大博")
    guest.sees("1.88")


def join_by_phone(alice: Window) -> None:
    page = alice.page
    alice.go("/me")
    alice.press("加入 / 登录")
    alice.press("使用演示号码")
    assert re.fullmatch(r"138 0013 \d{4}", page.input_value("[name=phone]"))
    page.check("[name=terms]")
    alice.press("获取验证码")
    alice.press("查看模拟手机短信")
    page.locator(".bubble_newest").wait_for()
    alice.press("使用此验证码")
    assert page.is_checked("[name=terms]")
    alice.press("加入 / 登录")
    alice.sees(WELCOME, "138****")
    alice.press("看积分")
    assert page.url.endswith("/me/points")
    alice.go("/me")
    alice.sees(WELCOME)
    alice.click(".welcome__away button")
    assert WELCOME not in page.inner_text("main")
    alice.go("/me/rewards")
    alice.sees("¥1.88", "已到账")


def read_report(town: Town) -> None:
    """The page and the file say the same, and what really happened."""
    dave = town.dave
    dave.go("/console/reports?by=store")
    dave.page.locator("#funnel canvas").wait_for()
    rows = table(dave)
    here = rows[STORE]
    assert {name: here[name] for name in ("Items shipped", "Items activated", "Codes scanned", "Visitors")} == {
        "Items shipped": str(SHIPPED),
        "Items activated": str(SHIPPED),
        "Codes scanned": "2",
        "Visitors": "3",
    }
    assert (here["Claims"], here["New members"]) == ("2", "1")
    assert (here["Paid"], here["Promised"], here["Cost per member"]) == ("¥1.88", "¥3.76", "¥1.88")
    filed = dave.download('main a[href*="export.csv"]', town.folder)
    for row in csv.DictReader(io.StringIO(filed.read_text(encoding="utf-8-sig"))):
        shown = rows[row["Store"]]
        for name, value in row.items():
            assert shown[name.removesuffix(" (CNY)")].strip("–¥") == value, (row["Store"], name)
    dave.go("/console/reports?by=guide")
    dave.page.locator("#rows canvas").wait_for()
    mine = table(dave)[GUIDE]
    assert (mine["Codes scanned"], mine["Visitors"], mine["Claims"], mine["New members"]) == ("1", "1", "1", "0")


def table(window: Window) -> dict[str, dict[str, str]]:
    """The report's table by the name of the row."""
    shown = window.page.locator("main table", has=window.page.locator("caption", has_text="Attribution report"))
    heads = [text.strip() for text in shown.locator("thead th").all_inner_texts()]
    rows = [[cell.strip() for cell in row.locator("td").all_inner_texts()] for row in shown.locator("tbody tr").all()]
    return {cells[0]: dict(zip(heads, cells, strict=True)) for cells in rows}


def void_one(town: Town, url: str) -> None:
    carol, page = town.carol, town.carol.page
    carol.press("作废")
    page.fill("[name=ranges]", url)
    page.select_option("[name=reason]", "damaged")
    carol.press("下一步")
    carol.sees("将作废 1 件的码")
    page.locator("main [type=submit]").click()
    carol.sees("作废 1")
    town.guest.until(url, "此码已作废")
    town.friend.until(url, "This code is no longer valid")
