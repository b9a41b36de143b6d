"""Paid without confirming, attacked: several at once, news that comes early, late, twice or never, and a provider that
contradicts itself or lets this merchant do nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from scancode.jobs import service as jobs
from scancode.payouts import service as payouts
from scancode.payouts.authorisation import AskedTooOften, AuthorisationFacts, AuthorisationState
from scancode.payouts.models import Authorisation, AuthorisationNumber
from scancode.payouts.rules import PayoutState
from scancode.ports import AuthorisationSaid
from tests.payouts.scene import Scene
from tests.threads import at_once

S, P = AuthorisationState, PayoutState
NOBODY_AUTH = {f"{door}:no_auth": 50 for door in ("send", "grant", "grant_query", "grant_close")}


def said(facts: AuthorisationFacts, state: str) -> AuthorisationSaid:
    return AuthorisationSaid(facts.number, state, "openid-alice", provider_id="A1", package="p")


def orders(scene: Scene) -> list[tuple[str, bool]]:
    """Every bill of the provider's: its state, and whether its order named an authorisation."""
    return [(row.state, "authorization_id" in row.same) for row in scene.town.bank.book.bills()]


def offered(scene: Scene, brands: str) -> None:
    settings = scene.wired.settings.model_copy(update={"wechatpay_no_confirm": brands})
    scene.wired = replace(scene.wired, settings=settings)


# Several at once


def test_asked_by_many_taps_at_once_there_is_one(scene: Scene) -> None:
    found = at_once(6, lambda _: scene.ask().number)
    assert len(set(found)) == 1, found
    with scene.wired.db.reading() as session:
        counts = [
            session.scalar(select(func.count()).select_from(table)) for table in (Authorisation, AuthorisationNumber)
        ]
    assert counts == [1, 1]
    scene.work()
    assert scene.find(str(found[0])).package


def test_agreeing_is_heard_twice_while_it_is_asked_again_and_ended(scene: Scene) -> None:
    """Whatever comes first: the wish to end it is never undone by news that it was granted."""
    number = scene.ask().number
    scene.work()
    facts = scene.find(number)
    scene.town.bank.grants.settle(number, "TAKING_EFFECT")

    def one(place: int) -> object:
        if place < 3:
            with scene.wired.db.transaction() as session:
                return payouts.apply_authorisation(
                    session, said=said(facts, "TAKING_EFFECT"), number=number, sealer=scene.wired.sealer, now=scene.now
                )
        return scene.ask().number if place < 5 else scene.end(number)

    found = at_once(6, one)
    assert not [one for one in found if isinstance(one, Exception)]
    assert set(found[3:5]) == {number}
    after = scene.find(number)
    assert (after.state, after.is_closing, after.is_usable) == (S.GRANTED, True, False)
    scene.work(after_s=5)
    assert scene.find(number).state is S.CLOSED


@pytest.mark.parametrize("turn", range(3))
def test_news_of_the_end_is_not_lost_to_news_of_the_beginning(scene: Scene, turn: int) -> None:
    number = scene.ask().number
    scene.work()
    facts = scene.find(number)

    def hear(place: int) -> None:
        state = "CLOSED" if place == turn else "TAKING_EFFECT"
        with scene.wired.db.transaction() as session:
            payouts.apply_authorisation(
                session, said=said(facts, state), number=number, sealer=scene.wired.sealer, now=scene.now
            )

    assert at_once(3, hear) == [None] * 3
    assert scene.find(number).state is S.CLOSED


def test_asked_for_no_end_of_times_it_is_refused_until_tomorrow(scene: Scene) -> None:
    for _ in range(5):
        scene.end(scene.ask().number)
        scene.work()
    with pytest.raises(AskedTooOften):
        scene.ask()
    scene.now += (scene.find_all()[0].asked_at - scene.now) + timedelta(days=1, seconds=1)
    assert scene.ask().attempt == 6


# Ended while money is under way


def test_ended_between_order_and_repeat_it_is_not_named_again(scene: Scene) -> None:
    number = scene.grant().number
    code_id = scene.claim()
    scene.town.bank.faults.script({"send:reset": 1, "grant_close:500": 1})
    scene.work(after_s=1)  # the order never arrived
    scene.end(number)
    scene.work(after_s=5)  # ending it fails; nothing is sent while it is being ended
    assert scene.money(code_id).state in (P.SENDING, P.UNKNOWN)
    assert orders(scene) == []
    for _ in range(3):
        scene.work(after_s=20)
    assert scene.find(number).state is S.CLOSED
    assert (scene.money(code_id).state, scene.money(code_id).attempt) == (P.AWAITING_USER, 1)
    assert orders(scene) == [("WAIT_USER_CONFIRM", False)]


def test_ended_after_the_order_arrived_it_is_paid_once(scene: Scene) -> None:
    number = scene.grant().number
    code_id = scene.claim()
    scene.town.bank.faults.script({"send:reset_after": 1})
    scene.work(after_s=1)
    scene.end(number)
    for _ in range(3):
        scene.work(after_s=20)
    assert (scene.money(code_id).state, scene.find(number).state) == (P.PAID, S.CLOSED)
    assert orders(scene) == [("SUCCESS", True)]


def test_switched_off_what_waits_is_confirmed_under_the_same_number(scene: Scene) -> None:
    scene.grant()
    code_id = scene.claim()
    scene.town.bank.faults.script({"send:500": 1})
    scene.work(after_s=1)
    offered(scene, "")
    scene.work(after_s=5)
    assert (scene.money(code_id).state, scene.money(code_id).attempt) == (P.AWAITING_USER, 1)
    assert orders(scene) == [("WAIT_USER_CONFIRM", False)]


def test_an_operator_stops_payouts_while_some_are_under_way(scene: Scene) -> None:
    scene.grant()
    first, second = scene.claim(0), scene.claim(1)
    scene.town.bank.faults.script({"send:500": 2})
    scene.work(after_s=1)
    with scene.wired.db.transaction() as session:
        jobs.stop(session, name="payouts", reason="look", now=scene.now)
    third = scene.claim(2)
    for _ in range(3):
        scene.work(after_s=100)
    assert orders(scene) == []
    assert scene.money(third).state is P.CREATED
    with scene.wired.db.transaction() as session:
        jobs.allow(session, name="payouts")
    for _ in range(3):
        scene.work(after_s=200)
    assert {scene.money(one).state for one in (first, second, third)} == {P.PAID}
    assert orders(scene) == [("SUCCESS", True)] * 3


# A provider that says strange things


@pytest.mark.parametrize("fault", ["send:amount", "send:openid"])
def test_paid_by_its_word_with_another_amount_or_person_is_quarantined(scene: Scene, fault: str) -> None:
    scene.grant()
    code_id = scene.claim()
    scene.town.bank.faults.script({fault: 1})
    scene.work(after_s=1)
    assert scene.money(code_id).state is P.QUARANTINED


def test_unclear_without_a_page_to_confirm_on_it_is_looked_at_and_not_ordered_again(scene: Scene) -> None:
    scene.grant()
    code_id = scene.claim()
    scene.town.bank.faults.script({"send:unclear": 1})
    scene.work(after_s=1)
    waiting = scene.money(code_id)
    assert (waiting.state, waiting.package, waiting.is_receivable) == (P.AWAITING_USER, None, False)
    scene.work(after_s=5)
    assert scene.money(code_id).state is P.AWAITING_USER
    assert orders(scene) == [("WAIT_USER_CONFIRM", True)]  # a repeat would have paid it
    scene.town.bank.book.settle(waiting.out_bill_no, "SUCCESS")
    scene.work(after_s=20)
    assert scene.money(code_id).state is P.PAID


def test_granted_without_its_number_is_asked_about_until_it_is_told(scene: Scene) -> None:
    number = scene.ask().number
    scene.work()
    scene.town.bank.grants.settle(number, "TAKING_EFFECT")
    scene.town.bank.faults.script({"grant:no_id": 1, "grant_query:no_id": 1})
    assert scene.notices() == [200]
    assert scene.find(number).state is S.ASKED
    scene.work(after_s=60)
    assert scene.find(number).state is S.ASKED
    scene.work(after_s=60)
    assert scene.find(number).is_usable


def test_one_that_the_provider_does_not_know_for_a_moment_goes_on(scene: Scene) -> None:
    number = scene.grant().number
    code_id = scene.claim()
    scene.town.bank.faults.script({"send:500": 3, "grant_query:404": 2})
    scene.work(after_s=1)
    scene.work(after_s=5)  # neither bill nor authorisation are known: it is doubted, and named once more
    scene.work(after_s=20)  # nor now: that alone does not end it
    assert (scene.find(number).is_doubted, scene.find(number).is_usable) == (True, False)
    other = scene.claim(1)
    scene.work(after_s=1)
    assert scene.money(other).state is P.AWAITING_USER  # a new order does not name what is doubted
    for _ in range(3):
        scene.work(after_s=1300)
    assert scene.money(code_id).state is P.PAID
    assert scene.find(number).is_usable


def test_one_that_stays_unknown_ends_and_its_person_confirms(scene: Scene) -> None:
    number = scene.grant().number
    code_id = scene.claim()
    scene.town.bank.faults.script({"send:500": 1, "grant_query:404": 9})
    scene.work(after_s=1)
    with scene.town.bank.book.open() as book:  # it is gone for good
        book.execute("UPDATE grants SET authorization_id = 'another'")
    for _ in range(4):
        scene.work(after_s=1300)
    assert (scene.find(number).state, scene.find(number).reason) == (S.CLOSED, "not_found")
    assert (scene.money(code_id).state, scene.money(code_id).attempt) == (P.AWAITING_USER, 1)


# A merchant that may not


def test_a_merchant_that_may_not_ask_says_so_and_does_not_ask_forever(scene: Scene) -> None:
    scene.town.bank.faults.script(NOBODY_AUTH)
    number = scene.ask().number
    scene.work()
    scene.work(after_s=5)
    ended = scene.find(number)
    assert (ended.state, ended.reason) == (S.CLOSED, "NO_AUTH")
    assert not scene.is_due(after_s=100_000)


def test_a_merchant_that_may_no_longer_has_everybody_confirm(scene: Scene) -> None:
    number = scene.grant().number
    code_id = scene.claim()
    scene.town.bank.faults.script({**NOBODY_AUTH, "send:no_auth": 1})
    scene.work(after_s=1)
    assert (scene.money(code_id).state, scene.money(code_id).fail_reason) == (P.UNKNOWN, "NO_AUTH")
    scene.work(after_s=5)
    assert (scene.money(code_id).state, scene.money(code_id).attempt) == (P.AWAITING_USER, 1)
    assert orders(scene) == [("WAIT_USER_CONFIRM", False)]
    scene.end(number)
    for _ in range(3):
        scene.work(after_s=4000)
    assert scene.find(number).is_closing
    scene.work(after_s=8 * 86_400)
    ended = scene.find(number)
    assert (ended.state, ended.reason) == (S.CLOSED, "unheard")
    assert scene.order_kept(number) is None


def test_a_failed_payment_is_told_although_its_authorisation_cannot_be_asked_about(scene: Scene) -> None:
    scene.grant()
    code_id = scene.claim()
    scene.town.bank.faults.script({"send:unclear": 1})
    scene.work(after_s=1)
    scene.town.bank.book.settle(scene.money(code_id).out_bill_no, "FAIL", "TRANSFER_RISK")
    scene.town.bank.faults.script(NOBODY_AUTH)
    scene.work(after_s=5)
    assert (scene.money(code_id).state, scene.money(code_id).attempt) == (P.FAILED, 1)
