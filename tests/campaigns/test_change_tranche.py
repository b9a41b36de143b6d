from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.models import Tranche
from scancode.campaigns.planning import RangeLine
from scancode.codes.models import Batch
from scancode.errors import Invalid
from scancode.sealing import Sealer
from tests.campaigns.plans import PACKET, POINTS, add, last_audit
from tests.factories import NOW, make_campaign, make_offer


def change(session: Session, tranche_id: UUID, *lines: RangeLine) -> Tranche:
    return campaigns.change_tranche(
        session,
        tranche_id=tranche_id,
        ranges=lines,
        prizes=[POINTS],
        thanks_zh="谢",
        thanks_en="Ta",
        actor="d",
        now=NOW,
    )


def test_it_replaces_ranges_and_table(session: Session, batch: Batch) -> None:
    campaign = make_campaign(session, brand_id=batch.brand_id)
    tranche = add(session, campaign.id, batch.number, 0, 99)
    campaigns.load_plan(session, campaign_id=campaign.id)
    change(session, tranche.id, RangeLine(batch.number, 0, 9), RangeLine(batch.number, 20, 29))
    (kept,) = campaigns.load_plan(session, campaign_id=campaign.id).tranches
    assert kept.ranges == (RangeLine(batch.number, 0, 9), RangeLine(batch.number, 20, 29))
    assert (kept.prizes, kept.thanks_zh) == ((POINTS,), "谢")
    assert campaigns.get_tranche(session, tranche_id=tranche.id).size == 20
    assert last_audit(session).action == "tranche.change"


def test_it_refuses_what_is_published(session: Session, sealer: Sealer, batch: Batch) -> None:
    campaign = make_offer(session, sealer, batch=batch, prizes=[PACKET])
    (tranche,) = campaigns.list_tranches(session, campaign_id=campaign.id)
    with pytest.raises(campaigns.Frozen):
        change(session, tranche.id, RangeLine(batch.number, 0, 9))
    with pytest.raises(campaigns.Frozen):
        campaigns.remove_tranche(session, tranche_id=tranche.id, actor="dave", now=NOW)


def test_it_refuses_nonsense_and_leaves_all_as_it_was(session: Session, batch: Batch) -> None:
    campaign = make_campaign(session, brand_id=batch.brand_id)
    tranche = add(session, campaign.id, batch.number)
    with pytest.raises(Invalid):
        change(session, tranche.id, RangeLine(batch.number, 9, 0))
    assert campaigns.load_plan(session, campaign_id=campaign.id).tranches[0].prizes == (PACKET, POINTS)


def test_it_refuses_what_is_not_there(session: Session) -> None:
    with pytest.raises(campaigns.TrancheNotFound):
        change(session, UUID(int=1))
