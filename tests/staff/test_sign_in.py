"""Signing in: a try is counted before it is compared, so that no burst of guesses gets more than the lock allows."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from scancode.db import Database
from scancode.staff import passwords
from scancode.staff import service as staff
from scancode.staff.models import AuditRow, Staff
from tests.factories import PASSWORD, make_staff
from tests.threads import at_once

FAILURES_MAX = 5
LOCK_MINUTES = 15
AGENT = "Mozilla/5.0 (Windows NT 10.0) Chrome/140"


def begin(db: Database, login: str, now: datetime) -> staff.Attempt:
    with db.transaction() as session:
        return staff.begin_sign_in(session, login=login, now=now, failures_max=FAILURES_MAX, lock_minutes=LOCK_MINUTES)


def sign_in(db: Database, login: str, password: str, now: datetime) -> tuple[staff.SignedIn | None, str]:
    """As the edge does it."""
    attempt = begin(db, login, now)
    if not attempt.matches(password):
        with db.transaction() as session:
            staff.fail_sign_in(session, attempt=attempt, now=now)
        raise attempt.refusal(now)
    with db.transaction() as session:
        opened, secret = staff.complete_sign_in(
            session,
            attempt=attempt,
            agent=AGENT,
            now=now,
            session_hours=12,
            new_hash=attempt.upgraded_hash(password),
        )
        return staff.find_session(session, session_id=opened.id, secret=secret, now=now), secret


@pytest.fixture
def carol(db: Database) -> Staff:
    with db.transaction() as session:
        return make_staff(session, login="carol")


def test_the_right_password_opens_a_session(db: Database, carol: Staff, now: datetime) -> None:
    signed, _ = sign_in(db, " Carol ", PASSWORD, now)
    assert signed is not None
    assert signed.staff.id == carol.id
    assert signed.expires_at == now + timedelta(hours=12)
    with db.reading() as session:
        assert session.scalars(select(AuditRow.action).order_by(AuditRow.seq)).all() == [
            "staff.create",
            "staff.sign_in",
        ]


@pytest.mark.parametrize(
    ("login", "password"), [("carol", "wrong horse 9"), ("nobody", PASSWORD), ("", ""), ("carol", "")]
)
def test_anything_else_is_refused_in_the_same_words(
    db: Database, carol: Staff, now: datetime, login: str, password: str
) -> None:
    with pytest.raises(staff.WrongPassword) as refused:
        sign_in(db, login, password, now)
    assert refused.value.sentence() == "The login or the password is wrong."


def test_a_closed_account_is_refused_like_an_unknown_one(db: Database, carol: Staff, now: datetime) -> None:
    with db.transaction() as session:
        staff.deactivate(session, staff_id=carol.id, actor="cli", now=now)
    with pytest.raises(staff.WrongPassword):
        sign_in(db, "carol", PASSWORD, now)


def test_the_fifth_wrong_password_locks_and_the_sixth_try_is_refused_though_it_is_right(
    db: Database, carol: Staff, now: datetime
) -> None:
    for number in range(1, FAILURES_MAX + 1):
        kind = staff.WrongPassword if number < FAILURES_MAX else staff.AccountLocked
        with pytest.raises(kind):
            sign_in(db, "carol", "wrong horse 9", now)
    with pytest.raises(staff.AccountLocked) as refused:
        sign_in(db, "carol", PASSWORD, now + timedelta(minutes=1))
    assert refused.value.facts == {"minutes": 14}
    with db.reading() as session:
        actions = session.scalars(select(AuditRow.action).order_by(AuditRow.seq)).all()
    assert actions == ["staff.create", "staff.lock"]


def test_a_lock_ends_at_its_time_and_not_before(db: Database, carol: Staff, now: datetime) -> None:
    for _ in range(FAILURES_MAX):
        with pytest.raises((staff.WrongPassword, staff.AccountLocked)):
            sign_in(db, "carol", "wrong horse 9", now)
    end = now + timedelta(minutes=LOCK_MINUTES)
    with pytest.raises(staff.AccountLocked) as refused:
        sign_in(db, "carol", PASSWORD, end - timedelta(seconds=1))
    assert refused.value.facts == {"minutes": 1}
    with pytest.raises(staff.WrongPassword):
        sign_in(db, "carol", "wrong horse 9", end)
    assert sign_in(db, "carol", PASSWORD, end)[0]


def test_success_gives_the_tries_back(db: Database, carol: Staff, now: datetime) -> None:
    for _ in range(3):
        for _ in range(FAILURES_MAX - 1):
            with pytest.raises(staff.WrongPassword):
                sign_in(db, "carol", "wrong horse 9", now)
        assert sign_in(db, "carol", PASSWORD, now)[0]


def test_the_last_try_may_be_the_right_one(db: Database, carol: Staff, now: datetime) -> None:
    for _ in range(FAILURES_MAX - 1):
        with pytest.raises(staff.WrongPassword):
            sign_in(db, "carol", "wrong horse 9", now)
    assert sign_in(db, "carol", PASSWORD, now)[0]
    with db.reading() as session:
        assert session.execute(select(Staff.failures, Staff.locked_until)).one() == (0, None)


def test_of_many_guesses_at_once_only_as_many_are_compared_as_the_lock_allows(
    db: Database, carol: Staff, now: datetime
) -> None:
    results = at_once(12, lambda _: begin(db, "carol", now))
    assert sum(isinstance(result, staff.Attempt) for result in results) == FAILURES_MAX
    assert sum(isinstance(result, staff.AccountLocked) for result in results) == 12 - FAILURES_MAX


def test_a_password_changed_meanwhile_is_the_one_that_counts(db: Database, carol: Staff, now: datetime) -> None:
    attempt = begin(db, "carol", now)
    with db.transaction() as session:
        staff.set_password(session, staff_id=carol.id, password="battery staple 7", actor="cli", now=now)
    with pytest.raises(staff.WrongPassword), db.transaction() as session:
        staff.complete_sign_in(session, attempt=attempt, agent=AGENT, now=now, session_hours=1)


def test_an_old_hash_still_opens_and_is_made_anew(db: Database, carol: Staff, now: datetime) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)
    with db.transaction() as session:
        session.execute(update(Staff).values(password_hash=passwords.hashed(PASSWORD, hasher=weak)))
    assert sign_in(db, "carol", PASSWORD, now)[0]
    with db.reading() as session:
        kept = session.scalar(select(Staff.password_hash))
    assert kept is not None
    assert not passwords.is_outgrown(kept)
    assert sign_in(db, "carol", PASSWORD, now)[0]


def test_an_unknown_login_costs_a_comparison_too(db: Database, now: datetime) -> None:
    attempt = begin(db, "nobody", now)
    assert attempt.password_hash == passwords.dummy()
    assert not passwords.is_outgrown(attempt.password_hash)
    assert not attempt.matches("")
