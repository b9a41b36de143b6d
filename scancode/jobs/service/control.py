"""What people see of the outbox and do to it: look, cancel, revive, sweep out what is long done; who is at work."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from scancode.db import affected, insert_once
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.jobs.models import Job, WorkerBeat
from scancode.jobs.rules import JobFacts, JobState

ALIVE_S = 30
"""A worker that has not been heard of for so long is taken for gone."""

_COLUMNS = (
    Job.id,
    Job.kind,
    Job.key,
    Job.state,
    Job.run_at,
    Job.attempts,
    Job.done_rows,
    Job.total_rows,
    Job.stage,
    Job.error,
    Job.lease_until,
    Job.created_at,
    Job.started_at,
    Job.ended_at,
    Job.start_rows,
    Job.reported_at,
)


class JobBusy(Refusal):
    code = "job_busy"
    text = N_("This job has moved on since the page was loaded: it is {state} now. Look again before changing it.")


def find(session: Session, *, key: str) -> JobFacts | None:
    row = session.execute(select(*_COLUMNS).where(Job.key == key)).one_or_none()
    return _facts(row) if row else None


def get_job(session: Session, *, job_id: UUID) -> JobFacts:
    row = session.execute(select(*_COLUMNS).where(Job.id == job_id)).one_or_none()
    if row is None:
        raise NotFound
    return _facts(row)


def list_jobs(
    session: Session,
    *,
    state: JobState | None = None,
    kind: str | None = None,
    limit: int = 50,
    before: UUID | None = None,
) -> list[JobFacts]:
    """The newest jobs that fit, from before the job ``before``."""
    query = select(*_COLUMNS).order_by(Job.id.desc()).limit(limit)
    if state is not None:
        query = query.where(Job.state == state.value)
    if kind:
        query = query.where(Job.kind == kind)
    if before is not None:
        query = query.where(Job.id < before)
    return [_facts(row) for row in session.execute(query)]


@dataclass(frozen=True)
class QueueCounts:
    """How the outbox stands. ``late`` jobs were due a minute ago or longer and nobody has taken them."""

    queued: int
    leased: int
    dead: int
    late: int


def counts(session: Session, *, now: datetime) -> QueueCounts:
    """Counts what is not over; done jobs are not counted, however many are kept."""
    open_states = (JobState.QUEUED.value, JobState.LEASED.value, JobState.DEAD.value)
    rows = session.execute(select(Job.state, func.count()).where(Job.state.in_(open_states)).group_by(Job.state)).all()
    number = {str(state): int(count) for state, count in rows}
    late = session.scalar(
        select(func.count()).where(Job.state == JobState.QUEUED.value, Job.run_at <= now - timedelta(minutes=1))
    )
    return QueueCounts(
        queued=number.get("queued", 0), leased=number.get("leased", 0), dead=number.get("dead", 0), late=late or 0
    )


def cancel(session: Session, *, job_id: UUID, now: datetime, running_kinds: Collection[str] = ()) -> JobFacts:
    """Takes a waiting or dead job out; of ``running_kinds`` a running one as well, whose worker sees at its next report
    that the job is no longer its own and stops. Raises NotFound, JobBusy when it runs or is over."""
    waiting = Job.state.in_((JobState.QUEUED.value, JobState.DEAD.value))
    running = and_(Job.state == JobState.LEASED.value, Job.kind.in_(sorted(running_kinds)))
    statement = update(Job).where(Job.id == job_id, or_(waiting, running))
    statement = statement.values(state=JobState.CANCELLED.value, ended_at=now, fence=Job.fence + 1, lease_until=None)
    return _changed(session, job_id, affected(session, statement))


def revive(session: Session, *, job_id: UUID, now: datetime) -> JobFacts:
    """Has a dead or cancelled job tried again now, its attempts counted anew. Raises NotFound, JobBusy."""
    over = Job.state.in_((JobState.DEAD.value, JobState.CANCELLED.value))
    statement = update(Job).where(Job.id == job_id, over)
    statement = statement.values(
        state=JobState.QUEUED.value, run_at=now, attempts=0, ended_at=None, fence=Job.fence + 1
    )
    return _changed(session, job_id, affected(session, statement))


def _changed(session: Session, job_id: UUID, rows: int) -> JobFacts:
    job = get_job(session, job_id=job_id)
    if rows != 1:
        raise JobBusy(state=job.state.value)
    return job


def sweep(
    session: Session, *, before: datetime, kind: str | None = None, with_dead: bool = False, limit: int = 1000
) -> int:
    """Deletes jobs (of one kind) that were done or cancelled before then; returns how many.

    Dead ones wait for a person and stay, unless ``with_dead``: for payloads that may not be kept.
    """
    over = [JobState.DONE.value, JobState.CANCELLED.value] + [JobState.DEAD.value] * with_dead
    chosen = [Job.state.in_(over), Job.ended_at < before]
    if kind is not None:
        chosen.append(Job.kind == kind)
    ids = session.scalars(select(Job.id).where(*chosen).order_by(Job.ended_at).limit(limit)).all()
    return affected(session, delete(Job).where(Job.id.in_(ids), *chosen)) if ids else 0


@dataclass(frozen=True)
class WorkerFacts:
    id: UUID
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime
    is_alive: bool


def beat(session: Session, *, worker_id: UUID, host: str, pid: int, started_at: datetime, now: datetime) -> None:
    """A worker says that it is alive; also forgets those that have not been heard of for a day."""
    if affected(session, update(WorkerBeat).where(WorkerBeat.id == worker_id).values(seen_at=now)) == 0:
        insert_once(session, WorkerBeat, id=worker_id, host=host[:120], pid=pid, started_at=started_at, seen_at=now)
        affected(session, delete(WorkerBeat).where(WorkerBeat.seen_at < now - timedelta(days=1)))


def depart(session: Session, *, worker_id: UUID) -> None:
    """A worker says that it leaves."""
    affected(session, delete(WorkerBeat).where(WorkerBeat.id == worker_id))


def workers(session: Session, *, now: datetime, limit: int = 50) -> list[WorkerFacts]:
    """The workers heard of lately, the newest news first."""
    rows = session.scalars(select(WorkerBeat).order_by(WorkerBeat.seen_at.desc()).limit(limit))
    alive_since = now - timedelta(seconds=ALIVE_S)
    return [
        WorkerFacts(row.id, row.host, row.pid, row.started_at, row.seen_at, row.seen_at >= alive_since) for row in rows
    ]


def _facts(row: Row[*tuple[Any, ...]]) -> JobFacts:
    values = row._asdict()
    return JobFacts(**{**values, "state": JobState(values["state"])})
