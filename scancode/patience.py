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
def within(seconds: float) -> Iterator[None]:
    """In this thread nothing waits longer than so many seconds from now; an earlier end that was set stays."""
    before: float | None = getattr(_here, "until", None)
    until = time.monotonic() + seconds
    _here.until = until if before is None else min(before, until)
    try:
        yield
    finally:
        _here.until = before


def left_s() -> float | None:
    """Seconds that are left, 0.0 when there are none; None where nobody set an end."""
    until: float | None = getattr(_here, "until", None)
    return None if until is None else max(0.0, until - time.monotonic())


def is_over() -> bool:
    return left_s() == 0.0
