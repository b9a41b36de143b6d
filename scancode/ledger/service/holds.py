"""Transfers in two steps: points that come in later unless voided, and points reserved until taken or released.

Every verb takes the account's row first and the hold's after it, and changes a hold only while it is pending.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from scancode.db import affected, insert_once, new_id
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.ledger.models import Account, PointsHold
from scancode.ledger.rules import HoldFacts, HoldState
from scancode.ledger.service.posting import (
    CauseReused,
    Frozen,
    Overdrawn,
    issuer_id,
    open_account,
    post,
    sink_id,
)

LISTED_MAX = 500


class HoldEnded(Refusal):
    code = "points_hold_ended"
    text = N_("These points are no longer pending: they were posted or voided before.")


def lock(session: Session, *, account_id: UUID) -> Row[UUID, int, int, datetime | None, str | None] | None:
    """The account's row, held until the transaction ends; None where there is none yet."""
    query = select(Account.brand_id, Account.balance, Account.reserved, Account.frozen_at, Account.frozen_reason)
    return session.execute(query.where(Account.id == account_id).with_for_update()).one_or_none()


def hold(
    session: Session,
    *,
    account_id: UUID,
    brand_id: UUID,
    cause: str,
    points: int,
    due_at: datetime,
    now: datetime,
    note: str | None = None,
) -> bool:
    """Notes points that come in on ``due_at``, or below zero reserves them until then, once per cause.

    False when the cause is there already. Raises Overdrawn, Frozen; CauseReused when it is there with other figures.
    """
    if points == 0:
        raise ValueError("a hold is of points")
    open_account(session, account_id=account_id, brand_id=brand_id, now=now)
    account = lock(session, account_id=account_id)
    if account is None or account.brand_id != brand_id:
        raise ValueError("an account of another brand")
    there = session.scalar(
        select(PointsHold.points).where(PointsHold.account_id == account_id, PointsHold.cause == cause)
    )
    if there is not None:
        if there != points:
            raise CauseReused(cause)
        return False
    if account.frozen_at is not None:
        raise Frozen(reason=account.frozen_reason)
    if points < 0:
        available = account.balance - account.reserved
        if available + points < 0:
            raise Overdrawn(needed=-points, balance=available)
        _reserve(session, account_id, -points)
    values = {"account_id": account_id, "id": new_id(now), "brand_id": brand_id, "cause": cause, "points": points}
    more = {"state": HoldState.PENDING.value, "due_at": due_at, "note": note, "created_at": now}
    return insert_once(session, PointsHold, **values, **more)


def post_hold(
    session: Session, *, account_id: UUID, hold_id: UUID, now: datetime, expires_at: datetime | None = None
) -> HoldFacts:
    """Ends a hold by moving its points; those that come in are good until ``expires_at``.

    Raises NotFound, HoldEnded, Frozen.
    """
    account = lock(session, account_id=account_id)
    found = get_hold(session, account_id=account_id, hold_id=hold_id)
    if account is not None and account.frozen_at is not None:
        raise Frozen(reason=account.frozen_reason)
    _end(session, found, HoldState.POSTED, now)
    counter_id = issuer_id(found.brand_id) if found.points > 0 else sink_id(found.brand_id)
    post(
        session,
        account_id=account_id,
        counter_account_id=counter_id,
        brand_id=found.brand_id,
        cause=found.cause,
        points=found.points,
        now=now,
        expires_at=expires_at,
        note=found.note,
    )
    return found


def void_hold(session: Session, *, account_id: UUID, hold_id: UUID, now: datetime) -> HoldFacts:
    """Ends a hold without moving its points; what was reserved can be spent again. Raises NotFound, HoldEnded."""
    lock(session, account_id=account_id)
    found = get_hold(session, account_id=account_id, hold_id=hold_id)
    _end(session, found, HoldState.VOIDED, now)
    return found


def _end(session: Session, found: HoldFacts, state: HoldState, now: datetime) -> None:
    pending = (
        PointsHold.account_id == found.account_id,
        PointsHold.id == found.id,
        PointsHold.state == HoldState.PENDING.value,
    )
    if affected(session, update(PointsHold).where(*pending).values(state=state.value, ended_at=now)) != 1:
        raise HoldEnded
    if found.points < 0:
        _reserve(session, found.account_id, found.points)


def _reserve(session: Session, account_id: UUID, points: int) -> None:
    """Reserves so many more, or fewer, of an account whose row is held."""
    statement = update(Account).where(Account.id == account_id).values(reserved=Account.reserved + points)
    if affected(session, statement) != 1:
        raise AssertionError("an account that is held is there")


def move_holds(session: Session, *, from_id: UUID, to_id: UUID, now: datetime) -> int:
    """What is pending in an account goes on in another; both are held. Returns what is now to be reserved there."""
    reserved = 0
    for one in list_holds(session, account_id=from_id, limit=LISTED_MAX):
        if one.state is not HoldState.PENDING:
            continue
        _end(session, one, HoldState.MOVED, now)
        values = {"id": one.id, "brand_id": one.brand_id, "cause": one.cause, "points": one.points}
        more = {"state": HoldState.PENDING.value, "due_at": one.due_at, "note": one.note, "created_at": one.created_at}
        insert_once(session, PointsHold, account_id=to_id, **values, **more)
        reserved += max(-one.points, 0)
    return reserved


def reserve_moved(session: Session, *, account_id: UUID, points: int) -> None:
    """The last step of moving holds, when the points that they reserve are there."""
    if points:
        _reserve(session, account_id, points)


def get_hold(session: Session, *, account_id: UUID, hold_id: UUID) -> HoldFacts:
    """Raises NotFound."""
    found = session.get(PointsHold, (account_id, hold_id), populate_existing=True)
    if found is None:
        raise NotFound
    return _facts(found)


def list_holds(session: Session, *, account_id: UUID, limit: int) -> list[HoldFacts]:
    """Those that are pending first, the newest first."""
    query = (
        select(PointsHold)
        .where(PointsHold.account_id == account_id)
        .order_by(PointsHold.ended_at.is_not(None), PointsHold.id.desc())
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return [_facts(one) for one in session.scalars(query)]


def due_holds(session: Session, *, now: datetime, after: UUID | None, limit: int = LISTED_MAX) -> list[HoldFacts]:
    """Pending ones whose time has come, by their ids; those of frozen accounts wait."""
    query = (
        select(PointsHold)
        .join(Account, Account.id == PointsHold.account_id)
        .where(PointsHold.state == HoldState.PENDING.value, PointsHold.due_at <= now, Account.frozen_at.is_(None))
        .order_by(PointsHold.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(PointsHold.id > after)
    return [_facts(one) for one in session.scalars(query)]


def _facts(one: PointsHold) -> HoldFacts:
    return HoldFacts(
        id=one.id,
        account_id=one.account_id,
        brand_id=one.brand_id,
        cause=one.cause,
        points=one.points,
        state=HoldState(one.state),
        due_at=one.due_at,
        note=one.note,
        created_at=one.created_at,
        ended_at=one.ended_at,
    )
