"""Many requests at once for one phone, on both databases: limits hold, a password is used once, one member is made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.db import Database
from scancode.errors import Refusal
from scancode.jobs.models import Job
from scancode.members import service as members
from scancode.members.models import Member, OneTimePassword
from scancode.members.rules import SendLimits
from scancode.wiring import Wired
from tests.factories import make_brand
from tests.members.test_ask_password import PHONE, ask

T = TypeVar("T")
THREADS = 6


@pytest.fixture
def brand_id(db: Database) -> UUID:
    with db.transaction() as session:
        return make_brand(session).id


def at_once(db: Database, work: Callable[[Session, int], T], times: int = 24) -> list[T | Refusal]:
    """Runs the work in a transaction each, started together; a refusal is an answer like any other."""
    gate = threading.Barrier(THREADS)

    def one(number: int) -> T | Refusal:
        if number < THREADS:
            gate.wait(10)
        try:
            return db.retrying(lambda session: work(session, number))
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(times)))


def test_one_message_goes_out_however_many_ask(wired: Wired, brand_id: UUID, now: datetime) -> None:
    answers = at_once(wired.db, lambda session, _: ask(session, brand_id, wired.sealer, now))
    assert sum(isinstance(answer, datetime) for answer in answers) == 1
    with wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(OneTimePassword)) == 1
        assert session.scalar(select(func.count()).select_from(Job)) == 1


def test_the_cap_of_an_address_holds_over_phones(wired: Wired, brand_id: UUID, now: datetime) -> None:
    limits = SendLimits(per_address_hour=7)
    answers = at_once(
        wired.db,
        lambda session, number: ask(
            session, brand_id, wired.sealer, now, phone=f"+86138123480{number:02}", limits=limits
        ),
    )
    assert sum(isinstance(answer, datetime) for answer in answers) == 7


def test_the_hourly_cap_of_a_phone_holds_over_addresses(wired: Wired, brand_id: UUID, now: datetime) -> None:
    limits = SendLimits(resend_s=0)
    answers = at_once(
        wired.db,
        lambda session, number: ask(
            session, brand_id, wired.sealer, now, address_digest=f"{number:064x}", limits=limits
        ),
    )
    assert sum(isinstance(answer, datetime) for answer in answers) == 5


def test_a_password_is_used_once(wired: Wired, brand_id: UUID, now: datetime) -> None:
    with wired.db.transaction() as session:
        ask(session, brand_id, wired.sealer, now)

    def check(session: Session, _: int) -> bool:
        return members.check_password(
            session,
            brand_id=brand_id,
            phone=PHONE,
            purpose="join",
            password="123456",
            sealer=wired.sealer,
            now=now + timedelta(seconds=1),
        )

    assert at_once(wired.db, check).count(True) == 1


def test_no_more_than_five_guesses_are_looked_at(wired: Wired, brand_id: UUID, now: datetime) -> None:
    with wired.db.transaction() as session:
        ask(session, brand_id, wired.sealer, now, password="000023")

    def guess(session: Session, number: int) -> bool:
        return members.check_password(
            session,
            brand_id=brand_id,
            phone=PHONE,
            purpose="join",
            password=f"{number:06}",
            sealer=wired.sealer,
            now=now,
        )

    at_once(wired.db, guess, times=23)
    with wired.db.reading() as session:
        assert session.scalar(select(OneTimePassword.tries_left)) == 0
    assert at_once(wired.db, lambda session, _: guess(session, 23), times=THREADS) == [False] * THREADS


def test_one_member_is_made_however_many_join(wired: Wired, brand_id: UUID, now: datetime) -> None:
    def join(session: Session, _: int) -> tuple[UUID, bool]:
        phone = members.identify(session, brand_id=brand_id, kind="phone", value=PHONE, sealer=wired.sealer, now=now)
        member, is_new = members.join(session, phone_identity_id=phone.id, brand_id=brand_id, language="zh", now=now)
        return member.id, is_new

    answers = [answer for answer in at_once(wired.db, join) if isinstance(answer, tuple)]
    assert len({member_id for member_id, _ in answers}) == 1
    assert sum(is_new for _, is_new in answers) == 1
    with wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Member)) == 1
