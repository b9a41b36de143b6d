"""Who may claim from where, and when it is more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from scancode.campaigns.conditions import Boost, Conditions, to_text
from scancode.campaigns.models import Campaign
from scancode.channels.rules import Attribution
from scancode.claims import admission, rules
from scancode.claims import service as claims
from scancode.claims.rules import Claimant
from scancode.codes.rules import Life
from scancode.db import new_id
from scancode.ledger import service as ledger
from scancode.members.models import Member
from scancode.scans import service as scans
from scancode.scans.writer import Sighting, write
from scancode.wiring import Wired
from tests.claims.shop import Shop, open_shop, points, visitor
from tests.factories import NOW, make_channel, make_store


def shop_with(session: Session, wired: Wired, conditions: Conditions, **terms: object) -> Shop:
    terms = {"budget_points": 1_000_000, "conditions": conditions} | terms
    return open_shop(session, wired, prizes=points(7), campaign=terms)


def under(session: Session, shop: Shop, conditions: Conditions) -> Shop:
    """The same with other conditions: stores are made after the brand is."""
    session.execute(update(Campaign).values(conditions=to_text(conditions)))
    assert shop.offer is not None
    return replace(shop, offer=replace(shop.offer, conditions=conditions))


def test_only_codes_of_the_chosen_places_take_part(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired, Conditions(day_max=900))
    channel = make_channel(session, brand_id=shop.brand.id)
    store = make_store(session, channel_id=channel.id, province="浙江省", city="杭州市")
    here = Attribution("shipment", channel.id, store.id)
    alice = Claimant(visitor().visitor_id, shop.openid(session))
    for serial, conditions in enumerate(
        (Conditions(channels=(str(channel.id),)), Conditions(stores=(str(store.id),)), Conditions(regions=("浙江省",)))
    ):
        there = under(session, shop, conditions)
        with pytest.raises(rules.Elsewhere):
            there.claim(session, alice, serial, attribution=Attribution("unknown"))
        assert claims.find_facts(session, code_id=shop.code(serial).code_id) is None
        assert there.claim(session, alice, serial, attribution=here).is_new
        again = there.claim(session, alice, serial, attribution=Attribution("unknown"))
        assert not again.is_new, "what is theirs is shown wherever they are"


def test_members_new_ones_and_earlier_ones(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired, Conditions(members="members"))
    phone_id, member_id = shop.member(session)
    member = Claimant(None, None, phone_id, member_id)
    with pytest.raises(admission.MembersOnly):
        shop.claim(session, Claimant(None, shop.openid(session)), 0)
    with pytest.raises(admission.MembersOnly):
        shop.claim(session, visitor(), 0)
    assert shop.claim(session, member, 0).is_new
    assert shop.offer is not None
    new = under(session, shop, Conditions(members="new"))
    assert new.claim(session, member, 1).is_new
    earlier = under(session, shop, Conditions(members="existing"))
    for nobody in (member, visitor()):  # joining now would not help a guest
        with pytest.raises(admission.ExistingMembersOnly):
            earlier.claim(session, nobody, 2)
    under(session, shop, Conditions(members="new"))
    session.execute(update(Member).values(joined_at=NOW - timedelta(days=9)))
    with pytest.raises(admission.NewMembersOnly):
        shop.claim(session, member, 2)


def test_points_are_given_several_times_over_in_the_chosen_store_only(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired, Conditions(day_max=900))
    channel = make_channel(session, brand_id=shop.brand.id)
    store, other = (make_store(session, channel_id=channel.id) for _ in range(2))
    # NOW is noon in Shanghai.
    boost = Boost(4, (str(store.id),), "2026-11-22T00:00", "2026-11-23T00:00", 12, 13)
    happy = under(session, shop, Conditions(boosts=(boost,)))
    identity_id = shop.openid(session)
    alice = Claimant(None, identity_id)
    assert (
        happy.claim(session, alice, 0, attribution=Attribution("shipment", channel.id, store.id)).view.claim.amount
        == 28
    )
    happy.claim(session, alice, 1, attribution=Attribution("shipment", channel.id, other.id))
    happy.claim(
        session, alice, 2, attribution=Attribution("shipment", channel.id, store.id), now=NOW + timedelta(hours=1)
    )
    assert ledger.balance(session, account_id=identity_id) == 28 + 7 + 7


def test_the_nth_code_of_a_person_adds_points_once(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired, Conditions(nth=3, nth_points=500))
    alice, bob = shop.openid(session), shop.openid(session, "openid-bob")
    for serial in range(5):
        shop.claim(session, Claimant(None, alice), serial)
    shop.claim(session, Claimant(None, bob), 5)
    assert ledger.balance(session, account_id=alice) == 5 * 7 + 500
    assert ledger.balance(session, account_id=bob) == 7


def test_the_nth_code_counts_when_a_browser_becomes_somebody(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired, Conditions(nth=2, nth_points=500))
    browser = visitor()
    for serial in range(2):
        shop.claim(session, browser, serial)
    alice = shop.openid(session)
    assert shop.bind(session, Claimant(browser.visitor_id, alice)) == 3
    assert ledger.balance(session, account_id=alice) == 2 * 7 + 500


def test_only_the_chosen_products_and_batches_take_part(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired, Conditions(day_max=900))
    other = under(session, shop, Conditions(products=(str(new_id(NOW)),), batches=("1",)))
    with pytest.raises(rules.OtherItem):
        other.claim(session, visitor(), 0)
    assert under(session, shop, Conditions(products=(str(shop.batch.product_id),))).claim(session, visitor(), 0).is_new
    assert under(session, shop, Conditions(batches=(str(shop.batch.number),))).claim(session, visitor(), 1).is_new


def scan_in(session: Session, shop: Shop, who: Claimant, region: int | None) -> None:
    assert who.visitor_id is not None
    sighting = Sighting(
        code_id=shop.code().code_id, scan_id=new_id(NOW), scanned_at=NOW, day="2026-11-22", visitor_id=who.visitor_id,
        brand_id=shop.brand.id, product_id=shop.batch.product_id, batch_number=shop.batch.number, life=Life.ACTIVE,
        attribution=Attribution("unknown", region=region), client="wechat", address_digest=None, is_test=False,
    )  # fmt: skip
    write(session, [sighting])


def test_a_scan_takes_part_where_the_phone_is(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired, Conditions(day_max=900))
    zhejiang = under(session, shop, Conditions(regions=("330000",), regions_of="scan"))
    alice, bob = visitor(), visitor()
    with pytest.raises(rules.WhereUnknown):
        zhejiang.claim(session, alice, attribution=Attribution("unknown"))
    with pytest.raises(rules.ScannedElsewhere):
        zhejiang.claim(session, alice, attribution=Attribution("unknown", region=440300))
    scan_in(session, shop, alice, 440300)
    with pytest.raises(rules.ScannedElsewhere):
        zhejiang.claim(session, alice, attribution=Attribution("unknown", region=330100))
    told = {"code_id": shop.code().code_id, "region": 330100, "region_channel_id": None, "now": NOW}
    with pytest.raises(rules.ScannedElsewhere):
        scan_in(session, shop, bob, 330100)
        zhejiang.claim(session, alice, attribution=Attribution("unknown"))
    assert alice.visitor_id is not None
    assert scans.locate(session, visitor_id=alice.visitor_id, **told)
    assert zhejiang.claim(session, alice, attribution=Attribution("unknown", region=440300)).is_new
