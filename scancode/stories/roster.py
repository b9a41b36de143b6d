"""The members of a brand as its staff see them: a masked phone, where each came from, how many points they hold.

Nothing here opens a sealed value. Rows of other tables are fetched for one page at a time, by the members' ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from scancode.catalog.models import Product
from scancode.channels.models import Acquisition, Channel, Guide, Store
from scancode.channels.rules import Source
from scancode.errors import NotFound
from scancode.ledger.models import Account
from scancode.members import service as members
from scancode.members.models import Consent, Identity, IdentityKind, Member, MemberTag, MemberTier, Tier
from scancode.members.rules import MARKETING

CHUNK = 500
EXPORT_MAX = 50_000


@dataclass(frozen=True)
class Chosen:
    """Which members to list; None and empty mean all. Days are in the brand's zone, both included."""

    source: str = ""
    channel_id: UUID | None = None
    store_id: UUID | None = None
    guide_id: UUID | None = None
    tag_id: UUID | None = None
    tier_id: UUID | None = None
    first_day: str = ""
    last_day: str = ""


@dataclass(frozen=True)
class RosterRow:
    """One member on the list."""

    id: UUID
    brand_id: UUID
    joined_at: datetime
    left_at: datetime | None
    language: str
    phone_hint: str
    has_openid: bool
    wants_offers: bool
    points: int
    tags: tuple[str, ...]
    tier: tuple[str, str]
    """Its name in Chinese and English, as it is kept; empty for none."""
    source: str
    channel: str
    store: str
    guide: str
    gtin: str
    batch_number: int | None
    day: str


def list_members(
    session: Session, *, brand_id: UUID, chosen: Chosen, limit: int, before: UUID | None = None
) -> list[RosterRow]:
    """The newest members that fit, from before the member ``before``."""
    query = _fitting(chosen).where(Member.brand_id == brand_id).order_by(Member.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Member.id < before)
    return _rows(session, session.execute(query).all())


def get_row(session: Session, *, member_id: UUID) -> RosterRow:
    """One member, also one that has left. Raises NotFound."""
    found = _rows(session, session.execute(_fitting(Chosen()).where(Member.id == member_id)).all())
    if not found:
        raise NotFound
    return found[0]


def all_members(session: Session, *, brand_id: UUID, chosen: Chosen, chunk_rows: int = CHUNK) -> Iterator[RosterRow]:
    """Every member that fits, the newest first, at most ``EXPORT_MAX``."""
    before: UUID | None = None
    for _ in range(EXPORT_MAX // chunk_rows):
        chunk = list_members(session, brand_id=brand_id, chosen=chosen, limit=chunk_rows, before=before)
        yield from chunk
        if len(chunk) < chunk_rows:
            return
        before = chunk[-1].id


def _fitting(chosen: Chosen) -> Select[Member, Acquisition, str, str, str, str]:
    query = (
        select(Member, Acquisition, Channel.name, Store.name, Guide.name, Product.gtin)
        .outerjoin(Acquisition, Acquisition.member_id == Member.id)
        .outerjoin(Channel, Channel.id == Acquisition.channel_id)
        .outerjoin(Store, Store.id == Acquisition.store_id)
        .outerjoin(Guide, Guide.id == Acquisition.guide_id)
        .outerjoin(Product, Product.id == Acquisition.product_id)
    )
    equal = {
        Acquisition.source: chosen.source,
        Acquisition.channel_id: chosen.channel_id,
        Acquisition.store_id: chosen.store_id,
        Acquisition.guide_id: chosen.guide_id,
    }
    for column, value in equal.items():
        if value:
            query = query.where(column == value)
    if chosen.tag_id:
        query = query.join(MemberTag, (MemberTag.member_id == Member.id) & (MemberTag.tag_id == chosen.tag_id))
    if chosen.tier_id:
        query = query.join(MemberTier, (MemberTier.member_id == Member.id) & (MemberTier.tier_id == chosen.tier_id))
    if chosen.first_day:
        query = query.where(Acquisition.day >= chosen.first_day)
    if chosen.last_day:
        query = query.where(Acquisition.day <= chosen.last_day)
    return query


def _rows(session: Session, found: Sequence[Row[Member, Acquisition, str, str, str, str]]) -> list[RosterRow]:
    ids = [member.id for member, *_ in found]
    held = session.execute(select(Account.id, Account.balance).where(Account.id.in_(ids)))
    points = {row.id: row.balance for row in held}
    hints: dict[UUID, str] = {}
    with_openid: set[UUID] = set()
    known = select(Identity.member_id, Identity.kind, Identity.hint).where(Identity.member_id.in_(ids))
    for owner, kind, hint in session.execute(known):
        if owner is not None and kind == IdentityKind.PHONE:
            hints[owner] = hint
        elif owner is not None:
            with_openid.add(owner)
    agreed = select(Consent.member_id).where(
        Consent.member_id.in_(ids), Consent.purpose == MARKETING, Consent.withdrawn_at.is_(None)
    )
    wants = set(session.scalars(agreed))
    marks = members.marks_of(session, member_ids=ids)
    tiers = _tiers(session, ids)
    return [
        RosterRow(
            id=member.id,
            brand_id=member.brand_id,
            joined_at=member.joined_at,
            left_at=member.left_at,
            language=member.language,
            phone_hint=hints.get(member.id, ""),
            has_openid=member.id in with_openid,
            wants_offers=member.id in wants,
            points=points.get(member.id, 0),
            tier=tiers.get(member.id, ("", "")),
            tags=tuple(one.name for one in marks[member.id]),
            source=origin.source if origin else Source.UNKNOWN.value,
            channel=channel or "",
            store=store or "",
            guide=guide or "",
            gtin=gtin or "",
            batch_number=origin.batch_number if origin else None,
            day=origin.day if origin else "",
        )
        for member, origin, channel, store, guide, gtin in found
    ]


def _tiers(session: Session, ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    query = select(MemberTier.member_id, Tier.name_zh, Tier.name_en).join(Tier, Tier.id == MemberTier.tier_id)
    found = session.execute(query.where(MemberTier.member_id.in_(ids)))
    return {member_id: (chinese, english) for member_id, chinese, english in found}
