"""Identities: found by blind index, sealed at rest, one per value and brand."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from scancode.db import new_id
from scancode.errors import NotFound
from scancode.members import service as members
from scancode.members.models import Identity
from scancode.sealing import Sealer
from tests.factories import make_brand

PHONE = "+8613812348000"


def identify(session: Session, brand_id: UUID, sealer: Sealer, now: datetime, **over: object) -> Identity:
    wanted = {"kind": "phone", "value": PHONE, "is_snapshot": False, **over}
    return members.identify(session, brand_id=brand_id, sealer=sealer, now=now, **wanted)  # type: ignore[arg-type]


def test_it_finds_the_same_value_again(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    first = identify(session, brand_id, sealer, now)
    again = identify(session, brand_id, sealer, now + timedelta(days=1))
    assert again.id == first.id
    assert again.created_at == now
    found = members.find_phone(session, brand_id=brand_id, phone=PHONE, sealer=sealer)
    assert found is not None
    assert (found.id, found.hint, found.kind) == (first.id, "138****8000", "phone")


def test_a_person_of_one_brand_is_a_stranger_to_the_next(
    session: Session, brand_id: UUID, sealer: Sealer, now: datetime
) -> None:
    other = make_brand(session).id
    assert identify(session, brand_id, sealer, now).id != identify(session, other, sealer, now).id


def test_a_phone_and_an_openid_of_the_same_text_differ(
    session: Session, brand_id: UUID, sealer: Sealer, now: datetime
) -> None:
    phone = identify(session, brand_id, sealer, now)
    assert phone.id != identify(session, brand_id, sealer, now, kind="openid").id


def test_no_column_holds_the_value(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    identify(session, brand_id, sealer, now)
    row = session.execute(text("SELECT * FROM identities")).one()
    assert not any(PHONE[-8:] in str(value) for value in row)


def test_it_reveals_the_value_to_the_key_only(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    openid = identify(session, brand_id, sealer, now, kind="openid", value="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")
    assert members.reveal(session, identity_id=openid.id, sealer=sealer) == "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
    assert openid.hint == "****eS6o"
    with pytest.raises(NotFound):
        members.reveal(session, identity_id=new_id(now), sealer=sealer)


def test_a_real_login_clears_the_mark_of_a_snapshot(
    session: Session, brand_id: UUID, sealer: Sealer, now: datetime
) -> None:
    assert identify(session, brand_id, sealer, now, kind="openid", value="o-1", is_snapshot=True).is_snapshot
    assert not identify(session, brand_id, sealer, now, kind="openid", value="o-1").is_snapshot
    assert not identify(session, brand_id, sealer, now, kind="openid", value="o-1", is_snapshot=True).is_snapshot


def test_it_refuses_an_unknown_kind(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    with pytest.raises(ValueError, match="email"):
        identify(session, brand_id, sealer, now, kind="email")


def test_an_openid_belongs_to_the_first_member_who_claims_it(
    session: Session, brand_id: UUID, sealer: Sealer, now: datetime
) -> None:
    openid = identify(session, brand_id, sealer, now, kind="openid", value="o-1")
    alice, mallory = new_id(now), new_id(now)
    assert members.of_identity(session, identity_id=openid.id) is None
    assert members.claim_identity(session, identity_id=openid.id, member_id=alice)
    assert members.claim_identity(session, identity_id=openid.id, member_id=alice)
    assert not members.claim_identity(session, identity_id=openid.id, member_id=mallory)
    assert members.of_identity(session, identity_id=openid.id) == alice
