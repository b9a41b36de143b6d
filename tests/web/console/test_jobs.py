"""The outbox in the console: seen, cancelled, revived; claims and payouts halted and let go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.db import Database, new_id
from scancode.jobs import service as jobs
from scancode.jobs.rules import JobFacts, JobState
from scancode.staff import service as staff
from scancode.staff.models import AuditRow
from scancode.staff.rules import Role
from scancode.stories.books import Report
from tests.web.console.desk import Desk, hire


@pytest.fixture
def admin(app: Flask, db: Database) -> Desk:
    return Desk(app, db, hire(db, "Anna", Role.ADMIN))


def ask(db: Database, key: str, *, is_dead: bool = False) -> JobFacts:
    now = datetime.now(UTC)
    with db.transaction() as session:
        jobs.enqueue(session, kind="mint", key=key, payload={"secret": "sealed-phone"}, run_at=now, now=now)
        if is_dead:
            leased = jobs.lease(session, now=now, lease_s=60)
            assert leased is not None
            jobs.retry(session, leased=leased, error="disk_full", now=now, is_permanent=True)
    return find(db, key)


def find(db: Database, key: str) -> JobFacts:
    with db.reading() as session:
        job = jobs.find(session, key=key)
    assert job is not None
    return job


def actions(db: Database) -> list[str]:
    with db.reading() as session:
        return list(session.scalars(select(AuditRow.action).order_by(AuditRow.seq)))[1:]


def test_it_shows_jobs_and_why_they_gave_up_but_no_payload(db: Database, admin: Desk) -> None:
    ask(db, "mint:2", is_dead=True)
    ask(db, "mint:1")
    page = admin.get("/console/jobs").text
    assert "mint:1" in page
    assert "disk_full" in page
    assert "sealed-phone" not in page
    assert "任务无人处理" in page
    dead = admin.get("/console/jobs?state=dead").text
    assert "mint:2" in dead
    assert "mint:1<" not in dead


def test_the_moving_part_comes_alone(db: Database, admin: Desk) -> None:
    ask(db, "mint:1")
    part = admin.get("/console/jobs?part=1").text
    assert "mint:1" in part
    assert "<html" not in part


def test_a_living_worker_is_shown(db: Database, admin: Desk) -> None:
    now = datetime.now(UTC)
    with db.transaction() as session:
        jobs.beat(session, worker_id=new_id(now), host="press-1", pid=7, started_at=now, now=now)
        gone = now - timedelta(hours=1)
        jobs.beat(session, worker_id=new_id(now), host="press-2", pid=8, started_at=gone, now=gone)
    page = admin.get("/console/jobs").text
    assert "press-1" in page
    assert "已离线" in page
    assert "任务无人处理" not in page


def test_a_dead_job_is_tried_again_and_a_waiting_one_cancelled(db: Database, admin: Desk) -> None:
    job = ask(db, "mint:1", is_dead=True)
    answer = admin.post(f"/console/jobs/{job.id}/revive", {"state": "dead"})
    assert answer.headers["Location"] == "/console/jobs?state=dead"
    assert find(db, "mint:1").state is JobState.QUEUED
    admin.post(f"/console/jobs/{job.id}/cancel")
    assert find(db, "mint:1").state is JobState.CANCELLED
    assert actions(db) == ["job.revive", "job.cancel"]


def test_a_job_that_moved_on_is_left_alone_and_nothing_recorded(db: Database, admin: Desk) -> None:
    job = ask(db, "mint:1")
    admin.post(f"/console/jobs/{job.id}/revive")
    assert "页面打开后任务状态已变化" in admin.said()
    assert actions(db) == []
    assert admin.post(f"/console/jobs/{new_id(datetime.now(UTC))}/cancel").status_code == 404


def test_payouts_are_halted_and_let_go_on(db: Database, admin: Desk) -> None:
    admin.post("/console/jobs/stops/payouts/stop", {"reason": "盘点"})
    with db.reading() as session:
        assert jobs.is_stopped(session, "payouts") == "盘点"
    assert "盘点" in admin.get("/console/").text
    for _ in range(2):
        admin.post("/console/jobs/stops/payouts/allow")
    with db.reading() as session:
        assert jobs.is_stopped(session, "payouts") is None
    assert actions(db) == ["payouts.stop", "payouts.allow"]
    assert admin.post("/console/jobs/stops/everything/stop").status_code == 404


@pytest.mark.parametrize("face", ["jobs", "payouts"])
def test_after_a_restore_the_stops_stay_until_the_books_were_compared(db: Database, admin: Desk, face: str) -> None:
    made_at = datetime.now(UTC) - timedelta(days=2)
    restore(db, made_at)
    allow = f"/console/{face}/stops/payouts/allow"

    def is_stopped() -> bool:
        admin.post(allow)
        with db.reading() as session:
            return jobs.is_stopped(session, "payouts") is not None

    assert is_stopped()
    assert f"{made_at:%Y-%m-%d %H:%M}" in admin.get("/console/payouts").text
    compare(db, since=made_at + timedelta(hours=1), open_=0)
    assert is_stopped()
    compare(db, since=made_at - timedelta(hours=1), open_=1)
    assert is_stopped()
    compare(db, since=made_at - timedelta(hours=1), open_=0)
    assert not is_stopped()
    restore(db, made_at)
    assert is_stopped()


def restore(db: Database, made_at: datetime) -> None:
    with db.transaction() as session:
        jobs.stop(session, name="payouts", reason="restored", now=datetime.now(UTC))
        record(session, "database.restore", {"made_at": made_at.isoformat()})


def compare(db: Database, *, since: datetime, open_: int) -> None:
    with db.transaction() as session:
        record(session, "payouts.reconcile", Report(since=since).facts() | {"open": open_})


def record(session: Session, action: str, facts: dict[str, object]) -> None:
    staff.audit(session, actor="cli", brand_id=None, action=action, subject="x", facts=facts, now=datetime.now(UTC))
