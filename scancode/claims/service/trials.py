"""What testers claim: as consumers will, by a campaign that has not begun. It is shown and never given, it counts
nowhere, and the code keeps its reward for whoever buys it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.rules import Offer, Trial, draw
from scancode.catalog.rules import BrandFacts
from scancode.channels.rules import Attribution
from scancode.claims.models import TrialClaim
from scancode.claims.rules import (
    Claimant,
    ClaimCode,
    ClaimFacts,
    ClaimState,
    ClaimView,
    Standing,
    check_kind,
)
from scancode.claims.service.claimants import settle
from scancode.claims.service.fitting import Item, boosted, first_fitting
from scancode.claims.service.gate import check_code
from scancode.codes.rules import BatchFacts
from scancode.db import affected, insert_once
from scancode.staff import service as staff

LISTED_MAX = 100


@dataclass(frozen=True)
class TrialView:
    """What a code showed a tester. ``is_new`` only for the request that made it."""

    campaign_id: UUID
    person_id: UUID
    view: ClaimView
    name_zh: str
    name_en: str
    is_new: bool = False

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_zh


def try_out(
    session: Session,
    *,
    trials: Sequence[Trial],
    code: ClaimCode,
    batch: BatchFacts,
    brand: BrandFacts,
    claimant: Claimant,
    attribution: Attribution | None,
    now: datetime,
) -> TrialView:
    """The first of the trials whose conditions let this code and this tester take part; the same answer again when they
    ask again. Raises as ``claim`` does, and TrialOver where they are no tester any more."""
    check_kind(code.kind)
    check_code(session, code)
    claimant = settle(session, claimant=claimant, brand_id=brand.id)
    wanted = {trial.offer.campaign_id for trial in trials}
    mine = campaigns.find_trial(session, campaign_ids=wanted, person_ids=claimant.ids, now=now)
    open_ = [_as_running(trial.offer, now) for trial in trials if trial.offer.campaign_id in mine]
    if not open_:
        raise campaigns.TrialOver
    item = Item(code.code_id, batch.product_id, batch.number)
    offer = first_fitting(
        session, offers=open_, item=item, brand=brand, claimant=claimant, attribution=attribution, now=now
    )
    prize = boosted(draw(offer, code.serial), offer=offer, brand=brand, attribution=attribution, now=now)
    key = {"code_id": code.code_id, "campaign_id": offer.campaign_id, "person_id": mine[offer.campaign_id]}
    row = {
        "brand_id": brand.id,
        "product_id": batch.product_id,
        "prize_kind": str(prize.kind),
        "amount": prize.amount,
        "name_zh": prize.name_zh,
        "name_en": prize.name_en,
        "claimed_at": now,
    }
    is_new = insert_once(session, TrialClaim, **key, **row)
    found = find_tried(session, code_id=code.code_id, campaign_ids=[offer.campaign_id], person_ids=claimant.ids)
    assert found is not None
    return replace(found, is_new=is_new)


def _as_running(offer: Offer, now: datetime) -> Offer:
    """A window that has not begun or a pause do not keep a tester waiting."""
    ends_at = max(offer.ends_at, now + timedelta(days=1))
    return replace(offer, state="published", ended_at=None, starts_at=min(offer.starts_at, now), ends_at=ends_at)


def find_tried(
    session: Session, *, code_id: int, campaign_ids: Sequence[UUID], person_ids: frozenset[UUID]
) -> TrialView | None:
    """What this tester has seen of a code, in the first of these campaigns where they have."""
    here = (
        TrialClaim.code_id == code_id,
        TrialClaim.campaign_id.in_(campaign_ids),
        TrialClaim.person_id.in_(sorted(person_ids)),
    )
    rows = {row.campaign_id: row for row in session.scalars(select(TrialClaim).where(*here))}
    return next((_view(rows[one]) for one in campaign_ids if one in rows), None)


def list_tried(session: Session, *, campaign_id: UUID) -> list[TrialView]:
    """What testers of a campaign saw, newest first."""
    query = select(TrialClaim).where(TrialClaim.campaign_id == campaign_id)
    newest = query.order_by(TrialClaim.claimed_at.desc(), TrialClaim.code_id).limit(LISTED_MAX)
    return [_view(row) for row in session.scalars(newest)]


def forget_tried(session: Session, *, campaign_id: UUID, actor: str, now: datetime) -> int:
    """Empties the list, so that every code can be tried anew; returns how many there were. Raises CampaignNotFound."""
    campaign = campaigns.get_campaign(session, campaign_id=campaign_id)
    count = affected(session, delete(TrialClaim).where(TrialClaim.campaign_id == campaign_id))
    subject = f"campaign:{campaign_id}"
    facts = {"tried": count}
    staff.audit(
        session,
        actor=actor,
        brand_id=campaign.brand_id,
        action="campaign.try_anew",
        subject=subject,
        facts=facts,
        now=now,
    )
    return count


def tried_by(session: Session, *, person_ids: Sequence[UUID], limit: int) -> list[TrialView]:
    """What somebody tried, newest first."""
    query = select(TrialClaim).where(TrialClaim.person_id.in_(person_ids))
    newest = query.order_by(TrialClaim.claimed_at.desc(), TrialClaim.code_id).limit(limit)
    return [_view(row) for row in session.scalars(newest)]


def reassign_tried(session: Session, *, from_id: UUID, to_id: UUID) -> int:
    """Two turned out to be one person: what one was shown the other was; where both were, the other's stays."""
    columns = [column for column in TrialClaim.__table__.columns if column.name != "person_id"]
    query = select(*columns).where(TrialClaim.person_id == from_id)
    rows = session.execute(query.order_by(TrialClaim.code_id, TrialClaim.campaign_id)).mappings().all()
    for row in rows:
        insert_once(session, TrialClaim, person_id=to_id, **row)
    return erase_tried(session, person_ids=[from_id]) if rows else 0


def erase_tried(session: Session, *, person_ids: Sequence[UUID]) -> int:
    """Somebody left the brand: what they tried is no book of anything, and goes."""
    return affected(session, delete(TrialClaim).where(TrialClaim.person_id.in_(person_ids)))


def _view(row: TrialClaim) -> TrialView:
    facts: dict[str, Any] = {
        name: getattr(row, name)
        for name in ("code_id", "brand_id", "product_id", "campaign_id", "prize_kind", "amount", "claimed_at")
    }
    claim = ClaimFacts(
        state=ClaimState.CLAIMED,
        batch_number=row.code_id >> 27,
        prize_id=None,
        visitor_id=None,
        subject_id=row.person_id,
        account_id=row.person_id,
        day="",
        reserved_until=None,
        is_test=True,
        **facts,
    )
    view = ClaimView(claim=claim, is_mine=True, standing=Standing.CLAIMED)
    return TrialView(row.campaign_id, row.person_id, view, row.name_zh, row.name_en)
