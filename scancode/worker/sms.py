"""Sends one text message: opens the sealed phone and password for the length of one call, and never logs either.

The provider's own idempotency is weak, so the job's key goes along; a password that ended while it waited is not sent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from scancode.errors import OutsideError
from scancode.jobs.rules import Leased
from scancode.members import service as members
from scancode.wiring import Wired

log = structlog.get_logger(__name__)


def run(wired: Wired, leased: Leased, clock: Callable[[], datetime]) -> None:
    message = members.open_message(key=leased.key, payload=leased.payload, sealer=wired.sealer)
    if clock() >= message.expires_at:
        log.info("sms_too_late", key=leased.key)
        return
    if wired.ports.sms is None:
        raise OutsideError("sms_not_configured", permanent=True)
    wired.ports.sms.send(
        phone=message.phone,
        purpose=message.purpose,
        password=message.password,
        language=message.language,
        key=leased.key,
    )
