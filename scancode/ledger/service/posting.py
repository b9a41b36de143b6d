"""Moving points between accounts: two entries to every transfer, once per cause, and no balance below zero.

A brand's system accounts (where its points come from, where spent ones go) have entries and no stored balance: a
million people are given points without one row that all of them wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from sqlalchemy import BigInteger, bindparam, select, update
from sqlalchemy.orm import Session

from scancode.db import Sender, insert_many, insert_once, new_id, send
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.ledger.models import Account, Entry, PointsLot
from scancode.ledger.service import lots

NAMESPACE = UUID("6f1a3c0e-2f0b-5d6e-9b58-3a4b1f5c7d20")
"""System accounts are named within it; fixed for ever, since their ids stand in every entry."""


_CHANGE = (
    update(Account)
    .where(
        Account.id == bindparam("account"),
        Account.brand_id == bindparam("brand"),
        Account.balance + bindparam("change", type_=BigInteger) >= Account.reserved,
    )
    .values(balance=Account.balance + bindparam("change", type_=BigInteger), changed_at=bindparam("at"))
)
_CHANGE_UNLESS_FROZEN = _CHANGE.where(Account.frozen_at.is_(None))


class Overdrawn(Refusal):
    """Facts: ``needed``, ``balance`` (what is there and not reserved)."""

    code = "overdrawn"
    text = N_("There are not enough points: {needed} are needed and {balance} are there.")


class Frozen(Refusal):
    """Facts: ``reason``."""

    code = "points_frozen"
    text = N_("These points are frozen: {reason}")


class CauseReused(Exception):
    """The same cause was posted before with another amount or another account: a mistake in the caller."""


class _Change(NamedTuple):
    account_id: UUID
    brand_id: UUID
    points: int
    now: datetime
    even_frozen: bool


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
    expires_at: datetime | None = None,
    note: str | None = None,
    first_lot: UUID | None = None,
    even_frozen: bool = False,
) -> bool:
    """Moves ``points`` from the counter account to the account (the other way when negative), once per cause.

    What comes from the brand is good until ``expires_at``; what comes from a person keeps its times. What goes out is
    what expires first, or before that the lot ``first_lot``. False when this account has the cause already. Raises
    Overdrawn or Frozen and changes nothing when the paying account may not pay; CauseReused when the cause is there
    with other figures.
    """
    if points == 0 or account_id == counter_account_id:
        raise ValueError("a transfer moves points between two accounts")
    systems = {issuer_id(brand_id), sink_id(brand_id)}
    changes = {account_id: points, counter_account_id: -points}
    stored = [
        _Change(id_, brand_id, change, now, even_frozen)
        for id_, change in sorted(changes.items())  # in this order two transfers never wait for each other
        if id_ not in systems
    ]
    # Only a stored account that pays can refuse, and then the entries have to go, even if the caller carries on.
    with session.begin_nested() if any(change.points < 0 for change in stored) else nullcontext():
        ids = {id_: new_id(now) for id_ in changes}
        shared = {"cause": cause, "occurred_at": now, "note": note}
        sides = [(account_id, counter_account_id, points), (counter_account_id, account_id, -points)]
        for id_, other, change in sides:
            row = {"account_id": id_, "id": ids[id_], "counter_account_id": other, "points": change, **shared}
            if insert_once(session, Entry, **row):
                continue
            if id_ != account_id:
                raise CauseReused(cause)
            _check_same(session, account_id, counter_account_id, cause, points)
            return False
        for one in stored:
            _change_balance(session, one)
        pieces = [lots.Piece(abs(points), now, expires_at, None)]
        for one in stored:
            if one.points < 0:
                pieces = lots.take(session, account_id=one.account_id, points=-one.points, first=first_lot)
        for one in stored:
            if one.points > 0:
                first_id = ids[one.account_id]
                lots.give(session, account_id=one.account_id, brand_id=brand_id, pieces=pieces, id_=first_id, now=now)
    return True


def _check_same(session: Session, account_id: UUID, counter_id: UUID, cause: str, points: int) -> None:
    there = session.execute(
        select(Entry.points, Entry.counter_account_id).where(Entry.account_id == account_id, Entry.cause == cause)
    ).one()
    if (there.points, there.counter_account_id) != (points, counter_id):
        raise CauseReused(cause)


def _change_balance(session: Session, change: _Change) -> None:
    values = {"account": change.account_id, "brand": change.brand_id, "change": change.points, "at": change.now}
    statement = _CHANGE if change.points > 0 or change.even_frozen else _CHANGE_UNLESS_FROZEN

    def changed() -> bool:
        return session.connection().execute(statement, values).rowcount == 1

    if changed():
        return
    made = open_account(
        session,
        account_id=change.account_id,
        brand_id=change.brand_id,
        now=change.now,
        balance=max(change.points, 0),
    )
    if made and change.points >= 0:
        return
    if not made and changed():  # somebody else opened the account at the same moment
        return
    query = select(Account.balance, Account.reserved, Account.brand_id, Account.frozen_at, Account.frozen_reason)
    row = session.execute(query.where(Account.id == change.account_id)).one()
    if row.brand_id != change.brand_id:
        raise ValueError("an account of another brand")
    if row.frozen_at is not None and not change.even_frozen:
        raise Frozen(reason=row.frozen_reason)
    raise Overdrawn(needed=-change.points, balance=row.balance - row.reserved)


def open_account(session: Session, *, account_id: UUID, brand_id: UUID, now: datetime, balance: int = 0) -> bool:
    """Makes the row of a person's account. False when it is there."""
    return insert_once(
        session,
        Account,
        id=account_id,
        brand_id=brand_id,
        balance=balance,
        reserved=0,
        created_at=now,
        changed_at=now,
    )


@dataclass(frozen=True)
class Grant:
    """Points that a brand gives to an account, for a cause that nothing was posted for before."""

    account_id: UUID
    cause: str
    points: int
    expires_at: datetime | None = None


def grant_many(sender: Sender, *, brand_id: UUID, grants: Sequence[Grant], now: datetime) -> None:
    """``post`` from the brand's issuer for many causes at once, by three statements whatever their number.

    A cause that was there makes the database refuse all of them; the caller then posts one by one.
    """
    if any(grant.points <= 0 for grant in grants):
        raise ValueError("a grant gives points")
    issuer = issuer_id(brand_id)
    ids = [new_id(now) for _ in grants]
    sides = [(id_, grant.account_id, issuer, grant.cause, grant.points) for id_, grant in zip(ids, grants, strict=True)]
    sides += [(new_id(now), issuer, grant.account_id, grant.cause, -grant.points) for grant in grants]
    rows = [
        {
            "account_id": account_id,
            "id": id_,
            "counter_account_id": counter_id,
            "cause": cause,
            "points": points,
            "occurred_at": now,
        }
        for id_, account_id, counter_id, cause, points in sides
    ]
    insert_many(sender, Entry, rows)
    made = [
        lots.row(grant.account_id, id_, brand_id, lots.Piece(grant.points, now, grant.expires_at, None))
        for id_, grant in zip(ids, grants, strict=True)
    ]
    insert_many(sender, PointsLot, made)
    gains: dict[UUID, int] = {}
    for grant in grants:
        gains[grant.account_id] = gains.get(grant.account_id, 0) + grant.points
    place = f"({', '.join(['?'] * 6)})"
    # In the order of their ids: two groups that meet over the same accounts never wait for each other in a circle.
    values = [value for id_ in sorted(gains) for value in (id_, brand_id, gains[id_], 0, now, now)]
    text = (
        "INSERT INTO accounts (id, brand_id, balance, reserved, created_at, changed_at) "
        f"VALUES {', '.join([place] * len(gains))} "
        "ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance, changed_at = excluded.changed_at"
    )
    send(sender, text, values)
