"""What people see of the outbox and do to it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from scancode.db import new_id
from scancode.errors import NotFound
from scancode.jobs import service as jobs
from scancode.jobs.rules import JobState
from tests.jobs.test_lease import SECOND, ask, state, take


def test_a_waiting_job_can_be_cancelled_and_revived(session: Session, now: datetime) -> None:
    ask(session, "a", now, run_at=now + SECOND)
    job = jobs.find(session, key="a")
    assert job is not None
    assert jobs.cancel(session, job_id=job.id, now=now).state is JobState.CANCELLED
    assert jobs.lease(session, now=now + SECOND, lease_s=60) is None
    assert jobs.revive(session, job_id=job.id, now=now).state is JobState.QUEUED
    assert take(session, now).attempts == 1


def test_a_running_job_can_be_neither(session: Session, now: datetime) -> None:
    ask(session, "a", now)
    leased = take(session, now)
    for change in (jobs.cancel, jobs.revive):
        with pytest.raises(jobs.JobBusy) as refused:
            change(session, job_id=leased.id, now=now)
        assert refused.value.facts == {"state": "leased"}


def test_a_dead_job_is_revived_with_its_attempts_counted_anew(session: Session, now: datetime) -> None:
    ask(session, "a", now)
    leased = take(session, now)
    jobs.retry(session, leased=leased, error="x", now=now, is_permanent=True)
    jobs.revive(session, job_id=leased.id, now=now)
    assert take(session, now).attempts == 1


def test_an_unknown_job_is_not_found(session: Session, now: datetime) -> None:
    with pytest.raises(NotFound):
        jobs.cancel(session, job_id=new_id(now), now=now)


def test_it_counts_what_is_not_over(session: Session, now: datetime) -> None:
    ask(session, "late", now, run_at=now - timedelta(minutes=1))
    ask(session, "soon", now, run_at=now + SECOND)
    ask(session, "dead", now, run_at=now - timedelta(hours=1))
    jobs.retry(session, leased=take(session, now), error="x", now=now, is_permanent=True)
    assert jobs.counts(session, now=now) == jobs.QueueCounts(queued=2, leased=0, dead=1, late=1)


def test_it_lists_the_newest_first_by_state(session: Session, now: datetime) -> None:
    for number in range(4):
        ask(session, f"a{number}", now + number * SECOND)
    first = jobs.list_jobs(session, limit=3)
    assert [job.key for job in first] == ["a3", "a2", "a1"]
    assert [job.key for job in jobs.list_jobs(session, limit=3, before=first[-1].id)] == ["a0"]
    assert jobs.list_jobs(session, state=JobState.DEAD) == []


def test_sweeping_keeps_what_is_new_and_what_is_dead(session: Session, now: datetime) -> None:
    ask(session, "done", now)
    jobs.finish(session, leased=take(session, now), now=now)
    ask(session, "dead", now)
    jobs.retry(session, leased=take(session, now), error="x", now=now, is_permanent=True)
    ask(session, "waiting", now)

    def left() -> set[str]:
        return {job.key for job in jobs.list_jobs(session)}

    assert jobs.sweep(session, before=now) == 0
    assert jobs.sweep(session, before=now + SECOND) == 1
    assert left() == {"dead", "waiting"}
    assert jobs.sweep(session, before=now + SECOND, kind="sms", with_dead=True) == 0
    assert jobs.sweep(session, before=now + SECOND, kind="mint", with_dead=True) == 1
    assert left() == {"waiting"}


def test_a_worker_is_alive_until_it_is_silent_for_half_a_minute(session: Session, now: datetime) -> None:
    worker = new_id(now)
    for moment in (now, now + 5 * SECOND):
        jobs.beat(session, worker_id=worker, host="press-1", pid=7, started_at=now, now=moment)
    [seen] = jobs.workers(session, now=now + 35 * SECOND)
    assert (seen.is_alive, seen.seen_at, seen.host) == (True, now + 5 * SECOND, "press-1")
    assert not jobs.workers(session, now=now + 36 * SECOND)[0].is_alive
    jobs.depart(session, worker_id=worker)
    assert jobs.workers(session, now=now) == []


def test_a_stop_keeps_its_first_reason_until_it_is_lifted(session: Session, now: datetime) -> None:
    assert jobs.is_stopped(session, "payouts") is None
    assert jobs.stop(session, name="payouts", reason="restored", now=now)
    assert not jobs.stop(session, name="payouts", reason="again", now=now)
    assert jobs.is_stopped(session, "payouts") == "restored"
    assert jobs.is_stopped(session, "claims") is None
    assert jobs.allow(session, name="payouts")
    assert not jobs.allow(session, name="payouts")
    assert jobs.is_stopped(session, "payouts") is None


def test_cancelling_fences_off_nobody_but_old_workers(session: Session, now: datetime) -> None:
    ask(session, "a", now)
    leased = take(session, now)
    jobs.retry(session, leased=leased, error="x", now=now)
    jobs.cancel(session, job_id=leased.id, now=now)
    assert not jobs.finish(session, leased=leased, now=now)
    assert state(session, "a") is JobState.CANCELLED
