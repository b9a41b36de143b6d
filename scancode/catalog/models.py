"""What is sold: brands, their products, the words and pictures of a product's page, and the revision of it all."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from scancode.db import Base


class Revision(Base):
    """One row whose number grows with every change to a reference table; processes watch it to drop their caches."""

    __tablename__ = "revision"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]


class Brand(Base):
    __tablename__ = "brands"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    timezone: Mapped[str] = mapped_column(String(40))
    colour: Mapped[str] = mapped_column(String(7))
    # The look of the consumer pages (``looks``): the colour of rewards, a font by its name, the logo's hash.
    accent: Mapped[str] = mapped_column(String(7), default="")
    font: Mapped[str] = mapped_column(String(8), default="")
    logo_sha256: Mapped[str] = mapped_column(String(64), default="")
    company_zh: Mapped[str] = mapped_column(String(120))
    company_en: Mapped[str] = mapped_column(String(120))
    support_phone: Mapped[str] = mapped_column(String(40))
    support_url: Mapped[str] = mapped_column(String(200))
    privacy_zh: Mapped[str] = mapped_column(Text)
    privacy_en: Mapped[str] = mapped_column(Text)
    privacy_version: Mapped[str] = mapped_column(String(20))
    # GS1 company prefix, for the SSCCs of cases and pallets, and how many of them were taken.
    company_prefix: Mapped[str] = mapped_column(String(12), default="")
    sscc_next: Mapped[int] = mapped_column(BigInteger, default=0)
    # Days for which a touch explains later scans; None is what the installation says.
    touch_days: Mapped[int | None]
    # How long points are good for (see ledger.rules.PointsTerm), and how many days before people are told.
    points_term: Mapped[str] = mapped_column(String(8), default="never")
    points_count: Mapped[int] = mapped_column(default=0)
    points_remind_days: Mapped[int] = mapped_column(default=30)
    # The message template of the official account with which people are told (letters.Template); empty: none.
    points_template: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime]


class Product(Base):
    __tablename__ = "products"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    gtin: Mapped[str] = mapped_column(String(14), unique=True)
    name_zh: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(120))
    spec_zh: Mapped[str] = mapped_column(String(120), default="")
    spec_en: Mapped[str] = mapped_column(String(120), default="")
    story_zh: Mapped[str] = mapped_column(Text, default="")
    story_en: Mapped[str] = mapped_column(Text, default="")
    is_archived: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Picture(Base):
    """A picture of a product's page, re-encoded on upload (no metadata of the camera is kept)."""

    __tablename__ = "pictures"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"), index=True)
    position: Mapped[int]
    alt_zh: Mapped[str] = mapped_column(String(200))
    alt_en: Mapped[str] = mapped_column(String(200))
    mime: Mapped[str] = mapped_column(String(20))
    width: Mapped[int]
    height: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class Logo(Base):
    """A brand's logo, re-encoded on upload; apart from the brand, which is read all the time."""

    __tablename__ = "logos"

    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), primary_key=True)
    mime: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
