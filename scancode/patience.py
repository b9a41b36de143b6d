"""How long a thread is willing to wait for the database: whoever answers a person says so, and everything that this
thread asks until then keeps to it.

A database whose process is stopped, or that a network has swallowed, says nothing at all: no limit that the server
keeps can help, so the connection gives up on this side (``engines``). What was under way may still be committed; work
that begins like this carries its own key and can be asked for again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_here = threading.local()


@contextmanager
def within(seconds: float, *, anew: bool = False) -> Iterator[None]:
    """In this thread nothing waits longer than so many seconds from now; an earlier end that was set stays, unless it
    is to begin ``anew``, for work that is done for others as well."""
    before: float | None = getattr(_here, "until", None)
    until = time.monotonic() + seconds
    _here.until = until if before is None or anew else min(before, until)
    try:
        yield
    finally:
        _here.until = before


@contextmanager
def each(seconds: float) -> Iterator[None]:
    """In this thread no single answer of the database is waited for longer than that; what lies between two of them,
    such as a client that sends slowly, does not count."""
    before: float | None = getattr(_here, "most_s", None)
    _here.most_s = seconds
    try:
        yield
    finally:
        _here.most_s = before


def left_s() -> float | None:
    """How long the next answer may be waited for, 0.0 when the time is over; None where nobody set a limit."""
    until: float | None = getattr(_here, "until", None)
    most_s: float | None = getattr(_here, "most_s", None)
    if until is None:
        return most_s
    left = max(0.0, until - time.monotonic())
    return left if most_s is None else min(left, most_s)


def is_over() -> bool:
    return left_s() == 0.0
