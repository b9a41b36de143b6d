"""The brand that a page is about: the person's own, or for the operator that of ``?brand=slug``, else the first."""

from __future__ import annotations

from flask import request
from sqlalchemy.orm import Session

from scancode.catalog import service as catalog
from scancode.catalog.rules import BrandFacts
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.web.console.access import brand_scope


class NoBrandYet(Refusal):
    code = "no_brand_yet"
    text = N_("There is no brand yet. An administrator creates one first, under Brands.")
    status = 404


def chosen_brand(session: Session) -> BrandFacts:
    """Raises NotFound for a brand that is not there or not the person's to see, NoBrandYet before there is any."""
    scope = brand_scope()
    brands = brand_choices(session)
    slug = request.args.get("brand", "")
    if slug and scope is None:
        found = catalog.find_brand(session, slug=slug)
        if found is None:
            raise NotFound
        return found
    if not brands:
        raise NoBrandYet
    return brands[0]


def brand_choices(session: Session) -> list[BrandFacts]:
    """The brands that the person may choose between; one alone needs no choosing."""
    return catalog.list_brands(session, brand_id=brand_scope())
