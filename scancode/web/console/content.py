"""What people open: how often each link of a product was opened, by nobody in particular, and by how many members who
agreed that it is kept."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scancode.catalog.rules import BrandFacts
from scancode.channels import service as channels
from scancode.channels.service.liking import ContentLine
from scancode.resolver import service as resolver
from scancode.resolver.link_types import LINK_TYPES
from scancode.resolver.service import StoredLink
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.chosen import brand_choices, chosen_brand
from scancode.web.console.moments import read_day
from scancode.web.csv_files import csv_file
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

HEADER = ("gtin", "product", "link_type", "title", "address", "opened_on_scan_page", "opened_on_product_page",
          "opened", "members", "last_opened_at")  # fmt: skip
marketing = allow(Role.MARKETING)


def link_kind(link_type: str) -> str:
    """The kind of a link as people call it."""
    return gettext(LINK_TYPES[link_type]) if link_type in LINK_TYPES else link_type


@console.get("/content", endpoint="content")
@marketing
def content_list() -> ResponseReturnValue:
    days = _days()
    with runtime().db.reading() as session:
        brand = chosen_brand(session)
        lines, links = _lines(session, brand, days)
        brands = brand_choices(session)
    return render_template(
        "console/content/list.html",
        brand=brand,
        brands=brands,
        lines=lines,
        links=links,
        days=days,
        product_name=lambda product_id: _product(product_id)[1],
        kind_name=link_kind,
        export_query=urlencode({"brand": brand.slug, **{name: value for name, value in days.items() if value}}),
    )


@console.post("/content/export")
@marketing
def export_content() -> ResponseReturnValue:
    """The same list as a CSV file; it names nobody."""
    shared, days = runtime(), _days()
    now = shared.now()
    with shared.db.transaction() as session:
        brand = chosen_brand(session)
        lines, links = _lines(session, brand, days)
        staff.audit(
            session,
            actor=current_staff().actor,
            brand_id=brand.id,
            action="content.export",
            subject="links",
            facts={"rows": len(lines), **days},
            now=now,
        )
    rows = [_cells(line, links.get(line.link_id)) for line in lines]
    return csv_file(f"content-{brand.slug}-{brand.day(now)}.csv", HEADER, rows)


def _days() -> dict[str, str]:
    return {name: read_day(request.args.get(name, "")) for name in ("first_day", "last_day")}


def _lines(
    session: Session, brand: BrandFacts, days: dict[str, str]
) -> tuple[list[ContentLine], dict[UUID, StoredLink]]:
    lines = channels.content_of(session, brand_id=brand.id, **days)
    return lines, resolver.find_links(session, link_ids=[line.link_id for line in lines])


def _product(product_id: UUID) -> tuple[str, str]:
    """GTIN and name."""
    page = runtime().products.get(product_id)
    return (page.gtin, page.name(current_locale())) if page else ("", "–")


def _cells(line: ContentLine, link: StoredLink | None) -> tuple[object, ...]:
    return (
        *_product(line.product_id),
        line.link_type,
        link.title if link else "",
        link.href if link else "",
        line.pages.get("scan", 0),
        line.pages.get("product", 0),
        line.opened,
        line.members,
        line.last_at.isoformat(),
    )
