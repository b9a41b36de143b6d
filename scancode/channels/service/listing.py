"""Channels, stores, guides and placed codes of a brand in pages, in the order in which they were made."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.channels.models import Channel, Guide, Store, TouchKind, Touchpoint


def page_of_channels(session: Session, *, brand_id: UUID, after: UUID | None = None, limit: int) -> list[Channel]:
    query = select(Channel).where(Channel.brand_id == brand_id)
    if after is not None:
        query = query.where(Channel.id > after)
    return list(session.scalars(query.order_by(Channel.id).limit(limit)))


def page_of_stores(
    session: Session, *, brand_id: UUID, channel_id: UUID | None = None, after: UUID | None = None, limit: int
) -> list[Store]:
    query = select(Store).join(Channel).where(Channel.brand_id == brand_id)
    if channel_id is not None:
        query = query.where(Store.channel_id == channel_id)
    if after is not None:
        query = query.where(Store.id > after)
    return list(session.scalars(query.order_by(Store.id).limit(limit)))


def page_of_guides(
    session: Session, *, brand_id: UUID, store_id: UUID | None = None, after: UUID | None = None, limit: int
) -> list[Guide]:
    query = select(Guide).join(Store).join(Channel).where(Channel.brand_id == brand_id)
    if store_id is not None:
        query = query.where(Guide.store_id == store_id)
    if after is not None:
        query = query.where(Guide.id > after)
    return list(session.scalars(query.order_by(Guide.id).limit(limit)))


def page_of_touchpoints(
    session: Session,
    *,
    brand_id: UUID,
    kind: TouchKind | None = None,
    channel_id: UUID | None = None,
    store_id: UUID | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[Touchpoint]:
    """Codes of every kind, also those that are switched off."""
    wanted = {"kind": kind, "channel_id": channel_id, "store_id": store_id}
    query = select(Touchpoint).where(Touchpoint.brand_id == brand_id)
    query = query.filter_by(**{name: value for name, value in wanted.items() if value is not None})
    if after is not None:
        query = query.where(Touchpoint.id > after)
    return list(session.scalars(query.order_by(Touchpoint.id).limit(limit)))
