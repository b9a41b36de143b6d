"""Asking for a one-time password: what is stored, what is sent, and how often."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.jobs.models import Job
from scancode.members import service as members
from scancode.members.models import OneTimePassword, SendTurn
from scancode.members.rules import SendLimits, SendTooMany, SendTooSoon
from scancode.sealing import Sealer
from tests.factories import make_brand

PHONE = "+8613812348000"


def ask(session: Session, brand_id: UUID, sealer: Sealer, now: datetime, **over: object) -> datetime:
    wanted = {
        "phone": PHONE,
        "purpose": "join",
        "password": "123456",
        "address_digest": "aa" * 32,
        "language": "zh",
        "limits": SendLimits(),
        **over,
    }
    return members.ask_password(session, brand_id=brand_id, sealer=sealer, now=now, **wanted)  # type: ignore[arg-type]


def test_it_books_a_message_and_keeps_a_digest_only(
    session: Session, brand_id: UUID, sealer: Sealer, now: datetime
) -> None:
    assert ask(session, brand_id, sealer, now) == now + timedelta(minutes=5)
    row = session.scalars(select(OneTimePassword)).one()
    assert row.tries_left == 5
    assert "123456" not in row.digest
    job = session.scalars(select(Job)).one()
    assert (job.kind, job.key) == ("sms", f"sms:{row.id}")
    assert PHONE[-8:] not in job.payload
    assert "123456" not in job.payload
    message = members.open_message(key=job.key, payload=json.loads(job.payload), sealer=sealer)
    assert (message.phone, message.password, message.language) == (PHONE, "123456", "zh")
    assert message.expires_at == row.expires_at


def test_it_refuses_a_second_message_within_a_minute(
    session: Session, brand_id: UUID, sealer: Sealer, now: datetime
) -> None:
    ask(session, brand_id, sealer, now)
    with pytest.raises(SendTooSoon):
        ask(session, brand_id, sealer, now + timedelta(seconds=59))
    assert session.scalar(select(func.count()).select_from(OneTimePassword)) == 1
    ask(session, brand_id, sealer, now + timedelta(seconds=60))


def test_it_counts_a_phone_over_purposes_and_brands(
    session: Session, brand_id: UUID, sealer: Sealer, now: datetime
) -> None:
    ask(session, brand_id, sealer, now)
    with pytest.raises(SendTooSoon):
        ask(session, make_brand(session).id, sealer, now + timedelta(seconds=30), purpose="leave")


def test_it_refuses_a_sixth_message_within_an_hour(
    session: Session, brand_id: UUID, sealer: Sealer, now: datetime
) -> None:
    for minute in range(5):
        ask(session, brand_id, sealer, now + timedelta(minutes=minute))
    with pytest.raises(SendTooMany):
        ask(session, brand_id, sealer, now + timedelta(minutes=59))
    ask(session, brand_id, sealer, now + timedelta(minutes=60))


def test_it_refuses_an_address_that_asks_for_many_phones(
    session: Session, brand_id: UUID, sealer: Sealer, now: datetime
) -> None:
    limits = SendLimits(per_address_hour=3)
    for number in range(3):
        ask(session, brand_id, sealer, now, phone=f"+861381234800{number}", limits=limits)
    with pytest.raises(SendTooMany):
        ask(session, brand_id, sealer, now, phone="+8613812348009", limits=limits)
    ask(session, brand_id, sealer, now, phone="+8613812348009", limits=limits, address_digest="bb" * 32)


def test_old_passwords_and_turns_are_purged(session: Session, brand_id: UUID, sealer: Sealer, now: datetime) -> None:
    ask(session, brand_id, sealer, now)
    assert members.purge(session, now=now + timedelta(hours=23)) == 0
    assert members.purge(session, now=now + timedelta(hours=24)) == 1
    assert session.scalar(select(func.count()).select_from(SendTurn)) == 0
