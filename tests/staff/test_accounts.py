"""Opening, changing and closing accounts; whatever weakens one ends its sessions and is recorded."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.db import Database
from scancode.errors import Invalid, NotFound
from scancode.staff import passwords
from scancode.staff import service as staff
from scancode.staff.models import AuditRow
from scancode.staff.rules import Role
from tests.factories import PASSWORD, make_staff
from tests.staff.test_sessions import finds, opened
from tests.threads import at_once

BRAND = UUID(int=1)


def last_row(session: Session) -> AuditRow:
    return session.scalars(select(AuditRow).order_by(AuditRow.seq.desc()).limit(1)).one()


def test_an_account_is_opened_and_recorded(session: Session, now: datetime) -> None:
    carol = make_staff(session, login=" Carol@Brand.example ", brand_id=BRAND)
    assert (carol.login, carol.role, carol.brand_id, carol.is_active) == ("carol@brand.example", "factory", BRAND, True)
    assert carol.password_hash.startswith("$argon2id$")
    row = last_row(session)
    assert (row.action, row.subject, row.brand_id) == ("staff.create", f"staff:{carol.id}", BRAND)
    assert "carol" not in row.facts + row.actor


def test_a_login_is_taken_once(session: Session, now: datetime) -> None:
    make_staff(session, login="carol")
    with pytest.raises(staff.LoginTaken):
        make_staff(session, login="CAROL")


@pytest.mark.parametrize(
    ("field", "over"),
    [
        ("login", {"login": "x"}),
        ("name", {"name": "  ", "login": "carol"}),
        ("name", {"name": "x" * 81, "login": "carol"}),
        ("password", {"password": "too short"}),
        ("password", {"login": "carol", "password": "carol carol 123"}),
    ],
)
def test_what_cannot_be_taken_is_refused(session: Session, field: str, over: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        make_staff(session, **over)
    assert refused.value.facts["field"] == field


def test_a_new_password_ends_the_other_sessions(session: Session, now: datetime) -> None:
    carol = make_staff(session)
    own, other = opened(session, carol.id, now), opened(session, carol.id, now)
    staff.set_password(
        session,
        staff_id=carol.id,
        old_password=PASSWORD,
        password="battery staple 7",
        keep_session_id=own[0],
        actor="x",
        now=now,
    )
    assert (finds(session, own, now), finds(session, other, now)) == (True, False)
    session.expire_all()
    assert passwords.matches(staff.get_staff(session, staff_id=carol.id).password_hash, "battery staple 7")
    assert last_row(session).action == "staff.password"


def test_a_wrong_old_password_changes_nothing(session: Session, now: datetime) -> None:
    carol = make_staff(session)
    key = opened(session, carol.id, now)
    with pytest.raises(staff.WrongOldPassword):
        staff.set_password(
            session, staff_id=carol.id, old_password="wrong", password="battery staple 7", actor="x", now=now
        )
    assert finds(session, key, now)


def test_a_new_role_ends_the_sessions_that_had_the_old_one(session: Session, now: datetime) -> None:
    carol = make_staff(session)
    key = opened(session, carol.id, now)
    staff.set_role(session, staff_id=carol.id, role=Role.MARKETING, brand_id=BRAND, actor="x", now=now)
    assert not finds(session, key, now)
    assert last_row(session).action == "staff.role"


def test_the_same_role_changes_nothing(session: Session, now: datetime) -> None:
    carol = make_staff(session)
    key = opened(session, carol.id, now)
    staff.set_role(session, staff_id=carol.id, role=Role.FACTORY, brand_id=None, actor="x", now=now)
    assert finds(session, key, now)
    assert last_row(session).action == "staff.create"


def test_the_last_administrator_stays(session: Session, now: datetime) -> None:
    first = make_staff(session, role=Role.ADMIN)
    make_staff(session, role=Role.ADMIN, brand_id=BRAND)
    make_staff(session)
    with pytest.raises(staff.LastAdministrator):
        staff.deactivate(session, staff_id=first.id, actor="x", now=now)
    with pytest.raises(staff.LastAdministrator):
        staff.set_role(session, staff_id=first.id, role=Role.FACTORY, brand_id=None, actor="x", now=now)
    with pytest.raises(staff.LastAdministrator):
        staff.set_role(session, staff_id=first.id, role=Role.ADMIN, brand_id=BRAND, actor="x", now=now)
    make_staff(session, role=Role.ADMIN)
    staff.deactivate(session, staff_id=first.id, actor="x", now=now)


def test_of_two_administrators_who_close_each_other_at_once_one_stays(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        admins = [make_staff(session, role=Role.ADMIN).id for _ in range(2)]

    def work(number: int) -> None:
        with db.transaction() as session:
            staff.deactivate(session, staff_id=admins[number], actor="x", now=now)

    results = at_once(2, work)
    assert sorted(type(result).__name__ for result in results) == ["LastAdministrator", "NoneType"]


def test_an_unlocked_account_may_try_again(session: Session, now: datetime) -> None:
    carol = make_staff(session)
    for _ in range(3):
        staff.begin_sign_in(session, login=carol.login, now=now, failures_max=3, lock_minutes=15)
    staff.unlock(session, staff_id=carol.id, actor="x", now=now)
    assert (
        staff.begin_sign_in(session, login=carol.login, now=now, failures_max=3, lock_minutes=15).staff_id == carol.id
    )


def test_nobody_is_not_found(session: Session, now: datetime) -> None:
    with pytest.raises(NotFound):
        staff.deactivate(session, staff_id=UUID(int=3), actor="x", now=now)


def test_a_brand_lists_its_own(session: Session) -> None:
    make_staff(session)
    anna = make_staff(session, name="Anna", brand_id=BRAND)
    assert [one.id for one in staff.list_staff(session, brand_id=BRAND)] == [anna.id]
    assert len(staff.list_staff(session, brand_id=None)) == 2
