"""Scans: one row for each time a person met a package, written with its attribution before the page answers.

``code_id`` leads every key, so that one code's history is one short range wherever the rows live. Forged and unknown
codes have no code id and cost no query: they are counted per process and added to ``scan_misses`` in the background.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from scancode.db import Base


class Scan(Base):
    __tablename__ = "scans"
    __table_args__ = (
        Index("ix_scans_day", "brand_id", "day", "id"),
        Index("ix_scans_visitor", "visitor_id"),
    )

    code_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    scanned_at: Mapped[datetime]
    day: Mapped[str] = mapped_column(String(10))
    verdict: Mapped[str] = mapped_column(String(8))
    visitor_id: Mapped[UUID]
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"))
    source: Mapped[str] = mapped_column(String(10))
    channel_id: Mapped[UUID | None] = mapped_column(ForeignKey("channels.id"))
    store_id: Mapped[UUID | None] = mapped_column(ForeignKey("stores.id"))
    guide_id: Mapped[UUID | None] = mapped_column(ForeignKey("guides.id"))
    touchpoint_id: Mapped[UUID | None] = mapped_column(ForeignKey("touchpoints.id"))
    client: Mapped[str] = mapped_column(String(10))
    address_digest: Mapped[str | None] = mapped_column(String(64))
    is_test: Mapped[bool]


class ScanMiss(Base):
    """How many texts that are no code of ours were scanned on a day (UTC), by verdict."""

    __tablename__ = "scan_misses"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    verdict: Mapped[str] = mapped_column(String(10), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
