"""Looking claims up: the one of a code, all of a person, and those that only a restore made."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from batches.codes import Kind, code_id
from scancode.claims.models import Claim
from scancode.claims.rules import Claimant, ClaimFacts, ClaimState, ClaimView, view_of
from scancode.payouts import service as payouts
from scancode.payouts.models import Payout, PayoutState

COLUMNS = (
    Claim.code_id,
    Claim.state,
    Claim.brand_id,
    Claim.product_id,
    Claim.batch_number,
    Claim.campaign_id,
    Claim.prize_id,
    Claim.prize_kind,
    Claim.amount,
    Claim.visitor_id,
    Claim.subject_id,
    Claim.account_id,
    Claim.day,
    Claim.reserved_until,
    Claim.claimed_at,
    Claim.is_test,
    Claim.nth,
    Claim.turn,
)
_BY_CODE = select(*COLUMNS)


def facts_of(row: Any) -> ClaimFacts:
    """From a row of ``COLUMNS``, and perhaps more."""
    values = {column.key: getattr(row, column.key) for column in COLUMNS}
    return ClaimFacts(**{**values, "state": ClaimState(values["state"])})


def find_facts(session: Session, *, code_id: int) -> ClaimFacts | None:
    """The claim of a code, lapsed or not."""
    row = session.execute(_BY_CODE.where(Claim.code_id == code_id)).one_or_none()
    return facts_of(row) if row else None


def find_claim(session: Session, *, code_id: int, claimant: Claimant, now: datetime) -> ClaimView | None:
    """The claim of a code as this claimant may see it. None where the code is free: no claim, or a lapsed one of
    somebody else."""
    claim = find_facts(session, code_id=code_id)
    if claim is None:
        return None
    seen = view(session, claim, claimant=claimant, now=now)
    return seen if seen.is_mine or not claim.has_lapsed(now) else None


def view(session: Session, claim: ClaimFacts, *, claimant: Claimant, now: datetime) -> ClaimView:
    """The claim with its money, where it is theirs and there is any."""
    seen = view_of(claimant, claim, now)
    if not seen.is_mine or claim.prize_kind != "red_packet" or claim.state == ClaimState.RESERVED:
        return seen
    return view_of(claimant, claim, now, payouts.find(session, code_id=claim.code_id))


def of_person(
    session: Session,
    *,
    claimant: Claimant,
    now: datetime,
    brand_id: UUID | None = None,
    limit: int = 50,
    wins_only: bool = False,
    before: ClaimFacts | None = None,
) -> list[ClaimView]:
    """Everything that is theirs, newest first: what they claimed, and what their browser has reserved. With
    ``brand_id`` that brand's only; ``before`` continues after the last of what was listed."""
    mine = _theirs(claimant)
    if mine is None:
        return []
    query = select(*COLUMNS).where(mine).order_by(Claim.claimed_at.desc(), Claim.code_id.desc()).limit(limit)
    if brand_id is not None:
        query = query.where(Claim.brand_id == brand_id)
    if wins_only:
        query = query.where(Claim.prize_kind != "thanks")
    if before is not None:
        same = and_(Claim.claimed_at == before.claimed_at, Claim.code_id < before.code_id)
        query = query.where(or_(Claim.claimed_at < before.claimed_at, same))
    found = [facts_of(row) for row in session.execute(query)]
    money = payouts.find_newest(session, code_ids=[one.code_id for one in found if one.prize_kind == "red_packet"])
    return [view_of(claimant, one, now, money.get(one.code_id)) for one in found]


def _theirs(claimant: Claimant) -> ColumnElement[bool] | None:
    """Which claims are this person's; None for nobody."""
    ids = list(claimant.ids)
    mine: list[ColumnElement[bool]] = []
    if ids:
        mine += [Claim.subject_id.in_(ids), Claim.account_id.in_(ids)]
    if claimant.visitor_id is not None:
        browser = Claim.visitor_id == claimant.visitor_id
        # Ids decide before the browser does: what somebody else claimed on it is not theirs.
        mine.append(and_(browser, Claim.subject_id.is_(None), Claim.account_id.is_(None)) if ids else browser)
    return or_(*mine) if mine else None


def paid_fen(session: Session, *, claimant: Claimant, brand_id: UUID) -> int:
    """The money of a brand that has reached this person."""
    mine = _theirs(claimant)
    if mine is None:
        return 0
    query = select(func.sum(Payout.amount_fen)).join(Claim, Claim.code_id == Payout.code_id)
    query = query.where(mine, Claim.brand_id == brand_id, Payout.state == PayoutState.PAID.value)
    return int(session.scalar(query) or 0)


def list_quarantined(session: Session, *, brand_id: UUID | None, limit: int = 50) -> list[ClaimFacts]:
    """Claims that only the provider's book knew after a restore."""
    query = select(*COLUMNS).where(Claim.state == ClaimState.QUARANTINED.value)
    if brand_id is not None:
        query = query.where(Claim.brand_id == brand_id)
    return [facts_of(row) for row in session.execute(query.order_by(Claim.claimed_at.desc()).limit(limit))]


def spent_fen(session: Session, *, campaign_id: UUID, since: datetime) -> int:
    """The money that people have won from a campaign since then, reserved or theirs."""
    query = select(func.sum(Claim.amount)).where(
        Claim.campaign_id == campaign_id,
        Claim.claimed_at >= since,
        Claim.prize_kind == "red_packet",
        Claim.is_test.is_(False),
        Claim.state != ClaimState.REFUSED.value,
    )
    return int(session.scalar(query) or 0)


def list_large(session: Session, *, campaign_id: UUID, least_fen: int, limit: int) -> list[ClaimFacts]:
    """Red packets of a campaign of at least so much that are somebody's, the newest first."""
    query = select(*COLUMNS).where(
        Claim.campaign_id == campaign_id,
        Claim.prize_kind == "red_packet",
        Claim.amount >= least_fen,
        Claim.state == ClaimState.CLAIMED.value,
        Claim.is_test.is_(False),
    )
    newest = query.order_by(Claim.claimed_at.desc(), Claim.code_id.desc()).limit(limit)
    return [facts_of(row) for row in session.execute(newest)]


def count_claimed(session: Session, *, batch_number: int, first: int, last: int, now: datetime) -> int:
    """How many inner codes of a range are taken; a lapsed reservation is not. For publishing a campaign over them."""
    bounds = (code_id(batch_number, Kind.INNER, first), code_id(batch_number, Kind.INNER, last))
    lapsed = and_(Claim.state == ClaimState.RESERVED.value, Claim.reserved_until <= now)
    query = select(func.count()).select_from(Claim).where(Claim.code_id.between(*bounds), ~lapsed)
    return session.scalar(query) or 0
