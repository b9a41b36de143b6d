"""Runs of children in parents: made from pairs, cut, looked into; and what goes into what."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scancode.i18n import translations
from scancode.packing.rules import (
    AlreadyPacked,
    Level,
    NotAContainer,
    Run,
    Unit,
    WrongKind,
    check_levels,
    count_of,
    runs_of,
    select,
)


def item(serial: int) -> Unit:
    return Unit(7, Level.ITEM, serial)


def case(serial: int) -> Unit:
    return Unit(9, Level.CASE, serial)


def pack(pairs: list[tuple[int, int]]) -> list[Run]:
    children = np.array([item(child).id for child, _ in pairs], dtype=np.int64)
    parents = np.array([case(parent).id for _, parent in pairs], dtype=np.int64)
    return runs_of(children, parents)


def test_a_regular_line_is_one_run_however_long_it_is() -> None:
    (run,) = pack([(serial, serial // 12) for serial in range(1200)])
    assert (run.first, run.last, run.parent_first, run.parent_last, run.size) == (0, 1199, 0, 99, 12)


def test_a_short_last_case_still_belongs_to_the_run() -> None:
    (run,) = pack([(serial, serial // 12) for serial in range(30)])
    assert (run.parent_last, run.within(2, 2)) == (2, (24, 29))


def test_a_reject_in_the_middle_splits_it() -> None:
    runs = pack([(serial, serial // 4) for serial in range(12) if serial != 5])
    assert [(run.first, run.last, run.parent_first, run.parent_last) for run in runs] == [
        (0, 4, 0, 1), (6, 7, 1, 1), (8, 11, 2, 2),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=60, unique_by=lambda pair: pair[0]))
def test_whatever_was_packed_is_found_again(pairs: list[tuple[int, int]]) -> None:
    runs = pack(pairs)
    found = {serial: run.parent_of(serial).serial for run in runs for serial in range(run.first, run.last + 1)}
    assert found == dict(pairs)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), min_size=1, max_size=40, unique_by=lambda p: p[0]),
    st.integers(0, 40),
    st.integers(0, 10),
)
def test_cutting_changes_nobodys_parent(pairs: list[tuple[int, int]], first: int, length: int) -> None:
    for run in pack(pairs):
        left, taken = run.without([(first, first + length)])
        after = {serial: part.parent_of(serial) for part in left + taken for serial in range(part.first, part.last + 1)}
        assert after == {serial: run.parent_of(serial) for serial in range(run.first, run.last + 1)}
        assert all(first <= part.first and part.last <= first + length for part in taken)
        for part in left:
            for parent in range(part.parent_first, part.parent_last + 1):
                inside = part.within(parent, parent)
                assert inside is not None
                assert {part.parent_of(serial).serial for serial in range(inside[0], inside[1] + 1)} == {parent}


def test_a_unit_survives_its_number() -> None:
    for unit in (item(5), case(3), Unit(1, Level.PALLET, 0)):
        assert Unit.of(unit.id) == unit


def test_selected_units_become_ranges() -> None:
    chosen = select([item(3), item(1), item(2), case(0)])
    assert chosen == {(7, Level.ITEM): ((1, 3),), (9, Level.CASE): ((0, 0),)}
    assert count_of(chosen, Level.ITEM) == 3


def test_nothing_goes_into_an_item_or_its_like() -> None:
    check_levels(case(0), [item(1)])
    check_levels(Unit(1, Level.PALLET, 0), [item(1), case(0)])
    with pytest.raises(NotAContainer):
        check_levels(item(0), [item(1)])
    with pytest.raises(WrongKind):
        check_levels(case(0), [case(1)])
    with pytest.raises(WrongKind):
        check_levels(case(0), [Unit(1, Level.PALLET, 0)])


def test_levels_in_a_refusal_are_words_of_the_reader() -> None:
    refusal = AlreadyPacked(level="case", batch=9, serial=4)
    assert "in case 9:4" in refusal.sentence()
    assert "箱 9:4" in refusal.sentence(translations("zh").gettext)
