"""The demo's words: a tea house that does not exist, its two teas, its places, its people.

The GTINs begin with 952, which GS1 keeps for examples. Nobody has these phone numbers by our doing: the sandbox's
telephone is a page.
"""

from __future__ import annotations

from dataclasses import dataclass

from scancode.campaigns.planning import PrizeLine
from scancode.catalog.rules import BrandDraft, ProductDraft
from scancode.channels.welcomes import WelcomeDraft
from scancode.cli.demo import pictures
from scancode.members.tags import TagDraft
from scancode.members.tiers import TierDraft
from scancode.staff.rules import Role

SLUG = "qinglan"
PASSWORD = "tea-and-codes"  # noqa: S105  published on purpose; production refuses accounts like these

BRAND = BrandDraft(
    name_zh="晴岚茶社",
    name_en="Qinglan Tea",
    timezone="Asia/Shanghai",
    colour="#1f6b52",
    company_zh="晴岚茶业（演示）有限公司",
    company_en="Qinglan Tea (Demo) Co., Ltd.",
    support_phone="400-000-0000",
    support_url="https://qinglan.example/help",
    privacy_zh=(
        "晴岚茶社（演示品牌）说明如下。\n\n"
        "一、扫码验真：我们记录被扫的码、时间、来源渠道和一个匿名的浏览器编号；"
        "网络地址只保存加密摘要，最多 7 天。无需注册即可验真。\n\n"
        "二、领取奖励：在微信内领取红包时，我们使用您的微信身份标识（openid）完成发放。\n\n"
        "三、加入会员：经您同意，我们使用您的手机号为您建立会员账户、记录积分。手机号和 openid 均加密保存。\n\n"
        "四、您的权利：您可以随时在“我的”页面查看、导出个人信息，撤回营销同意，或注销账户。"
    ),
    privacy_en=(
        "Qinglan Tea is a brand made up for this demo.\n\n"
        "1. Checking an item: we keep which code was scanned, when, through which channel, and an anonymous number of "
        "your browser. Of your network address only a keyed hash is kept, for at most 7 days. Checking needs no "
        "account.\n\n"
        "2. Rewards: to pay a red packet we use the id by which WeChat knows you (openid).\n\n"
        "3. Membership: with your consent we use your phone number to open a member account and to keep your points. "
        "Phone numbers and openids are kept encrypted.\n\n"
        "4. Your rights: on the page “Me” you can read and export what we keep, withdraw consent to marketing, or "
        "close the account at any time."
    ),
)


@dataclass(frozen=True)
class DemoProduct:
    draft: ProductDraft
    flavour: pictures.Flavour
    alt_zh: str
    alt_en: str


JASMINE = DemoProduct(
    ProductDraft(
        gtin="9521234500018",
        name_zh="茉莉雪芽 冷泡茶",
        name_en="Jasmine Snow Buds, cold brew",
        spec_zh="500 毫升 · 0 糖 · 福州茉莉花",
        spec_en="500 ml · no sugar · Fuzhou jasmine",
        story_zh=(
            "清明前采下的一芽一叶，与福州茉莉同窨七次，花香入骨，茶汤清甜。\n"
            "冷泡十二小时，低温萃取，留住鲜爽，少一分苦涩。\n"
            "每一瓶都有自己的码：瓶身扫码验真，瓶盖内扫码有礼。"
        ),
        story_en=(
            "One bud and one leaf, picked before Qingming and scented seven times with jasmine from Fuzhou.\n"
            "Steeped cold for twelve hours, which keeps it fresh and leaves the bitterness behind.\n"
            "Every bottle has codes of its own: the label shows that it is genuine, the cap holds a gift."
        ),
    ),
    pictures.JASMINE,
    "一瓶茉莉雪芽冷泡茶，旁边有几朵茉莉花",
    "A bottle of jasmine cold brew with jasmine blossoms beside it",
)
PEACH = DemoProduct(
    ProductDraft(
        gtin="9521234500025",
        name_zh="白桃乌龙 冷泡茶",
        name_en="White Peach Oolong, cold brew",
        spec_zh="500 毫升 · 低糖 · 武夷乌龙",
        spec_en="500 ml · low sugar · Wuyi oolong",
        story_zh=(
            "武夷山半发酵乌龙，遇上当季白桃：前味是桃香，尾韵是岩茶。\n开盖即饮，冰镇更佳；气泡水一比一，就是一杯夏天。"
        ),
        story_en=(
            "Half-fermented oolong from the Wuyi hills meets white peaches of the season.\n"
            "Ready to drink and best ice cold; with as much sparkling water it is a glass of summer."
        ),
    ),
    pictures.PEACH,
    "一瓶白桃乌龙冷泡茶，旁边有两个桃子",
    "A bottle of peach oolong with two peaches beside it",
)

STAFF = (
    ("factory", "周工（工厂）", Role.FACTORY),
    ("marketing", "林悦（市场）", Role.MARKETING),
    ("admin", "陈安（管理员）", Role.ADMIN),
)

TIERS = (
    TierDraft(None, "新叶", "Young leaf", 0),
    TierDraft(None, "银毫", "Silver tip", 100),
    TierDraft(None, "金芽", "Golden bud", 500),
)
WELCOME = WelcomeDraft(
    "欢迎来到晴岚茶会",
    "Welcome to the Qinglan tea circle",
    "每一瓶茶都为您记着积分，攒够就升级。",
    "Every bottle counts: points lead to the next tier.",
    "/me/points",
    "看看我的积分",
    "See my points",
)
WELCOME_OF_STORE = WelcomeDraft(
    "静安寺店欢迎您",
    "Our shop at Jing'an Temple says hello",
    "下次来找小满，第二杯冷泡茶我们请。",
    "Ask for Xiaoman next time: the second cold brew is on us.",
)
WELCOME_OF_LIVE = WelcomeDraft(
    "直播间的新朋友，您好",
    "Hello from the live room",
    "每周五晚八点，小满接着讲茶。",
    "Xiaoman goes on talking tea every Friday at eight.",
)
TAG = TagDraft("内部员工", "本公司员工", "Our employees")

CAMPAIGN_ZH = "开盖有礼 · 清夏茶会"
CAMPAIGN_EN = "A gift under the cap: summer tea"
RULES_ZH = "扫描瓶盖内二维码即可参与，每码限领一次。红包经微信发放，积分存入会员账户。未中奖不影响继续参与。"
RULES_EN = (
    "Scan the code under the cap; each code rewards once. Red packets are paid through WeChat, points go to your "
    "member account. Not winning does not keep you from taking part again."
)


def prizes(size: int) -> tuple[PrizeLine, ...]:
    """The table for a pool of ``size`` codes: more than one in four holds money, half hold points, the rest thanks."""
    return (
        PrizeLine("red_packet", 8888, max(1, size // 300), "88.88 元大红包", "Red packet of 88.88 yuan"),
        PrizeLine("red_packet", 880, max(2, size // 40), "8.80 元红包", "Red packet of 8.80 yuan"),
        PrizeLine("red_packet", 188, size // 4, "1.88 元红包", "Red packet of 1.88 yuan"),
        PrizeLine("points", 200, size // 10, "200 积分", "200 points"),
        PrizeLine("points", 50, size * 7 // 20, "50 积分", "50 points"),
    )


@dataclass(frozen=True)
class DemoStore:
    name: str
    province: str
    city: str
    address: str
    guides: tuple[str, ...] = ()
    welcome: WelcomeDraft | None = None


@dataclass(frozen=True)
class DemoChannel:
    """``scenes``: scene value, placement, name; placed in the first store where there is one."""

    name: str
    kind: str
    stores: tuple[DemoStore, ...] = ()
    scenes: tuple[tuple[str, str, str], ...] = ()
    weight: int = 1
    """How much of the simulated crowd buys here."""
    welcome: WelcomeDraft | None = None


CHANNELS = (
    DemoChannel(
        "鲜邻便利",
        "retail",
        (
            DemoStore("鲜邻便利·静安寺店", "上海市", "上海市", "南京西路 0 号", ("王小满", "赵一诺"), WELCOME_OF_STORE),
            DemoStore("鲜邻便利·西湖文化店", "浙江省", "杭州市", "环城北路 0 号", ("孙清和",)),
        ),
        (("shelf", "冷柜第二层", "冷柜插卡"), ("counter", "收银台", "收银台立牌")),
        weight=5,
    ),
    DemoChannel(
        "晴岚官方旗舰店", "ecommerce", (), (("parcel-card", "包裹内", "包裹感谢卡"),), weight=3
    ),
    DemoChannel("直播间·小满讲茶", "live", (), (("live-room", "直播间右下角", "直播间专属码"),), 3, WELCOME_OF_LIVE),
    DemoChannel(
        "华南经销·润达商贸",
        "distributor",
        (DemoStore("润达·珠江新城茶饮角", "广东省", "广州市", "花城大道 0 号", ("何嘉",)),),
        weight=2,
    ),
)  # fmt: skip
