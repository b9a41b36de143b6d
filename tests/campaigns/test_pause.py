from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.codes.models import Batch
from scancode.sealing import Sealer
from tests.campaigns.plans import last_audit, revision_of
from tests.factories import NOW, make_campaign, make_offer


def test_it_pauses_and_resumes(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch)
    before = revision_of(session)
    campaigns.pause(session, campaign_id=campaign.id, actor="dave", now=NOW)
    assert campaigns.get_campaign(session, campaign_id=campaign.id).state == "paused"
    assert last_audit(session).action == "campaign.pause"
    campaigns.resume(session, campaign_id=campaign.id, actor="dave", now=NOW)
    assert campaigns.get_campaign(session, campaign_id=campaign.id).state == "published"
    assert last_audit(session).action == "campaign.resume"
    assert revision_of(session) == before + 2


def test_it_pauses_only_what_may_run_and_resumes_only_what_is_paused(
    session: Session, sealer: Sealer, batch: Batch
) -> None:
    draft, campaign = make_campaign(session, brand_id=batch.brand_id), make_offer(session, sealer, batch=batch)
    with pytest.raises(campaigns.WrongState):
        campaigns.pause(session, campaign_id=draft.id, actor="dave", now=NOW)
    with pytest.raises(campaigns.WrongState):
        campaigns.resume(session, campaign_id=campaign.id, actor="dave", now=NOW)
    campaigns.pause(session, campaign_id=campaign.id, actor="dave", now=NOW)
    with pytest.raises(campaigns.WrongState):
        campaigns.pause(session, campaign_id=campaign.id, actor="dave", now=NOW)


def test_what_has_ended_by_time_is_neither_paused_nor_resumed(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch)
    end = campaign.ends_at
    with pytest.raises(campaigns.WrongState):
        campaigns.pause(session, campaign_id=campaign.id, actor="dave", now=end)
    campaigns.pause(session, campaign_id=campaign.id, actor="dave", now=end - timedelta(microseconds=1))
    with pytest.raises(campaigns.WrongState):
        campaigns.resume(session, campaign_id=campaign.id, actor="dave", now=end)
