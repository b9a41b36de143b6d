"""Campaigns that count: odds with a stock, budgets, shares of a day, codes of a person."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Conditions
from scancode.campaigns.models import CounterSlot
from scancode.campaigns.planning import PrizeLine
from scancode.campaigns.rules import draw
from scancode.campaigns.service import counters
from scancode.claims import rules
from scancode.claims import service as claims
from scancode.claims.models import PersonCount
from scancode.claims.rules import Claimant, Standing
from scancode.db import Database, new_id
from scancode.wiring import Wired
from tests.claims.shop import Shop, open_shop, points, visitor
from tests.claims.test_races import at_once, claiming
from tests.factories import NOW


def wheel(stock: int = 1000, ppm: int = 1_000_000, least: int = 100, most: int | None = None) -> list[PrizeLine]:
    return [PrizeLine("red_packet", least, stock, "红包", "Red packet", most, ppm)]


def turning(session: Session, wired: Wired, prizes: list[PrizeLine], **over: Any) -> Shop:
    terms = {"mode": "odds"} | over.pop("campaign", {})
    return open_shop(session, wired, prizes=prizes, campaign=terms, **over)


def known(session: Session, shop: Shop, name: str = "alice") -> Claimant:
    return Claimant(visitor().visitor_id, shop.openid(session, f"openid-{name}"))


def kinds(session: Session, shop: Shop, serials: range, who: Claimant) -> Counter[str]:
    return Counter(shop.claim(session, who, serial).view.claim.prize_kind for serial in serials)


def test_a_wheel_gives_its_odds_and_stops_with_the_stock(session: Session, wired: Wired) -> None:
    shop = turning(session, wired, wheel(stock=5))
    alice = known(session, shop)
    assert kinds(session, shop, range(8), alice) == {"red_packet": 5, "thanks": 3}
    again = shop.claim(session, alice, 0)
    assert (again.is_new, again.view.claim.amount) == (False, 100)


def test_what_a_wheel_gives_depends_on_the_code_alone(session: Session, wired: Wired) -> None:
    shop = turning(session, wired, wheel(ppm=300_000, least=10, most=90))
    alice = known(session, shop)
    assert shop.offer is not None
    drawn = [shop.claim(session, alice, serial).view.claim for serial in range(40)]
    told = [claims_draw(shop, serial) for serial in range(40)]
    assert [(claim.prize_kind, claim.amount) for claim in drawn] == told
    assert len({amount for kind, amount in told if kind == "red_packet"}) > 3


def claims_draw(shop: Shop, serial: int) -> tuple[str, int]:
    assert shop.offer is not None
    prize = draw(shop.offer, serial)
    return prize.kind, prize.amount


def test_the_budget_pays_to_the_last_fen_and_no_further(session: Session, wired: Wired) -> None:
    shop = turning(session, wired, wheel(), campaign={"budget_fen": 450})
    assert kinds(session, shop, range(7), known(session, shop)) == {"red_packet": 4, "thanks": 3}
    left = campaigns.find_left(session, owner_id=shop.campaign_id, name=campaigns.BUDGET_FEN)
    assert left == 50
    assert shop.offer is not None
    stock = campaigns.find_left(session, owner_id=shop.offer.prizes[0].id, name=campaigns.STOCK)
    assert stock == 996, "what could not be paid is not gone from the stock either"


def test_points_of_a_wheel_have_a_budget_too(session: Session, wired: Wired) -> None:
    line = PrizeLine("points", 40, 100, "积分", "Points", None, 1_000_000)
    shop = turning(session, wired, [line], campaign={"budget_points": 100})
    assert kinds(session, shop, range(4), known(session, shop)) == {"points": 2, "thanks": 2}


def test_money_of_a_day_comes_again_the_next_day(session: Session, wired: Wired) -> None:
    shop = turning(session, wired, wheel(), campaign={"conditions": Conditions(day_fen_max=200)})
    alice = known(session, shop)
    assert kinds(session, shop, range(4), alice) == {"red_packet": 2, "thanks": 2}
    tomorrow = shop.claim(session, alice, 9, now=NOW + timedelta(days=1))
    assert tomorrow.view.claim.prize_kind == "red_packet"


@pytest.mark.parametrize("mode", ["exact", "odds"])
def test_codes_of_a_day_are_refused_until_the_next(session: Session, wired: Wired, mode: str) -> None:
    prizes = wheel() if mode == "odds" else []
    shop = turning(session, wired, prizes, campaign={"mode": mode, "conditions": Conditions(day_max=3)})
    alice = known(session, shop)
    assert kinds(session, shop, range(3), alice)["red_packet"] == 3
    with pytest.raises(rules.DayFull):
        shop.claim(session, alice, 3)
    assert claims.find_facts(session, code_id=shop.code(3).code_id) is None, "nothing is left behind"
    assert shop.claim(session, alice, 3, now=NOW + timedelta(days=1)).is_new


def test_a_person_is_refused_after_their_share(session: Session, wired: Wired) -> None:
    limits = Conditions(person_day_max=2, person_max=3)
    shop = turning(session, wired, [], campaign={"mode": "exact", "conditions": limits})
    alice, bob = known(session, shop), known(session, shop, "bob")
    kinds(session, shop, range(2), alice)
    with pytest.raises(rules.PersonDayFull):
        shop.claim(session, alice, 2)
    assert shop.claim(session, bob, 2).is_new
    tomorrow = NOW + timedelta(days=1)
    assert shop.claim(session, alice, 3, now=tomorrow).is_new
    with pytest.raises(rules.PersonFull):
        shop.claim(session, alice, 4, now=tomorrow)


def test_a_browser_that_is_cleared_gains_nothing_for_its_person(session: Session, wired: Wired) -> None:
    shop = turning(session, wired, [], campaign={"mode": "exact", "conditions": Conditions(person_max=1)})
    browsers = [visitor(), visitor()]
    for serial, browser in enumerate(browsers):
        assert shop.claim(session, browser, serial).view.standing == Standing.RESERVED
    alice = shop.openid(session)
    assert [shop.bind(session, Claimant(one.visitor_id, alice)) for one in browsers] == [1, 0]
    with pytest.raises(rules.PersonFull):
        shop.claim(session, Claimant(browsers[1].visitor_id, alice), 1)
    held = claims.find_facts(session, code_id=shop.code(1).code_id)
    assert held is not None
    assert held.state == "reserved"


def test_two_that_turn_out_to_be_one_have_one_share(session: Session, wired: Wired) -> None:
    limits = Conditions(person_max=2)
    shop = turning(session, wired, points(5), campaign={"mode": "exact", "conditions": limits})
    guest, (phone_id, member_id) = shop.openid(session), shop.member(session)
    shop.claim(session, Claimant(None, guest), 0)
    member = Claimant(None, None, phone_id, member_id)
    shop.claim(session, member, 1)
    claims.reassign(session, from_id=guest, to_id=member_id)
    claims.reassign(session, from_id=guest, to_id=member_id)
    assert session.scalars(select(PersonCount.claims_count)).all() == [2]
    with pytest.raises(rules.PersonFull):
        shop.claim(session, member, 2)


def test_a_lapsed_prize_stays_with_its_code_and_costs_the_stock_once(session: Session, wired: Wired) -> None:
    shop = turning(session, wired, wheel(stock=1, least=10, most=90))
    first = shop.claim(session, visitor(), 0).view
    assert (first.standing, first.claim.prize_kind) == (Standing.RESERVED, "red_packet")
    later = NOW + timedelta(hours=73)
    alice = known(session, shop)
    assert shop.claim(session, alice, 1, now=later).view.claim.prize_kind == "thanks", "the only one is set aside"
    taken = shop.claim(session, alice, 0, now=later).view
    assert (taken.claim.amount, taken.standing) == (first.claim.amount, Standing.CLAIMED)


def test_slots_lend_to_each_other_before_they_refuse(session: Session) -> None:
    owner = new_id(NOW)
    counters.open_counter(session, owner_id=owner, name="fen", total=100)
    counters.open_counter(session, owner_id=owner, name="fen", total=100)  # a second time changes nothing
    assert campaigns.find_left(session, owner_id=owner, name="fen") == 100

    def take(amount: int, code_id: int = 7) -> bool:
        return campaigns.take(session, owner_id=owner, name="fen", amount=amount, code_id=code_id)

    assert take(40), "more than any slot holds by itself"
    assert all(take(1, code_id) for code_id in range(59))
    assert not take(2)
    assert take(1)
    assert not take(1)
    assert set(session.scalars(select(CounterSlot.left_count))) == {0}


def test_many_at_once_win_no_more_than_there_is(db: Database, wired: Wired) -> None:
    with db.transaction() as session:
        shop = turning(session, wired, wheel(stock=9), campaign={"budget_fen": 850})
        people = [known(session, shop, str(number)) for number in range(24)]
    found = at_once([claiming(db, shop, one, serial) for serial, one in enumerate(people)])
    assert found == {"new": 24}
    with db.reading() as session:
        won = Counter(
            facts.prize_kind
            for serial in range(24)
            if (facts := claims.find_facts(session, code_id=shop.code(serial).code_id))
        )
        assert won == {"red_packet": 8, "thanks": 16}
        assert campaigns.find_left(session, owner_id=shop.campaign_id, name=campaigns.BUDGET_FEN) == 50


def test_one_person_at_many_counters_gets_their_share(db: Database, wired: Wired) -> None:
    with db.transaction() as session:
        shop = turning(session, wired, wheel(), campaign={"conditions": Conditions(person_day_max=4)})
        alice = known(session, shop)
    found = at_once([claiming(db, shop, alice, serial) for serial in range(12)])
    assert found == {"new": 4, "claim_person_day": 8}
