"""``/campaigns/<id>/rules``: what the law wants published, in both languages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from scancode.campaigns import service as campaigns
from scancode.campaigns.planning import PrizeLine, RangeLine
from scancode.web.rulebook import RuleLine, RuleTable
from scancode.wiring import Wired
from tests import factories

YEAR = datetime.now(UTC).year


@pytest.fixture
def campaign_id(wired: Wired) -> UUID:
    now = datetime.now(UTC)
    with wired.db.transaction() as session:
        brand = factories.make_brand(session)
        product = factories.make_product(session, brand_id=brand.id, name_zh="山泉柠檬水", name_en="Lemon water")
        one, other = (
            factories.make_batch(session, brand_id=brand.id, product_id=product.id, count=10_000) for _ in range(2)
        )
        campaign = factories.make_campaign(
            session,
            brand_id=brand.id,
            starts_at=datetime(YEAR, 1, 1, tzinfo=UTC),
            ends_at=datetime(YEAR + 4, 1, 1, tzinfo=UTC),
            budget_fen=10**7,
            rules_zh="仅限本人领取。\n<b>不得</b>转让。",
            rules_en="",
        )
        for batch in (one, other):
            campaigns.add_tranche(
                session,
                campaign_id=campaign.id,
                ranges=[RangeLine(batch.number, 0, 9999)],
                prizes=[
                    PrizeLine("points", 5, 2000, "积分", "Points"),
                    PrizeLine("red_packet", 20000, 1, "特等奖", "Grand prize"),
                ],
                actor="dave",
                now=now,
            )
        factories.publish_campaign(session, wired.draw_sealer, campaign_id=campaign.id, now=now)
    return campaign.id


def shown(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def test_it_names_prizes_counts_odds_window_sponsor_and_contact(client: FlaskClient, campaign_id: UUID) -> None:
    text = shown(client, f"/campaigns/{campaign_id}/rules")
    assert "开盖有奖 进行中" in text
    assert "特等奖 ¥200.00 2 0.01%" in text, "both pools in one line, the dearest first"
    assert "积分 5 积分 4,000 20%" in text
    assert "谢谢参与 – 15,998 79.99%" in text
    assert f"{YEAR}年1月1日 08:00" in text
    assert f"{YEAR + 4}年1月1日 08:00" in text
    assert "参与码数 20,000" in text
    assert "山泉柠檬水" in text
    assert "山泉饮料有限公司" in text
    assert "400 000 0000" in text


def test_it_shows_the_terms_as_text(client: FlaskClient, campaign_id: UUID) -> None:
    body = client.get(f"/campaigns/{campaign_id}/rules").get_data(as_text=True)
    assert "仅限本人领取。" in body
    assert "&lt;b&gt;不得&lt;/b&gt;转让。" in body


def test_it_speaks_english(client: FlaskClient, campaign_id: UUID) -> None:
    text = shown(client, f"/campaigns/{campaign_id}/rules?lang=en")
    for part in ("Open and win Running", "Grand prize ¥200.00 2 0.01%", f"1 Jan {YEAR}, 08:00", "Mountain Spring Ltd"):
        assert part in text
    assert "仅限本人领取" in text, "terms in the other language rather than none"


def test_a_draft_and_nothing_are_not_found(client: FlaskClient, wired: Wired) -> None:
    with wired.db.transaction() as session:
        draft = factories.make_campaign(session, brand_id=factories.make_brand(session).id)
    shown(client, f"/campaigns/{draft.id}/rules", 404)
    shown(client, f"/campaigns/{uuid4()}/rules", 404)


def test_a_pool_that_waits_is_not_announced(client: FlaskClient, wired: Wired, campaign_id: UUID) -> None:
    with wired.db.transaction() as session:
        campaigns.add_tranche(
            session,
            campaign_id=campaign_id,
            ranges=[],
            prizes=[PrizeLine("points", 777, 1, "秘密", "Secret")],
            actor="dave",
            now=datetime.now(UTC) + timedelta(seconds=1),
        )
    assert "秘密" not in shown(client, f"/campaigns/{campaign_id}/rules")


def test_ended_rules_stay_readable(client: FlaskClient, wired: Wired, campaign_id: UUID) -> None:
    with wired.db.transaction() as session:
        campaigns.end(session, campaign_id=campaign_id, actor="dave", now=datetime.now(UTC))
    assert "开盖有奖 已结束" in shown(client, f"/campaigns/{campaign_id}/rules")


@pytest.mark.parametrize(
    ("count", "codes", "odds"),
    [
        (1, 2, "50%"),
        (1, 3, "33.33%"),
        (1, 10_000, "0.01%"),
        (1, 100_000, "0.001%"),
        (3, 33_554_432, "0.00001%"),
        (0, 5, "0%"),
        (5, 5, "100%"),
    ],
)
def test_odds_are_never_rounded_to_nothing(count: int, codes: int, odds: str) -> None:
    line = RuleLine("points", 5, "积分", "Points", None, None, count)
    assert RuleTable(False, codes, (line,)).odds(line) == odds


def test_a_commitment_is_told_at_once_and_what_it_hides_at_the_end(
    client: FlaskClient, wired: Wired, campaign_id: UUID
) -> None:
    page = shown(client, f"/campaigns/{campaign_id}/rules")
    with wired.db.reading() as session:
        told = campaigns.list_commitments(session, campaign_id=campaign_id)
    assert len(told) == 2
    assert all(one in page for one in told)
    assert client.get(f"/campaigns/{campaign_id}/draw.json").status_code == 409
    with wired.db.transaction() as session:
        campaigns.end(session, campaign_id=campaign_id, actor="dave", now=datetime.now(UTC))
    assert "验证抽奖" in shown(client, f"/campaigns/{campaign_id}/rules")
    assert all(one in shown(client, f"/campaigns/{campaign_id}/draw") for one in told)
    answer = client.get(f"/campaigns/{campaign_id}/draw.json")
    assert [pool["commitment"] for pool in answer.get_json()["pools"]] == told
    assert client.get(f"/campaigns/{uuid4()}/draw.json").status_code == 404


@pytest.mark.parametrize("turns", [False, True])
def test_it_says_how_often_a_code_is_drawn_for(client: FlaskClient, wired: Wired, *, turns: bool) -> None:
    again = PrizeLine("again", 0, 50, "再来一次", "One more turn", None, 300_000)
    points = PrizeLine("points", 5, 50, "积分", "Points", None, 500_000)
    with wired.db.transaction() as session:
        brand = factories.make_brand(session)
        product = factories.make_product(session, brand_id=brand.id)
        batch = factories.make_batch(session, brand_id=brand.id, product_id=product.id)
        prizes = [again, points] if turns else [points]
        offer = factories.make_offer(session, wired.draw_sealer, batch=batch, prizes=prizes, mode="odds")
    for language, once, every in (
        ("en", "when the code is claimed and once only", "every turn once only"),
        ("zh", "每个码在领取时抽奖一次", "每一次只抽一回"),
    ):
        page = shown(client, f"/campaigns/{offer.id}/rules?lang={language}")
        assert (once in page, every in page) == (not turns, turns)
