"""When a failed job runs again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from scancode.jobs.rules import ATTEMPTS_MAX, BACKOFF_LAST_S, JobFacts, JobState, backoff, next_run

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(("attempts", "full_s"), [(1, 2), (2, 4), (5, 32), (10, 1024), (11, 1800), (500, 1800)])
def test_it_doubles_up_to_half_an_hour_less_a_quarter(attempts: int, full_s: int) -> None:
    waits = [backoff(key=f"job:{number}", attempts=attempts).total_seconds() for number in range(200)]
    assert 0.75 * full_s <= min(waits) < 0.8 * full_s
    assert 0.95 * full_s < max(waits) <= full_s <= BACKOFF_LAST_S


def test_the_same_job_waits_the_same() -> None:
    assert backoff(key="a", attempts=3) == backoff(key="a", attempts=3)
    assert backoff(key="a", attempts=3) != backoff(key="b", attempts=3)


def test_it_gives_up_after_the_last_attempt() -> None:
    before = next_run(key="a", attempts=ATTEMPTS_MAX - 1, now=NOW, is_permanent=False)
    assert before is not None
    assert before > NOW + timedelta(minutes=20)
    assert next_run(key="a", attempts=ATTEMPTS_MAX, now=NOW, is_permanent=False) is None


def test_it_gives_up_at_once_when_trying_again_cannot_help() -> None:
    assert next_run(key="a", attempts=1, now=NOW, is_permanent=True) is None


def running(**over: Any) -> JobFacts:
    facts: dict[str, Any] = {
        "id": UUID(int=1), "kind": "mint", "key": "mint:1", "state": JobState.LEASED, "run_at": NOW, "attempts": 2,
        "done_rows": 600, "total_rows": 1000, "stage": "csv", "error": None, "lease_until": NOW, "created_at": NOW,
        "started_at": NOW, "ended_at": None, "start_rows": 400, "reported_at": NOW + timedelta(seconds=4),
    }  # fmt: skip
    return JobFacts(**(facts | over))


def test_the_rate_counts_this_attempt_and_not_the_rows_that_were_there_before() -> None:
    assert running().rows_a_second == 50
    assert running().left_s == 8


@pytest.mark.parametrize(
    "over",
    [
        {"state": JobState.QUEUED},
        {"reported_at": None},
        {"reported_at": NOW + timedelta(milliseconds=400)},
        {"done_rows": 400},
    ],
)
def test_nobody_guesses_a_rate_from_too_little(over: dict[str, Any]) -> None:
    assert running(**over).rows_a_second is None
    assert running(**over).left_s is None
