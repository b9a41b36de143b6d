from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.codes.models import Batch
from scancode.sealing import Sealer
from tests.campaigns.plans import add, last_audit
from tests.factories import NOW, make_campaign, make_offer, publish_campaign

TICK = timedelta(microseconds=1)


def test_it_moves_the_end_later(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch)
    later = campaign.ends_at + TICK
    campaigns.extend(session, campaign_id=campaign.id, ends_at=later, actor="dave", now=NOW)
    assert campaigns.get_campaign(session, campaign_id=campaign.id).ends_at == later
    assert last_audit(session).action == "campaign.extend"


def test_it_refuses_the_same_or_an_earlier_end(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch)
    end = campaign.ends_at
    for ends_at in (end, end - TICK):
        with pytest.raises(campaigns.NotLonger):
            campaigns.extend(session, campaign_id=campaign.id, ends_at=ends_at, actor="dave", now=NOW)


def test_it_refuses_what_has_ended_and_drafts(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch)
    end = campaign.ends_at
    with pytest.raises(campaigns.WrongState):
        campaigns.extend(session, campaign_id=campaign.id, ends_at=end + TICK, actor="dave", now=end)
    draft = make_campaign(session, brand_id=batch.brand_id)
    with pytest.raises(campaigns.WrongState):
        campaigns.extend(session, campaign_id=draft.id, ends_at=end + TICK, actor="dave", now=NOW)


def test_it_refuses_more_than_five_years(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch)
    end = campaign.starts_at + timedelta(days=1830) + TICK
    with pytest.raises(campaigns.CannotPublish):
        campaigns.extend(session, campaign_id=campaign.id, ends_at=end, actor="dave", now=NOW)


def test_it_refuses_when_another_campaign_took_the_codes_by_a_faster_clock(
    session: Session, sealer: Sealer, batch: Batch
) -> None:
    first = make_offer(session, sealer, batch=batch)
    end = first.ends_at
    second = make_campaign(session, brand_id=batch.brand_id, ends_at=end + timedelta(days=9))
    add(session, second.id, batch.number)
    publish_campaign(session, sealer, campaign_id=second.id, now=end)
    with pytest.raises(campaigns.WrongState):
        campaigns.extend(session, campaign_id=first.id, ends_at=end + TICK, actor="dave", now=end - TICK)
