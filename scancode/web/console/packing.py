"""Packing in the console: a line's association files and what became of them, and one case or pallet with what is in
it. Packing item by item has a page of its own, ``packing_by_hand``."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, FileField, IntegerField, StringField
from wtforms.validators import Length, NumberRange, Optional

from scancode.channels import service as channels
from scancode.errors import Refusal
from scancode.packing import service as packing
from scancode.packing.rules import CAPACITY_MAX
from scancode.staff.rules import Role
from scancode.uploads.rules import UploadKind
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.chosen import brand_to_change
from scancode.web.console.code_reading import find_unit, named_unit
from scancode.web.console.session import refuse_field
from scancode.web.console.uploads import batch_named, sent_page
from scancode.web.receiving import received
from scancode.web.runtime import runtime
from scancode.web.security import with_camera

RANGES_SHOWN = 200


class ImportForm(FlaskForm):
    file = FileField(lazy_gettext("Association file"))
    batch = StringField(lazy_gettext("Batch of the serials"), validators=[Length(max=60)])
    case_size = IntegerField(lazy_gettext("Items in a case"), validators=[Optional(), NumberRange(1, CAPACITY_MAX)])
    pallet_size = IntegerField(lazy_gettext("Cases on a pallet"), validators=[Optional(), NumberRange(1, CAPACITY_MAX)])
    may_be_short = BooleanField(lazy_gettext("Cases and pallets may hold fewer"), default=True)


@console.get("/packing", endpoint="packing")
@allow(Role.FACTORY)
def packing_home() -> ResponseReturnValue:
    return _home(ImportForm())


def _home(form: ImportForm, status: int = 200) -> ResponseReturnValue:
    page, status = sent_page(UploadKind.PACKING, "console/packing/home.html", form, status)
    return with_camera(page), status


@console.post("/packing")
@allow(Role.FACTORY)
def import_packing() -> ResponseReturnValue:
    form, shared, person = ImportForm(), runtime(), current_staff()
    if not form.validate_on_submit():
        return _home(form, 422)
    try:
        with received("file") as (file, *_), shared.db.transaction() as session:
            brand = brand_to_change(session)
            batch = batch_named(session, brand.id, form.batch.data)
            upload_id = packing.ask_import(
                session,
                brand_id=brand.id,
                file=file,
                wish=packing.Wish(
                    batch_number=batch.number if batch else None,
                    case_size=form.case_size.data,
                    pallet_size=form.pallet_size.data,
                    may_be_short=bool(form.may_be_short.data),
                ),
                var_dir=shared.settings.var_dir,
                actor=person.actor,
                staff_id=person.id,
                now=shared.now(),
            )
    except Refusal as refusal:
        refuse_field(form, "batch" if isinstance(refusal, channels.NoSuchBatch) else "file", refusal)
        return _home(form, 422)
    return redirect(url_for("console.upload", upload_id=upload_id))


@console.get("/packing/units")
@allow(Role.FACTORY, Role.MARKETING)
def packing_unit() -> ResponseReturnValue:
    """A case or a pallet (``?q=`` its code, or ``?unit=batch:level:serial``): what is in it, and where it is."""
    with runtime().db.reading() as session:
        typed = request.args.get("q", "").strip()[:300]
        batch, unit = find_unit(session, typed) if typed else named_unit(session, request.args.get("unit", ""))
        inside = packing.contents(session, parent=unit)
        return render_template(
            "console/packing/unit.html",
            unit=unit,
            batch=batch,
            filled=packing.find_container(session, unit=unit),
            parents=packing.parents(session, unit=unit),
            inside=inside,
            ranges=[
                (number, level.label, first, last)
                for (number, level), ranges in sorted(inside.direct.items())
                for first, last in ranges
            ][:RANGES_SHOWN],
            steps=packing.history(session, unit=unit),
        )
