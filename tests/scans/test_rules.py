"""What a scan says, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from scancode.codes.rules import Life
from scancode.scans.rules import HISTORY_MAX, Earlier, History, Verdict, history, judge

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ALICE, BOB, CHEN = UUID(int=1), UUID(int=2), UUID(int=3)


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def seen(*who: tuple[UUID, int], by: UUID = ALICE) -> History:
    return history([Earlier(visitor, at(minutes)) for visitor, minutes in who], visitor_id=by)


def test_a_code_that_nobody_scanned_is_first() -> None:
    assert seen().is_empty
    assert judge(Life.ACTIVE, seen()) is Verdict.FIRST


def test_reloading_ones_own_page_makes_nothing_suspicious() -> None:
    past = seen((ALICE, 0), (ALICE, 1), (ALICE, 2))
    assert judge(Life.ACTIVE, past) is Verdict.FIRST
    assert past.scans == 0
    assert past.own_first_at == at(0)


def test_a_scan_after_somebody_elses_is_a_repeat() -> None:
    past = seen((BOB, 0))
    assert judge(Life.ACTIVE, past) is Verdict.REPEAT
    assert (past.visitors, past.scans, past.first_at) == (1, 1, at(0))


def test_whoever_came_first_stays_first() -> None:
    past = seen((ALICE, 0), (BOB, 1), (CHEN, 2), (BOB, 3))
    assert judge(Life.ACTIVE, past) is Verdict.FIRST
    assert (past.visitors, past.scans, past.first_at, past.last_at) == (2, 3, at(1), at(3))


def test_whoever_came_second_stays_a_repeat() -> None:
    assert judge(Life.ACTIVE, seen((BOB, 0), (ALICE, 1))) is Verdict.REPEAT


@pytest.mark.parametrize(
    ("life", "verdict"),
    [(Life.RECALLED, Verdict.RECALLED), (Life.VOID, Verdict.VOID), (Life.INACTIVE, Verdict.INACTIVE)],
)
def test_the_state_of_the_code_comes_before_its_history(life: Life, verdict: Verdict) -> None:
    assert judge(life, seen((BOB, 0))) is verdict
    assert judge(life, seen()) is verdict


@pytest.mark.parametrize(("count", "cut"), [(HISTORY_MAX - 1, False), (HISTORY_MAX, True)])
def test_a_long_history_says_that_it_is_cut(count: int, cut: bool) -> None:
    assert seen(*((UUID(int=10 + n), n) for n in range(count))).is_cut is cut


def test_verdicts_stand_in_order_of_precedence() -> None:
    assert [str(v) for v in Verdict] == [
        "forged", "unknown", "recalled", "void", "inactive", "suspect", "repeat", "first",
    ]  # fmt: skip
