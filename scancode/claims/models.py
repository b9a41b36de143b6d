"""Claims: the once-per-code act. The row's primary key is the code itself, so there is never a second one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from scancode.channels.models import Attributed
from scancode.claims.rules import ClaimState as ClaimState
from scancode.db import Base


class Claim(Attributed, Base):
    __tablename__ = "claims"
    __table_args__ = (
        Index("ix_claims_day", "brand_id", "day"),
        Index("ix_claims_subject", "subject_id"),
        Index("ix_claims_account", "account_id"),
        Index("ix_claims_visitor", "visitor_id"),
        Index("ix_claims_campaign", "campaign_id", "claimed_at"),
    )

    code_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(12))
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"))
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaigns.id"))
    prize_id: Mapped[UUID | None] = mapped_column(ForeignKey("prizes.id"))
    prize_kind: Mapped[str] = mapped_column(String(12))
    amount: Mapped[int] = mapped_column(BigInteger)
    visitor_id: Mapped[UUID | None]
    # The identity (openid, else phone) that it belongs to; None while a visitor holds it.
    subject_id: Mapped[UUID | None]
    # The ledger account: the member's id, or the identity's while it belongs to no member.
    account_id: Mapped[UUID | None]
    day: Mapped[str] = mapped_column(String(10))
    reserved_until: Mapped[datetime | None]
    claimed_at: Mapped[datetime]
    is_test: Mapped[bool]
    # Of a second prize: the how manieth code of its person earned it. Its ``code_id`` is ``rules.second_id``.
    nth: Mapped[int | None]
    # How manieth turn of the wheel it shows; None for the first.
    turn: Mapped[int | None]


class TrialClaim(Base):
    """What a code showed a tester of a campaign that has not begun: nothing is given, and the code keeps its reward.

    It names its prize, since a draft's prizes come and go; no foreign keys, for the same reason.
    """

    __tablename__ = "trial_claims"
    __table_args__ = (
        Index("ix_trial_claims_campaign", "campaign_id", "claimed_at"),
        Index("ix_trial_claims_person", "person_id"),
    )

    code_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    campaign_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID]
    product_id: Mapped[UUID]
    prize_kind: Mapped[str] = mapped_column(String(12))
    amount: Mapped[int] = mapped_column(BigInteger)
    name_zh: Mapped[str] = mapped_column(String(60))
    name_en: Mapped[str] = mapped_column(String(60))
    claimed_at: Mapped[datetime]


class PersonCount(Base):
    """How many codes of a campaign that limits it a person has claimed: in a day, and in all (``period`` empty).

    The row whose period is ``nth`` says that they had their second prize: there is one for a person and campaign.
    """

    __tablename__ = "person_counts"

    # The ledger account, or the browser while nobody is known.
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    period: Mapped[str] = mapped_column(String(10), primary_key=True)
    claims_count: Mapped[int]


class HeldClaim(Base):
    """A claim that staff look at before it is paid, why, and what became of it. Open while ``decided_at`` is None.

    Beside a claim that is merely reserved it says what was found when it was made: it is held when somebody binds it.
    """

    __tablename__ = "held_claims"
    __table_args__ = (
        Index("ix_held_claims_open", "brand_id", "decided_at", "held_at"),
        Index("ix_held_claims_due", "decided_at", "due_at"),
    )

    code_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    brand_id: Mapped[UUID]
    held_at: Mapped[datetime]
    # From then on the published rule decides: it is paid.
    due_at: Mapped[datetime]
    # How manieth code of its person on that day it was; 0 where that is not counted.
    nth_today: Mapped[int]
    # See ``risk.to_texts``; 0 and empty where the campaign's rule about codes a day held it.
    score: Mapped[int]
    reasons: Mapped[str] = mapped_column(String(200))
    facts: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime | None]
    # None where the rule decided.
    decided_by: Mapped[UUID | None]
    # Who had refused it before it was looked at once more.
    refused_by: Mapped[UUID | None]
    # What a refused person reads.
    reason: Mapped[str] = mapped_column(String(200))


class HeldStep(Base):
    """What was done about a held claim, by whom, and a note for colleagues that nobody else reads."""

    __tablename__ = "held_steps"

    code_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    verb: Mapped[str] = mapped_column(String(10))
    note: Mapped[str] = mapped_column(String(300))
    actor: Mapped[str] = mapped_column(String(80))
    staff_id: Mapped[UUID | None]
    at: Mapped[datetime]


class Crossing(Base):
    """A browser's reservations on their way into WeChat: by a link and a number, for minutes, to one person.

    The link alone is worth nothing, so that it may be copied through chats; only a keyed digest of the number is kept.
    """

    __tablename__ = "crossings"
    __table_args__ = (Index("ix_crossings_visitor", "visitor_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    visitor_id: Mapped[UUID]
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    digest: Mapped[str] = mapped_column(String(64))
    tries_left: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    crossed_at: Mapped[datetime | None]
    # The openid's identity that came with the right number.
    identity_id: Mapped[UUID | None]
