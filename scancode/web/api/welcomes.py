"""Welcomes, for a brand's own systems: what is said to who joins through a place, written together with the places."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.channels.service import WelcomeLine
from scancode.channels.welcomes import (
    BUTTON_LENGTH_MAX,
    LINK_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    TITLE_LENGTH_MAX,
    Target,
    WelcomeDraft,
)
from scancode.errors import Invalid, NotFound
from scancode.i18n import N_
from scancode.web.api.access import brand_of_call, caller
from scancode.web.api.routes import MEMBERS, get, post
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

TargetWord = Annotated[
    Literal["code", "guide", "store", "channel", "brand"],
    Field(description="what it belongs to; `code`: a placed or live code, `brand`: for everybody else"),
]


class WelcomeQuery(Asked):
    """Which welcomes, and which page."""

    brand: BrandSlug | None = None
    target: TargetWord | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class WelcomePlaceAsked(Asked):
    """The place that a welcome is of."""

    target: TargetWord
    target_id: UUID | None = Field(None, description="the id of the place; null for `brand`")
    brand: BrandSlug | None = None


class WelcomeTexts(WelcomePlaceAsked):
    """What shall be said. Text and button are given in both languages, or in none; a button needs a `link`."""

    title_zh: str = text_field(TITLE_LENGTH_MAX, min_length=1, examples=["欢迎来到静安寺店"])
    title_en: str = text_field(TITLE_LENGTH_MAX, min_length=1, examples=["Welcome to our store at Jing'an"])
    text_zh: str = text_field(TEXT_LENGTH_MAX, default="")
    text_en: str = text_field(TEXT_LENGTH_MAX, default="")
    link: str = text_field(LINK_LENGTH_MAX, default="", description="an https address, or a path of this service")
    button_zh: str = text_field(BUTTON_LENGTH_MAX, default="")
    button_en: str = text_field(BUTTON_LENGTH_MAX, default="")


class WelcomeAnswer(Answer):
    """A welcome and what became of it, of all its versions."""

    target: TargetWord
    target_id: UUID
    name: str = Field(description="of the place; empty for `brand`")
    is_on: bool = Field(description="false: its place is not in use, and it is given to nobody")
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    link: str
    button_zh: str
    button_en: str
    changed_at: datetime
    given: int = Field(description="members who were given it")
    seen: int = Field(description="members who saw it")
    opened: int = Field(description="how often its link was opened")


class WelcomePage(Answer):
    """Welcomes, those of codes first and that for everybody else last."""

    items: list[WelcomeAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


class WelcomeWritten(Answer):
    """It is given from now on."""

    id: UUID = Field(description="of the version")


class WelcomeRemoved(Answer):
    """It is given to nobody any more."""

    target: TargetWord
    target_id: UUID


@get("/welcomes", scope="members:read", tag=MEMBERS, answers={200: WelcomePage})
def list_welcomes(query: WelcomeQuery) -> Response:
    """List the welcomes of a brand, with how many members were given each."""
    after = read_cursor(query.cursor, Target, UUID) if query.cursor else None
    with runtime().db.reading() as session:
        rows = channels.list_welcomes(
            session,
            brand_id=brand_of_call(session, query.brand).id,
            target=Target(query.target) if query.target else None,
            after=(after[0], after[1]) if after else None,
            limit=query.limit + 1,
        )
    shown = rows[: query.limit]
    last = shown[-1].welcome if len(rows) > query.limit else None
    cursor = write_cursor(last.target.value, str(last.target_id)) if last else None
    return reply(WelcomePage(items=[_answer(row) for row in shown], next=cursor))


@post("/welcomes", scope="members:write", tag=MEMBERS, answers={200: WelcomeWritten}, refusals=(404, 409))
def write_welcome(body: WelcomeTexts) -> Response:
    """Write the welcome of a place, or of the brand, over the one before. Repeating it changes nothing."""
    draft = WelcomeDraft(**{name: getattr(body, name) for name in WelcomeDraft.__dataclass_fields__})

    def work(session: Session) -> WelcomeWritten:
        brand_id, target, target_id = _place(session, body)
        made = channels.write_welcome(
            session,
            brand_id=brand_id,
            target=target,
            target_id=target_id,
            draft=draft,
            actor=caller().actor,
            now=runtime().now(),
        )
        return WelcomeWritten(id=made)

    return reply(runtime().db.retrying(work))


@post("/welcomes/delete", scope="members:write", tag=MEMBERS, answers={200: WelcomeRemoved}, refusals=(404,))
def delete_welcome(body: WelcomePlaceAsked) -> Response:
    """Take the welcome of a place away. Who was given it keeps it."""

    def work(session: Session) -> WelcomeRemoved:
        brand_id, target, target_id = _place(session, body)
        channels.remove_welcome(
            session,
            brand_id=brand_id,
            target=target,
            target_id=target_id,
            actor=caller().actor,
            now=runtime().now(),
        )
        return WelcomeRemoved(target=target.value, target_id=target_id)

    return reply(runtime().db.retrying(work))


def _place(session: Session, body: WelcomePlaceAsked) -> tuple[UUID, Target, UUID]:
    """The brand of the call and the place. Raises Invalid where none is named, NotFound for another brand."""
    brand_id, target = brand_of_call(session, body.brand).id, Target(body.target)
    if target is Target.BRAND:
        if body.target_id not in (None, brand_id):
            raise NotFound
        return brand_id, target, brand_id
    if body.target_id is None:
        raise Invalid(field="target_id", problem=N_("Name the place that it is for."))
    return brand_id, target, body.target_id


def _answer(row: WelcomeLine) -> WelcomeAnswer:
    one = row.welcome
    return WelcomeAnswer(
        target=one.target.value,
        target_id=one.target_id,
        name=row.name,
        is_on=one.is_on,
        **vars(one.draft),
        changed_at=one.made_at,
        given=row.given,
        seen=row.seen,
        opened=row.opened,
    )
