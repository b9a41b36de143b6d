"""One more turn of the wheel for the same code: at most three in all, one prize in the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.chance import TURNS_MAX
from scancode.campaigns.conditions import Conditions
from scancode.campaigns.planning import PrizeLine
from scancode.campaigns.rules import draw
from scancode.claims import rules
from scancode.claims import service as claims
from scancode.claims.models import PersonCount
from scancode.claims.rules import Claimant, ClaimView, Standing
from scancode.db import Database
from scancode.payouts.models import Payout
from scancode.wiring import Wired
from tests.claims.shop import Shop, open_shop, visitor
from tests.claims.test_odds import known
from tests.claims.test_races import at_once
from tests.factories import NOW

AGAIN = PrizeLine("again", 0, 1000, "再来一次", "One more turn", None, 500_000)
MONEY = PrizeLine("red_packet", 100, 1000, "红包", "Red packet", 900, 300_000)


def wheel(session: Session, wired: Wired, *prizes: PrizeLine, **terms: Any) -> Shop:
    return open_shop(session, wired, prizes=prizes or (AGAIN, MONEY), campaign={"mode": "odds"} | terms)


def drawn(shop: Shop, serial: int, turn: int = 1) -> tuple[str, int]:
    assert shop.offer is not None
    prize = draw(shop.offer, serial, turn)
    return prize.kind, prize.amount


def serial_of(shop: Shop, *kinds: str) -> int:
    """A code whose first turns show these."""
    return next(
        serial
        for serial in range(900)
        if all(drawn(shop, serial, turn)[0] == kind for turn, kind in enumerate(kinds, 1))
    )


def told(view: ClaimView) -> tuple[str, int, int]:
    return view.claim.prize_kind, view.claim.amount, view.claim.turns_done


def test_every_code_ends_with_what_its_secret_says_after_at_most_three_turns(session: Session, wired: Wired) -> None:
    shop = wheel(session, wired)
    alice, turns_taken = known(session, shop), Counter[int]()
    for serial in range(60):
        for turn in range(1, TURNS_MAX + 2):
            claim = shop.claim(session, alice, serial, turn=turn).view.claim
            if not claim.is_again:
                break
            assert (claim.turns_done, drawn(shop, serial, turn)[0]) == (turn, "again")
        assert (claim.prize_kind, claim.amount) == drawn(shop, serial, claim.turns_done)
        turns_taken[claim.turns_done] += 1
    assert set(turns_taken) == {1, 2, 3}
    won = session.scalar(select(func.count()).select_from(Payout))
    assert won == sum(
        facts.prize_kind == "red_packet"
        for serial in range(60)
        if (facts := claims.find_facts(session, code_id=shop.code(serial).code_id))
    )


def test_asking_for_the_same_turn_twice_or_for_a_later_one_turns_nothing(session: Session, wired: Wired) -> None:
    shop = wheel(session, wired)
    alice, serial = known(session, shop), serial_of(shop, "again", "red_packet")
    first = shop.claim(session, alice, serial)
    assert (first.is_new, told(first.view)) == (True, ("again", 0, 1))
    for turn in (1, 3, 9):
        again = shop.claim(session, alice, serial, turn=turn)
        assert (again.is_new, told(again.view)) == (False, ("again", 0, 1))
    second = shop.claim(session, alice, serial, turn=2)
    assert (second.is_new, told(second.view)) == (True, (*drawn(shop, serial, 2), 2))
    assert second.view.payout is not None
    assert second.view.payout.amount_fen == second.view.claim.amount
    for turn in (1, 2, 3):
        same = shop.claim(session, alice, serial, turn=turn)
        assert (same.is_new, told(same.view)) == (False, told(second.view))
    assert session.scalar(select(func.count()).select_from(Payout)) == 1


def test_nobody_else_takes_the_turn(session: Session, wired: Wired) -> None:
    shop = wheel(session, wired)
    alice, bob = known(session, shop), known(session, shop, "bob")
    serial = serial_of(shop, "again")
    shop.claim(session, alice, serial)
    for who in (bob, visitor()):
        with pytest.raises(rules.ClaimedByAnother):
            shop.claim(session, who, serial, turn=2)
    left = claims.find_facts(session, code_id=shop.code(serial).code_id)
    assert left is not None
    assert left.is_again


def test_a_browser_turns_keeps_and_binds_what_it_won(session: Session, wired: Wired) -> None:
    shop = wheel(session, wired)
    browser, serial = visitor(), serial_of(shop, "again", "red_packet")
    first = shop.claim(session, browser, serial).view
    assert first.standing == Standing.RESERVED
    later = NOW + timedelta(hours=1)
    second = shop.claim(session, browser, serial, turn=2, now=later).view
    assert (second.standing, second.claim.reserved_until) == (Standing.RESERVED, first.claim.reserved_until)
    assert session.scalar(select(func.count()).select_from(Payout)) == 0
    assert shop.bind(session, Claimant(browser.visitor_id, shop.openid(session)), now=later) == 1
    assert session.scalar(select(Payout.amount_fen)) == second.claim.amount


def test_a_turn_won_in_a_browser_may_be_taken_by_its_person(session: Session, wired: Wired) -> None:
    shop = wheel(session, wired)
    browser, serial = visitor(), serial_of(shop, "again", "red_packet")
    shop.claim(session, browser, serial)
    alice = Claimant(browser.visitor_id, shop.openid(session))
    assert shop.bind(session, alice) == 1
    second = shop.claim(session, alice, serial, turn=2).view
    assert (second.standing, second.claim.account_id) == (Standing.CLAIMED, alice.identity_id)
    assert second.payout is not None


def test_a_lapsed_turn_stays_with_the_code(session: Session, wired: Wired) -> None:
    shop = wheel(session, wired)
    serial = serial_of(shop, "again", "again", "red_packet")
    browser, bob = visitor(), known(session, shop, "bob")
    for turn in (1, 2):
        shop.claim(session, browser, serial, turn=turn)
    later = NOW + timedelta(hours=73)
    taken = shop.claim(session, bob, serial, now=later)
    assert told(taken.view) == ("again", 0, 2)
    assert told(shop.claim(session, bob, serial, turn=3, now=later).view) == (*drawn(shop, serial, 3), 3)
    with pytest.raises(rules.ClaimedByAnother):
        shop.claim(session, browser, serial, turn=3, now=later)


def test_turns_have_a_stock_and_money_of_a_later_turn_the_budget(session: Session, wired: Wired) -> None:
    shop = wheel(session, wired, replace(AGAIN, count=2), replace(MONEY, amount_most=None), budget_fen=150)
    alice = known(session, shop)
    kinds = Counter(
        claim.prize_kind for serial in range(40) for claim in [shop.claim(session, alice, serial, turn=1).view.claim]
    )
    assert kinds["again"] == 2
    waiting = [
        serial
        for serial in range(40)
        if (facts := claims.find_facts(session, code_id=shop.code(serial).code_id)) and facts.is_again
    ]
    for serial in waiting:
        shop.claim(session, alice, serial, turn=2)
    assert session.scalar(select(func.sum(Payout.amount_fen))) == 100
    assert campaigns.find_left(session, owner_id=shop.campaign_id, name=campaigns.BUDGET_FEN) == 50


def test_a_person_is_counted_once_a_code_and_held_at_the_turn_that_wins(session: Session, wired: Wired) -> None:
    shop = wheel(session, wired, conditions=Conditions(person_max=1, hold_day=1))
    alice, serial = known(session, shop), serial_of(shop, "again", "red_packet")
    assert shop.claim(session, alice, serial).view.standing == Standing.CLAIMED
    held = shop.claim(session, alice, serial, turn=2).view
    assert held.standing == Standing.HELD
    assert set(session.scalars(select(PersonCount.claims_count))) == {1}
    assert session.scalar(select(func.count()).select_from(Payout)) == 0


def test_a_pause_keeps_the_turn(session: Session, wired: Wired) -> None:
    shop = wheel(session, wired)
    alice, serial = known(session, shop), serial_of(shop, "again", "red_packet")
    shop.claim(session, alice, serial)
    campaigns.pause(session, campaign_id=shop.campaign_id, actor="dave", now=NOW)
    paused = shop.claim(session, alice, serial, turn=2)
    assert (paused.is_new, told(paused.view)) == (False, ("again", 0, 1))
    campaigns.resume(session, campaign_id=shop.campaign_id, actor="dave", now=NOW)
    assert shop.claim(session, alice, serial, turn=2).is_new


def test_one_turn_is_made_once_by_many_taps(db: Database, wired: Wired) -> None:
    with db.transaction() as session:
        shop = wheel(session, wired)
        alice, serial = known(session, shop), serial_of(shop, "again", "red_packet")
        shop.claim(session, alice, serial)

    def tap() -> object:
        answer = db.retrying(lambda session: shop.claim(session, alice, serial, turn=2))
        return "new" if answer.is_new else "same", told(answer.view)

    found = at_once([tap] * 16)
    result = (*drawn(shop, serial, 2), 2)
    assert found == {("new", result): 1, ("same", result): 15}
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Payout)) == 1
