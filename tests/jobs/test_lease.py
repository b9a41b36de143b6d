"""One worker at a time holds a job; whoever lost it can write nothing more."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from scancode.db import Database
from scancode.jobs import service as jobs
from scancode.jobs.rules import ATTEMPTS_MAX, JobState
from tests.threads import at_once

SECOND = timedelta(seconds=1)


def ask(session: Session, key: str, now: datetime, *, run_at: datetime | None = None, kind: str = "mint") -> bool:
    return jobs.enqueue(session, kind=kind, key=key, payload={"n": 1}, run_at=run_at or now, now=now)


def take(session: Session, now: datetime) -> jobs.Leased:
    leased = jobs.lease(session, now=now, lease_s=60)
    assert leased is not None
    return leased


def state(session: Session, key: str) -> JobState:
    job = jobs.find(session, key=key)
    assert job is not None
    return job.state


def test_a_key_is_asked_for_once(session: Session, now: datetime) -> None:
    assert ask(session, "mint:1", now)
    assert not ask(session, "mint:1", now)


def test_it_takes_the_job_that_is_due_longest(session: Session, now: datetime) -> None:
    ask(session, "late", now, run_at=now - SECOND)
    ask(session, "later", now, run_at=now - 2 * SECOND)
    leased = take(session, now)
    assert (leased.key, leased.fence, leased.attempts, leased.payload) == ("later", 1, 1, {"n": 1})


def test_a_job_is_due_at_its_moment_and_not_before(session: Session, now: datetime) -> None:
    ask(session, "soon", now, run_at=now + SECOND)
    assert not jobs.is_due(session, now=now)
    assert jobs.lease(session, now=now, lease_s=60) is None
    assert jobs.is_due(session, now=now + SECOND)
    assert take(session, now + SECOND).key == "soon"


def test_it_takes_only_the_kinds_it_is_told(session: Session, now: datetime) -> None:
    ask(session, "a", now, kind="sms")
    assert jobs.lease(session, now=now, lease_s=60, kinds={"mint"}) is None
    assert jobs.lease(session, now=now, lease_s=60, kinds={"mint", "sms"}) is not None


def test_a_leased_job_is_nobody_elses_until_the_lease_runs_out(session: Session, now: datetime) -> None:
    ask(session, "a", now)
    first = take(session, now)
    assert jobs.lease(session, now=now + 59 * SECOND, lease_s=60) is None
    second = take(session, now + 60 * SECOND)
    assert (second.fence, second.attempts) == (first.fence + 1, 2)


def test_an_older_fence_writes_nothing(session: Session, now: datetime) -> None:
    ask(session, "a", now)
    old = take(session, now)
    new = take(session, now + 60 * SECOND)
    assert not jobs.finish(session, leased=old, now=now)
    assert not jobs.retry(session, leased=old, error="x", now=now)
    assert not jobs.reschedule(session, leased=old, run_at=now, now=now)
    assert not jobs.renew(session, leased=old, now=now, lease_s=60)
    for write in (
        lambda: jobs.hold(session, leased=old),
        lambda: jobs.report_progress(
            session, job_id=old.id, fence=old.fence, done_rows=1, total_rows=2, stage="x", now=now
        ),
    ):
        with pytest.raises(jobs.LeaseLost):
            write()
    jobs.hold(session, leased=new)
    assert jobs.finish(session, leased=new, now=now)
    assert state(session, "a") is JobState.DONE


def test_renewing_keeps_the_lease(session: Session, now: datetime) -> None:
    ask(session, "a", now)
    leased = take(session, now)
    assert jobs.renew(session, leased=leased, now=now + 50 * SECOND, lease_s=60)
    assert jobs.lease(session, now=now + 100 * SECOND, lease_s=60) is None


def test_it_says_how_far_it_is(session: Session, now: datetime) -> None:
    ask(session, "a", now)
    leased = take(session, now)
    jobs.report_progress(
        session, job_id=leased.id, fence=leased.fence, done_rows=40, total_rows=100, stage="csv", now=now
    )
    job = jobs.find(session, key="a")
    assert job is not None
    assert (job.done_rows, job.total_rows, job.stage) == (40, 100, "csv")


def test_a_failure_is_tried_again_after_a_while(session: Session, now: datetime) -> None:
    ask(session, "a", now)
    assert jobs.retry(session, leased=take(session, now), error="pay_timeout", now=now)
    assert jobs.lease(session, now=now + SECOND, lease_s=60) is None
    assert take(session, now + 2 * SECOND).attempts == 2


def test_it_is_dead_after_the_last_attempt(session: Session, now: datetime) -> None:
    ask(session, "a", now)
    for attempt in range(1, ATTEMPTS_MAX + 1):
        leased = take(session, now)
        assert leased.attempts == attempt
        jobs.retry(session, leased=leased, error="pay_timeout", now=now)
        now += timedelta(hours=1)
    assert state(session, "a") is JobState.DEAD
    assert jobs.lease(session, now=now, lease_s=60) is None


def test_what_cannot_be_helped_is_dead_at_once(session: Session, now: datetime) -> None:
    ask(session, "a", now)
    jobs.retry(session, leased=take(session, now), error="x" * 900, now=now, is_permanent=True)
    job = jobs.find(session, key="a")
    assert job is not None
    assert (job.state, job.error) == (JobState.DEAD, "x" * 500)


def test_a_job_that_takes_its_workers_with_it_is_dead_in_the_end(session: Session, now: datetime) -> None:
    ask(session, "a", now)
    for _ in range(ATTEMPTS_MAX):
        take(session, now)
        now += timedelta(minutes=2)
    assert jobs.lease(session, now=now, lease_s=60) is None
    job = jobs.find(session, key="a")
    assert job is not None
    assert (job.state, job.error) == (JobState.DEAD, "worker_vanished")


def test_rescheduling_is_no_failure(session: Session, now: datetime) -> None:
    ask(session, "a", now)
    for _ in range(ATTEMPTS_MAX + 3):
        leased = take(session, now)
        assert leased.attempts == 1
        assert jobs.reschedule(session, leased=leased, run_at=now + SECOND, now=now)
        now += SECOND


def test_a_job_asked_for_again_while_it_runs_runs_once_more(session: Session, now: datetime) -> None:
    ask(session, "a", now)
    leased = take(session, now)
    assert jobs.requeue(session, key="a", run_at=now, now=now)
    assert state(session, "a") is JobState.LEASED
    assert jobs.finish(session, leased=leased, now=now)
    assert state(session, "a") is JobState.QUEUED
    again = take(session, now + SECOND)
    assert jobs.finish(session, leased=again, now=now)
    assert state(session, "a") is JobState.DONE


@pytest.mark.parametrize("ended", ["done", "dead", "queued"])
def test_a_job_that_is_over_runs_again_when_asked(session: Session, now: datetime, ended: str) -> None:
    ask(session, "a", now, run_at=now - SECOND)
    if ended != "queued":
        leased = take(session, now)
        if ended == "done":
            jobs.finish(session, leased=leased, now=now)
        else:
            jobs.retry(session, leased=leased, error="x", now=now, is_permanent=True)
    assert jobs.requeue(session, key="a", run_at=now + SECOND, now=now)
    assert jobs.lease(session, now=now, lease_s=60) is None
    assert take(session, now + SECOND).attempts == 1


def test_an_unknown_key_is_not_asked_for_again(session: Session, now: datetime) -> None:
    assert not jobs.requeue(session, key="nothing", run_at=now, now=now)


def test_many_workers_at_once_take_each_job_once(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        for number in range(12):
            ask(session, f"job:{number}", now)

    def work(_: int) -> list[str]:
        keys = []
        for _ in range(12):
            with db.transaction() as session:
                leased = jobs.lease(session, now=now, lease_s=60)
            if leased is not None:
                keys.append(leased.key)
        return keys

    results = at_once(5, work)
    taken = [key for result in results if isinstance(result, list) for key in result]
    assert all(isinstance(result, list) for result in results), results
    assert sorted(taken) == sorted(f"job:{number}" for number in range(12))
