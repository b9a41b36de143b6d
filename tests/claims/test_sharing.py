"""Several campaigns over one code: who gives its reward, to whom, and that it is given once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Conditions
from scancode.campaigns.models import Campaign
from scancode.campaigns.planning import PrizeLine, RangeLine
from scancode.claims import admission, rules
from scancode.claims import service as claims
from scancode.claims.models import Claim
from scancode.claims.rules import Claimant
from scancode.db import Database
from scancode.ledger import service as ledger
from scancode.ledger.models import Entry
from scancode.wiring import Wired
from tests.claims.shop import Shop, open_shop, points, visitor
from tests.factories import NOW, make_campaign, publish_campaign
from tests.threads import at_once

SHARED = {"budget_points": 1_000_000, "is_exclusive": False}


def base(session: Session, wired: Wired, **terms: object) -> Shop:
    """Every code holds 7 points, in a campaign that shares."""
    return open_shop(session, wired, prizes=points(7), campaign=SHARED | terms)


def more(session: Session, shop: Shop, amount: int, conditions: Conditions | None = None, **terms: object) -> Campaign:
    """Another one over the same codes: each holds so many points."""
    campaign = make_campaign(session, brand_id=shop.brand.id, **(SHARED | terms))
    if conditions is not None:
        campaigns.set_conditions(session, campaign_id=campaign.id, conditions=conditions, actor="dave", now=NOW)
    campaigns.add_tranche(
        session,
        campaign_id=campaign.id,
        ranges=[RangeLine(shop.batch.number, 0, 999)],
        prizes=points(amount),
        actor="dave",
        now=NOW,
    )
    publish_campaign(session, shop.wired.draw_sealer, campaign_id=campaign.id, now=NOW + timedelta(seconds=1))
    return campaign


def fresh(session: Session, shop: Shop) -> Shop:
    """The shop with the offer as a cache knows it by now."""
    sealer = shop.wired.draw_sealer
    return replace(shop, offer=campaigns.find_offer(session, batch_number=shop.batch.number, serial=0, sealer=sealer))


def members_only(session: Session, shop: Shop, **terms: object) -> Campaign:
    return more(session, shop, 50, Conditions(members="members"), **({"priority": 2} | terms))


def test_the_higher_one_gives_to_whom_it_may_and_the_lower_one_to_all_others(session: Session, wired: Wired) -> None:
    shop = base(session, wired)
    higher = members_only(session, shop)
    phone_id, member_id = shop.member(session)
    known = fresh(session, shop)
    won = known.claim(session, Claimant(None, None, phone_id, member_id), 0).view.claim
    assert (won.campaign_id, won.amount) == (higher.id, 50)
    won = known.claim(session, Claimant(None, shop.openid(session)), 1).view.claim
    assert (won.campaign_id, won.amount) == (shop.campaign_id, 7)


def test_a_cache_that_does_not_know_the_higher_one_yet_decides_nothing(session: Session, wired: Wired) -> None:
    shop = base(session, wired)
    higher = members_only(session, shop)
    phone_id, member_id = shop.member(session)
    stale = shop.claim(session, Claimant(None, None, phone_id, member_id), 0).view.claim
    assert stale.campaign_id == higher.id
    assert shop.offer is not None
    assert not shop.offer.is_plain, "so no group takes it"


def test_with_equal_priority_the_one_published_first_goes_first(session: Session, wired: Wired) -> None:
    shop = base(session, wired, ends_at=NOW + timedelta(days=2))
    later = more(session, shop, 50)
    assert fresh(session, shop).claim(session, visitor(), 0).view.claim.campaign_id == shop.campaign_id
    after = fresh(session, shop).claim(session, visitor(), 1, now=NOW + timedelta(days=3)).view.claim
    assert after.campaign_id == later.id, "once the first has ended"


def test_a_pause_of_the_higher_one_keeps_what_it_would_give(session: Session, wired: Wired) -> None:
    shop = base(session, wired)
    higher = members_only(session, shop)
    campaigns.pause(session, campaign_id=higher.id, actor="dave", now=NOW)
    phone_id, member_id = shop.member(session)
    member, known = Claimant(None, None, phone_id, member_id), fresh(session, shop)
    with pytest.raises(rules.CampaignPaused):
        known.claim(session, member, 0)
    assert known.claim(session, Claimant(None, shop.openid(session)), 0).view.claim.campaign_id == shop.campaign_id
    campaigns.end(session, campaign_id=higher.id, actor="dave", now=NOW)
    assert fresh(session, shop).claim(session, member, 1).view.claim.campaign_id == shop.campaign_id


def test_where_none_fits_the_reason_of_the_first_is_told(session: Session, wired: Wired) -> None:
    shop = base(session, wired, conditions=Conditions(stores=(str(UUID(int=1)),)))
    members_only(session, shop)
    with pytest.raises(admission.MembersOnly):
        fresh(session, shop).claim(session, visitor(), 0)
    assert claims.find_facts(session, code_id=shop.code(0).code_id) is None


def test_a_limit_of_the_first_does_not_pass_the_code_on(session: Session, wired: Wired) -> None:
    shop = base(session, wired)
    limited = Conditions(members="members", person_day_max=1)
    more(session, shop, 50, limited, priority=2)
    phone_id, member_id = shop.member(session)
    member, known = Claimant(None, None, phone_id, member_id), fresh(session, shop)
    known.claim(session, member, 0)
    with pytest.raises(rules.PersonDayFull):
        known.claim(session, member, 1)
    assert claims.find_facts(session, code_id=shop.code(1).code_id) is None, "it keeps its chance"


def test_whoever_comes_after_a_lapsed_reservation_is_judged_anew(session: Session, wired: Wired) -> None:
    shop = base(session, wired)
    higher = members_only(session, shop)
    phone_id, member_id = shop.member(session)
    known = fresh(session, shop)
    assert known.claim(session, visitor(), 0).view.claim.campaign_id == shop.campaign_id
    late = NOW + timedelta(hours=73)
    won = known.claim(session, Claimant(None, None, phone_id, member_id), 0, now=late).view.claim
    assert (won.campaign_id, won.amount) == (higher.id, 50)


def test_what_each_is_worth_comes_out_over_all_codes_together(session: Session, wired: Wired) -> None:
    """Of 1,000 codes 100 hold 50 points in the exact table of the higher campaign; those it does not reach hold what
    the lower table says: each code gives one of the two and never both."""
    shop = open_shop(session, wired, prizes=[PrizeLine("points", 7, 400, "积分", "Points")], campaign=SHARED)
    members_only(session, shop)
    phone_id, member_id = shop.member(session)
    member, guest = Claimant(None, None, phone_id, member_id), Claimant(None, shop.openid(session))
    known = fresh(session, shop)
    for serial in range(60):
        known.claim(session, member if serial % 2 else guest, serial)
    counts = session.execute(select(func.count()).select_from(Claim).group_by(Claim.campaign_id)).scalars().all()
    assert counts == [30, 30]
    assert ledger.balance(session, account_id=member_id) == 30 * 50


def claimed_by(session: Session) -> Sequence[UUID | None]:
    return session.scalars(select(Claim.campaign_id)).all()


def test_two_campaigns_and_many_people_at_once_reward_a_code_once(db: Database, wired: Wired) -> None:
    with wired.db.transaction() as session:
        shop = base(session, wired)
        higher = members_only(session, shop)
        phone_id, member_id = shop.member(session)
        guests = [shop.openid(session, f"openid-{number}") for number in range(8)]
        known = fresh(session, shop)
    people = [Claimant(None, None, phone_id, member_id), *(Claimant(None, guest) for guest in guests)] * 3
    copies = [known, shop]  # caches that know of both, and caches that do not yet

    def claim(number: int) -> object:
        return db.retrying(
            lambda session: copies[number % 2].claim(session, people[number], number // 9).view.claim.campaign_id
        )

    found = at_once(len(people), claim)
    with db.reading() as session:
        rows = session.execute(select(Claim.code_id, Claim.campaign_id, Claim.account_id)).all()
        posted = session.scalar(select(func.count()).select_from(Entry).where(Entry.cause.like("claim:%")))
    assert len(rows) == 3
    assert posted == 2 * 3, "both sides of each, once"
    for row in rows:
        assert row.campaign_id == (higher.id if row.account_id == member_id else shop.campaign_id)
    assert all(isinstance(one, UUID | rules.ClaimedByAnother) for one in found)


def test_publishing_beside_a_claim_leaves_one_reward(db: Database, wired: Wired) -> None:
    with wired.db.transaction() as session:
        shop = base(session, wired)
        phone_id, member_id = shop.member(session)
    member = Claimant(None, None, phone_id, member_id)

    def work(number: int) -> object:
        if number == 0:
            with db.transaction() as session:
                return members_only(session, shop).id
        return db.retrying(lambda session: shop.claim(session, member, 0).view.claim.campaign_id)

    published, *won = at_once(9, work)
    with db.reading() as session:
        (campaign_id,) = claimed_by(session)
    assert campaign_id in (shop.campaign_id, published)
    assert set(won) == {campaign_id}


def test_an_exclusive_one_and_one_that_shares_are_never_both_published(db: Database, wired: Wired) -> None:
    with wired.db.transaction() as session:
        shop = open_shop(session, wired, campaign={"ends_at": NOW + timedelta(hours=1)})

    def publish(number: int) -> object:
        later: datetime = NOW + timedelta(hours=2)
        terms = {"is_exclusive": number % 2 == 0, "priority": number, "ends_at": later + timedelta(days=number + 1)}
        with db.transaction() as session:
            campaign = make_campaign(session, brand_id=shop.brand.id, **(SHARED | terms))
            campaigns.set_conditions(
                session, campaign_id=campaign.id, conditions=Conditions(members="members"), actor="dave", now=NOW
            )
            lines = [RangeLine(shop.batch.number, 0, 999)]
            campaigns.add_tranche(
                session, campaign_id=campaign.id, ranges=lines, prizes=points(7), actor="dave", now=NOW
            )
            publish_campaign(session, wired.draw_sealer, campaign_id=campaign.id, now=later)
        return number

    done = [one for one in at_once(6, publish) if isinstance(one, int)]
    assert done
    assert len(done) == 1 or all(one % 2 for one in done)
