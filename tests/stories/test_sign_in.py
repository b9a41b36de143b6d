"""Coming back from the platform's login: an openid binds what the browser held, and finds its member."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scancode.claims import service as claims
from scancode.claims.rules import Claimant, ClaimState
from scancode.db import new_id
from scancode.jobs import service as jobs
from scancode.ledger import service as ledger
from scancode.members import service as members
from scancode.payouts import service as payouts
from scancode.ports import Login
from scancode.stories import sign_in as signing
from tests.stories.scene import NOW, Scene


def test_an_openid_alone_makes_no_member(scene: Scene) -> None:
    signed = scene.sign_in(new_id(NOW), "o-alice")
    assert (signed.member_id, signed.phone_identity_id) == (None, None)
    assert signed.identity_id == scene.openid("o-alice")


def test_money_that_the_browser_held_is_bound_to_the_openid_and_sent(money: Scene) -> None:
    browser = new_id(NOW)
    money.claim(Claimant(browser), 1)
    assert payouts.find(money.session, code_id=money.code_id(1)) is None
    signed = money.sign_in(browser, "o-alice")
    assert signed.prizes_bound == 1
    payout = payouts.find(money.session, code_id=money.code_id(1))
    assert payout is not None
    assert payout.identity_id == signed.identity_id
    assert jobs.find(money.session, key=f"payout:{money.code_id(1)}:1") is not None


def test_signing_in_twice_binds_once(money: Scene) -> None:
    browser = new_id(NOW)
    money.claim(Claimant(browser), 1)
    assert money.sign_in(browser, "o-alice").prizes_bound == 1
    assert money.sign_in(browser, "o-alice", at=NOW + timedelta(minutes=1)).prizes_bound == 0


def test_a_free_openid_becomes_the_signed_in_members_and_gets_the_waiting_money(money: Scene) -> None:
    browser = new_id(NOW)
    money.claim(Claimant(browser), 1)
    joined = money.join(browser)
    signed = money.sign_in(browser, "o-alice", member_id=joined.member_id)
    assert (signed.member_id, signed.phone_identity_id) == (joined.member_id, joined.phone_identity_id)
    payout = payouts.find(money.session, code_id=money.code_id(1))
    assert payout is not None
    assert payout.identity_id == signed.identity_id


def test_an_openid_brings_its_member_to_a_new_browser(scene: Scene) -> None:
    joined = scene.join(new_id(NOW), identity_id=scene.openid("o-alice"))
    browser = new_id(NOW)
    scene.claim(Claimant(browser), 1)
    signed = scene.sign_in(browser, "o-alice")
    assert signed.member_id == joined.member_id
    assert ledger.balance(scene.session, account_id=joined.member_id) == 50
    assert members.is_linked(scene.session, member_id=joined.member_id, visitor_id=browser)


def test_an_openid_of_another_member_signs_that_member_in(scene: Scene) -> None:
    alice = scene.join(new_id(NOW), identity_id=scene.openid("o-alice"))
    bob = scene.join(new_id(NOW), phone="+8613900000001")
    signed = scene.sign_in(new_id(NOW), "o-alice", member_id=bob.member_id)
    assert signed.member_id == alice.member_id
    assert signed.phone_identity_id == alice.phone_identity_id


def test_points_that_came_to_the_openid_between_times_are_gathered(scene: Scene) -> None:
    openid = scene.openid("o-alice")
    browser = new_id(NOW)
    joined = scene.join(browser, identity_id=openid)
    ledger.post(
        scene.session,
        account_id=openid,
        counter_account_id=ledger.issuer_id(scene.brand.id),
        brand_id=scene.brand.id,
        cause="claim:late",
        points=7,
        now=NOW,
    )
    scene.sign_in(browser, "o-alice", at=NOW + timedelta(minutes=1))
    assert ledger.balance(scene.session, account_id=joined.member_id) == 7


def test_what_others_hold_is_left_alone(scene: Scene) -> None:
    mallory, bob = new_id(NOW), new_id(NOW)
    scene.claim(Claimant(bob), 1)
    assert scene.sign_in(mallory, "o-mallory").prizes_bound == 0
    view = claims.find_claim(scene.session, code_id=scene.code_id(1), claimant=Claimant(bob), now=NOW)
    assert view is not None
    assert view.claim.state == ClaimState.RESERVED


def test_a_snapshot_account_is_nobody(scene: Scene) -> None:
    with pytest.raises(ValueError, match="snapshot"):
        signing.sign_in(
            scene.session,
            brand_id=scene.brand.id,
            login=Login("o-virtual", is_snapshot=True),
            visitor_id=new_id(NOW),
            member_id=None,
            sealer=scene.wired.sealer,
            prefix="SC",
            now=NOW,
        )
