"""People who joined, the ids by which they are known, what they consented to, the tags they carry, the tier they
hold, and the passwords sent to phones.

Phones and openids are encrypted; an identity's id is the blind index of its value within its brand, so finding a
person needs the value and the key. Member tables carry ``member_id`` in their keys.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from scancode.db import Base


class IdentityKind(StrEnum):
    OPENID = "openid"
    PHONE = "phone"
    UNIONID = "unionid"
    """The same person in all of the company's services with WeChat; kept only where they agreed to that."""


class Member(Base):
    __tablename__ = "members"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    language: Mapped[str] = mapped_column(String(5))
    joined_at: Mapped[datetime] = mapped_column(index=True)
    left_at: Mapped[datetime | None]


class Identity(Base):
    """A value that means a person: openid, phone or unionid. ``hint`` is the masked form that staff may see."""

    __tablename__ = "identities"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    kind: Mapped[str] = mapped_column(String(10))
    sealed: Mapped[str] = mapped_column(String(300))
    hint: Mapped[str] = mapped_column(String(40))
    # No foreign key: identities are spread by their own value, members by theirs.
    member_id: Mapped[UUID | None] = mapped_column(index=True)
    is_snapshot: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Consent(Base):
    """What a person agreed to, in which version, when; and when they took it back."""

    __tablename__ = "consents"

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    version: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(5))
    granted_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class MemberVisitor(Base):
    """A browser that turned out to be this member: its earlier scans are the member's."""

    __tablename__ = "member_visitors"
    __table_args__ = (Index("ix_member_visitors_visitor", "visitor_id"),)

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    visitor_id: Mapped[UUID] = mapped_column(primary_key=True)
    linked_at: Mapped[datetime]


class Tag(Base):
    """A mark that a brand may put on members. ``key`` is the name as it is compared; see ``members.tags``."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("brand_id", "key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    name: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(40))
    public_zh: Mapped[str] = mapped_column(String(40), default="")
    public_en: Mapped[str] = mapped_column(String(40), default="")
    created_at: Mapped[datetime]
    # Deleted by somebody, while members still carry it: nobody sees or gets it any more, and a job takes it off them.
    deleted_at: Mapped[datetime | None]


class MemberTag(Base):
    """A tag on a member; put there again it keeps its first source and date."""

    __tablename__ = "member_tags"
    __table_args__ = (Index("ix_member_tags_tag", "tag_id", "member_id"),)

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    tag_id: Mapped[UUID] = mapped_column(ForeignKey("tags.id"), primary_key=True)
    source: Mapped[str] = mapped_column(String(8))
    tagged_at: Mapped[datetime]


class TagScene(Base):
    """A placed code that puts a tag on whoever joins through it."""

    __tablename__ = "tag_scenes"

    tag_id: Mapped[UUID] = mapped_column(ForeignKey("tags.id"), primary_key=True)
    # No foreign key: placed codes come later in the story.
    touchpoint_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)


class TierLadder(Base):
    """That a brand has tiers: points of how many months count, and up to when its members were settled."""

    __tablename__ = "tier_ladders"

    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), primary_key=True)
    months: Mapped[int]
    changed_at: Mapped[datetime]
    # YYYY-MM-DD in the brand's zone; empty when the ladder was changed since.
    settled_day: Mapped[str] = mapped_column(String(10))
    looked_at: Mapped[datetime | None]


class Tier(Base):
    """A level of a brand's members, reached from so many points on."""

    __tablename__ = "tiers"
    __table_args__ = (UniqueConstraint("brand_id", "points"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    name_zh: Mapped[str] = mapped_column(String(40))
    name_en: Mapped[str] = mapped_column(String(40))
    points: Mapped[int] = mapped_column(BigInteger)


class MemberTier(Base):
    """The tier that a member holds, since when."""

    __tablename__ = "member_tiers"
    __table_args__ = (Index("ix_member_tiers_tier", "tier_id", "member_id"),)

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    tier_id: Mapped[UUID] = mapped_column(ForeignKey("tiers.id"))
    since: Mapped[datetime]


class OneTimePassword(Base):
    """A password sent to a phone; only a keyed digest is kept, and one UPDATE consumes it."""

    __tablename__ = "one_time_passwords"
    __table_args__ = (Index("ix_one_time_passwords_address", "address_digest", "sent_at"),)

    phone_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(String(12))
    digest: Mapped[str] = mapped_column(String(64))
    address_digest: Mapped[str] = mapped_column(String(64))
    tries_left: Mapped[int]
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    consumed_at: Mapped[datetime | None]


class SendTurn(Base):
    """One row per phone or address, updated first when a message is asked for: requests for it take turns."""

    __tablename__ = "send_turns"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime]
