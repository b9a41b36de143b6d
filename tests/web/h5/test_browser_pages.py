"""Every consumer page in a real Chromium on the smallest phone: axe-core finds nothing, light or dark, and nothing
stands out of the screen, also when a person has doubled the size of text."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from werkzeug.serving import make_server

from batches import codes as press
from scancode.app import create_app
from scancode.campaigns import service as campaigns
from scancode.campaigns.models import Campaign
from scancode.catalog import revision
from scancode.catalog.models import Product
from scancode.channels import service as channels
from scancode.channels.service import TeamLine
from scancode.claims.models import Claim
from scancode.codes.models import Batch, LifeRange
from scancode.complaints import service as complaints
from scancode.config import Settings
from scancode.scans.models import Suspicion
from scancode.web import preview
from scancode.web.guard import Caps
from scancode.wiring import Wired
from tests import browser as chrome
from tests import servers
from tests.browser import Window
from tests.stories.scene import MONEY
from tests.web.h5.phone import Shop, open_shop
from tests.web.h5.walking import SMALL, Walk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("servers"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
TAKE_ALONG = """() => {
  const form = document.querySelector("form[action$='/claim']");
  form.action = "/crossing";
  form.submit();
}"""


@pytest.fixture
def walk(settings: Settings, wired: Wired) -> Iterator[Walk]:
    chrome.path()
    port = servers.free_port()
    wired = replace(wired, settings=settings.model_copy(update={"base_url": f"http://127.0.0.1:{port}"}))
    app = create_app(wired=wired)
    shop = open_shop(app, wired, MONEY)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with chrome.chromium() as browser:
        yield Walk(shop, Window.open(browser, wired.settings.base_url, "carla", locale="zh-CN", device=SMALL))
    server.shutdown()
    thread.join()
    server.server_close()


def set_the_scene(shop: Shop) -> list[str]:
    """Codes in every state and placed codes of every kind. Returns the addresses that these give."""
    now = datetime.now(UTC)
    with shop.wired.db.transaction() as session:
        life = session.query(LifeRange).filter_by(batch_number=shop.batch_number).one()
        life.last = 899
        for serial, state in ((900, "void"), (901, "recalled")):
            session.add(
                LifeRange(
                    batch_number=shop.batch_number, first=serial, last=serial, state=state, changed_at=now,
                    reason="stolen" if state == "void" else "", message_zh="请停止食用", message_en="Stop",
                )
            )  # fmt: skip
        given = {"actor": "staff:dave", "now": now}
        channel = channels.create_channel(session, brand_id=shop.brand_id, name="渠道", kind="retail", **given)  # type: ignore[arg-type]
        store = channels.create_store(session, channel_id=channel.id, name="南京西路店", **given)  # type: ignore[arg-type]
        guide = channels.create_guide(session, store_id=store.id, name="小林", is_on_duty=False, **given)  # type: ignore[arg-type]
        channels.create_live(
            session, channel_id=channel.id, store_id=None, name="柜台", scene="counter", placement="", rotation="turns",
            team=[TeamLine(guide.id)], **given,
        )  # type: ignore[arg-type] # fmt: skip
        points = channels.list_touchpoints(session, brand_id=shop.brand_id, channel_id=channel.id, limit=9)
        tokens = [point.token for point, _, _ in points]
        product = session.get_one(Product, session.get_one(Batch, shop.batch_number).product_id)
        campaign = session.query(Campaign).first()
        assert campaign is not None
        paths = [
            f"/01/{product.gtin}",
            f"/01/{product.gtin}?linkType=linkset",
            "/01/04012345678901",
            f"/campaigns/{campaign.id}/rules",
            f"/preview/{preview.sign(shop.wired.settings, product.id)}",
            f"/preview/look/{preview.sign_brand(shop.wired.settings, shop.brand_id)}",
        ]
        session.add(
            Suspicion(
                code_id=press.code_id(shop.batch_number, press.Kind.INNER, 4), brand_id=shop.brand_id,
                product_id=product.id, batch_number=shop.batch_number, state="open", signs="visitors", visitors=9,
                cities=1, found_at=now,
            )
        )  # fmt: skip
        revision.bump(session)
    return [*paths, *(f"/t/{token}" for token in tokens)]


def test_axe_finds_nothing_on_any_page_and_nothing_stands_out(walk: Walk) -> None:
    shop, see = walk.shop, walk.see
    placed = set_the_scene(shop)
    for path in ("/", "/contact", "/t/ABCDEFGH1234", "/0000000000", "/nothing", "/" + "0" * 20, *placed):
        see(path)
    for serial in (1, 900, 901, 950):  # genuine with an offer, void, recalled, not released
        see(f"/{shop.code(serial)}")
    shop.phone().read(f"/{shop.code(2)}")
    see(f"/{shop.code(2)}")  # scanned by somebody else before
    see(f"/{shop.code(4)}")  # it looks copied
    see(f"/{shop.code(900)}/report")
    see("/join")
    see("/join/terms")
    walk.window.page.goto(f"/{shop.code(1)}")
    walk.window.page.locator("form[action$='/claim'] button").click()
    see(walk.window.page.url)
    see(f"/{shop.code(1)}")
    see("/me/rewards")
    walk.window.page.goto(f"/{shop.code(3)}")
    walk.window.page.evaluate(TAKE_ALONG)  # the button stands in browsers that WeChat's login knows to be outside
    walk.window.page.wait_for_url("**/crossing")
    see("/crossing")
    see(f"/w/{walk.window.page.locator('.copyable code').first.inner_text().rsplit('/w/', 1)[1]}")
    check_the_draw(walk)
    walk.join()
    for path in ("/me", "/me/scans", "/me/points", "/me/rewards", "/me/privacy", "/me/leave"):
        see(path)
    assert not walk.problems, "\n".join(walk.problems)


def check_the_draw(walk: Walk) -> None:
    """The campaign is over: the browser says what the code held, counts every prize, and sees what was not so."""
    shop, page, now = walk.shop, walk.window.page, datetime.now(UTC)
    with shop.wired.db.transaction() as session:
        campaign = session.query(Campaign).one()
        campaigns.end(session, campaign_id=campaign.id, actor="dave", now=now)
    path = f"/campaigns/{campaign.id}/draw?code={shop.code(1)}"
    page.goto(path)
    walk.window.sees("抽奖结果：¥1.88 红包，与您得到的一致。", "公布之后没有任何改动")
    page.locator("[data-start]").click()
    walk.window.sees("各奖项数量与奖品表完全一致")
    assert page.locator("[data-drawn]").first.inner_text() == "1,000"
    page.locator("#kept").fill(page.locator("[data-pool] .rules__commitment").inner_text().upper())
    walk.window.sees("这是奖池 1 的数。")
    walk.look(path)
    with shop.wired.db.transaction() as session:
        session.query(Claim).update({"amount": 187})
    page.goto(path)
    walk.window.sees("与您得到的不一致")
    page.route("**/draw.json", lambda route: route.fulfill(json={"pools": []}))
    page.goto(path)
    walk.window.sees("请按下方说明在别处验证")
    page.unroute("**/draw.json")


def test_axe_finds_nothing_where_something_went_wrong_or_is_made_believe(walk: Walk) -> None:
    """Complaints from the form to the answer, refusals, the proof of work, recalls, links that differ, the sandbox."""
    shop, page, see = walk.shop, walk.window.page, walk.see
    set_the_scene(shop)
    other = shop.phone()
    see(f"/{'0' * 20}/report")
    see(f"/{shop.code(901)}/report")
    page.fill("main textarea", "味道不对，瓶盖松动。")
    walk.window.click("main form:has(textarea) button[type=submit]")
    walk.look("the form is sent")
    answer_complaints(shop)
    see(f"/{shop.code(901)}/report")
    with shop.wired.db.reading() as session:
        product = session.get_one(Product, session.get_one(Batch, shop.batch_number).product_id)
    see(f"/01/{product.gtin}/21/{shop.code(901)}")
    see(f"/01/09506000134352/21/{shop.code(5)}")
    see(f"/01/{product.gtin}/10/ANOTHER/21/{shop.code(5)}")
    see(f"/01/{product.gtin}/21/{'0' * 20}")

    page.goto(f"/{shop.code(6)}")
    other.claim(6)
    page.locator("form[action$='/claim'] button").click()
    walk.look("claimed by somebody else meanwhile")
    see(f"/{shop.code(6)}")

    for path in ("/login/wechat/back?state=none", "/me", "/me/rewards", "/me/left", "/crossing", "/w/nothing"):
        see(path)
    see("/sandbox/phone")
    page.goto("/login/wechat?next=/me")
    walk.look("who are you in WeChat?")
    walk.window.click("button[name=person] >> nth=0")
    walk.look("known to WeChat, no member")
    see("/join")
    page.goto(f"/{shop.code(7)}")
    page.locator("form[action$='/claim'] button").click()
    shop.work()
    see(f"{page.url.split('?')[0]}")
    page.goto(page.url)
    walk.window.click("a[href*='/sandbox/pay']")
    walk.look("WeChat asks whether to take the money")
    see("/sandbox/pay?package=nothing")

    page.route("**/work", lambda _: None)  # whose answer never comes: the page would go on by itself
    shop.app.extensions["scancode"].guard.caps = Caps(0, 0, 0, 0, 1)
    for serial in range(8):
        page.goto(f"/{serial:020}")
    page.wait_for_timeout(200)
    walk.window.complaints.clear()
    walk.look("too many texts that are no code")
    shop.app.extensions["scancode"].guard.caps = Caps(1, 1, 1, 0, 0)
    for _ in range(3):
        page.goto(f"/{shop.code(8)}")
    page.wait_for_timeout(200)
    walk.window.complaints.clear()
    walk.look("too fast")
    assert not walk.problems, "\n".join(walk.problems)


def answer_complaints(shop: Shop) -> None:
    now = datetime.now(UTC)
    with shop.wired.db.transaction() as session:
        for row in complaints.list_complaints(session, brand_id=shop.brand_id, limit=9):
            complaints.work_on(
                session,
                complaint_id=row.id,
                verb="answer",
                text="谢谢，请把商品退回门店。",
                actor="staff:dave",
                now=now,
            )
