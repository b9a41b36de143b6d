"""A day in the factory through a real browser, with real server processes and real workers, one of which is killed.

Carol orders codes and a colleague approves; the worker dies in the middle and another goes on; the files are checked
and their labels read; twelve items go into a case and to a store; they are activated, one is voided and looked up.
Nothing is asserted that a person could not see, but for the files that they download.
"""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import expect
from sqlalchemy import update

from scancode.catalog import revision
from scancode.codes import service as codes
from scancode.config import Settings
from scancode.jobs.models import Job
from scancode.staff.rules import Role
from scancode.wiring import Wired
from tests import browser as chrome
from tests import factories, servers
from tests.browser import DESK, PHONE, Window

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("servers"),
    pytest.mark.postgresql,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]

CASES, ITEMS, IN_A_CASE = 4, 120, 12
ALONE = 100
"""How many items one person may order in a day."""
STORE, SHIPMENT = "静安寺店", "CK-2611-07"
SPOILED = 5


@dataclass
class Floor:
    settings: Settings
    wired: Wired
    folder: Path
    carol: Window
    peggy: Window


@pytest.fixture
def floor(wired: Wired, settings: Settings, tmp_path: Path) -> Iterator[Floor]:
    chrome.path()
    port = servers.free_port()
    settings = settings.model_copy(update={"base_url": f"http://127.0.0.1:{port}"})
    with wired.db.transaction() as session:
        brand = factories.make_brand(session, slug="shanquan")
        factories.make_product(session, brand_id=brand.id, gtin="06901234567892")
        for name in ("Carol", "Peggy"):
            factories.make_staff(session, name=name, login=name.lower(), role=Role.FACTORY, brand_id=brand.id)
        channel = factories.make_channel(session, brand_id=brand.id, name="鲜邻便利")
        factories.make_store(session, channel_id=channel.id, name=STORE)
        codes.set_terms(
            session,
            brand_id=brand.id,
            order_limit=ALONE,
            pack_days=None,
            download_days=None,
            activate_days=None,
            actor="test",
            now=factories.NOW,
        )
        revision.bump(session)
    with servers.gunicorn(settings, workers=1, port=port) as url, chrome.chromium() as browser:
        assert servers.Browser(url).get("/readyz")[0] == 200
        carol = Window.open(browser, url, "carol", locale="zh-CN", device=DESK)
        peggy = Window.open(browser, url, "peggy", locale="en-US", device=PHONE)
        yield Floor(settings, wired, tmp_path, carol, peggy)


def test_a_day_in_the_factory(floor: Floor) -> None:
    carol, peggy = floor.carol, floor.peggy
    sign_in(carol, "carol")
    sign_in(peggy, "peggy")
    sees_nothing_of_marketing(carol)
    cases = order_cases(carol)
    items = order_items(carol)
    approve(peggy)
    kill_the_worker_midway(floor, items)
    with servers.worker(floor.settings):
        carol.page.locator("a[download]").first.wait_for()
        carol.look()
        sheet, listed = fetch(floor, items)
        preflight(floor, items, sheet, listed)
        rows = table(listed)
        assert sorted(read_sheet(sheet)) == sorted(row["inner_url"] for row in rows)
        case = table(fetch_csv(floor, cases))[0]["case_code"]
    pack(carol, case, [row["outer_code"] for row in rows[:IN_A_CASE]])
    ship(carol, case)
    activate(carol)
    void_one(carol, rows[SPOILED]["outer_code"])
    look_up(carol, rows)


def sign_in(window: Window, login: str) -> None:
    window.go("/console/")
    window.page.fill("[name=login]", login)
    window.page.fill("[name=password]", factories.PASSWORD)
    window.click("form [type=submit]")
    assert "/console/login" not in window.page.url


def sees_nothing_of_marketing(carol: Window) -> None:
    assert "营销" not in carol.words()
    for page in (
        "diversion",
        "campaigns",
        "members",
        "payouts",
        "reports",
        "people",
        "tokens",
        "audit",
        "jobs",
        "brands",
    ):
        assert carol.page.request.get(f"/console/{page}").status == 403, page


def order_cases(carol: Window) -> str:
    carol.go("/console/batches/order")
    page = carol.page
    page.fill("[name=count]", str(CASES))
    page.uncheck("[name=kinds][value=inner]")
    page.check("[name=kinds][value=case]")
    page.fill("[name=order_no]", "PO-CASE")
    carol.press("确认订购")
    carol.sees("等待后台处理")
    return number_of(carol)


def order_items(carol: Window) -> str:
    """The label and what the order comes to are shown while she fills in the form."""
    carol.go("/console/batches/order")
    page = carol.page
    preview = page.locator("#label-preview")
    expect(preview).to_contain_text("29 个模块")
    page.check("[name=digital_link]")
    expect(preview).to_contain_text("33 个模块")
    page.uncheck("[name=digital_link]")
    expect(preview).to_contain_text("29 个模块")
    page.check("[name=kinds][value=outer]")
    expect(preview.locator("figure")).to_have_count(2)
    page.check("[name=formats][value=pdf]")
    page.fill("[name=count]", str(ITEMS))
    expect(preview).to_contain_text(f"{ITEMS} 件，共 {2 * ITEMS} 个码")
    expect(preview).to_contain_text("须由第二人批准")
    page.fill("[name=order_no]", "PO-ITEM")
    page.fill("[name=lot]", "L2611A")
    carol.press("确认订购")
    carol.sees("订单等待第二人批准", "须由同事决定")
    return number_of(carol)


def number_of(window: Window) -> str:
    return window.page.url.rstrip("/").split("/")[-1].split("?")[0]


def approve(peggy: Window) -> None:
    """On her phone."""
    peggy.go("/console/approvals")
    peggy.press("PO-ITEM")
    peggy.sees("This order waits for a second person")
    peggy.page.get_by_role("button", name="Approve").click()
    with peggy.page.expect_navigation():
        peggy.page.locator("#confirm [value=yes]").click()
    peggy.sees("The order is approved", "Approved by Peggy")


def kill_the_worker_midway(floor: Floor, number: str) -> None:
    """As soon as there is anything of the pack, and long before its labels are proved."""
    floor.carol.go(f"/console/batches/{number}")
    pack = codes.pack_folder(floor.settings.var_dir, int(number))
    with servers.worker(floor.settings) as worker:
        end = time.monotonic() + chrome.PATIENCE_S
        while not (pack.is_dir() and any(pack.iterdir())):
            assert time.monotonic() < end, "the worker never began"
            os.sched_yield()
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    assert not (pack / "manifest.json").exists()
    assert not floor.carol.page.locator("a[download]").count()
    with floor.wired.db.transaction() as session:  # its lease would run out within a minute
        key = Job.key == codes.mint_key(int(number))
        session.execute(update(Job).where(key).values(lease_until=datetime.now(UTC) - timedelta(minutes=5)))


def fetch(floor: Floor, number: str) -> tuple[Path, Path]:
    """The sheet of inner codes and the list, as the page offers them."""
    carol = floor.carol
    return carol.download('a[download][href$="inner.pdf"]', floor.folder), carol.download(
        'a[download][href$=".csv"]', floor.folder
    )


def fetch_csv(floor: Floor, number: str) -> Path:
    floor.carol.until(f"/console/batches/{number}", "下载")
    return floor.carol.download('a[download][href$=".csv"]', floor.folder)


def preflight(floor: Floor, number: str, sheet: Path, listed: Path) -> None:
    """What the print house runs on the files that it was given."""
    manifest = floor.carol.download('a[download][href$="manifest.json"]', floor.folder)
    with floor.wired.db.reading() as session:
        batch = codes.get_batch(session, number=int(number))
    key = floor.folder / "batch.key"
    key.write_text(floor.wired.keyring.derive(batch.kid, batch.salt).hex())
    command = [sys.executable, "-m", "batches", "check", listed, "--key-file", key, "--manifest", manifest]
    done = subprocess.run(command, cwd=servers.ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def read_sheet(path: Path) -> list[str]:
    document = pypdfium2.PdfDocument(path)
    try:
        pictures = [sheet.render(scale=4).to_pil() for sheet in document]
    finally:
        document.close()
    return [found.text for picture in pictures for found in zxingcpp.read_barcodes(picture)]


def pack(carol: Window, case: str, items: list[str]) -> None:
    """With a scanner that types: the case, what goes in, one of them twice."""
    carol.go("/console/packing/hand")
    page, count = carol.page, carol.page.locator("#count")

    def scan(code: str) -> None:
        page.keyboard.type(code)
        page.keyboard.press("Enter")

    page.fill("#capacity", str(IN_A_CASE))
    page.focus("#code")
    scan(case)
    expect(count).to_have_text(f"0 / {IN_A_CASE}")
    scan(items[0])
    scan(items[0])
    expect(page.locator("#text")).to_contain_text("重复扫描")
    for code in items[1:]:
        scan(code)
    expect(count).to_have_text(f"{IN_A_CASE} / {IN_A_CASE}")
    expect(page.locator("#state")).to_have_attribute("data-tone", "full")
    page.click("#close")
    expect(page.locator("#text")).to_contain_text("已封箱")
    carol.look()


def ship(carol: Window, case: str) -> None:
    carol.go("/console/shipments/new")
    page = carol.page
    page.fill("[name=number]", SHIPMENT)
    page.select_option("[name=place]", label=STORE)
    page.focus("[name=codes]")
    page.keyboard.type(case)
    page.keyboard.press("Enter")
    carol.press("登记出库")
    carol.sees(SHIPMENT, STORE, "PO-ITEM", f"0–{IN_A_CASE - 1}")


def activate(carol: Window) -> None:
    carol.press("激活其中的码")
    carol.press("下一步")
    carol.sees(SHIPMENT)
    carol.click("main form .form-buttons [type=submit]")
    carol.sees(f"{IN_A_CASE + 1} 件的码已激活", SHIPMENT, "已完成")  # the case has a code of its own


def void_one(carol: Window, code: str) -> None:
    carol.go(f"/console/lookup?q={code}")
    carol.sees("已激活")
    carol.press("作废此码")
    carol.page.select_option("[name=reason]", "damaged")
    carol.press("下一步")
    carol.sees("将作废 1 件的码", "损坏")
    carol.click("main form .form-buttons [type=submit]")
    carol.sees("1 件的码已作废", "损坏")  # back at the code, with what was done to it


def look_up(carol: Window, rows: list[dict[str, str]]) -> None:
    """State and whole history of one code on one page: packed, shipped, activated, voided; its neighbour lives on."""
    carol.go("/console/lookup")
    carol.page.keyboard.type(rows[SPOILED]["outer_url"])
    with carol.page.expect_navigation():
        carol.page.keyboard.press("Enter")
    carol.sees("已作废", "损坏", "所在", "装入", SHIPMENT, f"鲜邻便利 · {STORE}", "已激活", "L2611A", "Carol")
    carol.go(f"/console/lookup?q={rows[SPOILED + 1]['outer_code']}")
    assert "已作废" not in carol.words()
    carol.go(f"/console/lookup?q={rows[IN_A_CASE]['outer_code']}")
    carol.sees("未激活")
