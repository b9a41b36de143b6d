"""Works off one payout: one call to the provider between two transactions, then waits for its next turn.

Whatever kills this process leaves a state from which the next run goes on: ``sending`` and ``unknown`` are queried
first, and only where the provider does not know the number is the stored order sent again, byte for byte. What the
provider had confirmed is never sent again: if it knows it no longer, a person decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from scancode.errors import PayoutError, Refusal
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.payouts import service as payouts
from scancode.payouts.rules import REPEATABLE, STOP, PayoutFacts, PayoutState, Source, needs_person, wait_s
from scancode.payouts.service.preparing import Errand, Task
from scancode.ports import BillState, PayoutGateway
from scancode.wiring import Wired
from scancode.worker import authorisation, pace

STOPPED_S = 60
"""How long to wait while payouts are stopped, or nobody is configured to pay them."""
NO_AUTH = "NO_AUTH"
"""The provider's word for what a merchant may not do."""
log = structlog.get_logger(__name__)
Clock = Callable[[], datetime]


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    """Brings the payout of ``leased.payload`` (``code_id``, ``attempt``, perhaps ``by_person``) one step further."""
    gateway = wired.ports.payout
    if gateway is None:
        _later(wired, leased, clock, seconds=STOPPED_S)
        return
    if leased.payload.get("by_person"):
        _recheck(wired, gateway, leased, clock)
        return
    code_id, attempt = int(leased.payload["code_id"]), int(leased.payload["attempt"])
    with wired.db.transaction() as session:
        jobs.hold(session, leased=leased)
        may_send = jobs.is_stopped(session, STOP) is None and not payouts.is_held_back(session, code_id=code_id)
        errand = payouts.prepare(
            session,
            code_id=code_id,
            attempt=attempt,
            sealer=wired.sealer,
            compose=gateway.compose,
            may_send=may_send,
            now=clock(),
            spares=wired.settings.spares_confirming if wired.ports.authorisations else lambda _: False,
        )
        wait_s = pace.turn_s(session, wired) if errand else 0.0
    time.sleep(wait_s)
    if errand is None:
        if not may_send:
            _later(wired, leased, clock, seconds=STOPPED_S)
        return
    payout = _one_step(wired, gateway, errand, may_send=may_send, clock=clock)
    if not payout.is_final and payout.state != PayoutState.QUARANTINED:
        _look_again(wired, leased, payout, clock)


def _one_step(wired: Wired, gateway: PayoutGateway, errand: Errand, *, may_send: bool, clock: Clock) -> PayoutFacts:
    """One question or order, and what follows from the answer. No transaction is open while it is under way."""
    payout = errand.payout
    source: Source = "query"
    try:
        if errand.task == Task.SEND:
            source = "send"
            answer = gateway.send(errand.order) if errand.order else None
        else:
            answer = gateway.query(payout.out_bill_no)
            if answer is None and may_send and errand.order is not None and payout.state in REPEATABLE:
                # Unknown there, perhaps only not yet: the same number and the same bytes, never a new number.
                source = "send"
                answer = gateway.send(_order(wired, gateway, errand, clock))
            elif errand.task == Task.CANCEL and answer is not None and answer.state == "WAIT_USER_CONFIRM":
                gateway.cancel(payout.out_bill_no)
                answer = gateway.query(payout.out_bill_no)
        # Failed, and what it named is gone: that is why. A new attempt has its person confirm.
        has_failed = source == "query" and answer is not None and answer.state == "FAIL"
        is_anew = has_failed and _is_gone(wired, errand.authorisation, clock)
        payout = _apply(wired, payout, answer, source, clock, is_anew=is_anew)
        is_mute = payout.state == PayoutState.AWAITING_USER and payout.package is None
        if is_mute and may_send and errand.order and errand.authorisation is None:
            # It waits for its person, and we never heard with what they can confirm: only the answer to an order says.
            payout = _apply(wired, payout, gateway.send(errand.order), "send", clock)
    except PayoutError as error:
        return _no_answer(wired, payout, error, clock)
    return payout


def _order(wired: Wired, gateway: PayoutGateway, errand: Errand, clock: Clock) -> str:
    """What is sent again: the same bytes, unless they name an authorisation that cannot be named any more. Then it is
    the same number ordered the ordinary way; the provider takes a number once. Raises PayoutError."""
    assert errand.order is not None
    if errand.authorisation is None or not _must_be_confirmed(wired, errand, errand.authorisation, clock):
        return errand.order
    log.info("payout_to_be_confirmed", out_bill_no=errand.payout.out_bill_no)
    with wired.db.transaction() as session:
        plain = payouts.drop_authorisation(session, payout=errand.payout, sealer=wired.sealer, compose=gateway.compose)
    if plain is None:
        raise PayoutError("payout_moved_on", "temporary")
    return plain


def _must_be_confirmed(wired: Wired, errand: Errand, number: str, clock: Clock) -> bool:
    """The provider says that the authorisation is gone, or that this merchant may not name any; or none is offered any
    more. While one is being ended, nothing is sent: its person does not want it to be named. Raises PayoutError."""
    authorisations = wired.ports.authorisations
    if authorisations is None or not errand.is_spared or errand.payout.fail_reason == NO_AUTH:
        return True
    found = authorisation.look(wired, authorisations, number, clock)
    if found.is_closing:
        raise PayoutError("authorisation_ending", "temporary")
    return not found.is_open


def _is_gone(wired: Wired, number: str | None, clock: Clock) -> bool:
    """Whether the provider says that what an order named has ended. Raises PayoutError where it may say so later."""
    authorisations = wired.ports.authorisations
    if number is None or authorisations is None:
        return False
    try:
        return not authorisation.look(wired, authorisations, number, clock).is_open
    except PayoutError as error:
        if error.permanent:
            return False
        raise


def _no_answer(wired: Wired, payout: PayoutFacts, error: PayoutError, clock: Clock) -> PayoutFacts:
    """No answer says nothing about the bill, whatever the error's code: only a query will."""
    tell = log.error if error.permanent else log.warning
    tell("payout_no_answer", out_bill_no=payout.out_bill_no, error=error.code, outcome=error.outcome)
    now = clock()
    with wired.db.transaction() as session:
        payouts.mark_unknown(session, code_id=payout.code_id, attempt=payout.attempt, reason=error.code, now=now)
        if error.status == pace.TOO_QUICK:
            pace.slow_down(session)
        return payouts.get(session, code_id=payout.code_id, attempt=payout.attempt)


def _apply(
    wired: Wired,
    payout: PayoutFacts,
    answer: BillState | None,
    source: Source,
    clock: Clock,
    *,
    is_anew: bool = False,
) -> PayoutFacts:
    with wired.db.transaction() as session:
        if answer is None:
            return payouts.apply_absence(session, payout=payout, now=clock())
        after = payouts.apply_state(
            session,
            code_id=payout.code_id,
            attempt=payout.attempt,
            bill=answer,
            source=source,
            sealer=wired.sealer,
            now=clock(),
        )
        if is_anew and after.state == PayoutState.FAILED:
            with suppress(Refusal):
                payouts.reissue(session, code_id=payout.code_id, now=clock())
        return after


def _recheck(wired: Wired, gateway: PayoutGateway, leased: Leased, clock: Clock) -> None:
    """A person wants a quarantined payout looked at again: it goes on where nothing is wrong any more."""
    code_id, attempt = int(leased.payload["code_id"]), int(leased.payload["attempt"])
    with wired.db.reading() as session:
        payout = payouts.get(session, code_id=code_id, attempt=attempt)
    answer = gateway.query(payout.out_bill_no)
    if answer is None:
        return
    with wired.db.transaction() as session:
        after = payouts.apply_state(
            session,
            code_id=code_id,
            attempt=attempt,
            bill=answer,
            source="query",
            sealer=wired.sealer,
            now=clock(),
            by_person=True,
        )
        if not after.is_final and after.state != PayoutState.QUARANTINED:
            payouts.retry(session, code_id=code_id, now=clock())


def _look_again(wired: Wired, leased: Leased, payout: PayoutFacts, clock: Clock) -> None:
    now = clock()
    if needs_person(created_at=payout.created_at, state=payout.state, now=now):
        log.error("payout_needs_person", out_bill_no=payout.out_bill_no, state=payout.state.value)
    _later(wired, leased, clock, seconds=wait_s(now - payout.changed_at))


def _later(wired: Wired, leased: Leased, clock: Clock, *, seconds: int) -> None:
    now = clock()
    with wired.db.transaction() as session:
        jobs.reschedule(session, leased=leased, run_at=now + timedelta(seconds=seconds), now=now)
