from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.catalog.models import Brand
from scancode.codes.models import Batch
from scancode.sealing import Sealer
from tests.campaigns.plans import last_audit
from tests.campaigns.test_create import TERMS
from tests.factories import NOW, make_campaign, make_offer

NEW = replace(TERMS, name_zh="新名字", budget_fen=7)


def test_it_changes_a_draft(session: Session, brand: Brand) -> None:
    campaign = make_campaign(session, brand_id=brand.id)
    changed = campaigns.change(session, campaign_id=campaign.id, terms=NEW, actor="dave", now=NOW)
    assert (changed.name_zh, changed.budget_fen, changed.state) == ("新名字", 7, "draft")
    assert last_audit(session).action == "campaign.change"


def test_it_refuses_what_is_published(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch)
    with pytest.raises(campaigns.Frozen):
        campaigns.change(session, campaign_id=campaign.id, terms=NEW, actor="dave", now=NOW)
    assert campaigns.get_campaign(session, campaign_id=campaign.id).name_zh == "开盖有奖"


def test_it_refuses_what_is_not_there(session: Session) -> None:
    with pytest.raises(campaigns.CampaignNotFound):
        campaigns.change(session, campaign_id=UUID(int=1), terms=NEW, actor="dave", now=NOW)
