"""The worker: wins the job that is due longest, runs it, writes how it ended; sleeps when there is none.

Any number of workers may run, on any number of hosts. Killing one loses nothing: its lease runs out and another takes
the job over. Asked to stop (SIGTERM), it finishes the job in hand first. A database that is away is waited for.
"""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from types import FrameType

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from scancode.errors import OutsideError, Refusal
from scancode.jobs import service as jobs
from scancode.wiring import Wired
from scancode.worker import books, breaker, diversion, held, points, tidy, tiers, watch
from scancode.worker.pulse import LEASE_S, Pulse
from scancode.worker.runners import RUNNERS, Runner

IDLE_S = 1.0
"""How long an idle worker sleeps before it looks again."""
AWAY_S_MAX = 30.0
ONCE_JOBS_MAX = 10_000
log = structlog.get_logger(__name__)
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def run(
    wired: Wired,
    *,
    stop_event: threading.Event,
    kinds: Collection[str] | None = None,
    once: bool = False,
    clock: Clock = utc_now,
    runners: Mapping[str, Runner] = RUNNERS,
) -> int:
    """Works until ``stop_event`` is set; with ``once`` until no job is due. Returns how many jobs it ran.

    With ``once`` a database that is away raises what SQLAlchemy raises.
    """
    chosen = frozenset(runners if kinds is None else kinds) & frozenset(runners)
    count, misses, is_ready = 0, 0, False
    with Pulse(wired.db, clock) as pulse:
        while not stop_event.is_set():
            try:
                if not is_ready:
                    _get_ready(wired, chosen, clock)
                    is_ready = True
                worked = _run_one(wired, pulse, chosen, runners, clock)
                misses = 0
            except (DBAPIError, PoolTimeout) as error:
                if once:
                    raise
                misses += 1
                log.warning("database_away", error=type(error).__name__, misses=misses)
                stop_event.wait(min(AWAY_S_MAX, IDLE_S * 2 ** min(misses, 6)))
                continue
            count += worked
            if once and (not worked or count >= ONCE_JOBS_MAX):
                break
            if not worked:
                stop_event.wait(IDLE_S)
    return count


def _get_ready(wired: Wired, kinds: Collection[str], clock: Clock) -> None:
    for chore in (tidy.KEY, watch.KEY, books.KEY, breaker.KEY, diversion.KEY, held.KEY, points.KEY, tiers.KEY):
        if chore in kinds:
            wired.db.retrying(lambda session, chore=chore: tidy.see_to_it(session, now=clock(), kind=chore))  # type: ignore[misc]


def _run_one(wired: Wired, pulse: Pulse, kinds: Collection[str], runners: Mapping[str, Runner], clock: Clock) -> bool:
    with wired.db.reading() as session:
        if not jobs.is_due(session, now=clock(), kinds=kinds):
            return False
    with wired.db.transaction() as session:
        leased = jobs.lease(session, now=clock(), lease_s=LEASE_S, kinds=kinds)
    if leased is None:
        return False
    log.info("job_started", kind=leased.kind, key=leased.key, attempt=leased.attempts)
    with pulse.holding(leased):
        try:
            runners[leased.kind](wired, leased, clock)
        except Exception as error:  # whatever a job does wrong must not take the worker with it
            _failed(wired, leased, error, clock())
        else:
            ended = wired.db.retrying(lambda session: jobs.finish(session, leased=leased, now=clock()))
            log.info("job_done" if ended else "job_left", kind=leased.kind, key=leased.key)
    return True


def _failed(wired: Wired, leased: jobs.Leased, error: Exception, now: datetime) -> None:
    """Writes the failure down, unless the job is no longer ours. Messages may hold personal values: none is logged."""
    if isinstance(error, jobs.LeaseLost):
        log.warning("lease_lost", kind=leased.kind, key=leased.key)
        return
    code = error.code if isinstance(error, OutsideError | Refusal) else type(error).__name__
    frame = traceback.extract_tb(error.__traceback__)[-1]
    log.warning(
        "job_failed",
        kind=leased.kind,
        key=leased.key,
        attempt=leased.attempts,
        error=code,
        where=f"{frame.filename}:{frame.lineno}",
    )
    is_permanent = isinstance(error, OutsideError) and error.permanent
    wired.db.retrying(
        lambda session: jobs.retry(session, leased=leased, error=code, now=now, is_permanent=is_permanent)
    )


def run_until_signal(wired: Wired, *, kinds: Collection[str] | None = None, once: bool = False) -> int:
    """``run`` for a process: SIGTERM and SIGINT stop it after the job in hand; a second one stops it at once."""
    stop_event = threading.Event()

    def _ask(number: int, _frame: FrameType | None) -> None:
        stop_event.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ask)
    log.info("worker_started", kinds=sorted(kinds or RUNNERS))
    count = run(wired, stop_event=stop_event, kinds=kinds, once=once)
    log.info("worker_stopped", jobs=count)
    return count
