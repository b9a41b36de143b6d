"""Rewards that wait for staff, for a brand's own systems: what spoke for holding each, and deciding about one.

Reading and deciding are rights of their own: a system that watches the queue need not be able to pay from it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from batches.codes import split_code_id
from scancode.claims import service as claims
from scancode.claims.risk import Reason
from scancode.claims.rules import ClaimState
from scancode.errors import NotAllowed, NotFound
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.web.api.access import brand_of_call, caller
from scancode.web.api.routes import CLAIMS, get, post
from scancode.web.api.shapes import (
    Answer,
    Asked,
    BrandSlug,
    Cursor,
    Limit,
    moment,
    read_cursor,
    reply,
    text_field,
    write_cursor,
)
from scancode.web.runtime import runtime

StateName = Literal["held", "refused", "released"]
STATES = {"held": ClaimState.HELD, "refused": ClaimState.REFUSED, "released": ClaimState.CLAIMED}
NAMES = {state: name for name, state in STATES.items()}


class HeldQuery(Asked):
    """Which of them."""

    state: StateName = Field("held", description="`held`: nobody has decided yet")
    brand: BrandSlug | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class HeldPath(Asked):
    """Whose code it is."""

    code_id: Annotated[str, Field(pattern=r"^[0-9]{1,16}$", description="of the code", examples=["165700811358208"])]


class Weight(Answer):
    """Something that spoke against the claim."""

    reason: Reason
    points: int


class HeldClaimAnswer(Answer):
    """A claim that staff look at before it is paid. Whose it is, is not told."""

    code_id: int
    batch: int
    serial: int
    state: Literal["held", "refused", "released", "quarantined"]
    prize: Literal["points", "red_packet", "thanks"]
    amount: int = Field(description="fen of a red packet, else points")
    held_at: datetime
    due_at: datetime = Field(description="from then on it is paid where nobody has decided")
    nth_today: int = Field(description="which code of its person on that day; 0 where that is not counted")
    score: int = Field(description="the sum of the points; 0 where the rule about codes a day held it")
    reasons: list[Weight]
    decided_at: datetime | None
    by_rule: bool = Field(description="nobody had decided in time")
    reason: str = Field(description="what its owner reads where it was refused")


class HeldPage(Answer):
    """Claims, those held longest first."""

    items: list[HeldClaimAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


class HeldDecision(Asked):
    """Release it, refuse it with a reason that its owner reads, or look at a refused one once more."""

    decision: Literal["release", "refuse", "look_again"]
    reason: Annotated[str, text_field(200)] = Field("", description="needed to refuse")
    note: Annotated[str, text_field(300)] = Field("", description="for colleagues only; needed to look once more")


@get("/held-claims", scope="claims:read", tag=CLAIMS, answers={200: HeldPage})
def list_held_claims(query: HeldQuery) -> Response:
    """List claims that staff look at before they are paid, or looked at."""
    after = read_cursor(query.cursor, moment, int) if query.cursor else None
    with runtime().db.reading() as session:
        brand = brand_of_call(session, query.brand)
        rows = claims.list_held(
            session,
            brand_id=brand.id,
            states=(STATES[query.state],),
            after=(after[0], after[1]) if after else None,
            limit=query.limit + 1,
        )
    shown = rows[: query.limit]
    end = write_cursor(shown[-1].held_at.isoformat(), shown[-1].claim.code_id) if len(rows) > query.limit else None
    return reply(HeldPage(items=[_answer(row) for row in shown], next=end))


@post(
    "/held-claims/<code_id>/decision",
    scope="claims:decide",
    tag=CLAIMS,
    answers={200: HeldClaimAnswer},
    refusals=(404, 409),
)
def decide_held_claim(path: HeldPath, body: HeldDecision) -> Response:
    """Decide about a held claim.

    It pays once, whoever decides at the same moment. 409 `claim_not_held` where somebody was faster, 409
    `held_code_closed` where it is released while its code is void, recalled, not on sale or suspect, 403
    `held_same_person` where the token's owner had refused it before and refuses it again.
    """
    row = runtime().db.retrying(lambda session: _decide(session, int(path.code_id), body))
    return reply(_answer(row))


def _decide(session: Session, code_id: int, body: HeldDecision) -> claims.HeldFacts:
    token, shared = caller(), runtime()
    row = claims.find_held(session, code_id=code_id)
    if row is None or (token.brand_id is not None and token.brand_id != row.claim.brand_id):
        raise NotFound
    # The token may outlive what its owner may do: it is the person who stands behind the decision.
    person = staff.facts_of(staff.get_staff(session, staff_id=token.staff_id))
    if not person.may((Role.MARKETING,)) or not person.sees(row.claim.brand_id):
        raise NotAllowed
    staff_id, actor, now = token.staff_id, token.actor, shared.now()
    if body.decision == "release":
        claims.release_held(
            session,
            code_id=code_id,
            staff_id=staff_id,
            actor=actor,
            prefix=shared.settings.payout_prefix,
            now=now,
            note=body.note,
        )
    elif body.decision == "refuse":
        claims.refuse_held(
            session, code_id=code_id, reason=body.reason, staff_id=staff_id, actor=actor, now=now, note=body.note
        )
    else:
        claims.look_again(session, code_id=code_id, staff_id=staff_id, actor=actor, now=now, note=body.note)
    after = claims.find_held(session, code_id=code_id)
    assert after is not None
    return after


def _answer(row: claims.HeldFacts) -> HeldClaimAnswer:
    claim = row.claim
    parts = split_code_id(claim.code_id)
    return HeldClaimAnswer(
        code_id=claim.code_id,
        batch=parts.batch,
        serial=parts.serial,
        state=NAMES.get(claim.state, "quarantined"),  # type: ignore[arg-type]
        prize=claim.prize_kind,  # type: ignore[arg-type]
        amount=claim.amount,
        held_at=row.held_at,
        due_at=row.due_at,
        nth_today=row.nth_today,
        score=row.score.points,
        reasons=[Weight(reason=reason, points=points) for reason, points in row.score.reasons],
        decided_at=row.decided_at,
        by_rule=row.by_rule,
        reason=row.reason,
    )
