"""The brand that a page is about: the person's own, or for the operator that of ``?brand=slug``. A page to look at
shows the first brand to an operator who names none; where something is changed the operator is asked.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scancode.catalog import service as catalog
from scancode.catalog.rules import BrandFacts
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.web.console import console
from scancode.web.console.access import brand_scope
from scancode.web.runtime import runtime


class NoBrandYet(Refusal):
    code = "no_brand_yet"
    text = N_("There is no brand yet. An administrator creates one first, under Brands.")
    status = 404


class BrandOpen(Refusal):
    code = "brand_open"
    text = N_("Choose the brand that this is for.")
    status = 422


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


def brand_to_change(session: Session) -> BrandFacts:
    """The brand in which something is to be changed. Raises as ``chosen_brand``, and BrandOpen where an operator has
    not said which of several."""
    if not request.args.get("brand") and len(brand_choices(session)) > 1:
        raise BrandOpen
    return chosen_brand(session)


@console.errorhandler(BrandOpen)
def _ask_for_brand(refusal: BrandOpen) -> ResponseReturnValue:
    """The brands to choose from; each leads to the page that was asked for."""
    with runtime().db.reading() as session:
        brands = brand_choices(session)
    kept = request.args.to_dict()
    ways = [(brand, f"{request.path}?{urlencode({**kept, 'brand': brand.slug})}") for brand in brands]
    is_asked = request.method == "GET"
    return render_template("console/choose_brand.html", ways=ways), 200 if is_asked else refusal.status


def brand_choices(session: Session) -> list[BrandFacts]:
    """The brands that the person may choose between; one alone needs no choosing."""
    return catalog.list_brands(session, brand_id=brand_scope())
