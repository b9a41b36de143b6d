"""Reminders: that a lot is about to expire, a row for each lot, ever.

Mark and row are one transaction; the mark goes with the points wherever they go, so nobody is told twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from scancode.db import affected, insert_once
from scancode.ledger.models import PointsLot, PointsReminder
from scancode.ledger.rules import ReminderFacts
from scancode.letters import LetterState

PAGE = 200
OF_ACCOUNT_MAX = 100
_COLUMNS = (
    PointsReminder.account_id,
    PointsReminder.lot_id,
    PointsReminder.brand_id,
    PointsReminder.points,
    PointsReminder.expires_at,
    PointsReminder.made_at,
    PointsReminder.state,
    PointsReminder.reason,
    PointsReminder.ended_at,
)


def remind(
    session: Session, *, brand_id: UUID, until: datetime, now: datetime, limit: int = PAGE
) -> list[ReminderFacts]:
    """Marks lots that expire by then and writes a reminder of each: their owners are told, once for each lot."""
    query = (
        select(PointsLot.account_id, PointsLot.id)
        .where(
            PointsLot.brand_id == brand_id,
            PointsLot.left_points > 0,
            PointsLot.expires_at > now,
            PointsLot.expires_at <= until,
            PointsLot.reminded_at.is_(None),
        )
        .order_by(PointsLot.expires_at, PointsLot.id)
        .limit(limit)
    )
    made = []
    for account_id, lot_id in session.execute(query).all():
        lot = (PointsLot.account_id == account_id, PointsLot.id == lot_id, PointsLot.reminded_at.is_(None))
        mark = update(PointsLot).where(*lot, PointsLot.left_points > 0).values(reminded_at=now)
        marked = session.execute(
            mark.returning(PointsLot.left_points, PointsLot.expires_at),
            execution_options={"synchronize_session": False},
        ).one_or_none()
        if marked is None:
            continue
        found = ReminderFacts(
            account_id, lot_id, brand_id, marked.left_points, marked.expires_at, now, LetterState.WAITING, "", None
        )
        if insert_once(session, PointsReminder, **(vars(found) | {"state": found.state.value})):
            made.append(found)
    return made


def list_reminders(
    session: Session, *, brand_id: UUID, limit: int, before: tuple[datetime, UUID] | None = None
) -> list[ReminderFacts]:
    """Of a brand, the newest first; ``before``: when the last one of the page before was made, and its lot."""
    query = select(*_COLUMNS).where(PointsReminder.brand_id == brand_id)
    if before is not None:
        query = query.where(tuple_(PointsReminder.made_at, PointsReminder.lot_id) < before)
    query = query.order_by(PointsReminder.made_at.desc(), PointsReminder.lot_id.desc()).limit(limit)
    return [_facts(row) for row in session.execute(query)]


def waiting_reminders(session: Session, *, account_id: UUID) -> list[ReminderFacts]:
    """Those of an account about which a message may still go out, the first to expire first; with what is left of
    each lot now."""
    left = (
        select(PointsLot.left_points)
        .where(PointsLot.account_id == PointsReminder.account_id, PointsLot.id == PointsReminder.lot_id)
        .scalar_subquery()
    )
    query = (
        select(*_COLUMNS, left.label("left"))
        .where(PointsReminder.account_id == account_id, PointsReminder.state == LetterState.WAITING.value)
        .order_by(PointsReminder.expires_at, PointsReminder.lot_id)
        .limit(OF_ACCOUNT_MAX)
    )
    return [_facts([*row[:3], row.left or 0, *row[4:-1]]) for row in session.execute(query)]


def end_reminders(
    session: Session,
    *,
    account_id: UUID,
    lot_ids: Collection[UUID],
    state: LetterState,
    reason: str = "",
    now: datetime,
) -> int:
    """What became of the message about these lots; returns how many waited for it."""
    waiting = (
        PointsReminder.account_id == account_id,
        PointsReminder.lot_id.in_(sorted(lot_ids)),
        PointsReminder.state == LetterState.WAITING.value,
    )
    values = {"state": state.value, "reason": reason, "ended_at": now}
    return affected(session, update(PointsReminder).where(*waiting).values(values))


def _facts(row: Sequence[Any]) -> ReminderFacts:
    values = dict(zip([column.key for column in _COLUMNS], row, strict=True))
    return ReminderFacts(**values | {"state": LetterState(values["state"])})
