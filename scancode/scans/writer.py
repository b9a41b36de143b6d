"""Writes scans, many at a time. One thread per process takes whatever waits, looks up the earlier scans of those
codes with one query, judges, inserts all rows with one statement and commits; then it takes what has come meanwhile.

So the rate follows the disk: nobody waits for a timer, and under load one commit carries many scans. A request gets
its answer only after the commit that holds its row. When a group fails, its rows are tried singly, so that one bad row
harms nobody else; when the database does not answer, the waiting requests are told to come again.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection

from scancode.channels.rules import Attribution
from scancode.codes.rules import Life
from scancode.db import Database
from scancode.errors import Unavailable
from scancode.i18n import N_
from scancode.scans import statements
from scancode.scans.rules import HISTORY_MAX, LIVE, Earlier, History, Verdict, history, judge

GROUP_MAX = 256
QUEUE_MAX = 4096
log = structlog.get_logger(__name__)


class Stalled(Unavailable):
    code = "scan_stalled"
    text = N_("The scan could not be recorded just now, so no answer is given. Please scan again in a moment.")


@dataclass(frozen=True)
class Sighting:
    """A genuine code met a visitor: everything but the verdict, which follows from earlier scans."""

    code_id: int
    scan_id: UUID
    scanned_at: datetime
    day: str
    visitor_id: UUID
    brand_id: UUID
    product_id: UUID
    batch_number: int
    life: Life
    attribution: Attribution
    client: str
    address_digest: str | None
    is_test: bool


@dataclass(frozen=True)
class Recorded:
    """A scan that is in the database."""

    verdict: Verdict
    history: History


def write(connection: Connection, group: Sequence[Sighting]) -> list[Recorded]:
    """Judges and inserts a group in the caller's transaction. A scan already there by its id is left as it is."""
    is_sqlite = connection.dialect.name == "sqlite"
    with closing(statements.open_cursor(connection.connection.driver_connection, is_sqlite=is_sqlite)) as cursor:
        return write_raw(cursor, group, is_sqlite=is_sqlite)


def write_raw(cursor: Any, group: Sequence[Sighting], *, is_sqlite: bool) -> list[Recorded]:
    """The same with a driver's cursor."""
    earlier = _earlier_scans(cursor, is_sqlite, sorted({sighting.code_id for sighting in group}))
    answers: list[Recorded] = []
    rows: list[tuple[object, ...]] = []
    for sighting in group:
        seen = earlier[sighting.code_id]
        past = history(seen, visitor_id=sighting.visitor_id)
        verdict = judge(sighting.life, past)
        answers.append(Recorded(verdict, past))
        rows.append(_row(sighting, verdict))
        if verdict in LIVE and len(seen) < HISTORY_MAX:
            seen.append(Earlier(sighting.visitor_id, sighting.scanned_at))
    statements.insert(cursor, is_sqlite=is_sqlite, rows=rows)
    return answers


def _earlier_scans(cursor: Any, is_sqlite: bool, codes: list[int]) -> dict[int, list[Earlier]]:
    """The first scans of each code. One query, unless a code was scanned so often that it would crowd out others."""
    most = HISTORY_MAX + 4 * len(codes)
    found: dict[int, list[Earlier]] = defaultdict(list)
    rows = statements.earlier(cursor, is_sqlite=is_sqlite, codes=codes, most=most)
    if len(rows) == most:
        singly = (statements.earlier(cursor, is_sqlite=is_sqlite, codes=[code], most=HISTORY_MAX) for code in codes)
        rows = [row for found_rows in singly for row in found_rows]
    for code_id, visitor_id, scanned_at in rows:
        if len(found[code_id]) < HISTORY_MAX:
            found[code_id].append(Earlier(visitor_id, scanned_at))
    return found


def _row(sighting: Sighting, verdict: Verdict) -> tuple[object, ...]:
    attribution = sighting.attribution
    values = {
        "code_id": sighting.code_id,
        "id": sighting.scan_id,
        "scanned_at": sighting.scanned_at,
        "day": sighting.day,
        "verdict": str(verdict),
        "visitor_id": sighting.visitor_id,
        "brand_id": sighting.brand_id,
        "product_id": sighting.product_id,
        "batch_number": sighting.batch_number,
        "source": str(attribution.source),
        "channel_id": attribution.channel_id,
        "store_id": attribution.store_id,
        "guide_id": attribution.guide_id,
        "touchpoint_id": attribution.touchpoint_id,
        "client": sighting.client,
        "address_digest": sighting.address_digest,
        "is_test": sighting.is_test,
    }
    return tuple(values[name] for name in statements.COLUMNS)


class _Waiting:
    """A request that waits for its commit: a plain lock is its gate, the cheapest way to sleep and be woken."""

    __slots__ = ("answer", "error", "gate", "has_left", "sighting")

    def __init__(self, sighting: Sighting) -> None:
        self.sighting = sighting
        self.answer: Recorded | None = None
        self.error: Exception | None = None
        self.has_left = False
        self.gate = threading.Lock()
        self.gate.acquire()


class Writer:
    """The process's writer. ``record`` is called by request threads; the thread starts with the first of them."""

    def __init__(self, db: Database, *, stall_s: float) -> None:
        self._db = db
        self._stall_s = stall_s
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._start_lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pid = 0
        db.before_close(self.stop)

    def record(self, sighting: Sighting) -> Recorded:
        """Returns once the scan is committed. Raises Stalled when that does not happen in time."""
        if self._pid != os.getpid():
            self._start()
        if self._queue.qsize() >= QUEUE_MAX:
            raise Stalled
        waiting = _Waiting(sighting)
        self._queue.put(waiting)
        if not waiting.gate.acquire(timeout=self._stall_s):
            waiting.has_left = True
            raise Stalled
        if waiting.answer is None:
            raise Stalled from waiting.error
        return waiting.answer

    def _start(self) -> None:
        with self._start_lock:
            if self._pid == os.getpid():
                return
            self._queue = SimpleQueue()  # what a parent process left behind before it forked has nobody waiting here
            self._thread = threading.Thread(target=self._run, name="scan-writer", daemon=True)
            self._thread.start()
            self._pid = os.getpid()

    def stop(self) -> None:
        """Ends the thread once it has written what waits; part of closing the database."""
        if self._thread is not None and self._pid == os.getpid():
            self._queue.put(None)
            self._thread.join(timeout=self._stall_s + 10)

    def _run(self) -> None:
        while True:
            taken = [self._queue.get()]
            with contextlib.suppress(Empty):
                while len(taken) < GROUP_MAX:
                    taken.append(self._queue.get_nowait())
            group = [waiting for waiting in taken if waiting is not None and not waiting.has_left]
            if group:
                self._flush(group)
            if None in taken:
                return

    def _flush(self, group: list[_Waiting]) -> None:
        try:
            answers = self._commit([waiting.sighting for waiting in group])
        except Exception as error:  # nobody may wait for ever, whatever went wrong
            log.warning("scan_group_failed", rows=len(group), error=type(error).__name__)
            if len(group) > 1 and not self._db.is_passing_raw(error):
                for waiting in group:
                    self._flush([waiting])
                return
            for waiting in group:
                waiting.error = error
                waiting.gate.release()
            return
        for waiting, answer in zip(group, answers, strict=True):
            waiting.answer = answer
            waiting.gate.release()

    def _commit(self, sightings: list[Sighting]) -> list[Recorded]:
        """One try more after a deadlock or a lost connection: rows carry their ids, so nothing is written twice."""
        try:
            return self._once(sightings)
        except Exception as error:
            if not self._db.is_passing_raw(error):
                raise
            return self._once(sightings)

    def _once(self, sightings: list[Sighting]) -> list[Recorded]:
        is_sqlite = self._db.is_sqlite
        with (
            self._db.writing_scans() as connection,
            closing(statements.open_cursor(connection, is_sqlite=is_sqlite)) as cursor,
        ):
            return write_raw(cursor, sightings, is_sqlite=is_sqlite)
