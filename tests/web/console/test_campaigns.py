"""Campaigns in the console, as marketing works with them, and as another brand's marketing must not."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from batches.codes import Kind, code_id
from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Conditions
from scancode.campaigns.models import Campaign
from scancode.campaigns.planning import PrizeLine, RangeLine
from scancode.campaigns.rules import draw
from scancode.catalog import revision
from scancode.claims.models import Claim
from scancode.claims.rules import Claimant
from scancode.members import service as members
from scancode.staff.rules import Role
from scancode.stories.campaign_figures import load_figures
from scancode.wiring import Wired
from tests import factories
from tests.claims.shop import open_shop

YEAR = datetime.now(UTC).year


@dataclass(frozen=True)
class House:
    """Two brands; Dave and Erin do the marketing of one each. Alice's brand has two batches."""

    wired: Wired
    brand_id: UUID
    batch: int
    newer: int
    other_brand_id: UUID


@pytest.fixture
def house(wired: Wired) -> House:
    with wired.db.transaction() as session:
        brand, other = factories.make_brand(session), factories.make_brand(session, name_zh="别家", name_en="Other")
        product = factories.make_product(session, brand_id=brand.id)
        batches = [factories.make_batch(session, brand_id=brand.id, product_id=product.id) for _ in range(2)]
        revision.bump(session)
    return House(wired, brand.id, batches[0].number, batches[1].number, other.id)


def signed_in(app: Flask, house: House, brand_id: UUID, role: Role = Role.MARKETING) -> FlaskClient:
    """The browser of a new member of staff of this brand."""
    with house.wired.db.transaction() as session:
        person = factories.add_staff(session, name="Somebody", role=role, brand_id=brand_id)
    client = app.test_client()
    factories.sign_in(client, house.wired.db, person.id)
    return client


@pytest.fixture
def dave(app: Flask, house: House) -> FlaskClient:
    return signed_in(app, house, house.brand_id)


def token(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', client.get(path).get_data(as_text=True))
    assert found is not None
    return found[1]


def post(client: FlaskClient, path: str, form: str = "", **data: str) -> object:
    return client.post(path, data={"csrf_token": token(client, form or "/console/campaigns/new"), **data})


def words(body: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def page(client: FlaskClient, path: str, status: int = 200, language: str = "zh") -> str:
    answer = client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == status
    return words(answer.get_data(as_text=True))


TERMS = {
    "name_zh": "开盖有奖",
    "name_en": "Open and win",
    "starts_at": f"{YEAR}-01-01T00:00",
    "ends_at": f"{YEAR + 4}-01-01T12:30",
    "budget_yuan": "1,234.56",
    "budget_points": "5000",
    "rules_zh": "第一条\n第二条",
    "rules_en": "",
}
POOL = {
    "ranges-0-first": "",
    "ranges-0-last": "",
    "prizes-0-kind": "red_packet",
    "prizes-0-amount": "8.88",
    "prizes-0-count": "10",
    "prizes-0-name_zh": "",
    "prizes-0-name_en": "",
    "prizes-1-kind": "points",
    "prizes-1-amount": "5",
    "prizes-1-count": "100",
    "prizes-1-name_zh": "小积分",
    "prizes-1-name_en": "Few points",
    "thanks_zh": "谢谢",
    "thanks_en": "Thanks",
}


def make(house: House, *, published: bool = True, **over: object) -> Campaign:
    now = datetime.now(UTC)
    with house.wired.db.transaction() as session:
        window = {"starts_at": now - timedelta(hours=1), "ends_at": now + timedelta(days=1)} | over
        campaign = factories.make_campaign(session, brand_id=house.brand_id, **window)
        campaigns.add_tranche(
            session,
            campaign_id=campaign.id,
            ranges=[RangeLine(house.batch, 0, 999)],
            prizes=[
                PrizeLine("red_packet", 100, 400, "红包", "Red packet"),
                PrizeLine("points", 5, 1, "积分", "Points"),
            ],
            actor="dave",
            now=now,
        )
        if published:
            factories.publish_campaign(session, house.wired.draw_sealer, campaign_id=campaign.id, now=now)
    return campaign


def claim(house: House, campaign: Campaign, serial: int, state: str = "claimed", hours: int | None = None) -> str:
    """A claim of this code, as the claims feature would write it; returns the prize's kind."""
    now = datetime.now(UTC)
    with house.wired.db.transaction() as session:
        offer = campaigns.find_offer(session, batch_number=house.batch, serial=serial, sealer=house.wired.draw_sealer)
        assert offer is not None
        prize = draw(offer, serial)
        batch = session.get_one(factories.Batch, house.batch)
        session.add(
            Claim(
                code_id=code_id(house.batch, Kind.INNER, serial),
                state=state,
                brand_id=house.brand_id,
                product_id=batch.product_id,
                batch_number=house.batch,
                campaign_id=campaign.id,
                prize_id=prize.id,
                prize_kind=prize.kind,
                amount=prize.amount,
                source="unknown",
                day="2026-11-22",
                reserved_until=now + timedelta(hours=hours) if hours is not None else None,
                claimed_at=now,
                is_test=False,
            )
        )
    return prize.kind


def added(house: House, campaign: Campaign) -> UUID:
    """The pool that was added last."""
    with house.wired.db.reading() as session:
        return campaigns.list_tranches(session, campaign_id=campaign.id)[-1].id


def the_campaign(house: House) -> Campaign:
    with house.wired.db.reading() as session:
        return session.scalars(select(Campaign)).one()


def test_marketing_makes_a_campaign_from_nothing_to_published(app: Flask, dave: FlaskClient, house: House) -> None:
    assert "还没有活动" in page(dave, "/console/campaigns")
    assert post(dave, "/console/campaigns/new", **TERMS).status_code == 302
    draft = the_campaign(house)
    assert (draft.budget_fen, draft.budget_points, draft.brand_id) == (123_456, 5000, house.brand_id)
    assert draft.ends_at == datetime(YEAR + 4, 1, 1, 4, 30, tzinfo=UTC), "typed on the brand's clocks, Shanghai"
    here = f"/console/campaigns/{draft.id}"
    assert "还没有可发布的奖池" in page(dave, here)
    pools = f"{here}/pools/new"
    assert post(dave, pools, pools, **POOL, **{"ranges-0-batch": str(house.batch)}).status_code == 302
    shown = page(dave, here)
    assert "可以提交审核" in shown
    assert "最坏情况 ¥88.80 500" in words(shown)
    assert "内部预览" in page(dave, f"{here}/rules")
    assert post(dave, f"{here}/review").status_code == 302
    post(dave, f"{here}/approve")
    shown = page(dave, here)
    assert "提交审核的人不能自己审核" in shown
    assert the_campaign(house).state == "draft"
    erin = signed_in(app, house, house.brand_id)
    assert "审核中" in page(erin, "/console/campaigns")
    assert post(erin, f"{here}/approve").status_code == 302
    shown = page(dave, here)
    assert "进行中" in shown
    assert "现金红包 ¥8.88 10 0 0 10 ¥88.80" in shown
    assert [one["event"] for one in dave.get(f"{here}/archive.json").get_json()] == ["publish"]
    assert "小积分 5 积分 100 0 0 100 500 积分" in shown
    assert "谢谢 – 890" in shown
    with house.wired.db.reading() as session:
        offer = campaigns.find_offer(session, batch_number=house.batch, serial=0, sealer=house.wired.draw_sealer)
    assert offer is not None
    assert len(offer.secret) == 32


def test_a_colleague_sends_it_back_and_whoever_asked_reads_why(app: Flask, dave: FlaskClient, house: House) -> None:
    here = f"/console/campaigns/{make(house, published=False).id}"
    post(dave, f"{here}/review")
    assert post(dave, f"{here}/edit", **TERMS).status_code == 409
    erin = signed_in(app, house, house.brand_id)
    post(erin, f"{here}/return", reason="")
    assert "请用不超过 300 字说明" in page(erin, here)
    post(erin, f"{here}/return", reason="红包太多 <b>")
    assert "红包太多 &lt;b&gt;" in page(dave, here)
    assert post(dave, f"{here}/edit", **TERMS).status_code == 302
    post(dave, f"{here}/review")
    post(dave, f"{here}/withdraw")
    assert "可以提交审核" in page(dave, here)


def test_a_draft_is_edited_and_discarded(dave: FlaskClient, house: House) -> None:
    draft = make(house, published=False)
    here = f"/console/campaigns/{draft.id}"
    form = dave.get(f"{here}/edit").get_data(as_text=True)
    assert 'value="1000.00"' in form
    assert post(dave, f"{here}/edit", **TERMS).status_code == 302
    assert the_campaign(house).budget_fen == 123_456
    assert post(dave, f"{here}/discard").status_code == 302
    assert "还没有活动" in page(dave, "/console/campaigns")


@pytest.mark.parametrize("path", ["/console/campaigns/new", "/edit"])
def test_all_that_is_wrong_with_the_terms_is_said_at_once(dave: FlaskClient, house: House, path: str) -> None:
    if path == "/edit":
        post(dave, "/console/campaigns/new", **TERMS)
        path = f"/console/campaigns/{the_campaign(house).id}/edit"
    wrong = {**TERMS, "name_en": "", "budget_yuan": "abc", "budget_points": "", "ends_at": f"{YEAR}-01-01T00:00"}
    answer = post(dave, path, form=path, **wrong)
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert len(re.findall(r'class="invalid-feedback', shown)) == 4
    for typed in ('value="abc"', 'value="开盖有奖"', f'value="{YEAR}-01-01T00:00"'):
        assert typed in shown


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("budget_yuan", "8.888", "请填写金额"),
        ("budget_yuan", "-1", "请填写金额"),
        ("budget_points", "1.5", "请填写整数"),
        ("ends_at", f"{YEAR}-01-01T00:00", "结束时间必须晚于开始时间"),
        ("ends_at", "soon", ""),
        ("name_zh", "", ""),
    ],
)
def test_wrong_terms_are_explained_beside_the_field(
    dave: FlaskClient, house: House, field: str, value: str, problem: str
) -> None:
    answer = post(dave, "/console/campaigns/new", **{**TERMS, field: value})
    assert answer.status_code == 422
    assert problem in answer.get_data(as_text=True)
    assert "invalid-feedback" in answer.get_data(as_text=True)
    with house.wired.db.reading() as session:
        assert session.scalars(select(Campaign)).all() == []


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("prizes-0-amount", "8.888", "请填写金额"),
        ("prizes-1-amount", "1.5", "请填写整数"),
        ("prizes-0-count", "many", "请填写整数"),
        ("ranges-0-batch", "7", "请选择本品牌的批次"),
        ("ranges-0-batch", "", "请选择本品牌的批次"),
        ("ranges-0-last", "1000", "最后一个序号是 999"),
        ("ranges-0-first", "-1", "请填写整数"),
    ],
)
def test_a_wrong_line_of_a_pool_is_explained_beside_it(
    dave: FlaskClient, house: House, field: str, value: str, problem: str
) -> None:
    pools = f"/console/campaigns/{make(house, published=False).id}/pools/new"
    data = {**POOL, "ranges-0-batch": str(house.newer), "ranges-0-first": "0", field: value}
    answer = post(dave, pools, pools, **data)
    assert answer.status_code == 422
    assert problem in answer.get_data(as_text=True)


def test_more_lines_keep_what_was_typed(dave: FlaskClient, house: House) -> None:
    pools = f"/console/campaigns/{make(house, published=False).id}/pools/new"
    answer = post(dave, pools, pools, **POOL, **{"ranges-0-batch": str(house.newer), "more": "prizes"})
    body = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert 'value="8.88"' in body
    assert "prizes-3-amount" in body


def test_a_pool_is_shown_again_as_it_is_kept_and_can_be_removed(dave: FlaskClient, house: House) -> None:
    draft = make(house, published=False)
    with house.wired.db.reading() as session:
        (tranche,) = campaigns.list_tranches(session, campaign_id=draft.id)
    here = f"/console/campaigns/{draft.id}/pools/{tranche.id}"
    body = dave.get(here).get_data(as_text=True)
    assert 'name="ranges-0-first" type="text" value="0"' in body
    assert 'value="1.00"' in body
    data = {**POOL, "ranges-0-batch": str(house.batch), "ranges-0-first": "0", "ranges-0-last": "99"}
    assert post(dave, here, here, **data).status_code == 302
    with house.wired.db.reading() as session:
        (kept,) = campaigns.load_plan(session, campaign_id=draft.id).tranches
    assert (kept.ranges, kept.prizes[0].amount) == ((RangeLine(house.batch, 0, 99),), 888)
    assert post(dave, f"{here}/remove").status_code == 302
    assert "还没有奖池" in page(dave, f"/console/campaigns/{draft.id}")


def test_totals_follow_what_is_typed(dave: FlaskClient, house: House) -> None:
    draft = make(house, published=False)
    answer = post(
        dave,
        f"/console/campaigns/{draft.id}/pools/totals",
        **{**POOL, "ranges-0-batch": str(house.newer), "prizes-0-amount": "100", "prizes-1-count": "?"},
    )
    shown = words(answer.get_data(as_text=True))
    assert answer.status_code == 200
    assert "码 1,000 奖品 10 未中奖 990" in shown
    assert "¥1,400.00 / ¥1,000.00 超出预算" in shown, "this pool and the one that is kept"
    crowded = {**POOL, "ranges-0-batch": str(house.newer), "prizes-1-count": "2000"}
    post(dave, f"/console/campaigns/{draft.id}/pools/new", **crowded)
    shown = page(dave, f"/console/campaigns/{draft.id}")
    assert "奖品 2,010 份，多于参与的 1,000 个码。" in shown
    assert "费用测算" not in shown, "a table that cannot be is not played"
    post(dave, f"/console/campaigns/{draft.id}/pools/{added(house, draft)}/remove")
    assert "费用测算" in page(dave, f"/console/campaigns/{draft.id}")
    with house.wired.db.reading() as session:
        assert len(campaigns.list_tranches(session, campaign_id=draft.id)) == 1


def test_publishing_says_everything_that_is_wrong(dave: FlaskClient, house: House) -> None:
    make(house)
    rival = make(house, published=False, budget_fen=1, budget_points=1)
    answer = post(dave, f"/console/campaigns/{rival.id}/review")
    shown = words(answer.get_data(as_text=True))
    assert answer.status_code == 422
    assert "发布未成功" in shown
    assert "费用测算" in shown
    for part in ("红包合计 400.00 元，超出预算 0.01 元", "积分合计 5，超出预算 1", "尚未结束的活动“开盖有奖”"):
        assert part in shown
    assert "与以下活动共用码" not in shown, "an exclusive campaign shares nothing"
    english = page(dave, f"/console/campaigns/{rival.id}", language="en")
    assert "belong to “Open and win” alone, which has not ended. Leave them out" in english
    assert "开盖有奖" not in english


def test_codes_with_a_claim_are_not_published_again(dave: FlaskClient, house: House) -> None:
    first = make(house)
    claim(house, first, 3)
    claim(house, first, 4, "reserved", hours=2)
    claim(house, first, 5, "reserved", hours=-1)
    assert post(dave, f"/console/campaigns/{first.id}/end").status_code == 302
    second = make(house, published=False)
    answer = post(dave, f"/console/campaigns/{second.id}/review")
    assert answer.status_code == 422
    assert "有 2 个码已被领取" in answer.get_data(as_text=True)


def test_it_shows_what_was_drawn(dave: FlaskClient, house: House) -> None:
    campaign = make(house)
    kinds = [claim(house, campaign, serial) for serial in range(20)]
    kinds += [claim(house, campaign, 20, "reserved", hours=2)]
    claim(house, campaign, 21, "reserved", hours=-1)
    packets = kinds.count("red_packet")
    shown = page(dave, f"/console/campaigns/{campaign.id}")
    assert f"已发红包 ¥{packets}.00 共承诺 ¥400.00" in shown
    assert "已抽出 21 占全部码的 2.1%" in shown
    assert "21 / 1,000" in page(dave, "/console/campaigns")
    one = kinds.index("red_packet")
    assert "已领取 2026-11-22 · ¥1.00" in words(page(dave, f"/console/lookup?q={house.batch}:{one}"))


def test_it_is_paused_resumed_extended_and_ended(dave: FlaskClient, house: House) -> None:
    here = f"/console/campaigns/{make(house).id}"
    post(dave, f"{here}/pause")
    assert "已暂停" in page(dave, here)
    post(dave, f"{here}/pause")
    assert "活动当前状态不支持此操作" in page(dave, here)
    post(dave, f"{here}/resume")
    assert the_campaign(house).state == "published"
    extend = f"{here}/extend"
    assert "结束时间只能延后" in post(dave, extend, extend, ends_at="2020-01-01T00:00").get_data(as_text=True)
    later = (datetime.now(UTC) + timedelta(days=300)).strftime("%Y-%m-%dT12:00")
    assert post(dave, extend, extend, ends_at=later).status_code == 302
    assert the_campaign(house).ends_at.strftime("%Y-%m-%dT%H:%M") == later.replace("12:00", "04:00")
    post(dave, f"{here}/end")
    assert the_campaign(house).state == "ended"
    assert "已结束" in page(dave, here)
    assert here.removeprefix("/console") + "/draw.json" in dave.get(here).text
    assert "1,000 个无人领取" in page(dave, here), "nobody can claim them here any more"


def test_what_is_published_has_no_edit_page(dave: FlaskClient, house: House) -> None:
    campaign = make(house)
    page(dave, f"/console/campaigns/{campaign.id}/edit", 409)
    with house.wired.db.reading() as session:
        (tranche,) = campaigns.list_tranches(session, campaign_id=campaign.id)
    page(dave, f"/console/campaigns/{campaign.id}/pools/{tranche.id}", 409)


def test_another_brand_sees_and_moves_nothing(app: Flask, house: House) -> None:
    campaign = make(house)
    erin = signed_in(app, house, house.other_brand_id)
    assert "开盖有奖" not in page(erin, "/console/campaigns")
    here = f"/console/campaigns/{campaign.id}"
    for path in ("", "/archive.json", "/conditions", "/edit", "/rules", "/extend", "/pools/new"):
        page(erin, here + path, 404)
    for verb in ("review", "withdraw", "approve", "return", "pause", "resume", "end", "discard", "pools/totals"):
        assert post(erin, f"{here}/{verb}").status_code == 404
    assert the_campaign(house).state == "published"


def test_another_brand_cannot_make_one_in_this_name(app: Flask, house: House) -> None:
    erin = signed_in(app, house, house.other_brand_id)
    post(erin, "/console/campaigns/new", **TERMS, brand_id=str(house.brand_id))
    with house.wired.db.reading() as session:
        assert {row.brand_id for row in session.scalars(select(Campaign))} <= {house.other_brand_id}


def test_the_factory_has_no_campaigns(app: Flask, house: House) -> None:
    carol = signed_in(app, house, house.brand_id, Role.FACTORY)
    for path in ("/console/campaigns", "/console/campaigns/new", f"/console/campaigns/{make(house).id}"):
        page(carol, path, 403)


def test_it_speaks_english(dave: FlaskClient, house: House) -> None:
    here = f"/console/campaigns/{make(house).id}"
    shown = page(dave, f"{here}?lang=en")
    assert "Open and win" in shown
    assert "Red packets given" in shown
    assert not re.search(r"[一-鿿]{3}", shown.replace("中文", ""))


def test_a_pool_with_odds_and_limits_is_written_reviewed_and_told_to_people(
    app: Flask, dave: FlaskClient, house: House
) -> None:
    post(dave, "/console/campaigns/new", **{**TERMS, "starts_at": f"{YEAR - 1}-01-01T00:00"})
    here = f"/console/campaigns/{the_campaign(house).id}"
    wheel = {
        **POOL,
        "mode": "odds",
        "ranges-0-batch": str(house.batch),
        "prizes-0-amount": "0.5~5",
        "prizes-0-chance": "12.5%",
        "prizes-0-count": "500",
        "prizes-1-chance": "0.0001",
    }
    pools = f"{here}/pools/new"
    answer = post(dave, pools, pools, **{**wheel, "prizes-0-amount": "5-0.5", "prizes-1-chance": "0.00001"})
    body = answer.get_data(as_text=True)
    assert "金额范围应从小到大" in body
    assert "0.0001 到 100 之间的百分比" in body
    assert post(dave, pools, pools, **wheel).status_code == 302
    with house.wired.db.reading() as session:
        (kept,) = campaigns.load_plan(session, campaign_id=the_campaign(house).id).tranches
    assert (kept.mode, kept.prizes[0]) == (
        "odds", PrizeLine("red_packet", 50, 500, "现金红包", "Red packet", 500, 125_000)
    )  # fmt: skip
    form = dave.get(f"{here}/pools/{kept.id}").get_data(as_text=True)
    assert 'value="0.50-5.00"' in form
    assert 'value="0.0001"' in form
    limits = f"{here}/conditions"
    assert "超过了每人总上限" in post(dave, limits, person_day_max="5", person_max="3").get_data(as_text=True)
    assert post(dave, limits, person_day_max="3", person_max="", day_max="", day_yuan_max="100").status_code == 302
    assert 'value="100.00"' in dave.get(limits).get_data(as_text=True)
    post(dave, f"{here}/review")
    assert post(dave, limits, person_day_max="9").status_code == 409
    erin = signed_in(app, house, house.brand_id)
    post(erin, f"{here}/approve")
    shown = words(page(dave, here))
    assert "现金红包 ¥0.50 – ¥5.00 12.5% 500" in shown
    told = words(page(dave, f"{here.removeprefix('/console')}/rules"))
    assert "现金红包 ¥0.50 – ¥5.00 500 12.5%" in told
    assert "谢谢 – – 87.4999%" in told or "谢谢 – – 87.5%" in told
    assert "每人每天最多领取 3 个码" in told
    assert "每天红包发放上限为 ¥100.00" in told


def test_conditions_name_places_people_and_more_points(app: Flask, dave: FlaskClient, house: House) -> None:
    with house.wired.db.transaction() as session:
        channel = factories.make_channel(session, brand_id=house.brand_id, name="便利店")
        store = factories.make_store(session, channel_id=channel.id, name="静安寺店")
        foreign = factories.make_channel(session, brand_id=house.other_brand_id, name="别家渠道")
    here = f"/console/campaigns/{make(house, published=False).id}"
    limits = f"{here}/conditions"
    assert "别家渠道" not in page(dave, limits)
    typed = {
        "channels": [str(channel.id), str(foreign.id)],
        "regions": "浙江省，上海市",
        "members": "members",
        "nth": "5",
        "nth_points": "2",
        "boosts-0-factor": "3",
        "boosts-0-stores": str(store.id),
        "boosts-0-starts_at": f"{YEAR}-12-01T00:00",
        "boosts-0-ends_at": f"{YEAR}-12-03T00:00",
        "boosts-0-from_hour": "18",
        "boosts-0-to_hour": "22",
    }
    late = {**typed, "boosts-0-to_hour": "18"}
    assert "必须先开始后结束" in post(dave, limits, **late).get_data(as_text=True)
    assert post(dave, limits, **typed).status_code == 302
    with house.wired.db.reading() as session:
        kept = campaigns.conditions_of(session, campaign_id=the_campaign(house).id)
    assert kept.channels == (str(channel.id),), "another brand's place is not there to choose"
    form = dave.get(limits).get_data(as_text=True)
    assert f'<option selected value="{store.id}">静安寺店' in form
    assert re.search(rf'value="{YEAR}-12-01[T ]00:00', form)
    for path in (here, f"{here}/rules"):
        shown = page(dave, path)
        assert "仅限以下地点的商品参与：便利店、浙江省、上海市" in shown
        assert "每天 18:00 至 22:00，来自 静安寺店 的商品积分 3 倍" in shown
        assert "第 5 个码，无论本身是否中奖，另有第二份奖：2 积分。每人一次，总共最多 200 份" in shown


def test_a_tripped_breaker_calls_a_person_who_lets_it_go_on(app: Flask, dave: FlaskClient, house: House) -> None:
    campaign = make(house)
    here = f"/console/campaigns/{campaign.id}"
    assert "请填写金额" in post(dave, f"{here}/breaker", hour_yuan="lots").text
    post(dave, f"{here}/breaker", hour_yuan="0.50")
    assert 'value="0.50"' in dave.get(here).get_data(as_text=True)
    with house.wired.db.transaction() as session:
        campaigns.trip(session, campaign_id=campaign.id, spent_fen=100, now=datetime.now(UTC))
    assert "“开盖有奖”发放金额过快" in page(dave, "/console/")
    assert "一小时内中奖金额超过 ¥0.50" in page(dave, here)
    erin = signed_in(app, house, house.other_brand_id)
    assert "发放金额过快" not in page(erin, "/console/")
    assert post(erin, f"{here}/release").status_code == 404
    post(dave, f"{here}/release")
    assert "一分钟内恢复发放" in page(dave, here)
    post(dave, f"{here}/resume")
    assert the_campaign(house).state == "published"


def test_it_counts_what_lapsed_what_is_dead_and_what_is_on_the_shelf(dave: FlaskClient, house: House) -> None:
    campaign = make(house)
    with house.wired.db.transaction() as session:
        factories.make_life(session, batch_number=house.batch, first=900, last=1009, state="void")
    claim(house, campaign, 3)
    claim(house, campaign, 950)
    claim(house, campaign, 5, "reserved", hours=-1)
    shown = page(dave, f"/console/campaigns/{campaign.id}")
    assert "899 个尚可领取 · 99 个作废或召回且未领取" in shown
    assert "已失效" in shown


def test_campaigns_share_codes_where_both_say_so_and_the_pages_tell(dave: FlaskClient, house: House) -> None:
    base = make(house, is_exclusive=False, ends_at=datetime.now(UTC) + timedelta(days=9))
    here = "/console/campaigns/new"
    assert "与其他活动并行" in page(dave, here)
    post(dave, here, **{**TERMS, "is_shared": "y", "priority": "5"})
    with house.wired.db.transaction() as session:
        (weekend,) = (one for one in campaigns.list_campaigns(session, brand_id=house.brand_id) if one.id != base.id)
        assert (weekend.priority, weekend.is_exclusive) == (5, False)
        members = Conditions(members="members")
        campaigns.set_conditions(
            session, campaign_id=weekend.id, conditions=members, actor="dave", now=datetime.now(UTC)
        )
        lines = [RangeLine(house.batch, 0, 99)]
        prizes = [PrizeLine("points", 5, 40, "积分", "Points")]
        campaigns.add_tranche(
            session, campaign_id=weekend.id, ranges=lines, prizes=prizes, actor="dave", now=datetime.now(UTC)
        )
    shown = page(dave, f"/console/campaigns/{weekend.id}")
    assert "与以下活动共用码" in shown
    assert "开盖有奖 0 本活动 100" in shown
    assert "Open and win 0 this one 100" in page(dave, f"/console/campaigns/{weekend.id}", language="en")
    edit = f"/console/campaigns/{weekend.id}/edit"
    again = dave.get(edit).get_data(as_text=True)
    assert re.search(r'<option selected value="5">', again)
    assert re.search(r'<input[^>]*checked[^>]*name="is_shared"', again)
    with house.wired.db.transaction() as session:
        factories.publish_campaign(session, house.wired.draw_sealer, campaign_id=weekend.id, now=datetime.now(UTC))
    for serial in range(3):
        claim(house, weekend, serial)
    shown = page(dave, f"/console/campaigns/{base.id}")
    assert "开盖有奖 5 对方 100" in shown
    assert "997 个尚可领取 · 3 个已由其他活动奖励" in shown
    assert "让出" in shown
    rules = page(dave, f"/console/campaigns/{base.id}/rules")
    assert "每个码只奖励一次。如果一个码同时参加本品牌的多个活动" in rules
    assert "以上数量为最多可中出的数量" in rules


def test_a_wheel_is_not_asked_what_it_would_have_given(dave: FlaskClient, house: House) -> None:
    """Only exact tables hold a prize for a code that another campaign rewards."""
    base = make(house, is_exclusive=False, ends_at=datetime.now(UTC) + timedelta(days=9))
    with house.wired.db.transaction() as session:
        wheel = factories.make_campaign(
            session, brand_id=house.brand_id, is_exclusive=False, ends_at=datetime.now(UTC) + timedelta(days=20)
        )
        campaigns.add_tranche(
            session,
            campaign_id=wheel.id,
            ranges=[RangeLine(house.batch, 0, 999)],
            prizes=[PrizeLine("points", 5, 40, "积分", "Points", chance_ppm=100_000)],
            mode="odds",
            actor="dave",
            now=datetime.now(UTC),
        )
        factories.publish_campaign(session, house.wired.draw_sealer, campaign_id=wheel.id, now=datetime.now(UTC))
    claim(house, base, 7)
    shown = page(dave, f"/console/campaigns/{wheel.id}")
    assert "1 个已由其他活动奖励" in shown
    assert "让出" not in shown


def test_what_lay_in_void_codes_is_told_of_each_prize_only_at_the_end(dave: FlaskClient, house: House) -> None:
    campaign = make(house)
    here = f"/console/campaigns/{campaign.id}"
    with house.wired.db.transaction() as session:
        factories.make_life(session, batch_number=house.batch, first=900, last=999, state="void")
        session.flush()
        offers = campaigns.load_offers(session, batch_number=house.batch, sealer=house.wired.draw_sealer)
    held: Counter[str] = Counter()
    for serial in range(900, 1000):
        span = offers.find(serial)
        assert span is not None
        held[draw(span.value, serial).kind] += 1
    claim(house, campaign, 950)
    kind = claim(house, campaign, 7, "refused")
    held[draw(span.value, 950).kind] -= 1

    def table() -> dict[str, dict[str, str]]:
        answer = post(dave, f"{here}/prizes.csv")
        assert answer.mimetype == "text/csv"
        return {row["kind"]: row for row in csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))}

    assert {name: int(row["void"]) for name, row in table().items()} == {
        name: int(name == kind) for name in ("red_packet", "points", "thanks")
    }
    assert "活动结束后才按奖项公布" in page(dave, here)
    assert post(dave, f"{here}/end").status_code == 302
    ended = table()
    for name, row in ended.items():
        assert int(row["void"]) == held[name] + (name == kind)
        assert int(row["left"]) == int(row["count"]) - int(row["drawn"]) - held[name]
    assert "领取前已作废或召回的码所含的奖项" in page(dave, here)


def test_prizes_of_another_brand_are_no_table(app: Flask, house: House) -> None:
    campaign = make(house)
    with house.wired.db.transaction() as session:
        other = factories.make_brand(session).id
    stranger = signed_in(app, house, other)
    assert post(stranger, f"/console/campaigns/{campaign.id}/prizes.csv").status_code == 404


def test_results_are_published_from_an_amount_on(app: Flask, dave: FlaskClient, house: House) -> None:
    campaign = make(house)
    here = f"/console/campaigns/{campaign.id}"
    for typed, kept in (("8.8", 880), ("x", 880), ("", None)):
        assert post(dave, f"{here}/results", least_yuan=typed).status_code == (422 if typed == "x" else 302)
        assert the_campaign(house).results_fen == kept
    with house.wired.db.transaction() as session:
        other = factories.make_brand(session).id
    stranger = signed_in(app, house, other)
    assert post(stranger, f"{here}/results", least_yuan="5").status_code == 404


def test_conditions_choose_products_batches_and_where_the_phone_is(dave: FlaskClient, house: House) -> None:
    here = f"/console/campaigns/{make(house, published=False).id}"
    limits = f"{here}/conditions"
    with house.wired.db.reading() as session:
        product_id = session.get_one(factories.Batch, house.batch).product_id
    typed = {"products": str(product_id), "batches": ["7", str(house.newer)], "regions": "浙江 Shenzhen 吉林 220200"}
    wrong = post(dave, limits, **{**typed, "regions": "浙江 月球", "regions_of": "scan"}).get_data(as_text=True)
    assert "没有这个省或市" in wrong
    assert "月球" in wrong
    assert post(dave, limits, **typed, regions_of="scan").status_code == 302
    with house.wired.db.reading() as session:
        kept = campaigns.conditions_of(session, campaign_id=the_campaign(house).id)
    assert kept.regions == ("330000", "440300", "220000", "220200")
    assert kept.batches == (str(house.newer),)
    shown = dave.get(limits).get_data(as_text=True)
    assert 'value="浙江、深圳、吉林、220200"' in shown
    assert '<option selected value="scan">' in shown
    for path in (here, f"{here}/rules"):
        text = page(dave, path)
        assert "仅限以下产品参与：山泉柠檬水" in text
        assert f"批次 {house.newer}" in text
        assert "仅限在以下地区扫码参与：浙江、广东 深圳、吉林、吉林 吉林" in text


def test_turns_that_were_won_count_and_are_no_codes(wired: Wired) -> None:
    lines = [
        PrizeLine("again", 0, 100, "再来一次", "One more turn", None, 500_000),
        PrizeLine("points", 5, 100, "积分", "Points", None, 500_000),
    ]
    with wired.db.transaction() as session:
        shop = open_shop(session, wired, prizes=lines, campaign={"mode": "odds"})
        alice = Claimant(None, shop.openid(session))
        shown = [shop.claim(session, alice, serial, turn=turn) for serial in range(9) for turn in (1, 2)]
        won = sum(one.is_new and one.view.claim.is_again for one in shown)
        plan = campaigns.load_plan(session, campaign_id=shop.campaign_id)
        figures = load_figures(session, plan=plan, sealer=wired.draw_sealer, now=factories.NOW)
    again = figures.prizes[0]
    assert won > 0
    assert (again.drawn, again.remaining, figures.drawn) == (won, 100 - won, 9)


def test_testers_are_added_by_phone_kept_and_removed(app: Flask, dave: FlaskClient, house: House) -> None:
    with house.wired.db.transaction() as session:
        phone = members.identify(
            session, brand_id=house.brand_id, kind="phone", value="+8613812345678", sealer=house.wired.sealer,
            now=datetime.now(UTC),
        )  # fmt: skip
        member, _ = members.join(
            session, phone_identity_id=phone.id, brand_id=house.brand_id, language="zh", now=datetime.now(UTC)
        )
    here = f"/console/campaigns/{make(house, published=False).id}"
    testers = f"{here}/testers"
    assert "还没有测试人员" in page(dave, testers)
    assert "还没有人试用" in page(dave, testers)
    for typed, problem in (("139 0000 0000", "品牌没有使用这个号码的会员"), ("12", "请输入 11 位手机号")):
        answer = post(dave, testers, phone=typed)
        assert answer.status_code == 422
        assert problem in answer.text
        assert f'value="{typed}"' in answer.text, "nothing that was typed is lost"
    post(dave, testers, phone="138 1234 5678")
    shown = page(dave, testers)
    assert "1 人，最多 50 人" in shown
    assert "138****5678" in shown
    assert "13812345678" not in shown
    assert "测试人员 (1)" in page(dave, here)
    post(dave, f"{testers}/keep", keeps="1")
    assert "测试人员保留到活动开始" in page(dave, testers)
    post(dave, f"{testers}/anew")
    with house.wired.db.transaction() as session:
        session.execute(update(Campaign).values(state="ended"))
    post(dave, testers, phone="138 1234 5678")
    assert "这个活动不能再试用" in page(dave, testers)
    erin = signed_in(app, house, house.other_brand_id)
    assert erin.get(testers).status_code == 404
    assert post(erin, f"{testers}/{member.id}/remove").status_code == 404
    post(dave, f"{testers}/{member.id}/remove")
    assert "还没有测试人员" in page(dave, testers)


HOSTILE = ("-1", "1" * 5000, "NaN", "١٢٣", "1,5", "9999-12-31T23:59")


def test_what_is_no_number_or_time_is_said_beside_its_field_and_nothing_is_lost(
    dave: FlaskClient, house: House
) -> None:
    here = f"/console/campaigns/{make(house, published=False).id}"
    boost = {"boosts-0-factor": "2", "boosts-0-starts_at": "2026-01-01T00:00", "boosts-0-ends_at": "2026-02-01T00:00"}
    pool = {**POOL, "ranges-0-batch": str(house.newer)}
    forms: list[tuple[str, dict[str, str], tuple[str, ...]]] = [
        ("/edit", TERMS, ("budget_yuan", "budget_points", "starts_at", "ends_at")),
        ("/conditions", {}, ("person_max", "day_yuan_max", "hold_score", "regions_of")),
        ("/conditions", boost, ("boosts-0-factor", "boosts-0-from_hour", "boosts-0-starts_at")),
        ("/pools/new", pool, ("ranges-0-batch", "ranges-0-last", "prizes-0-amount", "prizes-0-count")),
    ]
    for path, good, fields in forms:
        for field, value in [(field, value) for field in fields for value in HOSTILE]:
            typed = {**good, field: value} | ({"regions": value, "regions_of": "scan"} if field == "regions_of" else {})
            answer = post(dave, f"{here}{path}", f"{here}/edit", **typed)
            assert answer.status_code == 422, (field, value[:9])
            assert re.search(r'class="(invalid-feedback|text-danger)', answer.text), (field, value[:9])
            if field not in ("boosts-0-factor", "regions_of", "ranges-0-batch"):
                assert f'value="{value}"' in answer.text, (field, value[:9])
    folded = r'<details class="card mb-3 fold-card"( open)?>\s*<summary[^>]*><div><h2[^>]*>([^<]*)'
    shown = {title: bool(is_open) for is_open, title in re.findall(folded, dave.get(f"{here}/conditions").text)}
    assert shown == {"限定地点": False, "限定会员": False, "第 N 个码的追加奖励": False, "多倍积分": False}
    for title, typed in (
        ("限定地点", {"regions": "月球", "regions_of": "scan"}),
        ("第 N 个码的追加奖励", {"nth": "x"}),
    ):
        answer = post(dave, f"{here}/conditions", f"{here}/edit", **typed)
        shown = {title: bool(is_open) for is_open, title in re.findall(folded, answer.text)}
        assert [one for one in shown if shown[one]] == [title], "what is wrong is not folded away"
    for path, field in (("breaker", "hour_yuan"), ("results", "least_yuan")):
        for value in ("-1", "1e9", "0", "9" * 12):
            answer = post(dave, f"{here}/{path}", here, **{field: value})
            assert answer.status_code == 422, (field, value)
            assert re.search(rf'id="{field}"[^>]* value="{value}"[^>]* aria-invalid="true"', answer.text), (
                field,
                value,
            )
    assert "没有这个省或市" in post(dave, f"{here}/conditions", here, regions="1" * 5000).text
    answer = post(dave, f"{here}/conditions", here, hold_score="261")
    assert "一次领取的风险分最高为 260" in answer.text
    assert post(dave, f"{here}/conditions", here, hold_score="260").status_code == 302
