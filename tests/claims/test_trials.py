"""Testers try a campaign on real codes before it begins: shown, never given, and nothing of it counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Conditions
from scancode.campaigns.models import Campaign, CampaignTester
from scancode.campaigns.planning import PrizeLine, RangeLine
from scancode.campaigns.rules import draw
from scancode.claims import admission, rules
from scancode.claims import service as claims
from scancode.claims.models import Claim, TrialClaim
from scancode.claims.rules import Claimant
from scancode.db import Database
from scancode.payouts.models import Payout
from scancode.staff.models import AuditRow
from scancode.wiring import Wired
from tests.claims.shop import Shop, open_shop
from tests.factories import NOW, add_staff, make_brand, make_campaign, publish_campaign
from tests.threads import at_once

PRIZES = [PrizeLine("red_packet", 188, 100, "红包", "Red packet"), PrizeLine("points", 7, 400, "积分", "Points")]


def draft(session: Session, shop: Shop, **terms: object) -> Campaign:
    """A second campaign over the codes of one that runs: a draft that begins in two days."""
    window = {"starts_at": NOW + timedelta(days=2), "ends_at": NOW + timedelta(days=60)}
    campaign = make_campaign(session, brand_id=shop.brand.id, **(window | terms))
    campaigns.add_tranche(
        session,
        campaign_id=campaign.id,
        ranges=[RangeLine(shop.batch.number, 0, 999)],
        prizes=PRIZES,
        actor="dave",
        now=NOW,
    )
    return campaign


def admit(session: Session, campaign_id: UUID, person_id: UUID, **over: object) -> bool:
    staff_id = add_staff(session).id
    asked = {"campaign_id": campaign_id, "person_id": person_id, "staff_id": staff_id, "actor": "dave", "now": NOW}
    return campaigns.add_tester(session, **(asked | over))  # type: ignore[arg-type]


def load(session: Session, shop: Shop):  # type: ignore[no-untyped-def]
    return campaigns.load_trials(session, batch_number=shop.batch.number, sealer=shop.wired.draw_sealer)


def try_out(session: Session, shop: Shop, claimant: Claimant, serial: int = 0, **over: object) -> claims.TrialView:
    values = {
        "trials": load(session, shop), "code": shop.code(serial), "batch": shop.batch, "brand": shop.brand,
        "claimant": claimant, "attribution": None, "now": NOW,
    }  # fmt: skip
    return claims.try_out(session, **(values | over))  # type: ignore[arg-type]


def count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_tester_sees_what_a_draft_would_give_and_nothing_is_given(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired)
    campaign, alice = draft(session, shop), shop.openid(session)
    assert load(session, shop) == ()
    assert admit(session, campaign.id, alice)
    assert not admit(session, campaign.id, alice), "they are one already"
    seen = Counter(
        try_out(session, shop, Claimant(None, alice), serial).view.claim.prize_kind for serial in range(1000)
    )
    assert seen == {"red_packet": 100, "points": 400, "thanks": 500}, "the draft's table, padded with thanks"
    assert count(session, TrialClaim) == 1000
    assert (count(session, Claim), count(session, Payout)) == (0, 0)
    first, again = (try_out(session, shop, Claimant(None, alice), 5) for _ in range(2))
    assert (first.is_new, again.is_new, first.view.claim.is_test) == (False, False, True)
    assert shop.claim(session, Claimant(None, shop.openid(session, "openid-bob")), 5).is_new, "the code is not used up"


def test_nothing_that_a_tester_sees_tells_what_a_code_will_hold(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired, campaign={"ends_at": NOW + timedelta(hours=1)})
    campaign, alice = draft(session, shop), shop.openid(session)
    admit(session, campaign.id, alice)
    campaigns.keep_testers(session, campaign_id=campaign.id, keeps=True, actor="dave", now=NOW)
    later = NOW + timedelta(hours=2)
    publish_campaign(session, wired.draw_sealer, campaign_id=campaign.id, now=later)
    (real,) = campaigns.offers_of(
        session, campaign_id=campaign.id, batch_number=shop.batch.number, sealer=wired.draw_sealer
    )
    (trial,) = load(session, shop)
    alike = sum(draw(real, serial).kind == draw(trial.offer, serial).kind for serial in range(1000))
    assert trial.offer.secret != real.secret
    assert 320 < alike < 520, "as often as chance has it"


def test_publication_ends_the_trial_unless_it_is_kept_until_the_window_begins(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired, campaign={"ends_at": NOW + timedelta(hours=1)})
    campaign, alice = draft(session, shop), shop.openid(session)
    admit(session, campaign.id, alice)
    later = NOW + timedelta(hours=2)
    publish_campaign(session, wired.draw_sealer, campaign_id=campaign.id, now=later)
    assert count(session, CampaignTester) == 0
    assert load(session, shop) == ()
    with pytest.raises(campaigns.TrialOver):
        admit(session, campaign.id, alice, now=later)
    campaigns.end(session, campaign_id=campaign.id, actor="dave", now=later)
    kept = draft(session, shop)
    admit(session, kept.id, alice)
    campaigns.keep_testers(session, campaign_id=kept.id, keeps=True, actor="dave", now=NOW)
    publish_campaign(session, wired.draw_sealer, campaign_id=kept.id, now=later)
    (trial,) = load(session, shop)
    assert trial.is_open(kept.starts_at - timedelta(seconds=1))
    assert not trial.is_open(kept.starts_at)
    assert try_out(session, shop, Claimant(None, alice), now=later).is_new
    with pytest.raises(campaigns.TrialOver):
        try_out(session, shop, Claimant(None, alice), 1, now=kept.starts_at)


def test_only_testers_try_and_whoever_is_removed_tries_no_more(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired)
    campaign, alice = draft(session, shop), shop.openid(session)
    phone_id, member_id = shop.member(session)
    admit(session, campaign.id, member_id)
    trials = load(session, shop)
    with pytest.raises(campaigns.TrialOver):
        try_out(session, shop, Claimant(None, alice))
    assert try_out(session, shop, Claimant(None, None, phone_id, member_id)).is_new
    campaigns.remove_tester(session, campaign_id=campaign.id, person_id=member_id, actor="dave", now=NOW)
    with pytest.raises(campaigns.TrialOver):
        try_out(session, shop, Claimant(None, None, phone_id, member_id), 1, trials=trials)
    with pytest.raises(campaigns.TesterNotFound):
        campaigns.remove_tester(session, campaign_id=campaign.id, person_id=member_id, actor="dave", now=NOW)
    assert load(session, shop) == ()
    actions = session.scalars(select(AuditRow.action).where(AuditRow.action.like("campaign.%_tester"))).all()
    assert sorted(actions) == ["campaign.add_tester", "campaign.remove_tester"]


def test_conditions_and_the_life_of_the_code_hold_for_testers_too(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired)
    campaign, alice = draft(session, shop), shop.openid(session)
    admit(session, campaign.id, alice)
    for conditions in (Conditions(members="members"), Conditions(products=(str(campaign.id),))):
        campaigns.set_conditions(session, campaign_id=campaign.id, conditions=conditions, actor="dave", now=NOW)
        with pytest.raises((admission.MembersOnly, rules.OtherItem)):
            try_out(session, shop, Claimant(None, alice))
    with pytest.raises(rules.NotARewardCode):
        try_out(session, shop, Claimant(None, alice), code=replace(shop.code(), kind=0))
    assert count(session, TrialClaim) == 0


def test_a_draft_over_codes_of_another_brand_is_no_trial(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired)
    other = make_brand(session)
    mallory = make_campaign(session, brand_id=other.id)
    campaigns.add_tranche(
        session,
        campaign_id=mallory.id,
        ranges=[RangeLine(shop.batch.number, 0, 999)],
        prizes=PRIZES,
        actor="mallory",
        now=NOW,
    )
    admit(session, mallory.id, shop.openid(session))
    assert load(session, shop) == ()


def test_a_discarded_draft_takes_its_testers_along(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired)
    campaign = draft(session, shop)
    admit(session, campaign.id, shop.openid(session))
    campaigns.discard(session, campaign_id=campaign.id, actor="dave", now=NOW)
    assert count(session, CampaignTester) == 0
    assert load(session, shop) == ()


def test_there_are_so_many_testers_and_no_more(session: Session, wired: Wired) -> None:
    shop = open_shop(session, wired)
    campaign = draft(session, shop)
    people = [shop.openid(session, f"openid-{number}") for number in range(50)]
    assert all(admit(session, campaign.id, one) for one in people)
    assert not admit(session, campaign.id, people[0]), "they are one already: that is no matter of room"
    with pytest.raises(campaigns.TooManyTesters):
        admit(session, campaign.id, shop.openid(session, "one more"))


def test_many_taps_at_once_are_one_trial(db: Database, wired: Wired) -> None:
    with wired.db.transaction() as session:
        shop = open_shop(session, wired)
        alice = shop.openid(session)
        admit(session, draft(session, shop).id, alice)
    found = at_once(8, lambda _: db.retrying(lambda session: try_out(session, shop, Claimant(None, alice)).is_new))
    assert Counter(found) == {True: 1, False: 7}
