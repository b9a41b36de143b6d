"""The second prize for the n-th code of a person: any kind, both modes, once for each person, never over the budget."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from batches.codes import Kind
from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Conditions
from scancode.campaigns.planning import PrizeLine
from scancode.campaigns.rules import draw
from scancode.claims import service as claims
from scancode.claims.models import Claim, PersonCount
from scancode.claims.rules import Claimant, ClaimFacts, NotARewardCode, Standing
from scancode.db import Database, new_id
from scancode.ledger import service as ledger
from scancode.payouts import service as payouts
from scancode.payouts.models import Payout
from scancode.payouts.rules import number_of
from scancode.stories.books import Report, compare_claims
from scancode.wiring import Wired
from tests.claims.shop import PREFIX, Shop, open_shop, points, visitor
from tests.claims.test_races import at_once, claiming
from tests.factories import NOW

MONEY = Conditions(nth=3, nth_fen=888)


def shop_with(
    session: Session, wired: Wired, conditions: Conditions = MONEY, *, mode: str = "exact", **over: Any
) -> Shop:
    ppm = 1_000_000 if mode == "odds" else None
    prizes = [PrizeLine("points", 7, 1000, "积分", "Points", None, ppm)]
    terms = {"budget_fen": 10_000_000, "budget_points": 1_000_000, "conditions": conditions, "mode": mode} | over
    return open_shop(session, wired, prizes=prizes, campaign=terms)


def known(session: Session, shop: Shop, name: str = "alice") -> Claimant:
    return Claimant(None, shop.openid(session, f"openid-{name}"))


def seconds(session: Session) -> list[ClaimFacts]:
    ids = session.scalars(select(Claim.code_id).where(Claim.nth.is_not(None)).order_by(Claim.code_id)).all()
    return [found for one in ids if (found := claims.find_facts(session, code_id=one))]


def differences(session: Session) -> list[str]:
    report = Report(since=NOW - timedelta(days=1))
    compare_claims(session, report=report, since=report.since)
    return [str(one.gap) for one in report.differences]


@pytest.mark.parametrize("mode", ["exact", "odds"])
def test_the_third_code_brings_money_under_a_number_of_its_own(session: Session, wired: Wired, mode: str) -> None:
    shop = shop_with(session, wired, mode=mode)
    alice, bob = known(session, shop), known(session, shop, "bob")
    for serial in range(5):
        shop.claim(session, alice, serial)
    shop.claim(session, bob, 5)
    [second] = seconds(session)
    assert second.code_id == claims.second_id(shop.code(2).code_id) == shop.code(2, Kind.OUTER).code_id
    assert (second.prize_kind, second.amount, second.nth, second.state) == ("red_packet", 888, 3, "claimed")
    assert second.account_id == alice.account_id
    [money] = session.scalars(select(Payout))
    assert (money.code_id, money.cause, money.amount_fen) == (second.code_id, f"nth:{second.code_id}", 888)
    assert money.out_bill_no != number_of(prefix=PREFIX, code_id=shop.code(2).code_id, attempt=1)
    assert differences(session) == []
    assert alice.account_id is not None
    assert ledger.balance(session, account_id=alice.account_id) == 5 * 7


def test_nobody_claims_the_outer_code_by_itself(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired)
    alice = known(session, shop)
    for serial in range(3):
        shop.claim(session, alice, serial)
    with pytest.raises(NotARewardCode):
        shop.claim(session, alice, code=shop.code(2, Kind.OUTER))


def test_points_and_thanks_count_alike(session: Session, wired: Wired) -> None:
    prizes = [PrizeLine("red_packet", 100, 1, "红包", "Red packet")]
    terms = {"budget_points": 1_000_000, "conditions": Conditions(nth=4, nth_points=500)}
    shop = open_shop(session, wired, prizes=prizes, campaign=terms)
    alice = known(session, shop)
    for serial in range(6):
        shop.claim(session, alice, serial)
    assert alice.account_id is not None
    assert ledger.balance(session, account_id=alice.account_id) == 500
    assert differences(session) == []


def test_a_browser_that_only_had_thanks_is_kept_its_second_prize(session: Session, wired: Wired) -> None:
    prizes = [PrizeLine("red_packet", 100, 1, "红包", "Red packet")]
    shop = open_shop(session, wired, prizes=prizes, campaign={"budget_fen": 10**7, "conditions": MONEY})
    browser = visitor()
    serials = [serial for serial in range(9) if not drawn_money(shop, serial)][:3]
    for serial in serials:
        assert shop.claim(session, browser, serial).view.standing == Standing.CLAIMED
    [second] = seconds(session)
    assert (second.state, second.visitor_id) == ("reserved", browser.visitor_id)
    assert session.scalar(select(func.count()).select_from(Payout)) == 0
    alice = shop.openid(session)
    assert shop.bind(session, Claimant(browser.visitor_id, alice)) == 1
    paid = payouts.get(session, code_id=second.code_id)
    assert (paid.identity_id, paid.amount_fen) == (alice, 888)
    # A second browser of hers brings nothing more.
    other = visitor()
    for serial in [one for one in range(9, 30) if not drawn_money(shop, one)][:3]:
        shop.claim(session, other, serial)
    assert shop.bind(session, Claimant(other.visitor_id, alice)) == 0
    assert session.scalar(select(func.count()).select_from(Payout)) == 1


def drawn_money(shop: Shop, serial: int) -> bool:
    assert shop.offer is not None
    return draw(shop.offer, serial).kind == "red_packet"


def test_counts_of_two_who_are_one_may_jump_over_it(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired)
    guest, (phone_id, member_id) = shop.openid(session), shop.member(session)
    for serial in range(2):
        shop.claim(session, Claimant(None, guest), serial)
    member = Claimant(None, None, phone_id, member_id)
    for serial in range(2, 4):
        shop.claim(session, member, serial)
    claims.reassign(session, from_id=guest, to_id=member_id)
    assert seconds(session) == []
    shop.claim(session, member, 4)
    shop.claim(session, member, 5)
    assert [one.account_id for one in seconds(session)] == [member_id]


def test_it_is_held_like_any_other_and_released_once(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired, Conditions(nth=3, nth_fen=888, hold_day=3))
    alice = known(session, shop)
    for serial in range(3):
        shop.claim(session, alice, serial)
    held = claims.list_held(session, brand_id=shop.brand.id)
    assert {row.claim.nth for row in held} == {None, 3}
    assert session.scalar(select(func.count()).select_from(Payout)) == 0
    code_id = claims.second_id(shop.code(2).code_id)
    erin = new_id(NOW)
    claims.release_held(session, code_id=code_id, staff_id=erin, actor="erin", prefix=PREFIX, now=NOW)
    assert payouts.get(session, code_id=code_id).amount_fen == 888
    assert differences(session) == []


def test_no_more_of_them_than_were_promised(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired, Conditions(nth=1, nth_points=10, nth_count=2), budget_points=7_020)
    for number in range(4):
        shop.claim(session, known(session, shop, str(number)), number)
    assert len(seconds(session)) == 2
    assert campaigns.find_left(session, owner_id=shop.campaign_id, name=campaigns.SECONDS) == 0
    # Whoever came too late has not had theirs: the mark went with the refusal.
    who = known(session, shop, "3").account_id
    assert not claims_marked(session, who)


def claims_marked(session: Session, person_id: UUID | None) -> bool:
    rows = select(PersonCount).where(PersonCount.person_id == person_id, PersonCount.period == "nth")
    return session.scalars(rows).first() is not None


def test_a_wheel_keeps_its_hands_off_what_is_set_aside(session: Session, wired: Wired) -> None:
    prizes = [PrizeLine("red_packet", 100, 1000, "红包", "Red packet", None, 1_000_000)]
    terms = {"budget_fen": 500, "mode": "odds", "conditions": Conditions(nth=2, nth_fen=100, nth_count=3)}
    shop = open_shop(session, wired, prizes=prizes, campaign=terms)
    people = [known(session, shop, str(number)) for number in range(4)]
    kinds = Counter(
        shop.claim(session, who, 2 * place + turn).view.claim.prize_kind
        for place, who in enumerate(people)
        for turn in range(2)
    )
    assert kinds == {"red_packet": 2, "thanks": 6}
    assert [one.amount for one in seconds(session)] == [100] * 3
    assert session.scalar(select(func.sum(Payout.amount_fen))) == 500


def test_many_codes_of_one_person_at_once_bring_one(db: Database, wired: Wired) -> None:
    with db.transaction() as session:
        shop = shop_with(session, wired)
        alice = known(session, shop)
    assert at_once([claiming(db, shop, alice, serial) for serial in range(16)]) == {"new": 16}
    with db.reading() as session:
        assert len(seconds(session)) == 1
        assert session.scalar(select(func.count()).select_from(Payout)) == 1
        assert alice.account_id is not None
        assert ledger.balance(session, account_id=alice.account_id) == 16 * 7


def test_many_people_at_once_share_what_is_promised(db: Database, wired: Wired) -> None:
    with db.transaction() as session:
        shop = shop_with(session, wired, Conditions(nth=1, nth_fen=100, nth_count=5))
        people = [known(session, shop, str(number)) for number in range(20)]
    assert at_once([claiming(db, shop, one, serial) for serial, one in enumerate(people)]) == {"new": 20}
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Payout)) == 5
        assert differences(session) == []


def test_a_test_batch_brings_none(session: Session, wired: Wired) -> None:
    terms = {"budget_fen": 10**7, "budget_points": 10**6, "conditions": Conditions(nth=1, nth_fen=100)}
    shop = open_shop(session, wired, prizes=points(7), is_test=True, campaign=terms)
    shop.claim(session, known(session, shop), 0)
    assert seconds(session) == []
