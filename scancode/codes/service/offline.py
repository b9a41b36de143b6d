"""Batches that are made offline: nothing of them may be activated but what a press kit was made for, while it is valid.
So a kit that is stolen, kept or used for more than was agreed makes nothing that ever lives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from scancode.catalog import revision
from scancode.codes.models import Batch, OfflineRange
from scancode.codes.rules import Activate, BatchState, Change, Range
from scancode.db import affected, insert_once
from scancode.errors import Refusal
from scancode.i18n import N_


class OutsideKit(Refusal):
    """Facts: ``number``, ``allowed``: what could be activated now."""

    code = "kit_range"
    text = N_(
        "Batch {number} is made offline: only serials for which a press kit is valid now can be activated ({allowed})."
    )


def require_kit(session: Session, *, batch: Batch, ranges: Sequence[Range], what: Change, now: datetime) -> None:
    """Raises OutsideKit for an activation of an offline batch beyond its kits."""
    if not batch.is_offline or not isinstance(what, Activate):
        return
    rows = session.execute(
        select(OfflineRange.first, OfflineRange.last)
        .where(OfflineRange.batch_number == batch.number, OfflineRange.until > now)
        .order_by(OfflineRange.first)
    ).all()
    valid: list[Range] = []
    for first, last in rows:
        if valid and first <= valid[-1][1] + 1:
            valid[-1] = (valid[-1][0], max(last, valid[-1][1]))
        else:
            valid.append((first, last))
    if all(any(low <= first and last <= high for low, high in valid) for first, last in ranges):
        return
    allowed = ", ".join(f"{first}-{last}" for first, last in valid[:20]) or "–"
    raise OutsideKit(number=batch.number, allowed=allowed)


def allow_offline(session: Session, *, number: int, first: int, last: int, until: datetime, now: datetime) -> bool:
    """A press kit was made for these serials: they may be activated until then. False when there is one already."""
    if not insert_once(session, OfflineRange, batch_number=number, first=first, last=last, until=until):
        return False
    waiting = update(Batch).where(Batch.number == number, Batch.is_offline, Batch.state == BatchState.ORDERED.value)
    affected(session, waiting.values(state=BatchState.READY.value, ready_at=now))
    revision.bump(session)
    return True


def count_offline(session: Session, *, brand_id: UUID | None) -> int:
    """Offline orders that wait for a press kit: nobody here is making them."""
    waiting = select(func.count()).where(Batch.is_offline, Batch.state == BatchState.ORDERED.value)
    if brand_id is not None:
        waiting = waiting.where(Batch.brand_id == brand_id)
    return session.scalar(waiting) or 0
