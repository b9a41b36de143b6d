from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.planning import TRANCHES_MAX, PrizeLine, RangeLine
from scancode.codes.models import Batch
from scancode.errors import Invalid
from scancode.sealing import Sealer
from tests.campaigns.plans import PACKET, POINTS, add, last_audit
from tests.factories import NOW, make_batch, make_campaign, make_offer


def test_it_keeps_ranges_in_order_and_the_table(session: Session, batch: Batch) -> None:
    campaign = make_campaign(session, brand_id=batch.brand_id)
    lines = [RangeLine(batch.number, 500, 599), RangeLine(batch.number, 0, 49)]
    tranche = add(session, campaign.id, batch.number, ranges=lines, thanks_zh="谢谢", thanks_en="Thanks")
    (kept,) = campaigns.load_plan(session, campaign_id=campaign.id).tranches
    assert kept.ranges == tuple(lines)
    assert kept.prizes == (PACKET, POINTS)
    assert (kept.thanks_zh, kept.thanks_en, kept.is_published) == ("谢谢", "Thanks", False)
    assert tranche.size == 150
    assert last_audit(session).action == "tranche.add"


def test_a_draft_may_be_incomplete(session: Session, batch: Batch) -> None:
    campaign = make_campaign(session, brand_id=batch.brand_id)
    assert add(session, campaign.id, batch.number, ranges=[], prizes=[]).size == 0


def test_nobody_sees_it_before_it_is_published(session: Session, sealer: Sealer, batch: Batch) -> None:
    add(session, make_campaign(session, brand_id=batch.brand_id).id, batch.number)
    assert campaigns.load_offers(session, batch_number=batch.number, sealer=sealer).spans == ()


@pytest.mark.parametrize(
    "over",
    [
        {"ranges": [RangeLine(1, 5, 4)]},
        {"ranges": [RangeLine(1, -1, 4)]},
        {"ranges": [RangeLine(1, 0, 2**25)]},
        {"ranges": [RangeLine(1, 0, 4), RangeLine(1, 0, 9)]},
        {"ranges": [RangeLine(1, number, number) for number in range(201)]},
        {"prizes": [PrizeLine("thanks", 0, 1, "谢谢", "Thanks")]},
        {"prizes": [PrizeLine("points", -1, 1, "积分", "Points")]},
        {"prizes": [PrizeLine("points", 1, -1, "积分", "Points")]},
        {"prizes": [PrizeLine("points", 1, 10**13 + 1, "积分", "Points")]},
        {"prizes": [PrizeLine("points", 1, 1, "长" * 61, "Points")]},
        {"prizes": [PACKET] * 51},
    ],
)
def test_it_refuses_what_cannot_be_kept(session: Session, batch: Batch, over: dict[str, Any]) -> None:
    campaign = make_campaign(session, brand_id=batch.brand_id)
    with pytest.raises(Invalid):
        add(session, campaign.id, batch.number, **over)


def test_a_published_campaign_takes_one_for_a_new_batch(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch, prizes=[PACKET])
    newer = make_batch(session, brand_id=batch.brand_id, product_id=batch.product_id)
    add(session, campaign.id, newer.number, now=NOW + timedelta(seconds=1))
    assert [one.is_published for one in campaigns.load_plan(session, campaign_id=campaign.id).tranches] == [True, False]


def test_it_refuses_a_campaign_that_has_ended(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch)
    campaigns.end(session, campaign_id=campaign.id, actor="dave", now=NOW)
    with pytest.raises(campaigns.Frozen):
        add(session, campaign.id, batch.number)


def test_it_refuses_too_many(session: Session, batch: Batch) -> None:
    campaign = make_campaign(session, brand_id=batch.brand_id)
    for number in range(TRANCHES_MAX):
        add(session, campaign.id, batch.number, number, number)
    with pytest.raises(campaigns.TooMany):
        add(session, campaign.id, batch.number, 900, 901)
