"""When a job runs again after it failed, and what a worker and a page know of one. Pure: no clock, no database."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

ATTEMPTS_MAX = 12
"""After so many failures a job waits for a person: it is dead until revived."""
BACKOFF_FIRST_S = 2.0
BACKOFF_LAST_S = 1800.0
PACE_SECONDS_MIN = 0.5
"""A rate measured over less would jump about."""


class JobState(StrEnum):
    QUEUED = "queued"
    LEASED = "leased"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


class LeaseLost(Exception):
    """This worker's lease ran out and the job may be somebody else's: write nothing more for it."""


@dataclass(frozen=True)
class Leased:
    """A job that this worker holds until its lease runs out. Every outcome is written under ``fence``."""

    id: UUID
    kind: str
    key: str
    payload: dict[str, Any]
    fence: int
    attempts: int
    """This attempt included: 1 the first time."""
    run_at: datetime


@dataclass(frozen=True)
class JobFacts:
    """A job as pages show it; the payload is not for showing."""

    id: UUID
    kind: str
    key: str
    state: JobState
    run_at: datetime
    attempts: int
    done_rows: int
    total_rows: int
    stage: str
    error: str | None
    lease_until: datetime | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    start_rows: int = 0
    reported_at: datetime | None = None

    @property
    def rows_a_second(self) -> float | None:
        """How fast this attempt goes, from its first row; None while too little is known."""
        if self.state is not JobState.LEASED or self.reported_at is None or self.started_at is None:
            return None
        seconds = (self.reported_at - self.started_at).total_seconds()
        rows = self.done_rows - self.start_rows
        return rows / seconds if seconds >= PACE_SECONDS_MIN and rows > 0 else None

    @property
    def left_s(self) -> int | None:
        """How long it will take if it goes on like this, in whole seconds; None while nobody can tell."""
        pace = self.rows_a_second
        return None if pace is None else math.ceil((self.total_rows - self.done_rows) / pace)


def backoff(*, key: str, attempts: int) -> timedelta:
    """How long to wait after the ``attempts``-th failure: doubling to half an hour, less up to a quarter.

    What is taken off depends on the key alone, so jobs that failed together do not all come back together, and the
    same job waits the same whenever it is worked out.
    """
    full = min(BACKOFF_LAST_S, BACKOFF_FIRST_S * 2 ** min(max(attempts, 1) - 1, 30))
    share = int.from_bytes(hashlib.sha256(f"{key}\0{attempts}".encode()).digest()[:4], "big") / 2**32
    return timedelta(seconds=full * (1 - share / 4))


def next_run(*, key: str, attempts: int, now: datetime, is_permanent: bool) -> datetime | None:
    """When to try again, or None when trying again cannot help or was tried often enough."""
    if is_permanent or attempts >= ATTEMPTS_MAX:
        return None
    return now + backoff(key=key, attempts=attempts)
