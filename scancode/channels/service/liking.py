"""Links of products that people open: how often, of nobody; and of members who agreed to it, what each of them opened.

The counter of a link and day is the last row that an opening writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, delete, distinct, func, select, tuple_, update
from sqlalchemy.orm import Session

from scancode.channels.models import Liking, LinkDay
from scancode.db import affected, insert_once

CONTENT_MAX = 2000
LIKINGS_MAX = 2000
SWEPT_AT_ONCE = 500


@dataclass(frozen=True)
class Opened:
    """A link of a product, and the page of the product on which it stood (``rules.LINK_PAGES``)."""

    brand_id: UUID
    product_id: UUID
    link_id: UUID
    link_type: str
    page: str


def count_opening(session: Session, *, opened: Opened, day: str, now: datetime) -> None:
    """One opening more of this link on this day of the brand's."""
    here = and_(LinkDay.link_id == opened.link_id, LinkDay.day == day, LinkDay.page == opened.page)
    more = update(LinkDay).where(here).values(opened=LinkDay.opened + 1, last_at=now)
    if affected(session, more) == 0:
        insert_once(session, LinkDay, **vars(opened), day=day, opened=0, last_at=now)
        affected(session, more)


def like(session: Session, *, member_id: UUID, opened: Opened, now: datetime) -> None:
    """Keeps that the member opened it. Whether they agreed to that is the caller's to know."""
    here = and_(Liking.member_id == member_id, Liking.link_id == opened.link_id, Liking.page == opened.page)
    more = update(Liking).where(here).values(opened=Liking.opened + 1, last_at=now)
    if affected(session, more) == 0:
        insert_once(session, Liking, member_id=member_id, **vars(opened), opened=0, first_at=now, last_at=now)
        affected(session, more)


@dataclass(frozen=True)
class LikingFacts:
    product_id: UUID
    link_id: UUID
    link_type: str
    page: str
    opened: int
    first_at: datetime
    last_at: datetime


def likings_of(session: Session, *, member_id: UUID, limit: int = LIKINGS_MAX) -> list[LikingFacts]:
    """What is kept of a member, the newest first."""
    query = select(Liking).where(Liking.member_id == member_id)
    query = query.order_by(Liking.last_at.desc(), Liking.link_id, Liking.page).limit(limit)
    names = LikingFacts.__dataclass_fields__
    return [LikingFacts(**{name: getattr(row, name) for name in names}) for row in session.scalars(query)]


@dataclass(frozen=True)
class Taste:
    """A product, or a kind of link, that somebody likes; the link's kind where it is one."""

    of: UUID | str
    opened: int
    last_at: datetime


def tastes(likings: Iterable[LikingFacts], by: Callable[[LikingFacts], UUID | str], most: int) -> list[Taste]:
    """What a member opened most, by product or by kind of link; of equals the newer first."""
    found: dict[UUID | str, Taste] = {}
    for one in likings:
        before = found.get(by(one))
        count, last = (before.opened, before.last_at) if before else (0, one.last_at)
        found[by(one)] = Taste(by(one), count + one.opened, max(last, one.last_at))
    return sorted(found.values(), key=lambda one: (one.opened, one.last_at), reverse=True)[:most]


def forget_likings(session: Session, *, member_id: UUID) -> int:
    """Deletes what a member opened; the counts of links name nobody and stay."""
    return affected(session, delete(Liking).where(Liking.member_id == member_id))


def sweep_likings(session: Session, *, before: datetime) -> int:
    """Deletes some of what was last opened before; 0 when nothing is left."""
    query = select(Liking.member_id, Liking.link_id, Liking.page).where(Liking.last_at < before)
    keys = [tuple(row) for row in session.execute(query.order_by(Liking.last_at).limit(SWEPT_AT_ONCE))]
    if not keys:
        return 0
    old = tuple_(Liking.member_id, Liking.link_id, Liking.page).in_(keys)
    return affected(session, delete(Liking).where(old, Liking.last_at < before))


def opening_counts(session: Session, *, link_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How often each of these links was opened, ever."""
    query = select(LinkDay.link_id, func.sum(LinkDay.opened)).where(LinkDay.link_id.in_(list(link_ids)[:CONTENT_MAX]))
    return {link_id: int(count) for link_id, count in session.execute(query.group_by(LinkDay.link_id))}


@dataclass(frozen=True)
class ContentLine:
    """How often a link was opened on each page, and by how many members who agreed that it is kept."""

    product_id: UUID
    link_id: UUID
    link_type: str
    pages: dict[str, int]
    members: int
    last_at: datetime

    @property
    def opened(self) -> int:
        return sum(self.pages.values())


def content_of(session: Session, *, brand_id: UUID, first_day: str = "", last_day: str = "") -> list[ContentLine]:
    """The links of a brand that were opened on these days (both included), those opened most first. Members are
    counted whenever they opened one."""
    key = (LinkDay.product_id, LinkDay.link_id, LinkDay.link_type, LinkDay.page)
    times = func.sum(LinkDay.opened)
    query = select(*key, times, func.max(LinkDay.last_at)).where(LinkDay.brand_id == brand_id).group_by(*key)
    if first_day:
        query = query.where(LinkDay.day >= first_day)
    if last_day:
        query = query.where(LinkDay.day <= last_day)
    query = query.order_by(times.desc(), LinkDay.link_id, LinkDay.page).limit(CONTENT_MAX)
    liked = select(Liking.link_id, func.count(distinct(Liking.member_id))).where(Liking.brand_id == brand_id)
    fans = {link_id: int(count) for link_id, count in session.execute(liked.group_by(Liking.link_id))}
    lines: dict[UUID, ContentLine] = {}
    for product_id, link_id, link_type, page, count, last_at in session.execute(query):
        line = lines.setdefault(link_id, ContentLine(product_id, link_id, link_type, {}, fans.get(link_id, 0), last_at))
        pages = {**line.pages, page: line.pages.get(page, 0) + int(count)}
        lines[link_id] = ContentLine(product_id, link_id, link_type, pages, line.members, max(line.last_at, last_at))
    return sorted(lines.values(), key=lambda line: (-line.opened, str(line.link_id)))
