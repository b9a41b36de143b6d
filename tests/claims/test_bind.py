"""Reservations that find their owner, and money that waited for an openid."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.claims import rules
from scancode.claims import service as claims
from scancode.claims.rules import Claimant, Standing
from scancode.codes import service as codes
from scancode.codes.rules import Void, VoidReason
from scancode.jobs import service as jobs
from scancode.jobs.models import Job
from scancode.ledger import service as ledger
from scancode.payouts import service as payouts
from scancode.payouts.models import Payout
from scancode.scans import service as scans
from scancode.wiring import Wired
from tests.claims.shop import Shop, mark, open_shop, points, visitor
from tests.factories import NOW


def payouts_to(session: Session) -> list[object]:
    return list(session.scalars(select(Payout.identity_id).order_by(Payout.code_id)))


def test_an_openid_binds_what_the_browser_reserved(session: Session, shop: Shop) -> None:
    bob = visitor()
    for serial in range(3):
        shop.claim(session, bob, serial)
    openid = shop.openid(session)
    assert shop.bind(session, replace(bob, identity_id=openid)) == 3
    assert payouts_to(session) == [openid] * 3
    assert shop.bind(session, replace(bob, identity_id=openid)) == 0


def test_joining_by_phone_binds_points_to_the_member(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired, prizes=points(30))
    bob = visitor()
    shop.claim(session, bob)
    phone, member = shop.member(session)
    assert shop.bind(session, replace(bob, phone_identity_id=phone, member_id=member)) == 1
    assert ledger.balance(session, account_id=member) == 30


def test_money_of_a_member_waits_for_an_openid_then_goes_out(session: Session, shop: Shop) -> None:
    phone, member = shop.member(session)
    bob = Claimant(visitor().visitor_id, None, phone, member)
    shop.claim(session, bob)
    assert payouts_to(session) == [None]
    openid = shop.openid(session)
    assert shop.bind(session, replace(bob, identity_id=openid)) == 1
    assert payouts_to(session) == [openid]
    assert session.scalar(select(func.count()).select_from(Job)) == 1


def test_a_lapsed_reservation_is_not_bound(session: Session, shop: Shop) -> None:
    bob = visitor()
    shop.claim(session, bob)
    known = replace(bob, identity_id=shop.openid(session))
    assert shop.bind(session, known, now=NOW + timedelta(hours=72)) == 0
    assert shop.bind(session, known, now=NOW + timedelta(hours=72) - timedelta(seconds=1)) == 1


def test_reservations_of_other_browsers_and_brands_stay(session: Session, shop: Shop, wired: Wired) -> None:
    bob = visitor()
    other = open_shop(session, wired)
    shop.claim(session, visitor())
    other.claim(session, bob)
    assert shop.bind(session, replace(bob, identity_id=shop.openid(session))) == 0


def test_a_stranger_binds_nothing(session: Session, shop: Shop) -> None:
    bob = visitor()
    shop.claim(session, bob)
    assert shop.bind(session, bob) == 0


def test_nothing_is_bound_while_claims_are_stopped(session: Session, shop: Shop) -> None:
    bob = visitor()
    shop.claim(session, bob)
    jobs.stop(session, name="claims", reason="restored", now=NOW)
    assert shop.bind(session, replace(bob, identity_id=shop.openid(session))) == 0


def test_reassign_brings_a_guests_claims_to_the_member(session: Session, shop: Shop) -> None:
    guest = Claimant(visitor().visitor_id, shop.openid(session))
    shop.claim(session, guest)
    phone, member = shop.member(session)
    assert guest.identity_id is not None
    assert claims.reassign(session, from_id=guest.identity_id, to_id=member) == 1
    mine = claims.of_person(session, claimant=Claimant(None, None, phone, member), now=NOW)
    assert [one.standing for one in mine] == [Standing.CLAIMED]


def test_a_reservation_whose_code_turned_suspect_waits_until_somebody_clears_it(session: Session, shop: Shop) -> None:
    alice = visitor()
    shop.claim(session, alice)
    mark(session, shop, shop.code().code_id)
    known = replace(alice, identity_id=shop.openid(session))
    assert shop.bind(session, known) == 0
    with pytest.raises(rules.CodeSuspect):
        shop.claim(session, known)
    assert shop.claim(session, alice).view.standing == Standing.RESERVED
    assert payouts.find(session, code_id=shop.code().code_id) is None
    settled = {"verb": "clear", "comment": "a display", "actor": "carol", "now": NOW}
    scans.settle_suspicion(session, code_id=shop.code().code_id, **settled)  # type: ignore[arg-type]
    assert shop.bind(session, known) == 1


def test_whoever_asks_for_what_they_reserved_learns_that_its_code_was_voided(session: Session, shop: Shop) -> None:
    alice = visitor()
    shop.claim(session, alice)
    where = {"batch_number": shop.batch.number, "ranges": [(0, 0)], "actor": "carol", "now": NOW}
    codes.change(session, what=Void(VoidReason.STOLEN), **where)  # type: ignore[arg-type]
    known = replace(alice, identity_id=shop.openid(session))
    assert shop.bind(session, known) == 0
    with pytest.raises(rules.CodeVoid):
        shop.claim(session, known)
    with pytest.raises(rules.ClaimedByAnother):
        shop.claim(session, visitor())
    assert shop.claim(session, alice).view.standing == Standing.RESERVED
