"""Saved layouts of labels: how large, how many on a page, cut where; with the label as it would be printed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.datastructures import ImmutableMultiDict
from wtforms import BooleanField, FloatField, IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from batches.errors import PressError
from batches.items import Kind
from batches.layouts import PRINTER_DPI, Layout
from batches.preview import Preview, preview_of, sheet_of
from batches.spec import BatchSpec
from scancode.codes import service as codes
from scancode.codes.orders import unprintable
from scancode.errors import Refusal
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.console.brands import brand_choices
from scancode.web.console.session import refuse_field
from scancode.web.runtime import runtime

FIELD_OF = {
    "layout_name": "name",
    "layout_name_taken": "name",
    "layouts_full": "name",
    "order_unprintable": "label_width_mm",
}
SAMPLE_NAME = "示例产品 500ml"
SAMPLE_PREFIX = "6901234"
SAMPLE_ORDER = "PO-2026-1122"

_FLOATS = ("label_width_mm", "label_height_mm", "gap_x_mm", "gap_y_mm", "bleed_mm", "text_pt")


class LayoutForm(FlaskForm):
    brand = SelectField(lazy_gettext("Brand"), validators=[InputRequired()])
    name = StringField(lazy_gettext("Name of the layout"), validators=[InputRequired(), Length(max=60)])
    medium = SelectField(
        lazy_gettext("Printed on"),
        choices=[
            SelectChoice("a4", lazy_gettext("A4 sheets")),
            SelectChoice("roll", lazy_gettext("A roll, lanes side by side")),
            SelectChoice("single", lazy_gettext("Single labels")),
        ],
    )
    columns = IntegerField(lazy_gettext("Labels across"), default=5, validators=[InputRequired(), NumberRange(1, 50)])
    rows = IntegerField(lazy_gettext("Labels down"), default=10, validators=[InputRequired(), NumberRange(1, 50)])
    label_width_mm = FloatField(lazy_gettext("Label width, mm"), default=36.0, validators=[InputRequired()])
    label_height_mm = FloatField(lazy_gettext("Label height, mm"), default=26.0, validators=[InputRequired()])
    gap_x_mm = FloatField(lazy_gettext("Gap between columns, mm"), default=0.0, validators=[InputRequired()])
    gap_y_mm = FloatField(lazy_gettext("Gap between rows, mm"), default=0.0, validators=[InputRequired()])
    bleed_mm = FloatField(lazy_gettext("Bleed, mm"), default=0.0, validators=[InputRequired()])
    crop_marks = BooleanField(lazy_gettext("Crop marks and margin"), default=True)
    dpi = SelectField(
        lazy_gettext("Printer"),
        choices=[SelectChoice("", lazy_gettext("Any")), *(SelectChoice(str(dpi), f"{dpi} dpi") for dpi in PRINTER_DPI)],
    )
    module_mm = FloatField(lazy_gettext("Module, mm"), validators=[Optional()])
    text_pt = FloatField(lazy_gettext("Type size, pt"), default=6.5, validators=[InputRequired()])
    shows_name = BooleanField(lazy_gettext("Product name"), default=True)
    shows_code = BooleanField(lazy_gettext("Code in text"), default=True)
    tint = StringField(lazy_gettext("Colour of the label"), validators=[Length(max=7)])

    def layout(self) -> Layout:
        """Raises BadOrder, with the press's own sentence."""
        medium = self.medium.data or "a4"
        given: dict[str, Any] = {name: float(self[name].data or 0) for name in _FLOATS}
        return codes.layout_from(
            given
            | {
                "medium": medium,
                "columns": 1 if medium == "single" else self.columns.data or 1,
                "rows": self.rows.data or 1 if medium == "a4" else 1,
                "crop_marks": bool(self.crop_marks.data),
                "dpi": int(self.dpi.data) if self.dpi.data else None,
                "module_mm": self.module_mm.data or None,
                "shows_name": bool(self.shows_name.data),
                "shows_code": bool(self.shows_code.data),
                "tint": (self.tint.data or "").strip().lower(),
            }
        )


@console.get("/layouts")
@allow(Role.FACTORY)
def label_layouts() -> ResponseReturnValue:
    with runtime().db.reading() as session:
        rows = codes.list_layouts(session, brand_id=brand_scope())
    return render_template("console/layouts/list.html", rows=[(row, _drawn(row.layout)) for row in rows])


@console.route("/layouts/new", methods=["GET", "POST"])
@allow(Role.FACTORY)
def new_label_layout() -> ResponseReturnValue:
    form, shared = LayoutForm(), runtime()
    with shared.db.reading() as session:
        form.brand.choices = brand_choices(session)
    if form.validate_on_submit() and _saved(form, None, UUID(form.brand.data)):
        return redirect(url_for("console.label_layouts"))
    page = render_template("console/layouts/layout.html", form=form, row=None)
    return page, 422 if request.method == "POST" else 200


@console.route("/layouts/<uuid:layout_id>", methods=["GET", "POST"])
@allow(Role.FACTORY)
def label_layout(layout_id: UUID) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        row = codes.get_layout(session, layout_id=layout_id)
    visible(row.brand_id)
    shown = {**row.layout.to_dict(), "name": row.name, "dpi": str(row.layout.dpi or "")}
    form = LayoutForm(data=shown)
    del form.brand
    if form.validate_on_submit() and _saved(form, layout_id, row.brand_id):
        return redirect(url_for("console.label_layouts"))
    page = render_template("console/layouts/layout.html", form=form, row=row)
    return page, 422 if request.method == "POST" else 200


def _saved(form: LayoutForm, layout_id: UUID | None, brand_id: UUID) -> bool:
    """Whether the layout is saved; else the form says why not."""
    shared, person = runtime(), current_staff()
    try:
        layout = form.layout()
        with shared.db.transaction() as session:
            codes.save_layout(
                session,
                layout_id=layout_id,
                brand_id=brand_id,
                name=form.name.data or "",
                layout=layout,
                actor=person.actor,
                now=shared.now(),
            )
    except Refusal as refusal:
        name = FIELD_OF.get(refusal.code)
        if name is None:
            raise
        refuse_field(form, name, refusal)
        return False
    flash(gettext("The layout is saved. Orders placed before keep what they were ordered with."), "success")
    return True


@console.post("/layouts/<uuid:layout_id>/delete")
@allow(Role.FACTORY)
def delete_label_layout(layout_id: UUID) -> ResponseReturnValue:
    shared, person = runtime(), current_staff()
    with shared.db.transaction() as session:
        visible(codes.get_layout(session, layout_id=layout_id).brand_id)
        codes.delete_layout(session, layout_id=layout_id, actor=person.actor, now=shared.now())
    flash(gettext("The layout is deleted. What was ordered with it keeps its copy."), "success")
    return redirect(url_for("console.label_layouts"))


@console.get("/layouts/preview")
@allow(Role.FACTORY)
def layout_preview() -> ResponseReturnValue:
    """The label, and the page of them, that the fields so far describe."""
    form = LayoutForm(ImmutableMultiDict(request.args), meta={"csrf": False})
    problem, drawn, layout, sheet = None, [], Layout(), None
    try:
        layout = form.layout()
        drawn = [(Kind.INNER, _sample(layout, Kind.INNER))]
        sheet = sheet_of(_sample_spec(Kind.INNER, layout.labels_per_page), Kind.INNER, layout)
        if layout.label_height_mm >= 60:  # large enough for a case: show its SSCC as well
            drawn.append((Kind.CASE, _sample(layout, Kind.CASE)))
    except PressError as error:
        problem = unprintable(error).sentence(gettext)
    except Refusal as refusal:
        problem = refusal.sentence(gettext)
    return previewed(drawn=drawn, problem=problem, layout=layout, sheet=sheet)


def previewed(**shown: Any) -> str:
    """Labels and their page as a part of a form's page, or (``?large=1``) the page of labels alone."""
    is_large = bool(request.args.get("large"))
    return render_template("console/batches/sheet.html" if is_large else "console/batches/_preview.html", **shown)


def _sample(layout: Layout, kind: Kind) -> Preview:
    return preview_of(_sample_spec(kind), kind, layout)


def _sample_spec(kind: Kind, count: int = 1) -> BatchSpec:
    return BatchSpec(
        number=0,
        kinds=(kind,),
        count=count,
        host=runtime().settings.base_url,
        product_name=SAMPLE_NAME,
        order_no=SAMPLE_ORDER,
        sscc_prefix=SAMPLE_PREFIX,
    )


def _drawn(layout: Layout) -> Preview | None:
    try:
        return _sample(layout, Kind.INNER)
    except PressError:
        return None
