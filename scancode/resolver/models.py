"""The links of products and batches, and the files by which other platforms see that a host is ours."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from scancode.db import Base


class ProductLink(Base):
    """A target of a product's Digital Links, or of those of one batch."""

    __tablename__ = "product_links"
    __table_args__ = (Index("ix_product_links_product_id", "product_id", "batch_number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    batch_number: Mapped[int | None] = mapped_column(ForeignKey("batches.number"))
    link_type: Mapped[str] = mapped_column(String(40))
    href: Mapped[str] = mapped_column(String(1000))
    title: Mapped[str] = mapped_column(String(120))
    language: Mapped[str] = mapped_column(String(5), default="")
    media_type: Mapped[str] = mapped_column(String(40), default="")
    # At most one of a product, and one of a batch: changes take turns at the product's row.
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class SiteFile(Base):
    """A small text that a platform asks for at the root of the host, by the name that the platform gave it."""

    __tablename__ = "site_files"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    brand_id: Mapped[UUID | None] = mapped_column(ForeignKey("brands.id"))
    content: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime]
    added_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
