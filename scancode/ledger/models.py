"""The points ledger: append-only, two entries to every transfer, a balance that can never go below zero.

A person's account carries the member's id, or before joining the id of the openid that claimed. System accounts
(where points come from and where spent ones go) keep no stored balance, so that no two people wait for each other.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from scancode.db import Base


class Account(Base):
    __tablename__ = "accounts"
    __table_args__ = (CheckConstraint("balance >= 0", name="never_negative"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(index=True)
    balance: Mapped[int] = mapped_column(BigInteger)
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
