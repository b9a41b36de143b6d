"""What a person sees of claims: their own with its money, of others nothing but the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import event
from sqlalchemy.orm import Session

from scancode.claims import service as claims
from scancode.claims.rules import Claimant, Standing
from scancode.wiring import Wired
from tests.claims.shop import Shop, open_shop, visitor
from tests.factories import NOW


def test_a_free_code_has_none(session: Session, shop: Shop) -> None:
    assert claims.find_claim(session, code_id=shop.code().code_id, claimant=visitor(), now=NOW) is None


def test_the_owner_sees_the_money(session: Session, shop: Shop) -> None:
    alice = Claimant(visitor().visitor_id, shop.openid(session))
    shop.claim(session, alice)
    view = claims.find_claim(session, code_id=shop.code().code_id, claimant=alice, now=NOW)
    assert view is not None
    assert view.is_mine
    assert view.payout is not None


def test_the_browser_that_claimed_still_sees_it_after_signing_out(session: Session, shop: Shop) -> None:
    alice = Claimant(visitor().visitor_id, shop.openid(session))
    shop.claim(session, alice)
    seen = claims.find_claim(session, code_id=shop.code().code_id, claimant=Claimant(alice.visitor_id), now=NOW)
    assert seen is not None
    assert seen.is_mine


def test_the_next_person_on_the_same_browser_does_not(session: Session, shop: Shop) -> None:
    alice = Claimant(visitor().visitor_id, shop.openid(session))
    shop.claim(session, alice)
    bob = Claimant(alice.visitor_id, shop.openid(session, "openid-bob"))
    seen = claims.find_claim(session, code_id=shop.code().code_id, claimant=bob, now=NOW)
    assert seen is not None
    assert not seen.is_mine
    assert seen.payout is None
    assert claims.of_person(session, claimant=bob, now=NOW) == []


def test_a_lapsed_reservation_is_seen_by_its_visitor_only(session: Session, shop: Shop) -> None:
    bob = visitor()
    shop.claim(session, bob)
    later = NOW + timedelta(hours=73)
    mine = claims.find_claim(session, code_id=shop.code().code_id, claimant=bob, now=later)
    assert mine is not None
    assert mine.standing == Standing.LAPSED
    assert claims.find_claim(session, code_id=shop.code().code_id, claimant=visitor(), now=later) is None


def test_a_persons_list_holds_all_that_is_theirs_newest_first(session: Session, shop: Shop) -> None:
    bob = visitor()
    shop.claim(session, bob, 1)
    known = replace(bob, identity_id=shop.openid(session))
    shop.claim(session, known, 2, now=NOW + timedelta(minutes=1))
    serials = [shop.code(2).code_id, shop.code(1).code_id]
    assert [view.claim.code_id for view in claims.of_person(session, claimant=known, now=NOW)] == serials


def test_a_range_counts_what_is_taken_but_not_what_lapsed(session: Session, shop: Shop) -> None:
    for serial in (0, 4, 5):
        shop.claim(session, visitor(), serial)
    place = {"batch_number": shop.batch.number, "first": 0, "last": 4}
    assert claims.count_claimed(session, **place, now=NOW) == 2
    assert claims.count_claimed(session, **place, now=NOW + timedelta(hours=72)) == 0


def test_many_rewards_are_read_with_their_money_by_two_statements(session: Session, shop: Shop) -> None:
    alice = Claimant(visitor().visitor_id, shop.openid(session))
    for serial in range(9):
        shop.claim(session, alice, serial)
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    engine = session.get_bind().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        found = claims.of_person(session, claimant=alice, now=NOW)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert [one.payout is not None for one in found] == [True] * 9
    assert len(asked) == 2


def test_a_brands_list_is_not_cut_by_what_other_brands_gave(session: Session, wired: Wired, shop: Shop) -> None:
    bob = visitor()
    shop.claim(session, bob)
    other = open_shop(session, wired, number=7_654_321)
    for serial in range(3):
        other.claim(session, bob, serial, now=NOW + timedelta(minutes=1))
    (mine,) = claims.of_person(session, claimant=bob, brand_id=shop.brand.id, now=NOW, limit=2)
    assert mine.claim.code_id == shop.code().code_id
