"""One token of an outside service for all processes: kept sealed in the database, renewed by one at a time.

Renewal begins while the old token still works, so nobody waits for it; only where none works do the others wait for
whoever fetches it, and a failure is told to all of them instead of being tried by each.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog

from scancode.db import Database
from scancode.errors import OutsideError
from scancode.jobs import service as jobs
from scancode.jobs.service import TokenFacts
from scancode.sealing import SealBroken, Sealer

RENEW_BEFORE = timedelta(minutes=5)
PAUSE_AFTER_FAILURE = timedelta(seconds=3)
LOOK_EVERY_S = 0.05
LIVES_S_MAX = 7 * 24 * 3600
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Fetched:
    """What the service gave, and for how long it says that it works."""

    value: str
    lives_s: int


@dataclass(frozen=True)
class Token:
    value: str
    version: int


def system_clock() -> datetime:
    return datetime.now(UTC)


class TokenShelf:
    """``turn_s``: how long one renewal may take at most; after that another process may try (the first was killed).
    ``patience_s``: how long a request waits for another's renewal where no token works."""

    def __init__(
        self,
        db: Database,
        sealer: Sealer,
        *,
        turn_s: float,
        patience_s: float,
        clock: Callable[[], datetime] = system_clock,
    ) -> None:
        self._db = db
        self._sealer = sealer
        self._turn = timedelta(seconds=turn_s)
        self._patience_s = patience_s
        self._clock = clock

    def get(self, name: str, fetch: Callable[[], Fetched], *, refused: int | None = None) -> Token:
        """The token of that name, fetched where none works. ``refused``: the version that the service has just turned
        down, whatever the book says. Raises what ``fetch`` raises, and OutsideError("token_pending") where another's
        renewal failed a moment ago or takes too long.
        """
        end = time.monotonic() + self._patience_s
        while True:
            now = self._clock()
            with self._db.reading() as session:
                kept = jobs.find_token(session, name=name)
            value = None if kept.version == refused else self._open(kept, name)
            works = Token(value, kept.version) if value is not None and kept.is_good(now) else None
            if works is not None and kept.is_fresh(now):
                return works
            try:
                renewed = None if kept.has_failed(now) else self._renew(name, kept, fetch, now)
            except OutsideError:
                if works is None:
                    raise
                renewed = works
            if found := renewed or works:
                return found
            if kept.has_failed(now) or time.monotonic() > end:
                raise OutsideError("token_pending", permanent=False)
            time.sleep(LOOK_EVERY_S)

    def _renew(self, name: str, kept: TokenFacts, fetch: Callable[[], Fetched], now: datetime) -> Token | None:
        """The next token, where the turn is ours; else None. No transaction is open while the service is asked."""
        holder = uuid4()
        if kept.holder is not None and kept.held_until is not None and kept.held_until > now:
            return None
        if not self._db.retrying(
            lambda session: jobs.begin_renewal(
                session, name=name, version=kept.version, holder=holder, until=now + self._turn, now=now
            )
        ):
            return None
        try:
            fetched = fetch()
        except BaseException:
            until = self._clock() + PAUSE_AFTER_FAILURE
            self._db.retrying(lambda session: jobs.fail_renewal(session, name=name, holder=holder, until=until))
            raise
        now, lives = self._clock(), timedelta(seconds=max(1, min(fetched.lives_s, LIVES_S_MAX)))
        is_kept = self._db.retrying(
            lambda session: jobs.end_renewal(
                session,
                name=name,
                holder=holder,
                sealed=self._sealer.seal(fetched.value, purpose=_purpose(name)),
                renew_at=now + lives - min(RENEW_BEFORE, lives / 2),
                expires_at=now + lives,
            )
        )
        log.info("token_renewed", name=name, version=kept.version + 1, is_kept=is_kept)
        return Token(fetched.value, kept.version + 1) if is_kept else None

    def _open(self, kept: TokenFacts, name: str) -> str | None:
        """The value; None where there is none, or where its key was taken out of the settings."""
        try:
            return self._sealer.open(kept.sealed, purpose=_purpose(name)) if kept.sealed else None
        except SealBroken:
            return None


def _purpose(name: str) -> str:
    return f"token|{name}"
