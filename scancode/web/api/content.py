"""What people open, for systems of the brand's own: each link of its products with its counts, and of one member what
they opened, while they agree that it is kept. Never who it was."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.channels.service.liking import ContentLine, LikingFacts
from scancode.members import service as members
from scancode.members.rules import PREFERENCES
from scancode.reports.rules import BadPeriod
from scancode.resolver import service as resolver
from scancode.resolver.service import StoredLink
from scancode.staff import service as staff
from scancode.web.api.access import brand_of_call, caller
from scancode.web.api.people import MemberPath, own_member
from scancode.web.api.reports import wants_csv
from scancode.web.api.routes import MEMBERS, REPORTS, get
from scancode.web.api.shapes import Answer, Asked, BrandSlug, Day, reply
from scancode.web.csv_files import csv_file
from scancode.web.runtime import runtime


class ContentQuery(Asked):
    """Of which days; all days where they are not named."""

    first: Day | None = None
    last: Day | None = None
    brand: BrandSlug | None = None


class LinkAnswer(Answer):
    """A link of a product. Title and address are empty once it is removed."""

    link_id: UUID
    link_type: str = Field(description="as GS1 names it", examples=["recipeInfo"])
    title: str
    address: str
    product_id: UUID
    gtin: str = Field(examples=["06901234567892"])


class OpenedAnswer(LinkAnswer):
    """How often a link was opened, by everybody."""

    opened_on_scan_page: int
    opened_on_product_page: int
    opened: int = Field(description="on any page")
    members: int = Field(description="who agreed that it is kept, and opened it at any time")
    last_opened_at: datetime = Field(description="on these days")


class ContentAnswer(Answer):
    """The links that were opened, those opened most first. At most 2000 pairs of a link and a page are told."""

    brand: str
    first: str | None
    last: str | None
    timezone: str
    items: list[OpenedAnswer]


class PreferenceAnswer(LinkAnswer):
    """What one member opened on one page."""

    page: Literal["scan", "product"] | None = Field(description="where the link stood; null where that was not said")
    opened: int
    first_at: datetime
    last_at: datetime


class PreferencesAnswer(Answer):
    """What a member opened, the newest first; at most 2000 lines. Nothing without their consent."""

    member_id: UUID
    agreed: bool = Field(description="whether they agree now that it is kept")
    items: list[PreferenceAnswer]


COLUMNS = tuple(OpenedAnswer.model_fields)


@get("/reports/content", scope="reports:read", tag=REPORTS, answers={200: ContentAnswer})
def show_content(query: ContentQuery) -> Response:
    """Read how often each link of a brand's products was opened.

    With `Accept: text/csv` as CSV in UTF-8, the same columns; that leaves a row in the audit record.
    """
    shared = runtime()
    with shared.db.reading() as session:
        brand = brand_of_call(session, query.brand)
        first, last = _days(query)
        lines = channels.content_of(session, brand_id=brand.id, first_day=first, last_day=last)
        links = _links(session, lines)
    items = [_opened(line, links.get(line.link_id)) for line in lines]
    if wants_csv():
        with shared.db.transaction() as session:
            staff.audit(
                session,
                actor=caller().actor,
                brand_id=brand.id,
                action="content.export",
                subject="links",
                facts={"rows": len(items), "first_day": first, "last_day": last},
                now=shared.now(),
            )
        rows = (item.model_dump(mode="json").values() for item in items)
        response = csv_file(f"content-{brand.slug}.csv", COLUMNS, rows, mark="")
    else:
        answer = ContentAnswer(
            brand=brand.slug, first=query.first, last=query.last, timezone=brand.timezone, items=items
        )
        response = reply(answer)
    response.vary.add("Accept")
    return response


@get(
    "/members/<member_id>/preferences",
    scope="members:read",
    tag=MEMBERS,
    answers={200: PreferencesAnswer},
    refusals=(404,),
)
def show_preferences(path: MemberPath) -> Response:
    """Show what a member opened, as far as they agree that it is kept."""
    with runtime().db.reading() as session:
        member = own_member(session, path.member_id)
        agreed = member.is_here and members.has_consent(session, member_id=member.id, purpose=PREFERENCES)
        found = channels.likings_of(session, member_id=member.id) if agreed else []
        links = _links(session, found)
    items = [_preference(one, links.get(one.link_id)) for one in found]
    return reply(PreferencesAnswer(member_id=member.id, agreed=agreed, items=items))


def _days(query: ContentQuery) -> tuple[str, str]:
    """The first and the last day, empty where none is named. Raises BadPeriod."""
    try:
        first, last = (date.fromisoformat(day).isoformat() if day else "" for day in (query.first, query.last))
    except ValueError as error:
        raise BadPeriod from error
    if first and last and last < first:
        raise BadPeriod
    return first, last


def _links(session: Session, lines: Iterable[ContentLine | LikingFacts]) -> dict[UUID, StoredLink]:
    return resolver.find_links(session, link_ids={line.link_id for line in lines})


def _named(line: ContentLine | LikingFacts, link: StoredLink | None) -> dict[str, Any]:
    product = runtime().products.get(line.product_id)
    return {
        "link_id": line.link_id,
        "link_type": line.link_type,
        "title": link.title if link else "",
        "address": link.href if link else "",
        "product_id": line.product_id,
        "gtin": product.gtin if product else "",
    }


def _opened(line: ContentLine, link: StoredLink | None) -> OpenedAnswer:
    return OpenedAnswer(
        **_named(line, link),
        opened_on_scan_page=line.pages.get("scan", 0),
        opened_on_product_page=line.pages.get("product", 0),
        opened=line.opened,
        members=line.members,
        last_opened_at=line.last_at,
    )


def _preference(one: LikingFacts, link: StoredLink | None) -> PreferenceAnswer:
    # What stands there was checked when it was kept.
    told = {"page": one.page or None, "opened": one.opened, "first_at": one.first_at, "last_at": one.last_at}
    return PreferenceAnswer.model_validate(_named(one, link) | told)
