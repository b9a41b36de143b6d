"""Membership: one member to a phone and brand, their browsers, their language."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from scancode.db import new_id
from scancode.members import service as members
from scancode.members.rules import NotAMember
from scancode.sealing import Sealer
from tests.members.test_identify import identify


def join(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> tuple[UUID, bool]:
    phone = identify(session, brand_id, sealer, now)
    member, is_new = members.join(session, phone_identity_id=phone.id, brand_id=brand_id, language="zh", now=now)
    return member.id, is_new


def test_the_first_join_makes_a_member_and_the_next_finds_it(
    session: Session, brand_id: UUID, sealer: Sealer, now: datetime
) -> None:
    member_id, is_new = join(session, brand_id, sealer, now)
    assert is_new
    assert join(session, brand_id, sealer, now + timedelta(days=1)) == (member_id, False)
    facts = members.get_member(session, member_id=member_id)
    assert (facts.phone_hint, facts.joined_at, facts.language) == ("138****8000", now, "zh")
    assert [item.kind for item in members.identities_of(session, member_id=member_id)] == ["phone"]


def test_an_openid_alone_makes_no_member(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    openid = identify(session, brand_id, sealer, now, kind="openid", value="o-1")
    with pytest.raises(NotAMember):
        members.join(session, phone_identity_id=openid.id, brand_id=brand_id, language="zh", now=now)


def test_a_browser_is_linked_once(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    member_id, _ = join(session, brand_id, sealer, now)
    browser = new_id(now)
    assert not members.is_linked(session, member_id=member_id, visitor_id=browser)
    assert members.link_visitor(session, member_id=member_id, visitor_id=browser, now=now)
    assert not members.link_visitor(session, member_id=member_id, visitor_id=browser, now=now)
    assert members.is_linked(session, member_id=member_id, visitor_id=browser)
    assert members.visitors_of(session, member_id=member_id) == (browser,)


def test_the_language_can_be_changed(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    member_id, _ = join(session, brand_id, sealer, now)
    members.speak(session, member_id=member_id, language="en")
    assert members.get_member(session, member_id=member_id).language == "en"


def test_nobody_is_found_under_an_unknown_id(session: Session, now: datetime) -> None:
    assert members.find_member(session, member_id=new_id(now)) is None
    with pytest.raises(NotAMember):
        members.get_member(session, member_id=new_id(now))
