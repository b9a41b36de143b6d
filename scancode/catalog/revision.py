"""How a process keeps what it has read of the reference tables, and knows within a second that it is stale.

Every transaction that changes a reference table (a product, a batch's life, a shipment, a campaign) also bumps the one
``revision`` row. Each process looks at that row more than twice a second, in the background; a cached value is good
while the revision under which it was loaded is still the current one. Should the background thread be held up, the
request that finds the look older than ``MAX_AGE_S`` looks for itself: a verdict never lags by more than a second.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from scancode import patience
from scancode.catalog.models import Revision
from scancode.db import Database, affected, insert_once

LOOK_S, LOAD_S = 3.0, 15.0
"""So long one look at the revision, or the loading of one value, may take: then whoever waits for it is told."""
INTERVAL_S = 0.4
MAX_AGE_S = 0.9
K = TypeVar("K")
V = TypeVar("V")
log = structlog.get_logger(__name__)


_here = threading.local()


class NotInMemory(Exception):
    """A thread that must not wait for the database asked for what has to be read from it."""


def only_memory() -> None:
    """From now on whatever would have to be read raises NotInMemory in this thread, which has others to serve."""
    _here.is_bound = True


@contextmanager
def in_memory() -> Iterator[None]:
    """The same for a while: for a page that says that the database does not answer."""
    before, _here.is_bound = getattr(_here, "is_bound", False), True
    try:
        yield
    finally:
        _here.is_bound = before


def _require_patience() -> None:
    if getattr(_here, "is_bound", False):
        raise NotInMemory


@contextmanager
def _turn(lock: threading.Lock, most_s: float) -> Iterator[None]:
    """Raises PoolTimeout when it takes longer than that, or than this thread's patience."""
    left_s = patience.left_s()
    if not lock.acquire(timeout=most_s if left_s is None else min(most_s, left_s)):
        raise PoolTimeout("what is kept in memory is being read for too long")
    try:
        yield
    finally:
        lock.release()


def bump(session: Session) -> None:
    """Tells every process that reference tables have changed; part of the transaction that changes them."""
    statement = update(Revision).where(Revision.id == 1).values(number=Revision.number + 1)
    if affected(session, statement) == 0:
        insert_once(session, Revision, id=1, number=0)
        session.execute(statement)


class Watch:
    """Knows the committed revision, at most ``MAX_AGE_S`` old. One per process; starts its thread on first use."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._number = -1
        self._looked_at = float("-inf")
        self._pid = 0
        self._lock = threading.Lock()
        self._after_look: list[Callable[[], None]] = []
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        db.before_close(self.stop)

    def on_look(self, call: Callable[[], None]) -> None:
        """Also calls this in the background, after each look: small chores that must not cost a request."""
        self._after_look.append(call)

    def current(self) -> int:
        """Raises what the database raises, and NotInMemory."""
        if self._pid != os.getpid():
            _require_patience()
            self._start()
        if time.monotonic() - self._looked_at > MAX_AGE_S:
            _require_patience()
            self.look()
        return self._number

    def look(self) -> None:
        """Reads the revision now. Raises what the database raises, and PoolTimeout where its turn does not come."""
        asked = time.monotonic()
        with _turn(self._lock, LOOK_S), patience.within(LOOK_S):
            started = time.monotonic()
            if self._looked_at >= asked:
                return  # somebody looked while we waited for our turn
            with self._db.reading() as session:
                self._number = session.scalar(select(Revision.number).where(Revision.id == 1)) or 0
            self._looked_at = started

    def _start(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
            self._stopping = threading.Event()  # a lock that a fork may have copied while it was held
            self._thread = threading.Thread(target=self._run, name="revision-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ends the thread; closing the database does it too."""
        self._stopping.set()
        if self._thread is not None and self._pid == os.getpid():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
                for call in self._after_look:
                    call()
            except SQLAlchemyError as error:
                log.warning("revision_unreadable", error=type(error).__name__)
            self._stopping.wait(INTERVAL_S)


class Cached(Generic[K, V]):
    """Values loaded by key and kept while the revision stands. At most ``limit`` of them; the oldest go first."""

    def __init__(self, watch: Watch, db: Database, load: Callable[[Session, K], V], *, limit: int = 4096) -> None:
        self._watch = watch
        self._db = db
        self._load = load
        self._limit = limit
        self._kept: dict[K, tuple[int, V]] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> V:
        """The value under the current revision. Raises NotInMemory, and what the loader raises; that is not kept."""
        revision = self._watch.current()
        kept = self._kept.get(key)
        if kept is not None and kept[0] == revision:
            return kept[1]
        _require_patience()
        with _turn(self._lock, LOAD_S), patience.within(LOAD_S):
            kept = self._kept.get(key)
            if kept is not None and kept[0] == revision:
                return kept[1]
            with self._db.reading() as session:
                value = self._load(session, key)
            while len(self._kept) >= self._limit:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = (revision, value)
            return value
