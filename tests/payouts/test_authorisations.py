"""Paid without confirming: asked for, granted and ended at the payment server that misbehaves; and what a payment does
when the authorisation that it names is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scancode.errors import NotFound
from scancode.payouts import service as payouts
from scancode.payouts.authorisation import AuthorisationState, number_of
from scancode.payouts.rules import PayoutState
from tests.claims.shop import PREFIX
from tests.payouts.scene import Scene

S, P = AuthorisationState, PayoutState


def test_it_is_asked_for_once_granted_and_ended(scene: Scene) -> None:
    number = scene.ask().number
    assert scene.ask().number == number
    scene.work()
    waiting = scene.find(number)
    assert (waiting.state, bool(waiting.package)) == (S.ASKED, True)
    scene.town.bank.grants.settle(number, "TAKING_EFFECT")
    scene.work(after_s=5)
    assert scene.find(number).is_usable
    scene.end(number)
    assert not scene.find(number).is_usable
    scene.work()
    assert scene.find(number).state is S.CLOSED
    assert scene.ask().number != number


@pytest.mark.parametrize("fault", ["grant:reset", "grant:reset_after", "grant:500_after", "grant:forged"])
def test_an_unknown_outcome_is_asked_about_under_the_same_number(scene: Scene, fault: str) -> None:
    scene.town.bank.faults.script({fault: 1})
    number = scene.ask().number
    scene.work()
    assert scene.find(number).package is None
    scene.work(after_s=5)
    assert scene.find(number).package
    grant = scene.town.bank.grants.find("number", number)
    assert grant is not None
    assert scene.town.bank.grants.find("openid", grant.openid) == grant


def test_a_refused_one_ends(scene: Scene) -> None:
    scene.grant()
    bob_number = number_of(prefix=PREFIX, identity_id=scene.alice.identity_id, attempt=2)  # type: ignore[arg-type]
    with scene.wired.db.transaction() as session:
        facts = payouts.list_authorisations(session, identity_ids=[scene.alice.identity_id])[0]  # type: ignore[list-item]
        for _ in range(2):  # the book takes it for gone, the provider has it
            payouts.apply_authorisation(
                session, said=None, number=facts.number, sealer=scene.wired.sealer, now=scene.now, is_turn=True
            )
    assert scene.ask().number == bob_number
    scene.work()
    scene.work(after_s=5)
    ended = scene.find(bob_number)
    assert (ended.state, ended.reason) == (S.CLOSED, "INVALID_REQUEST")


def test_nobody_agreed_in_time(scene: Scene) -> None:
    number = scene.ask().number
    scene.work()
    scene.town.bank.grants.settle(number, "CLOSED", "USER_OVERDUE_UNCONFIRMED")
    scene.work(after_s=5)
    assert scene.find(number).state is S.EXPIRED


def test_money_comes_in_without_a_tap(scene: Scene) -> None:
    scene.grant()
    code_id = scene.claim()
    scene.work(after_s=1)
    assert scene.money(code_id).state is P.PAID
    assert [row.state for row in scene.town.bank.book.bills()] == ["SUCCESS"]


def test_a_brand_that_does_not_offer_it_has_it_confirmed(scene: Scene) -> None:
    scene.grant()
    scene.wired = replace(scene.wired, settings=scene.wired.settings.model_copy(update={"wechatpay_no_confirm": "x"}))
    code_id = scene.claim()
    scene.work(after_s=1)
    assert scene.money(code_id).state is P.AWAITING_USER


def test_closed_meanwhile_the_same_number_is_confirmed_instead(scene: Scene) -> None:
    granted = scene.grant()
    code_id = scene.claim()
    number = scene.money(code_id).out_bill_no
    scene.town.bank.faults.script({"send:closed": 1})
    scene.work(after_s=1)
    assert scene.money(code_id).state is P.UNKNOWN
    scene.work(after_s=5)
    waiting = scene.money(code_id)
    assert (waiting.state, waiting.out_bill_no, waiting.attempt) == (P.AWAITING_USER, number, 1)
    assert scene.find(granted.number).state is S.CLOSED
    assert [row.out_bill_no for row in scene.town.bank.book.bills()] == [number]


def test_paid_in_silence_is_not_ordered_again(scene: Scene) -> None:
    scene.grant()
    code_id = scene.claim()
    scene.town.bank.faults.script({"send:reset_after": 1})
    scene.work(after_s=1)
    scene.work(after_s=5)
    assert (scene.money(code_id).state, scene.money(code_id).attempt) == (P.PAID, 1)
    assert len(scene.town.bank.book.bills()) == 1


def test_paid_in_silence_and_closed_after_is_still_paid_once(scene: Scene) -> None:
    granted = scene.grant()
    code_id = scene.claim()
    scene.town.bank.faults.script({"send:reset_after": 1, "query:404": 1})
    scene.work(after_s=1)
    scene.town.bank.grants.settle(granted.number, "CLOSED", "USER_CLOSE")
    scene.work(after_s=5)  # not known yet, the authorisation gone: ordered the ordinary way, and refused
    scene.work(after_s=5)
    assert (scene.money(code_id).state, scene.money(code_id).attempt) == (P.PAID, 1)
    assert [row.state for row in scene.town.bank.book.bills()] == ["SUCCESS"]


def test_a_notice_grants_and_ends_it_and_a_late_twin_changes_nothing(scene: Scene) -> None:
    number = scene.ask().number
    scene.work()
    scene.town.bank.grants.settle(number, "TAKING_EFFECT")
    scene.town.bank.faults.script({"notice:forged": 1, "notice:twice": 1, "notice:echo": 1})
    assert scene.notices() == [401, 200, 200]
    assert scene.find(number).state is S.GRANTED
    scene.town.bank.grants.settle(number, "CLOSED", "USER_CLOSE")
    assert scene.notices() == [200, 200]
    assert scene.find(number).state is S.CLOSED


@pytest.mark.parametrize(("fault", "answer"), [("openid", 200), ("stranger", 404), ("stale", 401), ("probe", 401)])
def test_a_false_notice_grants_nothing(scene: Scene, fault: str, answer: int) -> None:
    number = scene.ask().number
    scene.work()
    scene.town.bank.grants.settle(number, "TAKING_EFFECT")
    scene.town.bank.faults.script({f"notice:{fault}": 1})
    states = list[str]()
    client = scene.client()

    def send(url: str, headers: dict[str, str], body: bytes) -> int:
        found = client.post("/pay/wechat/notify", data=body, headers=headers).status_code
        states.append(f"{found} {scene.find(number).state}")
        return found

    scene.town.bank.postman._send = send
    scene.town.bank.postman.deliver_due()
    assert states == [f"{answer} asked", "200 granted"]


def test_somebody_elses_is_not_ended(scene: Scene) -> None:
    number = scene.grant().number
    with pytest.raises(NotFound), scene.wired.db.transaction() as session:
        stranger = scene.shop.openid(session, "openid-mallory")
        payouts.end_authorisation(session, number=number, identity_ids=[stranger], now=scene.now)
    assert scene.find(number).is_usable


def test_who_is_forgotten_before_the_first_call_is_not_asked(scene: Scene) -> None:
    number = scene.ask().number
    with scene.wired.db.transaction() as session:
        assert payouts.end_all_authorisations(session, identity_ids=[scene.alice.identity_id], now=scene.now) == 1  # type: ignore[list-item]
    scene.work()
    assert (scene.find(number).state, scene.town.bank.grants.find("number", number)) == (S.CLOSED, None)
