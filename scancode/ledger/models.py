"""The points ledger: append-only, two entries to every transfer, a balance that can never go below zero.

A person's account carries the member's id, or before joining the id of the openid that claimed. System accounts
(where points come from and where spent ones go) keep no stored balance, so that no two people wait for each other.

What a person holds is also kept as lots, one for each time that points came in, with the day on which they expire:
``balance`` = sum of the entries = sum of what is left of the lots.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from scancode.db import Base


class Account(Base):
    """``reserved`` of the balance is promised to something and cannot be spent on anything else."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("balance >= 0", name="never_negative"),
        CheckConstraint("reserved >= 0 AND reserved <= balance", name="reserved_is_there"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(index=True)
    balance: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger, default=0)
    frozen_at: Mapped[datetime | None]
    frozen_reason: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Entry(Base):
    """One side of a transfer. ``cause`` is unique within the account: the same cause never posts twice."""

    __tablename__ = "entries"
    __table_args__ = (UniqueConstraint("account_id", "cause"),)

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    counter_account_id: Mapped[UUID]
    cause: Mapped[str] = mapped_column(String(120))
    points: Mapped[int] = mapped_column(BigInteger)
    occurred_at: Mapped[datetime]
    # Why, in the words of whoever posted by hand.
    note: Mapped[str | None] = mapped_column(String(200))


_EXPIRING = text("left_points > 0 AND expires_at IS NOT NULL")


class PointsLot(Base):
    """Points that came in together. A lot that an entry made has that entry's id; what a transfer carries from one
    person's account to another's keeps its times under new ids."""

    __tablename__ = "points_lots"
    __table_args__ = (
        CheckConstraint("left_points >= 0 AND left_points <= points", name="left_is_part"),
        Index("ix_points_lots_expiring", "expires_at", sqlite_where=_EXPIRING, postgresql_where=_EXPIRING),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID]
    points: Mapped[int] = mapped_column(BigInteger)
    left_points: Mapped[int] = mapped_column(BigInteger)
    earned_at: Mapped[datetime]
    # None: never.
    expires_at: Mapped[datetime | None]
    # When its owner began to be told that it expires: once.
    reminded_at: Mapped[datetime | None]


class PointsReminder(Base):
    """That a lot is about to expire: written once for each lot, in the transaction that marks it. It stands on its
    owner's page from then on; ``state`` says what became of a message about it."""

    __tablename__ = "points_reminders"
    __table_args__ = (Index("ix_points_reminders_brand", "brand_id", "made_at"),)

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID]
    # How many were left then.
    points: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime]
    made_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(8))
    # Why no message went out, a word of ``ledger.rules``; empty while it waits and once it was sent.
    reason: Mapped[str] = mapped_column(String(20), default="")
    ended_at: Mapped[datetime | None]


_PENDING = text("state = 'pending'")


class PointsHold(Base):
    """A transfer in two steps: ``points`` above zero come in on ``due_at`` unless voided before, below zero are
    reserved until taken or released, at the latest on ``due_at``."""

    __tablename__ = "points_holds"
    __table_args__ = (
        UniqueConstraint("account_id", "cause"),
        Index("ix_points_holds_due", "due_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID]
    cause: Mapped[str] = mapped_column(String(120))
    points: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(8))
    due_at: Mapped[datetime]
    note: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class PointsProof(Base):
    """What the nightly proof of a brand's books came to."""

    __tablename__ = "points_proofs"

    brand_id: Mapped[UUID] = mapped_column(primary_key=True)
    # YYYY-MM-DD in the brand's zone.
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    made_at: Mapped[datetime]
    accounts: Mapped[int] = mapped_column(BigInteger)
    wrong_count: Mapped[int] = mapped_column(BigInteger)
    # The first of what is wrong, as JSON.
    wrong: Mapped[str] = mapped_column(Text)
