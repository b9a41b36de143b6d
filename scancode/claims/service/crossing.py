"""Reservations that cross from one browser into WeChat, where the openid is that they can be paid to.

Whoever won outside WeChat carries a link over and types the number that their first browser shows. The link names the
reservations and the number proves who is at it; a forwarded link, a preview or a glance at the symbol gets nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import Session

from scancode.claims.models import Claim, Crossing
from scancode.claims.rules import ClaimState
from scancode.db import affected, new_id
from scancode.sealing import Sealer

LIVES: Final = timedelta(minutes=10)
TRIES: Final = 3
NUMBER_DIGITS: Final = 4
PIECE: Final = 1000


@dataclass(frozen=True)
class CrossingFacts:
    id: UUID
    visitor_id: UUID
    brand_id: UUID
    tries_left: int
    expires_at: datetime
    identity_id: UUID | None
    """Who has come over; None while nobody has."""

    def is_open(self, now: datetime) -> bool:
        return self.identity_id is None and self.tries_left > 0 and self.expires_at > now


def has_reserved(session: Session, *, visitor_id: UUID, brand_id: UUID, now: datetime) -> bool:
    """Whether a browser holds anything of a brand that waits for its person."""
    query = select(Claim.code_id).where(
        Claim.visitor_id == visitor_id,
        Claim.state == ClaimState.RESERVED.value,
        Claim.brand_id == brand_id,
        Claim.reserved_until > now,
    )
    return session.scalar(query.limit(1)) is not None


def offer_crossing(
    session: Session, *, visitor_id: UUID, brand_id: UUID, number: str, sealer: Sealer, now: datetime
) -> CrossingFacts:
    """Opens a way over for what this browser holds, under a number; earlier ones of the browser end."""
    earlier = update(Crossing).where(Crossing.visitor_id == visitor_id, Crossing.expires_at > now)
    affected(session, earlier.where(Crossing.crossed_at.is_(None)).values(expires_at=now))
    crossing_id = new_id(now)
    row = Crossing(
        id=crossing_id,
        visitor_id=visitor_id,
        brand_id=brand_id,
        digest=_digest(crossing_id, number, sealer),
        tries_left=TRIES,
        expires_at=now + LIVES,
        crossed_at=None,
        identity_id=None,
    )
    session.add(row)
    session.flush()
    return _facts(row)


def find_crossing(session: Session, *, crossing_id: UUID) -> CrossingFacts | None:
    row = session.get(Crossing, crossing_id, populate_existing=True)
    return _facts(row) if row else None


def spend_try(
    session: Session, *, crossing_id: UUID, number: str, identity_id: UUID, sealer: Sealer, now: datetime
) -> bool:
    """Spends one try; True for the right number, and then the way is closed behind this identity.

    False must be committed too: it is what makes guessing end.
    """
    is_right = Crossing.digest == _digest(crossing_id, number, sealer)
    statement = (
        update(Crossing)
        .where(
            Crossing.id == crossing_id,
            Crossing.crossed_at.is_(None),
            Crossing.expires_at > now,
            Crossing.tries_left > 0,
        )
        .values(
            tries_left=Crossing.tries_left - 1,
            crossed_at=case((is_right, now), else_=Crossing.crossed_at),
            identity_id=case((is_right, identity_id), else_=Crossing.identity_id),
        )
        .returning(Crossing.crossed_at)
    )
    answers = session.execute(statement, execution_options={"synchronize_session": False}).scalars().all()
    return any(crossed_at is not None for crossed_at in answers)


def sweep_crossings(session: Session, *, before: datetime) -> int:
    """Forgets, a piece at a time, the ways that ended before then. Returns how many."""
    old = select(Crossing.id).where(Crossing.expires_at < before).limit(PIECE).scalar_subquery()
    return affected(session, delete(Crossing).where(Crossing.id.in_(old)))


def _digest(crossing_id: UUID, number: str, sealer: Sealer) -> str:
    return sealer.digest(f"{crossing_id}|{number}", purpose="crossing")


def _facts(row: Crossing) -> CrossingFacts:
    return CrossingFacts(row.id, row.visitor_id, row.brand_id, row.tries_left, row.expires_at, row.identity_id)
