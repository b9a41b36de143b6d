"""Reading campaigns: rows, plans, and what publication has to know about batches and other campaigns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from scancode.campaigns.conditions import Conditions, from_text
from scancode.campaigns.faults import faults
from scancode.campaigns.models import (
    Campaign,
    CampaignReview,
    CampaignState,
    Prize,
    PrizeKind,
    Tranche,
    TrancheRange,
)
from scancode.campaigns.planning import (
    BatchState,
    CampaignPlan,
    Fault,
    PrizeLine,
    RangeLine,
    Sharing,
    Taken,
    TranchePlan,
    common,
    overlap,
)
from scancode.campaigns.service.counters import find_budgets_left
from scancode.campaigns.service.refusals import CampaignNotFound, TrancheNotFound
from scancode.catalog.models import Brand
from scancode.codes.models import Batch
from scancode.codes.models import BatchState as MintState
from scancode.members import service as members
from scancode.staff.models import Staff

Claimed = Callable[[int, int, int], int]
"""``claimed(batch_number, first, last)``: how many inner codes of a range have a claim. Claims come later in the story
than campaigns, so whoever publishes hands this in; it must read within the same transaction."""

LIST_MAX = 200
FRESH = {"populate_existing": True}
"""Rows are changed by plain statements here; a session that read them before must not answer from memory."""


def get_campaign(session: Session, *, campaign_id: UUID) -> Campaign:
    """Raises CampaignNotFound."""
    campaign = session.scalar(
        select(Campaign).where(Campaign.id == campaign_id).execution_options(populate_existing=True)
    )
    if campaign is None:
        raise CampaignNotFound
    return campaign


def conditions_of(session: Session, *, campaign_id: UUID) -> Conditions:
    """Under which a campaign gives; none where it is not there."""
    return from_text(session.scalar(select(Campaign.conditions).where(Campaign.id == campaign_id)) or "")


def naming(session: Session, *, brand_id: UUID, mark_id: UUID, now: datetime) -> list[Campaign]:
    """The brand's campaigns that have not ended and whose conditions name this tag or tier."""
    query = (
        select(Campaign)
        .where(
            Campaign.brand_id == brand_id,
            Campaign.conditions.contains(str(mark_id)),
            Campaign.state != CampaignState.ENDED.value,
            or_(Campaign.state == CampaignState.DRAFT.value, Campaign.ends_at > now),
        )
        .order_by(Campaign.id)
        .limit(LIST_MAX)
    )
    return list(session.scalars(query, execution_options=FRESH))


def get_tranche(session: Session, *, tranche_id: UUID) -> Tranche:
    """Raises TrancheNotFound."""
    tranche = session.scalar(select(Tranche).where(Tranche.id == tranche_id).execution_options(populate_existing=True))
    if tranche is None:
        raise TrancheNotFound
    return tranche


def list_campaigns(
    session: Session, *, brand_id: UUID | None, limit: int = LIST_MAX, before: UUID | None = None
) -> Sequence[Campaign]:
    """Newest first; of every brand without ``brand_id``. ``before`` is the last id of the page before."""
    statement = select(Campaign).order_by(Campaign.id.desc()).limit(min(limit, LIST_MAX))
    if brand_id is not None:
        statement = statement.where(Campaign.brand_id == brand_id)
    if before is not None:
        statement = statement.where(Campaign.id < before)
    return session.scalars(statement, execution_options=FRESH).all()


def list_tranches(session: Session, *, campaign_id: UUID) -> Sequence[Tranche]:
    """In the order in which they were added."""
    statement = select(Tranche).where(Tranche.campaign_id == campaign_id).order_by(Tranche.created_at, Tranche.id)
    return session.scalars(statement, execution_options=FRESH).all()


def list_prizes(session: Session, *, campaign_id: UUID) -> Sequence[Prize]:
    """Every line of every table, thanks last in each; a draft's thanks have a count of 0 until publication."""
    statement = (
        select(Prize)
        .join(Tranche, Tranche.id == Prize.tranche_id)
        .where(Tranche.campaign_id == campaign_id)
        .order_by(Tranche.created_at, Tranche.id, Prize.position)
    )
    return session.scalars(statement, execution_options=FRESH).all()


@dataclass(frozen=True)
class ReviewFacts:
    """The newest review of a campaign. ``is_approved`` is None while it waits, and when it was taken back."""

    asked_by: UUID
    asked_name: str
    asked_at: datetime
    decided_at: datetime | None
    is_approved: bool | None
    reason: str

    @property
    def is_open(self) -> bool:
        return self.decided_at is None


def find_review(session: Session, *, campaign_id: UUID) -> ReviewFacts | None:
    """The open one, else the last; None where nobody ever asked."""
    statement = (
        select(CampaignReview, Staff.name)
        .join(Staff, Staff.id == CampaignReview.asked_by)
        .where(CampaignReview.campaign_id == campaign_id)
        .order_by(CampaignReview.decided_at.is_not(None), CampaignReview.asked_at.desc(), CampaignReview.id.desc())
        .limit(1)
    )
    found = session.execute(statement, execution_options=FRESH).one_or_none()
    if found is None:
        return None
    row, name = found
    return ReviewFacts(row.asked_by, name, row.asked_at, row.decided_at, row.is_approved, row.reason)


def in_review(session: Session, *, campaign_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these wait for a second person."""
    statement = select(CampaignReview.campaign_id).where(
        CampaignReview.campaign_id.in_(campaign_ids), CampaignReview.decided_at.is_(None)
    )
    return set(session.scalars(statement))


def count_in_review(session: Session, *, brand_id: UUID | None, besides: UUID) -> int:
    """How many wait for somebody other than this person."""
    statement = (
        select(func.count())
        .select_from(CampaignReview)
        .join(Campaign, Campaign.id == CampaignReview.campaign_id)
        .where(CampaignReview.decided_at.is_(None), CampaignReview.asked_by != besides)
    )
    return session.scalar(statement if brand_id is None else statement.where(Campaign.brand_id == brand_id)) or 0


def load_plan(session: Session, *, campaign_id: UUID) -> CampaignPlan:
    """The campaign as the pure rules see it. Raises CampaignNotFound."""
    campaign = get_campaign(session, campaign_id=campaign_id)
    brand = session.get_one(Brand, campaign.brand_id)
    tranches = list_tranches(session, campaign_id=campaign_id)
    ranges: dict[UUID, list[RangeLine]] = {tranche.id: [] for tranche in tranches}
    statement = select(TrancheRange).where(TrancheRange.tranche_id.in_(ranges)).order_by(TrancheRange.offset)
    for row in session.scalars(statement, execution_options=FRESH):
        ranges[row.tranche_id].append(RangeLine(row.batch_number, row.first, row.last))
    prizes: dict[UUID, list[Prize]] = {tranche.id: [] for tranche in tranches}
    conditions = from_text(campaign.conditions)
    known = members.marks_there(session, brand_id=campaign.brand_id, mark_ids=conditions.marks)
    for prize in list_prizes(session, campaign_id=campaign_id):
        prizes[prize.tranche_id].append(prize)
    return CampaignPlan(
        id=campaign.id,
        brand_id=campaign.brand_id,
        state=campaign.state,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        budget_fen=campaign.budget_fen,
        budget_points=campaign.budget_points,
        has_sponsor=bool(brand.company_zh and brand.company_en and (brand.support_phone or brand.support_url)),
        conditions=conditions,
        lost_marks=len(conditions.marks - known),
        priority=campaign.priority,
        is_exclusive=campaign.is_exclusive,
        tranches=tuple(_tranche_plan(tranche, ranges[tranche.id], prizes[tranche.id]) for tranche in tranches),
    )


def _tranche_plan(tranche: Tranche, ranges: Sequence[RangeLine], prizes: Sequence[Prize]) -> TranchePlan:
    thanks = next(prize for prize in prizes if prize.kind == PrizeKind.THANKS)
    return TranchePlan(
        id=tranche.id,
        ranges=tuple(ranges),
        prizes=tuple(
            PrizeLine(
                prize.kind,
                prize.amount,
                prize.count,
                prize.name_zh,
                prize.name_en,
                prize.amount_most,
                prize.chance_ppm,
            )
            for prize in prizes
            if prize.kind != PrizeKind.THANKS
        ),
        thanks_zh=thanks.name_zh,
        thanks_en=thanks.name_en,
        is_published=tranche.published_at is not None,
        mode=tranche.mode,
    )


def find_faults(session: Session, *, campaign_id: UUID, claimed: Claimed, now: datetime) -> tuple[Fault, ...]:
    """Everything that keeps the campaign's waiting prize pools from being published now. Raises CampaignNotFound."""
    plan = load_plan(session, campaign_id=campaign_id)
    waiting = [line for tranche in plan.waiting for line in tranche.ranges]
    return faults(
        plan,
        batches=load_batches(session, {line.batch_number for tranche in plan.tranches for line in tranche.ranges}),
        taken=find_taken(session, lines=waiting, besides=campaign_id, now=now),
        claimed={line: claimed(line.batch_number, line.first, line.last) for line in waiting},
        now=now,
        left=find_budgets_left(session, campaign_id=campaign_id),
    )


def load_batches(session: Session, numbers: Iterable[int]) -> dict[int, BatchState]:
    """Those of the batches that exist."""
    statement = select(Batch).where(Batch.number.in_(sorted(set(numbers))))
    return {
        batch.number: BatchState(
            number=batch.number,
            brand_id=batch.brand_id,
            count=batch.count,
            is_test=batch.is_test,
            is_ready=batch.state == MintState.READY,
            pays="inner" in batch.kinds.split(","),
            product_id=batch.product_id,
        )
        for batch in session.scalars(statement, execution_options=FRESH)
    }


def find_taken(session: Session, *, lines: Sequence[RangeLine], besides: UUID, now: datetime) -> tuple[Taken, ...]:
    """Published ranges that share a code with ``lines`` and whose campaign, another one, has not ended."""
    statement = (
        select(
            Campaign.id,
            Campaign.name_zh,
            Campaign.name_en,
            Campaign.priority,
            Campaign.is_exclusive,
            Campaign.conditions,
            Campaign.starts_at,
            Campaign.ends_at,
            Tranche.published_at,
            TrancheRange.batch_number,
            TrancheRange.first,
            TrancheRange.last,
        )
        .join(Tranche, Tranche.campaign_id == Campaign.id)
        .join(TrancheRange, TrancheRange.tranche_id == Tranche.id)
        .where(
            TrancheRange.batch_number.in_({line.batch_number for line in lines}),
            Tranche.published_at.is_not(None),
            Campaign.state.in_((CampaignState.PUBLISHED, CampaignState.PAUSED)),
            Campaign.ends_at > now,
            Campaign.id != besides,
        )
    )
    found = (
        Taken(
            row.id,
            row.name_zh,
            row.name_en,
            RangeLine(row.batch_number, row.first, row.last),
            priority=row.priority,
            is_exclusive=row.is_exclusive,
            is_for_all=from_text(row.conditions).is_for_all,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            published_at=row.published_at,
        )
        for row in session.execute(statement)
    )
    return tuple(taken for taken in found if any(overlap(taken.range, line) for line in lines))


def list_sharing(session: Session, *, campaign_id: UUID, now: datetime) -> tuple[Sharing, ...]:
    """The other unended campaigns over codes of this one, those that go first before the others; none where either
    has its codes alone, which is a fault. Raises CampaignNotFound."""
    plan = load_plan(session, campaign_id=campaign_id)
    published = {tranche.id: tranche.published_at for tranche in list_tranches(session, campaign_id=campaign_id)}
    lines = [line for tranche in plan.tranches for line in tranche.ranges]
    found: dict[UUID, Taken] = {}
    first: dict[UUID, bool] = {}
    codes: dict[UUID, dict[UUID, int]] = {}
    for other in find_taken(session, lines=lines, besides=campaign_id, now=now):
        for tranche in () if plan.is_exclusive or other.is_exclusive else plan.tranches:
            assert tranche.id is not None
            shared = sum(common(other.range, line) for line in tranche.ranges)
            if not shared:
                continue
            at = published[tranche.id]
            found[other.campaign_id] = other
            is_earlier = at is None or other.published_at < at
            first[other.campaign_id] = not plan.goes_first(other) and (other.priority > plan.priority or is_earlier)
            counts = codes.setdefault(other.campaign_id, {})
            counts[tranche.id] = counts.get(tranche.id, 0) + shared
    sharing = (
        Sharing(
            one.campaign_id,
            one.name_zh,
            one.name_en,
            one.priority,
            first[key],
            one.starts_at,
            one.ends_at,
            codes[key],
        )
        for key, one in found.items()
    )
    return tuple(sorted(sharing, key=lambda one: (not one.goes_first, -one.priority, one.starts_at)))
