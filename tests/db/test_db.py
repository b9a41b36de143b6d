"""Transactions, types and ids on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from scancode.catalog import revision
from scancode.catalog.models import Revision
from scancode.db import Database, insert_once, new_id
from scancode.jobs.models import Stop

NOW = datetime(2026, 11, 22, 4, 0, 0, 123456, tzinfo=UTC)


def test_it_rolls_back_what_an_exception_interrupts(db: Database) -> None:
    with pytest.raises(KeyError), db.transaction() as session:
        session.add(Stop(name="claims", reason="test", since=NOW))
        session.flush()
        raise KeyError
    with db.reading() as session:
        assert session.get(Stop, "claims") is None


def test_it_keeps_a_time_to_the_microsecond_whatever_its_zone(db: Database) -> None:
    shanghai = NOW.astimezone(timezone(timedelta(hours=8)))
    with db.transaction() as session:
        session.add(Stop(name="claims", reason="test", since=shanghai))
    with db.reading() as session:
        assert session.scalar(select(Stop.since)) == NOW


def test_it_inserts_once(db: Database) -> None:
    with db.transaction() as session:
        assert insert_once(session, Stop, name="claims", reason="a", since=NOW)
        assert not insert_once(session, Stop, name="claims", reason="b", since=NOW)


def test_ids_made_later_sort_later() -> None:
    ids = [new_id(NOW + timedelta(milliseconds=step)) for step in range(50)]
    assert ids == sorted(ids)
    assert {item.version for item in ids} == {7}


def test_a_watch_sees_a_bump(db: Database) -> None:
    watch = revision.Watch(db)
    before = watch.current()
    with db.transaction() as session:
        revision.bump(session)
    watch.look()
    assert watch.current() == before + 1
    with db.reading() as session:
        assert session.scalar(select(Revision.number)) == before + 1


def test_an_error_does_not_quote_what_was_to_be_written(db: Database) -> None:
    def stop() -> None:
        with db.transaction() as session:
            session.add(Stop(name="claims", reason="+8613812348000", since=NOW))

    stop()
    with pytest.raises(IntegrityError) as raised:
        stop()
    assert "13812348000" not in str(raised.value)


def test_sqlite_waits_for_the_disk_unless_told_that_it_need_not(tmp_path: Path) -> None:
    """FULL is 2: claims and money survive a power cut. NORMAL is 1: scans survive the death of every process."""
    db = Database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    for transaction, expected in ((db.transaction(), 2), (db.transaction(durable=False), 1)):
        with transaction as session:
            assert session.scalar(text("PRAGMA synchronous")) == expected
    db.close()
