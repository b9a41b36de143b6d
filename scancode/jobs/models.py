"""The outbox: side effects as rows of the transaction that wants them, worked off later by a worker process.

A job is leased for a while under a fencing number; whoever holds an older number can no longer write its outcome.
``Stop`` rows are what an operator (or a restore) has halted; ``WorkerBeat`` rows are the workers that are alive;
``OutsideToken`` rows are what outside services gave to all processes together.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from scancode.db import Base
from scancode.jobs.rules import JobState as JobState


class Job(Base):
    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_due", "state", "run_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(120), unique=True)
    payload: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    done_rows: Mapped[int] = mapped_column(BigInteger, default=0)
    total_rows: Mapped[int] = mapped_column(BigInteger, default=0)
    # Where this attempt began to count, and when it last did: what rate and time left are worked out from.
    start_rows: Mapped[int] = mapped_column(BigInteger, default=0)
    reported_at: Mapped[datetime | None]
    stage: Mapped[str] = mapped_column(String(40), default="")
    error: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Stop(Base):
    """Something is halted until a person lets it go on. Names: ``claims``, ``payouts``."""

    __tablename__ = "stops"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    reason: Mapped[str] = mapped_column(String(200))
    since: Mapped[datetime]


class Pace(Base):
    """From when on somebody may be called again: what keeps all workers together below an outside limit."""

    __tablename__ = "paces"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    free_at: Mapped[datetime]


class WorkerBeat(Base):
    __tablename__ = "worker_beats"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(String(120))
    pid: Mapped[int]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class OutsideToken(Base):
    """A token of an outside service, which all processes use and one at a time renews: a new one may end the old."""

    __tablename__ = "outside_tokens"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    # Grows with every renewal: who was refused a token says which one it was.
    version: Mapped[int] = mapped_column(default=0)
    sealed: Mapped[str | None] = mapped_column(Text)
    renew_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    # Who fetches the next one, and until when; nobody and a time: the last attempt failed, nobody tries before.
    holder: Mapped[UUID | None]
    held_until: Mapped[datetime | None]
