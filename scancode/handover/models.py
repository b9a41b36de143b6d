"""What leaves the house: print houses, packs sealed for them, links and downloads, press kits, and what is late."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from scancode.db import Base
from scancode.handover.rules import AlertKind as AlertKind
from scancode.handover.rules import KitState as KitState
from scancode.handover.rules import PackForm as PackForm
from scancode.handover.rules import SealState as SealState


class PrintHouse(Base):
    """Somebody who prints for a brand. ``contact`` is sealed; ``recipient`` is an age public key, or empty."""

    __tablename__ = "print_houses"
    __table_args__ = (UniqueConstraint("brand_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    name: Mapped[str] = mapped_column(String(80))
    contact: Mapped[str] = mapped_column(Text)
    recipient: Mapped[str] = mapped_column(String(120))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class SealedPack(Base):
    """A batch's pack encrypted for one print house. ``password`` is sealed, and forgotten once the file is made."""

    __tablename__ = "sealed_packs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"), index=True)
    house_id: Mapped[UUID] = mapped_column(ForeignKey("print_houses.id"))
    form: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(12))
    file_name: Mapped[str] = mapped_column(String(120))
    recipient: Mapped[str] = mapped_column(String(120))
    password: Mapped[str | None] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    asked_at: Mapped[datetime]
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    ready_at: Mapped[datetime | None]
    leaves_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]


class PackLink(Base):
    """An address under which a sealed pack is fetched without an account, with a passcode, for a while."""

    __tablename__ = "pack_links"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sealed_id: Mapped[UUID] = mapped_column(ForeignKey("sealed_packs.id"), index=True)
    for_whom: Mapped[str] = mapped_column(String(80))
    passcode_mac: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    expires_at: Mapped[datetime]
    downloads: Mapped[int] = mapped_column(default=0)
    downloads_max: Mapped[int]
    # Tries since the last lock, and all of them: the first makes it wait, the second closes it for good.
    failures: Mapped[int] = mapped_column(default=0)
    failures_total: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Download(Base):
    """One client's fetching of a file, however many requests it took. ``address`` is sealed, and forgotten later."""

    __tablename__ = "downloads"
    __table_args__ = (UniqueConstraint("permit", "round"), Index("ix_downloads_batch", "batch_number", "started_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"))
    sealed_id: Mapped[UUID | None] = mapped_column(ForeignKey("sealed_packs.id"))
    link_id: Mapped[UUID | None] = mapped_column(ForeignKey("pack_links.id"), index=True)
    # Who: the session of a link after its passcode, or a member of staff or a machine.
    permit: Mapped[str] = mapped_column(String(80))
    round: Mapped[int]
    actor: Mapped[str] = mapped_column(String(80))
    file_name: Mapped[str] = mapped_column(String(120))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sent_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    requests: Mapped[int] = mapped_column(default=1)
    address: Mapped[str | None] = mapped_column(Text)
    agent: Mapped[str] = mapped_column(String(120))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class PressKit(Base):
    """Lets a print house make a range of a batch without a network: asked for by one person, approved by another."""

    __tablename__ = "press_kits"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"), index=True)
    house_id: Mapped[UUID] = mapped_column(ForeignKey("print_houses.id"))
    recipient: Mapped[str] = mapped_column(String(120))
    first: Mapped[int]
    last: Mapped[int]
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    asked_at: Mapped[datetime]
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    reason: Mapped[str] = mapped_column(String(300), default="")


class Alert(Base):
    """Something about a batch that a person should look at: once per kind and batch."""

    __tablename__ = "alerts"
    __table_args__ = (UniqueConstraint("batch_number", "kind"), Index("ix_alerts_open", "over_at", "raised_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"))
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    kind: Mapped[str] = mapped_column(String(20))
    raised_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    note: Mapped[str] = mapped_column(String(200), default="")
    over_at: Mapped[datetime | None]
