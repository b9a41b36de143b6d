"""How a code's offer is read: fresh for a claim, and over a whole batch for the scan page."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.planning import PrizeLine, RangeLine
from scancode.campaigns.rules import Phase, draw, phase
from scancode.codes.models import Batch
from scancode.sealing import SealBroken, Sealer
from tests.campaigns.plans import PACKET, POINTS, add
from tests.factories import NOW, make_batch, make_campaign, make_offer, publish_campaign


def test_both_ways_find_the_same_prize(session: Session, sealer: Sealer, batch: Batch) -> None:
    second = make_batch(session, brand_id=batch.brand_id, product_id=batch.product_id)
    campaign = make_campaign(session, brand_id=batch.brand_id)
    lines = [RangeLine(second.number, 10, 29), RangeLine(batch.number, 900, 999), RangeLine(batch.number, 0, 99)]
    add(session, campaign.id, batch.number, ranges=lines)
    publish_campaign(session, sealer, campaign_id=campaign.id)
    kinds = []
    for line in lines:
        offers = campaigns.load_offers(session, batch_number=line.batch_number, sealer=sealer)
        for serial in (line.first, line.last):
            span = offers.find(serial)
            fresh = campaigns.find_offer(session, batch_number=line.batch_number, serial=serial, sealer=sealer)
            assert span is not None
            assert fresh is not None
            assert draw(span.value, serial) == draw(fresh, serial)
            assert span.value.offset_of(serial) == fresh.offset_of(serial)
            kinds.append(fresh.offset_of(serial))
    assert kinds == [0, 19, 20, 119, 120, 219]


@pytest.mark.parametrize("serial", [9, 20])
def test_a_code_outside_the_ranges_has_none(session: Session, sealer: Sealer, batch: Batch, serial: int) -> None:
    campaign = make_campaign(session, brand_id=batch.brand_id)
    add(session, campaign.id, batch.number, 10, 19, prizes=[PrizeLine("points", 5, 1, "积分", "Points")])
    publish_campaign(session, sealer, campaign_id=campaign.id)
    assert campaigns.find_offer(session, batch_number=batch.number, serial=serial, sealer=sealer) is None
    assert campaigns.load_offers(session, batch_number=batch.number, sealer=sealer).find(serial) is None


def test_a_batch_without_campaigns_has_none(session: Session, sealer: Sealer, batch: Batch) -> None:
    assert campaigns.load_offers(session, batch_number=batch.number, sealer=sealer).spans == ()
    assert campaigns.find_offer(session, batch_number=batch.number, serial=0, sealer=sealer) is None
    assert campaigns.find_offer(session, batch_number=1, serial=0, sealer=sealer) is None


def test_it_tells_what_a_page_shows(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch, prizes=[PACKET, POINTS])
    offer = campaigns.find_offer(session, batch_number=batch.number, serial=0, sealer=sealer)
    assert offer is not None
    assert (offer.campaign_id, offer.brand_id, offer.size) == (campaign.id, batch.brand_id, 1000)
    assert (offer.name("zh"), offer.name("en")) == ("开盖有奖", "Open and win")
    assert [(prize.kind, prize.amount, prize.count) for prize in offer.prizes] == [
        ("red_packet", 100, 10),
        ("points", 50, 100),
        ("thanks", 0, 890),
    ]
    assert phase(offer, NOW) is Phase.RUNNING


def test_it_sees_a_pause_at_once(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch)
    campaigns.find_offer(session, batch_number=batch.number, serial=0, sealer=sealer)
    campaigns.pause(session, campaign_id=campaign.id, actor="dave", now=NOW)
    offer = campaigns.find_offer(session, batch_number=batch.number, serial=0, sealer=sealer)
    assert phase(offer, NOW) is Phase.PAUSED


def test_it_fails_loudly_when_the_draw_key_is_gone(session: Session, sealer: Sealer, batch: Batch) -> None:
    make_offer(session, sealer, batch=batch)
    with pytest.raises(SealBroken):
        campaigns.find_offer(session, batch_number=batch.number, serial=0, sealer=Sealer("x:other", "index"))
