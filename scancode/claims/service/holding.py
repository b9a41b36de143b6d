"""Rewards that staff look at first: held by the campaign's published rule, then released or refused with a reason.

A held claim is its owner's and takes its prize out of stock and budget; only what it earns waits. Whoever decides takes
the row by a guarded UPDATE, so that two people who decide at once decide once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from scancode.campaigns.conditions import Conditions
from scancode.claims.models import Claim, HeldClaim
from scancode.claims.rules import Claimant, ClaimFacts, ClaimState, HeldReasonMissing, NotHeld
from scancode.claims.service.limits import Counted
from scancode.claims.service.reading import COLUMNS, find_facts
from scancode.claims.service.rewards import reward
from scancode.db import affected, insert_once
from scancode.errors import NotFound
from scancode.members.models import Identity, IdentityKind
from scancode.staff import service as staff

REASON_LENGTH_MAX = 200
SHOWN_MAX = 200


@dataclass(frozen=True)
class HeldFacts:
    claim: ClaimFacts
    held_at: datetime
    nth_today: int
    reason: str


def is_to_be_held(claim: ClaimFacts, conditions: Conditions, counted: Counted) -> bool:
    """Whether the campaign's rule has staff look at it. What wins nothing, or nothing yet, is
    nobody's concern."""
    limit = conditions.hold_day
    return (
        limit is not None
        and counted.today >= limit
        and claim.prize_kind not in ("thanks", "again")
        and not claim.is_test
    )


def hold(session: Session, claim: ClaimFacts, *, counted: Counted, now: datetime) -> None:
    """In the transaction that makes it somebody's, before it earns anything."""
    affected(session, update(Claim).where(Claim.code_id == claim.code_id).values(state=ClaimState.HELD.value))
    values = {"brand_id": claim.brand_id, "held_at": now, "nth_today": counted.today, "reason": ""}
    insert_once(session, HeldClaim, code_id=claim.code_id, **values)


def list_held(session: Session, *, brand_id: UUID | None, limit: int = SHOWN_MAX) -> list[HeldFacts]:
    """Those that wait, the longest first."""
    query = (
        select(*COLUMNS, HeldClaim.held_at, HeldClaim.nth_today, HeldClaim.reason)
        .join(HeldClaim, HeldClaim.code_id == Claim.code_id)
        .where(HeldClaim.decided_at.is_(None), Claim.state == ClaimState.HELD.value)
        .order_by(HeldClaim.held_at)
        .limit(limit)
    )
    if brand_id is not None:
        query = query.where(HeldClaim.brand_id == brand_id)
    return [_facts(row) for row in session.execute(query)]


def _facts(row: Sequence[object]) -> HeldFacts:
    values = dict(zip([column.key for column in COLUMNS], row, strict=False))
    held_at, nth_today, reason = row[len(COLUMNS) :]
    claim = ClaimFacts(**{**values, "state": ClaimState(values["state"])})  # type: ignore[arg-type]
    return HeldFacts(claim, held_at, nth_today, reason)  # type: ignore[arg-type]


def count_held(session: Session, *, brand_id: UUID | None) -> int:
    query = select(func.count()).select_from(HeldClaim).where(HeldClaim.decided_at.is_(None))
    return session.scalar(query if brand_id is None else query.where(HeldClaim.brand_id == brand_id)) or 0


def reason_of(session: Session, *, code_id: int) -> str:
    """Why it was refused; empty where it was not."""
    return session.scalar(select(HeldClaim.reason).where(HeldClaim.code_id == code_id)) or ""


def release_held(
    session: Session, *, code_id: int, staff_id: UUID, actor: str, prefix: str, now: datetime
) -> ClaimFacts:
    """Somebody looked and lets it go: it earns what it won. Raises NotFound, NotHeld."""
    claim = _decide(session, code_id, ClaimState.CLAIMED, staff_id, "", now)
    kind = session.scalar(select(Identity.kind).where(Identity.id == claim.subject_id)) if claim.subject_id else None
    openid = claim.subject_id if kind == IdentityKind.OPENID else None
    owner = Claimant(None, openid, member_id=claim.account_id)
    reward(session, claim, claimant=owner, prefix=prefix, now=now)
    _audit(session, claim, "claim.release", {}, actor, now)
    return claim


def refuse_held(
    session: Session, *, code_id: int, reason: str, staff_id: UUID, actor: str, now: datetime
) -> ClaimFacts:
    """Somebody looked and refuses it: the code never pays. Raises NotFound, NotHeld, HeldReasonMissing."""
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_LENGTH_MAX:
        raise HeldReasonMissing
    claim = _decide(session, code_id, ClaimState.REFUSED, staff_id, reason, now)
    _audit(session, claim, "claim.refuse", {"reason_length": len(reason)}, actor, now)
    return claim


def _decide(session: Session, code_id: int, to: ClaimState, staff_id: UUID, reason: str, now: datetime) -> ClaimFacts:
    held = update(Claim).where(Claim.code_id == code_id, Claim.state == ClaimState.HELD.value)
    if affected(session, held.values(state=to.value)) != 1:
        if find_facts(session, code_id=code_id) is None:
            raise NotFound
        raise NotHeld
    values = {"decided_at": now, "decided_by": staff_id, "reason": reason}
    affected(session, update(HeldClaim).where(HeldClaim.code_id == code_id).values(values))
    claim = find_facts(session, code_id=code_id)
    assert claim is not None
    return claim


def _audit(
    session: Session, claim: ClaimFacts, action: str, facts: dict[str, object], actor: str, now: datetime
) -> None:
    staff.audit(
        session,
        actor=actor,
        brand_id=claim.brand_id,
        action=action,
        subject=f"claim:{claim.code_id}",
        facts=facts,
        now=now,
    )
