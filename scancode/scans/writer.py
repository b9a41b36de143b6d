"""Writes scans, many at a time. One thread per process takes whatever waits, looks up the earlier scans of those
codes with one query, judges, inserts all rows with one statement and commits; then it takes what has come meanwhile.
Confirmations (``confirming``) go with the same groups.

So the rate follows the disk: nobody waits for a timer, and under load one commit carries many scans. A request gets
its answer only after the commit that holds its row. When a group fails, its rows are tried singly, so that one bad row
harms nobody else; when the database does not answer, the waiting requests are told to come again.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from queue import Empty, SimpleQueue
from uuid import UUID

import structlog

from scancode import patience
from scancode.channels.rules import Attribution
from scancode.codes.rules import Life
from scancode.db import Database, Sender, insert_many
from scancode.errors import Unavailable
from scancode.i18n import N_
from scancode.scans.confirming import Confirmation, confirm, unconfirmed_of
from scancode.scans.models import Scan
from scancode.scans.past import Marked, examine, look_up
from scancode.scans.rules import (
    HISTORY_MAX,
    LIVE,
    USUAL_TERMS,
    CopyTerms,
    Earlier,
    History,
    Risk,
    Verdict,
    history,
    is_crowd,
    judge,
)

GROUP_MAX = 256
GRACE_S = 1.0
"""So much later than those who wait, the thread that writes gives up on a database that says nothing."""
QUEUE_MAX = 4096
log = structlog.get_logger(__name__)


class Stalled(Unavailable):
    code = "scan_stalled"
    text = N_("The scan could not be recorded just now, so no answer is given. Please scan again in a moment.")

    @classmethod
    def after(cls, error: Exception) -> Stalled:
        stalled = cls()
        stalled.__cause__ = error
        return stalled


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
    copy_terms: CopyTerms = USUAL_TERMS

    risks: tuple[Risk, ...] = ()
    is_confirmed: bool = True
    """False where only the page can tell whether a person looks at it: see ``confirming``."""

    def as_earlier(self) -> Earlier:
        """As later scans of the same code will see it."""
        in_crowd = Risk.CROWD in self.risks
        region = self.attribution.region
        return Earlier(self.visitor_id, self.scanned_at, region, self.address_digest, in_crowd, self.is_confirmed)

    def as_marked(self) -> Marked:
        return Marked(self.code_id, self.brand_id, self.product_id, self.batch_number)


@dataclass(frozen=True)
class Recorded:
    """A scan that is in the database."""

    verdict: Verdict
    history: History


Deed = Sighting | Confirmation
Written = Recorded | Confirmation
"""What is in the database of a deed."""


def write(sender: Sender, sightings: Sequence[Sighting], confirmations: Sequence[Confirmation] = ()) -> list[Recorded]:
    """Confirms, then judges and inserts, in the caller's transaction and in their order. A scan already there by its
    id stays as it is."""
    waiting = unconfirmed_of(sender, confirmations)
    deeds: list[Deed] = [*sightings, *confirmations]
    pasts = look_up(sender, sorted({(deed.code_id, deed.visitor_id) for deed in deeds}))
    confirm(sender, confirmations, waiting, pasts)
    answers: list[Recorded] = []
    rows: list[dict[str, object]] = []
    for met in sightings:
        past = pasts[met.code_id]
        sighting = _with_crowd(met, past.earlier)
        seen = history(past.earlier, visitor_id=sighting.visitor_id)
        verdict = judge(sighting.life, seen, is_suspect=past.is_suspect)
        if verdict in LIVE and seen.scans and not past.is_settled and not sighting.is_test:
            about, terms = sighting.as_marked(), sighting.copy_terms
            is_copied = examine(sender, past, sighting.as_earlier(), about=about, terms=terms)
            verdict = judge(sighting.life, seen, is_suspect=is_copied)
        answers.append(Recorded(verdict, seen))
        rows.append(_row(sighting, verdict))
        if verdict in LIVE and sighting.is_confirmed and len(past.earlier) < HISTORY_MAX:
            past.earlier.append(sighting.as_earlier())
    for start in range(0, len(rows), GROUP_MAX):
        insert_many(sender, Scan, rows[start : start + GROUP_MAX], may_exist=True)
    return answers


def _with_crowd(sighting: Sighting, earlier: list[Earlier]) -> Sighting:
    if not is_crowd(earlier, visitor_id=sighting.visitor_id, address=sighting.address_digest):
        return sighting
    return replace(sighting, risks=(*sighting.risks, Risk.CROWD))


def _row(sighting: Sighting, verdict: Verdict) -> dict[str, object]:
    return {
        "code_id": sighting.code_id,
        "id": sighting.scan_id,
        "scanned_at": sighting.scanned_at,
        "day": sighting.day,
        "verdict": str(verdict),
        "visitor_id": sighting.visitor_id,
        "brand_id": sighting.brand_id,
        "product_id": sighting.product_id,
        "batch_number": sighting.batch_number,
        **vars(sighting.attribution),
        "client": sighting.client,
        "address_digest": sighting.address_digest,
        "risk": ",".join(sighting.risks) or None,
        "is_test": sighting.is_test,
        "is_confirmed": sighting.is_confirmed,
    }


class _Waiting:
    """A request that waits for its commit: a plain lock is its gate, the cheapest way to sleep and be woken."""

    __slots__ = ("deed", "gate", "has_left", "outcome")

    def __init__(self, deed: Deed) -> None:
        self.deed = deed
        self.outcome: Written | Stalled = Stalled()
        self.has_left = False
        self.gate = threading.Lock()
        self.gate.acquire()


class Writer:
    """The process's writer. ``write`` is called by request threads; the thread starts with the first of them. Who has
    a group together calls ``write_many``."""

    def __init__(self, db: Database, *, stall_s: float) -> None:
        self._db = db
        self.stall_s = stall_s
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._start_lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pid = 0
        db.before_close(self.stop)

    def record(self, sighting: Sighting) -> Recorded:
        """Returns once the scan is committed. Raises Stalled when that does not happen in time."""
        written = self.write(sighting)
        assert isinstance(written, Recorded)
        return written

    def write(self, deed: Deed) -> Written:
        """The same for a scan or a confirmation."""
        if self._pid != os.getpid():
            self._start()
        if self._queue.qsize() >= QUEUE_MAX:
            raise Stalled
        waiting = _Waiting(deed)
        self._queue.put(waiting)
        if not waiting.gate.acquire(timeout=self.stall_s):
            waiting.has_left = True
            raise Stalled
        if isinstance(waiting.outcome, Stalled):
            raise waiting.outcome
        return waiting.outcome

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
            self._thread.join(timeout=self.stall_s + 10)

    def _run(self) -> None:
        while True:
            taken = [self._queue.get()]
            with contextlib.suppress(Empty):
                while len(taken) < GROUP_MAX:
                    taken.append(self._queue.get_nowait())
            group = [waiting for waiting in taken if waiting is not None and not waiting.has_left]
            outcomes = self.write_many([waiting.deed for waiting in group]) if group else []
            for waiting, outcome in zip(group, outcomes, strict=True):
                waiting.outcome = outcome
                waiting.gate.release()
            if None in taken:
                return

    def write_many(self, deeds: Sequence[Deed]) -> list[Written | Stalled]:
        """Writes them together in the caller's thread, which waits a little longer than anybody. In their order."""
        try:
            with patience.within(self.stall_s + GRACE_S):
                return self._commit(deeds)
        except Exception as error:  # nobody may wait for ever, whatever went wrong
            log.warning("scan_group_failed", rows=len(deeds), error=type(error).__name__)
            if len(deeds) > 1 and not self._db.is_passing_raw(error):
                return [outcome for deed in deeds for outcome in self.write_many([deed])]
            return [Stalled.after(error) for _ in deeds]

    def _commit(self, deeds: Sequence[Deed]) -> list[Written | Stalled]:
        """One try more after a deadlock or a lost connection: rows carry their ids, so nothing is written twice."""
        try:
            return self._once(deeds)
        except Exception as error:
            if not self._db.is_passing_raw(error) or patience.is_over():
                raise
            return self._once(deeds)

    def _once(self, deeds: Sequence[Deed]) -> list[Written | Stalled]:
        confirmations = [deed for deed in deeds if isinstance(deed, Confirmation)]
        with self._db.group(durable=False) as statements:
            answers = write(statements, [deed for deed in deeds if isinstance(deed, Sighting)], confirmations)
        recorded = iter(answers)
        return [next(recorded) if isinstance(deed, Sighting) else deed for deed in deeds]
