"""Who writes the groups: threads that are given one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

from scancode.web.gathering.visits import Visit


class Hand:
    """A thread that writes one group after the other; it starts with the first. Outcomes stand in the groups' order."""

    def __init__(self, write: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        self._write = write
        self._given: SimpleQueue[Sequence[Any] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_done = threading.Lock()
        self._is_done.acquire()
        self.outcomes: Sequence[Any] = ()

    def give(self, steps: Sequence[Any]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="gathered-writer", daemon=True)
            self._thread.start()
        self._given.put(steps)

    def is_done(self, within_s: float) -> bool:
        """Whether the group that was given has been written; to be asked until it is."""
        return self._is_done.acquire(timeout=within_s)

    def end(self) -> None:
        self._given.put(None)

    def _run(self) -> None:
        while (steps := self._given.get()) is not None:
            try:
                self.outcomes = self._write(steps)
            except Exception as error:  # its visitors are told; the next group may fare better
                self.outcomes = [error] * len(steps)
            self._is_done.release()


class Group:
    """Visits that wait for one hand."""

    def __init__(self, hand: Hand, visits: list[Visit]) -> None:
        self.hand = hand
        self.visits = visits
        self.given_at = time.monotonic()
        hand.give([visit.step for visit in visits])
