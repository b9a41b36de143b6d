"""The worker's heartbeat: says that the process is alive, and keeps the lease of a job for as long as it runs."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType

import structlog
from sqlalchemy.exc import SQLAlchemyError

from scancode.db import Database, new_id
from scancode.jobs import service as jobs

BEAT_S = 5.0
LEASE_S = 60.0
"""A worker that dies keeps its job from the others for so long; one that lives renews long before."""
log = structlog.get_logger(__name__)


class Pulse:
    """A thread for as long as the ``with`` block lasts. A database that is away costs beats, never the worker."""

    def __init__(
        self, db: Database, clock: Callable[[], datetime], *, beat_s: float = BEAT_S, lease_s: float = LEASE_S
    ) -> None:
        self._db = db
        self._clock = clock
        self._beat_s = beat_s
        self._lease_s = lease_s
        self._started_at = clock()
        self._id = new_id(self._started_at)
        self._leased: jobs.Leased | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker-pulse", daemon=True)

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(timeout=self._beat_s + 1)
        try:
            with self._db.transaction() as session:
                jobs.depart(session, worker_id=self._id)
        except SQLAlchemyError:
            log.info("departure_unwritten")

    @contextmanager
    def holding(self, leased: jobs.Leased) -> Iterator[None]:
        """Renews this lease until the block ends."""
        self._leased = leased
        try:
            yield
        finally:
            self._leased = None

    def _run(self) -> None:
        while True:
            try:
                self._beat()
            except SQLAlchemyError as error:
                log.warning("beat_unwritten", error=type(error).__name__)
            if self._over.wait(self._beat_s):
                return

    def _beat(self) -> None:
        leased, now = self._leased, self._clock()
        with self._db.transaction() as session:
            jobs.beat(
                session,
                worker_id=self._id,
                host=socket.gethostname(),
                pid=os.getpid(),
                started_at=self._started_at,
                now=now,
            )
            if leased is not None and not jobs.renew(session, leased=leased, now=now, lease_s=self._lease_s):
                log.info("lease_not_renewed", kind=leased.kind, key=leased.key)
