"""The second prize that the n-th code of a person brings: a claim of its own, whatever the code itself holds.

It belongs to the person, once in a campaign: the row of their count that is called ``nth`` decides, so two of their
codes at once bring it once. It is booked under ``rules.second_id`` and from there on is a claim like any other: held,
reserved for a browser, bound, paid, compared.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.campaigns.conditions import Conditions
from scancode.claims.models import Claim
from scancode.claims.numbers import second_id
from scancode.claims.risk import NO_GLIMPSE
from scancode.claims.rules import Claimant, ClaimFacts, ClaimState, PersonFull
from scancode.claims.service.holding import hold, keep_back, score_of
from scancode.claims.service.limits import Counted, Exhausted, count_second, counted_so_far, take_second
from scancode.claims.service.rewards import reward
from scancode.claims.service.row import facts_from
from scancode.db import insert_once
from scancode.members.models import Identity


def add_second(
    session: Session,
    claim: ClaimFacts,
    *,
    conditions: Conditions,
    claimant: Claimant,
    counted: Counted,
    prefix: str,
    now: datetime,
    reserved_until: datetime | None = None,
) -> None:
    """Gives the second prize if this code is the n-th of its person, or a later one and they had none yet: counts of
    two who turn out to be one may jump over it. A browser's is reserved until somebody binds it."""
    person_id = claimant.account_id or claimant.visitor_id
    campaign_id, nth = claim.campaign_id, conditions.nth
    if not nth or counted.nth < nth or campaign_id is None or person_id is None or claim.is_test:
        return
    with suppress(Exhausted), session.begin_nested():
        if not take_second(session, campaign_id=campaign_id, person_id=person_id):
            return
        row = _row(session, claim, conditions, claimant, reserved_until) | {"claimed_at": now}
        if not insert_once(session, Claim, **row):
            raise Exhausted  # this item has brought one before: it is another code's turn
        made = facts_from(row)
        if claim.state == ClaimState.HELD and made.state == ClaimState.CLAIMED:
            hold(session, made, limits=conditions, counted=counted, now=now, found=score_of(session, claim.code_id))
        elif made.state == ClaimState.CLAIMED and not keep_back(
            session,
            made,
            limits=conditions,
            counted=counted,
            claimant=claimant,
            glimpse=NO_GLIMPSE,
            now=now,
        ):
            reward(session, made, claimant=claimant, prefix=prefix, now=now)
        count_second(session, campaign_id=campaign_id, code_id=made.code_id)


def _row(
    session: Session, claim: ClaimFacts, conditions: Conditions, claimant: Claimant, reserved_until: datetime | None
) -> dict[str, Any]:
    """As the row of the code that brought it: brand, product and where it came from are the same."""
    found = session.execute(select(Claim.__table__).where(Claim.code_id == claim.code_id)).mappings().one()
    is_money = conditions.nth_fen is not None
    return dict(found) | {
        "code_id": second_id(claim.code_id),
        "state": (ClaimState.CLAIMED if claimant.is_known else ClaimState.RESERVED).value,
        "prize_id": None,
        "prize_kind": "red_packet" if is_money else "points",
        "amount": conditions.nth_fen if is_money else conditions.nth_points,
        "subject_id": claimant.subject_id,
        "account_id": claimant.account_id,
        "reserved_until": None if claimant.is_known else reserved_until,
        "nth": conditions.nth,
    }


def mark_second(session: Session, *, campaign_id: UUID, identity_id: UUID) -> None:
    """A second prize that was paid and forgotten, in a restore: its person has had it."""
    member_id = session.scalar(select(Identity.member_id).where(Identity.id == identity_id))
    take_second(session, campaign_id=campaign_id, person_id=member_id or identity_id)
    with suppress(Exhausted):
        count_second(session, campaign_id=campaign_id, code_id=0)


def bind_second(
    session: Session, claim: ClaimFacts, *, conditions: Conditions, claimant: Claimant, now: datetime
) -> None:
    """What a browser had reserved finds its person. Raises PersonFull where they had theirs."""
    assert claim.campaign_id is not None
    assert claimant.account_id is not None
    if not take_second(session, campaign_id=claim.campaign_id, person_id=claimant.account_id):
        raise PersonFull(most=1)
    people = (claimant.account_id, claimant.visitor_id)
    counted = counted_so_far(session, campaign_id=claim.campaign_id, people=people, day=claim.day)
    theirs = replace(claim, state=ClaimState.CLAIMED)
    keep_back(session, theirs, limits=conditions, counted=counted, claimant=claimant, glimpse=None, now=now)
