"""A session is a row: found by its secret, over at its time, ended by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from scancode.db import new_id
from scancode.errors import NotFound
from scancode.staff import service as staff
from tests.factories import make_staff


def opened(session: Session, staff_id: UUID, now: datetime) -> tuple[UUID, str]:
    row, secret = staff.open_session(session, staff_id=staff_id, agent="x" * 300, now=now, session_hours=12)
    return row.id, secret


def finds(session: Session, key: tuple[UUID, str], now: datetime) -> bool:
    return staff.find_session(session, session_id=key[0], secret=key[1], now=now) is not None


def test_it_is_found_by_its_secret_alone(session: Session, now: datetime) -> None:
    carol = make_staff(session)
    key, other = opened(session, carol.id, now), opened(session, carol.id, now)
    assert finds(session, key, now)
    assert not finds(session, (key[0], other[1]), now)
    assert not finds(session, (new_id(now), key[1]), now)


def test_it_is_over_at_its_time_and_not_before(session: Session, now: datetime) -> None:
    key = opened(session, make_staff(session).id, now)
    end = now + timedelta(hours=12)
    assert finds(session, key, end - timedelta(microseconds=1))
    assert not finds(session, key, end)


def test_it_is_over_when_the_account_is_closed(session: Session, now: datetime) -> None:
    carol = make_staff(session)
    key = opened(session, carol.id, now)
    staff.deactivate(session, staff_id=carol.id, actor="cli", now=now)
    assert not finds(session, key, now)
    staff.reactivate(session, staff_id=carol.id, actor="cli", now=now)
    assert not finds(session, key, now)


def test_one_session_is_revoked_and_the_others_stay(session: Session, now: datetime) -> None:
    carol = make_staff(session)
    key, other = opened(session, carol.id, now), opened(session, carol.id, now)
    assert staff.revoke_sessions(session, staff_id=carol.id, session_id=key[0], actor="cli", now=now) == 1
    assert not finds(session, key, now)
    assert finds(session, other, now)


def test_all_sessions_but_one_are_revoked(session: Session, now: datetime) -> None:
    carol, dave = make_staff(session), make_staff(session, name="Dave")
    keys = [opened(session, carol.id, now) for _ in range(3)]
    daves = opened(session, dave.id, now)
    ended = staff.revoke_sessions(session, staff_id=carol.id, keep_session_id=keys[0][0], actor="cli", now=now)
    assert ended == 2
    assert [finds(session, key, now) for key in [*keys, daves]] == [True, False, False, True]


def test_somebody_elses_session_is_not_found(session: Session, now: datetime) -> None:
    carol, dave = make_staff(session), make_staff(session, name="Dave")
    key = opened(session, dave.id, now)
    with pytest.raises(NotFound):
        staff.revoke_sessions(session, staff_id=carol.id, session_id=key[0], actor="cli", now=now)
    assert finds(session, key, now)


def test_signing_out_ends_it(session: Session, now: datetime) -> None:
    key = opened(session, make_staff(session).id, now)
    staff.sign_out(session, session_id=key[0], now=now)
    assert not finds(session, key, now)


def test_it_lists_the_open_ones(session: Session, now: datetime) -> None:
    carol = make_staff(session)
    key, ended = opened(session, carol.id, now), opened(session, carol.id, now)
    staff.sign_out(session, session_id=ended[0], now=now)
    assert [one.id for one in staff.list_sessions(session, staff_id=carol.id, now=now)] == [key[0]]
    assert staff.list_sessions(session, staff_id=carol.id, now=now + timedelta(hours=12)) == []


def test_the_old_ones_are_forgotten(session: Session, now: datetime) -> None:
    opened(session, make_staff(session).id, now)
    end = now + timedelta(hours=12)
    assert staff.sweep_sessions(session, before=end) == 0
    assert staff.sweep_sessions(session, before=end + timedelta(seconds=1)) == 1
