"""Groups of claims under campaigns that count: they come to what the same claims come to one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Boost, Conditions
from scancode.campaigns.models import CounterSlot
from scancode.campaigns.planning import PrizeLine
from scancode.claims import service as claims
from scancode.claims.desk import Desk
from scancode.claims.models import Claim, PersonCount
from scancode.claims.rules import ClaimAnswer, Claimant
from scancode.claims.service.asking import Request
from scancode.claims.service.tally import CameBetween, Tally
from scancode.db import Database, new_id
from scancode.errors import Refusal
from scancode.ledger import service as ledger
from scancode.members import service as members
from scancode.payouts.models import Payout
from scancode.wiring import Wired
from tests.claims.shop import Shop, open_shop, visitor
from tests.claims.test_desk import asking, at_once, serving, together
from tests.factories import NOW

CODES = 48
HALF = [
    PrizeLine("red_packet", 50, 900, "红包", "Red packet", 150, 300_000),
    PrizeLine("points", 5, 900, "积分", "Points", None, 300_000),
    PrizeLine("again", 0, 900, "再来一次", "Once more", None, 200_000),
]
EVEN = [PrizeLine("red_packet", 100, 900, "红包", "Red packet", None, 500_000)]
"""Amounts that are all the same: whoever comes first gets what is left of the day, alone as in a group."""
SURE = [PrizeLine("red_packet", 100, 900, "红包", "Red packet", None, 1_000_000)]


def wheel(session: Session, wired: Wired, prizes: Sequence[PrizeLine], conditions: Conditions, **terms: Any) -> Shop:
    return open_shop(session, wired, prizes=prizes, campaign={"mode": "odds", "conditions": conditions} | terms)


def people_of(session: Session, shop: Shop) -> list[Claimant]:
    """Some by their openid, one of them a member, and some who are nothing but a browser."""
    phone, member = shop.member(session)
    openid = shop.openid(session, "member")
    members.claim_identity(session, identity_id=openid, member_id=member)
    known = [Claimant(new_id(NOW), shop.openid(session, f"o{n}")) for n in range(3)]
    return [Claimant(new_id(NOW), openid, phone, member), *known, visitor(), visitor()]


def one_by_one(session: Session, requests: Sequence[Request]) -> list[str]:
    return [_told(session, request) for request in requests]


def in_groups(session: Session, requests: Sequence[Request], size: int = 16) -> tuple[list[str], int]:
    """What each was told, and how many had to be served singly."""
    found, singly = [], 0
    for start in range(0, len(requests), size):
        group = list(requests[start : start + size])
        for request, answer in zip(group, together(session, group), strict=True):
            singly += answer is None
            found.append(_word(answer) if answer else _told(session, request))
    return found, singly


def _told(session: Session, request: Request) -> str:
    try:
        with session.begin_nested():
            return _word(claims.claim(session, request))
    except Refusal as refusal:
        return refusal.code


def _word(answer: ClaimAnswer) -> str:
    return f"{answer.view.claim.prize_kind} {answer.view.claim.state}"


def books(session: Session, shop: Shop) -> dict[str, object]:
    """All that was counted, won, promised and given."""
    slots = select(CounterSlot.owner_id, CounterSlot.name, func.sum(CounterSlot.left_count))
    counts = select(PersonCount.person_id, PersonCount.period, PersonCount.claims_count)
    paid = select(func.count(Payout.code_id), func.coalesce(func.sum(Payout.amount_fen), 0))
    return {
        "left": {(row[0], row[1]): int(row[2]) for row in session.execute(slots.group_by(*slots.selected_columns[:2]))},
        "people": {tuple(row) for row in session.execute(counts)},
        "claims": Counter(tuple(row) for row in session.execute(select(Claim.prize_kind, Claim.state))),
        "money": tuple(session.execute(paid).one()),
        "points": ledger.total(session, account_id=ledger.issuer_id(shop.brand.id)),
    }


@pytest.mark.parametrize(
    ("prizes", "conditions", "most_singly"),
    [
        (HALF, Conditions(), 0),
        (HALF, Conditions(person_day_max=6, person_max=7), 14),
        (HALF, Conditions(day_max=40), CODES),
        (HALF, Conditions(nth=5, nth_points=9), 24),
        (HALF, Conditions(hold_day=6), 18),
        (EVEN, Conditions(day_fen_max=900), CODES),
        (HALF, Conditions(stores=(str(UUID(int=1)),)), CODES),
        (HALF, Conditions(members="members"), 40),
        (HALF, Conditions(boosts=(Boost(3, (str(UUID(int=1)),), "2026-01-01", "2027-01-01"),)), 0),
        (SURE[:0], Conditions(person_max=3), 30),
    ],
)
def test_a_group_comes_to_the_same_as_one_by_one(
    session: Session, wired: Wired, prizes: Sequence[PrizeLine], conditions: Conditions, most_singly: int
) -> None:
    if prizes:
        shop = wheel(session, wired, prizes, conditions)
    else:
        shop = open_shop(session, wired, campaign={"conditions": conditions})
    people = people_of(session, shop)
    requests = [asking(shop, people[serial % len(people)], serial) for serial in range(CODES)]
    alone = session.begin_nested()
    expected = Counter(one_by_one(session, requests)), books(session, shop)
    alone.rollback()
    told, singly = in_groups(session, requests)
    assert (Counter(told), books(session, shop)) == expected
    assert singly <= most_singly


def test_the_wheel_stops_with_the_stock_for_a_group_too(session: Session, wired: Wired) -> None:
    shop = wheel(session, wired, [PrizeLine("red_packet", 100, 5, "红包", "Red packet", None, 1_000_000)], Conditions())
    told, _ = in_groups(session, [asking(shop, visitor(), serial) for serial in range(CODES)])
    assert Counter(told) == {"red_packet reserved": 5, "thanks claimed": CODES - 5}
    left = session.scalars(select(CounterSlot.left_count).where(CounterSlot.name == campaigns.STOCK))
    assert sum(left) == 0
    _, singly = in_groups(session, [asking(shop, visitor(), CODES + serial) for serial in range(CODES)])
    assert singly == 0, "where nothing is left nobody has to look closer"


def test_whoever_comes_between_ends_the_group_where_there_is_no_room_for_both(session: Session, wired: Wired) -> None:
    shop = wheel(session, wired, SURE, Conditions(person_max=3))
    alice, bob, carol = (Claimant(new_id(NOW), shop.openid(session, name)) for name in ("alice", "bob", "carol"))
    assert shop.offer is not None

    def ending(who: Claimant, between: Any) -> None:
        request, tally = asking(shop, who), Tally()
        tally.look(session, [(request, shop.offer)])()  # type: ignore[list-item]
        assert tally.settle(request, shop.offer)  # type: ignore[arg-type]
        between()
        tally.count_people(session)
        tally.take(session)
        tally.check()

    ending(alice, lambda: [shop.claim(session, alice, serial) for serial in (1, 2)])
    with pytest.raises(CameBetween):
        ending(bob, lambda: [shop.claim(session, bob, serial) for serial in (3, 4, 5)])
    with pytest.raises(CameBetween):
        ending(carol, lambda: session.execute(update(CounterSlot).values(left_count=0)))


def test_two_processes_give_no_more_than_there_is_and_nobody_more_than_their_share(db: Database, wired: Wired) -> None:
    prizes = [PrizeLine("red_packet", 100, 20, "红包", "Red packet", None, 1_000_000)]
    with db.transaction() as session:
        shop = wheel(session, wired, prizes, Conditions(person_max=9), budget_fen=1_900)
        people = [Claimant(new_id(NOW), shop.openid(session, f"o{n}")) for n in range(4)]
    desks = [Desk(db, stall_s=30), Desk(db, stall_s=30)]
    requests = [asking(shop, people[serial % 4], serial) for serial in range(CODES)]
    works = [serving(desks[serial % 2], request) for serial, request in enumerate(requests)]
    works += [serving(desks[serial % 2], requests[serial]) for serial in range(1, 9)]  # a second tap
    found = at_once(works)
    assert found["new"] == 36
    with db.reading() as session:
        won = session.scalar(select(func.count()).where(Claim.prize_kind == "red_packet"))
        assert won == session.scalar(select(func.count(Payout.code_id))) == 19
        assert set(session.scalars(select(PersonCount.claims_count))) == {9}
        left = campaigns.find_left(session, owner_id=shop.campaign_id, name=campaigns.BUDGET_FEN)
        assert left == 0
