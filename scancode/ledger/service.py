"""Moving points between accounts: two entries to every transfer, once per cause, and no balance below zero.

A brand's system accounts (where its points come from, where spent ones go) have entries and no stored balance: a
million people are given points without one row that all of them wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import BigInteger, bindparam, func, select, update
from sqlalchemy.orm import Session

from scancode.db import Sender, insert_many, insert_once, new_id, send
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.ledger.models import Account, Entry

NAMESPACE = UUID("6f1a3c0e-2f0b-5d6e-9b58-3a4b1f5c7d20")
"""System accounts are named within it; fixed for ever, since their ids stand in every entry."""


_CHANGE = (
    update(Account)
    .where(
        Account.id == bindparam("account"),
        Account.brand_id == bindparam("brand"),
        Account.balance + bindparam("change", type_=BigInteger) >= 0,
    )
    .values(balance=Account.balance + bindparam("change", type_=BigInteger), changed_at=bindparam("at"))
)


class Overdrawn(Refusal):
    code = "overdrawn"
    text = N_("There are not enough points: {needed} are needed and {balance} are there.")


class CauseReused(Exception):
    """The same cause was posted before with another amount or another account: a mistake in the caller."""


@dataclass(frozen=True)
class EntryFacts:
    """One line of an account: ``points`` above zero came in, below zero went out."""

    id: UUID
    counter_account_id: UUID
    cause: str
    points: int
    occurred_at: datetime


def issuer_id(brand_id: UUID) -> UUID:
    """The account that a brand's points come from."""
    return uuid5(NAMESPACE, f"issuer:{brand_id}")


def sink_id(brand_id: UUID) -> UUID:
    """The account that spent or expired points go to."""
    return uuid5(NAMESPACE, f"sink:{brand_id}")


def post(
    session: Session,
    *,
    account_id: UUID,
    counter_account_id: UUID,
    brand_id: UUID,
    cause: str,
    points: int,
    now: datetime,
) -> bool:
    """Moves ``points`` from the counter account to the account (the other way when negative), once per cause.

    False when this account has the cause already. Raises Overdrawn and changes nothing when the paying account has
    too little; CauseReused when the cause is there with other figures.
    """
    if points == 0 or account_id == counter_account_id:
        raise ValueError("a transfer moves points between two accounts")
    systems = {issuer_id(brand_id), sink_id(brand_id)}
    changes = {account_id: points, counter_account_id: -points}
    stored = sorted((id_, change) for id_, change in changes.items() if id_ not in systems)
    # Only a stored account that pays can refuse, and then the entries have to go, even if the caller carries on.
    with session.begin_nested() if any(change < 0 for _, change in stored) else nullcontext():
        if not _enter(session, account_id, counter_account_id, cause, points, now):
            _check_same(session, account_id, counter_account_id, cause, points)
            return False
        if not _enter(session, counter_account_id, account_id, cause, -points, now):
            raise CauseReused(cause)
        for id_, change in stored:  # in the order of their ids: two transfers never wait for each other
            _change_balance(session, id_, brand_id, change, now)
    return True


def _enter(session: Session, account_id: UUID, counter_id: UUID, cause: str, points: int, now: datetime) -> bool:
    return insert_once(
        session,
        Entry,
        account_id=account_id,
        id=new_id(now),
        counter_account_id=counter_id,
        cause=cause,
        points=points,
        occurred_at=now,
    )


def _check_same(session: Session, account_id: UUID, counter_id: UUID, cause: str, points: int) -> None:
    there = session.execute(
        select(Entry.points, Entry.counter_account_id).where(Entry.account_id == account_id, Entry.cause == cause)
    ).one()
    if (there.points, there.counter_account_id) != (points, counter_id):
        raise CauseReused(cause)


def _change_balance(session: Session, account_id: UUID, brand_id: UUID, change: int, now: datetime) -> None:
    values = {"account": account_id, "brand": brand_id, "change": change, "at": now}

    def changed() -> bool:
        return session.connection().execute(_CHANGE, values).rowcount == 1

    if changed():
        return
    made = insert_once(
        session, Account, id=account_id, brand_id=brand_id, balance=max(change, 0), created_at=now, changed_at=now
    )
    if made and change >= 0:
        return
    if not made and changed():  # somebody else opened the account at the same moment
        return
    row = session.execute(select(Account.balance, Account.brand_id).where(Account.id == account_id)).one()
    if row.brand_id != brand_id:
        raise ValueError("an account of another brand")
    raise Overdrawn(needed=-change, balance=row.balance)


@dataclass(frozen=True)
class Grant:
    """Points that a brand gives to an account, for a cause that nothing was posted for before."""

    account_id: UUID
    cause: str
    points: int


def grant_many(sender: Sender, *, brand_id: UUID, grants: Sequence[Grant], now: datetime) -> None:
    """``post`` from the brand's issuer for many causes at once, by two statements whatever their number.

    A cause that was there makes the database refuse all of them; the caller then posts one by one.
    """
    issuer = issuer_id(brand_id)
    sides = [(grant.account_id, issuer, grant.cause, grant.points) for grant in grants]
    sides += [(issuer, grant.account_id, grant.cause, -grant.points) for grant in grants]
    rows = [
        {
            "account_id": account_id,
            "id": new_id(now),
            "counter_account_id": counter_id,
            "cause": cause,
            "points": points,
            "occurred_at": now,
        }
        for account_id, counter_id, cause, points in sides
    ]
    insert_many(sender, Entry, rows)
    gains: dict[UUID, int] = {}
    for grant in grants:
        if grant.points <= 0:
            raise ValueError("a grant gives points")
        gains[grant.account_id] = gains.get(grant.account_id, 0) + grant.points
    row = f"({', '.join(['?'] * 5)})"
    # In the order of their ids: two groups that meet over the same accounts never wait for each other in a circle.
    values = [value for id_ in sorted(gains) for value in (id_, brand_id, gains[id_], now, now)]
    text = (
        f"INSERT INTO accounts (id, brand_id, balance, created_at, changed_at) VALUES {', '.join([row] * len(gains))} "
        "ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance, changed_at = excluded.changed_at"
    )
    send(sender, text, values)


def balance(session: Session, *, account_id: UUID) -> int:
    """The points that a person's account holds; 0 where there is none. System accounts have no stored balance."""
    return session.scalar(select(Account.balance).where(Account.id == account_id)) or 0


def total(session: Session, *, account_id: UUID) -> int:
    """The sum of an account's entries, also for a system account: reads them all."""
    return int(session.scalar(select(func.sum(Entry.points)).where(Entry.account_id == account_id)) or 0)


def entries(session: Session, *, account_id: UUID, limit: int, before: UUID | None = None) -> list[EntryFacts]:
    """The newest lines of an account, from before the entry ``before``."""
    query = (
        select(Entry.id, Entry.counter_account_id, Entry.cause, Entry.points, Entry.occurred_at)
        .where(Entry.account_id == account_id)
        .order_by(Entry.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Entry.id < before)
    return [EntryFacts(*row) for row in session.execute(query)]


def reassign(session: Session, *, from_id: UUID, to_id: UUID, brand_id: UUID, cause: str, now: datetime) -> int:
    """Moves all that an account holds to another (a person joined, two turned out to be one); returns the points.

    0 when there was nothing to move or this cause has moved it already.
    """
    if from_id == to_id:
        return 0
    query = select(Account.id, Account.balance).where(Account.id.in_((from_id, to_id)))
    held = {row.id: row.balance for row in session.execute(query.order_by(Account.id).with_for_update())}
    points = int(held.get(from_id, 0))
    done = session.scalar(select(Entry.id).where(Entry.account_id == to_id, Entry.cause == cause))
    if points == 0 or done is not None:
        return 0
    post(
        session,
        account_id=to_id,
        counter_account_id=from_id,
        brand_id=brand_id,
        cause=cause,
        points=points,
        now=now,
    )
    return points


def find_unbalanced(session: Session, *, limit: int = 20) -> list[UUID]:
    """Accounts whose stored balance is not the sum of their entries: always empty, unless somebody meddled."""
    summed = (
        select(Account.id)
        .outerjoin(Entry, Entry.account_id == Account.id)
        .group_by(Account.id, Account.balance)
        .having(Account.balance != func.coalesce(func.sum(Entry.points), 0))
    )
    return list(session.scalars(summed.limit(limit)))
