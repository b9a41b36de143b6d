"""Leaving: nothing personal stays, and the same phone may come back as somebody new."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from scancode.db import new_id
from scancode.members import service as members
from scancode.members.rules import NotAMember
from scancode.sealing import Sealer
from tests.members.test_identify import PHONE, identify
from tests.members.test_join import join


def test_identities_and_browsers_go_and_consents_are_closed(
    session: Session, brand_id: UUID, sealer: Sealer, now: datetime
) -> None:
    member_id, _ = join(session, brand_id, sealer, now)
    openid = identify(session, brand_id, sealer, now, kind="openid", value="o-1")
    members.claim_identity(session, identity_id=openid.id, member_id=member_id)
    members.link_visitor(session, member_id=member_id, visitor_id=new_id(now), now=now)
    members.consent(session, member_id=member_id, purpose="membership", version="1", language="zh", now=now)
    later = now + timedelta(days=3)
    assert members.forget(session, member_id=member_id, now=later)
    assert not members.forget(session, member_id=member_id, now=later + timedelta(days=1))
    assert members.identities_of(session, member_id=member_id) == ()
    assert members.visitors_of(session, member_id=member_id) == ()
    assert members.find_phone(session, brand_id=brand_id, phone=PHONE, sealer=sealer) is None
    assert [item.withdrawn_at for item in members.consents_of(session, member_id=member_id)] == [later]
    facts = members.find_member(session, member_id=member_id)
    assert facts is not None
    assert (facts.left_at, facts.phone_hint) == (later, "")
    with pytest.raises(NotAMember):
        members.get_member(session, member_id=member_id)


def test_the_same_phone_comes_back_as_somebody_new(
    session: Session, brand_id: UUID, sealer: Sealer, now: datetime
) -> None:
    member_id, _ = join(session, brand_id, sealer, now)
    members.forget(session, member_id=member_id, now=now)
    again, is_new = join(session, brand_id, sealer, now + timedelta(days=1))
    assert is_new
    assert again != member_id
