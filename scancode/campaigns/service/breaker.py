"""The breaker: a campaign that gives away money faster than anybody expected is paused, its payouts wait, and a person
is called. It trips for one campaign only, so that no brand stops another's money. What else staff set while a campaign
runs is here, too: from which red packets on results are published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scancode.campaigns import planning
from scancode.campaigns.models import Campaign, CampaignState
from scancode.campaigns.service.drafting import lock
from scancode.campaigns.service.refusals import WrongState
from scancode.catalog import revision
from scancode.db import affected
from scancode.errors import Invalid
from scancode.i18n import N_
from scancode.staff import service as staff

ACTOR = "breaker"
WITHIN = timedelta(hours=1)
TRIPPED_SHOWN = 50


@dataclass(frozen=True)
class Armed:
    """A running campaign with a breaker: what it may give within the hour that begins at ``since``."""

    campaign_id: UUID
    most_fen: int
    since: datetime


def set_breaker(session: Session, *, campaign_id: UUID, hour_fen: int | None, actor: str, now: datetime) -> None:
    """The money that a campaign may give away within an hour; None is no limit. At any time before it has ended.

    Raises CampaignNotFound, WrongState, Invalid.
    """
    if hour_fen is not None and not 1 <= hour_fen <= planning.BUDGET_MAX:
        raise Invalid(field="breaker", problem=N_("This budget is out of reach."))
    campaign = lock(session, campaign_id=campaign_id)
    if campaign.state == CampaignState.ENDED:
        raise WrongState(state=campaign.state)
    values = {"breaker_fen": hour_fen, "breaker_since": now}
    affected(session, update(Campaign).where(Campaign.id == campaign_id).values(values))
    _audit(session, campaign, "campaign.set_breaker", {"hour_fen": hour_fen}, actor, now)


def publish_results(session: Session, *, campaign_id: UUID, least_fen: int | None, actor: str, now: datetime) -> None:
    """From which red packets on results are public; None for none. At any time, for what was won before, too.

    Raises CampaignNotFound, Invalid.
    """
    if least_fen is not None and not 1 <= least_fen <= planning.BUDGET_MAX:
        raise Invalid(field="results", problem=N_("This budget is out of reach."))
    campaign = lock(session, campaign_id=campaign_id)
    affected(session, update(Campaign).where(Campaign.id == campaign_id).values(results_fen=least_fen))
    _audit(session, campaign, "campaign.publish_results", {"least_fen": least_fen}, actor, now)


def list_armed(session: Session, *, now: datetime) -> list[Armed]:
    """The campaigns to look at, each from an hour ago or from when somebody let it go on."""
    statement = select(Campaign.id, Campaign.breaker_fen, Campaign.breaker_since).where(
        Campaign.state == CampaignState.PUBLISHED,
        Campaign.breaker_fen.is_not(None),
        Campaign.starts_at <= now,
        # What was reserved just before the end is bound, and paid, after it.
        Campaign.ends_at > now - timedelta(days=4),
    )
    return [
        Armed(row.id, row.breaker_fen, max(now - WITHIN, row.breaker_since or now - WITHIN))
        for row in session.execute(statement)
    ]


def trip(session: Session, *, campaign_id: UUID, spent_fen: int, now: datetime) -> bool:
    """Pauses it and has its payouts wait. False where somebody was quicker."""
    campaign = lock(session, campaign_id=campaign_id)
    running = update(Campaign).where(Campaign.id == campaign_id, Campaign.state == CampaignState.PUBLISHED)
    if affected(session, running.values(state=CampaignState.PAUSED, tripped_at=now)) != 1:
        return False
    revision.bump(session)
    _audit(session, campaign, "campaign.trip", {"spent_fen": spent_fen, "most_fen": campaign.breaker_fen}, ACTOR, now)
    return True


def release(session: Session, *, campaign_id: UUID, actor: str, now: datetime) -> None:
    """A person has looked: its payouts go on, and the hour is counted anew. It stays paused until it is resumed.

    Raises CampaignNotFound, WrongState where it had not tripped.
    """
    campaign = lock(session, campaign_id=campaign_id)
    tripped = update(Campaign).where(Campaign.id == campaign_id, Campaign.tripped_at.is_not(None))
    if affected(session, tripped.values(tripped_at=None, breaker_since=now)) != 1:
        raise WrongState(state=campaign.state)
    _audit(session, campaign, "campaign.release", {}, actor, now)


def list_tripped(session: Session, *, brand_id: UUID | None) -> Sequence[Campaign]:
    """Those that wait for a person."""
    statement = select(Campaign).where(Campaign.tripped_at.is_not(None)).order_by(Campaign.tripped_at)
    statement = statement if brand_id is None else statement.where(Campaign.brand_id == brand_id)
    return session.scalars(statement.limit(TRIPPED_SHOWN)).all()


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
