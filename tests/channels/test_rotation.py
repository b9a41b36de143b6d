"""Whom a live code leads to: decided without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from scancode.channels.rotation import Attendant, BadShifts, Taken, choose, read_shifts

SUNDAY_NOON = datetime(2026, 11, 22, 12, 0)  # noqa: DTZ001 the brand's clocks
BOB, DAN, EVE = UUID(int=1), UUID(int=2), UUID(int=3)
AT = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def guide(guide_id: UUID, **over: object) -> Attendant:
    return Attendant(guide_id, UUID(int=9), "x", **over)  # type: ignore[arg-type]


def chosen(
    *team: Attendant, taken: dict[UUID, Taken] | None = None, rule: str = "turns", **more: object
) -> UUID | None:
    found = choose(team, taken or {}, rule=rule, local=more.pop("local", SUNDAY_NOON), **more)  # type: ignore[arg-type]
    return found.guide_id if found else None


def test_turns_go_to_whoever_waited_longest() -> None:
    team = guide(BOB), guide(DAN), guide(EVE)
    assert chosen(*team) == BOB
    assert chosen(*team, taken={BOB: Taken(1, AT)}) == DAN
    assert chosen(*team, taken={BOB: Taken(1, AT), DAN: Taken(1, AT + timedelta(seconds=1)), EVE: Taken(9, AT)}) == BOB


def test_shares_are_kept_over_many_visitors() -> None:
    team = guide(BOB, weight=3), guide(DAN, weight=1)
    counts = {BOB: 0, DAN: 0}
    for _ in range(40):
        who = chosen(*team, taken={key: Taken(count) for key, count in counts.items()}, rule="weight")
        assert who is not None
        counts[who] += 1
    assert counts == {BOB: 30, DAN: 10}


def test_nobody_off_duty_or_switched_off_is_led_to() -> None:
    assert chosen(guide(BOB, is_on_duty=False), guide(DAN, is_active=False)) is None
    assert chosen(guide(BOB, is_on_duty=False), guide(DAN)) == DAN


def test_a_guide_is_there_within_their_hours_only() -> None:
    works = guide(BOB, shifts=read_shifts("1-5 09:00-18:00, 7 10:00-12:00"))
    assert chosen(works) is None  # Sunday, 12:00 sharp
    assert chosen(works, local=SUNDAY_NOON - timedelta(minutes=1)) == BOB
    assert chosen(works, local=SUNDAY_NOON - timedelta(hours=2, minutes=1)) is None
    assert chosen(works, local=SUNDAY_NOON + timedelta(days=1)) == BOB


def test_a_shift_may_go_on_after_midnight() -> None:
    nights = guide(BOB, shifts=read_shifts("6 22:00-02:00"))
    assert chosen(nights, local=datetime(2026, 11, 21, 23, 0)) == BOB  # noqa: DTZ001 Saturday
    assert chosen(nights, local=datetime(2026, 11, 22, 1, 59)) == BOB  # noqa: DTZ001
    assert chosen(nights, local=datetime(2026, 11, 22, 2, 0)) is None  # noqa: DTZ001
    assert chosen(nights, local=datetime(2026, 11, 21, 1, 0)) is None  # noqa: DTZ001 of Friday's night


def test_a_full_guide_is_passed_over() -> None:
    team = guide(BOB, day_max=2), guide(DAN)
    assert chosen(*team, taken={BOB: Taken(1), DAN: Taken(5, AT)}) == BOB
    assert chosen(*team, taken={BOB: Taken(2), DAN: Taken(5, AT)}) == DAN
    assert chosen(team[0], taken={BOB: Taken(2)}) is None


def test_who_comes_again_meets_the_same_guide_while_they_are_there() -> None:
    team = guide(BOB), guide(DAN, day_max=1)
    assert chosen(*team, taken={DAN: Taken(1, AT)}, before=DAN) == DAN
    assert chosen(guide(BOB), guide(DAN, is_on_duty=False), before=DAN) == BOB
    assert chosen(*team, before=EVE) == BOB


@pytest.mark.parametrize(
    "text", ["9-18", "25:00-26:00", "09:00-09:00", "5-1 09:00-18:00", "8 09:00-18:00", "09:00-18:60", "x", "9:00-18:00"]
)
def test_it_refuses_hours_that_it_cannot_read(text: str) -> None:
    with pytest.raises(BadShifts):
        read_shifts(text)


def test_it_reads_hours_as_people_write_them() -> None:
    assert read_shifts("") == ()
    assert len(read_shifts("1-5  09:00-18:00；6 10:00-16:00，7 10:00-24:00")) == 3
