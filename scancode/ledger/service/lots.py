"""Lots: points that came in together and expire together. What expires first is spent first.

Lots of an account are changed by whoever holds its row in ``accounts``; ``posting`` sees to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from scancode.db import affected, insert_bulk, new_id
from scancode.ledger.models import Account, PointsLot
from scancode.ledger.rules import LotFacts

PAGE = 200


class LotsMissing(Exception):
    """An account's lots hold less than its balance: somebody meddled, and ``scancode ledger verify`` says so."""


class Piece(NamedTuple):
    """Points with the times that they keep wherever they go."""

    points: int
    earned_at: datetime
    expires_at: datetime | None
    reminded_at: datetime | None


def row(account_id: UUID, id_: UUID, brand_id: UUID, piece: Piece) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "id": id_,
        "brand_id": brand_id,
        "points": piece.points,
        "left_points": piece.points,
        "earned_at": piece.earned_at,
        "expires_at": piece.expires_at,
        "reminded_at": piece.reminded_at,
    }


def give(
    session: Session, *, account_id: UUID, brand_id: UUID, pieces: Sequence[Piece], id_: UUID, now: datetime
) -> None:
    """Makes a lot of each piece, the first under ``id_``. Pieces that expire together become one."""
    merged: dict[tuple[datetime | None, datetime | None], Piece] = {}
    for piece in pieces:
        key = (piece.expires_at, piece.reminded_at)
        there = merged.get(key, piece._replace(points=0))
        merged[key] = there._replace(
            points=there.points + piece.points, earned_at=min(there.earned_at, piece.earned_at)
        )
    ids = [id_, *(new_id(now) for _ in merged)]
    made = [row(account_id, one, brand_id, piece) for one, piece in zip(ids, merged.values(), strict=False)]
    insert_bulk(session, PointsLot, made)


def take(session: Session, *, account_id: UUID, points: int, first: UUID | None = None) -> list[Piece]:
    """Takes points out of an account's lots: of ``first``, then of what expires first. Returns what was taken.

    Raises LotsMissing.
    """
    order = [PointsLot.expires_at.is_(None), PointsLot.expires_at, PointsLot.id]
    if first is not None:
        order.insert(0, case((PointsLot.id == first, 0), else_=1))
    query = (
        select(PointsLot.id, PointsLot.left_points, PointsLot.earned_at, PointsLot.expires_at, PointsLot.reminded_at)
        .where(PointsLot.account_id == account_id, PointsLot.left_points > 0)
        .order_by(*order)
        .limit(PAGE)
    )
    taken: list[Piece] = []
    while points > 0:
        emptied: list[UUID] = []
        for lot in session.execute(query):
            part = min(points, lot.left_points)
            taken.append(Piece(part, lot.earned_at, lot.expires_at, lot.reminded_at))
            points -= part
            if part < lot.left_points:
                _leave(session, account_id, [lot.id], lot.left_points - part)
            else:
                emptied.append(lot.id)
            if points == 0:
                break
        if emptied:
            _leave(session, account_id, emptied, 0)
        elif points > 0:
            raise LotsMissing(account_id)
    return taken


def _leave(session: Session, account_id: UUID, ids: Sequence[UUID], points: int) -> None:
    lots = (PointsLot.account_id == account_id, PointsLot.id.in_(ids))
    affected(session, update(PointsLot).where(*lots).values(left_points=points))


def list_lots(session: Session, *, account_id: UUID, limit: int) -> list[LotFacts]:
    """What is left in an account, in the order in which it is spent."""
    query = (
        select(
            PointsLot.id,
            PointsLot.points,
            PointsLot.left_points,
            PointsLot.earned_at,
            PointsLot.expires_at,
            PointsLot.reminded_at,
        )
        .where(PointsLot.account_id == account_id, PointsLot.left_points > 0)
        .order_by(PointsLot.expires_at.is_(None), PointsLot.expires_at, PointsLot.id)
        .limit(limit)
    )
    return [LotFacts(*lot) for lot in session.execute(query)]


def expiring_accounts(session: Session, *, now: datetime, after: UUID | None, limit: int = PAGE) -> list[UUID]:
    """Accounts with lots whose time is over, by their ids. Frozen ones keep theirs until they are free again."""
    query = (
        select(PointsLot.account_id)
        .join(Account, Account.id == PointsLot.account_id)
        .where(PointsLot.left_points > 0, PointsLot.expires_at <= now, Account.frozen_at.is_(None))
        .distinct()
        .order_by(PointsLot.account_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(PointsLot.account_id > after)
    return list(session.scalars(query))
