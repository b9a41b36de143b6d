"""Events that were sent to us: each capture as the standard's job, and which events were carried out, so that none is
carried out twice. Events that we tell have no table: they are told from what happened."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from scancode.db import Base


class EpcisCapture(Base):
    """A document that was sent. ``document`` is forgotten when it is finished; ``errors`` is JSON, one for an event."""

    __tablename__ = "epcis_captures"
    __table_args__ = (Index("ix_epcis_captures_brand", "brand_id", "finished_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    actor: Mapped[str] = mapped_column(String(80))
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    behaviour: Mapped[str] = mapped_column(String(8))
    document: Mapped[str] = mapped_column(Text)
    event_count: Mapped[int]
    applied: Mapped[int] = mapped_column(default=0)
    repeated: Mapped[int] = mapped_column(default=0)
    errors: Mapped[str] = mapped_column(Text, default="[]")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    is_success: Mapped[bool | None]


class EpcisEvent(Base):
    """An event that was carried out. ``event_key`` is the hash of its eventID, ``digest`` that of its content."""

    __tablename__ = "epcis_events"

    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), primary_key=True)
    event_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    capture_id: Mapped[UUID] = mapped_column(ForeignKey("epcis_captures.id"), index=True)
    event_at: Mapped[datetime]
