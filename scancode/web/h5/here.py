"""Which brand a consumer page is about, and who stands before it.

A page may be asked for by name (``?brand=slug``); else it is the brand whose member the browser is, whose item it
scanned last, or whose placed code it opened. With one brand in the house there is nothing to ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import render_template, request
from sqlalchemy.exc import SQLAlchemyError

from scancode.catalog import service as catalog
from scancode.catalog.revision import NotInMemory
from scancode.catalog.rules import BrandFacts
from scancode.claims.rules import Claimant
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.members import service as members
from scancode.members.rules import MemberFacts
from scancode.scans import service as scans
from scancode.web.h5 import h5
from scancode.web.people import Person, current_person, sign_out_person, signed_in_brands
from scancode.web.runtime import Runtime, runtime
from scancode.web.visitor import current_visitor

LOCAL_PATH_MAX = 500


class WhichBrand(Refusal):
    code = "which_brand"
    text = N_("We do not know which brand this is about. Please scan the code on a package once more.")
    status = 404


def brand_here(*, newest_scan_first: bool = True) -> BrandFacts:
    """The brand of this request. Raises NotFound for a name that is none, WhichBrand when nothing tells."""
    shared = runtime()
    slug = request.values.get("brand", "").strip().lower()
    if slug:
        return _named(shared, slug)
    looks = [_of_scan, _of_membership] if newest_scan_first else [_of_membership, _of_scan]
    for look in (*looks, _of_touch, _only_one):
        brand_id = look(shared)
        brand = shared.brands.get(brand_id) if brand_id else None
        if brand is not None:
            return brand
    raise WhichBrand


def _named(shared: Runtime, slug: str) -> BrandFacts:
    with shared.db.reading() as db_session:
        found = catalog.find_brand(db_session, slug=slug)
    if found is None:
        raise NotFound
    return found


def _of_scan(shared: Runtime) -> UUID | None:
    visitor = current_visitor()
    if visitor.is_new:
        return None
    with shared.db.reading() as db_session:
        seen = scans.latest_of_visitor(db_session, visitor_id=visitor.id, limit=1)
    return seen[0].brand_id if seen else None


def _of_membership(shared: Runtime) -> UUID | None:
    known = signed_in_brands()
    return known[-1] if known else None


def _of_touch(shared: Runtime) -> UUID | None:
    touch = current_visitor().touch
    touchpoint = shared.touchpoints.get(touch.token) if touch else None
    return touchpoint.brand_id if touchpoint else None


def _only_one(shared: Runtime) -> UUID | None:
    only = only_brand()
    return only.id if only else None


def only_brand() -> BrandFacts | None:
    """The brand of a house that has one."""
    brands = runtime().houses.get(None)
    return brands[0] if len(brands) == 1 else None


@h5.app_template_global("only_brand")
def _brand_of_footer() -> BrandFacts | None:
    """The same, where it can be known: a page that says that the database does not answer is shown without it."""
    try:
        return only_brand()
    except (NotInMemory, SQLAlchemyError):
        return None


@h5.get("/contact")
def contact() -> str:
    """Whom to ask: every brand of the house with its customer service."""
    return render_template("h5/contact.html", brand=only_brand(), brands=runtime().houses.get(None))


@dataclass(frozen=True)
class Somebody:
    """Who stands before a page of a brand. ``member`` is None for a guest."""

    person: Person
    member: MemberFacts | None

    def claimant(self) -> Claimant:
        person = self.person
        return Claimant(
            current_visitor().id, person.identity_id, person.phone_identity_id, self.member.id if self.member else None
        )


def somebody(brand: BrandFacts) -> Somebody:
    """The person of this browser. A membership that was ended on another device is forgotten here too."""
    person = current_person(brand.id)
    if person.member_id is None:
        return Somebody(person, None)
    with runtime().db.reading() as db_session:
        member = members.find_member(db_session, member_id=person.member_id)
    if member is None or not member.is_here or member.brand_id != brand.id:
        sign_out_person(brand.id)
        return Somebody(Person(), None)
    return Somebody(person, member)


def origin_here(shared: Runtime) -> str:
    """The origin of ours where this browser stands, so that its cookies are there when it comes back; the base URL
    where it stands under a name that is none of ours."""
    ours = [base.lower() for base in shared.settings.scan_bases]
    here = request.host.lower()
    return next((base for base in ours if base.partition("://")[2] == here), ours[0])


def local_path(text: str | None, otherwise: str) -> str:
    """The text when it is a path of this host, else the other: a link never sends anybody elsewhere."""
    if not text or len(text) > LOCAL_PATH_MAX or not text.startswith("/") or text[1:2] in {"/", "\\"}:
        return otherwise
    if "\\" in text or any(ord(char) < 33 or ord(char) == 127 for char in text):
        return otherwise
    return text
