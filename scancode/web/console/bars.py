"""The life of a batch as a bar: which part of its serials is live, void, recalled, inactive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scancode.codes.ranges import Span
from scancode.codes.rules import Life, LifeFacts

WIDTH = 1000.0
THINNEST = 4.0
SEGMENTS_MAX = 400


@dataclass(frozen=True)
class Segment:
    x: float
    width: float
    state: Life
    first: int
    last: int


def tally(spans: Sequence[Span[LifeFacts]], count: int) -> list[tuple[Life, int]]:
    """How many serials are in each state that occurs."""
    by_state = dict.fromkeys(Life, 0)
    for span in spans:
        by_state[span.value.state] += span.count
    by_state[Life.INACTIVE] = count - sum(by_state.values())
    shown = (Life.ACTIVE, Life.INACTIVE, Life.VOID, Life.RECALLED)
    return [(state, by_state[state]) for state in shown if by_state[state]]


def segments(spans: Sequence[Span[LifeFacts]], count: int) -> list[Segment]:
    """The bar's pieces, 1000 wide in all, on a ground of "inactive". One dead code among a million still shows; where
    there are too many pieces the dead ones are kept before the live."""
    kept = list(spans)
    if len(kept) > SEGMENTS_MAX:
        kept = sorted(kept, key=lambda span: (span.value.state is Life.ACTIVE, -span.count))[:SEGMENTS_MAX]
    kept.sort(key=lambda span: (span.value.state is not Life.ACTIVE, span.first))
    return [
        Segment(
            x=round(min(span.first / count * WIDTH, WIDTH - THINNEST), 2),
            width=round(max(span.count / count * WIDTH, THINNEST), 2),
            state=span.value.state,
            first=span.first,
            last=span.last,
        )
        for span in kept
    ]
