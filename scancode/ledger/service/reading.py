"""What an account holds, now or at a past moment, and how it came to that."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scancode.ledger.models import Account, Entry, PointsHold
from scancode.ledger.rules import AccountFacts, EntryFacts, HoldState


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
