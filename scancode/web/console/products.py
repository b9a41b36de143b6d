"""Products and their pages: the GTIN, the names, the story in two languages, the pictures, and a live preview."""

from __future__ import annotations

import base64
import io
from uuid import UUID

import qrcode
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import FileField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from scancode.catalog import pictures
from scancode.catalog import service as catalog
from scancode.catalog.models import Product
from scancode.catalog.rules import PICTURES_MAX, STORY_LENGTH_MAX, ProductDraft
from scancode.errors import NotAllowed, Refusal
from scancode.i18n import N_
from scancode.staff.rules import Role
from scancode.web import preview
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.console.brands import brand_choices
from scancode.web.console.pages import Page, page_number
from scancode.web.console.session import refuse_field
from scancode.web.runtime import runtime

PAGE_SIZE = 50
FIELD_OF = {
    "gtin_form": "gtin",
    "gtin_check_digit": "gtin",
    "gtin_taken": "gtin",
    "text_missing": "name_zh",
    "text_too_long": "story_zh",
}


class NoPicture(Refusal):
    code = "picture_missing"
    text = N_("Choose a picture first.")
    status = 422


class ProductForm(FlaskForm):
    gtin = StringField(lazy_gettext("GTIN (number under the bar code)"), validators=[InputRequired(), Length(max=40)])
    name_zh = StringField(lazy_gettext("Name (Chinese)"), validators=[InputRequired(), Length(max=120)])
    name_en = StringField(lazy_gettext("Name (English)"), validators=[InputRequired(), Length(max=120)])
    spec_zh = StringField(lazy_gettext("Specification (Chinese)"), validators=[Length(max=120)])
    spec_en = StringField(lazy_gettext("Specification (English)"), validators=[Length(max=120)])
    story_zh = TextAreaField(lazy_gettext("Story (Chinese)"), validators=[Length(max=STORY_LENGTH_MAX)])
    story_en = TextAreaField(lazy_gettext("Story (English)"), validators=[Length(max=STORY_LENGTH_MAX)])

    def draft(self) -> ProductDraft:
        names = ("gtin", "name_zh", "name_en", "spec_zh", "spec_en", "story_zh", "story_en")
        return ProductDraft(**{name: self[name].data or "" for name in names})


class NewProductForm(ProductForm):
    brand = SelectField(lazy_gettext("Brand"), validators=[InputRequired()])


class PictureForm(FlaskForm):
    file = FileField(lazy_gettext("Picture"))
    alt_zh = StringField(lazy_gettext("What it shows (Chinese)"), validators=[Length(max=200)])
    alt_en = StringField(lazy_gettext("What it shows (English)"), validators=[Length(max=200)])


@console.get("/products")
@allow(Role.FACTORY, Role.MARKETING)
def products() -> ResponseReturnValue:
    shared = runtime()
    query, archived = request.args.get("q", "")[:80], request.args.get("archived") == "1"
    number = page_number()
    with shared.db.reading() as session:
        total = catalog.count_products(session, brand_id=brand_scope(), query=query, is_archived=archived)
        rows = catalog.list_products(
            session,
            brand_id=brand_scope(),
            query=query,
            is_archived=archived,
            offset=(number - 1) * PAGE_SIZE,
            limit=PAGE_SIZE,
        )
        covers = catalog.cover_pictures(session, product_ids=[row.id for row in rows])
    return render_template(
        "console/products/list.html",
        rows=rows,
        covers=covers,
        query=query,
        archived=archived,
        may_change=current_staff().may((Role.MARKETING,)),
        page=Page(number, PAGE_SIZE, len(rows), total),
    )


@console.route("/products/new", methods=["GET", "POST"])
@allow(Role.MARKETING)
def new_product() -> ResponseReturnValue:
    form, shared = NewProductForm(), runtime()
    with shared.db.reading() as session:
        form.brand.choices = brand_choices(session)
    if form.validate_on_submit():
        try:
            with shared.db.transaction() as session:
                made = catalog.create_product(
                    session,
                    brand_id=UUID(form.brand.data),
                    draft=form.draft(),
                    actor=current_staff().actor,
                    now=shared.now(),
                )
        except Refusal as refusal:
            _refuse(form, refusal)
        else:
            flash(gettext("The product is created. Add pictures, then look at the preview."), "success")
            return redirect(url_for("console.product", product_id=made.id))
    return render_template("console/products/new.html", form=form), 422 if request.method == "POST" else 200


@console.route("/products/<uuid:product_id>", methods=["GET", "POST"])
@allow(Role.FACTORY, Role.MARKETING)
def product(product_id: UUID) -> ResponseReturnValue:
    shared = runtime()
    may_change = current_staff().may((Role.MARKETING,))
    row = _visible_product(product_id)
    form = ProductForm(obj=row)
    if request.method == "POST":
        _may_change()
    if form.validate_on_submit():
        try:
            with shared.db.transaction() as session:
                catalog.change_product(
                    session, product_id=product_id, draft=form.draft(), actor=current_staff().actor, now=shared.now()
                )
        except Refusal as refusal:
            _refuse(form, refusal)
        else:
            flash(gettext("Saved. Consumer pages show it within a second."), "success")
            return redirect(url_for("console.product", product_id=product_id))
    with shared.db.reading() as session:
        shown = catalog.load_page(session, product_id=product_id)
    token = preview.sign(shared.settings, product_id)
    preview_url = shared.settings.base_url + url_for("h5.preview_product", token=token)
    page = render_template(
        "console/products/product.html",
        row=row,
        form=form,
        picture_form=PictureForm(formdata=None),
        pictures=shown.pictures if shown else (),
        pictures_max=PICTURES_MAX,
        may_change=may_change,
        preview_url=url_for("h5.preview_product", token=token),
        preview_qr=qr_of(preview_url),
    )
    return page, 422 if request.method == "POST" else 200


@console.post("/products/<uuid:product_id>/<any(archive, unarchive):verb>")
@allow(Role.MARKETING)
def archive_product(product_id: UUID, verb: str) -> ResponseReturnValue:
    _visible_product(product_id)
    with runtime().db.transaction() as session:
        catalog.archive_product(
            session,
            product_id=product_id,
            is_archived=verb == "archive",
            actor=current_staff().actor,
            now=runtime().now(),
        )
    said = {
        "archive": gettext("The product is archived: no codes can be ordered for it. Codes on the shelves live on."),
        "unarchive": gettext("The product is back on the list."),
    }
    flash(said[verb], "success")
    return redirect(url_for("console.product", product_id=product_id))


@console.post("/products/<uuid:product_id>/pictures")
@allow(Role.MARKETING)
def add_picture(product_id: UUID) -> ResponseReturnValue:
    _visible_product(product_id)
    form = PictureForm()
    try:
        upload = request.files.get("file")
        content = upload.stream.read(pictures.UPLOAD_BYTES_MAX + 1) if upload else b""
        if not content:
            raise NoPicture
        encoded = pictures.encode(content)
        with runtime().db.transaction() as session:
            catalog.add_picture(
                session,
                product_id=product_id,
                picture=encoded,
                alt_zh=(form.alt_zh.data or "")[:200],
                alt_en=(form.alt_en.data or "")[:200],
                actor=current_staff().actor,
                now=runtime().now(),
            )
    except Refusal as refusal:
        flash(refusal.sentence(gettext), "danger")
    else:
        flash(gettext("The picture is on the page."), "success")
    return _to_pictures(product_id)


@console.post("/products/<uuid:product_id>/pictures/<uuid:picture_id>/<any(earlier, later, remove):verb>")
@allow(Role.MARKETING)
def change_picture(product_id: UUID, picture_id: UUID, verb: str) -> ResponseReturnValue:
    _visible_product(product_id)
    actor, now = current_staff().actor, runtime().now()
    with runtime().db.transaction() as session:
        if verb == "remove":
            catalog.remove_picture(session, product_id=product_id, picture_id=picture_id, actor=actor, now=now)
        else:
            places = -1 if verb == "earlier" else 1
            catalog.move_picture(
                session, product_id=product_id, picture_id=picture_id, places=places, actor=actor, now=now
            )
    return _to_pictures(product_id)


def _to_pictures(product_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("console.product", product_id=product_id, _anchor="pictures"))


def _may_change() -> None:
    if not current_staff().may((Role.MARKETING,)):
        raise NotAllowed


def _visible_product(product_id: UUID) -> Product:
    with runtime().db.reading() as session:
        row = catalog.get_product(session, product_id=product_id)
    visible(row.brand_id)
    return row


def _refuse(form: FlaskForm, refusal: Refusal) -> None:
    name = FIELD_OF.get(refusal.code)
    if name is None:
        raise refusal
    refuse_field(form, name, refusal)


def qr_of(url: str) -> str:
    """A QR code as a data URL, to open the preview on a phone."""
    code = qrcode.QRCode(border=2, box_size=4)
    code.add_data(url)
    file = io.BytesIO()
    code.make_image().save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
