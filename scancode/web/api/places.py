"""Channels, their stores and the guides there, for a brand's own systems: a list of shops that is kept elsewhere is
brought in and kept in step. Nothing is deleted: what is over is switched off."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar
from uuid import UUID

from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.channels.models import Channel, Guide, Store
from scancode.errors import NotFound
from scancode.web.api.access import brand_of_call, caller
from scancode.web.api.once import Repeating, made_once
from scancode.web.api.routes import PLACES, get, post
from scancode.web.api.shapes import (
    Answer,
    Asked,
    BrandSlug,
    Cursor,
    Limit,
    read_cursor,
    reply,
    text_field,
    write_cursor,
)
from scancode.web.runtime import runtime

READ, WRITE = "places:read", "places:write"
KindWord = Literal["distributor", "retail", "ecommerce", "live", "partner", "direct"]
Name = Annotated[str, text_field(80, min_length=1, examples=["南京西路店"])]
Short = Annotated[str, text_field(40)]
Address = Annotated[str, text_field(200)]
Hours = Annotated[
    str,
    text_field(
        120, description="`09:00-18:00`, or with days (1 is Monday) `1-5 09:00-18:00, 6-7 10:00-16:00`; empty: always"
    ),
]
Switch = Annotated[bool, Field(strict=True)]
T = TypeVar("T")


class ChannelPath(Asked):
    """Names a channel in an address."""

    channel_id: UUID


class StorePath(Asked):
    """Names a store in an address."""

    store_id: UUID


class GuidePath(Asked):
    """Names a guide in an address."""

    guide_id: UUID


class PlaceQuery(Asked):
    """Which page."""

    brand: BrandSlug | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class StoreQuery(PlaceQuery):
    """Which stores, and which page."""

    channel_id: UUID | None = None


class GuideQuery(PlaceQuery):
    """Which guides, and which page."""

    store_id: UUID | None = None


class NewChannel(Asked):
    """A channel as it shall be."""

    name: Name
    kind: KindWord = "retail"
    brand: BrandSlug | None = None


class ChannelChange(Asked):
    """What shall be otherwise; what is not sent stays."""

    name: Name | None = None
    kind: KindWord | None = None
    is_active: Switch | None = None


class NewStore(Asked):
    """A store as it shall be."""

    channel_id: UUID
    name: Name
    province: Short = ""
    city: Short = ""
    address: Address = ""


class StoreChange(Asked):
    """What shall be otherwise; what is not sent stays."""

    name: Name | None = None
    province: Short | None = None
    city: Short | None = None
    address: Address | None = None
    is_active: Switch | None = None


class NewGuide(Asked):
    """A guide as they shall be."""

    store_id: UUID
    name: Name
    staff_no: Short = ""
    shifts: Hours = ""
    is_on_duty: Switch = True


class GuideChange(Asked):
    """What shall be otherwise; what is not sent stays."""

    name: Name | None = None
    staff_no: Short | None = None
    shifts: Hours | None = None
    is_on_duty: Switch | None = None
    is_active: Switch | None = None


class ChannelAnswer(Answer):
    """A channel."""

    id: UUID
    name: str
    kind: KindWord
    is_active: bool = Field(description="false: nothing is shipped to it or credited to it any more")


class StoreAnswer(Answer):
    """A store of a channel."""

    id: UUID
    channel_id: UUID
    name: str
    province: str
    city: str
    address: str
    is_active: bool


class GuideAnswer(Answer):
    """Somebody who serves in a store."""

    id: UUID
    store_id: UUID
    name: str
    staff_no: str
    shifts: str
    is_on_duty: bool = Field(description="false: no live code leads to them today")
    is_active: bool


class ChannelPage(Answer):
    """Channels, in the order in which they were made."""

    items: list[ChannelAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


class StorePage(Answer):
    """Stores, in the order in which they were made."""

    items: list[StoreAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


class GuidePage(Answer):
    """Guides, in the order in which they were made."""

    items: list[GuideAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


def after_of(cursor: str | None) -> UUID | None:
    """The last id of the page before. Raises Invalid."""
    found: UUID | None = read_cursor(cursor, UUID)[0] if cursor else None
    return found


def next_of(rows: list[T], limit: int) -> str | None:
    """The cursor behind ``limit`` of the rows, where there are more."""
    return write_cursor(str(rows[limit - 1].id)) if len(rows) > limit else None  # type: ignore[attr-defined]


def own(brand_id: UUID) -> None:
    """Raises NotFound for what belongs to a brand that this token does not see."""
    if caller().brand_id not in (None, brand_id):
        raise NotFound


def told(shape: type[Answer], row: object) -> dict[str, object]:
    """The columns of a row that an answer has."""
    return {name: getattr(row, name) for name in shape.model_fields}


@get("/channels", scope=READ, tag=PLACES, answers={200: ChannelPage})
def list_channels(query: PlaceQuery) -> Response:
    """List channels."""
    with runtime().db.reading() as session:
        brand = brand_of_call(session, query.brand)
        after = after_of(query.cursor)
        rows = channels.page_of_channels(session, brand_id=brand.id, after=after, limit=query.limit + 1)
    items = [_channel(row) for row in rows[: query.limit]]
    return reply(ChannelPage(items=items, next=next_of(rows, query.limit)))


@post("/channels", scope=WRITE, tag=PLACES, answers={201: ChannelAnswer}, refusals=(404, 409))
def create_channel(header: Repeating, body: NewChannel) -> Response:
    """Make a channel. Its name is used once in a brand."""

    def work(session: Session) -> ChannelAnswer:
        brand = brand_of_call(session, body.brand)
        return _channel(
            channels.create_channel(
                session, brand_id=brand.id, name=body.name, kind=body.kind, actor=caller().actor, now=runtime().now()
            )
        )

    return made_once(header.key, work)


@get("/channels/<channel_id>", scope=READ, tag=PLACES, answers={200: ChannelAnswer}, refusals=(404,))
def show_channel(path: ChannelPath) -> Response:
    """Show a channel."""
    with runtime().db.reading() as session:
        return reply(_channel(_own_channel(session, path.channel_id)))


@post("/channels/<channel_id>", scope=WRITE, tag=PLACES, answers={200: ChannelAnswer}, refusals=(404, 409))
def change_channel(path: ChannelPath, body: ChannelChange) -> Response:
    """Change a channel, or switch it off."""

    def work(session: Session) -> ChannelAnswer:
        now = ChannelAnswer.model_validate(told(ChannelAnswer, _own_channel(session, path.channel_id)))
        wish = {**now.model_dump(exclude={"id"}), **body.model_dump(exclude_none=True)}
        changed = channels.change_channel(
            session, channel_id=path.channel_id, actor=caller().actor, now=runtime().now(), **wish
        )
        return _channel(changed)

    return reply(runtime().db.retrying(work))


@get("/stores", scope=READ, tag=PLACES, answers={200: StorePage})
def list_stores(query: StoreQuery) -> Response:
    """List stores, those of a channel where one is named."""
    with runtime().db.reading() as session:
        brand = brand_of_call(session, query.brand)
        rows = channels.page_of_stores(
            session,
            brand_id=brand.id,
            channel_id=query.channel_id,
            after=after_of(query.cursor),
            limit=query.limit + 1,
        )
    items = [_store(row) for row in rows[: query.limit]]
    return reply(StorePage(items=items, next=next_of(rows, query.limit)))


@post("/stores", scope=WRITE, tag=PLACES, answers={201: StoreAnswer}, refusals=(404, 409))
def create_store(header: Repeating, body: NewStore) -> Response:
    """Make a store, and its code."""

    def work(session: Session) -> StoreAnswer:
        _own_channel(session, body.channel_id)
        return _store(channels.create_store(session, actor=caller().actor, now=runtime().now(), **body.model_dump()))

    return made_once(header.key, work)


@get("/stores/<store_id>", scope=READ, tag=PLACES, answers={200: StoreAnswer}, refusals=(404,))
def show_store(path: StorePath) -> Response:
    """Show a store."""
    with runtime().db.reading() as session:
        return reply(_store(_own_store(session, path.store_id)))


@post("/stores/<store_id>", scope=WRITE, tag=PLACES, answers={200: StoreAnswer}, refusals=(404, 409))
def change_store(path: StorePath, body: StoreChange) -> Response:
    """Change a store, or switch it off with its codes and those of its guides."""

    def work(session: Session) -> StoreAnswer:
        now = _store(_own_store(session, path.store_id))
        wish = {**now.model_dump(exclude={"id", "channel_id"}), **body.model_dump(exclude_none=True)}
        changed = channels.change_store(
            session, store_id=path.store_id, actor=caller().actor, now=runtime().now(), **wish
        )
        return _store(changed)

    return reply(runtime().db.retrying(work))


@get("/guides", scope=READ, tag=PLACES, answers={200: GuidePage})
def list_guides(query: GuideQuery) -> Response:
    """List guides, those of a store where one is named."""
    with runtime().db.reading() as session:
        brand = brand_of_call(session, query.brand)
        rows = channels.page_of_guides(
            session, brand_id=brand.id, store_id=query.store_id, after=after_of(query.cursor), limit=query.limit + 1
        )
    items = [_guide(row) for row in rows[: query.limit]]
    return reply(GuidePage(items=items, next=next_of(rows, query.limit)))


@post("/guides", scope=WRITE, tag=PLACES, answers={201: GuideAnswer}, refusals=(404, 409))
def create_guide(header: Repeating, body: NewGuide) -> Response:
    """Make a guide, and their code."""

    def work(session: Session) -> GuideAnswer:
        _own_store(session, body.store_id)
        return _guide(channels.create_guide(session, actor=caller().actor, now=runtime().now(), **body.model_dump()))

    return made_once(header.key, work)


@get("/guides/<guide_id>", scope=READ, tag=PLACES, answers={200: GuideAnswer}, refusals=(404,))
def show_guide(path: GuidePath) -> Response:
    """Show a guide."""
    with runtime().db.reading() as session:
        return reply(_guide(_own_guide(session, path.guide_id)))


@post("/guides/<guide_id>", scope=WRITE, tag=PLACES, answers={200: GuideAnswer}, refusals=(404, 409))
def change_guide(path: GuidePath, body: GuideChange) -> Response:
    """Change a guide: their hours, whether they are on duty, or that they have left."""

    def work(session: Session) -> GuideAnswer:
        now = _guide(_own_guide(session, path.guide_id))
        wish = {**now.model_dump(exclude={"id", "store_id"}), **body.model_dump(exclude_none=True)}
        changed = channels.change_guide(
            session, guide_id=path.guide_id, actor=caller().actor, now=runtime().now(), **wish
        )
        return _guide(changed)

    return reply(runtime().db.retrying(work))


def _own_channel(session: Session, channel_id: UUID) -> Channel:
    found = channels.get_channel(session, channel_id=channel_id)
    own(found.brand_id)
    return found


def _own_store(session: Session, store_id: UUID) -> Store:
    store, channel = channels.get_store(session, store_id=store_id)
    own(channel.brand_id)
    return store


def _own_guide(session: Session, guide_id: UUID) -> Guide:
    guide, _, channel = channels.get_guide(session, guide_id=guide_id)
    own(channel.brand_id)
    return guide


def _channel(row: Channel) -> ChannelAnswer:
    return ChannelAnswer.model_validate(told(ChannelAnswer, row))


def _store(row: Store) -> StoreAnswer:
    return StoreAnswer.model_validate(told(StoreAnswer, row))


def _guide(row: Guide) -> GuideAnswer:
    return GuideAnswer.model_validate(told(GuideAnswer, row))
