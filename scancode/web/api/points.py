"""The points of a member, for systems of the brand's own: a till that credits a purchase, a mall that takes what was
spent. Every change names its cause, which is unique within the brand: made again it is answered again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from scancode.errors import NotFound
from scancode.ledger import service as ledger
from scancode.ledger.rules import BY_HAND_MAX, NOTE_LENGTH_MAX
from scancode.members.rules import MemberFacts, NotAMember
from scancode.stories import points
from scancode.web.api.access import brand_of_call, caller
from scancode.web.api.once import Repeating, made_once
from scancode.web.api.people import MemberPath, own_member
from scancode.web.api.routes import POINTS, get, post
from scancode.web.api.shapes import (
    Answer,
    Asked,
    BrandSlug,
    Cursor,
    Limit,
    Moment,
    moment,
    read_cursor,
    reply,
    text_field,
    write_cursor,
)
from scancode.web.runtime import runtime

LOTS_MAX = 500
Points = Annotated[int, Field(strict=True, ge=-BY_HAND_MAX, le=BY_HAND_MAX, examples=[120])]


class PointsQuery(Asked):
    """When."""

    at: Moment | None = Field(None, description="a past moment; now if left out")


class EntriesQuery(Asked):
    """Which entries."""

    limit: Limit = 50
    cursor: Cursor | None = None


class PointsAnswer(Answer):
    """What a member holds. At a past moment only the balance is known."""

    balance: int
    available: int | None = Field(description="what can be spent: 0 while the account is frozen")
    reserved: int | None = Field(description="part of the balance, promised to something")
    pending: int | None = Field(description="still to come; not part of the balance")
    is_frozen: bool | None


class EntryAnswer(Answer):
    """One line of the ledger: above 0 it came in, below 0 it went out."""

    id: UUID
    points: int
    cause: str = Field(description="`claim:…` of a code, `api:…` by this API, and others", examples=["api:order-7"])
    note: str | None
    at: datetime


class EntryPage(Answer):
    """Entries, the newest first."""

    items: list[EntryAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


class LotAnswer(Answer):
    """Points that came in together and expire together."""

    id: UUID
    points: int = Field(description="how many came in")
    left: int
    earned_at: datetime
    expires_at: datetime | None = Field(description="from then on they are no longer good; null for ever")
    reminded_at: datetime | None = Field(description="when the member began to be told")


class LotList(Answer):
    """What is left, in the order in which it is spent: the first 500."""

    items: list[LotAnswer]


class PointsChange(Asked):
    """Points to be given (above 0) or taken (below 0)."""

    points: Points = Field(description="not 0")
    cause: str = Field(
        pattern=r"^[A-Za-z0-9._:-]{1,80}$",
        description="your number for what this is for, such as an order's: unique within the brand, for ever. It stays "
        "when the member leaves, so it is never a phone number or a name: words go into `note`, which is erased then",
        examples=["order-2026-1122-7"],
    )
    note: str = text_field(NOTE_LENGTH_MAX, min_length=1, description="why, in words for staff")


class ChangeAnswer(Answer):
    """The change stands in the ledger."""

    is_new: bool = Field(description="false where the same change was made before: nothing was done again")
    balance: int = Field(description="after it")
    state: Literal["posted"] = "posted"


@get("/members/<member_id>/points", scope="points:read", tag=POINTS, answers={200: PointsAnswer}, refusals=(404,))
def show_points(path: MemberPath, query: PointsQuery) -> Response:
    """Show what a member holds, now or at a past moment."""
    with runtime().db.reading() as session:
        member = own_member(session, path.member_id)
        if query.at is not None:
            balance = ledger.balance_at(session, account_id=member.id, moment=query.at)
            return reply(PointsAnswer(balance=balance, available=None, reserved=None, pending=None, is_frozen=None))
        found = ledger.account(session, account_id=member.id)
    is_frozen = found.frozen_at is not None
    answer = PointsAnswer(
        balance=found.balance,
        available=0 if is_frozen else found.available,
        reserved=found.reserved,
        pending=found.pending,
        is_frozen=is_frozen,
    )
    return reply(answer)


@get("/members/<member_id>/points/entries", scope="points:read", tag=POINTS, answers={200: EntryPage}, refusals=(404,))
def list_point_entries(path: MemberPath, query: EntriesQuery) -> Response:
    """List the entries of a member, the newest first."""
    before = read_cursor(query.cursor, UUID)[0] if query.cursor else None
    with runtime().db.reading() as session:
        member = own_member(session, path.member_id)
        rows = ledger.entries(session, account_id=member.id, limit=query.limit + 1, before=before)
    items = [
        EntryAnswer(id=one.id, points=one.points, cause=one.cause, note=one.note, at=one.occurred_at)
        for one in rows[: query.limit]
    ]
    end = write_cursor(str(items[-1].id)) if len(rows) > query.limit else None
    return reply(EntryPage(items=items, next=end))


@get("/members/<member_id>/points/lots", scope="points:read", tag=POINTS, answers={200: LotList}, refusals=(404,))
def list_point_lots(path: MemberPath) -> Response:
    """List what is left of a member's points, and until when it is good."""
    with runtime().db.reading() as session:
        member = own_member(session, path.member_id)
        lots = ledger.list_lots(session, account_id=member.id, limit=LOTS_MAX)
    items = [
        LotAnswer(
            id=lot.id,
            points=lot.points,
            left=lot.left_points,
            earned_at=lot.earned_at,
            expires_at=lot.expires_at,
            reminded_at=lot.reminded_at,
        )
        for lot in lots
    ]
    return reply(LotList(items=items))


class ReminderQuery(Asked):
    """Which of them."""

    brand: BrandSlug | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class ReminderAnswer(Answer):
    """That a lot of points is about to expire: there is one for each lot, ever."""

    member_id: UUID = Field(description="or the account of somebody who is no member yet")
    lot_id: UUID
    points: int = Field(description="how many were left when it was written")
    expires_at: datetime
    made_at: datetime
    state: Literal["waiting", "sent", "page"] = Field(
        description="`waiting` for a message; `sent`; on the person's `page` alone"
    )
    reason: str = Field(description="why no message went out; empty where one did or still may")


class ReminderPage(Answer):
    """Reminders, the newest first."""

    items: list[ReminderAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


@get("/points/reminders", scope="points:read", tag=POINTS, answers={200: ReminderPage})
def list_point_reminders(query: ReminderQuery) -> Response:
    """List who is told that points expire, the newest first."""
    before = read_cursor(query.cursor, moment, UUID) if query.cursor else None
    with runtime().db.reading() as session:
        brand = brand_of_call(session, query.brand)
        rows = ledger.list_reminders(
            session, brand_id=brand.id, limit=query.limit + 1, before=(before[0], before[1]) if before else None
        )
    shown = rows[: query.limit]
    end = write_cursor(shown[-1].made_at.isoformat(), str(shown[-1].lot_id)) if len(rows) > query.limit else None
    items = [
        ReminderAnswer(
            member_id=one.account_id,
            lot_id=one.lot_id,
            points=one.points,
            expires_at=one.expires_at,
            made_at=one.made_at,
            state=one.state.value,
            reason=one.reason,
        )
        for one in shown
    ]
    return reply(ReminderPage(items=items, next=end))


@post("/members/<member_id>/points", scope="points:write", tag=POINTS, answers={201: ChangeAnswer}, refusals=(404, 409))
def change_points(path: MemberPath, header: Repeating, body: PointsChange) -> Response:
    """Give a member points, or take some.

    Never more than there is: 409 `overdrawn`. The same `cause` with the same member and points is answered again, with
    others it is 409 `points_cause_used`.
    """

    def work(session: Session) -> ChangeAnswer:
        member = own_member(session, path.member_id)
        account = _account(member)
        is_new = points.enter(
            session, account=account, cause=body.cause, points=body.points, note=body.note, now=runtime().now()
        )
        return ChangeAnswer(is_new=is_new, balance=ledger.balance(session, account_id=member.id))

    return made_once(header.key, work)


def _account(member: MemberFacts) -> points.Account:
    """Raises NotAMember of somebody who has left, NotFound while the brand is being made known."""
    brand = runtime().brands.get(member.brand_id)
    if brand is None:
        raise NotFound
    if not member.is_here:
        raise NotAMember
    return points.Account(member.id, brand, caller().actor)
