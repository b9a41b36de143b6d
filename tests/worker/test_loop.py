"""The worker: every job once, whatever it does wrong, and whatever is done to the worker."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from scancode.db import Database
from scancode.errors import OutsideError, Unavailable
from scancode.jobs import service as jobs
from scancode.jobs.rules import JobFacts, JobState
from scancode.wiring import Wired
from scancode.worker import loop
from scancode.worker.loop import Clock, run
from scancode.worker.progress import Progress
from scancode.worker.pulse import LEASE_S, Pulse
from scancode.worker.runners import Runner
from tests.conftest import NOW
from tests.threads import at_once

Work = Callable[[jobs.Leased], None]


def ask(db: Database, key: str, *, kind: str = "chore", run_at: datetime = NOW) -> None:
    with db.transaction() as session:
        jobs.enqueue(session, kind=kind, key=key, payload={}, run_at=run_at, now=NOW)


def found(db: Database, key: str) -> JobFacts:
    with db.reading() as session:
        job = jobs.find(session, key=key)
    assert job is not None
    return job


def runner(work: Work) -> dict[str, Runner]:
    return {"chore": lambda _wired, leased, _clock: work(leased)}


def drain(wired: Wired, work: Work, clock: Clock = lambda: NOW) -> int:
    return run(wired, stop_event=threading.Event(), once=True, clock=clock, runners=runner(work))


def test_a_stage_that_counts_anew_has_a_rate_of_its_own(wired: Wired) -> None:
    clock = iter(NOW + timedelta(seconds=second) for second in range(100))
    ask(wired.db, "a")
    paces: list[tuple[float | None, int | None]] = []

    def work(_wired: Wired, leased: jobs.Leased, _clock: Clock) -> None:
        progress = Progress(wired, leased, lambda: next(clock), lambda _: True, every_s=0)
        for done, total, stage in (
            (0, 100, "csv"),
            (60, 100, "csv"),
            (100, 100, "csv"),
            (0, 50, "symbols"),
            (5, 50, "symbols"),
        ):
            progress.report(done, total, stage)
            paces.append((found(wired.db, "a").rows_a_second, found(wired.db, "a").left_s))

    run(wired, stop_event=threading.Event(), once=True, clock=lambda: NOW, runners={"chore": work})
    assert paces == [(None, None), (60, 1), (50, 0), (None, None), (5, 9)]


def test_it_works_off_what_is_due_and_leaves_the_rest(wired: Wired) -> None:
    for number in range(3):
        ask(wired.db, f"chore:{number}")
    ask(wired.db, "later", run_at=NOW + timedelta(seconds=1))
    seen: list[str] = []
    assert drain(wired, lambda leased: seen.append(leased.key)) == 3
    assert sorted(seen) == ["chore:0", "chore:1", "chore:2"]
    assert {found(wired.db, key).state for key in seen} == {JobState.DONE}
    assert found(wired.db, "later").state is JobState.QUEUED


def test_it_leaves_kinds_that_it_was_not_given(wired: Wired) -> None:
    ask(wired.db, "other", kind="unknown")
    assert drain(wired, lambda _: None) == 0


@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (OutsideError("pay_timeout", permanent=False), JobState.QUEUED, "pay_timeout"),
        (OutsideError("bill_differs", permanent=True), JobState.DEAD, "bill_differs"),
        (Unavailable(), JobState.QUEUED, "unavailable"),
        (KeyError("13800000000"), JobState.QUEUED, "KeyError"),
    ],
)
def test_a_failure_is_written_down_without_its_words(
    wired: Wired, error: Exception, state: JobState, said: str
) -> None:
    def work(_: jobs.Leased) -> None:
        raise error

    ask(wired.db, "chore:1")
    assert drain(wired, work) == 1
    job = found(wired.db, "chore:1")
    assert (job.state, job.error, job.attempts) == (state, said, 1)


def test_one_that_fails_does_not_keep_the_others(wired: Wired) -> None:
    def work(leased: jobs.Leased) -> None:
        if leased.key == "chore:0":
            raise ValueError

    for number in range(3):
        ask(wired.db, f"chore:{number}", run_at=NOW - timedelta(seconds=3 - number))
    assert drain(wired, work) == 3
    assert [found(wired.db, f"chore:{number}").state for number in range(3)] == ["queued", "done", "done"]


def test_a_job_that_reschedules_itself_stays(wired: Wired) -> None:
    def work(leased: jobs.Leased) -> None:
        with wired.db.transaction() as session:
            jobs.reschedule(session, leased=leased, run_at=NOW + timedelta(minutes=1), now=NOW)

    ask(wired.db, "chore:1")
    assert drain(wired, work) == 1
    assert found(wired.db, "chore:1").state is JobState.QUEUED


def test_a_worker_that_lost_its_lease_writes_no_outcome(wired: Wired) -> None:
    def work(leased: jobs.Leased) -> None:
        with wired.db.transaction() as session:
            other = jobs.lease(session, now=NOW + timedelta(seconds=LEASE_S), lease_s=600)
        assert other is not None
        with wired.db.transaction() as session:
            jobs.hold(session, leased=leased)

    ask(wired.db, "chore:1")
    drain(wired, work)
    job = found(wired.db, "chore:1")
    assert (job.state, job.attempts, job.error) == (JobState.LEASED, 2, None)


def test_the_pulse_renews_the_lease_of_a_long_job_and_says_that_the_worker_lives(wired: Wired) -> None:
    ask(wired.db, "chore:1")
    moments = iter(NOW + timedelta(seconds=30 * step) for step in range(10_000))
    with wired.db.transaction() as session:
        leased = jobs.lease(session, now=NOW, lease_s=LEASE_S)
    assert leased is not None
    with Pulse(wired.db, lambda: next(moments), beat_s=0.05) as pulse, pulse.holding(leased):
        deadline = time.monotonic() + 10
        while found(wired.db, "chore:1").lease_until < NOW + timedelta(seconds=2 * LEASE_S):  # type: ignore[operator]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with wired.db.reading() as session:
            assert len(jobs.workers(session, now=NOW)) == 1
    with wired.db.reading() as session:
        assert jobs.workers(session, now=NOW) == []


def test_several_workers_do_each_job_once(wired: Wired) -> None:
    for number in range(12):
        ask(wired.db, f"chore:{number}")
    seen: list[str] = []
    results = at_once(3, lambda _: drain(wired, lambda leased: seen.append(leased.key)))
    assert sorted(seen) == sorted(f"chore:{number}" for number in range(12)), results


def test_it_waits_for_a_database_that_is_away(wired: Wired) -> None:
    ask(wired.db, "chore:1")
    done, stop = threading.Event(), threading.Event()

    def rename(one: str, other: str) -> None:
        with wired.db.transaction() as session:
            session.execute(text(f"ALTER TABLE {one} RENAME TO {other}"))

    rename("jobs", "jobs_away")
    try:
        with pytest.raises(DBAPIError):
            drain(wired, lambda _: None)
        thread = threading.Thread(
            target=run,
            args=(wired,),
            kwargs={"stop_event": stop, "clock": lambda: NOW, "runners": runner(lambda _: done.set())},
        )
        thread.start()
        assert not done.wait(0.5)
        assert thread.is_alive()
    finally:
        rename("jobs_away", "jobs")
    assert done.wait(15)
    stop.set()
    thread.join(timeout=15)
    assert not thread.is_alive()
    assert found(wired.db, "chore:1").state is JobState.DONE


def start_worker(wired: Wired, tmp_path: Path, seconds: float) -> subprocess.Popen[str]:
    url = wired.db.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.worker.process", url, str(tmp_path), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert process.stdout is not None
    while "running" not in (line := process.stdout.readline()):
        assert line, "the worker ended before its job began"
    return process


def test_asked_to_stop_it_finishes_the_job_in_hand(wired: Wired, tmp_path: Path) -> None:
    ask(wired.db, "slow:1", kind="slow")
    ask(wired.db, "slow:2", kind="slow", run_at=NOW + timedelta(seconds=1))
    with start_worker(wired, tmp_path, 1.0) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert found(wired.db, "slow:1").state is JobState.DONE
    assert found(wired.db, "slow:2").state is JobState.QUEUED
    with wired.db.reading() as session:
        assert jobs.workers(session, now=datetime.now(UTC)) == []


def test_a_killed_workers_job_is_taken_over_when_its_lease_has_run_out(wired: Wired, tmp_path: Path) -> None:
    ask(wired.db, "slow:1", kind="slow")
    with start_worker(wired, tmp_path, 60) as process:
        process.kill()
        process.wait(timeout=20)
    seen: list[int] = []
    runners: dict[str, Runner] = {"slow": lambda _wired, leased, _clock: seen.append(leased.attempts)}

    def drain_at(moment: datetime) -> int:
        return run(wired, stop_event=threading.Event(), once=True, clock=lambda: moment, runners=runners)

    killed = datetime.now(UTC)
    assert drain_at(killed) == 0
    assert drain_at(killed + timedelta(seconds=LEASE_S + 1)) == 1
    assert seen == [2]
    assert found(wired.db, "slow:1").state is JobState.DONE


def test_every_kind_has_a_runner_and_a_name_in_the_console() -> None:
    from scancode.web.console.jobs import KIND_WORDS

    assert set(KIND_WORDS) == set(loop.RUNNERS)
