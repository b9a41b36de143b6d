"""Which function does which kind of job: one line each. A runner takes the connected program, the job and a clock.

A runner that returns is done with the job, unless it has rescheduled it. One that raises is tried again later;
``OutsideError(permanent=True)`` gives up at once. It may be run twice for the same job, so what it does it does once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from scancode.jobs.rules import Leased
from scancode.wiring import Wired
from scancode.worker import (
    authorisation,
    books,
    breaker,
    capture,
    check,
    diversion,
    held,
    life,
    mint,
    payout,
    points,
    reconcile,
    remind,
    seal,
    sms,
    tidy,
    tiers,
    untag,
    uploads,
    watch,
    welcome,
)

Runner = Callable[[Wired, Leased, Callable[[], datetime]], None]

RUNNERS: dict[str, Runner] = {
    "sms": sms.run,
    "mint": mint.run,
    "check": check.run,
    "life": life.run,
    "upload": uploads.run,
    "capture": capture.run,
    "seal": seal.run,
    "watch": watch.run,
    "books": books.run,
    "breaker": breaker.run,
    "diversion": diversion.run,
    "held": held.run,
    "payout": payout.run,
    "authorisation": authorisation.run,
    "reconcile": reconcile.run,
    "points": points.run,
    "remind": remind.run,
    "tidy": tidy.run,
    "tiers": tiers.run,
    "untag": untag.run,
    "welcome": welcome.run,
}
