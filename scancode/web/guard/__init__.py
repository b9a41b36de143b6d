"""Holds off who asks too often or too wrongly, before anything costs a query.

Everything is counted in memory, by address, browser, person and code. With Redis the counts of all processes come
together in the background, twice a second, so that no request ever waits for it. Refusals of this kind are nothing
personal: who is held off is told how to go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from scancode.claims.risk import RUN_SPAN, Glimpse
from scancode.config import Settings
from scancode.db import Database
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.scans.rules import Risk
from scancode.sealing import Sealer
from scancode.web.clients import cookie_of
from scancode.web.guard.counts import Counts, Shelf
from scancode.web.guard.work import PASS_COOKIE, Work
from scancode.web.limits import address_of

MINUTE_S, MISSES_S, HOUR_S, DAY_S = 60, 600, 3600, 86_400
BULK_CODES = 60
"""Scans of one browser within an hour beyond which they look like harvesting; kept with the scan, never refused."""
NOISY_MISSES = 5
log = structlog.get_logger(__name__)


class TooFast(Refusal):
    code = "too_fast"
    text = N_("That was a lot in a short time. Nothing is lost: please wait a minute, then scan again.")
    status = 429


class TooManyClaims(Refusal):
    code = "too_many_claims"
    text = N_("You have claimed a lot today. Your codes keep their rewards: please go on tomorrow.")
    status = 429


class WorkNeeded(Refusal):
    """Too many texts that are no code came from this address or browser: the next costs a second of its computer."""

    code = "work_needed"
    text = N_(
        "Too many codes that are not ours came from your network. Please wait ten minutes, or open the page in a "
        "browser with JavaScript: it will go on by itself."
    )
    status = 429


@dataclass(frozen=True)
class Caps:
    """How much is allowed; 0 is any number."""

    scans_of_address: int
    scans_of_visitor: int
    scans_of_code: int
    claims_of_person: int
    misses: int


def caps_of(settings: Settings) -> Caps:
    """Those of the settings. Tests and figures are made from one address, so there nothing is refused."""
    if settings.env == "test":
        return Caps(0, 0, 0, 0, 0)
    return Caps(
        settings.scans_per_address,
        settings.scans_per_visitor,
        settings.scans_per_code,
        settings.claims_per_person,
        settings.misses_before_work,
    )


class Guard:
    """One per process."""

    def __init__(self, caps: Caps, *, work: Work, shelf: Shelf | None = None) -> None:
        self.caps = caps
        self.work = work
        self._shelf = shelf
        self._addresses = Counts("address", MINUTE_S)
        self._visitors = Counts("visitor", MINUTE_S)
        self._codes = Counts("code", MINUTE_S)
        self._bulk = Counts("bulk", HOUR_S)
        self._claims = Counts("claims", DAY_S)
        self._claimed = Counts("claimed", HOUR_S)
        self._runs = Counts("runs", HOUR_S)
        self._claimers = Counts("claimers", HOUR_S)
        self._claimers_of_address = Counts("claimers_of_address", HOUR_S)
        self._misses = Counts("misses", MISSES_S, is_strict=True)

    def scan(
        self, environ: Mapping[str, Any], *, visitor_id: UUID | None, code_id: int, now: datetime
    ) -> tuple[Risk, ...]:
        """Counts a scan; what is odd about it. ``visitor_id`` is None for a browser without a cookie.

        Raises TooFast.
        """
        at, address, caps = now.timestamp(), address_of(environ), self.caps
        counts = [
            (self._addresses.add(address, at), caps.scans_of_address),
            (self._codes.add(code_id, at), caps.scans_of_code),
        ]
        risks: list[Risk] = []
        if visitor_id is not None:
            counts.append((self._visitors.add(visitor_id, at), caps.scans_of_visitor))
            if self._bulk.add(visitor_id, at) > BULK_CODES:
                risks.append(Risk.BULK)
        if any(0 < limit < count for count, limit in counts):
            raise TooFast
        if self._misses.get(address, at) >= NOISY_MISSES:
            risks.append(Risk.MISSES)
        return tuple(risks)

    def confirmation(self, visitor_id: UUID, *, now: datetime) -> None:
        """Counts a confirmation as what it is to its browser: the first scan. Raises TooFast."""
        limit = self.caps.scans_of_visitor
        if 0 < limit < self._visitors.add(visitor_id, now.timestamp()):
            raise TooFast

    def may_touch(self, environ: Mapping[str, Any], *, now: datetime) -> bool:
        """Counts a link that names a placed code; False where it came too often from its address."""
        limit = self.caps.scans_of_address
        return not 0 < limit < self._addresses.add(address_of(environ), now.timestamp())

    def miss(self, environ: Mapping[str, Any], *, now: datetime) -> None:
        """Counts a text that is no code of ours. Raises WorkNeeded where there were too many."""
        at, limit = now.timestamp(), self.caps.misses
        cookie = cookie_of(environ, "sv") or ""
        of_address = self._misses.add(address_of(environ), at)
        of_browser = self._misses.add(cookie[:120], at) if cookie else 0
        if not limit or max(of_address, of_browser) <= limit:
            return
        allowed = self.work.read_pass(cookie_of(environ, PASS_COOKIE), now=now)
        if allowed is None or self._misses.add(allowed, at) > limit:
            raise WorkNeeded

    def claim(
        self,
        environ: Mapping[str, Any],
        ids: tuple[UUID | None, ...],
        *,
        code: tuple[int, int],
        near_block: bool = False,
        now: datetime,
    ) -> Glimpse:
        """Counts a claim of a browser and of whoever is behind it; what is odd about it. ``code`` is batch and serial.

        Raises TooManyClaims.
        """
        at, address, limit = now.timestamp(), address_of(environ), self.caps.claims_of_person
        known = [one for one in ids if one is not None]
        today = max((self._claims.add(one, at) for one in known), default=0)
        if limit and today > limit:
            raise TooManyClaims
        who = known[-1] if known else None
        number, serial = code
        part = serial // RUN_SPAN
        # The same tap once more is no further code.
        count = self._runs.add if self._claimed.add(code, at) == 1 else self._runs.get
        run, address_run = count((who, number, part), at), count((address, number, part), at)
        if self._claimers.add(who, at) == 1:
            self._claimers_of_address.add(address, at)
        return Glimpse(
            today=today,
            run=run,
            address_run=address_run,
            address_people=self._claimers_of_address.get(address, at),
            misses=self._misses.get(address, at) >= NOISY_MISSES,
            bulk=bool(known) and self._bulk.get(known[0], at) > BULK_CODES,
            near_block=near_block,
        )

    def _all(self) -> tuple[Counts, ...]:
        of_scans = (self._addresses, self._visitors, self._codes, self._bulk, self._misses)
        of_claims = (self._claims, self._claimed, self._runs, self._claimers, self._claimers_of_address)
        return (*of_scans, *of_claims)

    def share(self) -> None:
        """Puts the counts of this process to those of the others. Called in the background; never raises."""
        if self._shelf is None:
            return
        try:
            for counts in self._all():
                counts.share(self._shelf)
        except Exception as error:  # counting alone is better than not serving
            log.warning("counts_not_shared", error=type(error).__name__)


def build(settings: Settings, db: Database, sealer: Sealer) -> Guard:
    """Opens no connection yet."""
    shelf = Shelf(settings.redis_url, sealer) if settings.redis_url else None
    keys = [key.strip().encode() for key in settings.session_keys.get_secret_value().split(",")]
    if shelf is not None:
        db.before_close(shelf.close)
    return Guard(caps_of(settings), work=Work(keys, cost=settings.work_cost, shelf=shelf), shelf=shelf)
