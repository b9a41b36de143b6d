"""Orders of codes and their life. A batch is one row; what is live, void or recalled are ranges of its serials.

There is no row for a code. Ranges of one batch never overlap; a serial in no range is inactive.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from scancode.codes.rules import BatchState as BatchState
from scancode.codes.rules import Life as Life
from scancode.db import Base


class Batch(Base):
    __tablename__ = "batches"
    __table_args__ = (CheckConstraint("count BETWEEN 1 AND 33554432", name="count_fits"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"), index=True)
    order_no: Mapped[str] = mapped_column(String(60), unique=True)
    kid: Mapped[str] = mapped_column(String(40))
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))
    kinds: Mapped[str] = mapped_column(String(40))
    count: Mapped[int]
    base_url: Mapped[str] = mapped_column(String(120))
    lot: Mapped[str] = mapped_column(String(20), default="")
    note: Mapped[str] = mapped_column(String(200), default="")
    formats: Mapped[str] = mapped_column(String(60))
    is_test: Mapped[bool]
    state: Mapped[str] = mapped_column(String(12))
    manifest: Mapped[str | None] = mapped_column(Text)
    ordered_at: Mapped[datetime]
    ordered_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    ready_at: Mapped[datetime | None]
    # Counts changes of life; updating it first makes two changes of one batch take turns.
    life_changes: Mapped[int] = mapped_column(default=0)


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
    reason: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime]
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))


class PackFile(Base):
    """A finished file of a batch's pack, as its manifest lists it."""

    __tablename__ = "pack_files"

    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"), primary_key=True)
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    rows: Mapped[int]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
