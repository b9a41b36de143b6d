"""Checking a one-time password: one UPDATE, five tries, one purpose, one brand, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.members import service as members
from scancode.sealing import Sealer
from tests.factories import make_brand
from tests.members.test_ask_password import PHONE, ask


def check(session: Session, brand_id: UUID, sealer: Sealer, now: datetime, password: str, **over: str) -> bool:
    wanted = {"phone": PHONE, "purpose": "join", **over}
    return members.check_password(session, brand_id=brand_id, password=password, sealer=sealer, now=now, **wanted)


def test_the_right_one_is_taken_once(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    ask(session, brand_id, sealer, now)
    assert check(session, brand_id, sealer, now, "123456")
    assert not check(session, brand_id, sealer, now, "123456")


def test_it_refuses_what_was_never_sent(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    assert not check(session, brand_id, sealer, now, "123456")


def test_it_lives_five_minutes(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    ask(session, brand_id, sealer, now)
    assert not check(session, brand_id, sealer, now + timedelta(minutes=5), "123456")
    assert check(session, brand_id, sealer, now + timedelta(minutes=5, microseconds=-1), "123456")


def test_the_fifth_try_may_be_right(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    ask(session, brand_id, sealer, now)
    assert not any(check(session, brand_id, sealer, now, f"00000{n}") for n in range(4))
    assert check(session, brand_id, sealer, now, "123456")


def test_the_sixth_try_is_one_too_many(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    ask(session, brand_id, sealer, now)
    assert not any(check(session, brand_id, sealer, now, f"00000{n}") for n in range(5))
    assert not check(session, brand_id, sealer, now, "123456")


def test_a_newer_one_ends_the_older(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    ask(session, brand_id, sealer, now)
    later = now + timedelta(seconds=60)
    ask(session, brand_id, sealer, later, password="654321")
    assert not check(session, brand_id, sealer, later, "123456")
    assert check(session, brand_id, sealer, later, "654321")


def test_it_opens_one_purpose_phone_and_brand_only(
    session: Session, brand_id: UUID, sealer: Sealer, now: datetime
) -> None:
    ask(session, brand_id, sealer, now)
    assert not check(session, brand_id, sealer, now, "123456", purpose="leave")
    assert not check(session, brand_id, sealer, now, "123456", phone="+8613812348001")
    assert not check(session, make_brand(session).id, sealer, now, "123456")
    assert check(session, brand_id, sealer, now, "123456")
