"""The claim: once per code, ever. The row's primary key decides; everything it earns is in the same transaction.

Life, campaign and stops are read in this transaction, so that a void, a pause or a stop that was committed before it
is never missed. Statements are few and plain: this is the one write that every winner makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from scancode.campaigns.rules import Offer, PrizeFacts, draw
from scancode.claims.models import Claim
from scancode.claims.rules import (
    ClaimAnswer,
    Claimant,
    ClaimedByAnother,
    ClaimFacts,
    ClaimsStopped,
    ClaimState,
    CodeInactive,
    CodeRecalled,
    CodeSuspect,
    CodeVoid,
    SnapshotAccount,
    check_kind,
    owns,
    view_of,
)
from scancode.claims.service.asking import Request
from scancode.claims.service.binding import bind_one
from scancode.claims.service.claimants import settle
from scancode.claims.service.fitting import Item, boosted, first_fitting
from scancode.claims.service.gate import pass_quickly, pass_slowly
from scancode.claims.service.holding import forget_lapsed, keep_back
from scancode.claims.service.limits import Counted, Exhausted, count_person, take_day, take_prize
from scancode.claims.service.reading import find_facts, view
from scancode.claims.service.rewards import reward
from scancode.claims.service.row import facts_from
from scancode.claims.service.seconds import add_second
from scancode.claims.service.turning import turn_again
from scancode.db import affected, insert_once
from scancode.errors import Refusal
from scancode.scans import service as scans

TRIES = 4
CODE_CLOSED = (CodeVoid, CodeRecalled, CodeInactive, CodeSuspect)


def claim(session: Session, asked: Request) -> ClaimAnswer:
    """What the code holds, for whoever claims it first; the same answer for them whenever they ask again. A later turn
    of the wheel is made where the one before gave one more. Raises a Refusal with its reason: see ``claims.rules``."""
    code, now = asked.code, asked.now
    check_kind(code.kind)
    known = pass_quickly(session, code=code, offer=asked.offer, claimant=asked.claimant, now=now)
    claimant = known or settle(session, claimant=asked.claimant, brand_id=asked.batch.brand_id)
    about = replace(asked, claimant=claimant)
    turns: tuple[Offer, ...] = (asked.offer,) if known and asked.offer else ()
    for _ in range(TRIES):
        why: Refusal | None = None
        try:
            if not turns or known is None:
                turns = pass_slowly(
                    session,
                    code=code,
                    brand=asked.brand,
                    claimant=claimant,
                    draw_sealer=asked.draw_sealer,
                    now=now,
                )
        except Refusal as refusal:
            found = find_facts(session, code_id=code.code_id)
            if found is None or found.has_lapsed(now):
                raise
            why = refusal
        else:
            if about.attribution is None and claimant.visitor_id is not None:
                origin = scans.attribution_of(session, code_id=code.code_id, visitor_id=claimant.visitor_id)
                about = replace(about, attribution=origin)
            made = _make(session, about, turns)
            if made is not None:
                return made
            found = find_facts(session, code_id=code.code_id)
            if found is not None and found.is_again and asked.turn > 1:
                if (turned := turn_again(session, about, turns, found, asked.turn)) is not None:
                    return turned
                found = find_facts(session, code_id=code.code_id)  # another tap may have been quicker
        if found is not None and not found.has_lapsed(now):
            return _answer_again(session, found, claimant, asked.prefix, now, why)
    raise AssertionError("a claim's row kept changing")


def _make(session: Session, about: Request, turns: Sequence[Offer]) -> ClaimAnswer | None:
    """The claim with what it earns; None where the code has one that holds."""
    if turns[0].is_plain:
        return _enter(session, about, turns[0], draw(turns[0], about.code.serial))
    kept = find_facts(session, code_id=about.code.code_id)
    if kept is not None and not kept.has_lapsed(about.now):
        return None
    offer = first_fitting(
        session,
        offers=turns,
        item=Item(about.code.code_id, about.batch.product_id, about.batch.number),
        brand=about.brand,
        claimant=about.claimant,
        attribution=about.attribution,
        now=about.now,
    )
    prize = draw(offer, about.code.serial)
    prize = boosted(prize, offer=offer, brand=about.brand, attribution=about.attribution, now=about.now)
    for one, is_free, turn in _outcomes(kept, offer, prize):
        with suppress(Exhausted), session.begin_nested():
            return _enter_counted(session, about, offer, one, is_free=is_free, turn=turn)
    raise AssertionError("thanks ran out")


def _outcomes(
    lapsed: ClaimFacts | None, offer: Offer, prize: PrizeFacts
) -> Iterator[tuple[PrizeFacts, bool, int | None]]:
    """What the code may come to, the best first; whether nothing has to be taken for it any more; and its turn."""
    if lapsed is not None and lapsed.campaign_id == offer.campaign_id:
        # The code has turned the wheel: what it won is set aside, and stays with it.
        for one in offer.prizes:
            if one.id == lapsed.prize_id:
                yield replace(one, amount=lapsed.amount), True, lapsed.turn
    is_free = offer.mode != "odds" or not prize.wins
    yield prize, is_free, None
    if not is_free:
        yield offer.thanks, True, None


def _enter_counted(
    session: Session, about: Request, offer: Offer, prize: PrizeFacts, *, is_free: bool, turn: int | None
) -> ClaimAnswer | None:
    """The same under a campaign that counts; what all claims share comes last. Raises Exhausted, DayFull and those of
    ``count_person``."""
    row = about.row(offer, prize) | {"turn": turn}
    if not _take(session, row, about.now):
        return None
    code_id, day = about.code.code_id, about.day
    who, limits = about.claimant, offer.conditions
    counted = count_person(session, campaign_id=offer.campaign_id, conditions=limits, claimant=who, day=day)
    made = _answer_new(session, about, offer, row, counted)
    add_second(
        session,
        made.view.claim,
        conditions=limits,
        claimant=who,
        counted=counted,
        prefix=about.prefix,
        now=about.now,
        reserved_until=about.now + timedelta(hours=about.reservation_hours),
    )
    if not is_free:
        take_prize(session, offer=offer, prize=prize, code_id=code_id, day=day)
    take_day(session, offer=offer, code_id=code_id, day=day)
    return made


def _enter(session: Session, about: Request, offer: Offer, prize: PrizeFacts) -> ClaimAnswer | None:
    row = about.row(offer, prize)
    return _answer_new(session, about, offer, row, Counted()) if _take(session, row, about.now) else None


def _take(session: Session, row: dict[str, Any], now: datetime) -> bool:
    return insert_once(session, Claim, **row) or _take_over(session, row, now)


def _answer_new(session: Session, about: Request, offer: Offer, row: dict[str, Any], counted: Counted) -> ClaimAnswer:
    """What it earns, unless the rules have staff look first."""
    made, payout = facts_from(row), None
    limits, glimpse = offer.conditions, about.glimpse
    if keep_back(
        session, made, limits=limits, counted=counted, claimant=about.claimant, glimpse=glimpse, now=about.now
    ):
        made = replace(made, state=ClaimState.HELD)
    if made.state == ClaimState.CLAIMED:
        payout = reward(session, made, claimant=about.claimant, prefix=about.prefix, now=about.now)
    return ClaimAnswer(view_of(about.claimant, made, about.now, payout), is_new=True)


def _take_over(session: Session, row: dict[str, Any], now: datetime) -> bool:
    """Makes a lapsed reservation this claimant's, if it is still lapsed and nobody else was quicker."""
    lapsed = update(Claim).where(
        Claim.code_id == row["code_id"],
        Claim.state == ClaimState.RESERVED.value,
        Claim.reserved_until <= now,
    )
    is_taken = affected(session, lapsed.values({"turn": None} | row)) == 1
    if is_taken:
        forget_lapsed(session, code_id=row["code_id"])
    return is_taken


def _answer_again(
    session: Session, found: ClaimFacts, claimant: Claimant, prefix: str, now: datetime, why: Refusal | None
) -> ClaimAnswer:
    """For a code that is taken: its holder sees (or now binds) their own, anybody else is refused. ``why`` nobody could
    claim the code now is also why whoever is known cannot bind what they reserved, where it is about the code."""
    if not owns(claimant, found):
        raise ClaimedByAnother(day=found.day)
    bound = found
    if (
        found.state == ClaimState.RESERVED
        and claimant.is_known
        and not isinstance(why, ClaimsStopped | SnapshotAccount)
    ):
        bound = bind_one(session, found, claimant=claimant, prefix=prefix, now=now)
        if not owns(claimant, bound):
            raise ClaimedByAnother(day=bound.day)
        if bound.state == ClaimState.RESERVED and isinstance(why, CODE_CLOSED):
            raise why
    return ClaimAnswer(view(session, bound, claimant=claimant, now=now), is_new=bound.state != found.state)
