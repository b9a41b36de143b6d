"""Who writes the groups: threads that are given one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

from scancode.web.gathering.visits import Visit


class Hand:
    """A thread that writes one group after the other; it starts with the first. Whoever has waited for it ``stall_s``
    is told ``stalled``."""

    def __init__(
        self, write: Callable[[Sequence[Any]], Sequence[Any]], *, stall_s: float, stalled: type[Exception]
    ) -> None:
        self._write = write
        self.stall_s, self.stalled = stall_s, stalled
        self._given: SimpleQueue[tuple[Group, Sequence[Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def give(self, group: Group, steps: Sequence[Any]) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="gathered-writer", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # the system gives no more of them just now
                group.end([error] * len(steps))
                return
            self._thread = thread
        self._given.put((group, steps))

    def end(self) -> None:
        self._given.put(None)

    def _run(self) -> None:
        while (given := self._given.get()) is not None:
            group, steps = given
            try:
                outcomes = self._write(steps)
            except Exception as error:  # its visitors are told; the next group may fare better
                outcomes = [error] * len(steps)
            group.end(outcomes)


class Group:
    """Visits that wait for one hand. Outcomes are the group's own, in the order of its visits: whatever happens to
    one group, no visitor is given what is another's."""

    def __init__(self, hand: Hand, visits: list[Visit]) -> None:
        self.hand = hand
        self.visits = visits
        self.outcomes: Sequence[Any] = ()
        self.given_at = time.monotonic()
        self._is_done = threading.Lock()
        self._is_done.acquire()
        hand.give(self, [visit.step for visit in visits])

    def is_done(self, within_s: float) -> bool:
        """Whether it has been written; to be asked until it is."""
        return self._is_done.acquire(timeout=within_s)

    def end(self, outcomes: Sequence[Any]) -> None:
        self.outcomes = outcomes
        self._is_done.release()
