"""What a claim earns, in the transaction that makes it somebody's for good."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.catalog import service as catalog
from scancode.claims.rules import Claimant, ClaimFacts
from scancode.ledger import service as ledger
from scancode.payouts import service as payouts
from scancode.payouts.rules import PayoutFacts


def reward(
    session: Session, claim: ClaimFacts, *, claimant: Claimant, prefix: str, now: datetime
) -> PayoutFacts | None:
    """What a claim earns, in the transaction that made it theirs; the payout if that is money. A test earns nothing."""
    if claim.is_test:
        return None
    if claim.prize_kind == "points" and claimant.account_id is not None:
        _give(session, claim, claimant.account_id, now)
    elif claim.prize_kind == "red_packet":
        return payouts.create(
            session,
            code_id=claim.code_id,
            brand_id=claim.brand_id,
            campaign_id=claim.campaign_id,
            identity_id=claimant.identity_id,
            amount_fen=claim.amount,
            cause=claim.cause,
            prefix=prefix,
            now=now,
        )
    return None


def _give(session: Session, claim: ClaimFacts, account_id: UUID, now: datetime) -> None:
    """Points from the brand, good for as long as the brand says."""
    ledger.post(
        session,
        account_id=account_id,
        counter_account_id=ledger.issuer_id(claim.brand_id),
        brand_id=claim.brand_id,
        cause=claim.cause,
        points=claim.amount,
        now=now,
        expires_at=catalog.points_expire_at(session, brand_id=claim.brand_id, earned_at=now),
    )
