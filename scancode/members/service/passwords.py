"""One-time passwords: sent to a phone within limits, kept as a keyed digest, consumed by one UPDATE.

Whoever asks for a message first updates the turn of the phone and of the address, in the order of their keys, so that
requests for one phone count each other's messages and never wait for each other in a circle. A guess and its price
are the same UPDATE: however many arrive at once, five are looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import Session

from scancode.db import insert_once, new_id
from scancode.jobs import service as jobs
from scancode.members.models import OneTimePassword, SendTurn
from scancode.members.rules import TRIES_MAX, SendLimits, Sent, check_sending
from scancode.members.service.identities import phone_index
from scancode.sealing import Sealer

SMS_JOB = "sms"
COUNTED = timedelta(hours=24)
"""How far back messages count; older rows are purged."""
READ_MAX = 10_000


def ask_password(
    session: Session,
    *,
    brand_id: UUID,
    phone: str,
    purpose: str,
    password: str,
    address_digest: str,
    language: str,
    limits: SendLimits,
    sealer: Sealer,
    now: datetime,
) -> datetime:
    """Books a message with the password to an E.164 number; returns when the password ends.

    The password is made at the edge. An earlier one for the same purpose ends now. Raises SendTooSoon, SendTooMany;
    then nothing is stored.
    """
    phone_id = phone_index(phone, sealer)
    _take_turns(session, {f"phone:{phone_id}", f"address:{address_digest}"}, now)
    check_sending(_sent(session, phone_id, address_digest, now), limits, now)
    expires_at = now + timedelta(minutes=limits.minutes)
    session.execute(
        update(OneTimePassword)
        .where(
            OneTimePassword.phone_id == phone_id,
            OneTimePassword.purpose == purpose,
            OneTimePassword.consumed_at.is_(None),
            OneTimePassword.expires_at > now,
        )
        .values(expires_at=now)
    )
    row = OneTimePassword(
        phone_id=phone_id,
        id=new_id(now),
        purpose=purpose,
        digest=_digest(password, phone_id, purpose, brand_id, sealer),
        address_digest=address_digest,
        tries_left=TRIES_MAX,
        sent_at=now,
        expires_at=expires_at,
        consumed_at=None,
    )
    session.add(row)
    session.flush()
    key = f"{SMS_JOB}:{row.id}"
    message = json.dumps({"phone": phone, "password": password})
    payload = {
        "sealed": sealer.seal(message, purpose=key),
        "purpose": purpose,
        "language": language,
        "expires_at": expires_at.isoformat(),
    }
    jobs.enqueue(session, kind=SMS_JOB, key=key, payload=payload, run_at=now, now=now)
    return expires_at


def check_password(
    session: Session, *, brand_id: UUID, phone: str, purpose: str, password: str, sealer: Sealer, now: datetime
) -> bool:
    """Spends one try of the phone's live password; True when it was the right one, which it then is no longer.

    False must be committed too: it is what makes guessing end.
    """
    phone_id = phone_index(phone, sealer)
    digest = _digest(password, phone_id, purpose, brand_id, sealer)
    is_right = OneTimePassword.digest == digest
    statement = (
        update(OneTimePassword)
        .where(
            OneTimePassword.phone_id == phone_id,
            OneTimePassword.purpose == purpose,
            OneTimePassword.consumed_at.is_(None),
            OneTimePassword.expires_at > now,
            OneTimePassword.tries_left > 0,
        )
        .values(
            tries_left=OneTimePassword.tries_left - 1,
            consumed_at=case((is_right, now), else_=OneTimePassword.consumed_at),
        )
        .returning(OneTimePassword.consumed_at)
    )
    answers = session.execute(statement, execution_options={"synchronize_session": False}).scalars().all()
    return any(consumed_at is not None for consumed_at in answers)


@dataclass(frozen=True)
class Message:
    """What the worker sends; it lives for the length of one call."""

    phone: str
    password: str
    purpose: str
    language: str
    expires_at: datetime


def open_message(*, key: str, payload: Mapping[str, Any], sealer: Sealer) -> Message:
    """The message of an ``sms`` job. Raises SealBroken when its key is missing."""
    message = json.loads(sealer.open(payload["sealed"], purpose=key))
    return Message(
        phone=message["phone"],
        password=message["password"],
        purpose=payload["purpose"],
        language=payload["language"],
        expires_at=datetime.fromisoformat(payload["expires_at"]),
    )


def purge(session: Session, *, now: datetime) -> int:
    """Deletes passwords and turns that no limit counts any more; returns how many passwords."""
    before = now - COUNTED
    gone = session.execute(delete(OneTimePassword).where(OneTimePassword.sent_at <= before))
    session.execute(delete(SendTurn).where(SendTurn.at <= before))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _take_turns(session: Session, keys: set[str], now: datetime) -> None:
    for key in sorted(keys):
        insert_once(session, SendTurn, key=key, at=now)
        session.execute(update(SendTurn).where(SendTurn.key == key).values(at=now))


def _sent(session: Session, phone_id: UUID, address_digest: str, now: datetime) -> Sent:
    password = OneTimePassword
    to_phone = select(password.sent_at).where(password.phone_id == phone_id, password.sent_at > now - COUNTED)
    from_address = select(password.sent_at).where(
        password.address_digest == address_digest, password.sent_at > now - timedelta(hours=1)
    )
    return Sent(
        to_phone=tuple(session.scalars(to_phone.limit(READ_MAX))),
        from_address=tuple(session.scalars(from_address.limit(READ_MAX))),
    )


def _digest(password: str, phone_id: UUID, purpose: str, brand_id: UUID, sealer: Sealer) -> str:
    return sealer.digest(password, purpose=f"otp|{purpose}|{brand_id}|{phone_id}")
