"""What every long job shares: saying how far it is, seldom enough to cost nothing; noticing that it was cancelled; and
the lock that keeps two workers out of one folder.

A worker that was stopped for longer than its lease and then goes on must not touch what another is writing by now, so
who works in a folder holds a lock of the operating system, which the death of the process sets free.
"""

from __future__ import annotations

import errno
import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from scancode.errors import OutsideError
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.wiring import Wired

REPORT_EVERY_S = 0.5
FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says when a disk is full."""
Clock = Callable[[], datetime]
IsWanted = Callable[[Session], bool]


class Progress:
    """The progress of one attempt at one job. ``is_wanted`` is asked between pieces of the work."""

    def __init__(
        self, wired: Wired, leased: Leased, clock: Clock, is_wanted: IsWanted, *, every_s: float = REPORT_EVERY_S
    ) -> None:
        self._wired = wired
        self._leased = leased
        self._clock = clock
        self._is_wanted = is_wanted
        self._every_s = every_s
        self._goes_on = True
        self._done: int | None = None
        self._reported_at = float("-inf")
        self._looked_at = time.monotonic()

    def report(self, done: int, total: int, stage: str) -> None:
        """Writes progress down; a stage that counts anew has a rate of its own. Raises LeaseLost when the job is
        somebody else's, or was cancelled."""
        moment = time.monotonic()
        if moment - self._reported_at < self._every_s and done < total:
            return
        self._reported_at = moment
        with self._wired.db.transaction(durable=False) as session:
            jobs.report_progress(
                session,
                job_id=self._leased.id,
                fence=self._leased.fence,
                done_rows=done,
                total_rows=total,
                stage=stage,
                now=self._clock(),
                is_first=self._done is None or done < self._done,
            )
        self._done = done

    def shall_stop(self) -> bool:
        """Whether what the job works for is wanted no more."""
        moment = time.monotonic()
        if self._goes_on and moment - self._looked_at >= self._every_s:
            self._looked_at = moment
            with self._wired.db.reading() as session:
                self._goes_on = self._is_wanted(session)
        return not self._goes_on


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keeps other workers out of ``folder`` until the block ends. Raises OutsideError while another is in it: the job
    is tried again later."""
    locks = folder.parent / ".locks"
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / folder.name).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutsideError("folder_in_use", permanent=False) from error
        yield
