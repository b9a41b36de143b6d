"""Testers: named people who try a campaign on real codes before it begins. They see and claim as consumers will, by the
draft as it stands, from a secret of its own, so that nobody learns what a code will hold.

A trial ends when the campaign is published, unless it keeps its testers until the window begins.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from scancode.campaigns.models import Campaign, CampaignState, CampaignTester
from scancode.campaigns.rules import Trial
from scancode.campaigns.service.drafting import lock
from scancode.campaigns.service.offers import read_drafts
from scancode.campaigns.service.refusals import TesterNotFound, TooManyTesters, TrialOver
from scancode.catalog import revision
from scancode.db import affected, insert_once
from scancode.sealing import Sealer
from scancode.staff import service as staff
from scancode.staff.models import Staff

TESTERS_MAX = 50


@dataclass(frozen=True)
class TesterFacts:
    person_id: UUID
    added_at: datetime
    added_by: str
    """A name."""


def can_be_tried(campaign: Campaign, now: datetime) -> bool:
    """Whether testers can try it at this moment."""
    if campaign.state == CampaignState.DRAFT:
        return True
    return campaign.keeps_testers and campaign.state != CampaignState.ENDED and now < campaign.starts_at


def add_tester(
    session: Session, *, campaign_id: UUID, person_id: UUID, staff_id: UUID, actor: str, now: datetime
) -> bool:
    """False where they are one already. Raises CampaignNotFound, TrialOver, TooManyTesters."""
    campaign = lock(session, campaign_id=campaign_id)
    if not can_be_tried(campaign, now):
        raise TrialOver
    theirs = select(CampaignTester.person_id).where(CampaignTester.campaign_id == campaign_id)
    if session.scalar(theirs.where(CampaignTester.person_id == person_id)) is not None:
        return False
    counted = select(func.count()).select_from(CampaignTester).where(CampaignTester.campaign_id == campaign_id)
    if (session.scalar(counted) or 0) >= TESTERS_MAX:
        raise TooManyTesters(most=TESTERS_MAX)
    key = {"campaign_id": campaign_id, "person_id": person_id}
    if not insert_once(session, CampaignTester, **key, added_at=now, added_by=staff_id):
        return False
    _close(session, campaign, "campaign.add_tester", {"person": str(person_id)}, actor, now)
    return True


def remove_tester(session: Session, *, campaign_id: UUID, person_id: UUID, actor: str, now: datetime) -> None:
    """Raises CampaignNotFound, TesterNotFound."""
    campaign = lock(session, campaign_id=campaign_id)
    here = (CampaignTester.campaign_id == campaign_id, CampaignTester.person_id == person_id)
    if affected(session, delete(CampaignTester).where(*here)) != 1:
        raise TesterNotFound
    _close(session, campaign, "campaign.remove_tester", {"person": str(person_id)}, actor, now)


def keep_testers(session: Session, *, campaign_id: UUID, keeps: bool, actor: str, now: datetime) -> None:
    """Whether they stay after publication, until the window begins. Raises CampaignNotFound, TrialOver."""
    campaign = lock(session, campaign_id=campaign_id)
    if not can_be_tried(campaign, now):
        raise TrialOver
    affected(session, update(Campaign).where(Campaign.id == campaign_id).values(keeps_testers=keeps))
    _close(session, campaign, "campaign.keep_testers", {"keeps": keeps}, actor, now)


def list_testers(session: Session, *, campaign_id: UUID) -> list[TesterFacts]:
    """In the order in which they were added."""
    query = (
        select(CampaignTester.person_id, CampaignTester.added_at, Staff.name)
        .join(Staff, Staff.id == CampaignTester.added_by)
        .where(CampaignTester.campaign_id == campaign_id)
        .order_by(CampaignTester.added_at, CampaignTester.person_id)
    )
    return [TesterFacts(*row) for row in session.execute(query)]


def trials_of(session: Session, *, person_ids: Sequence[UUID]) -> list[CampaignTester]:
    """What somebody may try, or might have: the rows that name them, the oldest first."""
    query = select(CampaignTester).where(CampaignTester.person_id.in_(person_ids))
    return list(session.scalars(query.order_by(CampaignTester.added_at, CampaignTester.campaign_id)))


def find_trial(
    session: Session, *, campaign_ids: Collection[UUID], person_ids: Collection[UUID], now: datetime
) -> dict[UUID, UUID]:
    """Which of the campaigns one of these people may try now, as this transaction sees it: by campaign the tester."""
    query = (
        select(Campaign, CampaignTester.person_id)
        .join(CampaignTester, CampaignTester.campaign_id == Campaign.id)
        .where(Campaign.id.in_(sorted(campaign_ids)), CampaignTester.person_id.in_(sorted(person_ids)))
        .execution_options(populate_existing=True)
    )
    return {campaign.id: person_id for campaign, person_id in session.execute(query) if can_be_tried(campaign, now)}


def load_trials(session: Session, *, batch_number: int, sealer: Sealer) -> tuple[Trial, ...]:
    """What testers may try over a batch, the highest priority first. It may be kept until the revision changes."""
    people: dict[UUID, set[UUID]] = {}
    query = (
        select(CampaignTester.campaign_id, CampaignTester.person_id)
        .join(Campaign, Campaign.id == CampaignTester.campaign_id)
        .where(Campaign.state != CampaignState.ENDED)
    )
    for campaign_id, person_id in session.execute(query):
        people.setdefault(campaign_id, set()).add(person_id)
    if not people:
        return ()
    offers = read_drafts(session, sealer, batch_number=batch_number, campaign_ids=sorted(people))
    offers.sort(key=lambda one: (-one.priority, one.published_at, one.tranche_id.int))
    return tuple(Trial(offer, frozenset(people[offer.campaign_id])) for offer in offers)


def reassign_testers(session: Session, *, from_id: UUID, to_id: UUID) -> int:
    """Two turned out to be one person: what one may try, the other may. Returns of how many campaigns."""
    query = select(CampaignTester.campaign_id, CampaignTester.added_at, CampaignTester.added_by)
    rows = session.execute(query.where(CampaignTester.person_id == from_id).order_by(CampaignTester.campaign_id)).all()
    for campaign_id, added_at, added_by in rows:
        insert_once(
            session, CampaignTester, campaign_id=campaign_id, person_id=to_id, added_at=added_at, added_by=added_by
        )
    if rows:
        forget_testers(session, person_ids=[from_id])
    return len(rows)


def forget_testers(session: Session, *, person_ids: Sequence[UUID]) -> int:
    """Somebody left the brand: they try nothing any more. Returns of how many campaigns."""
    count = affected(session, delete(CampaignTester).where(CampaignTester.person_id.in_(person_ids)))
    if count:
        revision.bump(session)
    return count


def _close(
    session: Session, campaign: Campaign, action: str, facts: dict[str, object], actor: str, now: datetime
) -> None:
    revision.bump(session)
    subject = f"campaign:{campaign.id}"
    staff.audit(session, actor=actor, brand_id=campaign.brand_id, action=action, subject=subject, facts=facts, now=now)
