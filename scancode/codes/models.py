"""Orders of codes and their life. A batch is one row; what is live, void or recalled are ranges of its serials.

There is no row for a code. Ranges of one batch never overlap; a serial in no range is inactive.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from scancode.codes.rules import BatchState as BatchState
from scancode.codes.rules import Life as Life
from scancode.db import Base


class Batch(Base):
    __tablename__ = "batches"
    __table_args__ = (
        CheckConstraint("count BETWEEN 1 AND 33554432", name="count_fits"),
        UniqueConstraint("brand_id", "order_no", "part"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"), index=True)
    order_no: Mapped[str] = mapped_column(String(60))
    # An order above a batch's size is several batches: this is ``part`` (from 1) of ``parts``.
    part: Mapped[int] = mapped_column(default=1)
    parts: Mapped[int] = mapped_column(default=1)
    kid: Mapped[str] = mapped_column(String(40))
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))
    kinds: Mapped[str] = mapped_column(String(40))
    count: Mapped[int]
    base_url: Mapped[str] = mapped_column(String(120))
    # Symbols say GS1 Digital Links, with the product's GTIN.
    digital_link: Mapped[bool] = mapped_column(default=False)
    # Cases and pallets: the brand's company prefix when it was ordered, and the first number taken for it.
    sscc_prefix: Mapped[str] = mapped_column(String(12), default="")
    sscc_first: Mapped[int] = mapped_column(BigInteger, default=0)
    lot: Mapped[str] = mapped_column(String(20), default="")
    note: Mapped[str] = mapped_column(String(200), default="")
    formats: Mapped[str] = mapped_column(String(60))
    # How files are written and labels drawn: ``batches.ticket.Ticket`` as JSON.
    ticket: Mapped[str] = mapped_column(Text, default="{}")
    is_test: Mapped[bool]
    state: Mapped[str] = mapped_column(String(12))
    manifest: Mapped[str | None] = mapped_column(Text)
    ordered_at: Mapped[datetime]
    ordered_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    ready_at: Mapped[datetime | None]
    # The batch whose spoiled pack this one stands in for.
    replaces: Mapped[int | None] = mapped_column(ForeignKey("batches.number"))
    # Made by a press kit on somebody's computer, never by the worker.
    is_offline: Mapped[bool] = mapped_column(default=False)
    # When the plain files were taken off the disk, and why: "sealed" or "expired".
    pack_gone_at: Mapped[datetime | None]
    pack_gone_why: Mapped[str] = mapped_column(String(8), default="")
    # Counts changes of life; updating it first makes two changes of one batch take turns.
    life_changes: Mapped[int] = mapped_column(default=0)


class LabelLayout(Base):
    """A layout of labels that a brand has saved. An order copies it: changing it later changes nothing ordered."""

    __tablename__ = "label_layouts"
    __table_args__ = (UniqueConstraint("brand_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    name: Mapped[str] = mapped_column(String(60))
    # ``batches.layouts.Layout`` as JSON, lengths in millimetres.
    layout: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]


class LifeRange(Base):
    """Serials ``first`` to ``last`` (both included) of a batch that share a state."""

    __tablename__ = "life_ranges"
    __table_args__ = (CheckConstraint("first <= last", name="in_order"),)

    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"), primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(20), default="")
    message_zh: Mapped[str] = mapped_column(String(300), default="")
    message_en: Mapped[str] = mapped_column(String(300), default="")
    # What ``restore`` returns it to; see ``rules.LifeFacts``.
    prior: Mapped[str] = mapped_column(String(40), default="")
    changed_at: Mapped[datetime]


class LifeEvent(Base):
    """What was done to a range, kept for ever: the history of a code is the events that cover its serial."""

    __tablename__ = "life_events"
    __table_args__ = (Index("ix_life_events_batch", "batch_number", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"))
    first: Mapped[int]
    last: Mapped[int]
    state: Mapped[str] = mapped_column(String(12))
    was: Mapped[str] = mapped_column(String(12), default="")
    reason: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime]
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))


class LifeOrder(Base):
    """A change of life that is to happen at a set time, or happened at once over more than one batch.

    ``what`` is the change and ``target`` what it is for, both as JSON; see ``rules.change_of`` and ``targets``.
    """

    __tablename__ = "life_orders"
    __table_args__ = (Index("ix_life_orders_due", "state", "run_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    verb: Mapped[str] = mapped_column(String(12))
    what: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(10))
    run_at: Mapped[datetime]
    ordered_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    count: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(String(500), default="")
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))


class PackFile(Base):
    """A finished file of a batch's pack, as its manifest lists it."""

    __tablename__ = "pack_files"

    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"), primary_key=True)
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    rows: Mapped[int]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))


class PackCheck(Base):
    """What the last check of a batch's files on the disk found."""

    __tablename__ = "pack_checks"

    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"), primary_key=True)
    checked_at: Mapped[datetime]
    is_good: Mapped[bool]
    rows: Mapped[int] = mapped_column(BigInteger)
    codes_verified: Mapped[int] = mapped_column(BigInteger)
    findings: Mapped[str] = mapped_column(Text)


class OrderApproval(Base):
    """A large order that waits, or waited, for a second person."""

    __tablename__ = "order_approvals"

    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"), primary_key=True)
    limit_count: Mapped[int]
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    is_approved: Mapped[bool | None]
    reason: Mapped[str] = mapped_column(String(300), default="")


class BrandTerms(Base):
    """What a brand wants otherwise than the installation's settings say; None is the setting."""

    __tablename__ = "brand_terms"

    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), primary_key=True)
    order_limit: Mapped[int | None]
    pack_days: Mapped[int | None]
    download_days: Mapped[int | None]
    activate_days: Mapped[int | None]
    changed_at: Mapped[datetime]


class OfflineRange(Base):
    """Serials of an offline batch for which there is a press kit: no others may be activated, none after ``until``."""

    __tablename__ = "offline_ranges"

    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"), primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
    until: Mapped[datetime]
