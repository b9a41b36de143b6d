"""Staff accounts: opening one, its password, its role, closing it. Whatever weakens an account ends its sessions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from scancode.db import affected, insert_once, new_id
from scancode.errors import Invalid, NotFound, Refusal
from scancode.i18n import N_
from scancode.staff import passwords
from scancode.staff.models import Staff, StaffSession
from scancode.staff.rules import Role, StaffFacts, login_problem, password_problem, tidy_login
from scancode.staff.service.audit import audit

NAME_LENGTH_MAX = 80


class LoginTaken(Refusal):
    code = "login_taken"
    text = N_("The login {login} is taken. Choose another.")


class LastAdministrator(Refusal):
    code = "last_administrator"
    text = N_("This is the last administrator of the installation. Make somebody else administrator first.")


class WrongOldPassword(Refusal):
    code = "wrong_old_password"
    text = N_("The present password is wrong.")
    status = 422


def create(
    session: Session,
    *,
    login: str,
    name: str,
    password: str,
    role: Role,
    brand_id: UUID | None = None,
    is_demo: bool = False,
    actor: str = "cli",
    now: datetime,
) -> Staff:
    """Opens an account. Raises LoginTaken, or Invalid for a login, name or password that cannot be taken."""
    login, name = tidy_login(login), name.strip()
    _check("login", login_problem(login))
    _check("name", None if 0 < len(name) <= NAME_LENGTH_MAX else N_("1 to 80 characters."))
    _check("password", password_problem(password, login=login))
    staff_id = new_id(now)
    made = insert_once(
        session,
        Staff,
        id=staff_id,
        login=login,
        name=name,
        password_hash=passwords.hashed(password),
        role=role.value,
        brand_id=brand_id,
        is_active=True,
        is_demo=is_demo,
        failures=0,
        created_at=now,
    )
    if not made:
        raise LoginTaken(login=login)
    facts = {"role": role.value, "brand_id": str(brand_id) if brand_id else None}
    _audit(session, actor, brand_id, "staff.create", staff_id, facts, now)
    return get_staff(session, staff_id=staff_id)


def _check(field: str, problem: str | None) -> None:
    if problem:
        raise Invalid(field=field, problem=problem)


def get_staff(session: Session, *, staff_id: UUID) -> Staff:
    staff = session.get(Staff, staff_id, populate_existing=True)
    if staff is None:
        raise NotFound
    return staff


def find_staff(session: Session, *, login: str) -> Staff | None:
    return session.scalar(select(Staff).where(Staff.login == tidy_login(login)))


def list_staff(session: Session, *, brand_id: UUID | None, limit: int = 500) -> list[Staff]:
    """The accounts of a brand, or all of them, by name; closed ones last."""
    query = select(Staff).order_by(Staff.is_active.desc(), Staff.name, Staff.id).limit(limit)
    return list(session.scalars(query if brand_id is None else query.where(Staff.brand_id == brand_id)))


def facts_of(staff: Staff) -> StaffFacts:
    return StaffFacts(id=staff.id, name=staff.name, role=Role(staff.role), brand_id=staff.brand_id)


def set_password(
    session: Session,
    *,
    staff_id: UUID,
    password: str,
    actor: str,
    keep_session_id: UUID | None = None,
    old_password: str | None = None,
    now: datetime,
) -> None:
    """Changes the password, lifts a lock, and ends every session but ``keep_session_id``. A demo account is none then.

    With ``old_password`` (a person changing their own) it has to be right: else WrongOldPassword.
    """
    staff = get_staff(session, staff_id=staff_id)
    if old_password is not None and not passwords.matches(staff.password_hash, old_password):
        raise WrongOldPassword
    _check("password", password_problem(password, login=staff.login))
    new_hash = passwords.hashed(password)
    unchanged = update(Staff).where(Staff.id == staff_id, Staff.password_hash == staff.password_hash)
    values = {"password_hash": new_hash, "failures": 0, "locked_until": None, "is_demo": False}
    if affected(session, unchanged.values(values)) != 1:
        raise WrongOldPassword
    ended = end_sessions(session, staff_id=staff_id, keep_session_id=keep_session_id, now=now)
    facts = {"sessions_ended": ended, "own": old_password is not None}
    _audit(session, actor, staff.brand_id, "staff.password", staff_id, facts, now)


def set_role(session: Session, *, staff_id: UUID, role: Role, brand_id: UUID | None, actor: str, now: datetime) -> None:
    """Gives another role or brand and ends the sessions that had the old one. Raises LastAdministrator."""
    staff = get_staff(session, staff_id=staff_id)
    if (staff.role, staff.brand_id) == (role.value, brand_id):
        return
    if role is not Role.ADMIN or brand_id is not None:
        _keep_an_administrator(session, staff)
    change = update(Staff).where(Staff.id == staff_id).values(role=role.value, brand_id=brand_id)
    affected(session, change)
    ended = end_sessions(session, staff_id=staff_id, now=now)
    facts = {
        "from": staff.role,
        "to": role.value,
        "brand_from": str(staff.brand_id) if staff.brand_id else None,
        "brand_to": str(brand_id) if brand_id else None,
        "sessions_ended": ended,
    }
    _audit(session, actor, brand_id or staff.brand_id, "staff.role", staff_id, facts, now)


def rename(session: Session, *, staff_id: UUID, name: str, actor: str, now: datetime) -> None:
    staff = get_staff(session, staff_id=staff_id)
    name = name.strip()
    _check("name", None if 0 < len(name) <= NAME_LENGTH_MAX else N_("1 to 80 characters."))
    if name != staff.name:
        affected(session, update(Staff).where(Staff.id == staff_id).values(name=name))
        _audit(session, actor, staff.brand_id, "staff.rename", staff_id, {}, now)


def deactivate(session: Session, *, staff_id: UUID, actor: str, now: datetime) -> None:
    """Closes an account and ends its sessions; its rows stay. Raises LastAdministrator."""
    staff = get_staff(session, staff_id=staff_id)
    _keep_an_administrator(session, staff)
    if affected(session, update(Staff).where(Staff.id == staff_id, Staff.is_active).values(is_active=False)) == 1:
        ended = end_sessions(session, staff_id=staff_id, now=now)
        _audit(session, actor, staff.brand_id, "staff.deactivate", staff_id, {"sessions_ended": ended}, now)


def reactivate(session: Session, *, staff_id: UUID, actor: str, now: datetime) -> None:
    """Opens a closed account again, unlocked."""
    staff = get_staff(session, staff_id=staff_id)
    change = update(Staff).where(Staff.id == staff_id, Staff.is_active.is_(False))
    if affected(session, change.values(is_active=True, failures=0, locked_until=None)) == 1:
        _audit(session, actor, staff.brand_id, "staff.reactivate", staff_id, {}, now)


def unlock(session: Session, *, staff_id: UUID, actor: str, now: datetime) -> None:
    """Lifts a lock before its time."""
    staff = get_staff(session, staff_id=staff_id)
    if affected(session, update(Staff).where(Staff.id == staff_id).values(failures=0, locked_until=None)) == 1:
        _audit(session, actor, staff.brand_id, "staff.unlock", staff_id, {}, now)


def end_sessions(session: Session, *, staff_id: UUID, keep_session_id: UUID | None = None, now: datetime) -> int:
    """Ends the person's open sessions, but for one if named; returns how many."""
    statement = update(StaffSession).where(
        StaffSession.staff_id == staff_id, StaffSession.revoked_at.is_(None), StaffSession.expires_at > now
    )
    if keep_session_id is not None:
        statement = statement.where(StaffSession.id != keep_session_id)
    return affected(session, statement.values(revoked_at=now))


def _keep_an_administrator(session: Session, staff: Staff) -> None:
    """Refuses to take away the last administrator of the installation. Two who leave at once take turns."""
    if staff.role != Role.ADMIN or staff.brand_id is not None or not staff.is_active:
        return
    admins = select(Staff.id).where(Staff.role == Role.ADMIN.value, Staff.brand_id.is_(None), Staff.is_active)
    if len(session.scalars(admins.order_by(Staff.id).with_for_update()).all()) <= 1:
        raise LastAdministrator


def count_staff(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Staff)) or 0


def has_demo(session: Session) -> bool:
    """Whether an account whose password is published is open."""
    return session.scalar(select(Staff.id).where(Staff.is_demo, Staff.is_active).limit(1)) is not None


def _audit(
    session: Session,
    actor: str,
    brand_id: UUID | None,
    action: str,
    staff_id: UUID,
    facts: Mapping[str, object],
    now: datetime,
) -> None:
    audit(session, actor=actor, brand_id=brand_id, action=action, subject=f"staff:{staff_id}", facts=facts, now=now)
