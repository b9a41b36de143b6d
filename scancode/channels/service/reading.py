"""What is asked about places and shipments: for the scan path, and for the console's lists. Every list has a limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from scancode.channels import regions
from scancode.channels.models import (
    BatchChannel,
    Channel,
    Guide,
    LiveGuide,
    ShippedRange,
    Store,
    Touch,
    TouchKind,
    Touchpoint,
)
from scancode.channels.rotation import TEAM_MAX, Attendant, read_shifts
from scancode.channels.rules import Place, TouchpointFacts, read_token, sole_channels
from scancode.codes.models import Batch
from scancode.codes.ranges import Span, SpanMap
from scancode.errors import NotFound

LIST_MAX = 500
PLACED = (TouchKind.SCENE.value, TouchKind.LIVE.value)
STORES_MAX = 50_000
"""Stores of a brand that are asked which channel is alone in a region."""
T = TypeVar("T")


def load_shipped(session: Session, *, batch_number: int) -> SpanMap[Place]:
    """Where the serials of a batch are. A serial in no span was never shipped."""
    rows = session.scalars(
        select(ShippedRange).where(ShippedRange.batch_number == batch_number).order_by(ShippedRange.first)
    )
    return SpanMap([Span(row.first, row.last, Place(row.channel_id, row.store_id, row.shipment_id)) for row in rows])


def load_touchpoint(session: Session, *, token: str) -> TouchpointFacts | None:
    """The placed code of a token in upper or lower case; None when there is none."""
    known = read_token(token)
    if known is None:
        return None
    row = session.execute(
        select(Touchpoint, Channel.is_active, Store.is_active, Guide.is_active, Store.name)
        .join(Channel, Channel.id == Touchpoint.channel_id)
        .outerjoin(Store, Store.id == Touchpoint.store_id)
        .outerjoin(Guide, Guide.id == Touchpoint.guide_id)
        .where(Touchpoint.token == known)
    ).one_or_none()
    if row is None:
        return None
    found, channel_on, store_on, guide_on, store_name = row
    team = _load_team(session, found.id) if found.kind == TouchKind.LIVE else ()
    return TouchpointFacts(
        id=found.id,
        token=found.token,
        brand_id=found.brand_id,
        kind=found.kind,
        channel_id=found.channel_id,
        store_id=found.store_id,
        guide_id=found.guide_id,
        scene=found.scene,
        placement=found.placement,
        name=found.name,
        # An outer join gives None where there is no store or guide: that switches nothing off.
        is_active=found.is_active and channel_on and store_on is not False and guide_on is not False,
        store_name=store_name or "",
        rotation=found.rotation,
        team=team,
    )


def _load_team(session: Session, touchpoint_id: UUID) -> tuple[Attendant, ...]:
    rows = session.execute(
        select(LiveGuide, Guide, Store.is_active)
        .join(Guide, Guide.id == LiveGuide.guide_id)
        .join(Store, Store.id == Guide.store_id)
        .where(LiveGuide.touchpoint_id == touchpoint_id)
        .order_by(LiveGuide.guide_id)
        .limit(TEAM_MAX)
    )
    return tuple(
        Attendant(
            guide_id=guide.id,
            store_id=guide.store_id,
            name=guide.name,
            weight=line.weight,
            day_max=line.day_max,
            shifts=read_shifts(guide.shifts),
            is_on_duty=guide.is_on_duty,
            is_active=guide.is_active and store_on,
        )
        for line, guide, store_on in rows
    )


def load_batch_channel(session: Session, *, batch_number: int) -> UUID | None:
    """The channel in use that explains what was shipped nowhere."""
    return session.scalar(
        select(Channel.id)
        .join(BatchChannel, BatchChannel.channel_id == Channel.id)
        .where(BatchChannel.batch_number == batch_number, Channel.is_active)
    )


def load_sole_channels(
    session: Session, *, brand_id: UUID, territories: Iterable[tuple[int, UUID]] = ()
) -> dict[int, UUID]:
    """By province and city: the channel of which all stores and territories there are, where there is one.
    ``territories`` are regions in which channels may sell."""
    rows = session.execute(
        select(Store.province, Store.city, Channel.id)
        .join(Channel)
        .where(Channel.brand_id == brand_id, Store.is_active, Channel.is_active)
        .limit(STORES_MAX)
    )
    placed = ((regions.find(province, city) or regions.find(city), channel) for province, city, channel in rows)
    known = [(region, channel) for region, channel in placed if region is not None]
    return sole_channels([*known, *territories])


def get_channel(session: Session, *, channel_id: UUID) -> Channel:
    """Raises NotFound."""
    return _got(session.get(Channel, channel_id))


def get_store(session: Session, *, store_id: UUID) -> tuple[Store, Channel]:
    """Raises NotFound."""
    store = _got(session.get(Store, store_id))
    return store, get_channel(session, channel_id=store.channel_id)


def get_guide(session: Session, *, guide_id: UUID) -> tuple[Guide, Store, Channel]:
    """Raises NotFound."""
    guide = _got(session.get(Guide, guide_id))
    store, channel = get_store(session, store_id=guide.store_id)
    return guide, store, channel


def get_touchpoint(session: Session, *, touchpoint_id: UUID) -> Touchpoint:
    """Raises NotFound."""
    return _got(session.get(Touchpoint, touchpoint_id))


def find_touchpoint_of(
    session: Session, *, store_id: UUID | None = None, guide_id: UUID | None = None
) -> Touchpoint | None:
    """The own code of a store or a guide, made when it was created."""
    kind = TouchKind.GUIDE if guide_id else TouchKind.STORE
    where = Touchpoint.guide_id == guide_id if guide_id else Touchpoint.store_id == store_id
    return session.scalars(select(Touchpoint).where(Touchpoint.kind == kind, where).limit(1)).one_or_none()


def _got(found: T | None) -> T:
    if found is None:
        raise NotFound
    return found


def list_channels(session: Session, *, brand_id: UUID, active_only: bool = False) -> list[Channel]:
    statement = select(Channel).where(Channel.brand_id == brand_id)
    if active_only:
        statement = statement.where(Channel.is_active)
    return list(session.scalars(statement.order_by(Channel.is_active.desc(), Channel.name).limit(LIST_MAX)))


def list_stores(
    session: Session,
    *,
    brand_id: UUID,
    channel_id: UUID | None = None,
    active_only: bool = False,
    limit: int = LIST_MAX,
) -> list[tuple[Store, Channel]]:
    statement = select(Store, Channel).join(Channel).where(Channel.brand_id == brand_id)
    if channel_id is not None:
        statement = statement.where(Channel.id == channel_id)
    if active_only:
        statement = statement.where(Store.is_active, Channel.is_active)
    statement = statement.order_by(Channel.name, Store.is_active.desc(), Store.name).limit(limit)
    return [(store, channel) for store, channel in session.execute(statement)]


def list_guides(
    session: Session, *, brand_id: UUID, store_id: UUID | None = None, limit: int = LIST_MAX
) -> list[tuple[Guide, Store, Channel]]:
    statement = select(Guide, Store, Channel).join(Store, Store.id == Guide.store_id).join(Channel)
    statement = statement.where(Channel.brand_id == brand_id)
    if store_id is not None:
        statement = statement.where(Store.id == store_id)
    statement = statement.order_by(Channel.name, Store.name, Guide.is_active.desc(), Guide.name).limit(limit)
    return [(guide, store, channel) for guide, store, channel in session.execute(statement)]


def list_scenes(
    session: Session,
    *,
    brand_id: UUID,
    channel_id: UUID | None = None,
    store_id: UUID | None = None,
    limit: int = LIST_MAX,
) -> list[Touchpoint]:
    """Placed scene codes and live codes; with ``store_id`` the store's, with ``channel_id`` those of no store."""
    statement = select(Touchpoint).where(Touchpoint.brand_id == brand_id, Touchpoint.kind.in_(PLACED))
    if store_id is not None:
        statement = statement.where(Touchpoint.store_id == store_id)
    elif channel_id is not None:
        statement = statement.where(Touchpoint.channel_id == channel_id, Touchpoint.store_id.is_(None))
    statement = statement.order_by(Touchpoint.is_active.desc(), Touchpoint.scene, Touchpoint.name)
    return list(session.scalars(statement.limit(limit)))


def list_touchpoints(
    session: Session, *, brand_id: UUID, channel_id: UUID | None = None, store_id: UUID | None = None, limit: int
) -> list[tuple[Touchpoint, Channel, Store | None]]:
    """Every code in use of a channel or a store, whatever its kind: what is printed on a sheet."""
    statement = (
        select(Touchpoint, Channel, Store)
        .join(Channel, Channel.id == Touchpoint.channel_id)
        .outerjoin(Store, Store.id == Touchpoint.store_id)
        .where(Touchpoint.brand_id == brand_id, Touchpoint.is_active)
    )
    if channel_id is not None:
        statement = statement.where(Touchpoint.channel_id == channel_id)
    if store_id is not None:
        statement = statement.where(Touchpoint.store_id == store_id)
    # Kinds sort guide, scene, store: the store's own code should come first.
    statement = statement.order_by(Store.name, Touchpoint.kind.desc(), Touchpoint.name).limit(limit)
    return [(point, channel, store) for point, channel, store in session.execute(statement)]


def codes_of_guides(session: Session, *, store_id: UUID) -> dict[UUID, UUID]:
    """The touchpoint of each guide of a store, by guide."""
    rows = session.execute(
        select(Touchpoint.guide_id, Touchpoint.id)
        .where(Touchpoint.store_id == store_id, Touchpoint.kind == TouchKind.GUIDE)
        .limit(LIST_MAX)
    )
    return {guide_id: point_id for guide_id, point_id in rows if guide_id is not None}


@dataclass(frozen=True)
class TouchCount:
    visitors: int
    touches: int


def touch_counts(session: Session, *, touchpoint_ids: Sequence[UUID]) -> dict[UUID, TouchCount]:
    """How many browsers opened each of these codes, and how often; at most ``LIST_MAX`` of them are asked for."""
    rows = session.execute(
        select(Touch.touchpoint_id, func.count(distinct(Touch.visitor_id)), func.count())
        .where(Touch.touchpoint_id.in_(list(touchpoint_ids)[:LIST_MAX]))
        .group_by(Touch.touchpoint_id)
    )
    return {point: TouchCount(visitors, touches) for point, visitors, touches in rows}


@dataclass(frozen=True)
class TreeChannel:
    """A channel with what hangs on it. ``held`` is how many items it has now, test batches left out."""

    channel: Channel
    stores: tuple[TreeStore, ...]
    scenes: int
    held: int

    @property
    def guides(self) -> int:
        return sum(store.guides for store in self.stores)


@dataclass(frozen=True)
class TreeStore:
    store: Store
    guides: int
    scenes: int
    held: int


def tree(session: Session, *, brand_id: UUID) -> list[TreeChannel]:
    """Channels, their stores, and the counts of what belongs to each; at most ``LIST_MAX`` channels and stores."""
    channels = list_channels(session, brand_id=brand_id)
    stores = list_stores(session, brand_id=brand_id)
    guide_counts = session.execute(
        select(Guide.store_id, func.count())
        .join(Store)
        .join(Channel)
        .where(Channel.brand_id == brand_id, Guide.is_active)
        .group_by(Guide.store_id)
    )
    guides = {row[0]: int(row[1]) for row in guide_counts}
    scenes = {
        (channel, store): count
        for channel, store, count in session.execute(
            select(Touchpoint.channel_id, Touchpoint.store_id, func.count())
            .where(Touchpoint.brand_id == brand_id, Touchpoint.kind.in_(PLACED), Touchpoint.is_active)
            .group_by(Touchpoint.channel_id, Touchpoint.store_id)
        )
    }
    held = {
        (channel, store): int(count)
        for channel, store, count in session.execute(
            select(
                ShippedRange.channel_id,
                ShippedRange.store_id,
                func.sum(ShippedRange.last - ShippedRange.first + 1),
            )
            .join(Batch, Batch.number == ShippedRange.batch_number)
            .where(Batch.brand_id == brand_id, Batch.is_test.is_(False))
            .group_by(ShippedRange.channel_id, ShippedRange.store_id)
        )
    }
    return [
        TreeChannel(
            channel=channel,
            stores=tuple(
                TreeStore(
                    store,
                    guides.get(store.id, 0),
                    scenes.get((channel.id, store.id), 0),
                    held.get((channel.id, store.id), 0),
                )
                for store, owner in stores
                if owner.id == channel.id
            ),
            scenes=sum(count for (owner_id, _), count in scenes.items() if owner_id == channel.id),
            held=sum(count for (owner_id, _), count in held.items() if owner_id == channel.id),
        )
        for channel in channels
    ]
