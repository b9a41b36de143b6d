"""When a failed job runs again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scancode.jobs.rules import ATTEMPTS_MAX, BACKOFF_LAST_S, backoff, next_run

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
