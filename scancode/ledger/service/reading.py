"""What an account holds, now or at a past moment, and how it came to that."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.ledger.models import Account, Entry, PointsHold
from scancode.ledger.rules import AccountFacts, EntryFacts, HoldState

REVERSE = "reverse:"
AT_ONCE = 500


def account(session: Session, *, account_id: UUID) -> AccountFacts:
    """A person's account; one that nothing was posted to yet is empty."""
    row = session.execute(
        select(Account.balance, Account.reserved, Account.frozen_at, Account.frozen_reason).where(
            Account.id == account_id
        )
    ).one_or_none()
    if row is None:
        return AccountFacts(account_id)
    pending = session.scalar(
        select(func.sum(PointsHold.points)).where(
            PointsHold.account_id == account_id,
            PointsHold.state == HoldState.PENDING.value,
            PointsHold.points > 0,
        )
    )
    return AccountFacts(account_id, row.balance, row.reserved, int(pending or 0), row.frozen_at, row.frozen_reason)


def brand_of(session: Session, *, account_id: UUID) -> UUID | None:
    """Whose points a person's account holds; None where there is none."""
    return session.scalar(select(Account.brand_id).where(Account.id == account_id))


def balance(session: Session, *, account_id: UUID) -> int:
    """The points that a person's account holds; 0 where there is none. System accounts have no stored balance."""
    return session.scalar(select(Account.balance).where(Account.id == account_id)) or 0


def balance_at(session: Session, *, account_id: UUID, moment: datetime) -> int:
    """What an account held at a past moment: the sum of its entries until then, also for a system account."""
    until = select(func.sum(Entry.points)).where(Entry.account_id == account_id, Entry.occurred_at <= moment)
    return int(session.scalar(until) or 0)


def find_entry(session: Session, *, account_id: UUID, cause: str) -> UUID | None:
    """The id of what was posted to the account for this cause."""
    return session.scalar(select(Entry.id).where(Entry.account_id == account_id, Entry.cause == cause))


def earned(session: Session, *, account_ids: Collection[UUID], since: datetime) -> dict[UUID, int]:
    """What came into each of these accounts from then on, without what was taken back since; who earned nothing is
    left out. That points expired or were spent changes nothing."""
    ids = sorted(account_ids)
    own = (Entry.account_id.in_(ids), Entry.points > 0, Entry.occurred_at >= since)
    gained = select(Entry.account_id, func.sum(Entry.points)).where(*own, Entry.cause.not_like(f"{REVERSE}%"))
    found = {one: int(points) for one, points in session.execute(gained.group_by(Entry.account_id))}
    taken_back = select(Entry.cause).where(
        Entry.account_id.in_(ids), Entry.points < 0, Entry.cause.like(f"{REVERSE}%"), Entry.occurred_at >= since
    )
    taken = sorted(UUID(cause.removeprefix(REVERSE)) for cause in session.scalars(taken_back))
    for start in range(0, len(taken), AT_ONCE):
        some = Entry.id.in_(taken[start : start + AT_ONCE])
        lost = select(Entry.account_id, func.sum(Entry.points)).where(*own, some).group_by(Entry.account_id)
        for one, points in session.execute(lost):
            found[one] -= int(points)
    return found


def changed_accounts(
    session: Session, *, brand_id: UUID, since: datetime, after: UUID | None, limit: int
) -> list[UUID]:
    """Accounts of a brand in which points moved from then on, by their ids. Reads all its accounts: not for pages."""
    query = select(Account.id).where(Account.brand_id == brand_id, Account.changed_at >= since)
    if after is not None:
        query = query.where(Account.id > after)
    return list(session.scalars(query.order_by(Account.id).limit(limit)))


def total(session: Session, *, account_id: UUID) -> int:
    """The sum of an account's entries, also for a system account: reads them all."""
    return int(session.scalar(select(func.sum(Entry.points)).where(Entry.account_id == account_id)) or 0)


def entries(session: Session, *, account_id: UUID, limit: int, before: UUID | None = None) -> list[EntryFacts]:
    """The newest lines of an account, from before the entry ``before``."""
    query = (
        select(Entry.id, Entry.counter_account_id, Entry.cause, Entry.points, Entry.occurred_at, Entry.note)
        .where(Entry.account_id == account_id)
        .order_by(Entry.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Entry.id < before)
    return [EntryFacts(*row) for row in session.execute(query)]
