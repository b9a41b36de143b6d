"""Counts scans of texts that are no code of ours. A storm of forgeries must cost no query and no lock, so each process
adds them up and writes the sums in the background; a kill loses at most the last half second of these counts."""

from __future__ import annotations

import threading
from collections import Counter

from sqlalchemy.dialects import postgresql, sqlite

from scancode.db import Database
from scancode.scans.models import ScanMiss


class Misses:
    """The counts of one process, by day (UTC) and verdict."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._flushing = threading.Lock()

    def add(self, day: str, verdict: str) -> None:
        with self._lock:
            self._counts[day, verdict] += 1

    def flush(self) -> None:
        """Adds what has been counted to the table; when it returns, all of it is there. What a failing database refuses
        is kept for the next time."""
        with self._flushing:  # a flush that is under way has taken counts that it has not written yet
            self._write()

    def _write(self) -> None:
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        maker = sqlite.insert if self._db.is_sqlite else postgresql.insert
        table = ScanMiss.__table__
        try:
            with self._db.transaction(durable=False) as session:
                for (day, verdict), count in sorted(counts.items()):
                    statement = maker(table).values(day=day, verdict=verdict, count=count)  # type: ignore[arg-type]
                    session.execute(
                        statement.on_conflict_do_update(
                            index_elements=["day", "verdict"], set_={"count": table.c.count + count}
                        )
                    )
        except BaseException:
            with self._lock:
                self._counts.update(counts)
            raise
