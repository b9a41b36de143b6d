"""Ranges of serials that never overlap: laying a new range over old ones. Pure; used for life and for shipments."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Span(Generic[T]):
    """Serials ``first`` to ``last``, both included, that share ``value``."""

    first: int
    last: int
    value: T

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    def cut(self, first: int, last: int) -> Span[T] | None:
        """The part of it within ``first`` to ``last``, or None."""
        low, high = max(self.first, first), min(self.last, last)
        return replace(self, first=low, last=high) if low <= high else None


def overlay(old: Sequence[Span[T]], new: Span[T]) -> list[Span[T]]:
    """``old`` (sorted, without overlaps) with ``new`` laid over it; equal neighbours are joined."""
    kept: list[Span[T]] = []
    for span in old:
        before, after = span.cut(span.first, new.first - 1), span.cut(new.last + 1, span.last)
        kept += [part for part in (before, after) if part is not None]
    return join(sorted([*kept, new], key=lambda span: span.first))


def join(spans: Sequence[Span[T]]) -> list[Span[T]]:
    """The same with neighbours of equal value made one."""
    joined: list[Span[T]] = []
    for span in spans:
        if joined and joined[-1].last + 1 == span.first and joined[-1].value == span.value:
            joined[-1] = replace(joined[-1], last=span.last)
        else:
            joined.append(span)
    return joined


class SpanMap(Generic[T]):
    """Finds the span of a serial in O(log n)."""

    def __init__(self, spans: Sequence[Span[T]]) -> None:
        self.spans = tuple(spans)
        self._firsts = [span.first for span in self.spans]

    def find(self, serial: int) -> Span[T] | None:
        position = bisect_right(self._firsts, serial) - 1
        if position >= 0 and self.spans[position].last >= serial:
            return self.spans[position]
        return None
