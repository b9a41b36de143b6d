"""Signing in, and the sessions that come of it.

A sign-in is three steps, so that no transaction is open while a password is compared. ``begin_sign_in`` takes a try
and counts it as a failure before anybody knows how it ends, in one guarded UPDATE: however many guesses arrive at
once, no more are compared than the lock-out allows. Then the edge compares. ``complete_sign_in`` gives the tries back
and opens the session; ``fail_sign_in`` leaves the count as it is. Commit after each.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import Session

from scancode.db import affected, new_id
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.staff import passwords
from scancode.staff.models import Staff, StaffSession
from scancode.staff.rules import Role, StaffFacts, tidy_login
from scancode.staff.service.audit import audit

SEEN_EVERY = timedelta(minutes=5)


class WrongPassword(Refusal):
    """Says the same for an unknown login, a closed account and a wrong password."""

    code = "wrong_password"
    text = N_("The login or the password is wrong.")
    status = 401


class AccountLocked(Refusal):
    code = "account_locked"
    text = N_(
        "Too many wrong passwords: the account is locked for {minutes} more minutes. "
        "Wait, or ask an administrator to unlock it."
    )
    status = 401


@dataclass(frozen=True)
class Attempt:
    """A try that was counted. ``staff_id`` is None for a login that does not exist; its hash matches nothing."""

    staff_id: UUID | None
    brand_id: UUID | None
    password_hash: str
    locks_until: datetime | None = None
    """Set when this try was the last one: the account stays locked until then unless the password is right."""

    def matches(self, password: str) -> bool:
        return passwords.matches(self.password_hash, password) and self.staff_id is not None

    def upgraded_hash(self, password: str) -> str | None:
        """A hash with today's parameters, when the kept one has others."""
        return passwords.hashed(password) if passwords.is_outgrown(self.password_hash) else None

    def refusal(self, now: datetime) -> Refusal:
        """What to tell somebody whose password was wrong."""
        return AccountLocked(minutes=_minutes(self.locks_until, now)) if self.locks_until else WrongPassword()


def _minutes(until: datetime, now: datetime) -> int:
    return max(1, -int((now - until).total_seconds() // 60))


def begin_sign_in(session: Session, *, login: str, now: datetime, failures_max: int, lock_minutes: int) -> Attempt:
    """Takes one try. Raises AccountLocked while the account is locked, whether the password is right or not."""
    staff = session.scalar(select(Staff).where(Staff.login == tidy_login(login)))
    if staff is None or not staff.is_active:
        return Attempt(None, None, passwords.dummy())
    expired = (Staff.id == staff.id, Staff.locked_until <= now)
    affected(session, update(Staff).where(*expired).values(failures=0, locked_until=None))
    until = now + timedelta(minutes=lock_minutes)
    taken = session.execute(
        update(Staff)
        .where(Staff.id == staff.id, Staff.locked_until.is_(None))
        .values(failures=Staff.failures + 1, locked_until=case((Staff.failures + 1 >= failures_max, until)))
        .returning(Staff.locked_until, Staff.password_hash),
        execution_options={"synchronize_session": False},
    ).one_or_none()
    if taken is None:
        locked_until = session.scalar(select(Staff.locked_until).where(Staff.id == staff.id))
        raise AccountLocked(minutes=_minutes(locked_until or until, now))
    return Attempt(staff.id, staff.brand_id, taken.password_hash, taken.locked_until)


def complete_sign_in(
    session: Session,
    *,
    attempt: Attempt,
    agent: str,
    now: datetime,
    session_hours: int,
    new_hash: str | None = None,
) -> tuple[StaffSession, str]:
    """The password was right: gives the tries back and opens a session. Returns it with its secret.

    Raises WrongPassword when the password was changed or the account closed since ``begin_sign_in``.
    """
    if attempt.staff_id is None:
        raise WrongPassword
    statement = update(Staff).where(
        Staff.id == attempt.staff_id, Staff.is_active, Staff.password_hash == attempt.password_hash
    )
    values = {"failures": 0, "locked_until": None, "password_hash": new_hash or attempt.password_hash}
    if affected(session, statement.values(values)) != 1:
        raise WrongPassword
    opened = open_session(session, staff_id=attempt.staff_id, agent=agent, now=now, session_hours=session_hours)
    _audit(session, attempt, "staff.sign_in", {"session": str(opened[0].id)}, now)
    return opened


def fail_sign_in(session: Session, *, attempt: Attempt, now: datetime) -> None:
    """The password was wrong; when that locked the account, the record says so."""
    if attempt.locks_until is not None:
        _audit(session, attempt, "staff.lock", {"until": attempt.locks_until.isoformat()}, now)


def _audit(session: Session, attempt: Attempt, action: str, facts: Mapping[str, object], now: datetime) -> None:
    person = f"staff:{attempt.staff_id}"
    audit(session, actor=person, brand_id=attempt.brand_id, action=action, subject=person, facts=facts, now=now)


def open_session(
    session: Session, *, staff_id: UUID, agent: str, now: datetime, session_hours: int
) -> tuple[StaffSession, str]:
    """A new session of this person, with the secret that only the browser keeps."""
    secret = secrets.token_urlsafe(32)
    opened = StaffSession(
        id=new_id(now),
        staff_id=staff_id,
        secret_hash=_hash(secret),
        agent=agent[:200],
        created_at=now,
        seen_at=now,
        expires_at=now + timedelta(hours=session_hours),
    )
    session.add(opened)
    session.flush()
    return opened, secret


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class SignedIn:
    """Who a good session belongs to."""

    session_id: UUID
    staff: StaffFacts
    seen_at: datetime
    expires_at: datetime

    def is_stale(self, now: datetime) -> bool:
        """Whether it is time to note that the session is in use."""
        return now - self.seen_at >= SEEN_EVERY


def find_session(session: Session, *, session_id: UUID, secret: str, now: datetime) -> SignedIn | None:
    """The person behind a session; None when it is unknown, over or revoked, or the account is closed."""
    row = session.execute(
        select(StaffSession, Staff)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(
            StaffSession.id == session_id,
            StaffSession.revoked_at.is_(None),
            StaffSession.expires_at > now,
            Staff.is_active,
        )
    ).one_or_none()
    if row is None or not hmac.compare_digest(row[0].secret_hash, _hash(secret)):
        return None
    opened, staff = row
    facts = StaffFacts(id=staff.id, name=staff.name, role=Role(staff.role), brand_id=staff.brand_id)
    return SignedIn(opened.id, facts, opened.seen_at, opened.expires_at)


def note_seen(session: Session, *, session_id: UUID, now: datetime) -> None:
    affected(session, update(StaffSession).where(StaffSession.id == session_id).values(seen_at=now))


def list_sessions(session: Session, *, staff_id: UUID, now: datetime, limit: int = 100) -> list[StaffSession]:
    """The open sessions of a person, the last used first."""
    return list(
        session.scalars(
            select(StaffSession)
            .where(StaffSession.staff_id == staff_id, StaffSession.revoked_at.is_(None), StaffSession.expires_at > now)
            .order_by(StaffSession.seen_at.desc(), StaffSession.id.desc())
            .limit(limit)
        )
    )


def revoke_sessions(
    session: Session,
    *,
    staff_id: UUID,
    actor: str,
    now: datetime,
    session_id: UUID | None = None,
    keep_session_id: UUID | None = None,
) -> int:
    """Ends one session of a person (``session_id``), or all but ``keep_session_id``; returns how many.

    Raises NotFound when the named session is not an open one of that person.
    """
    statement = update(StaffSession).where(
        StaffSession.staff_id == staff_id, StaffSession.revoked_at.is_(None), StaffSession.expires_at > now
    )
    if session_id is not None:
        statement = statement.where(StaffSession.id == session_id)
    if keep_session_id is not None:
        statement = statement.where(StaffSession.id != keep_session_id)
    ended = affected(session, statement.values(revoked_at=now))
    if session_id is not None and ended == 0:
        raise NotFound
    if ended:
        brand_id = session.scalar(select(Staff.brand_id).where(Staff.id == staff_id))
        audit(
            session,
            actor=actor,
            brand_id=brand_id,
            action="session.revoke",
            subject=f"session:{session_id}" if session_id else f"staff:{staff_id}",
            facts={"staff": str(staff_id), "sessions_ended": ended},
            now=now,
        )
    return ended


def sign_out(session: Session, *, session_id: UUID, now: datetime) -> None:
    """Ends one's own session. Not a change to anything, so it leaves no row in the record."""
    ended = update(StaffSession).where(StaffSession.id == session_id, StaffSession.revoked_at.is_(None))
    affected(session, ended.values(revoked_at=now))


def sweep_sessions(session: Session, *, before: datetime, limit: int = 1000) -> int:
    """Forgets sessions that were over before then; returns how many."""
    ids = session.scalars(select(StaffSession.id).where(StaffSession.expires_at < before).limit(limit)).all()
    return affected(session, delete(StaffSession).where(StaffSession.id.in_(ids))) if ids else 0
