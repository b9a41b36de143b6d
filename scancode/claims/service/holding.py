"""Rewards that staff look at first: what the published rules of a campaign hold back, and why.

A held claim is its owner's and takes its prize out of stock and budget; only what it earns waits. What becomes of it
is for ``deciding``.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from scancode.campaigns.conditions import HOLD_DAYS, Conditions
from scancode.claims import risk
from scancode.claims.models import Claim, HeldClaim
from scancode.claims.risk import NO_GLIMPSE, Glimpse, Score
from scancode.claims.rules import Claimant, ClaimFacts, ClaimState
from scancode.claims.service.assessing import assess
from scancode.claims.service.limits import Counted
from scancode.db import affected, insert_once

NOTHING = risk.score(risk.RiskFacts())


def keep_back(
    session: Session,
    claim: ClaimFacts,
    *,
    limits: Conditions,
    counted: Counted,
    claimant: Claimant,
    glimpse: Glimpse | None,
    now: datetime,
) -> bool:
    """Holds a claim where the rules say so, in the transaction that makes it somebody's, before it earns anything.

    What wins nothing, or nothing yet, is nobody's concern. What speaks against a mere reservation is kept until
    somebody binds it; then ``glimpse`` is None. True where it is held now.
    """
    if not limits.may_hold or claim.prize_kind in ("thanks", "again") or claim.is_test:
        return False
    found = _look(session, claim, limits, claimant, glimpse, now)
    by_count = limits.hold_day is not None and counted.today >= limits.hold_day
    by_score = limits.hold_score is not None and found.points >= limits.hold_score
    if claim.state == ClaimState.RESERVED:
        if by_score:
            _put(session, claim, found, limits, Counted(), now)
        return False
    if by_count or by_score:
        hold(session, claim, found=found, limits=limits, counted=counted, now=now)
    return by_count or by_score


def _look(
    session: Session,
    claim: ClaimFacts,
    limits: Conditions,
    claimant: Claimant,
    glimpse: Glimpse | None,
    now: datetime,
) -> Score:
    """What speaks against it; nothing where nothing smells."""
    if limits.hold_score is None:
        return NOTHING
    if glimpse is None:
        here = (HeldClaim.code_id == claim.code_id, HeldClaim.decided_at.is_(None))
        kept = session.execute(select(HeldClaim.reasons, HeldClaim.facts).where(*here)).one_or_none()
        glimpse = risk.from_texts(kept.reasons, kept.facts).facts.glimpse if kept else NO_GLIMPSE
    if not glimpse.smells:
        return NOTHING
    return assess(session, code=claim.code_id, claimant=claimant, glimpse=glimpse, now=now)


def hold(
    session: Session,
    claim: ClaimFacts,
    *,
    limits: Conditions,
    counted: Counted,
    now: datetime,
    found: Score = NOTHING,
) -> None:
    affected(session, update(Claim).where(Claim.code_id == claim.code_id).values(state=ClaimState.HELD.value))
    _put(session, claim, found, limits, counted, now)


def _put(
    session: Session, claim: ClaimFacts, found: Score, limits: Conditions, counted: Counted, now: datetime
) -> None:
    """A row of an earlier reservation of the same code gives way."""
    reasons, facts = risk.to_texts(found)
    values = {
        "held_at": now,
        "due_at": now + timedelta(days=limits.hold_days or HOLD_DAYS),
        "nth_today": counted.today,
        "score": found.points,
        "reasons": reasons,
        "facts": facts,
        "reason": "",
    }
    if not insert_once(session, HeldClaim, code_id=claim.code_id, brand_id=claim.brand_id, **values):
        affected(session, update(HeldClaim).where(HeldClaim.code_id == claim.code_id).values(values))


def score_of(session: Session, code_id: int) -> Score:
    """What speaks against a claim that is held: the second prize that it brought waits for the same cause."""
    row = session.execute(select(HeldClaim.reasons, HeldClaim.facts).where(HeldClaim.code_id == code_id)).one()
    return risk.from_texts(row.reasons, row.facts)


def forget_lapsed(session: Session, *, code_id: int) -> None:
    """A reservation lapsed and its code is somebody else's now: what spoke against the former does not speak here."""
    affected(session, delete(HeldClaim).where(HeldClaim.code_id == code_id, HeldClaim.decided_at.is_(None)))
