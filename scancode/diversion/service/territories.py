"""Where a channel and its stores may sell: kept as a whole list, by hand or from a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from scancode.catalog import revision
from scancode.channels import service as channels
from scancode.channels.models import Channel, Store
from scancode.db import new_id
from scancode.diversion.models import Territory
from scancode.diversion.rules import owners_of, read_file
from scancode.staff import service as staff

Owner = tuple[UUID, UUID | None]
"""A channel, and one of its stores or None for the channel itself."""
LISTED_MAX = 50_000


def own_territory(session: Session, *, channel_id: UUID, store_id: UUID | None = None) -> list[int]:
    """The places of a channel, or of a store alone; empty where it has none of its own."""
    query = select(Territory.region).where(Territory.channel_id == channel_id, Territory.store_id == store_id)
    return list(session.scalars(query.order_by(Territory.region)))


def territories_of(session: Session, *, brand_id: UUID) -> dict[Owner, list[int]]:
    """All of a brand, by owner."""
    query = (
        select(Territory.channel_id, Territory.store_id, Territory.region)
        .join(Channel, Channel.id == Territory.channel_id)
        .where(Channel.brand_id == brand_id)
        .order_by(Territory.region)
        .limit(LISTED_MAX)
    )
    found: dict[Owner, list[int]] = {}
    for channel_id, store_id, region in session.execute(query):
        found.setdefault((channel_id, store_id), []).append(region)
    return found


def all_territories(session: Session, *, brand_id: UUID) -> list[tuple[str, str, int]]:
    """Channel, store (or an empty text) and place, for a file."""
    query = (
        select(Channel.name, Store.name, Territory.region)
        .join(Channel, Channel.id == Territory.channel_id)
        .outerjoin(Store, Store.id == Territory.store_id)
        .where(Channel.brand_id == brand_id)
        .order_by(Channel.name, Store.name, Territory.region)
        .limit(LISTED_MAX)
    )
    return [(channel, store or "", region) for channel, store, region in session.execute(query)]


def set_territory(
    session: Session,
    *,
    channel_id: UUID,
    store_id: UUID | None = None,
    places: Sequence[int],
    actor: str,
    now: datetime,
) -> None:
    """Puts these places in the stead of those there were. Raises NotFound."""
    channel = channels.get_channel(session, channel_id=channel_id)
    _replace(session, (channel_id, store_id), places, now)
    staff.audit(
        session,
        actor=actor,
        brand_id=channel.brand_id,
        action="territory.set",
        subject=f"store:{store_id}" if store_id else f"channel:{channel_id}",
        facts={"places": len(places)},
        now=now,
    )


def put_file(session: Session, *, brand_id: UUID, text: str, actor: str, now: datetime) -> int:
    """All of a file or nothing; whoever is not named in it keeps theirs. Returns how many owners it named.

    Raises FileForm, UnknownPlace, UnknownOwner, TooManyPlaces.
    """
    rows = read_file(text)
    known = {channel.name: channel.id for channel in channels.list_channels(session, brand_id=brand_id)}
    stores = session.execute(select(Store.channel_id, Store.name, Store.id).where(Store.channel_id.in_(known.values())))
    named = owners_of(rows, channels=known, stores={(channel, name): store for channel, name, store in stores})
    for owner, places in named.items():
        _replace(session, owner, places, now)
    staff.audit(
        session,
        actor=actor,
        brand_id=brand_id,
        action="territory.import",
        subject=f"brand:{brand_id}",
        facts={"owners": len(named), "rows": len(rows)},
        now=now,
    )
    return len(named)


def _replace(session: Session, owner: Owner, places: Sequence[int], now: datetime) -> None:
    channel_id, store_id = owner
    session.execute(delete(Territory).where(Territory.channel_id == channel_id, Territory.store_id == store_id))
    session.add_all(
        Territory(id=new_id(now), channel_id=channel_id, store_id=store_id, region=region) for region in places
    )
    session.flush()
    revision.bump(session)  # who is alone in a region gets the credit for scans there
