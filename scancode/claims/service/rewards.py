"""What a claim earns, in the transaction that makes it somebody's for good."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.campaigns.conditions import Conditions
from scancode.catalog import service as catalog
from scancode.claims.rules import Claimant, ClaimFacts
from scancode.ledger import service as ledger
from scancode.payouts import service as payouts
from scancode.payouts.rules import PayoutFacts


def reward_nth(
    session: Session, claim: ClaimFacts, *, conditions: Conditions, claimant: Claimant, nth: int, now: datetime
) -> None:
    """The points that the n-th code of a person adds, whatever it holds itself. A browser has to become somebody
    first: what it reserved is counted again when it is bound."""
    account_id, points = claimant.account_id, conditions.nth_points
    if not nth or nth != conditions.nth or not points or account_id is None or claim.is_test:
        return
    _give(session, claim, account_id, f"nth:{claim.code_id}", points, now)


def reward(
    session: Session, claim: ClaimFacts, *, claimant: Claimant, prefix: str, now: datetime
) -> PayoutFacts | None:
    """What a claim earns, in the transaction that made it theirs; the payout if that is money. A test earns nothing."""
    if claim.is_test:
        return None
    if claim.prize_kind == "points" and claimant.account_id is not None:
        _give(session, claim, claimant.account_id, f"claim:{claim.code_id}", claim.amount, now)
    elif claim.prize_kind == "red_packet":
        return payouts.create(
            session,
            code_id=claim.code_id,
            brand_id=claim.brand_id,
            campaign_id=claim.campaign_id,
            identity_id=claimant.identity_id,
            amount_fen=claim.amount,
            cause=f"claim:{claim.code_id}",
            prefix=prefix,
            now=now,
        )
    return None


def _give(session: Session, claim: ClaimFacts, account_id: UUID, cause: str, points: int, now: datetime) -> None:
    """Points from the brand, good for as long as the brand says."""
    ledger.post(
        session,
        account_id=account_id,
        counter_account_id=ledger.issuer_id(claim.brand_id),
        brand_id=claim.brand_id,
        cause=cause,
        points=points,
        now=now,
        expires_at=catalog.points_expire_at(session, brand_id=claim.brand_id, earned_at=now),
    )
