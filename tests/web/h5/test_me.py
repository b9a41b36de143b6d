"""``/me``: the member's own pages, and what a guest finds there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from scancode.campaigns.conditions import Conditions, to_text
from scancode.campaigns.models import Campaign
from scancode.catalog import revision
from scancode.ledger import service as ledger
from scancode.ledger.models import PointsLot
from scancode.members import service as members
from scancode.members.models import Consent, Identity, Member
from scancode.members.tags import TagDraft, TagSource
from scancode.members.tiers import TierDraft
from tests.web.console.office import words
from tests.web.h5.phone import Shop, place


def test_a_guest_is_invited_and_sees_their_scans(shop: Shop) -> None:
    alice = shop.phone()
    page = alice.read("/me")
    assert "You are not a member yet" in page
    assert "Nothing yet. Scan the code" in page
    alice.get(f"/{shop.code(1)}")
    assert "Lemon water" in alice.read("/me/scans")


def test_a_member_sees_points_and_scans_of_every_device(shop: Shop) -> None:
    phone, tablet = shop.phone(), shop.phone()
    phone.get(f"/{shop.code(1)}")
    phone.claim(1)
    phone.join()
    phone.show_wechat()
    tablet.show_wechat()
    page = tablet.read("/me")
    assert "138****8000" in page
    assert "Points 50" in page
    assert "Lemon water" in tablet.read("/me/scans")
    assert "+50" in tablet.read("/me/points")


def test_pages_of_members_lead_a_guest_to_join_and_back(shop: Shop) -> None:
    guest = shop.phone()
    for path in ("/me/points", "/me/privacy", "/me/data.json", "/me/leave"):
        answer = guest.get(path)
        assert place(answer) == "/join"
        assert (
            f"next={path.replace('/', '%2F')}" in answer.headers["Location"]
            or f"next={path}" in answer.headers["Location"]
        )


def test_the_language_of_messages_can_be_changed(shop: Shop) -> None:
    alice = shop.phone()
    alice.join()
    alice.send("/me/language", page="/me", language="zh")
    with shop.wired.db.reading() as session:
        assert session.scalars(select(Member.language)).all() == ["zh"]
    alice.send("/me/language", page="/me", language="xx")
    with shop.wired.db.reading() as session:
        assert session.scalars(select(Member.language)).all() == ["zh"]


def test_points_that_expire_wait_or_are_on_hold_are_said_on_the_page(shop: Shop) -> None:
    alice = shop.phone()
    alice.claim(1)
    alice.join()
    now = datetime.now(UTC)
    with shop.wired.db.transaction() as session:
        member = session.scalars(select(Member.id)).one()
        session.execute(update(PointsLot).values(expires_at=now + timedelta(days=9)))
        ledger.remind(session, brand_id=shop.brand_id, until=now + timedelta(days=10), now=now)
        for cause, points in (("adjust:1", -20), ("adjust:2", 30)):
            ledger.hold(
                session,
                account_id=member,
                brand_id=shop.brand_id,
                cause=cause,
                points=points,
                due_at=now + timedelta(days=1),
                now=now,
            )
        ledger.freeze(session, account_id=member, brand_id=shop.brand_id, reason="a secret", now=now)
    page = alice.read("/me/points")
    assert "50 points can be used until 20" in page
    assert "20 of them are reserved" in page
    assert "Still to come" in page
    assert "Points on hold" in page
    assert "a secret" not in page
    assert "50 points can be used until 20" in alice.read("/me")


def test_signing_out_leaves_a_guest(shop: Shop) -> None:
    alice = shop.phone()
    alice.join()
    alice.send("/me/out", page="/me")
    assert "You are not a member yet" in alice.read("/me")


def test_looking_with_get_changes_no_language_and_signs_nobody_out(shop: Shop) -> None:
    alice = shop.phone()
    alice.join()
    for path in ("/me/out", "/me/language", "/me/marketing"):
        assert alice.get(path).status_code == 405
    assert "138****8000" in alice.read("/me")


def test_offers_are_taken_back_as_easily_as_given(shop: Shop) -> None:
    alice = shop.phone()
    alice.join()
    assert "You receive none." in alice.read("/me/privacy")
    alice.send("/me/marketing", page="/me/privacy", wants="1")
    assert "You agreed to offers and reminders, by text message or in WeChat." in alice.read("/me/privacy")
    alice.send("/me/marketing", page="/me/privacy", wants="0")
    page = alice.read("/me/privacy")
    assert "You receive none." in page
    assert "taken back" in page
    with shop.wired.db.reading() as session:
        assert session.query(Consent).count() == 2


def test_a_consent_to_text_messages_does_not_reach_into_wechat(shop: Shop) -> None:
    alice = shop.phone()
    alice.join()
    with shop.wired.db.transaction() as session:
        member = session.scalars(select(Member.id)).one()
        given = {"purpose": "marketing", "version": "2026-11", "language": "en", "now": datetime.now(UTC)}
        members.consent(session, member_id=member, **given)
        assert not members.reaches_by_wechat(session, member_id=member)
    assert "In WeChat we send nothing unless you agree" in alice.read("/me/privacy")
    alice.send("/me/marketing", page="/me/privacy", wants="1")
    assert "by text message or in WeChat." in alice.read("/me/privacy")
    with shop.wired.db.reading() as session:
        assert members.reaches_by_wechat(session, member_id=member)


def test_a_member_takes_a_copy_of_their_data(shop: Shop) -> None:
    alice = shop.phone()
    alice.claim(1)
    alice.join()
    answer = alice.get("/me/data.json")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    found = json.loads(answer.data)
    assert found["identities"] == [{"kind": "phone", "value": "+8613812348000"}]
    assert found["member"]["points"] == 50


def test_leaving_asks_first_and_deletes_who_it_was(shop: Shop) -> None:
    alice, tablet = shop.phone(), shop.phone()
    alice.join()
    alice.show_wechat()
    tablet.show_wechat()
    answer = alice.send("/me/leave")
    assert answer.status_code == 422
    assert "Please confirm" in words(answer)
    assert place(alice.send("/me/leave", sure="1")) == "/me/left"
    assert "Your account is closed" in alice.read("/me/left")
    assert "You are not a member yet" in alice.read("/me")
    assert "You are not a member yet" in tablet.read("/me")
    with shop.wired.db.reading() as session:
        assert session.query(Identity).count() == 0


def test_leaving_waits_for_money_on_its_way(money_shop: Shop) -> None:
    alice = money_shop.phone()
    alice.join()
    alice.show_wechat()
    alice.claim(1)
    answer = alice.send("/me/leave", sure="1")
    assert answer.status_code == 409
    assert "Money is on its way to you" in words(answer)
    assert "138****8000" in alice.read("/me")


def test_no_page_shows_a_whole_phone_number(shop: Shop) -> None:
    alice = shop.phone()
    alice.join()
    for path in ("/me", "/me/scans", "/me/points", "/me/privacy", "/me/leave", "/me/rewards"):
        assert "13812348000" not in alice.get(path).get_data(as_text=True).replace(" ", "")


def test_a_member_sees_their_tier_and_what_is_missing_to_the_next(shop: Shop) -> None:
    alice, now = shop.phone(), datetime.now(UTC)
    alice.claim(1)
    alice.join()
    assert "tier" not in alice.read("/me"), "a brand without a ladder has none"
    with shop.wired.db.transaction() as session:
        drafts = [TierDraft(None, "银卡", "Silver", 50), TierDraft(None, "金卡", "Gold", 120)]
        members.set_ladder(session, brand_id=shop.brand_id, months=12, tiers=drafts, actor="test", now=now)
    page = alice.read("/me")
    assert "Silver" in page
    assert "70 more points to Gold" in page
    assert "50 points earned in the last 12 months" in page
    assert "70 积分即可升级为金卡" in words(alice.client.get("/me?lang=zh"))


def test_who_does_not_take_part_reads_why_and_what_to_do(shop: Shop) -> None:
    alice, now = shop.phone(), datetime.now(UTC)
    with shop.wired.db.transaction() as session:
        draft = TagDraft("VIP list 7", "茶友会会员", "Members of the tea club")
        tag_id = members.create_tag(session, brand_id=shop.brand_id, draft=draft, actor="test", now=now)
        secret = members.create_tag(session, brand_id=shop.brand_id, draft=TagDraft("risky"), actor="test", now=now)
        conditions = Conditions(tags_any=(str(tag_id),), tags_none=(str(secret),))
        session.execute(update(Campaign).values(conditions=to_text(conditions)))
        campaign_id = session.scalars(select(Campaign.id)).one()
        revision.bump(session)
    page = words(alice.claim(1))
    assert "This campaign is for: Members of the tea club." in page
    assert f"/campaigns/{campaign_id}/rules" in alice.claim(1).get_data(as_text=True)
    assert "Sign in" in page
    rules = alice.read(f"/campaigns/{campaign_id}/rules")
    assert "Only these members may claim: Members of the tea club." in rules
    assert "not every member is invited" in rules
    alice.join()
    assert "Sign in" not in words(alice.claim(1))
    with shop.wired.db.transaction() as session:
        member = session.scalars(select(Member.id)).one()
        for one in (tag_id, secret):
            members.mark(session, tag_id=one, member_ids=[member], source=TagSource.STAFF, now=now)
    page = words(alice.claim(1))
    assert "Not every member takes part in this campaign" in page
    for text in (page, rules):
        assert "VIP list 7" not in text
        assert "risky" not in text
    with shop.wired.db.transaction() as session:
        members.unmark(session, tag_id=secret, member_ids=[member])
    assert place(alice.claim(1)).startswith("/me/rewards/")
    copy = json.loads(alice.get("/me/data.json").get_data(as_text=True))
    assert [one["name"] for one in copy["tags"]] == ["VIP list 7"]
    assert copy["tier"]["points_earned"] == 0
