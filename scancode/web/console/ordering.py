"""Ordering codes in the console: the form, what it refuses, and the label that it would print."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import BooleanField, IntegerField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput

from batches.codes import MAX_BATCH_COUNT, Kind
from batches.errors import PressError
from batches.layouts import Layout
from batches.press import DRAWN_COUNT_MAX, DRAWN_FILE_COUNT
from batches.preview import preview_of, sheet_of
from batches.spec import BatchSpec
from batches.ticket import ROWS_PER_FILE_MIN, USUAL, Ticket
from scancode.catalog import service as catalog
from scancode.catalog.models import Product
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.codes.orders import (
    NOTE_LENGTH_MAX,
    ORDER_COUNT_MAX,
    ORDER_NO_LENGTH_MAX,
    LayoutUnknown,
    OrderDraft,
    check_host,
    unprintable,
)
from scancode.codes.rules import BatchState
from scancode.errors import NotFound, Refusal
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.console.label_layouts import previewed
from scancode.web.console.moments import today
from scancode.web.console.session import refuse_field
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

FIELD_OF = {
    "order_no": "order_no",
    "order_no_taken": "order_no",
    "order_count": "count",
    "order_kinds": "kinds",
    "product_archived": "product",
    "order_unprintable": "formats",
    "order_replaces": "replaces",
    "scan_host": "base_url",
    "not_found": "replaces",
    "layout_unknown": "layout",
}


class OrderForm(FlaskForm):
    """An order. The order number is what makes pressing the button twice harmless."""

    product = SelectField(lazy_gettext("Product"), validators=[InputRequired()])
    count = IntegerField(lazy_gettext("Number of items"), validators=[InputRequired(), NumberRange(1, ORDER_COUNT_MAX)])
    kinds = SelectMultipleField(
        lazy_gettext("Codes on each item"),
        choices=[
            SelectChoice(
                Kind.INNER.label, lazy_gettext("Inner code: under the cap or inside the box; verifies and rewards")
            ),
            SelectChoice(Kind.OUTER.label, lazy_gettext("Outer code: on the outside; verifies, never rewards")),
            SelectChoice(Kind.CASE.label, lazy_gettext("Case code: on the shipping case")),
            SelectChoice(Kind.PALLET.label, lazy_gettext("Pallet code")),
        ],
        default=[Kind.INNER.label],
        option_widget=CheckboxInput(),
    )
    formats = SelectMultipleField(
        lazy_gettext("Files"),
        choices=[
            SelectChoice("csv", lazy_gettext("CSV: serial, code and address in columns")),
            SelectChoice("txt", lazy_gettext("TXT: one address a line, for print engines")),
            SelectChoice("xlsx", lazy_gettext("XLSX: the same columns for Excel, codes as text")),
            SelectChoice("pdf", lazy_gettext("PDF: labels, ready to print")),
            SelectChoice("zpl", lazy_gettext("ZPL: labels for thermal printers")),
            SelectChoice("png", lazy_gettext("PNG: one picture a code, in ZIP files")),
            SelectChoice("svg", lazy_gettext("SVG: one vector picture a code, in ZIP files")),
        ],
        default=["csv"],
        option_widget=CheckboxInput(),
    )
    order_no = StringField(lazy_gettext("Order number"), validators=[InputRequired(), Length(max=ORDER_NO_LENGTH_MAX)])
    lot = StringField(lazy_gettext("Production lot"), validators=[Length(max=20)])
    note = StringField(lazy_gettext("Note"), validators=[Length(max=NOTE_LENGTH_MAX)])
    base_url = StringField(lazy_gettext("Address printed on the codes"), validators=[InputRequired(), Length(max=110)])
    is_test = BooleanField(lazy_gettext("Test batch"))
    replaces = IntegerField(
        lazy_gettext("Replaces batch"), validators=[Optional(), NumberRange(0, MAX_BATCH_COUNT - 1)]
    )
    digital_link = BooleanField(lazy_gettext("GS1 Digital Link"))
    layout = SelectField(lazy_gettext("Layout of labels"), default="")
    encoding = SelectField(
        lazy_gettext("Encoding"),
        default=USUAL,
        choices=[
            SelectChoice("usual", lazy_gettext("Usual: CSV with byte-order mark, TXT without")),
            SelectChoice("utf-8-bom", lazy_gettext("UTF-8 with byte-order mark")),
            SelectChoice("utf-8", lazy_gettext("UTF-8 without byte-order mark")),
            SelectChoice("gbk", "GBK"),
        ],
    )
    newline = SelectField(
        lazy_gettext("Line ends"),
        default=USUAL,
        choices=[
            SelectChoice("usual", lazy_gettext("Usual: CSV with CRLF, TXT with LF")),
            SelectChoice("crlf", "CRLF"),
            SelectChoice("lf", "LF"),
        ],
    )
    header = SelectField(
        lazy_gettext("Header of tables"),
        default="en",
        choices=[
            SelectChoice("en", lazy_gettext("English names")),
            SelectChoice("zh", lazy_gettext("Chinese names")),
            SelectChoice("none", lazy_gettext("No header")),
        ],
    )
    with_product = BooleanField(lazy_gettext("Product, GTIN and lot in every row"))
    rows_per_file = IntegerField(
        lazy_gettext("Rows a file"), validators=[Optional(), NumberRange(ROWS_PER_FILE_MIN, MAX_BATCH_COUNT)]
    )
    spoilage = IntegerField(
        lazy_gettext("Of these spare"), validators=[Optional(), NumberRange(0, MAX_BATCH_COUNT - 1)]
    )
    is_offline = BooleanField(lazy_gettext("Made offline with a press kit"))


@console.route("/batches/order", methods=["GET", "POST"])
@allow(Role.FACTORY)
def order() -> ResponseReturnValue:
    form, shared = OrderForm(), runtime()
    with shared.db.reading() as session:
        offered = catalog.list_products(session, brand_id=brand_scope(), limit=1000)
        layouts = {str(row.id): row for row in codes.list_layouts(session, brand_id=brand_scope())}
    form.product.choices = [SelectChoice(str(row.id), f"{_name(row)} · {row.gtin}") for row in offered]
    if len(offered) > 1:  # nobody orders codes for the first of a list by mistake
        form.product.choices.insert(0, SelectChoice("", gettext("Choose the product")))
    form.layout.choices = [
        SelectChoice("", lazy_gettext("A4, 5 x 10")),
        *(SelectChoice(key, row.name) for key, row in layouts.items()),
    ]
    if request.method == "GET":
        form.base_url.data = shared.settings.base_url
        form.order_no.data = f"{today(shared.now()):%Y%m%d}-{secrets.randbelow(9000) + 1000}"
        form.product.data = request.args.get("product")
        form.replaces.data = request.args.get("replaces", type=int)
    if form.validate_on_submit():
        try:
            batch = _place(form, {str(row.id): row.brand_id for row in offered}, layouts)
        except Refusal as refusal:
            name = FIELD_OF.get(refusal.code)
            if name is None:
                raise
            refuse_field(form, name, refusal)
        else:
            flash(_ordered_words(batch), "success")
            return redirect(url_for("console.batch", number=batch.number))
    page = render_template(
        "console/batches/order.html",
        form=form,
        has_products=bool(offered),
        drawn_max=DRAWN_COUNT_MAX,
        count_max=ORDER_COUNT_MAX,
        hosts=shared.settings.scan_bases,
    )
    return page, 422 if request.method == "POST" else 200


def _ordered_words(batch: Batch) -> str:
    if batch.state == BatchState.WAITING:
        words = gettext("Ordered. It is large, so a second person has to approve it before its codes are made.")
    elif batch.is_offline:
        words = gettext("Ordered. Now ask for a press kit for whoever prints it.")
    else:
        words = gettext("Ordered. The files are made in the background; this page shows how far they are.")
    return str(words)


def _place(form: OrderForm, brand_of: dict[str, UUID], layouts: dict[str, codes.SavedLayout]) -> Batch:
    shared, person = runtime(), current_staff()
    brand_id = brand_of[form.product.data]
    saved = layouts.get(form.layout.data or "")
    if saved is not None and saved.brand_id != brand_id:
        raise LayoutUnknown(name=saved.name)
    return shared.db.retrying(
        lambda session: codes.order(
            session,
            brand_id=brand_id,
            product_id=UUID(form.product.data),
            order_no=form.order_no.data or "",
            count=form.count.data or 0,
            kinds=[Kind.of(label) for label in form.kinds.data or []],
            formats=form.formats.data or [],
            lot=form.lot.data or "",
            note=form.note.data or "",
            base_url=check_host(form.base_url.data or "", shared.settings.scan_bases),
            digital_link=bool(form.digital_link.data),
            ticket=_ticket(form, saved),
            is_test=bool(form.is_test.data),
            replaces=form.replaces.data,
            is_offline=bool(form.is_offline.data),
            approval_above=shared.settings.order_limit,
            kid=shared.keyring.newest,
            staff_id=person.id,
            actor=person.actor,
            now=shared.now(),
        )
    )


def _ticket(form: OrderForm, saved: codes.SavedLayout | None) -> Ticket:
    """How the files are to be written. Raises BadOrder."""
    try:
        return Ticket(
            encoding=form.encoding.data or USUAL,
            newline=form.newline.data or USUAL,
            header=form.header.data or "en",
            with_product=bool(form.with_product.data),
            rows_per_file=form.rows_per_file.data or 0,
            spoilage=form.spoilage.data or 0,
            layout=Layout() if saved is None else saved.layout,
        )
    except PressError as error:
        raise unprintable(error) from error


@console.get("/batches/order/preview")
@allow(Role.FACTORY)
def label_preview() -> ResponseReturnValue:
    """What the choices of the form so far would print, a label of each kind and a page, and what it comes to."""
    shown: dict[str, Any] = {"drawn": [], "problem": None, "layout": Layout(), "sheet": None, "summary": None}
    if request.args.get("product"):
        with runtime().db.reading() as session:
            try:
                product, shown["layout"] = _chosen(session)
            except ValueError:
                raise NotFound from None
            try:
                shown |= _previewed(session, product, shown["layout"])
            except PressError as error:
                shown["problem"] = unprintable(error).sentence(gettext)
            except Refusal as refusal:
                shown["problem"] = refusal.sentence(gettext)
    return previewed(**shown)


def _chosen(session: Session) -> tuple[Product, Layout]:
    """The product and the layout that are chosen. Raises NotFound, ValueError."""
    product = catalog.get_product(session, product_id=UUID(request.args["product"]))
    visible(product.brand_id)
    if not request.args.get("layout"):
        return product, Layout()
    saved = codes.get_layout(session, layout_id=UUID(request.args["layout"]))
    visible(saved.brand_id)
    return product, saved.layout


def _previewed(session: Session, product: Product, layout: Layout) -> dict[str, Any]:
    """Raises PressError, and Refusal for what the press would refuse."""
    asked = request.args
    kinds = [kind for kind in Kind if kind.label in asked.getlist("kinds")] or [Kind.INNER]
    count = asked.get("count", 0, type=int)
    spec = BatchSpec(
        number=0,
        kinds=tuple(kinds),
        count=min(max(count, 1), DRAWN_FILE_COUNT),
        host=asked.get("base_url") or runtime().settings.base_url,
        product_name=product.name_zh,
        gtin=product.gtin,
        order_no=asked.get("order_no", "")[:60],
        is_test="is_test" in asked,
        digital_link="digital_link" in asked,
        sscc_prefix=catalog.get_brand(session, brand_id=product.brand_id).company_prefix,
    )
    drawn = [(kind, preview_of(spec, kind, layout)) for kind in kinds]
    sheet = sheet_of(spec, kinds[0], layout) if "pdf" in asked.getlist("formats") else None
    return {"drawn": drawn, "sheet": sheet, "summary": _summary(session, product, kinds, layout)}


@dataclass(frozen=True)
class Summary:
    """What an order comes to, told before it is placed."""

    items: int
    codes: int
    batches: int
    size_bytes: int
    """Of all files, at most."""
    must_wait: bool
    """For a second person: it exceeds ``limit``, what one person may order in a day."""
    limit: int


def _summary(session: Session, product: Product, kinds: list[Kind], layout: Layout) -> Summary | None:
    """None while no number of items is typed. Raises BadOrder for what the press would refuse, PressError."""
    asked, shared, person = request.args, runtime(), current_staff()
    count = asked.get("count", type=int)
    if count is None or not 1 <= count <= ORDER_COUNT_MAX or not asked.getlist("formats"):
        return None
    draft = OrderDraft(
        product_id=product.id,
        order_no="-",
        count=count,
        kinds=tuple(kinds),
        formats=tuple(asked.getlist("formats")),
        base_url=asked.get("base_url") or shared.settings.base_url,
        digital_link="digital_link" in asked,
        ticket=Ticket(layout=layout),
    ).checked()
    must_wait, limit = codes.waits(
        session,
        brand_id=product.brand_id,
        staff_id=person.id,
        count=count,
        otherwise=shared.settings.order_limit,
        now=shared.now(),
    )
    return Summary(count, count * len(kinds), len(draft.counts), draft.size_bytes, must_wait, limit)


def _name(product: object) -> str:
    return str(getattr(product, "name_zh" if current_locale() == "zh" else "name_en"))
