"""The record of what was done: without gaps however many write, and any change to it is found."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.db import Database
from scancode.staff import service as staff
from scancode.staff.models import AuditRow
from tests.threads import at_once

BRAND = UUID(int=1)


def write(session: Session, number: int, now: datetime, brand_id: UUID | None = BRAND) -> int:
    return staff.audit(
        session,
        actor="staff:carol",
        brand_id=brand_id,
        action="batch.order",
        subject=f"batch:{number}",
        facts={"count": number},
        now=now + timedelta(seconds=number),
    )


def test_rows_are_numbered_from_one(session: Session, now: datetime) -> None:
    assert [write(session, number, now) for number in range(3)] == [1, 2, 3]
    report = staff.verify_chain(session)
    assert (report.is_whole, report.rows) == (True, 3)


def test_an_empty_record_is_whole(session: Session) -> None:
    assert staff.verify_chain(session).is_whole


def test_what_is_rolled_back_leaves_no_gap(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        write(session, 1, now)
    with pytest.raises(KeyError), db.transaction() as session:
        write(session, 2, now)
        raise KeyError
    with db.transaction() as session:
        assert write(session, 3, now) == 2
        assert staff.verify_chain(session).is_whole


def test_many_at_once_leave_a_chain_without_gaps(db: Database, now: datetime) -> None:
    def work(number: int) -> list[int]:
        seen = []
        for turn in range(5):
            with db.transaction() as session:
                seen.append(write(session, number * 10 + turn, now))
        return seen

    results = at_once(6, work)
    numbers = [seq for result in results if isinstance(result, list) for seq in result]
    assert sorted(numbers) == list(range(1, 31)), results
    with db.reading() as session:
        report = staff.verify_chain(session)
    assert (report.is_whole, report.rows) == (True, 30)


TAMPERINGS: dict[str, tuple[str, int, str]] = {
    "an actor": ("UPDATE audit_rows SET actor = 'staff:mallory' WHERE seq = 2", 2, "A row was changed."),
    "facts": ("""UPDATE audit_rows SET facts = '{"count":9}' WHERE seq = 3""", 3, "A row was changed."),
    "a time": ("UPDATE audit_rows SET at = '2020-01-01 00:00:00' WHERE seq = 1", 1, "A row was changed."),
    "a brand": ("UPDATE audit_rows SET brand_id = NULL WHERE seq = 4", 4, "A row was changed."),
    "a hash": (f"UPDATE audit_rows SET hash = '{'f' * 64}' WHERE seq = 2", 2, "A row was changed."),
    "the first": ("DELETE FROM audit_rows WHERE seq = 1", 1, "A row is missing."),
    "one between": ("DELETE FROM audit_rows WHERE seq = 3", 3, "A row is missing."),
    "the last": ("DELETE FROM audit_rows WHERE seq = 4", 4, "A row is missing."),
    "the head": ("DELETE FROM audit_head", 4, "The head of the record is missing."),
    "the head's hash": (
        f"UPDATE audit_head SET hash = '{'f' * 64}'",
        4,
        "The head of the record does not fit its last row.",
    ),
    "all rows": ("DELETE FROM audit_rows", 1, "A row is missing."),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_it_finds_a_change_to(session: Session, now: datetime, what: str) -> None:
    for number in range(4):
        write(session, number, now)
    statement, seq, problem = TAMPERINGS[what]
    session.connection().exec_driver_sql(statement)
    session.expire_all()
    report = staff.verify_chain(session)
    assert (report.seq, report.problem) == (seq, problem)


def test_it_finds_a_row_put_in_at_the_end(session: Session, now: datetime) -> None:
    write(session, 1, now)
    row = session.scalars(select(AuditRow)).one()
    forged = {column.name: getattr(row, column.name) for column in AuditRow.__table__.columns}
    session.add(AuditRow(**(forged | {"seq": 2, "hash": "e" * 64})))
    session.flush()
    assert staff.verify_chain(session).problem == "A row was changed."


def test_it_narrows_down(session: Session, now: datetime) -> None:
    for number in range(5):
        write(session, number, now, brand_id=BRAND if number % 2 else None)

    def seqs(brand_id: UUID | None = None, before: int | None = None, **chosen: str | datetime) -> list[int]:
        wanted = staff.AuditFilter(**chosen)  # type: ignore[arg-type]
        rows = staff.list_audit(session, brand_id=brand_id, chosen=wanted, limit=10, before=before)
        return [row.seq for row in rows]

    assert seqs() == [5, 4, 3, 2, 1]
    assert seqs(before=3) == [2, 1]
    assert seqs(brand_id=BRAND) == [4, 2]
    assert seqs(subject="batch:2") == [3]
    assert seqs(action="batch.") == [5, 4, 3, 2, 1]
    assert seqs(action="batch_") == []
    assert seqs(actor="staff:nobody") == []
    assert seqs(since=now + timedelta(seconds=3)) == [5, 4]
    assert seqs(until=now + timedelta(seconds=1)) == [1]


@pytest.mark.parametrize("action", ["batch", "Batch.Order", "", "a." + "b" * 60])
def test_an_action_of_another_form_is_a_mistake(session: Session, now: datetime, action: str) -> None:
    with pytest.raises(ValueError, match="not an action"):
        staff.audit(session, actor="cli", brand_id=None, action=action, subject="x", facts={}, now=now)
