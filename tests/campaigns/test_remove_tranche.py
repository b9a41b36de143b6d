from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.codes.models import Batch
from tests.campaigns.plans import add, last_audit
from tests.factories import NOW, make_campaign


def test_it_deletes_a_waiting_pool(session: Session, batch: Batch) -> None:
    campaign = make_campaign(session, brand_id=batch.brand_id)
    kept, gone = add(session, campaign.id, batch.number, 0, 9), add(session, campaign.id, batch.number, 10, 19)
    campaigns.remove_tranche(session, tranche_id=gone.id, actor="dave", now=NOW)
    assert [one.id for one in campaigns.load_plan(session, campaign_id=campaign.id).tranches] == [kept.id]
    assert last_audit(session).action == "tranche.remove"


def test_it_refuses_what_is_not_there(session: Session) -> None:
    with pytest.raises(campaigns.TrancheNotFound):
        campaigns.remove_tranche(session, tranche_id=UUID(int=1), actor="dave", now=NOW)
