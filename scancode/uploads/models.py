"""Uploads and their files. What an upload is for, and what came of it, are its kind's own words, kept as JSON."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from scancode.db import Base


class Upload(Base):
    """One or more files that somebody sent in together. States are ``rules.UploadState``."""

    __tablename__ = "uploads"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    # The first file's name, for lists.
    name: Mapped[str] = mapped_column(String(120))
    wish: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    rows: Mapped[int] = mapped_column(BigInteger, default=0)
    problems: Mapped[int] = mapped_column(BigInteger, default=0)
    result: Mapped[str] = mapped_column(Text, default="{}")
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    # When the folder of the upload was tidied away, its report with it.
    gone_at: Mapped[datetime | None]
    actor: Mapped[str] = mapped_column(String(80))
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))


class UploadFile(Base):
    """A file as it was sent; on the disk it is named by its place."""

    __tablename__ = "upload_files"

    upload_id: Mapped[UUID] = mapped_column(ForeignKey("uploads.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(120))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
