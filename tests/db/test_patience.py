"""How long a thread waits for the database: its own limits, and connections that are given up."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from scancode import patience
from scancode.db import Database


def test_the_earlier_end_stays_unless_it_begins_anew() -> None:
    assert patience.left_s() is None
    with patience.within(5):
        with patience.within(100):
            assert 4 < (patience.left_s() or 0) <= 5
        with patience.within(100, anew=True):
            assert (patience.left_s() or 0) > 90
        assert (patience.left_s() or 0) <= 5
    assert patience.left_s() is None


def test_a_limit_of_each_answer_does_not_run_out_by_itself() -> None:
    with patience.each(0.01):
        time.sleep(0.02)
        assert patience.left_s() == 0.01
        assert not patience.is_over()
        with patience.within(0.001):
            time.sleep(0.002)
            assert patience.is_over()


def test_an_answer_that_does_not_come_costs_the_connection_and_nothing_else(db: Database) -> None:
    if db.is_sqlite:
        pytest.skip("SQLite has no server that could fall silent")
    tries = []

    def sleep(session: Session) -> None:
        tries.append(session.scalar(text("SELECT pg_backend_pid()")))
        session.execute(text("SELECT pg_sleep(5)"))

    began = time.monotonic()
    with patience.within(0.3), pytest.raises(OperationalError):
        db.retrying(sleep)
    assert time.monotonic() - began < 3
    assert len(tries) == 1, "there was no time for another try"
    with patience.each(5), db.reading() as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) not in tries
