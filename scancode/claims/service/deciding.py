"""What becomes of held rewards: staff release them or refuse them with a reason, somebody else may look at a refused
one once more, and what nobody decides in time is paid, as the published rule says.

Whoever decides takes the claim's row by a guarded UPDATE, so that two people and the deadline decide once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select, update
from sqlalchemy.orm import Session

from batches.codes import split_code_id
from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import HOLD_DAYS
from scancode.claims import risk
from scancode.claims.models import Claim, HeldClaim, HeldStep
from scancode.claims.numbers import code_of
from scancode.claims.risk import Score
from scancode.claims.rules import (
    Claimant,
    ClaimFacts,
    ClaimsStopped,
    ClaimState,
    HeldCodeClosed,
    HeldReasonMissing,
    HeldSameEyes,
    NotHeld,
    TooLateToLook,
)
from scancode.claims.service.gate import STOP
from scancode.claims.service.limits import put_back, take_again
from scancode.claims.service.reading import COLUMNS, facts_of, find_facts
from scancode.claims.service.rewards import reward
from scancode.codes import service as codes
from scancode.codes.rules import Life
from scancode.db import affected, new_id
from scancode.errors import NotFound
from scancode.jobs import service as jobs
from scancode.members.models import Identity, IdentityKind
from scancode.scans import service as scans
from scancode.staff import service as staff
from scancode.staff.models import Staff

REASON_LENGTH_MAX = 200
NOTE_LENGTH_MAX = 300
SHOWN_MAX = 200
STEPS_MAX = 50
LOOK_AGAIN_WITHIN = timedelta(days=30)
RULE = "rule"
"""The actor of what the deadline decides."""
ACTIONS = {
    "release": "claim.release",
    "due": "claim.release_due",
    "refuse": "claim.refuse",
    "again": "claim.look_again",
}
_HELD = ("held_at", "due_at", "nth_today", "reason", "decided_at", "decided_by", "refused_by")
_COLUMNS = (*(getattr(HeldClaim, name) for name in _HELD), HeldClaim.reasons, HeldClaim.facts)


@dataclass(frozen=True)
class HeldFacts:
    """A claim that is or was held. ``score`` says what spoke against it, ``reason`` what a refused person reads."""

    claim: ClaimFacts
    held_at: datetime
    due_at: datetime
    nth_today: int
    reason: str
    decided_at: datetime | None
    decided_by: UUID | None
    refused_by: UUID | None
    score: Score

    @property
    def is_open(self) -> bool:
        return self.claim.state == ClaimState.HELD

    @property
    def by_rule(self) -> bool:
        """Nobody decided in time."""
        return self.decided_at is not None and self.decided_by is None


@dataclass(frozen=True)
class Step:
    """``who`` is a name, or what decided instead of a person."""

    verb: str
    note: str
    who: str
    at: datetime


def _facts(row: Row[Any]) -> HeldFacts:
    held = {name: getattr(row, name) for name in _HELD}
    return HeldFacts(claim=facts_of(row), score=risk.from_texts(row.reasons, row.facts), **held)


def list_held(
    session: Session,
    *,
    brand_id: UUID | None,
    states: Sequence[ClaimState] = (ClaimState.HELD,),
    after: tuple[datetime, int] | None = None,
    limit: int = SHOWN_MAX,
) -> list[HeldFacts]:
    """Those in these states, the one held longest first; ``after`` is the ``held_at`` and code of the last seen."""
    query = _query().where(*_wanted(brand_id, states)).order_by(HeldClaim.held_at, HeldClaim.code_id).limit(limit)
    if after is not None:
        at, code_id = after
        query = query.where(
            (HeldClaim.held_at > at) | ((HeldClaim.held_at == at) & (HeldClaim.code_id > code_id))  # pages do not skip
        )
    return [_facts(row) for row in session.execute(query)]


def _query() -> Select[*tuple[Any, ...]]:
    return select(*COLUMNS, *_COLUMNS).join(HeldClaim, HeldClaim.code_id == Claim.code_id)


def _wanted(brand_id: UUID | None, states: Sequence[ClaimState]) -> list[ColumnElement[bool]]:
    """Of claims that were held: what speaks against a mere reservation is nobody's to decide yet."""
    wanted: list[ColumnElement[bool]] = [Claim.state.in_([state.value for state in states])]
    is_open = HeldClaim.decided_at.is_(None)
    wanted.append(or_(Claim.state != ClaimState.HELD.value, is_open))
    wanted.append(or_(Claim.state == ClaimState.HELD.value, ~is_open))
    if brand_id is not None:
        wanted.append(HeldClaim.brand_id == brand_id)
    return wanted


def find_held(session: Session, *, code_id: int) -> HeldFacts | None:
    """A claim that is held, or was."""
    row = session.execute(_query().where(Claim.code_id == code_id, Claim.state != ClaimState.RESERVED)).one_or_none()
    return _facts(row) if row else None


def count_held(session: Session, *, brand_id: UUID | None) -> int:
    query = select(func.count()).select_from(HeldClaim).join(Claim, Claim.code_id == HeldClaim.code_id)
    return session.scalar(query.where(*_wanted(brand_id, (ClaimState.HELD,)))) or 0


def steps_of(session: Session, *, code_id: int) -> list[Step]:
    """What was done about it, the oldest first."""
    query = (
        select(HeldStep.verb, HeldStep.note, HeldStep.actor, HeldStep.at, Staff.name)
        .outerjoin(Staff, Staff.id == HeldStep.staff_id)
        .where(HeldStep.code_id == code_id)
        .order_by(HeldStep.id)
        .limit(STEPS_MAX)
    )
    return [Step(row.verb, row.note, row.name or row.actor, row.at) for row in session.execute(query)]


def release_held(
    session: Session,
    *,
    code_id: int,
    staff_id: UUID | None,
    actor: str,
    prefix: str,
    now: datetime,
    note: str = "",
) -> ClaimFacts:
    """Somebody looked and lets it go: it earns what it won. Raises NotFound, NotHeld, ClaimsStopped, HeldCodeClosed."""
    return _release(session, code_id, staff_id, actor, prefix, now, note, due=False)


def release_due(session: Session, *, code_id: int, prefix: str, now: datetime) -> ClaimFacts:
    """Nobody decided in time: the published rule pays it. Raises NotFound, NotHeld, ClaimsStopped, HeldCodeClosed."""
    return _release(session, code_id, None, RULE, prefix, now, "", due=True)


def list_due(session: Session, *, now: datetime, besides: Collection[int] = (), limit: int = SHOWN_MAX) -> list[int]:
    """Codes whose time is over, ``besides`` those."""
    query = (
        select(HeldClaim.code_id)
        .join(Claim, Claim.code_id == HeldClaim.code_id)
        .where(HeldClaim.decided_at.is_(None), HeldClaim.due_at <= now, Claim.state == ClaimState.HELD.value)
        .where(HeldClaim.code_id.not_in(besides))
    )
    return list(session.scalars(query.order_by(HeldClaim.due_at).limit(limit)))


def _release(
    session: Session,
    code_id: int,
    staff_id: UUID | None,
    actor: str,
    prefix: str,
    now: datetime,
    note: str,
    *,
    due: bool,
) -> ClaimFacts:
    if jobs.is_stopped(session, STOP) is not None:
        raise ClaimsStopped
    _move(session, code_id, ClaimState.HELD, ClaimState.CLAIMED)
    held = _decided(session, code_id, now, staff_id, "", only_due=due)
    claim = held.claim
    if closing_of(session, claim):
        raise HeldCodeClosed
    kind = session.scalar(select(Identity.kind).where(Identity.id == claim.subject_id)) if claim.subject_id else None
    openid = claim.subject_id if kind == IdentityKind.OPENID else None
    owner = Claimant(None, openid, member_id=claim.account_id)
    reward(session, claim, claimant=owner, prefix=prefix, now=now)
    _record(session, held, "due" if due else "release", note, staff_id, actor, now)
    return claim


def closing_of(session: Session, claim: ClaimFacts) -> str:
    """Why the code of a held claim keeps it from being paid: ``void``, ``recalled``, ``inactive`` or ``suspect``;
    empty where nothing does. As with whoever claims or binds, what happened to the code meanwhile counts."""
    code_id = code_of(claim.code_id)
    number, _, serial = split_code_id(code_id)
    life = codes.life_of(session, batch_number=number, serial=serial).state
    if life is not Life.ACTIVE:
        return life.value
    return "suspect" if scans.are_suspect(session, code_ids=[code_id]) else ""


def refuse_held(
    session: Session, *, code_id: int, reason: str, staff_id: UUID | None, actor: str, now: datetime, note: str = ""
) -> ClaimFacts:
    """Somebody looked and refuses it: the code never pays, and its prize goes back to stock and budget.

    Raises NotFound, NotHeld, HeldReasonMissing; HeldSameEyes for whoever refused it before.
    """
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_LENGTH_MAX:
        raise HeldReasonMissing
    _move(session, code_id, ClaimState.HELD, ClaimState.REFUSED)
    held = _decided(session, code_id, now, staff_id, reason)
    if held.refused_by is not None and held.refused_by == staff_id:
        raise HeldSameEyes
    _record(session, held, "refuse", note, staff_id, actor, now)
    put_back(session, held.claim)
    return held.claim


def look_again(
    session: Session, *, code_id: int, staff_id: UUID | None, actor: str, now: datetime, note: str
) -> ClaimFacts:
    """A refused claim is held once more, with its whole time: its owner has complained, say. Whoever refused it does
    not refuse it again. Raises NotFound, NotHeld, HeldReasonMissing (``note``), TooLateToLook, Exhausted."""
    if not note.strip():
        raise HeldReasonMissing
    _move(session, code_id, ClaimState.REFUSED, ClaimState.HELD)
    held = find_held(session, code_id=code_id)
    assert held is not None
    if held.decided_at is None or held.decided_at < now - LOOK_AGAIN_WITHIN:
        raise TooLateToLook(days=LOOK_AGAIN_WITHIN.days)
    conditions = (
        campaigns.conditions_of(session, campaign_id=held.claim.campaign_id) if held.claim.campaign_id else None
    )
    values = {
        "held_at": now,
        "due_at": now + timedelta(days=(conditions.hold_days if conditions else None) or HOLD_DAYS),
        "refused_by": held.decided_by,
        "decided_at": None,
        "decided_by": None,
        "reason": "",
    }
    affected(session, update(HeldClaim).where(HeldClaim.code_id == code_id).values(values))
    _record(session, held, "again", note, staff_id, actor, now)
    take_again(session, held.claim)
    return held.claim


def _move(session: Session, code_id: int, old: ClaimState, new: ClaimState) -> None:
    """The claim's row decides who decides. Raises NotFound, NotHeld."""
    held = update(Claim).where(Claim.code_id == code_id, Claim.state == old.value)
    if affected(session, held.values(state=new.value)) != 1:
        if find_facts(session, code_id=code_id) is None:
            raise NotFound
        raise NotHeld


def _decided(
    session: Session, code_id: int, now: datetime, staff_id: UUID | None, reason: str, *, only_due: bool = False
) -> HeldFacts:
    """Raises NotHeld where its time is not over after all: somebody had it looked at once more."""
    here = update(HeldClaim).where(HeldClaim.code_id == code_id, HeldClaim.decided_at.is_(None))
    if only_due:
        here = here.where(HeldClaim.due_at <= now)
    if affected(session, here.values(decided_at=now, decided_by=staff_id, reason=reason)) != 1:
        raise NotHeld
    held = find_held(session, code_id=code_id)
    assert held is not None
    return held


def _record(
    session: Session, held: HeldFacts, verb: str, note: str, staff_id: UUID | None, actor: str, now: datetime
) -> None:
    """The step with its note, and the audit row without."""
    note = " ".join(note.split())[:NOTE_LENGTH_MAX]
    claim = held.claim
    step = {"verb": verb, "note": note, "actor": actor, "staff_id": staff_id, "at": now}
    session.add(HeldStep(code_id=claim.code_id, id=new_id(now), **step))
    session.flush()
    staff.audit(
        session,
        actor=actor,
        brand_id=claim.brand_id,
        action=ACTIONS[verb],
        subject=f"claim:{claim.code_id}",
        facts={"score": held.score.points, "note_length": len(note)},
        now=now,
    )
