"""A member's rights: a copy of everything, and the end of membership."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from scancode.campaigns import service as campaigns
from scancode.campaigns.models import CampaignTester
from scancode.claims.models import TrialClaim
from scancode.claims.rules import Claimant
from scancode.complaints import service as complaints
from scancode.complaints.rules import ComplaintKind, Draft
from scancode.complaints.service import About
from scancode.db import new_id
from scancode.ledger import service as ledger
from scancode.members import service as members
from scancode.members.rules import NotAMember
from scancode.payouts import service as payouts
from scancode.stories import own_data
from tests import factories
from tests.stories.scene import NOW, PHONE, Scene


def trial(scene: Scene, person_id: UUID, serial: int, *, campaign_id: UUID | None = None, amount: int = 7) -> UUID:
    """Somebody is a tester of a draft, and was shown points."""
    if campaign_id is None:
        campaign_id = factories.make_campaign(scene.session, brand_id=scene.brand.id).id
    campaigns.add_tester(
        scene.session, campaign_id=campaign_id, person_id=person_id, staff_id=factories.add_staff(scene.session).id,
        actor="dave", now=NOW,
    )  # fmt: skip
    scene.session.add(
        TrialClaim(
            code_id=scene.code_id(serial), campaign_id=campaign_id, person_id=person_id, brand_id=scene.brand.id,
            product_id=scene.product_id, prize_kind="points", amount=amount, name_zh="积分", name_en="Points",
            claimed_at=NOW,
        )
    )  # fmt: skip
    scene.session.flush()
    return campaign_id


def people(scene: Scene, table: type[CampaignTester] | type[TrialClaim]) -> set[UUID]:
    return set(scene.session.scalars(select(table.person_id)))


def test_a_copy_holds_everything_in_plain_values(scene: Scene) -> None:
    browser = new_id(NOW)
    scene.scan(browser, 1)
    joined = scene.join(browser, identity_id=scene.openid("o-alice"), marketing=True)
    scene.claim(Claimant(browser, joined.identity_id, joined.phone_identity_id, joined.member_id), 1)
    found = own_data.copy(
        scene.session, brand=scene.brand, member_id=joined.member_id, sealer=scene.wired.sealer, now=NOW
    )
    json.dumps(found)
    assert {(one["kind"], one["value"]) for one in found["identities"]} == {("phone", PHONE), ("openid", "o-alice")}
    assert found["member"]["points"] == 50
    assert len(found["consents"]) == 2
    assert [one["code_id"] for one in found["scans"]] == [scene.code_id(1)]
    assert [one["kind"] for one in found["prizes"]] == ["points"]
    assert [one["points"] for one in found["points"]] == [50]


def test_leaving_deletes_who_it_was_and_lets_points_lapse(scene: Scene) -> None:
    browser = new_id(NOW)
    scene.scan(browser, 1)
    joined = scene.join(browser, identity_id=scene.openid("o-alice"))
    scene.claim(Claimant(browser, joined.identity_id, joined.phone_identity_id, joined.member_id), 1)
    later = NOW + timedelta(days=1)
    assert own_data.leave(scene.session, brand_id=scene.brand.id, member_id=joined.member_id, now=later)
    assert not own_data.leave(scene.session, brand_id=scene.brand.id, member_id=joined.member_id, now=later)
    assert scene.session.execute(text("SELECT count(*) FROM identities")).scalar() == 0
    assert ledger.balance(scene.session, account_id=joined.member_id) == 0
    assert ledger.find_unbalanced(scene.session) == []
    assert scene.session.execute(text("SELECT count(*) FROM claims")).scalar() == 1
    with pytest.raises(NotAMember):
        own_data.copy(
            scene.session, brand=scene.brand, member_id=joined.member_id, sealer=scene.wired.sealer, now=later
        )


def test_what_a_member_reported_is_in_the_copy_and_goes_with_the_account(scene: Scene) -> None:
    browser = new_id(NOW)
    joined = scene.join(browser)
    made = complaints.complain(
        scene.session, about=About("repeat", scene.brand.id), photo=None, visitor_id=browser, language="zh",
        draft=Draft(ComplaintKind.FAKE, "faded ink", "13800000009", is_agreed=True), consent_version="1",
        sealer=scene.wired.sealer, now=NOW,
    )  # fmt: skip
    found = own_data.copy(
        scene.session, brand=scene.brand, member_id=joined.member_id, sealer=scene.wired.sealer, now=NOW
    )
    assert [(one["text"], one["phone"]) for one in found["complaints"]] == [("faded ink", "+8613800000009")]
    own_data.leave(scene.session, brand_id=scene.brand.id, member_id=joined.member_id, now=NOW)
    row = complaints.get_complaint(scene.session, complaint_id=made)
    assert (row.text, row.contact, row.state) == ("", None, "closed")


def test_trials_follow_the_person_are_in_the_copy_and_go_with_the_account(scene: Scene) -> None:
    openid = scene.openid("o-alice")
    campaign_id, other_id = trial(scene, openid, 1), trial(scene, openid, 2)
    joined = scene.join(new_id(NOW), identity_id=openid)
    member_id = joined.member_id
    assert people(scene, CampaignTester) == people(scene, TrialClaim) == {member_id}
    found = own_data.copy(scene.session, brand=scene.brand, member_id=member_id, sealer=scene.wired.sealer, now=NOW)
    json.dumps(found)
    assert {one["campaign_id"] for one in found["trials"]["campaigns"]} == {str(campaign_id), str(other_id)}
    assert {one["code_id"] for one in found["trials"]["shown"]} == {scene.code_id(1), scene.code_id(2)}
    own_data.leave(scene.session, brand_id=scene.brand.id, member_id=member_id, now=NOW)
    assert people(scene, CampaignTester) == people(scene, TrialClaim) == set()


def test_who_was_shown_the_same_code_twice_keeps_one_answer_when_they_turn_out_to_be_one(scene: Scene) -> None:
    browser, openid, stranger = new_id(NOW), scene.openid("o-alice"), scene.openid("o-bob")
    member_id = scene.join(browser).member_id
    campaign_id = trial(scene, openid, 1)
    trial(scene, member_id, 1, campaign_id=campaign_id, amount=5)
    trial(scene, stranger, 1, campaign_id=campaign_id)
    scene.join(browser, identity_id=openid)
    assert people(scene, CampaignTester) == people(scene, TrialClaim) == {member_id, stranger}
    mine = select(TrialClaim.amount).where(TrialClaim.person_id == member_id)
    assert scene.session.scalars(mine).all() == [5]
    own_data.leave(scene.session, brand_id=scene.brand.id, member_id=member_id, now=NOW)
    assert people(scene, CampaignTester) == people(scene, TrialClaim) == {stranger}


def test_it_refuses_to_close_an_account_while_money_is_on_its_way(money: Scene) -> None:
    browser = new_id(NOW)
    joined = money.join(browser, identity_id=money.openid("o-alice"))
    money.claim(Claimant(browser, joined.identity_id, joined.phone_identity_id, joined.member_id), 1)
    with pytest.raises(own_data.MoneyUnderWay):
        own_data.leave(money.session, brand_id=money.brand.id, member_id=joined.member_id, now=NOW)
    assert members.get_member(money.session, member_id=joined.member_id).is_here


def test_money_that_nobody_can_be_paid_does_not_hold_anybody_back(money: Scene) -> None:
    browser = new_id(NOW)
    money.claim(Claimant(browser), 1)
    joined = money.join(browser)
    assert payouts.find(money.session, code_id=money.code_id(1)) is not None
    assert own_data.leave(money.session, brand_id=money.brand.id, member_id=joined.member_id, now=NOW)


def test_who_left_may_join_again_as_somebody_new(scene: Scene) -> None:
    joined = scene.join(new_id(NOW))
    own_data.leave(scene.session, brand_id=scene.brand.id, member_id=joined.member_id, now=NOW)
    again = scene.join(new_id(NOW), at=NOW + timedelta(days=1))
    assert again.is_new
    assert again.member_id != joined.member_id
