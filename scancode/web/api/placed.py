"""Placed codes: those of shelves, parcel cards and live rooms, live codes with their team, and the codes that stores
and guides have by birth; and the channel that explains what a batch holds and nobody shipped."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from scancode.channels import cards
from scancode.channels import service as channels
from scancode.channels.models import TouchKind, Touchpoint
from scancode.channels.rotation import TEAM_MAX, WEIGHT_MAX
from scancode.channels.service import TeamLine
from scancode.codes import service as codes
from scancode.web.api.access import brand_of_call, caller
from scancode.web.api.once import Repeating, made_once
from scancode.web.api.places import (
    READ,
    WRITE,
    Name,
    PlaceQuery,
    Switch,
    after_of,
    next_of,
    own,
)
from scancode.web.api.routes import PLACES, get, post
from scancode.web.api.shapes import Answer, Asked, BatchPath, reply, text_field
from scancode.web.runtime import runtime

KindWord = Literal["store", "guide", "scene", "live"]
RotationWord = Literal["turns", "weight"]
Scene = Annotated[str, text_field(32, min_length=1, description="what reports group by", examples=["shelf"])]
Placement = Annotated[str, text_field(80, examples=["二层货架"])]


class TeamGuide(Asked):
    """A guide of a live code."""

    guide_id: UUID
    weight: Annotated[int, Field(strict=True, ge=1, le=WEIGHT_MAX, description="their share, by `weight`")] = 1
    day_max: Annotated[int, Field(strict=True, ge=0, le=10_000, description="people a day; 0: any number")] = 0


Team = Annotated[list[TeamGuide], Field(min_length=1, max_length=TEAM_MAX, description="guides of the same channel")]


class PlacedPath(Asked):
    """Names a placed code in an address."""

    placed_id: UUID


class PlacedQuery(PlaceQuery):
    """Which codes, and which page."""

    kind: KindWord | None = None
    channel_id: UUID | None = None
    store_id: UUID | None = None


class NewPlaced(Asked):
    """A code to be placed somewhere."""

    channel_id: UUID
    store_id: UUID | None = Field(None, description="where it hangs in a store")
    name: Name
    scene: Scene
    placement: Placement = ""


class PlacedChange(Asked):
    """What shall be otherwise; what is not sent stays. The printed code never changes."""

    name: Name | None = None
    scene: Scene | None = None
    placement: Placement | None = None
    is_active: Switch | None = None


class NewLive(NewPlaced):
    """A code that leads each visitor to one guide of its team."""

    rotation: RotationWord = "turns"
    team: Team


class LiveChange(PlacedChange):
    """What shall be otherwise; what is not sent stays. A `team` that is sent takes the place of the one before."""

    rotation: RotationWord | None = None
    team: Team | None = None


class TeamAnswer(Answer):
    """A guide of a live code."""

    guide_id: UUID
    weight: int
    day_max: int


class PlacedAnswer(Answer):
    """A placed code."""

    id: UUID
    kind: KindWord = Field(description="`store` and `guide`: made with the store or guide, and changed with them")
    token: str = Field(examples=["ABCDEFGH1234"])
    url: str = Field(description="what its QR says", examples=["HTTPS://Q.EXAMPLE.CN/T/ABCDEFGH1234"])
    name: str
    scene: str
    placement: str
    channel_id: UUID
    store_id: UUID | None
    guide_id: UUID | None
    is_active: bool
    rotation: Literal["turns", "weight", ""] = Field(description="of a live code")


class PlacedPage(Answer):
    """Placed codes, in the order in which they were made."""

    items: list[PlacedAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


class LiveAnswer(PlacedAnswer):
    """A placed code with its team, which is empty unless it is a live one."""

    team: list[TeamAnswer]


class BatchChannelAnswer(Answer):
    """What explains items of a batch that were shipped nowhere."""

    channel_id: UUID | None = Field(description="null: nothing does")


class BatchChannelChoice(Asked):
    """The channel that shall explain them."""

    channel_id: UUID | None = Field(description="null: none any more")


@get("/placed-codes", scope=READ, tag=PLACES, answers={200: PlacedPage})
def list_placed_codes(query: PlacedQuery) -> Response:
    """List placed codes of every kind, also those that are switched off."""
    with runtime().db.reading() as session:
        rows = channels.page_of_touchpoints(
            session,
            brand_id=brand_of_call(session, query.brand).id,
            kind=TouchKind(query.kind) if query.kind else None,
            channel_id=query.channel_id,
            store_id=query.store_id,
            after=after_of(query.cursor),
            limit=query.limit + 1,
        )
    items = [PlacedAnswer.model_validate(_columns(row)) for row in rows[: query.limit]]
    return reply(PlacedPage(items=items, next=next_of(rows, query.limit)))


@post("/placed-codes", scope=WRITE, tag=PLACES, answers={201: PlacedAnswer}, refusals=(404, 409))
def create_placed_code(header: Repeating, body: NewPlaced) -> Response:
    """Make a code for a shelf, a parcel card, a poster or a live room."""

    def work(session: Session) -> PlacedAnswer:
        own(channels.get_channel(session, channel_id=body.channel_id).brand_id)
        made = channels.create_scene(session, actor=caller().actor, now=runtime().now(), **body.model_dump())
        return PlacedAnswer.model_validate(_columns(made))

    return made_once(header.key, work)


@get("/placed-codes/<placed_id>", scope=READ, tag=PLACES, answers={200: LiveAnswer}, refusals=(404,))
def show_placed_code(path: PlacedPath) -> Response:
    """Show a placed code, with the team of a live one."""
    with runtime().db.reading() as session:
        return reply(_live(session, _own(session, path.placed_id)))


@post("/placed-codes/<placed_id>", scope=WRITE, tag=PLACES, answers={200: PlacedAnswer}, refusals=(404, 409))
def change_placed_code(path: PlacedPath, body: PlacedChange) -> Response:
    """Change a placed code, or switch it off. Live codes have a call of their own."""

    def work(session: Session) -> PlacedAnswer:
        now = _own(session, path.placed_id)
        kept = {name: getattr(now, name) for name in PlacedChange.model_fields}
        changed = channels.change_scene(
            session,
            touchpoint_id=path.placed_id,
            actor=caller().actor,
            now=runtime().now(),
            **{**kept, **body.model_dump(exclude_none=True)},
        )
        return PlacedAnswer.model_validate(_columns(changed))

    return reply(runtime().db.retrying(work))


@post("/live-codes", scope=WRITE, tag=PLACES, answers={201: LiveAnswer}, refusals=(404, 409))
def create_live_code(header: Repeating, body: NewLive) -> Response:
    """Make a live code: one printed code over several guides."""

    def work(session: Session) -> LiveAnswer:
        own(channels.get_channel(session, channel_id=body.channel_id).brand_id)
        made = channels.create_live(
            session,
            team=_team(body.team),
            actor=caller().actor,
            now=runtime().now(),
            **body.model_dump(exclude={"team"}),
        )
        return _live(session, made)

    return made_once(header.key, work)


@post("/live-codes/<placed_id>", scope=WRITE, tag=PLACES, answers={200: LiveAnswer}, refusals=(404, 409))
def change_live_code(path: PlacedPath, body: LiveChange) -> Response:
    """Change a live code: its team, how it chooses, or that it is in use."""

    def work(session: Session) -> LiveAnswer:
        now = _own(session, path.placed_id)
        kept = {name: getattr(now, name) for name in LiveChange.model_fields if name != "team"}
        before = [TeamLine(**line.model_dump()) for line in _team_of(session, now)]
        changed = channels.change_live(
            session,
            touchpoint_id=path.placed_id,
            team=before if body.team is None else _team(body.team),
            actor=caller().actor,
            now=runtime().now(),
            **{**kept, **body.model_dump(exclude_none=True, exclude={"team"})},
        )
        return _live(session, changed)

    return reply(runtime().db.retrying(work))


@get("/batches/<number>/channel", scope=READ, tag=PLACES, answers={200: BatchChannelAnswer}, refusals=(404,))
def show_batch_channel(path: BatchPath) -> Response:
    """Show the channel that explains items of a batch that were shipped nowhere."""
    with runtime().db.reading() as session:
        codes.get_batch(session, number=path.number, brand_id=caller().brand_id)
        found = channels.load_batch_channel(session, batch_number=path.number)
    return reply(BatchChannelAnswer(channel_id=found))


@post("/batches/<number>/channel", scope=WRITE, tag=PLACES, answers={200: BatchChannelAnswer}, refusals=(404, 409))
def set_batch_channel(path: BatchPath, body: BatchChannelChoice) -> Response:
    """Say which channel explains them, or that none does."""

    def work(session: Session) -> BatchChannelAnswer:
        batch = codes.get_batch(session, number=path.number, brand_id=caller().brand_id)
        channels.set_batch_channel(
            session,
            batch_number=path.number,
            brand_id=batch.brand_id,
            channel_id=body.channel_id,
            actor=caller().actor,
            now=runtime().now(),
        )
        return BatchChannelAnswer(channel_id=body.channel_id)

    return reply(runtime().db.retrying(work))


def _own(session: Session, placed_id: UUID) -> Touchpoint:
    found = channels.get_touchpoint(session, touchpoint_id=placed_id)
    own(found.brand_id)
    return found


def _columns(point: Touchpoint) -> dict[str, object]:
    url = cards.touch_url(runtime().settings.base_url, point.token)
    return {"url": url, **{name: getattr(point, name) for name in PlacedAnswer.model_fields if name != "url"}}


def _live(session: Session, point: Touchpoint) -> LiveAnswer:
    return LiveAnswer.model_validate({**_columns(point), "team": _team_of(session, point)})


def _team(team: list[TeamGuide]) -> list[TeamLine]:
    return [TeamLine(**line.model_dump()) for line in team]


def _team_of(session: Session, point: Touchpoint) -> list[TeamAnswer]:
    members = channels.team_of(session, touchpoint_id=point.id, day="")
    return [TeamAnswer(guide_id=one.guide.id, weight=one.weight, day_max=one.day_max) for one in members]
