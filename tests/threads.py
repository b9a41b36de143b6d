"""Many threads at once, for the tests of races."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def at_once(count: int, work: Callable[[int], T]) -> list[T | Exception]:
    """Runs ``work(0) … work(count - 1)``, all let go at the same moment; an exception is its thread's result."""
    gate = threading.Barrier(count)

    def one(number: int) -> T | Exception:
        gate.wait(timeout=20)
        try:
            return work(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))
