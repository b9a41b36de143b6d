"""Offers. A campaign holds tranches; a tranche freezes ranges of codes with a prize table and a secret.

In exact mode nothing is counted when a prize is claimed: the table was checked against the budget at publication, and
which prize a code holds follows from the tranche's secret alone. In odds mode stock and budget are counted down.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from scancode.db import Base


class CampaignState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    PAUSED = "paused"
    ENDED = "ended"


class Mode(StrEnum):
    EXACT = "exact"
    """Every code holds its prize from publication on; the table is padded with thanks."""
    ODDS = "odds"
    """Each code turns a wheel when it is claimed; prizes have odds and a stock, the campaign a budget."""


class PrizeKind(StrEnum):
    POINTS = "points"
    RED_PACKET = "red_packet"
    AGAIN = "again"
    """One more turn of the wheel for the same code; with odds only."""
    THANKS = "thanks"


class Campaign(Base):
    __tablename__ = "campaigns"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    rules_zh: Mapped[str] = mapped_column(Text, default="")
    rules_en: Mapped[str] = mapped_column(Text, default="")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    budget_fen: Mapped[int] = mapped_column(BigInteger)
    budget_points: Mapped[int] = mapped_column(BigInteger)
    # See ``conditions``; empty for none.
    conditions: Mapped[str] = mapped_column(Text, default="")
    # More money than this within an hour trips the breaker; the hour begins at ``breaker_since`` at the earliest.
    breaker_fen: Mapped[int | None] = mapped_column(BigInteger)
    breaker_since: Mapped[datetime | None]
    tripped_at: Mapped[datetime | None]
    # Red packets of at least so much are published when they are won, by the end of the code alone; None for none.
    results_fen: Mapped[int | None] = mapped_column(BigInteger)
    # Several campaigns may reach a code where none of them is exclusive: the highest priority goes first.
    priority: Mapped[int] = mapped_column(default=0)
    is_exclusive: Mapped[bool] = mapped_column(default=True)
    # Testers stay until it begins; else publication ends the trial.
    keeps_testers: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    published_at: Mapped[datetime | None]
    # When staff ended it before its time; a campaign whose window is over is ended without this.
    ended_at: Mapped[datetime | None]


class CampaignReview(Base):
    """A second person looks before anything is published. Open while ``decided_at`` is None; ``is_approved`` stays
    None where whoever asked took it back."""

    __tablename__ = "campaign_reviews"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"), index=True)
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    is_approved: Mapped[bool | None]
    reason: Mapped[str] = mapped_column(String(300))


class RulesVersion(Base):
    """The rules as they were published, moved or ended: kept for as long as the campaign is, whatever else changes."""

    __tablename__ = "rules_versions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"), index=True)
    event: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    # A JSON text: see ``service.archiving``.
    text: Mapped[str] = mapped_column(Text)


class Tranche(Base):
    """``size`` codes share the table. ``secret`` is sealed; it exists from publication on."""

    __tablename__ = "tranches"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"), index=True)
    mode: Mapped[str] = mapped_column(String(8))
    size: Mapped[int] = mapped_column(BigInteger)
    secret: Mapped[str | None] = mapped_column(String(300))
    # Public from publication on: see ``proof``. None for pools that are older than it.
    commitment: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    # Tranches of one campaign may be published one after another, as batches arrive.
    published_at: Mapped[datetime | None]


class TrancheRange(Base):
    """Serials of a batch that belong to a tranche; ``offset`` is the index of ``first`` within the tranche."""

    __tablename__ = "tranche_ranges"
    __table_args__ = (CheckConstraint("first <= last", name="in_order"),)

    tranche_id: Mapped[UUID] = mapped_column(ForeignKey("tranches.id"), primary_key=True)
    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"), primary_key=True, index=True)
    first: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
    offset: Mapped[int] = mapped_column(BigInteger)


class CampaignTester(Base):
    """Somebody who tries a campaign out before it begins. ``person_id``: the member, else the identity."""

    __tablename__ = "campaign_testers"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    added_at: Mapped[datetime]
    # Who added them, or made the link that they opened.
    added_by: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))


class Prize(Base):
    """``amount`` is fen for a red packet, points for points, 0 for thanks; random where ``amount_most`` is above it.

    ``count`` codes hold this prize; in odds mode, that many are in stock and a code has ``chance_ppm`` to win one.
    """

    __tablename__ = "prizes"
    __table_args__ = (UniqueConstraint("tranche_id", "position"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tranche_id: Mapped[UUID] = mapped_column(ForeignKey("tranches.id"), index=True)
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12))
    amount: Mapped[int] = mapped_column(BigInteger)
    amount_most: Mapped[int | None] = mapped_column(BigInteger)
    chance_ppm: Mapped[int | None]
    count: Mapped[int] = mapped_column(BigInteger)
    name_zh: Mapped[str] = mapped_column(String(60))
    name_en: Mapped[str] = mapped_column(String(60))


class CounterSlot(Base):
    """A part of what is left of something that runs out while people claim: see ``service.counters``."""

    __tablename__ = "counter_slots"
    __table_args__ = (CheckConstraint("left_count >= 0", name="not_overdrawn"),)

    # A prize for its stock, a campaign for its budgets and days.
    owner_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    left_count: Mapped[int] = mapped_column(BigInteger)
