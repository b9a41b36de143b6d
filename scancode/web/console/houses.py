"""Print houses: their names, whom to call, and the public key that packs are sealed for."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from scancode.errors import Invalid, NotFound
from scancode.handover import service as handover
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.console.brands import brand_choices
from scancode.web.console.session import refuse_field
from scancode.web.runtime import runtime


class HouseForm(FlaskForm):
    brand = SelectField(lazy_gettext("Brand"), validators=[InputRequired()])
    name = StringField(lazy_gettext("Name of the print house"), validators=[InputRequired(), Length(max=80)])
    contact = StringField(lazy_gettext("Whom to call"), validators=[Length(max=200)])
    recipient = StringField(lazy_gettext("Public key (age1…)"), validators=[Length(max=120)])
    is_active = BooleanField(lazy_gettext("In use"), default=True)


@console.get("/houses")
@allow(Role.FACTORY)
def houses() -> ResponseReturnValue:
    with runtime().db.reading() as session:
        rows = handover.list_houses(session, brand_id=brand_scope(), sealer=runtime().sealer)
    return render_template("console/houses/list.html", rows=rows)


@console.route("/houses/new", methods=["GET", "POST"])
@allow(Role.FACTORY)
def new_house() -> ResponseReturnValue:
    return _edit(None)


@console.route("/houses/<uuid:house_id>", methods=["GET", "POST"])
@allow(Role.FACTORY)
def house(house_id: UUID) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        found = handover.get_house(session, house_id=house_id, sealer=runtime().sealer)
    visible(found.brand_id)
    return _edit(found)


def _edit(found: handover.HouseFacts | None) -> ResponseReturnValue:
    form, shared = HouseForm(obj=found), runtime()
    with shared.db.reading() as session:
        choices = brand_choices(session)
    form.brand.choices = [one for one in choices if found is None or one.value == str(found.brand_id)]
    if form.validate_on_submit():
        try:
            with shared.db.transaction() as session:
                handover.save_house(
                    session,
                    house_id=found.id if found else None,
                    brand_id=UUID(form.brand.data),
                    name=form.name.data or "",
                    contact=form.contact.data or "",
                    recipient=form.recipient.data or "",
                    is_active=bool(form.is_active.data),
                    sealer=shared.sealer,
                    actor=current_staff().actor,
                    now=shared.now(),
                )
        except NotFound:
            raise
        except Invalid as refusal:
            refuse_field(form, refusal.facts["field"], refusal)
        else:
            flash(gettext("Saved."), "success")
            return redirect(url_for("console.houses"))
    page = render_template("console/houses/form.html", form=form, found=found, one_brand=len(form.brand.choices) == 1)
    return page, 422 if request.method == "POST" else 200
