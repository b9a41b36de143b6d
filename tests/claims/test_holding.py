"""Rewards that staff look at first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.campaigns.conditions import Conditions
from scancode.claims import rules
from scancode.claims import service as claims
from scancode.claims.rules import Claimant, Standing
from scancode.codes import service as codes
from scancode.codes.rules import Deactivate, Recall, Void, VoidReason
from scancode.db import new_id
from scancode.ledger import service as ledger
from scancode.payouts.models import Payout
from scancode.wiring import Wired
from tests.claims.shop import PREFIX, RED_PACKETS, Shop, mark, open_shop, points, visitor
from tests.factories import NOW

ERIN = new_id(NOW)
CLOSED = [Void(VoidReason.STOLEN), Recall("请退回", "Bring it back"), Deactivate(), None]


def watched(session: Session, wired: Wired, prizes: object = RED_PACKETS) -> Shop:
    return open_shop(session, wired, prizes=prizes, campaign={"conditions": Conditions(hold_day=2)})  # type: ignore[arg-type]


def release(session: Session, code_id: int) -> None:
    claims.release_held(session, code_id=code_id, staff_id=ERIN, actor="erin", prefix=PREFIX, now=NOW)


def refuse(session: Session, code_id: int, reason: str = "not a consumer") -> None:
    claims.refuse_held(session, code_id=code_id, reason=reason, staff_id=ERIN, actor="erin", now=NOW)


def payouts_made(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Payout)) or 0


def test_the_second_code_of_a_day_waits_and_is_paid_when_released_once(session: Session, wired: Wired) -> None:
    shop = watched(session, wired)
    alice = Claimant(None, shop.openid(session))
    shop.claim(session, alice, 0)
    held = shop.claim(session, alice, 1).view
    assert (held.standing, held.payout, payouts_made(session)) == (Standing.HELD, None, 1)
    assert [row.claim.code_id for row in claims.list_held(session, brand_id=shop.brand.id)] == [shop.code(1).code_id]
    assert claims.count_held(session, brand_id=new_id(NOW)) == 0
    release(session, shop.code(1).code_id)
    again = shop.claim(session, alice, 1).view
    assert (again.standing, payouts_made(session)) == (Standing.CLAIMED, 2)
    assert again.payout is not None
    assert again.payout.identity_id == alice.identity_id
    for decide in (release, refuse):
        with pytest.raises(rules.NotHeld):
            decide(session, shop.code(1).code_id)


def test_what_is_refused_never_pays_and_says_why(session: Session, wired: Wired) -> None:
    shop = watched(session, wired)
    alice = Claimant(None, shop.openid(session))
    shop.claim(session, alice, 0)
    shop.claim(session, alice, 1)
    code_id = shop.code(1).code_id
    for reason in ("", "x" * 201):
        with pytest.raises(rules.HeldReasonMissing):
            refuse(session, code_id, reason)
    refuse(session, code_id)
    assert shop.claim(session, alice, 1).view.standing == Standing.REFUSED
    held = claims.find_held(session, code_id=code_id)
    assert held is not None
    assert (held.reason, held.decided_by, held.is_open) == ("not a consumer", ERIN, False)
    with pytest.raises(rules.ClaimedByAnother):
        shop.claim(session, Claimant(None, shop.openid(session, "openid-bob")), 1)
    assert (payouts_made(session), claims.count_held(session, brand_id=None)) == (1, 0)


def test_what_a_browser_reserved_is_held_when_it_is_bound(session: Session, wired: Wired) -> None:
    shop = watched(session, wired, points(7))
    browser = visitor()
    for serial in range(3):
        assert shop.claim(session, browser, serial).view.standing == Standing.RESERVED
    alice = shop.openid(session)
    assert shop.bind(session, Claimant(browser.visitor_id, alice)) == 1
    assert ledger.balance(session, account_id=alice) == 7
    assert claims.count_held(session, brand_id=shop.brand.id) == 2
    release(session, shop.code(2).code_id)
    assert ledger.balance(session, account_id=alice) == 14


def test_points_of_a_guest_who_joined_meanwhile_go_to_the_member(session: Session, wired: Wired) -> None:
    shop = watched(session, wired, points(7))
    guest, (_, member_id) = shop.openid(session), shop.member(session)
    for serial in range(2):
        shop.claim(session, Claimant(None, guest), serial)
    claims.reassign(session, from_id=guest, to_id=member_id)
    release(session, shop.code(1).code_id)
    assert ledger.balance(session, account_id=member_id) == 7


@pytest.mark.parametrize("what", CLOSED, ids=["void", "recalled", "inactive", "suspect"])
def test_a_code_that_holds_no_reward_any_more_is_not_released(session: Session, wired: Wired, what: object) -> None:
    shop = watched(session, wired)
    alice = Claimant(None, shop.openid(session))
    for serial in (0, 1):
        shop.claim(session, alice, serial)
    code_id = shop.code(1).code_id
    if what is None:
        mark(session, shop, code_id)
    else:
        where = {"batch_number": shop.batch.number, "ranges": [(1, 1)], "actor": "carol", "now": NOW}
        codes.change(session, what=what, **where)  # type: ignore[arg-type]
    due = {"prefix": PREFIX, "now": NOW + timedelta(days=40)}
    for decide in (
        lambda: release(session, code_id),
        lambda: claims.release_due(session, code_id=code_id, **due),  # type: ignore[arg-type]
    ):
        with pytest.raises(rules.HeldCodeClosed), session.begin_nested():
            decide()
    assert shop.claim(session, alice, 1).view.standing == Standing.HELD
    assert payouts_made(session) == 1
    refuse(session, code_id)
    assert shop.claim(session, alice, 1).view.standing == Standing.REFUSED
