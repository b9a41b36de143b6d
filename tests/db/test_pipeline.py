"""Statements that are sent to PostgreSQL together; on SQLite the same calls run one by one."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from scancode.db import Database, as_uuid, send

AGAIN, GONE = r"(?i)unique|duplicate", r"(?i)terminat|clos|connection"
NEW = "INSERT INTO kept (id, number) VALUES (?, ?)"


@pytest.fixture
def kept(db: Database) -> Iterator[Database]:
    with db.transaction() as session:
        kind = "CHAR(32)" if db.is_sqlite else "UUID"
        send(session, f"CREATE TABLE kept (id {kind} PRIMARY KEY, number INTEGER)")
    yield db
    with db.transaction() as session:
        send(session, "DROP TABLE kept")


def numbers(db: Database) -> list[int]:
    with db.reading() as session:
        return [row[0] for row in send(session, "SELECT number FROM kept ORDER BY number")()]


def test_rows_come_where_they_are_asked_for_and_in_order(kept: Database) -> None:
    ids = [uuid4() for _ in range(3)]
    with kept.group() as group:
        for number, id_ in enumerate(ids):
            send(group, NEW, (id_, number))
        found = send(group, "SELECT id, number FROM kept ORDER BY number")
        nothing = send(group, "SELECT id FROM kept WHERE number = ?", (99,))
        assert [(as_uuid(row[0]), row[1]) for row in found()] == list(zip(ids, range(3), strict=True))
        assert nothing() == []
    assert numbers(kept) == [0, 1, 2]


@pytest.mark.parametrize("durable", [False, True])
def test_an_error_undoes_all_of_the_transaction(kept: Database, durable: bool) -> None:
    same = UUID(int=1)
    with pytest.raises(Exception, match=AGAIN), kept.group(durable=durable) as group:
        send(group, NEW, (same, 1))
        send(group, NEW, (same, 2))
        send(group, NEW, (uuid4(), 3))
    assert numbers(kept) == []
    with kept.group(durable=durable) as group:
        send(group, NEW, (same, 4))
    assert numbers(kept) == [4]


def test_an_exception_of_the_caller_sends_nothing(kept: Database) -> None:
    with pytest.raises(KeyError), kept.group() as group:
        send(group, NEW, (uuid4(), 1))
        raise KeyError
    assert numbers(kept) == []


def test_texts_that_come_again_are_prepared_whatever_their_values(kept: Database) -> None:
    for number in (1, None, 40_000, -7, None, 3_000_000, 2, 5):
        with kept.group() as group:
            send(group, NEW, (uuid4(), number))
    assert sorted(number for number in numbers(kept) if number is not None) == [-7, 1, 2, 5, 40_000, 3_000_000]
    if not kept.is_sqlite:
        with kept.group() as group:
            (count,) = send(group, "SELECT count(*) FROM pg_prepared_statements WHERE starts_with(name, '_sc')")()[0]
        assert count >= 1


def test_a_preparation_that_failed_is_made_anew(kept: Database) -> None:
    same = uuid4()
    with kept.group() as group:
        send(group, NEW, (same, 0))
    for turn in range(6):
        with pytest.raises(Exception, match=AGAIN), kept.group() as group:
            send(group, NEW, (same, turn))
    with kept.group() as group:
        send(group, NEW, (uuid4(), 9))
    assert numbers(kept) == [0, 9]


def test_what_could_not_be_prepared_takes_no_place_of_others(kept: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scancode.pipeline.PREPARED_MAX", 4)
    same, later = uuid4(), "UPDATE kept SET number = ? WHERE id = ? AND number IS NOT NULL"
    with kept.group() as group:
        send(group, NEW, (same, 0))
    for turn in range(8):
        with pytest.raises(Exception, match=AGAIN), kept.group() as group:
            send(group, NEW, (same, 0))
            send(group, later, (turn, same))  # never reached
    with kept.group() as group:
        send(group, later, (9, same))
    assert numbers(kept) == [9]
    if not kept.is_sqlite:
        with kept.group() as group:
            texts = send(group, "SELECT statement FROM pg_prepared_statements WHERE starts_with(name, '_sc')")()
        assert any("IS NOT NULL" in text for (text,) in texts)


def test_a_connection_that_died_is_not_used_again(kept: Database) -> None:
    if kept.is_sqlite:
        with kept.group() as group:
            send(group, NEW, (uuid4(), 1))
        assert numbers(kept) == [1]
        return
    with pytest.raises(Exception, match=GONE), kept.group() as group:
        (pid,) = send(group, "SELECT pg_backend_pid()")()[0]
        with kept.engine.connect() as other:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({int(pid)})")
        send(group, NEW, (uuid4(), 1))
    with kept.group() as group:
        send(group, NEW, (uuid4(), 2))
    assert numbers(kept) == [2]
