"""Where the claims of one process meet: those that arrive while transactions are under way share the next one.

Nobody waits for a timer. A request that finds the desk free serves itself at once, with whoever has come meanwhile;
under load one commit carries many claims (two groups at a time were tried: they are smaller, and cost more). An answer
is given only after the commit that holds it. A group that fails is rolled back and its claims are made one by one, so
nobody suffers for another.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from scancode import patience
from scancode.claims.rules import ClaimAnswer
from scancode.claims.service.asking import Request
from scancode.claims.service.claiming import claim
from scancode.claims.service.many import claim_many
from scancode.db import Database
from scancode.errors import Unavailable
from scancode.i18n import N_

GROUP_MAX = 64
GRACE_S = 1.0
"""So much later than those who wait, a thread that works for many gives up on a database that says nothing."""
YIELDS_MAX = 16
log = structlog.get_logger(__name__)


class ClaimStalled(Unavailable):
    """Whether it was committed is not known. Asking again shows the same reward, or takes it now."""

    code = "claim_stalled"
    text = N_(
        "Your reward could not be recorded just now. Please try again in a moment: nothing is lost by it, and a code "
        "rewards once however often you try."
    )


class _Ticket:
    """One who waits. ``woken`` is held until there is an answer, or the turn to lead is handed over."""

    __slots__ = ("answer", "has_left", "leads", "request", "woken")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.answer: ClaimAnswer | None = None
        self.leads = False
        self.has_left = False
        self.woken = threading.Lock()
        self.woken.acquire()


class Desk:
    """One per process. Threads call ``serve``; one of them at a time works for all that wait."""

    def __init__(self, db: Database, *, stall_s: float) -> None:
        self._db = db
        self.stall_s = stall_s
        self._start_anew()
        os.register_at_fork(after_in_child=self._start_anew)

    def _start_anew(self) -> None:
        """A child process has none of its parent's threads: nobody there waits, and nobody would end the turn."""
        self._waiting: deque[_Ticket] = deque()
        self._turn = threading.Lock()
        self._leaving = threading.Lock()

    def serve(self, request: Request) -> ClaimAnswer:
        """As ``claims.claim``, committed. Raises its refusals, and ClaimStalled when that does not happen in time."""
        with patience.within(self.stall_s):
            ticket = _Ticket(request)
            if self._turn.acquire(blocking=False):
                self._lead(ticket)
            else:
                self._waiting.append(ticket)
                if self._turn.acquire(blocking=False):  # it ended before it could see us
                    self._hand_over()
                if not ticket.woken.acquire(timeout=patience.left_s() or 0):
                    self._leave(ticket)
                if ticket.leads:
                    self._lead(ticket)
            return ticket.answer or self.serve_singly(request)

    def _leave(self, ticket: _Ticket) -> None:
        """Nobody waits here for ever. Raises ClaimStalled, unless it was woken at the last moment: a turn that was
        handed to this one is not lost."""
        with self._leaving:
            if not ticket.woken.acquire(blocking=False):
                ticket.has_left = True
                raise ClaimStalled

    def serve_many(self, requests: Sequence[Request]) -> list[ClaimAnswer | None]:
        """Those who came together, in one transaction and in their order. None for one that has to be served singly;
        whom it concerns is told then. Waits a little longer than those whom it serves."""
        answers: list[ClaimAnswer | None] = []
        with patience.within(self.stall_s + GRACE_S):
            for start in range(0, len(requests), GROUP_MAX):
                answers += self._together(requests[start : start + GROUP_MAX])
        return answers

    def _lead(self, ticket: _Ticket) -> None:
        """One transaction for this one and whoever waits; then the turn goes on."""
        group = [ticket]
        try:
            self._let_others_come()
            with suppress(IndexError):
                while len(group) < GROUP_MAX:
                    other = self._waiting.popleft()
                    if not other.has_left:
                        group.append(other)
            self._serve_group(group)
        finally:
            self._hand_over()
            for other in group[1:]:
                other.woken.release()

    def _let_others_come(self) -> None:
        """Threads that are already on their way here, and want nothing but the interpreter, go first; no clock is
        involved. The first of a burst would else take a transaction for itself, and all others would wait for it."""
        for _ in range(YIELDS_MAX):
            before = len(self._waiting)
            time.sleep(0)  # gives the lock of the interpreter away
            if len(self._waiting) == before:
                return

    def _hand_over(self) -> None:
        """Gives the turn to whoever waits longest, else ends it; somebody may have come between look and end."""
        while True:
            try:
                first = self._waiting.popleft()
            except IndexError:
                self._turn.release()
                if not self._waiting or not self._turn.acquire(blocking=False):
                    return
            else:
                with self._leaving:
                    if first.has_left:
                        continue
                    first.leads = True
                    first.woken.release()
                return

    def _serve_group(self, group: list[_Ticket]) -> None:
        with patience.within(self.stall_s, anew=True):  # who waited long for the turn still has time for its group
            answers = self._together([ticket.request for ticket in group])
        for ticket, answer in zip(group, answers, strict=True):
            ticket.answer = answer

    def _together(self, requests: Sequence[Request]) -> list[ClaimAnswer | None]:
        try:
            with self._db.group() as statements:
                return claim_many(statements, requests=requests, now=max(request.now for request in requests))
        except Exception as error:  # whatever it was: singly it is found out whose it is
            log.info("claim_group_failed", claims=len(requests), error=type(error).__name__)
            return [None] * len(requests)

    def serve_singly(self, asked: Request) -> ClaimAnswer:
        """In a transaction of its own: what a group left out, with all its reasons. Raises as ``serve``."""
        try:
            with patience.within(self.stall_s):
                return self._claim(asked)
        except (DBAPIError, PoolTimeout) as error:
            raise ClaimStalled from error

    def _claim(self, asked: Request) -> ClaimAnswer:
        if patience.is_over():
            raise ClaimStalled
        return self._db.retrying(lambda session: claim(session, asked))
