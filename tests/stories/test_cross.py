"""Coming over into WeChat with what another browser holds: by link and number, once, and for nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from scancode.claims import service as claims
from scancode.claims.rules import Claimant, ClaimsStopped, ClaimState, CrossingOver
from scancode.claims.service import CrossingFacts
from scancode.claims.service.crossing import LIVES, TRIES
from scancode.db import new_id
from scancode.jobs import service as jobs
from scancode.ledger import service as ledger
from scancode.payouts import service as payouts
from scancode.payouts.models import Payout
from scancode.stories.cross import Crossed, cross
from scancode.wiring import Wired
from tests.stories.scene import MONEY, NOW, Scene, set_up
from tests.threads import at_once


def won(scene: Scene, serial: int = 1) -> UUID:
    """A browser that nobody knows holds a prize."""
    browser = new_id(NOW)
    scene.claim(Claimant(browser), serial)
    return browser


def offer(scene: Scene, browser: UUID, number: str = "0412") -> CrossingFacts:
    return claims.offer_crossing(
        scene.session, visitor_id=browser, brand_id=scene.brand.id, number=number, sealer=scene.wired.sealer, now=NOW
    )


def come(
    scene: Scene,
    way: CrossingFacts,
    openid: str = "o-alice",
    number: str = "0412",
    *,
    at: timedelta = timedelta(0),
    member: UUID | None = None,
) -> Crossed:
    return cross(
        scene.session,
        crossing_id=way.id,
        number=number,
        claimant=Claimant(new_id(NOW), scene.openid(openid), member_id=member),
        sealer=scene.wired.sealer,
        prefix="SC",
        now=NOW + at,
    )


def test_the_right_number_brings_the_money_to_the_openid_that_typed_it(money: Scene) -> None:
    way = offer(money, won(money))
    assert come(money, way) == Crossed(1)
    payout = payouts.find(money.session, code_id=money.code_id(1))
    assert payout is not None
    assert payout.identity_id == money.openid("o-alice")


def test_the_first_browser_still_sees_what_it_won(money: Scene) -> None:
    browser = won(money)
    come(money, offer(money, browser))
    view = claims.find_claim(money.session, code_id=money.code_id(1), claimant=Claimant(browser), now=NOW)
    assert view is not None
    assert view.is_mine


def test_a_forwarded_link_without_the_number_is_worth_nothing(money: Scene) -> None:
    way = offer(money, won(money))
    for left in range(TRIES - 1, -1, -1):
        assert come(money, way, "o-mallory", "9999") == Crossed(0, tries_left=left)
    with pytest.raises(CrossingOver):  # nor is the right number any more
        come(money, way, "o-mallory")
    claim = claims.find_facts(money.session, code_id=money.code_id(1))
    assert claim is not None
    assert claim.state == ClaimState.RESERVED
    assert claim.reserved_until is not None
    assert claim.reserved_until > NOW + timedelta(hours=71)


def test_a_link_is_good_for_one_person(money: Scene) -> None:
    way = offer(money, won(money))
    come(money, way)
    assert come(money, way) == Crossed(0)
    with pytest.raises(CrossingOver):
        come(money, way, "o-mallory")


def test_a_new_link_ends_the_one_before_and_time_ends_both(money: Scene) -> None:
    browser = won(money)
    first, second = offer(money, browser, "1111"), offer(money, browser, "2222")
    with pytest.raises(CrossingOver):
        come(money, first, number="1111")
    with pytest.raises(CrossingOver):
        come(money, second, number="2222", at=LIVES)
    assert come(money, second, number="2222", at=LIVES - timedelta(seconds=1)) == Crossed(1)


def test_a_member_takes_it_into_their_account(scene: Scene) -> None:
    joined = scene.join(new_id(NOW), identity_id=scene.openid("o-alice"))
    assert come(scene, offer(scene, won(scene)), member=joined.member_id) == Crossed(1)
    assert ledger.balance(scene.session, account_id=joined.member_id) == 50


def test_while_claims_are_stopped_no_try_is_spent(money: Scene) -> None:
    way = offer(money, won(money))
    jobs.stop(money.session, name="claims", reason="restore", now=NOW)
    with pytest.raises(ClaimsStopped):
        come(money, way)
    jobs.allow(money.session, name="claims")
    assert come(money, way) == Crossed(1)


def test_a_reservation_that_has_lapsed_does_not_come(money: Scene) -> None:
    browser = won(money)
    later = timedelta(hours=72)
    way = claims.offer_crossing(
        money.session,
        visitor_id=browser,
        brand_id=money.brand.id,
        number="0412",
        sealer=money.wired.sealer,
        now=NOW + later,
    )
    assert not claims.has_reserved(money.session, visitor_id=browser, brand_id=money.brand.id, now=NOW + later)
    assert come(money, way, at=later) == Crossed(0)


def test_old_ways_are_forgotten(money: Scene) -> None:
    way = offer(money, won(money))
    assert claims.sweep_crossings(money.session, before=way.expires_at) == 0
    assert claims.sweep_crossings(money.session, before=way.expires_at + timedelta(seconds=1)) == 1
    assert claims.find_crossing(money.session, crossing_id=way.id) is None


def test_of_two_who_type_at_once_one_gets_it(wired: Wired) -> None:
    with wired.db.transaction() as session:
        scene = set_up(wired, session, MONEY)
        way = offer(scene, won(scene))

    def type_it(person: int) -> Crossed:
        with wired.db.transaction() as session:
            return come(replace(scene, session=session), way, f"o-person-{person}-00000000")

    answers = at_once(4, type_it)
    assert [answer for answer in answers if isinstance(answer, Crossed)].count(Crossed(1)) == 1
    assert all(
        isinstance(answer, CrossingOver) or answer.prizes_bound == 0 for answer in answers if answer != Crossed(1)
    )
    with wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Payout)) == 1
