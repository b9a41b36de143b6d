"""The hourly chore: forgets what was only to be kept for a while, and comes back."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from sqlalchemy import func, select

from scancode.db import Database
from scancode.jobs import service as jobs
from scancode.jobs.rules import JobState
from scancode.staff import service as staff
from scancode.staff.models import StaffSession
from scancode.wiring import Wired
from scancode.worker import tidy
from scancode.worker.loop import run
from tests.conftest import NOW
from tests.factories import make_staff


def drain(wired: Wired, now: datetime) -> int:
    return run(wired, stop_event=threading.Event(), once=True, clock=lambda: now, kinds={"tidy"})


def chore(db: Database) -> jobs.JobFacts:
    with db.reading() as session:
        job = jobs.find(session, key=tidy.KEY)
    assert job is not None
    return job


def test_a_worker_sees_to_it_and_it_comes_back_in_an_hour(wired: Wired) -> None:
    assert drain(wired, NOW) == 1
    assert (chore(wired.db).state, chore(wired.db).run_at) == (JobState.QUEUED, NOW + timedelta(hours=1))
    assert drain(wired, NOW + timedelta(minutes=59)) == 0
    assert drain(wired, NOW + timedelta(hours=1)) == 1


def test_a_cancelled_one_is_asked_for_again(wired: Wired) -> None:
    drain(wired, NOW)
    with wired.db.transaction() as session:
        jobs.cancel(session, job_id=chore(wired.db).id, now=NOW)
    assert drain(wired, NOW) == 1


def test_it_forgets_old_jobs_messages_and_sessions(wired: Wired) -> None:
    with wired.db.transaction() as session:
        carol = make_staff(session)
        staff.open_session(session, staff_id=carol.id, agent="x", now=NOW, session_hours=12)
        for kind in ("sms", "mint"):
            jobs.enqueue(session, kind=kind, key=f"{kind}:1", payload={}, run_at=NOW, now=NOW)
            leased = jobs.lease(session, now=NOW, lease_s=60, kinds={kind})
            assert leased is not None
            jobs.finish(session, leased=leased, now=NOW)

    def left() -> set[str]:
        with wired.db.reading() as session:
            return {job.key for job in jobs.list_jobs(session)} - {tidy.KEY}

    drain(wired, NOW + tidy.MESSAGE_JOBS_KEPT)
    assert left() == {"sms:1", "mint:1"}
    drain(wired, NOW + tidy.MESSAGE_JOBS_KEPT + timedelta(hours=2))
    assert left() == {"mint:1"}
    drain(wired, NOW + timedelta(days=91))
    assert left() == set()
    with wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(StaffSession)) == 0
