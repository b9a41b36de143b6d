"""Consents: recorded with version, language and time; withdrawn without losing the record."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from scancode.members import service as members
from scancode.sealing import Sealer
from tests.members.test_join import join


def agree(session: Session, member_id: UUID, now: datetime, *, purpose: str = "marketing", version: str = "1") -> bool:
    return members.consent(session, member_id=member_id, purpose=purpose, version=version, language="zh", now=now)


def test_it_is_recorded_once_per_version(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    member_id, _ = join(session, brand_id, sealer, now)
    assert agree(session, member_id, now)
    assert not agree(session, member_id, now + timedelta(days=1))
    assert agree(session, member_id, now + timedelta(days=2), version="2")
    assert [item.version for item in members.consents_of(session, member_id=member_id)] == ["2", "1"]


def test_it_can_be_withdrawn_and_given_again(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    member_id, _ = join(session, brand_id, sealer, now)
    agree(session, member_id, now)
    agree(session, member_id, now, purpose="membership")
    assert members.withdraw(session, member_id=member_id, purpose="marketing", now=now + timedelta(days=1))
    assert not members.withdraw(session, member_id=member_id, purpose="marketing", now=now + timedelta(days=1))
    assert not members.has_consent(session, member_id=member_id, purpose="marketing")
    assert members.has_consent(session, member_id=member_id, purpose="membership")
    assert agree(session, member_id, now + timedelta(days=2))
    rows = members.consents_of(session, member_id=member_id)
    assert [row.stands for row in rows if row.purpose == "marketing"] == [True, False]


def test_it_refuses_an_unknown_purpose(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    member_id, _ = join(session, brand_id, sealer, now)
    with pytest.raises(ValueError, match="spam"):
        agree(session, member_id, now, purpose="spam")
