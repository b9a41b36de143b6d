"""Putting work into the outbox and taking it out: enqueue, lease, and the outcomes written under the lease's fence."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from scancode.db import Sender, affected, insert_many, insert_once, new_id
from scancode.jobs.models import Job
from scancode.jobs.rules import ATTEMPTS_MAX, JobState, Leased, LeaseLost, next_run

CANDIDATES = 8
"""How many due jobs one call of ``lease`` tries to win before it lets the others have them."""
ERROR_LENGTH_MAX = 500


def enqueue(
    session: Session, *, kind: str, key: str, payload: Mapping[str, Any], run_at: datetime, now: datetime
) -> bool:
    """Asks for work, in the transaction that wants it. True once per key; later calls change nothing."""
    return insert_once(
        session,
        Job,
        id=new_id(now),
        kind=kind,
        key=key,
        payload=json.dumps(payload, ensure_ascii=False, sort_keys=True),
        state=JobState.QUEUED.value,
        run_at=run_at,
        attempts=0,
        fence=0,
        done_rows=0,
        total_rows=0,
        start_rows=0,
        stage="",
        created_at=now,
    )


def enqueue_many(
    sender: Sender, *, kind: str, jobs: Sequence[tuple[str, Mapping[str, Any]]], run_at: datetime, now: datetime
) -> None:
    """The same for many keys with their payloads, by one statement. Keys that are known are left as they are."""
    rows = [
        {
            "id": new_id(now),
            "kind": kind,
            "key": key,
            "payload": json.dumps(payload, ensure_ascii=False, sort_keys=True),
            "state": JobState.QUEUED.value,
            "run_at": run_at,
            "attempts": 0,
            "fence": 0,
            "done_rows": 0,
            "total_rows": 0,
            "start_rows": 0,
            "stage": "",
            "created_at": now,
        }
        for key, payload in jobs
    ]
    insert_many(sender, Job, rows, may_exist=True)


def requeue(session: Session, *, key: str, run_at: datetime, now: datetime) -> bool:
    """Has a known job run (again) at ``run_at``, whatever became of it. False where there is no such key.

    While a worker holds the job, it runs once more after that worker has finished: nothing asked for is lost.
    """
    for _ in range(4):
        row = session.execute(
            select(Job.id, Job.state, Job.fence, Job.run_at).where(Job.key == key).with_for_update()
        ).one_or_none()
        if row is None:
            return False
        when = run_at if run_at != row.run_at else run_at + timedelta(microseconds=1)
        statement = update(Job).where(Job.id == row.id, Job.state == row.state, Job.fence == row.fence)
        if row.state == JobState.LEASED:
            statement = statement.values(run_at=when)
        else:
            statement = statement.values(
                state=JobState.QUEUED.value, run_at=run_at, attempts=0, error=None, ended_at=None
            )
        if affected(session, statement) == 1:
            return True
    raise AssertionError("a locked job row kept changing")


def is_due(session: Session, *, now: datetime, kinds: Collection[str] | None = None) -> bool:
    """Whether ``lease`` would find something: a look that takes no lock."""
    return session.scalar(select(Job.id).where(_due(now, kinds)).limit(1)) is not None


def lease(session: Session, *, now: datetime, lease_s: float, kinds: Collection[str] | None = None) -> Leased | None:
    """Wins the job that is due longest, or None. Commit before working on it: the lease is the worker's claim.

    A job whose worker vanished is taken over when its lease has run out; one that took too many workers with it
    is dead instead.
    """
    rows = session.execute(
        select(Job.id, Job.kind, Job.key, Job.payload, Job.state, Job.fence, Job.attempts, Job.run_at)
        .where(_due(now, kinds))
        .order_by(Job.run_at, Job.id)
        .limit(CANDIDATES)
    ).all()
    for row in rows:
        unchanged = (Job.id == row.id, Job.fence == row.fence, Job.run_at == row.run_at, _due(now, None))
        if row.attempts >= ATTEMPTS_MAX:
            affected(
                session,
                update(Job)
                .where(*unchanged)
                .values(
                    state=JobState.DEAD.value,
                    fence=Job.fence + 1,
                    lease_until=None,
                    ended_at=now,
                    error="worker_vanished",
                ),
            )
            continue
        won = update(Job).where(*unchanged)
        won = won.values(
            state=JobState.LEASED.value,
            fence=Job.fence + 1,
            attempts=Job.attempts + 1,
            lease_until=now + timedelta(seconds=lease_s),
            started_at=now,
            ended_at=None,
        )
        if affected(session, won) == 1:
            return Leased(
                id=row.id,
                kind=row.kind,
                key=row.key,
                payload=json.loads(row.payload),
                fence=row.fence + 1,
                attempts=row.attempts + 1,
                run_at=row.run_at,
            )
    return None


def _due(now: datetime, kinds: Collection[str] | None) -> ColumnElement[bool]:
    due = or_(
        and_(Job.state == JobState.QUEUED.value, Job.run_at <= now),
        and_(Job.state == JobState.LEASED.value, Job.lease_until <= now),
    )
    return due if kinds is None else and_(due, Job.kind.in_(sorted(kinds)))


def _held(job_id: UUID, fence: int) -> tuple[ColumnElement[bool], ...]:
    return (Job.id == job_id, Job.fence == fence, Job.state == JobState.LEASED.value)


def hold(session: Session, *, leased: Leased) -> None:
    """Locks the job for this transaction, or raises LeaseLost: first in a transaction whose effect must be ours."""
    statement = update(Job).where(*_held(leased.id, leased.fence)).values(fence=leased.fence)
    if affected(session, statement) != 1:
        raise LeaseLost(leased.key)


def renew(session: Session, *, leased: Leased, now: datetime, lease_s: float) -> bool:
    """Keeps the lease while a long job runs. False when it was lost."""
    until = now + timedelta(seconds=lease_s)
    return affected(session, update(Job).where(*_held(leased.id, leased.fence)).values(lease_until=until)) == 1


def report_progress(
    session: Session,
    *,
    job_id: UUID,
    fence: int,
    done_rows: int,
    total_rows: int,
    stage: str,
    now: datetime,
    is_first: bool = False,
) -> None:
    """Says how far the job is, for the pages that watch it; an attempt's rate counts from its first report.

    Raises LeaseLost when the job is no longer ours.
    """
    values: dict[str, Any] = {"done_rows": done_rows, "total_rows": total_rows, "stage": stage[:40], "reported_at": now}
    if is_first:
        values |= {"start_rows": done_rows, "started_at": now}
    if affected(session, update(Job).where(*_held(job_id, fence)).values(values)) != 1:
        raise LeaseLost(str(job_id))


def finish(session: Session, *, leased: Leased, now: datetime) -> bool:
    """The work is done. False when its outcome was written already or the lease was lost.

    A job that was asked for again meanwhile is queued instead of done.
    """
    held = _held(leased.id, leased.fence)
    done = {"state": JobState.DONE.value, "lease_until": None, "ended_at": now, "error": None}
    if affected(session, update(Job).where(*held, Job.run_at == leased.run_at).values(done)) == 1:
        return True
    again = {"state": JobState.QUEUED.value, "lease_until": None, "attempts": 0, "error": None}
    return affected(session, update(Job).where(*held).values(again)) == 1


def reschedule(session: Session, *, leased: Leased, run_at: datetime, now: datetime) -> bool:
    """Nothing went wrong, look again at ``run_at``: attempts count from nought. False when the lease was lost."""
    values = {
        "state": JobState.QUEUED.value,
        "run_at": run_at,
        "lease_until": None,
        "attempts": 0,
        "error": None,
    }
    held = _held(leased.id, leased.fence)
    if affected(session, update(Job).where(*held, Job.run_at == leased.run_at).values(values)) == 1:
        return True
    del values["run_at"]  # somebody asked for another time meanwhile; theirs is newer
    return affected(session, update(Job).where(*held).values(values)) == 1


def retry(session: Session, *, leased: Leased, error: str, now: datetime, is_permanent: bool = False) -> bool:
    """The attempt failed: wait and try again, or give up for a person to look. False when the lease was lost.

    ``error`` is a code or a short text without personal values.
    """
    when = next_run(key=leased.key, attempts=leased.attempts, now=now, is_permanent=is_permanent)
    values: dict[str, Any] = {"lease_until": None, "error": error[:ERROR_LENGTH_MAX]}
    if when is None:
        values |= {"state": JobState.DEAD.value, "ended_at": now}
    else:
        values |= {"state": JobState.QUEUED.value, "run_at": when}
    return affected(session, update(Job).where(*_held(leased.id, leased.fence)).values(values)) == 1
