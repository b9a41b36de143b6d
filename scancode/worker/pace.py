"""One pace for all workers of all hosts: a call to the payment provider waits for its turn."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from scancode.jobs import service as jobs
from scancode.wiring import Wired

NAME = "wechatpay"
WAIT_S_MAX = 5.0
TOO_QUICK, PAUSE = 429, timedelta(seconds=1)
"""How the provider says that we are too quick, and how long nobody calls then."""


def turn_s(session: Session, wired: Wired) -> float:
    """Seconds until this call's turn, by the real clock: the provider counts real seconds. Take it last."""
    wait = jobs.take_turn(session, name=NAME, per_second=wired.settings.wechatpay_rate, now=datetime.now(UTC))
    return min(wait.total_seconds(), WAIT_S_MAX)


def wait_for_turn(wired: Wired) -> None:
    """Where no transaction is open."""
    with wired.db.transaction(durable=False) as session:
        wait_s = turn_s(session, wired)
    time.sleep(wait_s)


def slow_down(session: Session) -> None:
    """The provider said that we are too quick."""
    jobs.hold_back(session, name=NAME, until=datetime.now(UTC) + PAUSE)
