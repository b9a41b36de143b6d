"""Four eyes before money is promised: one asks, another approves, which publishes, or sends it back with a reason.

While a review is open nothing of the campaign can be changed, so what is approved is what was looked at. That holds for
the pools that a running campaign gets later, too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from scancode.campaigns.models import Campaign, CampaignReview
from scancode.campaigns.service.drafting import check_no_review, lock
from scancode.campaigns.service.publishing import publish
from scancode.campaigns.service.reading import Claimed, ReviewFacts, find_faults, find_review
from scancode.campaigns.service.refusals import CannotPublish, NotInReview, ReasonMissing, SamePerson
from scancode.db import affected, new_id
from scancode.sealing import Sealer
from scancode.staff import service as staff

REASON_LENGTH_MAX = 300


def ask_review(
    session: Session, *, campaign_id: UUID, claimed: Claimed, staff_id: UUID, actor: str, now: datetime
) -> None:
    """Hands the campaign to a colleague. Raises CampaignNotFound, InReview, CannotPublish with every fault."""
    campaign = lock(session, campaign_id=campaign_id)
    check_no_review(session, campaign_id)
    found = find_faults(session, campaign_id=campaign_id, claimed=claimed, now=now)
    if found:
        raise CannotPublish(found)
    session.execute(
        insert(CampaignReview).values(
            id=new_id(now), campaign_id=campaign_id, asked_by=staff_id, asked_at=now, reason=""
        )
    )
    _audit(session, campaign, "campaign.ask_review", {}, actor, now)


def withdraw_review(session: Session, *, campaign_id: UUID, staff_id: UUID, actor: str, now: datetime) -> None:
    """Takes it back, to be changed. Raises CampaignNotFound, NotInReview."""
    campaign = lock(session, campaign_id=campaign_id)
    _decide(session, campaign_id, staff_id, None, "", now)
    _audit(session, campaign, "campaign.withdraw_review", {}, actor, now)


def approve(
    session: Session,
    *,
    campaign_id: UUID,
    new_secret: Callable[[], str],
    sealer: Sealer,
    claimed: Claimed,
    staff_id: UUID,
    actor: str,
    now: datetime,
) -> tuple[UUID, ...]:
    """A second person agrees, and it is published: see ``publish``. Raises CampaignNotFound, NotInReview, SamePerson,
    CannotPublish where something has come in between."""
    campaign = lock(session, campaign_id=campaign_id)
    review = _open_review(session, campaign_id)
    if review.asked_by == staff_id:
        raise SamePerson
    _decide(session, campaign_id, staff_id, True, "", now)
    _audit(session, campaign, "campaign.approve", {"asked_by": str(review.asked_by)}, actor, now)
    return publish(
        session, campaign_id=campaign_id, new_secret=new_secret, sealer=sealer, claimed=claimed, actor=actor, now=now
    )


def send_back(session: Session, *, campaign_id: UUID, reason: str, staff_id: UUID, actor: str, now: datetime) -> None:
    """A second person wants something changed. Raises CampaignNotFound, NotInReview, SamePerson, ReasonMissing."""
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_LENGTH_MAX:
        raise ReasonMissing
    campaign = lock(session, campaign_id=campaign_id)
    if _open_review(session, campaign_id).asked_by == staff_id:
        raise SamePerson
    _decide(session, campaign_id, staff_id, False, reason, now)
    _audit(session, campaign, "campaign.send_back", {"reason_length": len(reason)}, actor, now)


def _open_review(session: Session, campaign_id: UUID) -> ReviewFacts:
    review = find_review(session, campaign_id=campaign_id)
    if review is None or not review.is_open:
        raise NotInReview
    return review


def _decide(
    session: Session, campaign_id: UUID, staff_id: UUID, is_approved: bool | None, reason: str, now: datetime
) -> None:
    waiting = update(CampaignReview).where(
        CampaignReview.campaign_id == campaign_id, CampaignReview.decided_at.is_(None)
    )
    values = {"decided_at": now, "decided_by": staff_id, "is_approved": is_approved, "reason": reason}
    if affected(session, waiting.values(values)) != 1:
        raise NotInReview


def _audit(
    session: Session, campaign: Campaign, action: str, facts: dict[str, object], actor: str, now: datetime
) -> None:
    staff.audit(
        session,
        actor=actor,
        brand_id=campaign.brand_id,
        action=action,
        subject=f"campaign:{campaign.id}",
        facts=facts,
        now=now,
    )
