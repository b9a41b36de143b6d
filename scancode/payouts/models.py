"""Money on its way. A payout is one attempt to pay one code's reward; its number is fixed before the first call.

created -> sending -> (unknown) -> awaiting_user -> paid | failed | cancelling -> cancelled | expired. Only a query
moves a payout out of ``unknown``. Every change of state is also an event that is never changed.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from scancode.db import Base
from scancode.payouts.rules import PayoutState as PayoutState

_OPEN = text("state IN ('asked', 'granted')")


class Payout(Base):
    __tablename__ = "payouts"
    __table_args__ = (
        CheckConstraint("amount_fen BETWEEN 10 AND 20000", name="amount_allowed"),
        Index("ix_payouts_state", "brand_id", "state"),
        Index("ix_payouts_identity", "identity_id"),
    )

    code_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    out_bill_no: Mapped[str] = mapped_column(String(32))
    cause: Mapped[str] = mapped_column(String(60))
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    # None only for a payment that the book lost in a restore and that belongs to no campaign it still knows.
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaigns.id"))
    # Whose openid is paid; None until the person has shown one.
    identity_id: Mapped[UUID | None]
    amount_fen: Mapped[int]
    state: Mapped[str] = mapped_column(String(14))
    # The exact order, sealed, kept before the first call: a repeat sends the same bytes.
    order: Mapped[str | None] = mapped_column(String(2000))
    provider_bill_no: Mapped[str | None] = mapped_column(String(64))
    package: Mapped[str | None] = mapped_column(String(500))
    fail_reason: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class PayoutNumber(Base):
    """Finds a payout by its number and keeps the number unique everywhere."""

    __tablename__ = "payout_numbers"

    out_bill_no: Mapped[str] = mapped_column(String(32), primary_key=True)
    code_id: Mapped[int] = mapped_column(BigInteger)
    attempt: Mapped[int]


class PayoutEvent(Base):
    __tablename__ = "payout_events"

    code_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int]
    state: Mapped[str] = mapped_column(String(14))
    note: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


class PayoutNotice(Base):
    """A call of the provider's that has been dealt with: the same one, however often it comes, does nothing more."""

    __tablename__ = "payout_notices"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    out_bill_no: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime]


class MerchantBalance(Base):
    """What the provider last said of the account that pays. ``error`` is why it could not be asked the last time."""

    __tablename__ = "merchant_balances"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    available_fen: Mapped[int | None] = mapped_column(BigInteger)
    pending_fen: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(60))
    asked_at: Mapped[datetime]


class Comparison(Base):
    """One comparison of the books, with its differences to the fen as JSON: evidence, never changed."""

    __tablename__ = "comparisons"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    actor: Mapped[str] = mapped_column(String(60))
    since: Mapped[datetime]
    at: Mapped[datetime]
    facts: Mapped[str] = mapped_column(Text)
    differences: Mapped[str] = mapped_column(Text)


class Authorisation(Base):
    """What one person was asked to grant: money without a confirmation each time. One is open at a time."""

    __tablename__ = "authorisations"
    __table_args__ = (
        Index("ix_authorisations_open", "identity_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    identity_id: Mapped[UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[str] = mapped_column(String(32))
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    state: Mapped[str] = mapped_column(String(8))
    # The exact request with the openid in it, sealed, kept before the first call and until the end.
    order: Mapped[str | None] = mapped_column(String(2000))
    provider_id: Mapped[str | None] = mapped_column(String(64))
    package: Mapped[str | None] = mapped_column(String(500))
    reason: Mapped[str | None] = mapped_column(String(80))
    asked_at: Mapped[datetime]
    granted_at: Mapped[datetime | None]
    # When its person wished it to end; no payment names it from then on.
    closing_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class AuthorisationNumber(Base):
    """Finds an authorisation by its number and keeps the number unique everywhere."""

    __tablename__ = "authorisation_numbers"

    number: Mapped[str] = mapped_column(String(32), primary_key=True)
    identity_id: Mapped[UUID]
    attempt: Mapped[int]
