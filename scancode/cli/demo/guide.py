"""What the demo prints: addresses of packages that nobody has scanned, logins, and six things to try; zh and en."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from batches.codes import Kind, code_id
from scancode.campaigns import service as campaigns
from scancode.campaigns.rules import PrizeFacts, draw
from scancode.catalog import service as catalog
from scancode.claims.models import Claim
from scancode.cli.demo import brand as words
from scancode.cli.demo.story import INACTIVE_FIRST, VOIDED, DemoBroken
from scancode.codes import service as codes
from scancode.codes.rules import BatchFacts
from scancode.scans.models import Scan
from scancode.wiring import Wired

LOOKED_AT = 1100


@dataclass(frozen=True)
class Fresh:
    """Codes to try, as addresses."""

    red_packet: str
    points: str
    thanks: str
    outer: str
    void: str
    inactive: str
    scene: str


def find_fresh(wired: Wired) -> Fresh:
    """Packages that nobody has scanned yet. Raises DemoBroken where none is left."""
    with wired.db.reading() as session:
        brand = catalog.find_brand(session, slug=words.SLUG)
        rows = codes.list_batches(session, brand_id=brand.id if brand else None, query="PO-2026-001")
        found = codes.load_batch(session, number=rows[0].batch.number, keyring=wired.keyring) if rows else None
        if brand is None or found is None:
            raise DemoBroken(problem="the demo's batch is gone", folder=str(wired.settings.var_dir))
        batch = found
        free = _free_serials(session, batch)
        offers = campaigns.load_offers(session, batch_number=batch.number, sealer=wired.draw_sealer)

        def prize(serial: int) -> PrizeFacts | None:
            span = offers.find(serial)
            return draw(span.value, serial) if span else None

        def first(fits: Callable[[PrizeFacts | None], bool]) -> int:
            serial = next((serial for serial in free if fits(prize(serial))), None)
            if serial is None:
                raise DemoBroken(problem="every package was scanned", folder=str(wired.settings.var_dir))
            return serial

        red = first(lambda it: it is not None and it.kind == "red_packet" and it.amount >= 500)
        scene = _scene(session)
        chosen = {
            "red_packet": (Kind.INNER, red),
            "points": (Kind.INNER, first(lambda it: it is not None and it.kind == "points")),
            "thanks": (Kind.INNER, first(lambda it: it is not None and not it.wins)),
            "outer": (Kind.OUTER, red),
            "void": (Kind.INNER, VOIDED[0]),
            "inactive": (Kind.INNER, INACTIVE_FIRST),
        }
    base = wired.settings.base_url
    urls = {
        name: f"{base}/{batch.verifier.mint(batch.number, kind, serial)}" for name, (kind, serial) in chosen.items()
    }
    return Fresh(**urls, scene=f"{base}/t/{scene}")


def _free_serials(session: Session, batch: BatchFacts) -> list[int]:
    """Serials that were never scanned nor claimed, of the shipped ones first in order."""
    bounds = code_id(batch.number, Kind.INNER, 0), code_id(batch.number, Kind.INNER, batch.count - 1)
    used = set(session.scalars(select(Scan.code_id).where(Scan.code_id.between(*bounds)).distinct()))
    used |= set(session.scalars(select(Claim.code_id).where(Claim.code_id.between(*bounds))))
    return [serial for serial in range(min(LOOKED_AT, batch.count)) if bounds[0] + serial not in used]


def _scene(session: Session) -> str:
    from scancode.channels import service as channels

    brand = catalog.find_brand(session, slug=words.SLUG)
    assert brand is not None
    points = channels.list_touchpoints(session, brand_id=brand.id, limit=50)
    return next(point.token for point, _, _ in points if point.kind == "guide")


def lines(fresh: Fresh, base_url: str) -> Iterator[str]:
    """The guide, line by line."""
    rule = "─" * 78
    yield rule
    yield f"  scancode demo 演示   {words.BRAND.name_en} · {words.BRAND.name_zh}   {base_url}"
    yield rule
    yield ""
    yield "  Packages nobody has scanned yet · 还没有人扫过的码"
    for label, url in (
        ("red packet 红包", fresh.red_packet),
        ("points 积分", fresh.points),
        ("thanks 谢谢参与", fresh.thanks),
        ("outer code 外码", fresh.outer),
        ("voided 已作废", fresh.void),
        ("not released 未激活", fresh.inactive),
        ("guide's code 导购码", fresh.scene),
    ):
        yield f"    {_padded(label, 22)}{url}"
    yield ""
    yield "  Console 管理后台"
    yield f"    {_padded('sign in 登录', 22)}{base_url}/console/"
    accounts = " · ".join(login for login, _, _ in words.STAFF)
    yield f"    {_padded('accounts 账号', 22)}{accounts}   password 密码: {words.PASSWORD}"
    yield f"    {_padded('sandbox phone 沙盒手机', 22)}{base_url}/sandbox/phone"
    yield ""
    yield "  Six things to try · 六步体验"
    for number, (english, chinese) in enumerate(STEPS, 1):
        yield f"    {number}. {english}"
        yield f"       {chinese}"
    yield ""
    yield "  Scans before now were played by this program. Ctrl-C stops. · 此前的扫码由程序模拟；按 Ctrl-C 停止。"
    yield rule


STEPS = (
    (
        "Open the red packet's URL: the item is genuine. Claim, and sign in to the make-believe WeChat.",
        "打开红包码链接：验真通过；点“立即抽奖”，在沙盒微信中选一个身份登录。",
    ),
    (
        "Receive the money on the prize's page: the sandbox asks you to confirm, then it is paid.",
        "在奖励页点“领取”，在沙盒支付页确认，红包到账。",
    ),
    (
        "Open the points' URL and join with the demo phone: the sandbox fills in the password.",
        "打开积分码链接，用演示手机号加入会员，验证码由沙盒手机自动填入。",
    ),
    (
        "Open the same URL in another browser: it was scanned before. Try the voided and unreleased ones.",
        "换个浏览器再打开同一链接：提示曾被扫过；再试试已作废、未激活的码。",
    ),
    (
        "Sign in to the console as marketing: the report shows where your scan, claim and membership came from.",
        "以 marketing 登录后台看报表：刚才的扫码、领取、入会来自哪个渠道、门店、导购。",
    ),
    (
        "Sign in as factory: order a batch, watch it being minted, download the PDF, activate it, scan it.",
        "以 factory 登录：订一批码，看制码进度，下载 PDF，激活，再扫一扫。",
    ),
)


def _padded(text: str, width: int) -> str:
    """To a width in terminal columns, where a Chinese character takes two."""
    columns = sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)
    return text + " " * max(1, width - columns)
