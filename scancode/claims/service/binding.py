"""Reservations that find their owner, and what a claim earns once it has one.

A reservation is bound by a guarded UPDATE, so that two tabs which sign in at once pay once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from batches.codes import split_code_id
from scancode.campaigns import service as campaigns
from scancode.channels.rules import UNKNOWN
from scancode.claims.models import Claim
from scancode.claims.numbers import code_of
from scancode.claims.rules import Claimant, ClaimFacts, ClaimState, PersonDayFull, PersonFull
from scancode.claims.service.claimants import settle
from scancode.claims.service.holding import keep_back
from scancode.claims.service.limits import Counted, count_person, merge_counts
from scancode.claims.service.reading import COLUMNS, facts_of, find_facts
from scancode.claims.service.rewards import reward
from scancode.claims.service.seconds import add_second, bind_second
from scancode.codes import service as codes
from scancode.codes.rules import Life
from scancode.db import affected, insert_once
from scancode.jobs import service as jobs
from scancode.payouts import service as payouts
from scancode.payouts.models import Payout
from scancode.payouts.rules import PayoutState
from scancode.scans import service as scans

BIND_MAX = 100
"""Reservations, and waiting payouts, of one person that one call settles."""


def bind(session: Session, *, claimant: Claimant, brand_id: UUID, prefix: str, now: datetime) -> list[ClaimFacts]:
    """Somebody has shown an openid or a phone: what their browser reserved becomes theirs, and money that waited for
    an openid goes out. Returns the claims that changed.

    Called after a login and after joining. Nothing is bound while claims are stopped, nor a code that was voided or
    recalled meanwhile or looks copied; a lapsed reservation is gone.
    """
    claimant = settle(session, claimant=claimant, brand_id=brand_id)
    if not claimant.is_known or claimant.is_snapshot or jobs.is_stopped(session, "claims") is not None:
        return []
    changed = []
    if claimant.visitor_id is not None:
        query = (
            select(*COLUMNS)
            .where(
                Claim.visitor_id == claimant.visitor_id,
                Claim.state == ClaimState.RESERVED.value,
                Claim.brand_id == brand_id,
                Claim.reserved_until > now,
            )
            .order_by(Claim.code_id)
            .limit(BIND_MAX)
        )
        for row in session.execute(query).all():
            try:
                bound = bind_one(session, facts_of(row), claimant=claimant, prefix=prefix, now=now)
            except (PersonFull, PersonDayFull):
                continue  # it stays reserved; asked for again it says why
            if bound.state == ClaimState.CLAIMED:
                changed.append(bound)
    return changed + _pay_waiting(session, claimant, brand_id, now)


def _pay_waiting(session: Session, claimant: Claimant, brand_id: UUID, now: datetime) -> list[ClaimFacts]:
    """Money of this person (by phone or membership) that waited for the openid which is here now."""
    others = [one for one in (claimant.member_id, claimant.phone_identity_id) if one is not None]
    if claimant.identity_id is None or not others:
        return []
    query = (
        select(*COLUMNS)
        .join(Payout, Payout.code_id == Claim.code_id)
        .where(
            or_(Claim.account_id.in_(others), Claim.subject_id.in_(others)),
            Claim.brand_id == brand_id,
            Payout.state == PayoutState.CREATED.value,
            Payout.identity_id.is_(None),
        )
        .order_by(Claim.code_id)
        .limit(BIND_MAX)
    )
    return [
        claim
        for claim in map(facts_of, session.execute(query).all())
        if payouts.give_identity(session, code_id=claim.code_id, identity_id=claimant.identity_id, now=now)
    ]


def bind_one(session: Session, claim: ClaimFacts, *, claimant: Claimant, prefix: str, now: datetime) -> ClaimFacts:
    """One reservation. Returns the claim as it now is: still reserved where it may not be bound.

    Raises PersonFull, PersonDayFull where the campaign gives one person no more.
    """
    _, _, serial = split_code_id(claim.code_id)
    if codes.life_of(session, batch_number=claim.batch_number, serial=serial).state is not Life.ACTIVE:
        return claim
    if scans.are_suspect(session, code_ids=[code_of(claim.code_id)]):
        return claim
    guarded = (
        update(Claim)
        .where(
            Claim.code_id == claim.code_id,
            Claim.state == ClaimState.RESERVED.value,
            Claim.visitor_id == claim.visitor_id,
            Claim.reserved_until > now,
        )
        .values(
            state=ClaimState.CLAIMED.value,
            subject_id=claimant.subject_id,
            account_id=claimant.account_id,
            reserved_until=None,
            claimed_at=now,
        )
    )
    with session.begin_nested():
        won = affected(session, guarded) == 1
        if won:
            theirs = replace(claim, state=ClaimState.CLAIMED, account_id=claimant.account_id)
            _count(session, theirs, claimant, prefix, now)
    bound = find_facts(session, code_id=claim.code_id)
    assert bound is not None
    if won and bound.state == ClaimState.CLAIMED:
        reward(session, bound, claimant=claimant, prefix=prefix, now=now)
    return bound


def _count(session: Session, claim: ClaimFacts, claimant: Claimant, prefix: str, now: datetime) -> None:
    """What a browser reserved counts as this person's, on the day when it was won."""
    if claim.campaign_id is None:
        return
    conditions, counted = campaigns.conditions_of(session, campaign_id=claim.campaign_id), Counted()
    if claim.is_second:
        bind_second(session, claim, conditions=conditions, claimant=claimant, now=now)
        return
    if conditions.counts_people:
        counted = count_person(
            session, campaign_id=claim.campaign_id, conditions=conditions, claimant=claimant, day=claim.day
        )
    if keep_back(session, claim, limits=conditions, counted=counted, claimant=claimant, glimpse=None, now=now):
        claim = replace(claim, state=ClaimState.HELD)
    add_second(session, claim, conditions=conditions, claimant=claimant, counted=counted, prefix=prefix, now=now)


def reassign(session: Session, *, from_id: UUID, to_id: UUID) -> int:
    """A guest's identity joined a member: their claims name the member's account. Returns how many."""
    merge_counts(session, from_id=from_id, to_id=to_id)
    return affected(session, update(Claim).where(Claim.account_id == from_id).values(account_id=to_id))


def quarantine(
    session: Session,
    *,
    code_id: int,
    brand_id: UUID,
    product_id: UUID,
    batch_number: int,
    day: str,
    subject_id: UUID | None,
    amount_fen: int,
    campaign_id: UUID | None,
    prize_id: UUID | None,
    is_test: bool,
    nth: int | None = None,
    now: datetime,
) -> bool:
    """Takes a code out of play that the provider has paid and whose claim ours lost in a restore. True if it did.

    A claim that is there stays; a mere reservation gives way, for the money went to whoever came after it, and so does
    one that was held: it was released since.
    """
    values = {
        "state": ClaimState.QUARANTINED.value,
        "campaign_id": campaign_id,
        "prize_id": prize_id,
        "prize_kind": "red_packet",
        "amount": amount_fen,
        "visitor_id": None,
        "subject_id": subject_id,
        "account_id": subject_id,
        "day": day,
        "reserved_until": None,
        "claimed_at": now,
    }
    row = {
        "code_id": code_id,
        "brand_id": brand_id,
        "product_id": product_id,
        "batch_number": batch_number,
        "is_test": is_test,
        "source": str(UNKNOWN.source),
        "nth": nth,
    }
    if insert_once(session, Claim, **values, **row):
        return True
    unpaid = (ClaimState.RESERVED.value, ClaimState.HELD.value)
    reserved = update(Claim).where(Claim.code_id == code_id, Claim.state.in_(unpaid))
    return affected(session, reserved.values(values)) == 1
