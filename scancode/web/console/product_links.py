"""Where the Digital Links of a product, or of one batch, lead: a list with its default, and a form for each link."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField, URLField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from scancode.catalog import service as catalog
from scancode.catalog.models import Product
from scancode.channels import service as channels
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.errors import Invalid, Refusal
from scancode.resolver import service as resolver
from scancode.resolver.digital_link import NotDigitalLink, write
from scancode.resolver.link_types import LINK_TYPES
from scancode.resolver.rules import LANGUAGES, MEDIA_TYPES, TARGET_LENGTH_MAX, TITLE_LENGTH_MAX, LinkDraft
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff, visible
from scancode.web.console.session import refuse_field
from scancode.web.runtime import runtime

FIELD_OF = {"link_twice": "href", "links_full": "href"}


class LinkForm(FlaskForm):
    link_type = SelectField(lazy_gettext("What it leads to"))
    href = URLField(lazy_gettext("Address"), validators=[InputRequired(), Length(max=TARGET_LENGTH_MAX)])
    title = StringField(lazy_gettext("Title"), validators=[InputRequired(), Length(max=TITLE_LENGTH_MAX)])
    language = StringField(lazy_gettext("Language of the page"), validators=[Length(max=5)])
    media_type = SelectField(lazy_gettext("Kind of file"))
    is_default = BooleanField(lazy_gettext("The default: where it leads when nothing is asked for"))

    def offer(self) -> None:
        named = sorted((gettext(text), name) for name, text in LINK_TYPES.items())
        first = ("pip", "instructions")
        self.link_type.choices = [
            SelectChoice(name, f"{text} ({name})")
            for text, name in sorted(named, key=lambda each: (each[1] not in first, each[0]))
        ]
        self.media_type.choices = [SelectChoice("", gettext("Not said")), *(SelectChoice(each) for each in MEDIA_TYPES)]

    def draft(self) -> LinkDraft:
        return LinkDraft(
            link_type=self.link_type.data or "",
            href=self.href.data or "",
            title=self.title.data or "",
            language=self.language.data or "",
            media_type=self.media_type.data or "",
            is_default=bool(self.is_default.data),
        )


@dataclass(frozen=True)
class Place:
    """What links belong to."""

    product: Product
    batch: Batch | None

    @property
    def url(self) -> str:
        if self.batch is not None:
            return url_for("console.batch_links", number=self.batch.number)
        return url_for("console.product_links", product_id=self.product.id)

    @property
    def new_url(self) -> str:
        if self.batch is not None:
            return url_for("console.new_batch_link", number=self.batch.number)
        return url_for("console.new_product_link", product_id=self.product.id)

    def address(self) -> str:
        """The Digital Link that these links are for; empty where a batch has no lot that could be named."""
        if self.batch is not None and not self.batch.lot:
            return ""
        elements = [("01", self.product.gtin), *([("10", self.batch.lot)] if self.batch else [])]
        try:
            return write(elements, stem=runtime().settings.base_url.lower())
        except NotDigitalLink:  # a lot may hold what GS1 has no character for
            return ""


@console.get("/products/<uuid:product_id>/links")
@allow(Role.FACTORY, Role.MARKETING)
def product_links(product_id: UUID) -> ResponseReturnValue:
    return _list(_of_product(product_id))


@console.get("/batches/<int:number>/links")
@allow(Role.FACTORY, Role.MARKETING)
def batch_links(number: int) -> ResponseReturnValue:
    return _list(_of_batch(number))


@console.route("/products/<uuid:product_id>/links/new", methods=["GET", "POST"])
@allow(Role.MARKETING)
def new_product_link(product_id: UUID) -> ResponseReturnValue:
    return _edit(_of_product(product_id), None)


@console.route("/batches/<int:number>/links/new", methods=["GET", "POST"])
@allow(Role.MARKETING)
def new_batch_link(number: int) -> ResponseReturnValue:
    return _edit(_of_batch(number), None)


@console.route("/product-links/<uuid:link_id>", methods=["GET", "POST"])
@allow(Role.MARKETING)
def product_link(link_id: UUID) -> ResponseReturnValue:
    link, place = _found(link_id)
    return _edit(place, link)


@console.post("/product-links/<uuid:link_id>/<any(default, remove):verb>")
@allow(Role.MARKETING)
def change_product_link(link_id: UUID, verb: str) -> ResponseReturnValue:
    _, place = _found(link_id)
    act = resolver.make_default if verb == "default" else resolver.remove_link
    with runtime().db.transaction() as session:
        act(session, link_id=link_id, actor=current_staff().actor, now=runtime().now())
    said = {"default": gettext("This link is the default now."), "remove": gettext("The link is removed.")}
    flash(said[verb], "success")
    return redirect(place.url)


def _list(place: Place) -> ResponseReturnValue:
    number = place.batch.number if place.batch else None
    with runtime().db.reading() as session:
        rows = resolver.list_links(session, product_id=place.product.id, batch_number=number)
        above = resolver.list_links(session, product_id=place.product.id) if place.batch else []
        opened = channels.opening_counts(session, link_ids=[row.id for row in (*rows, *above)])
    return render_template(
        "console/links/list.html",
        place=place,
        rows=rows,
        above=above,
        opened=opened,
        address=place.address(),
        names={name: gettext(text) for name, text in LINK_TYPES.items()},
        may_change=current_staff().may((Role.MARKETING,)),
    )


def _edit(place: Place, link: resolver.StoredLink | None) -> ResponseReturnValue:
    form, shared = LinkForm(obj=link), runtime()
    form.offer()
    if form.validate_on_submit():
        try:
            with shared.db.transaction() as session:
                resolver.save_link(
                    session,
                    link_id=link.id if link else None,
                    product_id=place.product.id,
                    batch_number=place.batch.number if place.batch else None,
                    draft=form.draft(),
                    own_hosts=shared.settings.scan_bases,
                    actor=current_staff().actor,
                    now=shared.now(),
                )
        except Refusal as refusal:
            name = refusal.facts["field"] if isinstance(refusal, Invalid) else FIELD_OF.get(refusal.code)
            if name is None:
                raise
            refuse_field(form, name, refusal)
        else:
            flash(gettext("Saved. It holds within a second."), "success")
            return redirect(place.url)
    page = render_template("console/links/form.html", place=place, form=form, link=link, languages=LANGUAGES)
    return page, 422 if request.method == "POST" else 200


def _found(link_id: UUID) -> tuple[resolver.StoredLink, Place]:
    with runtime().db.reading() as session:
        link = resolver.get_link(session, link_id=link_id)
    return link, _of_batch(link.batch_number) if link.batch_number is not None else _of_product(link.product_id)


def _of_product(product_id: UUID) -> Place:
    with runtime().db.reading() as session:
        product = catalog.get_product(session, product_id=product_id)
    visible(product.brand_id)
    return Place(product, None)


def _of_batch(number: int) -> Place:
    with runtime().db.reading() as session:
        batch = codes.get_batch(session, number=number)
        product = catalog.get_product(session, product_id=batch.product_id)
    visible(batch.brand_id)
    return Place(product, batch)
