"""Where items go and who serves: channels, stores, guides, the placed codes that lead to them, and shipments.

A touchpoint is anything with a QR of its own that is not an item: a store, a guide, a scene (a shelf, a parcel card,
a live room). Shipped ranges of one batch never overlap: each serial is in at most one place.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from scancode.channels.rules import Source as Source
from scancode.db import Base


class ChannelKind(StrEnum):
    DISTRIBUTOR = "distributor"
    RETAIL = "retail"
    ECOMMERCE = "ecommerce"
    LIVE = "live"
    PARTNER = "partner"
    DIRECT = "direct"


class TouchKind(StrEnum):
    STORE = "store"
    GUIDE = "guide"
    SCENE = "scene"
    LIVE = "live"
    """One printed code that leads to one of several guides, chosen anew for each visitor."""


class Channel(Base):
    __tablename__ = "channels"
    __table_args__ = (UniqueConstraint("brand_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(16))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class Store(Base):
    __tablename__ = "stores"
    __table_args__ = (UniqueConstraint("channel_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    province: Mapped[str] = mapped_column(String(40), default="")
    city: Mapped[str] = mapped_column(String(40), default="")
    address: Mapped[str] = mapped_column(String(200), default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class Guide(Base):
    __tablename__ = "guides"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    staff_no: Mapped[str] = mapped_column(String(40), default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    # Whether live codes may lead to them at all today, and when: ``rotation.read_shifts``; empty is always.
    is_on_duty: Mapped[bool] = mapped_column(default=True)
    shifts: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime]


class Touchpoint(Base):
    """A placed code. ``scene`` is the value reports group by; ``placement`` says where within the store it hangs."""

    __tablename__ = "touchpoints"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(16), unique=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id"))
    store_id: Mapped[UUID | None] = mapped_column(ForeignKey("stores.id"), index=True)
    guide_id: Mapped[UUID | None] = mapped_column(ForeignKey("guides.id"), index=True)
    scene: Mapped[str] = mapped_column(String(32), default="")
    placement: Mapped[str] = mapped_column(String(80), default="")
    # How a live code chooses among its guides: ``rotation.Rule``; empty for every other code.
    rotation: Mapped[str] = mapped_column(String(8), default="")
    name: Mapped[str] = mapped_column(String(80))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class LiveGuide(Base):
    """A guide whom a live code may lead to. ``day_max`` is how many people a day (0: as many as come)."""

    __tablename__ = "live_guides"

    touchpoint_id: Mapped[UUID] = mapped_column(ForeignKey("touchpoints.id"), primary_key=True)
    guide_id: Mapped[UUID] = mapped_column(ForeignKey("guides.id"), primary_key=True)
    weight: Mapped[int] = mapped_column(default=1)
    day_max: Mapped[int] = mapped_column(default=0)


class LiveTurn(Base):
    """How many people a live code led to a guide on a day of the brand's, and when the last."""

    __tablename__ = "live_turns"

    touchpoint_id: Mapped[UUID] = mapped_column(ForeignKey("touchpoints.id"), primary_key=True)
    guide_id: Mapped[UUID] = mapped_column(ForeignKey("guides.id"), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime]


class Touch(Base):
    """A browser opened a placed code, or a link that names one. ``guide_id`` is whom a live code led to."""

    __tablename__ = "touches"

    visitor_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    touchpoint_id: Mapped[UUID] = mapped_column(ForeignKey("touchpoints.id"), index=True)
    guide_id: Mapped[UUID | None]
    is_link: Mapped[bool] = mapped_column(default=False)
    touched_at: Mapped[datetime]


class LinkDay(Base):
    """How often a link of a product was opened on a day of the brand's, from which of its pages; nobody is named.
    Links may be removed later."""

    __tablename__ = "link_days"
    __table_args__ = (Index("ix_link_days_brand", "brand_id", "day"),)

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    page: Mapped[str] = mapped_column(String(8), primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    link_type: Mapped[str] = mapped_column(String(40))
    opened: Mapped[int]
    last_at: Mapped[datetime]


class Liking(Base):
    """What a member who agreed to that opened, how often and when last. Links may be removed later."""

    __tablename__ = "likings"
    __table_args__ = (Index("ix_likings_link_id", "link_id"), Index("ix_likings_last_at", "last_at"))

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    page: Mapped[str] = mapped_column(String(8), primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    link_type: Mapped[str] = mapped_column(String(40))
    opened: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class BatchChannel(Base):
    """The channel that explains the items of a batch which were not shipped anywhere."""

    __tablename__ = "batch_channels"

    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"), primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id"))


class Attributed:
    """The columns of what is credited to somebody: a scan, a claim, a new member. Named like the fields of
    ``rules.Attribution``, which says what they mean.

    None has a foreign key: for every scan the database would look at, and lock, the one row of a store that many
    people are scanning in at that moment. Places are never deleted (docs/decisions/0024).
    """

    source: Mapped[str] = mapped_column(String(10))
    channel_id: Mapped[UUID | None]
    store_id: Mapped[UUID | None]
    guide_id: Mapped[UUID | None]
    touchpoint_id: Mapped[UUID | None]
    first_touchpoint_id: Mapped[UUID | None]
    first_guide_id: Mapped[UUID | None]
    item_channel_id: Mapped[UUID | None]
    item_store_id: Mapped[UUID | None]
    region: Mapped[int | None]


class Shipment(Base):
    """Codes that went out, moved on, or came back (``kind``); a return has no place."""

    __tablename__ = "shipments"
    __table_args__ = (UniqueConstraint("brand_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    number: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(10), default="out")
    channel_id: Mapped[UUID | None] = mapped_column(ForeignKey("channels.id"))
    store_id: Mapped[UUID | None] = mapped_column(ForeignKey("stores.id"))
    note: Mapped[str] = mapped_column(String(200), default="")
    shipped_at: Mapped[datetime]
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    received_at: Mapped[datetime | None]
    received_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    receipt_note: Mapped[str] = mapped_column(String(200), default="")


class ShipmentLine(Base):
    """What a shipment carried, kept for ever; ``moved_from`` is the shipment that had the serials before, if any."""

    __tablename__ = "shipment_lines"
    __table_args__ = (CheckConstraint("first <= last", name="in_order"),)

    shipment_id: Mapped[UUID] = mapped_column(ForeignKey("shipments.id"), primary_key=True)
    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"), primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
    moved_from: Mapped[UUID | None] = mapped_column(ForeignKey("shipments.id"))


class ReceiptGap(Base):
    """What a shipment should have brought and did not: nobody holds it."""

    __tablename__ = "receipt_gaps"
    __table_args__ = (CheckConstraint("first <= last", name="in_order"),)

    shipment_id: Mapped[UUID] = mapped_column(ForeignKey("shipments.id"), primary_key=True)
    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"), primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


class ShippedRange(Base):
    """Where serials are now. Of each serial only the last shipment is here."""

    __tablename__ = "shipped_ranges"
    __table_args__ = (CheckConstraint("first <= last", name="in_order"),)

    batch_number: Mapped[int] = mapped_column(ForeignKey("batches.number"), primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
    shipment_id: Mapped[UUID] = mapped_column(ForeignKey("shipments.id"), index=True)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id"))
    store_id: Mapped[UUID | None] = mapped_column(ForeignKey("stores.id"))


class Acquisition(Attributed, Base):
    """Where a member came from, written once when they join. A member without one does not exist."""

    __tablename__ = "acquisitions"
    __table_args__ = (Index("ix_acquisitions_channel_id", "channel_id"),)

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    brand_id: Mapped[UUID]
    product_id: Mapped[UUID | None] = mapped_column(ForeignKey("products.id"))
    batch_number: Mapped[int | None] = mapped_column(ForeignKey("batches.number"))
    code_id: Mapped[int | None] = mapped_column(BigInteger)
    day: Mapped[str] = mapped_column(String(10))
    acquired_at: Mapped[datetime]


class Welcome(Base):
    """What a brand says to who joined through a place (``welcomes.Target``). A row is one version whose words never
    change: another takes its place, so that what somebody was given can still be read. Of a place one is current."""

    __tablename__ = "welcomes"
    __table_args__ = (
        Index(
            "ix_welcomes_current",
            "brand_id",
            "target",
            "target_id",
            unique=True,
            sqlite_where=text("replaced_at IS NULL"),
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    target: Mapped[str] = mapped_column(String(8))
    # The place; of the welcome that is for everybody else the brand.
    target_id: Mapped[UUID]
    title_zh: Mapped[str] = mapped_column(String(40))
    title_en: Mapped[str] = mapped_column(String(40))
    text_zh: Mapped[str] = mapped_column(String(200))
    text_en: Mapped[str] = mapped_column(String(200))
    link: Mapped[str] = mapped_column(String(500))
    button_zh: Mapped[str] = mapped_column(String(20))
    button_en: Mapped[str] = mapped_column(String(20))
    made_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]
    # How often its link was opened; nobody is named.
    opened: Mapped[int]


class WelcomeTerms(Base):
    """For how many days a brand's welcomes stand on the member's page, and the message template for them."""

    __tablename__ = "welcome_terms"

    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), primary_key=True)
    days: Mapped[int]
    template: Mapped[str] = mapped_column(String(300))


class GivenWelcome(Base):
    """The welcome of a member: one, chosen in the transaction in which they joined, and by what. ``state`` says what
    became of a message about it (``letters.LetterState``)."""

    __tablename__ = "given_welcomes"
    __table_args__ = (Index("ix_given_welcomes_welcome", "welcome_id", "seen_at"),)

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    brand_id: Mapped[UUID]
    welcome_id: Mapped[UUID]
    source: Mapped[str] = mapped_column(String(10))
    touchpoint_id: Mapped[UUID | None]
    given_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    dismissed_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(8))
    # Why no message went out, a word of ``letters.REASONS``; empty while it waits and once it was sent.
    reason: Mapped[str] = mapped_column(String(20))
    ended_at: Mapped[datetime | None]
