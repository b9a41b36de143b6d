"""What a campaign counts while people claim: stock and budget of pools with odds, shares of a day, codes of a person.

A person's counts are rows of their own and come first; what all claims share comes last (``campaigns.take``). What is
refused here rolls back with the claim that asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import COUNT_MAX, Conditions
from scancode.campaigns.rules import Offer, PrizeFacts
from scancode.claims.models import PersonCount
from scancode.claims.rules import Claimant, ClaimFacts, DayFull, PersonDayFull, PersonFull, PrizeGone
from scancode.db import affected, insert_once

ALWAYS, SECOND = "", "nth"
"""The periods of a person's count over the whole campaign, and of their second prize; others are days."""


Counter = tuple[UUID, str, int, int]
"""A counter's owner and name, what is taken from it, and what it opens with where it is not there yet."""


class Exhausted(Exception):
    """The prize that the wheel stopped at has run out."""


@dataclass(frozen=True)
class Counted:
    """The how manieth code of their person it is: in all and today; 0 where that is not counted."""

    nth: int = 0
    today: int = 0


def count_person(
    session: Session, *, campaign_id: UUID, conditions: Conditions, claimant: Claimant, day: str
) -> Counted:
    """One more code of this person. Raises PersonFull, PersonDayFull.

    Before anything else is known a person is their browser; what its reservations become is counted when they are
    bound.
    """
    person_id = claimant.account_id or claimant.visitor_id
    nth = today = 0
    if person_id is None:
        return Counted()
    if conditions.person_max or conditions.nth:
        nth = _one_more(session, person_id, campaign_id, ALWAYS, conditions.person_max or COUNT_MAX)
        if not nth:
            raise PersonFull(most=conditions.person_max)
    if conditions.person_day_max or conditions.hold_day:
        today = _one_more(session, person_id, campaign_id, day, conditions.person_day_max or COUNT_MAX)
        if not today:
            raise PersonDayFull(most=conditions.person_day_max)
    return Counted(nth, today)


def _one_more(session: Session, person_id: UUID, campaign_id: UUID, period: str, most: int) -> int:
    """How many it makes; 0 where there may be no more."""
    key = {"person_id": person_id, "campaign_id": campaign_id, "period": period}
    if insert_once(session, PersonCount, **key, claims_count=1):
        return 1
    here = [getattr(PersonCount, name) == value for name, value in key.items()]
    more = update(PersonCount).where(*here, PersonCount.claims_count < most)
    more = more.values(claims_count=PersonCount.claims_count + 1)
    return (
        session.scalar(more.returning(PersonCount.claims_count), execution_options={"synchronize_session": False}) or 0
    )


def counted_so_far(session: Session, *, campaign_id: UUID, people: Iterable[UUID | None], day: str) -> Counted:
    """The same without one more: the most that any of these ids of one person has."""
    found = select(PersonCount.period, func.max(PersonCount.claims_count)).where(
        PersonCount.person_id.in_([one for one in people if one is not None]),
        PersonCount.campaign_id == campaign_id,
        PersonCount.period.in_((ALWAYS, day)),
    )
    counts = {row[0]: int(row[1]) for row in session.execute(found.group_by(PersonCount.period))}
    return Counted(counts.get(ALWAYS, 0), counts.get(day, 0))


def take_second(session: Session, *, campaign_id: UUID, person_id: UUID) -> bool:
    """Marks that a person has their second prize of a campaign; False where they had it."""
    key = {"person_id": person_id, "campaign_id": campaign_id, "period": SECOND}
    return insert_once(session, PersonCount, **key, claims_count=1)


def count_second(session: Session, *, campaign_id: UUID, code_id: int) -> None:
    """One second prize less. Nothing is counted of campaigns that are older than the counter. Raises Exhausted."""
    name = campaigns.SECONDS
    if campaigns.find_left(session, owner_id=campaign_id, name=name) is None:
        return
    if not campaigns.take(session, owner_id=campaign_id, name=name, amount=1, code_id=code_id):
        raise Exhausted


def merge_counts(session: Session, *, from_id: UUID, to_id: UUID) -> None:
    """Two turned out to be one person: what both claimed counts together."""
    query = select(PersonCount.campaign_id, PersonCount.period, PersonCount.claims_count)
    for campaign_id, period, count in session.execute(
        query.where(PersonCount.person_id == from_id).order_by(PersonCount.campaign_id, PersonCount.period)
    ).all():
        key = {"person_id": to_id, "campaign_id": campaign_id, "period": period}
        if not insert_once(session, PersonCount, **key, claims_count=count):
            here = [getattr(PersonCount, name) == value for name, value in key.items()]
            both = update(PersonCount).where(*here).values(claims_count=PersonCount.claims_count + count)
            affected(session, both)
    affected(session, delete(PersonCount).where(PersonCount.person_id == from_id))


def take_day(session: Session, *, offer: Offer, code_id: int, day: str) -> None:
    """One more code of the campaign today. Raises DayFull."""
    for owner_id, name, amount, opens_with in day_counter(offer, day):
        if not campaigns.take(
            session, owner_id=owner_id, name=name, amount=amount, code_id=code_id, opens_with=opens_with
        ):
            raise DayFull


def take_prize(session: Session, *, offer: Offer, prize: PrizeFacts, code_id: int, day: str) -> None:
    """Stock and budget for a prize of a wheel. Raises Exhausted."""
    for owner_id, name, amount, opens_with in wheel_counters(offer, prize, day):
        if not campaigns.take(
            session, owner_id=owner_id, name=name, amount=amount, code_id=code_id, opens_with=opens_with
        ):
            raise Exhausted


def charge(session: Session, *, offer: Offer, prize: PrizeFacts, code_id: int, day: str) -> None:
    """A prize that was given and forgotten, in a restore: what is left of it counts against stock and budget."""
    if offer.mode == "odds":
        with suppress(Exhausted), session.begin_nested():
            take_prize(session, offer=offer, prize=prize, code_id=code_id, day=day)


def put_back(session: Session, claim: ClaimFacts) -> None:
    """What a refused claim had taken is there for others; nothing where nothing was counted."""
    for owner_id, name, amount in _taken(session, claim):
        campaigns.put_back(session, owner_id=owner_id, name=name, amount=amount, code_id=claim.code_id)


def take_again(session: Session, claim: ClaimFacts) -> None:
    """The opposite. Raises PrizeGone where others were quicker."""
    for owner_id, name, amount in _taken(session, claim):
        if not campaigns.take(session, owner_id=owner_id, name=name, amount=amount, code_id=claim.code_id):
            raise PrizeGone


def _taken(session: Session, claim: ClaimFacts) -> Iterator[tuple[UUID, str, int]]:
    """What a claim under a wheel counts against, in the order in which every claim locks them. A day's share comes back
    as well: its counter is there only where the campaign has one."""
    if claim.campaign_id is None:
        return
    if claim.is_second:
        if campaigns.find_left(session, owner_id=claim.campaign_id, name=campaigns.SECONDS) is not None:
            yield claim.campaign_id, campaigns.SECONDS, 1
        return
    if claim.prize_id is None:
        return
    if campaigns.find_left(session, owner_id=claim.prize_id, name=campaigns.STOCK) is None:
        return
    yield claim.prize_id, campaigns.STOCK, 1
    if claim.prize_kind == "points":
        yield claim.campaign_id, campaigns.BUDGET_POINTS, claim.amount
    elif claim.prize_kind == "red_packet":
        yield claim.campaign_id, campaigns.BUDGET_FEN, claim.amount
        day = f"f:{claim.day}"
        if campaigns.find_left(session, owner_id=claim.campaign_id, name=day) is not None:
            yield claim.campaign_id, day, claim.amount


def wheel_counters(offer: Offer, prize: PrizeFacts, day: str) -> Iterator[Counter]:
    """What a prize of a wheel counts against, in the order in which every claim locks them."""
    yield prize.id, campaigns.STOCK, 1, 0
    if prize.points:
        yield offer.campaign_id, campaigns.BUDGET_POINTS, prize.points, 0
    if prize.amount_fen:
        yield offer.campaign_id, campaigns.BUDGET_FEN, prize.amount_fen, 0
        if offer.conditions.day_fen_max:
            yield offer.campaign_id, f"f:{day}", prize.amount_fen, offer.conditions.day_fen_max


def day_counter(offer: Offer, day: str) -> Iterator[Counter]:
    """What every claim of a campaign counts against, after all others."""
    if offer.conditions.day_max:
        yield offer.campaign_id, f"n:{day}", 1, offer.conditions.day_max
