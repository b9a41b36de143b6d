"""Scans are there when they are acknowledged, each exactly once, whatever happens to their neighbours."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from scancode.codes.rules import Life
from scancode.db import Database, new_id
from scancode.scans.models import Scan
from scancode.scans.rules import HISTORY_MAX, Verdict
from scancode.scans.writer import Sighting, Stalled, Writer, write

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.fixture
def writer(db: Database) -> Writer:
    return Writer(db, stall_s=20)


def another(sighting: Sighting, serial: int = 0, minutes: int = 0, visitor: UUID | None = None) -> Sighting:
    at = NOW + timedelta(minutes=minutes)
    return replace(
        sighting,
        code_id=sighting.code_id + serial,
        scan_id=new_id(at),
        scanned_at=at,
        visitor_id=visitor or uuid4(),
    )


def count(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(Scan)) or 0


def test_it_writes_before_it_answers(db: Database, writer: Writer, sighting: Sighting) -> None:
    recorded = writer.record(sighting)
    assert recorded.verdict is Verdict.FIRST
    assert count(db) == 1


def test_a_second_visitor_sees_the_first(db: Database, writer: Writer, sighting: Sighting) -> None:
    writer.record(sighting)
    recorded = writer.record(another(sighting, minutes=5))
    assert recorded.verdict is Verdict.REPEAT
    assert recorded.history.first_at == NOW


def test_scans_of_a_code_that_was_not_live_do_not_count_against_it(writer: Writer, sighting: Sighting) -> None:
    assert writer.record(replace(sighting, life=Life.INACTIVE)).verdict is Verdict.INACTIVE
    assert writer.record(another(sighting, minutes=1)).verdict is Verdict.FIRST


def test_a_group_judges_its_own_members_in_order(db: Database, sighting: Sighting) -> None:
    with db.transaction() as session:
        answers = write(session, [sighting, another(sighting, minutes=1), another(sighting, serial=1)])
    assert [answer.verdict for answer in answers] == [Verdict.FIRST, Verdict.REPEAT, Verdict.FIRST]


def test_many_threads_lose_nothing_and_write_nothing_twice(db: Database, writer: Writer, sighting: Sighting) -> None:
    scans = [another(sighting, serial=n % 40, minutes=n) for n in range(400)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(writer.record, scans))
    assert count(db) == 400
    assert sum(answer.verdict is Verdict.FIRST for answer in answers) == 40


def test_a_scan_recorded_again_by_its_id_is_one_scan(db: Database, writer: Writer, sighting: Sighting) -> None:
    writer.record(sighting)
    writer.record(sighting)
    assert count(db) == 1


def test_a_bad_row_harms_nobody_else(db: Database, writer: Writer, sighting: Sighting) -> None:
    bad = replace(another(sighting, serial=2), client=None)  # the column must be filled
    good = [another(sighting, serial=n) for n in range(10, 30)]
    outcomes: list[object] = []

    def attempt(item: Sighting) -> None:
        try:
            outcomes.append(writer.record(item).verdict)
        except Stalled as refusal:
            outcomes.append(refusal)

    threads = [threading.Thread(target=attempt, args=(item,)) for item in [*good[:10], bad, *good[10:]]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(outcome, Stalled) for outcome in outcomes) == 1
    assert count(db) == 20


def test_a_code_scanned_very_often_does_not_crowd_out_others(db: Database, sighting: Sighting) -> None:
    with db.transaction() as session:
        write(session, [another(sighting, minutes=n) for n in range(HISTORY_MAX + 60)])
        write(session, [another(sighting, serial=5)])
    with db.transaction() as session:
        hot, calm = write(session, [another(sighting, minutes=999), another(sighting, serial=5, minutes=999)])
    assert hot.history.is_cut
    assert hot.verdict is Verdict.SUSPECT
    assert calm.history.visitors == 1


def test_a_database_that_is_away_stalls_and_comes_back(db: Database, sighting: Sighting) -> None:
    writer = Writer(db, stall_s=0.3)
    writer.record(sighting)
    with db.engine.connect() as blocker, blocker.begin():
        if db.is_sqlite:
            with pytest.raises(Stalled):
                writer.record(another(sighting, serial=3))
        else:
            blocker.exec_driver_sql("LOCK TABLE scans IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(Stalled):
                writer.record(another(sighting, serial=3))
    patient = Writer(db, stall_s=20)
    assert patient.record(another(sighting, serial=4)).verdict is Verdict.FIRST
