"""Complaints, their photos, and what staff wrote about them. States are ``rules.ComplaintState``.

A complaint about a text that is no code of ours has that text instead of a code, and no brand where nothing tells one.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from scancode.db import Base
from scancode.staff.models import StaffNote


class Complaint(Base):
    __tablename__ = "complaints"
    __table_args__ = (
        Index("ix_complaints_queue", "brand_id", "state", "made_at"),
        Index("ix_complaints_visitor", "visitor_id", "made_at"),
        Index("ix_complaints_code", "code_id"),
    )

    # Follows from the browser and how many it had sent before: see ``service``.
    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID | None] = mapped_column(ForeignKey("brands.id"))
    product_id: Mapped[UUID | None] = mapped_column(ForeignKey("products.id"))
    batch_number: Mapped[int | None] = mapped_column(ForeignKey("batches.number"))
    code_id: Mapped[int | None] = mapped_column(BigInteger)
    typed: Mapped[str] = mapped_column(String(40), default="")
    verdict: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    visitor_id: Mapped[UUID]
    language: Mapped[str] = mapped_column(String(5))
    # A phone number, sealed; kept only where the person agreed to be called about this.
    contact: Mapped[str | None] = mapped_column(Text)
    contact_hint: Mapped[str] = mapped_column(String(20), default="")
    consent_version: Mapped[str | None] = mapped_column(String(40))
    answer: Mapped[str] = mapped_column(Text, default="")
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    # When its words, its photo and its contact were erased.
    erased_at: Mapped[datetime | None]


class ComplaintPhoto(Base):
    """Re-encoded: nothing of the uploaded file but its pixels."""

    __tablename__ = "complaint_photos"

    complaint_id: Mapped[UUID] = mapped_column(ForeignKey("complaints.id"), primary_key=True)
    mime: Mapped[str] = mapped_column(String(20))
    width: Mapped[int]
    height: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ComplaintNote(StaffNote):
    """For colleagues, never shown to the person."""

    __tablename__ = "complaint_notes"

    about_id: Mapped[UUID] = mapped_column("complaint_id", ForeignKey("complaints.id"), primary_key=True)
