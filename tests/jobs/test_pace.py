"""One pace for all workers: many of them at once never call more often than the provider allows."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from scancode.db import Database
from scancode.jobs import service as jobs
from tests.threads import at_once

WORKERS, TURNS, PER_SECOND = 6, 10, 100


def test_workers_at_once_take_turns_that_are_far_enough_apart(db: Database) -> None:
    def calls(_: int) -> list[datetime]:
        found = []
        for _turn in range(TURNS):
            with db.transaction() as session:
                now = datetime.now(UTC)
                found.append(now + jobs.take_turn(session, name="wechatpay", per_second=PER_SECOND, now=now))
        return found

    lists = at_once(WORKERS, calls)
    turns = sorted(turn for one in lists if isinstance(one, list) for turn in one)
    assert len(turns) == WORKERS * TURNS
    apart = [later - earlier for earlier, later in itertools.pairwise(turns)]
    assert min(apart) >= timedelta(seconds=1 / PER_SECOND)


def test_when_the_provider_says_too_quick_nobody_calls_before_then(db: Database, now: datetime) -> None:
    with db.transaction() as session:
        assert jobs.take_turn(session, name="wechatpay", per_second=100, now=now) == timedelta(0)
        jobs.hold_back(session, name="wechatpay", until=now + timedelta(seconds=1))
    with db.transaction() as session:
        assert jobs.take_turn(session, name="wechatpay", per_second=100, now=now) == timedelta(seconds=1)
        assert jobs.take_turn(session, name="other", per_second=100, now=now) == timedelta(0)
