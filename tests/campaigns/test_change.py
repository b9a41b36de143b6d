from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Conditions
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


def test_conditions_may_name_as_many_places_as_they_may(session: Session, brand: Brand) -> None:
    """An audit row holds few of them as they are, of hundreds how many, and what tells one choice from another."""
    campaign = make_campaign(session, brand_id=brand.id)
    many = Conditions(stores=tuple(str(UUID(int=one)) for one in range(500)), person_max=3)
    for conditions, told in ((Conditions(person_max=3), "conditions"), (many, '"stores":500')):
        campaigns.set_conditions(session, campaign_id=campaign.id, conditions=conditions, actor="dave", now=NOW)
        assert campaigns.conditions_of(session, campaign_id=campaign.id) == conditions
        assert told in last_audit(session).facts
