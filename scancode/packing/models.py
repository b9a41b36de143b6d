"""What lies in what. Runs are rows of ranges; only what a person packed singly has a row of its own.

A unit is in at most one parent: it stands in one range, or in one row of ``packed_codes``, or nowhere. Whoever changes
that locks the batches of all units concerned first, in the order of their numbers.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from scancode.db import Base


class PackedRange(Base):
    """A ``rules.Run``: children of a level that fill parents one after the other."""

    __tablename__ = "packed_ranges"
    __table_args__ = (
        CheckConstraint("first <= last AND size > 0", name="in_order"),
        Index("ix_packed_ranges_parent", "parent_batch", "parent_level", "parent_first"),
    )

    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"), primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]
    parent_batch: Mapped[int] = mapped_column(ForeignKey("batches.number"))
    parent_level: Mapped[int]
    parent_first: Mapped[int]
    parent_last: Mapped[int]
    size: Mapped[int]
    offset: Mapped[int]
    import_id: Mapped[UUID | None] = mapped_column(ForeignKey("uploads.id"), index=True)
    packed_at: Mapped[datetime]


class PackedCode(Base):
    """A unit that a person packed singly. Both ids are unit ids."""

    __tablename__ = "packed_codes"

    code_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    parent_id: Mapped[int] = mapped_column(BigInteger, index=True)
    packed_at: Mapped[datetime]
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))


class Container(Base):
    """A case or a pallet that somebody packs by hand: how many belong into it, and whether it is closed."""

    __tablename__ = "containers"

    code_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    capacity: Mapped[int | None]
    is_closed: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))


class PackingEvent(Base):
    """What was packed or unpacked, kept for ever; the columns of a run. ``parent_id`` is the first parent's."""

    __tablename__ = "packing_events"
    __table_args__ = (
        Index("ix_packing_events_at", "brand_id", "at"),
        Index("ix_packing_events_children", "batch_number", "level", "first"),
    )

    parent_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    action: Mapped[str] = mapped_column(String(8))
    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"))
    level: Mapped[int]
    first: Mapped[int]
    last: Mapped[int]
    parent_last: Mapped[int]
    size: Mapped[int]
    offset: Mapped[int]
    at: Mapped[datetime]
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    import_id: Mapped[UUID | None] = mapped_column(ForeignKey("uploads.id"))
