from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.codes.models import Batch
from scancode.sealing import Sealer
from tests.campaigns.plans import add, last_audit
from tests.factories import NOW, make_campaign, make_offer


def test_it_deletes_a_draft_with_its_pools(session: Session, batch: Batch) -> None:
    campaign = make_campaign(session, brand_id=batch.brand_id)
    add(session, campaign.id, batch.number)
    campaigns.discard(session, campaign_id=campaign.id, actor="dave", now=NOW)
    session.expunge_all()
    with pytest.raises(campaigns.CampaignNotFound):
        campaigns.get_campaign(session, campaign_id=campaign.id)
    assert last_audit(session).action == "campaign.discard"


def test_it_refuses_what_is_published(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch)
    with pytest.raises(campaigns.Frozen):
        campaigns.discard(session, campaign_id=campaign.id, actor="dave", now=NOW)
