"""Scans: one row for each time a person met a package, written with its attribution before the page answers.

``code_id`` leads every key, so that one code's history is one short range wherever the rows live. Forged and unknown
codes have no code id and cost no query: they are counted per process and added to ``scan_misses`` in the background.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from scancode.channels.models import Attributed
from scancode.db import Base


class Scan(Attributed, Base):
    """Without foreign keys (docs/decisions/0024): brand, product and batch are those of a code that was verified."""

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
    brand_id: Mapped[UUID]
    product_id: Mapped[UUID]
    batch_number: Mapped[int]
    client: Mapped[str] = mapped_column(String(10))
    address_digest: Mapped[str | None] = mapped_column(String(64))
    # What was odd about it: a comma list of ``rules.Risk``.
    risk: Mapped[str | None] = mapped_column(String(40))
    is_test: Mapped[bool]
    # False: the page was sent, and no browser has shown it yet (docs/decisions/0026); it counts for nothing.
    is_confirmed: Mapped[bool] = mapped_column(default=True)


class ScanMiss(Base):
    """How many texts that are no code of ours were scanned on a day (UTC), by verdict."""

    __tablename__ = "scan_misses"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    verdict: Mapped[str] = mapped_column(String(10), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)


class Suspicion(Base):
    """A code that looked copied at least once. ``state`` is a ``rules.Standing``, ``signs`` a comma list of what spoke
    for it. Only scans after ``counted_from`` count."""

    __tablename__ = "suspicions"
    __table_args__ = (Index("ix_suspicions_state", "brand_id", "state", "found_at"),)

    code_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"))
    state: Mapped[str] = mapped_column(String(10))
    signs: Mapped[str] = mapped_column(String(40))
    visitors: Mapped[int]
    cities: Mapped[int]
    found_at: Mapped[datetime]
    counted_from: Mapped[datetime | None]


class SuspicionStep(Base):
    """What somebody decided about a suspect code, and why."""

    __tablename__ = "suspicion_steps"

    code_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    signs: Mapped[str] = mapped_column(String(40))
    comment: Mapped[str] = mapped_column(String(300))
    actor: Mapped[str] = mapped_column(String(80))
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]


class RiskTerms(Base):
    """A brand's own values of the rules; None is the installation's setting."""

    __tablename__ = "risk_terms"

    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), primary_key=True)
    suspect_visitors: Mapped[int | None]
    suspect_cities: Mapped[int | None]
    suspect_days: Mapped[int | None]
    suspect_kmh: Mapped[int | None]
    diversion_items: Mapped[int | None]
    diversion_share: Mapped[int | None]
    diversion_km: Mapped[int | None]
    diversion_days: Mapped[int | None]


class BlockRow(Base):
    """Somebody who is held off: a network or a browser (``blocklist.BlockKind``). Gone when it is over or lifted."""

    __tablename__ = "blocks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    value: Mapped[str] = mapped_column(String(50))
    reason: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
