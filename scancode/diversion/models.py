"""Territories of channels and stores, and cases of diversion with their scans and notes.

A place without a territory of its own has that of its channel; where neither has one, nothing is outside.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from scancode.db import Base
from scancode.staff.models import StaffNote


class Territory(Base):
    """One province or city (``channels.regions``) in which a channel, or one of its stores, may sell."""

    __tablename__ = "territories"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id"), index=True)
    store_id: Mapped[UUID | None] = mapped_column(ForeignKey("stores.id"))
    region: Mapped[int]


class DiversionCase(Base):
    """Items of one shipment that were scanned in one province outside. States are ``rules.CaseState``."""

    __tablename__ = "diversion_cases"
    __table_args__ = (Index("ix_diversion_cases_queue", "brand_id", "state", "opened_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    shipment_id: Mapped[UUID] = mapped_column(ForeignKey("shipments.id"), index=True)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id"))
    store_id: Mapped[UUID | None] = mapped_column(ForeignKey("stores.id"))
    region: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))
    # What was found when it was looked at last: items outside, of how many scanned, and the most of one case.
    items: Mapped[int]
    scanned: Mapped[int]
    of_case: Mapped[int]
    kilometres: Mapped[int | None]
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    latest_at: Mapped[datetime]
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))


class DiversionScan(Base):
    """A scan that a case rests on."""

    __tablename__ = "diversion_scans"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("diversion_cases.id"), primary_key=True)
    scan_id: Mapped[UUID] = mapped_column(primary_key=True)
    code_id: Mapped[int] = mapped_column(BigInteger)
    region: Mapped[int]
    scanned_at: Mapped[datetime]


class DiversionNote(StaffNote):
    """What was done about a case."""

    __tablename__ = "diversion_notes"

    about_id: Mapped[UUID] = mapped_column("case_id", ForeignKey("diversion_cases.id"), primary_key=True)
