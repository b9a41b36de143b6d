from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.models import Campaign
from scancode.codes.models import Batch
from scancode.sealing import Sealer
from tests.campaigns.plans import PACKET, add, last_audit
from tests.factories import NOW, add_staff, make_batch, make_campaign


def nothing(batch_number: int, first: int, last: int) -> int:
    return 0


def ask(session: Session, campaign_id: UUID, staff_id: UUID) -> None:
    campaigns.ask_review(session, campaign_id=campaign_id, claimed=nothing, staff_id=staff_id, actor="dave", now=NOW)


def approve(session: Session, sealer: Sealer, campaign_id: UUID, staff_id: UUID) -> None:
    campaigns.approve(
        session,
        campaign_id=campaign_id,
        new_secret=lambda: "00" * 32,
        sealer=sealer,
        claimed=nothing,
        staff_id=staff_id,
        actor="erin",
        now=NOW,
    )


def people(session: Session) -> tuple[UUID, UUID]:
    return add_staff(session, name="Dave").id, add_staff(session, name="Erin").id


@pytest.fixture
def draft(session: Session, batch: Batch) -> Campaign:
    campaign = make_campaign(session, brand_id=batch.brand_id)
    add(session, campaign.id, batch.number)
    return campaign


def test_a_second_person_publishes_what_the_first_asked_for(session: Session, sealer: Sealer, draft: Campaign) -> None:
    dave, erin = people(session)
    with pytest.raises(campaigns.NotInReview):
        approve(session, sealer, draft.id, erin)
    ask(session, draft.id, dave)
    assert campaigns.count_in_review(session, brand_id=draft.brand_id, besides=erin) == 1
    assert campaigns.count_in_review(session, brand_id=draft.brand_id, besides=dave) == 0
    with pytest.raises(campaigns.SamePerson):
        approve(session, sealer, draft.id, dave)
    with pytest.raises(campaigns.InReview):
        ask(session, draft.id, erin)
    approve(session, sealer, draft.id, erin)
    assert campaigns.get_campaign(session, campaign_id=draft.id).state == "published"
    with pytest.raises(campaigns.NotInReview):
        approve(session, sealer, draft.id, erin)


def test_nothing_changes_under_the_eyes_of_the_second_person(session: Session, batch: Batch, draft: Campaign) -> None:
    dave, _ = people(session)
    (tranche,) = campaigns.list_tranches(session, campaign_id=draft.id)
    ask(session, draft.id, dave)
    terms = campaigns.Terms("新名", "New", NOW, NOW + timedelta(days=1), 1, 1)
    for change in (
        lambda: campaigns.change(session, campaign_id=draft.id, terms=terms, actor="dave", now=NOW),
        lambda: add(session, draft.id, batch.number),
        lambda: campaigns.change_tranche(
            session, tranche_id=tranche.id, ranges=[], prizes=[PACKET], actor="dave", now=NOW
        ),
        lambda: campaigns.remove_tranche(session, tranche_id=tranche.id, actor="dave", now=NOW),
        lambda: campaigns.discard(session, campaign_id=draft.id, actor="dave", now=NOW),
    ):
        with pytest.raises(campaigns.InReview):
            change()
    campaigns.withdraw_review(session, campaign_id=draft.id, staff_id=dave, actor="dave", now=NOW)
    campaigns.discard(session, campaign_id=draft.id, actor="dave", now=NOW)


def test_it_is_sent_back_with_a_reason_and_asked_for_again(session: Session, sealer: Sealer, draft: Campaign) -> None:
    dave, erin = people(session)
    ask(session, draft.id, dave)
    for reason, who, refusal in (
        (" ", erin, campaigns.ReasonMissing),
        ("x" * 301, erin, campaigns.ReasonMissing),
        ("too dear", dave, campaigns.SamePerson),
    ):
        with pytest.raises(refusal):
            campaigns.send_back(session, campaign_id=draft.id, reason=reason, staff_id=who, actor="erin", now=NOW)
    campaigns.send_back(session, campaign_id=draft.id, reason="too dear", staff_id=erin, actor="erin", now=NOW)
    assert last_audit(session).action == "campaign.send_back"
    review = campaigns.find_review(session, campaign_id=draft.id)
    assert review is not None
    assert (review.is_open, review.is_approved, review.reason, review.asked_name) == (False, False, "too dear", "Dave")
    campaigns.ask_review(
        session,
        campaign_id=draft.id,
        claimed=nothing,
        staff_id=erin,
        actor="erin",
        now=NOW + timedelta(seconds=1),
    )
    approve(session, sealer, draft.id, dave)


def test_what_has_a_fault_is_neither_shown_nor_published(session: Session, sealer: Sealer, draft: Campaign) -> None:
    dave, erin = people(session)
    empty = make_campaign(session, brand_id=draft.brand_id)
    with pytest.raises(campaigns.CannotPublish):
        ask(session, empty.id, dave)
    ask(session, draft.id, dave)
    with pytest.raises(campaigns.CannotPublish):
        campaigns.approve(
            session,
            campaign_id=draft.id,
            new_secret=lambda: "never used",
            sealer=sealer,
            claimed=lambda batch_number, first, last: 1,
            staff_id=erin,
            actor="erin",
            now=NOW,
        )


def test_a_pool_that_comes_later_is_reviewed_too(session: Session, sealer: Sealer, batch: Batch) -> None:
    dave, erin = people(session)
    campaign = make_campaign(session, brand_id=batch.brand_id)
    add(session, campaign.id, batch.number)
    ask(session, campaign.id, dave)
    approve(session, sealer, campaign.id, erin)
    newer = make_batch(session, brand_id=batch.brand_id, product_id=batch.product_id)
    tranche = add(session, campaign.id, newer.number)
    ask(session, campaign.id, erin)
    campaigns.pause(session, campaign_id=campaign.id, actor="dave", now=NOW)
    approve(session, sealer, campaign.id, dave)
    assert campaigns.get_tranche(session, tranche_id=tranche.id).published_at == NOW
