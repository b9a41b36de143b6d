"""What ends or undoes: lots whose time is over, entries taken back, accounts frozen, merged into another, or closed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scancode.db import affected
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.ledger.models import Account, Entry, PointsHold, PointsLot
from scancode.ledger.rules import EntryFacts, HoldState
from scancode.ledger.service.holds import LISTED_MAX, list_holds, lock, move_holds, reserve_moved, void_hold
from scancode.ledger.service.posting import Frozen, Overdrawn, issuer_id, open_account, post, sink_id

ERASED_AT_ONCE = 200


class SpentAlready(Refusal):
    """Facts: ``points``, ``missing``."""

    code = "points_spent"
    text = N_("These {points} points cannot be taken back: {missing} of them are no longer there to be taken.")


class NotReversible(Refusal):
    code = "points_not_reversible"
    text = N_("This entry cannot be taken back. Enter a correction instead.")


class ReversedAlready(Refusal):
    code = "points_reversed"
    text = N_("This entry was taken back before.")


def expire(session: Session, *, account_id: UUID, now: datetime) -> int:
    """Takes the lots of an account whose time is over, an entry for each; returns the points.

    A lot goes whole or not yet: one whose points are reserved waits until the reservation ends.
    """
    account = lock(session, account_id=account_id)
    if account is None or account.frozen_at is not None:
        return 0
    query = (
        select(PointsLot.id, PointsLot.left_points)
        .where(PointsLot.account_id == account_id, PointsLot.left_points > 0, PointsLot.expires_at <= now)
        .order_by(PointsLot.expires_at, PointsLot.id)
    )
    available, gone = account.balance - account.reserved, 0
    for lot in session.execute(query).all():
        if gone + lot.left_points > available:
            break
        post(
            session,
            account_id=account_id,
            counter_account_id=sink_id(account.brand_id),
            brand_id=account.brand_id,
            cause=f"expire:{lot.id}",
            points=-lot.left_points,
            now=now,
            first_lot=lot.id,
        )
        gone += lot.left_points
    return gone


def reverse(
    session: Session,
    *,
    account_id: UUID,
    entry_id: UUID,
    brand_id: UUID,
    now: datetime,
    expires_at: datetime | None = None,
    note: str | None = None,
) -> int:
    """Posts the opposite of an entry, once; returns the points by which the balance changed.

    What comes back is good until ``expires_at``. Raises NotFound, NotReversible, ReversedAlready, Frozen, SpentAlready.
    """
    account = lock(session, account_id=account_id)
    row = session.execute(
        select(Entry.id, Entry.counter_account_id, Entry.cause, Entry.points, Entry.occurred_at).where(
            Entry.account_id == account_id, Entry.id == entry_id
        )
    ).one_or_none()
    if row is None or account is None or account.brand_id != brand_id:
        raise NotFound
    entry = EntryFacts(*row)
    if not entry.is_reversible or entry.counter_account_id not in {issuer_id(brand_id), sink_id(brand_id)}:
        raise NotReversible
    if account.frozen_at is not None:
        raise Frozen(reason=account.frozen_reason)
    try:
        made = post(
            session,
            account_id=account_id,
            counter_account_id=entry.counter_account_id,
            brand_id=brand_id,
            cause=f"reverse:{entry_id}",
            points=-entry.points,
            now=now,
            expires_at=expires_at,
            note=note,
            first_lot=entry_id,
        )
    except Overdrawn as refusal:
        missing = refusal.facts["needed"] - refusal.facts["balance"]
        raise SpentAlready(points=entry.points, missing=missing) from refusal
    if not made:
        raise ReversedAlready
    return -entry.points


def freeze(session: Session, *, account_id: UUID, brand_id: UUID, reason: str, now: datetime) -> bool:
    """Lets nothing go out of an account, nor in by hand; what codes earn still comes in. False when it was frozen."""
    open_account(session, account_id=account_id, brand_id=brand_id, now=now)
    free = (Account.id == account_id, Account.brand_id == brand_id, Account.frozen_at.is_(None))
    values = {"frozen_at": now, "frozen_reason": reason[:200], "changed_at": now}
    return affected(session, update(Account).where(*free).values(values)) == 1


def unfreeze(session: Session, *, account_id: UUID, brand_id: UUID, now: datetime) -> bool:
    """False when it was not frozen."""
    frozen = (Account.id == account_id, Account.brand_id == brand_id, Account.frozen_at.is_not(None))
    values = {"frozen_at": None, "frozen_reason": None, "changed_at": now}
    return affected(session, update(Account).where(*frozen).values(values)) == 1


def reassign(session: Session, *, from_id: UUID, to_id: UUID, brand_id: UUID, cause: str, now: datetime) -> int:
    """Moves all that an account holds to another (a person joined, two turned out to be one); returns the points.

    Lots keep their times, what is pending goes on there, and a frozen account freezes the other. 0 when there was
    nothing to move or this cause has moved it already.
    """
    if from_id == to_id:
        return 0
    held = {id_: lock(session, account_id=id_) for id_ in sorted((from_id, to_id))}
    source = held[from_id]
    if source is None:
        return 0
    reserved = move_holds(session, from_id=from_id, to_id=to_id, now=now)
    done = session.scalar(select(Entry.id).where(Entry.account_id == to_id, Entry.cause == cause))
    points = source.balance if done is None else 0
    if points:
        post(
            session,
            account_id=to_id,
            counter_account_id=from_id,
            brand_id=brand_id,
            cause=cause,
            points=points,
            now=now,
            even_frozen=True,
        )
    reserve_moved(session, account_id=to_id, points=reserved)
    if source.frozen_at is not None:
        freeze(session, account_id=to_id, brand_id=brand_id, reason=source.frozen_reason or "", now=now)
    return points


def close(session: Session, *, account_id: UUID, brand_id: UUID, now: datetime) -> int:
    """The person leaves: what is pending is voided and what is there lapses, frozen or not. What was written beside it
    in somebody's words goes; figures and causes stay. Returns the points."""
    account = lock(session, account_id=account_id)
    if account is None:
        return 0
    for one in list_holds(session, account_id=account_id, limit=LISTED_MAX):
        if one.state is HoldState.PENDING:
            void_hold(session, account_id=account_id, hold_id=one.id, now=now)
    if account.balance:
        post(
            session,
            account_id=account_id,
            counter_account_id=sink_id(brand_id),
            brand_id=brand_id,
            cause=f"left:{account_id}",
            points=-account.balance,
            now=now,
            even_frozen=True,
        )
    _erase_words(session, account_id)
    return int(account.balance)


def _erase_words(session: Session, account_id: UUID) -> None:
    """Notes of entries (on both sides of a transfer) and of holds, and why an account was frozen."""
    noted = select(Entry.id, Entry.counter_account_id, Entry.cause).where(
        Entry.account_id == account_id, Entry.note.is_not(None)
    )
    while rows := session.execute(noted.limit(ERASED_AT_ONCE)).all():
        for counter_id in {row.counter_account_id for row in rows}:
            causes = [row.cause for row in rows if row.counter_account_id == counter_id]
            both = Entry.account_id.in_([account_id, counter_id]), Entry.cause.in_(causes)
            affected(session, update(Entry).where(*both).values(note=None))
    affected(session, update(PointsHold).where(PointsHold.account_id == account_id).values(note=None))
    is_frozen = (Account.id == account_id, Account.frozen_reason.is_not(None))
    affected(session, update(Account).where(*is_frozen).values(frozen_reason=""))
