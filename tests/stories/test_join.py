"""Joining: what a person gathered as a stranger follows them, and it is known where they came from."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from scancode.channels.models import Acquisition
from scancode.channels.rules import UNKNOWN, Seen
from scancode.claims.rules import Claimant, ClaimState
from scancode.db import new_id
from scancode.ledger import service as ledger
from scancode.members import service as members
from scancode.members.models import Member
from scancode.members.rules import ConsentMissing
from scancode.members.tags import TagDraft
from scancode.payouts import service as payouts
from scancode.stories.own_data import scans_of
from tests.stories.scene import NOW, Scene


def came_from(scene: Scene) -> Acquisition:
    return scene.session.scalars(select(Acquisition)).one()


def test_it_makes_a_member_with_the_consents_that_were_given(scene: Scene) -> None:
    joined = scene.join(new_id(NOW), marketing=True)
    assert joined.is_new
    kept = members.consents_of(scene.session, member_id=joined.member_id)
    assert {(one.purpose, one.version, one.language, one.granted_at) for one in kept} == {
        ("membership", "2026-11", "zh", NOW),
        ("marketing", "2026-11/2", "zh", NOW),
    }


def test_marketing_is_not_agreed_to_unless_it_was_ticked(scene: Scene) -> None:
    joined = scene.join(new_id(NOW))
    assert not members.has_consent(scene.session, member_id=joined.member_id, purpose="marketing")


def test_it_refuses_without_consent_and_stores_nothing(scene: Scene) -> None:
    with pytest.raises(ConsentMissing):
        scene.join(new_id(NOW), terms=False)
    assert scene.session.scalar(select(func.count()).select_from(Member)) == 0


def test_earlier_scans_of_the_browser_are_the_members(scene: Scene) -> None:
    browser, stranger = new_id(NOW), new_id(NOW)
    scene.scan(browser, 1)
    scene.scan(browser, 2)
    scene.scan(stranger, 3)
    joined = scene.join(browser)
    seen = scans_of(scene.session, brand_id=scene.brand.id, member_id=joined.member_id, visitor_id=None, limit=10)
    assert {scan.code_id for scan in seen} == {scene.code_id(1), scene.code_id(2)}


def test_a_prize_that_the_browser_held_back_is_the_members(scene: Scene) -> None:
    browser = new_id(NOW)
    held = scene.claim(Claimant(browser), 1)
    assert held.view.claim.state == ClaimState.RESERVED
    joined = scene.join(browser)
    assert (joined.prizes_bound, joined.claimed_anything) == (1, True)
    assert ledger.balance(scene.session, account_id=joined.member_id) == 50


def test_a_lapsed_reservation_is_gone(scene: Scene) -> None:
    browser = new_id(NOW)
    scene.claim(Claimant(browser), 1)
    joined = scene.join(browser, at=NOW + timedelta(hours=72))
    assert joined.prizes_bound == 0
    assert ledger.balance(scene.session, account_id=joined.member_id) == 0


def test_points_of_the_openid_move_to_the_member(scene: Scene) -> None:
    browser, openid = new_id(NOW), scene.openid("o-alice")
    scene.claim(Claimant(browser, openid), 1)
    assert ledger.balance(scene.session, account_id=openid) == 50
    joined = scene.join(browser, identity_id=openid)
    assert joined.points_moved == 50
    assert joined.identity_id == openid
    assert ledger.balance(scene.session, account_id=openid) == 0
    assert ledger.balance(scene.session, account_id=joined.member_id) == 50
    assert ledger.find_unbalanced(scene.session) == []


def test_joining_again_signs_in_and_counts_nothing_twice(scene: Scene) -> None:
    browser, openid = new_id(NOW), scene.openid("o-alice")
    scene.scan(browser, 1)
    scene.claim(Claimant(browser, openid), 1)
    first = scene.join(browser, identity_id=openid)
    other_browser = new_id(NOW)
    scene.claim(Claimant(other_browser), 2, at=NOW + timedelta(days=1))
    again = scene.join(other_browser, at=NOW + timedelta(days=1))
    assert (again.member_id, again.is_new, again.points_moved, again.prizes_bound) == (first.member_id, False, 0, 1)
    assert ledger.balance(scene.session, account_id=first.member_id) == 100
    assert scene.session.scalar(select(func.count()).select_from(Acquisition)) == 1
    assert len(members.consents_of(scene.session, member_id=first.member_id)) == 1


def test_an_openid_of_another_member_stays_with_them(scene: Scene) -> None:
    openid = scene.openid("o-alice")
    alice = scene.join(new_id(NOW), identity_id=openid)
    browser = new_id(NOW)
    bob = scene.join(browser, phone="+8613900000001", identity_id=openid)
    assert bob.member_id != alice.member_id
    assert bob.identity_id is None
    assert members.of_identity(scene.session, identity_id=openid) == alice.member_id


def test_a_red_packet_waits_for_the_openid_of_the_member(money: Scene) -> None:
    browser = new_id(NOW)
    money.claim(Claimant(browser), 1)
    money.join(browser)
    payout = payouts.find(money.session, code_id=money.code_id(1))
    assert payout is not None
    assert payout.identity_id is None


def test_it_came_from_where_the_last_scan_came_from(scene: Scene) -> None:
    browser = new_id(NOW)
    scene.scan(browser, 1, at=NOW - timedelta(days=2), by=UNKNOWN)
    scene.scan(browser, 2, at=NOW - timedelta(days=1))
    scene.join(browser)
    row = came_from(scene)
    assert (row.source, row.channel_id, row.store_id) == ("shipment", scene.channel_id, scene.store_id)
    assert (row.product_id, row.batch_number, row.code_id) == (
        scene.product_id,
        scene.batch_number,
        scene.code_id(2),
    )
    assert row.day == scene.brand.day(NOW)


def test_a_touch_after_the_last_scan_brings_the_member(scene: Scene) -> None:
    browser, point = new_id(NOW), scene.touchpoint()
    scene.scan(browser, 1, at=NOW - timedelta(days=2))
    scene.join(browser, touches=[Seen(point, NOW - timedelta(days=1))])
    row = came_from(scene)
    assert (row.source, row.touchpoint_id, row.store_id) == ("touch", point.id, None)
    assert row.code_id == scene.code_id(1)


def test_a_touch_before_the_last_scan_does_not(scene: Scene) -> None:
    browser = new_id(NOW)
    scene.scan(browser, 1, at=NOW - timedelta(days=1))
    scene.join(browser, touches=[Seen(scene.touchpoint(), NOW - timedelta(days=2))])
    assert came_from(scene).source == "shipment"


def test_a_touch_explains_what_the_scan_does_not(scene: Scene) -> None:
    browser = new_id(NOW)
    scene.scan(browser, 1, by=UNKNOWN)
    scene.join(browser, touches=[Seen(scene.touchpoint(), NOW - timedelta(days=2))])
    assert came_from(scene).source == "touch"


def test_an_old_touch_explains_nothing_and_the_row_is_written_all_the_same(scene: Scene) -> None:
    scene.join(new_id(NOW), touches=[Seen(scene.touchpoint(), NOW - timedelta(days=8))])
    row = came_from(scene)
    assert (row.source, row.channel_id, row.product_id, row.code_id) == ("unknown", None, None, None)


def test_a_scan_of_a_test_batch_brings_nobody(scene: Scene) -> None:
    browser = new_id(NOW)
    scene.scan(browser, 1, is_test=True)
    scene.join(browser)
    assert came_from(scene).source == "unknown"


def test_a_placed_code_gives_its_tag_to_whoever_joins_through_it(scene: Scene) -> None:
    point, other = scene.touchpoint(), scene.touchpoint(scene="parcel")
    draft = TagDraft("Shelf")
    tag_id = members.create_tag(scene.session, brand_id=scene.brand.id, draft=draft, actor="test", now=NOW)
    members.set_scenes(scene.session, tag_id=tag_id, touchpoint_ids=[point.id], actor="test", now=NOW)
    phones = ("+8613800000001", "+8613800000002", "+8613800000003")
    touched = ([Seen(point, NOW)], [Seen(other, NOW)], [])
    joined = [
        scene.join(new_id(NOW), phone=phone, touches=touches).member_id
        for phone, touches in zip(phones, touched, strict=True)
    ]
    marks = members.marks_of(scene.session, member_ids=joined)
    assert {one: [(mark.name, str(mark.source)) for mark in marks[one]] for one in joined} == {
        joined[0]: [("Shelf", "scan")],
        joined[1]: [],
        joined[2]: [],
    }
    again = scene.join(new_id(NOW), phone=phones[1], touches=[Seen(point, NOW)])
    assert not again.is_new
    assert members.marks_of(scene.session, member_ids=[joined[1]]) == {joined[1]: []}
    members.delete_tag(scene.session, tag_id=tag_id, actor="test", now=NOW)
    assert members.tags_of_scene(scene.session, brand_id=scene.brand.id, touchpoint_id=point.id) == []
