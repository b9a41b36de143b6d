"""What a scan says, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from scancode.codes.rules import Life
from scancode.scans.rules import (
    BROWSERS_OF_ADDRESS_MAX,
    HISTORY_MAX,
    CopyTerms,
    Earlier,
    History,
    Sign,
    Verdict,
    history,
    is_crowd,
    judge,
    signs_of_copying,
)

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


def test_suspect_comes_after_the_life_of_the_code_and_before_its_history() -> None:
    assert judge(Life.ACTIVE, seen(), is_suspect=True) is Verdict.SUSPECT
    assert judge(Life.VOID, seen(), is_suspect=True) is Verdict.VOID
    assert judge(Life.INACTIVE, seen(), is_suspect=True) is Verdict.INACTIVE


TERMS = CopyTerms(visitors=5, cities=3, days=30, kmh=1000)
SHANGHAI, HANGZHOU, URUMQI, GUANGDONG = 310000, 330100, 650100, 440000
KM = {
    frozenset({SHANGHAI, HANGZHOU}): 90.0,
    frozenset({SHANGHAI, URUMQI}): 3200.0,
    frozenset({HANGZHOU, URUMQI}): 3300.0,
}


def signs(*scans: Earlier, now: datetime = NOW) -> tuple[Sign, ...]:
    return signs_of_copying(
        scans, terms=TERMS, now=now, kilometres=lambda one, other: KM.get(frozenset({one, other}))
    ).found


def by(person: int, minutes: int = 0, region: int | None = None, **more: Any) -> Earlier:
    return Earlier(UUID(int=person), at(minutes), region, **more)


@pytest.mark.parametrize(("people", "found"), [(4, ()), (5, (Sign.VISITORS,))])
def test_very_many_people_speak_for_a_copy(people: int, found: tuple[Sign, ...]) -> None:
    assert signs(*(by(person) for person in range(people))) == found


def test_one_person_may_scan_as_often_as_they_like() -> None:
    assert signs(*(by(1, minutes) for minutes in range(100))) == ()


def test_whoever_throws_cookies_away_is_few_people() -> None:
    earlier = [by(person, address="one") for person in range(BROWSERS_OF_ADDRESS_MAX)]
    assert is_crowd(earlier, visitor_id=UUID(int=99), address="one")
    assert not is_crowd(earlier[1:], visitor_id=UUID(int=99), address="one")
    assert not is_crowd(earlier, visitor_id=UUID(int=0), address="one")  # one of them looks again
    assert not is_crowd(earlier, visitor_id=UUID(int=99), address="two")
    assert not is_crowd([by(person) for person in range(9)], visitor_id=UUID(int=99), address=None)
    assert signs(*earlier, *(by(100 + person, is_crowd=True) for person in range(50))) == ()


@pytest.mark.parametrize(
    ("age", "found"), [(timedelta(days=30), (Sign.VISITORS,)), (timedelta(days=30, seconds=1), ())]
)
def test_scans_of_long_ago_do_not_count(age: timedelta, found: tuple[Sign, ...]) -> None:
    assert signs(*(by(person) for person in range(5)), now=NOW + age) == found


def test_many_cities_speak_for_a_copy_where_there_are_three_people() -> None:
    assert signs(by(1, 0, SHANGHAI), by(2, 99_99, HANGZHOU), by(3, 299_99, URUMQI)) == (Sign.CITIES,)
    assert signs(by(1, 0, SHANGHAI), by(2, 99_99, HANGZHOU), by(1, 299_99, URUMQI)) == ()
    assert signs(by(1, 0, SHANGHAI), by(2, 99_99, HANGZHOU), by(3, 299_99, GUANGDONG)) == ()  # a province is no city


def test_two_jumps_that_nothing_travels_speak_for_a_copy() -> None:
    back_and_forth = (by(1, 0, SHANGHAI), by(2, 60, URUMQI), by(3, 120, SHANGHAI))
    assert signs(*back_and_forth) == (Sign.SPEED,)
    assert signs(*back_and_forth[:2], by(3, 200, URUMQI)) == ()  # once may be a wrong address
    assert signs(by(1, 0, SHANGHAI), by(2, 240, URUMQI), by(3, 480, SHANGHAI)) == ()  # a flight
    assert signs(by(1, 0, SHANGHAI), by(2, 1, HANGZHOU), by(3, 2, SHANGHAI)) == ()  # too near to tell
