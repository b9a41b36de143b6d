"""What is due about the money as a whole, looked at every ten minutes: how much is left to pay with, and whether what
waited for money can go out; once a day, when the provider's file of yesterday is there, a comparison of the books. One
job, which puts itself back into the outbox."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import structlog

from scancode.errors import PayoutError
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.payouts import service as payouts
from scancode.ports import PayoutGateway
from scancode.stories.books import DAYS_IN
from scancode.stories.reconcile import FILES_AT
from scancode.wiring import Wired
from scancode.worker.progress import Clock

KIND = KEY = "books"
EVERY = timedelta(minutes=10)
NOT_OURS_TO_ASK = "NO_AUTH"
log = structlog.get_logger(__name__)


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    now = clock()
    if wired.ports.payout is not None:
        _look_at_balance(wired, wired.ports.payout, now)
        _compare_daily(wired, now)
    with wired.db.transaction() as session:
        jobs.reschedule(session, leased=leased, run_at=now + EVERY, now=now)


def _look_at_balance(wired: Wired, gateway: PayoutGateway, now: datetime) -> None:
    try:
        balance = gateway.balance()
    except PayoutError as error:
        _no_balance(wired, gateway, error, now)
        return
    with wired.db.transaction() as session:
        payouts.keep_balance(
            session, available_fen=balance.available_fen, pending_fen=balance.pending_fen, at=now, now=now
        )
        woken = payouts.wake_short(session, available_fen=balance.available_fen, now=now)
    if balance.available_fen < wired.settings.balance_alert_fen:
        log.error("balance_low", available_fen=balance.available_fen)
    if woken:
        log.info("payouts_woken", count=woken)


def _no_balance(wired: Wired, gateway: PayoutGateway, error: PayoutError, now: datetime) -> None:
    """A merchant that may not ask reads it off the last line of yesterday's file, once it is there."""
    with wired.db.transaction() as session:
        payouts.keep_balance_error(session, error=error.code, now=now)
        known = payouts.find_balance(session)
    yesterday = now.astimezone(DAYS_IN).date() - timedelta(days=1)
    is_known = known is not None and known.at is not None and known.at.astimezone(DAYS_IN).date() >= yesterday
    if error.code != NOT_OURS_TO_ASK or is_known:
        return
    last = None
    for last in gateway.flows(yesterday) or ():  # noqa: B007  the last one counts
        pass
    if last is not None and last.balance_fen is not None:
        with wired.db.transaction() as session:
            payouts.keep_balance(session, available_fen=last.balance_fen, pending_fen=0, at=last.at, now=now)


def _compare_daily(wired: Wired, now: datetime) -> None:
    """Asks for one comparison a day, over yesterday and the day before: what was paid around midnight is in either."""
    today = now.astimezone(DAYS_IN)
    if today.time() < FILES_AT:
        return
    since = datetime.combine(today.date() - timedelta(days=2), time(), DAYS_IN)
    payload = {"since": since.isoformat(), "actor": "worker"}
    with wired.db.transaction() as session:
        jobs.enqueue(
            session, kind="reconcile", key=f"reconcile:daily:{today.date()}", payload=payload, run_at=now, now=now
        )
