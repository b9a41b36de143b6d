"""The life of codes without a database: what each change makes of each state, and what is left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scancode.codes.ranges import Span, overlay
from scancode.codes.rules import (
    INACTIVE,
    Activate,
    Change,
    Deactivate,
    Life,
    LifeFacts,
    MessageNeeded,
    NoteNeeded,
    NothingToChange,
    ReasonNeeded,
    Recall,
    Restore,
    Void,
    VoidReason,
    plan,
)

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ACTIVE = LifeFacts(Life.ACTIVE)
RECALL = Recall("请停止食用", "Do not eat this")
VOID = Void(VoidReason.DAMAGED)


def states(spans: list[Span[LifeFacts]], count: int) -> list[LifeFacts]:
    out = [INACTIVE] * count
    for span in spans:
        for serial in range(span.first, span.last + 1):
            out[serial] = span.value
    return out


def apply(old: list[Span[LifeFacts]], ranges: list[tuple[int, int]], what: Change) -> list[Span[LifeFacts]]:
    done = plan(old, ranges, what, now=NOW)
    kept = [span for span in old if span not in done.removed]
    return sorted([*kept, *done.added], key=lambda span: span.first)


def test_it_activates_a_fresh_range() -> None:
    done = plan([], [(0, 9)], Activate(), now=NOW)
    assert done.added == (Span(0, 9, ACTIVE),)
    assert done.changed_count == 10
    assert done.left == {}


def test_it_joins_what_was_activated_case_by_case() -> None:
    spans: list[Span[LifeFacts]] = []
    for first in range(0, 100, 10):
        spans = apply(spans, [(first, first + 9)], Activate())
    assert spans == [Span(0, 99, ACTIVE)]


def test_it_leaves_the_dead_dead_when_the_rest_is_activated() -> None:
    spans = apply([], [(5, 5)], VOID)
    done = plan(spans, [(0, 9)], Activate(), now=NOW)
    assert done.changed_count == 9
    assert done.left == {Life.VOID: 1}
    assert [life.state for life in states(apply(spans, [(0, 9)], Activate()), 10)] == [
        Life.VOID if serial == 5 else Life.ACTIVE for serial in range(10)
    ]


@pytest.mark.parametrize(
    ("old", "what"),
    [
        (ACTIVE, Activate()),
        (INACTIVE, Deactivate()),
        (LifeFacts(Life.VOID, "lost"), Activate()),
        (LifeFacts(Life.VOID, "lost"), Deactivate()),
        (LifeFacts(Life.VOID, "lost"), VOID),
        (LifeFacts(Life.RECALLED), VOID),
        (LifeFacts(Life.RECALLED), Activate()),
        (ACTIVE, Restore("mistake")),
        (INACTIVE, Restore("mistake")),
    ],
)
def test_it_refuses_a_change_that_changes_nothing(old: LifeFacts, what: Change) -> None:
    spans = [Span(0, 9, old)] if old != INACTIVE else []
    with pytest.raises(NothingToChange):
        plan(spans, [(3, 3)], what, now=NOW)


@pytest.mark.parametrize("before", [ACTIVE, INACTIVE, LifeFacts(Life.VOID, "stolen", prior="active")])
def test_restore_returns_a_recalled_code_to_what_it_was(before: LifeFacts) -> None:
    old = [Span(0, 9, before)] if before != INACTIVE else []
    recalled = apply(old, [(2, 7)], RECALL)
    assert states(recalled, 10)[4].message("zh") == "请停止食用"
    assert states(recalled, 10)[4].message("en") == "Do not eat this"
    back = apply(recalled, [(2, 7)], Restore("a mistake"))
    assert states(back, 10) == [before] * 10


def test_restore_undoes_a_void_under_a_recall_in_two_steps() -> None:
    spans = apply(apply(apply([], [(0, 0)], Activate()), [(0, 0)], VOID), [(0, 0)], RECALL)
    spans = apply(spans, [(0, 0)], Restore("one"))
    assert spans[0].value.state is Life.VOID
    assert spans[0].value.reason == "damaged"
    assert apply(spans, [(0, 0)], Restore("two")) == [Span(0, 0, ACTIVE)]


def test_a_second_recall_replaces_the_message_and_forgets_nothing() -> None:
    spans = apply(apply([Span(0, 9, ACTIVE)], [(0, 9)], RECALL), [(0, 9)], Recall("新消息", "New words"))
    assert spans[0].value.message("zh") == "新消息"
    assert apply(spans, [(0, 9)], Restore("over")) == [Span(0, 9, ACTIVE)]


def test_other_needs_words() -> None:
    with pytest.raises(ReasonNeeded):
        Void(VoidReason.OTHER, "  ")
    assert Void(VoidReason.OTHER, "fell into the river").verb == "void"


@pytest.mark.parametrize(("zh", "en"), [("", "x"), ("x", " "), ("x" * 301, "x")])
def test_a_recall_needs_both_messages(zh: str, en: str) -> None:
    with pytest.raises(MessageNeeded):
        Recall(zh, en)


def test_a_recall_takes_three_hundred_characters() -> None:
    assert Recall("字" * 300, "x" * 300).verb == "recall"


def test_restore_needs_a_note() -> None:
    with pytest.raises(NoteNeeded):
        Restore(" ")


def test_it_keeps_the_moment_of_the_first_part() -> None:
    early = LifeFacts(Life.ACTIVE, changed_at=NOW - timedelta(days=1))
    done = plan([Span(0, 4, early)], [(5, 9)], Activate(), now=NOW)
    assert done.added[0].value.changed_at == early.changed_at


CHANGES = st.sampled_from([Activate(), Deactivate(), VOID, Void(VoidReason.LOST), RECALL, Restore("why")])
RANGES = st.lists(st.integers(0, 29), min_size=2, max_size=6, unique=True).map(
    lambda ends: [(first, last) for first, last in zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False)]
)


@given(st.lists(st.tuples(RANGES, CHANGES), max_size=8))
def test_it_does_to_each_serial_what_it_would_do_to_it_alone(steps: list[tuple[list[tuple[int, int]], Change]]) -> None:
    spans: list[Span[LifeFacts]] = []
    model = [INACTIVE] * 30
    for ranges, what in steps:
        named = {serial for first, last in ranges for serial in range(first, last + 1)}
        after = [what.apply(life, NOW) or life if serial in named else life for serial, life in enumerate(model)]
        try:
            window = [s for s in spans if s.last >= ranges[0][0] - 1 and s.first <= ranges[-1][1] + 1]
            done = plan(window, ranges, what, now=NOW)
            spans = sorted([*(s for s in spans if s not in done.removed), *done.added], key=lambda s: s.first)
        except NothingToChange:
            assert after == model
        model = after
        assert states(spans, 30) == model
        assert all(one.last < other.first for one, other in pairwise(spans))


def test_overlay_agrees_with_an_activation() -> None:
    new = Span(3, 6, ACTIVE)
    assert overlay([], new) == list(plan([], [(3, 6)], Activate(), now=NOW).added)
