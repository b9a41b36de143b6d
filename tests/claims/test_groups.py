"""Campaigns for members with a tag, or without one: who is let in, and what the others are told."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Conditions, Person, problems
from scancode.claims import admission
from scancode.claims import service as claims
from scancode.claims.rules import Claimant
from scancode.errors import Refusal
from scancode.i18n import translations
from scancode.members import service as members
from scancode.members.tags import TagDraft, TagSource
from scancode.members.tiers import TierInUse
from scancode.stories import tagging
from scancode.wiring import Wired
from tests.claims.shop import Shop, visitor
from tests.claims.test_conditions import shop_with, under
from tests.factories import NOW, make_campaign
from tests.members.test_tiers import give, set_ladder


def make_tag(session: Session, shop: Shop, name: str, zh: str = "", en: str = "") -> UUID:
    return members.create_tag(session, brand_id=shop.brand.id, draft=TagDraft(name, zh, en), actor="test", now=NOW)


def put(session: Session, tag_id: UUID, member_id: UUID) -> None:
    members.mark(session, tag_id=tag_id, member_ids=[member_id], source=TagSource.STAFF, now=NOW)


def refused(session: Session, shop: Shop, who: Claimant, serial: int = 0) -> Refusal:
    with pytest.raises(Refusal) as caught:
        shop.claim(session, who, serial)
    assert claims.find_facts(session, code_id=shop.code(serial).code_id) is None
    return caught.value


@pytest.mark.parametrize(
    ("any_of", "none_of", "carried", "admitted"),
    [
        ("", "", "", True),
        ("a", "", "", False),
        ("ab", "", "b", True),
        ("a", "", "b", False),
        ("", "a", "", True),
        ("", "a", "a", False),
        ("a", "b", "a", True),
        ("a", "b", "ab", False),
    ],
)
def test_one_of_these_and_none_of_those(any_of: str, none_of: str, carried: str, admitted: bool) -> None:
    conditions = Conditions(tags_any=tuple(any_of), tags_none=tuple(none_of))
    assert conditions.admits(Person(frozenset(carried))) is admitted
    assert conditions.names_people is bool(any_of or none_of)


def test_a_tag_is_not_asked_for_and_ruled_out() -> None:
    assert [field for field, _ in problems(Conditions(tags_any=("a",), tags_none=("a",)))] == ["tags_none"]
    assert [field for field, _ in problems(Conditions(tags_any=tuple(map(str, range(51)))))] == ["tags_any"]


def test_only_who_carries_the_tag_claims_and_no_name_of_staff_gets_out(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired, Conditions(day_max=900))
    tag_id = make_tag(session, shop, "big spenders")
    shop = under(session, shop, Conditions(tags_any=(str(tag_id),)))
    phone_id, member_id = shop.member(session)
    alice = Claimant(None, None, phone_id, member_id)
    for who in (visitor(), Claimant(None, shop.openid(session)), alice):
        refusal = refused(session, shop, who)
        assert refusal.code == "claim_invited"
        assert "spenders" not in str(refusal.facts) + refusal.sentence()
    put(session, tag_id, member_id)
    assert shop.claim(session, alice, 0).is_new
    members.unmark(session, tag_id=tag_id, member_ids=[member_id])
    assert not shop.claim(session, alice, 0).is_new, "what is theirs stays theirs"
    assert refused(session, shop, alice, 1).code == "claim_invited"


def test_a_public_name_is_told_in_both_languages(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired, Conditions(day_max=900))
    tea, water = (
        make_tag(session, shop, "T", "茶友", "Tea friends"),
        make_tag(session, shop, "W", "水友", "Water friends"),
    )
    shop = under(session, shop, Conditions(tags_any=(str(tea), str(water))))
    refusal = refused(session, shop, visitor())
    assert refusal.code == "claim_group"
    assert "Tea friends, Water friends" in refusal.sentence()
    assert "茶友、水友" in refusal.sentence(translations("zh").gettext)


def test_who_carries_an_unwanted_tag_is_left_out_and_nobody_slips_by_as_a_guest(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired, Conditions(day_max=900))
    named, unnamed = make_tag(session, shop, "S", "员工", "Employees"), make_tag(session, shop, "cheats")
    shop = under(session, shop, Conditions(tags_none=(str(named), str(unnamed))))
    phone_id, member_id = shop.member(session)
    alice = Claimant(None, None, phone_id, member_id)
    with pytest.raises(admission.MembersOnly):
        shop.claim(session, visitor(), 0)
    assert shop.claim(session, alice, 0).is_new
    put(session, named, member_id)
    refusal = refused(session, shop, alice, 1)
    assert refusal.code == "claim_group_left_out"
    assert "Employees" in refusal.sentence()
    put(session, unnamed, member_id)
    refusal = refused(session, shop, alice, 1)
    assert refusal.code == "claim_left_out"
    assert "cheats" not in refusal.sentence()


def test_a_campaign_that_has_not_ended_is_named_by_its_tag(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired, Conditions(day_max=900))
    tag_id = make_tag(session, shop, "T")
    draft = make_campaign(session, brand_id=shop.brand.id)
    campaigns.set_conditions(
        session, campaign_id=draft.id, conditions=Conditions(tags_none=(str(tag_id),)), actor="test", now=NOW
    )
    found = campaigns.naming(session, brand_id=shop.brand.id, mark_id=tag_id, now=NOW)
    assert [one.id for one in found] == [draft.id]
    assert campaigns.naming(session, brand_id=UUID(int=1), mark_id=tag_id, now=NOW) == []
    codes = {
        fault.code for fault in campaigns.find_faults(session, campaign_id=draft.id, claimed=lambda *_: 0, now=NOW)
    }
    assert "marks_gone" not in codes
    members.delete_tag(session, tag_id=tag_id, actor="test", now=NOW)
    codes = {
        fault.code for fault in campaigns.find_faults(session, campaign_id=draft.id, claimed=lambda *_: 0, now=NOW)
    }
    assert "marks_gone" in codes


def test_a_campaign_is_for_a_tier_and_above_or_for_single_ones(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired, Conditions(day_max=900))
    silver, gold = set_ladder(session, shop.brand.id).tiers
    at_least = under(session, shop, Conditions(tier_min=str(silver.id)))
    phone_id, member_id = shop.member(session)
    alice = Claimant(None, None, phone_id, member_id)
    for who in (visitor(), Claimant(None, shop.openid(session)), alice):
        refusal = refused(session, at_least, who)
        assert refusal.code == "claim_tier"
        assert "Silver and above" in refusal.sentence()
        assert "银卡及以上" in refusal.sentence(translations("zh").gettext)
    give(session, shop.brand.id, member_id, 100, NOW)
    assert at_least.claim(session, alice, 0).is_new, "points count at once, before any job has run"
    only_gold = under(session, shop, Conditions(tiers=(str(gold.id),)))
    assert refused(session, only_gold, alice, 1).facts["en"] == "Gold"
    give(session, shop.brand.id, member_id, 400, NOW)
    assert only_gold.claim(session, alice, 1).is_new
    only_silver = under(session, shop, Conditions(tiers=(str(silver.id),)))
    assert refused(session, only_silver, alice, 2).code == "claim_tier"
    later = NOW + timedelta(days=400)
    found = members.standing(session, member_id=member_id, brand_id=shop.brand.id, now=later)
    assert found.tier is None


def test_a_tier_that_is_gone_keeps_a_draft_from_being_published(session: Session, wired: Wired) -> None:
    shop = shop_with(session, wired, Conditions(day_max=900))
    silver, _ = set_ladder(session, shop.brand.id).tiers
    draft = make_campaign(session, brand_id=shop.brand.id)
    conditions = Conditions(tier_min=str(silver.id))
    campaigns.set_conditions(session, campaign_id=draft.id, conditions=conditions, actor="test", now=NOW)
    with pytest.raises(TierInUse) as refusal:
        tagging.change_ladder(session, brand_id=shop.brand.id, months=12, tiers=[], locale="en", actor="test", now=NOW)
    assert refusal.value.facts == {"tier": "Silver", "names": "Open and win"}
    members.set_ladder(session, brand_id=shop.brand.id, months=12, tiers=[], actor="test", now=NOW)
    faults = campaigns.find_faults(session, campaign_id=draft.id, claimed=lambda *_: 0, now=NOW)
    assert "marks_gone" in {fault.code for fault in faults}


def test_the_lowest_tier_and_single_ones_exclude_each_other() -> None:
    assert [field for field, _ in problems(Conditions(tier_min="a", tiers=("b",)))] == ["tier_min"]
