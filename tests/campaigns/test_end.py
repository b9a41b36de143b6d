from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.rules import Phase, phase
from scancode.codes.models import Batch
from scancode.sealing import Sealer
from tests.campaigns.plans import last_audit
from tests.factories import NOW, make_campaign, make_offer


def test_it_ends_for_good(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch)
    campaigns.end(session, campaign_id=campaign.id, actor="dave", now=NOW)
    kept = campaigns.get_campaign(session, campaign_id=campaign.id)
    assert (kept.state, kept.ended_at) == ("ended", NOW)
    assert kept.ends_at > NOW, "what was promised stays on record"
    offer = campaigns.find_offer(session, batch_number=batch.number, serial=0, sealer=sealer)
    assert phase(offer, NOW) is Phase.ENDED
    assert last_audit(session).action == "campaign.end"
    for verb in (campaigns.end, campaigns.pause, campaigns.resume):
        with pytest.raises(campaigns.WrongState):
            verb(session, campaign_id=campaign.id, actor="dave", now=NOW)


def test_it_ends_a_paused_campaign(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch)
    campaigns.pause(session, campaign_id=campaign.id, actor="dave", now=NOW)
    campaigns.end(session, campaign_id=campaign.id, actor="dave", now=NOW)
    assert campaigns.get_campaign(session, campaign_id=campaign.id).state == "ended"


def test_it_refuses_a_draft(session: Session, batch: Batch) -> None:
    draft = make_campaign(session, brand_id=batch.brand_id)
    with pytest.raises(campaigns.WrongState):
        campaigns.end(session, campaign_id=draft.id, actor="dave", now=NOW)
