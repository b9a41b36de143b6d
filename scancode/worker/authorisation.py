"""Works off one authorisation to pay without confirmation: one call to the provider, then waits for its next turn.

As with money, no answer says nothing: one that was asked for is queried first, and only where the provider does not
know the number is the stored request sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from scancode.errors import PayoutError
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.payouts import service as payouts
from scancode.payouts.authorisation import AuthorisationFacts, AuthorisationState, wait_s
from scancode.payouts.service.authorising import AskErrand, Call
from scancode.ports import AuthorisationGateway
from scancode.wiring import Wired
from scancode.worker import pace

NOBODY_S = 3600
"""How long to wait while nobody is configured to pay."""
log = structlog.get_logger(__name__)
Clock = Callable[[], datetime]


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    """Brings the authorisation of ``leased.payload`` (``number``) one step further."""
    gateway, number = wired.ports.authorisations, str(leased.payload["number"])
    if gateway is None:
        _later(wired, leased, clock, NOBODY_S)
        return
    with wired.db.transaction() as session:
        # What it is about, then its job: in the order in which notices and wishes lock them.
        errand = payouts.prepare_authorisation(
            session, number=number, sealer=wired.sealer, compose=gateway.compose, now=clock()
        )
        jobs.hold(session, leased=leased)
        turn_s = pace.turn_s(session, wired) if errand else 0.0
    time.sleep(turn_s)
    if errand is None:
        return
    try:
        facts = _one_step(wired, gateway, errand, clock)
    except PayoutError as error:
        facts = _no_answer(wired, errand, error, clock)
    if facts.is_open:
        _later(wired, leased, clock, wait_s(facts, clock()))


def look(
    wired: Wired, gateway: AuthorisationGateway, number: str, clock: Clock, *, is_turn: bool = False
) -> AuthorisationFacts:
    """What the provider says of it now, written down. Raises PayoutError."""
    said = gateway.query(number)
    with wired.db.transaction() as session:
        return payouts.apply_authorisation(
            session, said=said, number=number, sealer=wired.sealer, now=clock(), is_turn=is_turn
        )


def _one_step(wired: Wired, gateway: AuthorisationGateway, errand: AskErrand, clock: Clock) -> AuthorisationFacts:
    number = errand.facts.number
    if errand.call is Call.CLOSE:
        try:
            gateway.close(number)
        except PayoutError as error:
            log.warning("authorisation_not_closed", number=number, error=error.code)
    elif errand.call is Call.ASK:
        return _ask(wired, gateway, errand, clock)
    facts = look(wired, gateway, number, clock, is_turn=True)
    is_unheard = facts.state is AuthorisationState.ASKED and facts.package is None and not facts.is_closing
    return _ask(wired, gateway, errand, clock) if is_unheard else facts


def _ask(wired: Wired, gateway: AuthorisationGateway, errand: AskErrand, clock: Clock) -> AuthorisationFacts:
    """The stored request: the same number and the same bytes, however often."""
    assert errand.order is not None
    said = gateway.ask(errand.order)
    number = errand.facts.number
    with wired.db.transaction() as session:
        return payouts.apply_authorisation(session, said=said, number=number, sealer=wired.sealer, now=clock())


def _no_answer(wired: Wired, errand: AskErrand, error: PayoutError, clock: Clock) -> AuthorisationFacts:
    number = errand.facts.number
    log.warning("authorisation_no_answer", number=number, error=error.code, outcome=error.outcome)
    with wired.db.transaction() as session:
        if error.permanent:
            payouts.note_refusal(session, number=number, reason=error.code, now=clock())
        if error.status == pace.TOO_QUICK:
            pace.slow_down(session)
        return payouts.get_authorisation(session, number=number)


def _later(wired: Wired, leased: Leased, clock: Clock, seconds: int) -> None:
    now = clock()
    with wired.db.transaction() as session:
        jobs.reschedule(session, leased=leased, run_at=now + timedelta(seconds=seconds), now=now)
