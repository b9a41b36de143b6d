"""Tokens for machines: made, shown once, ended."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import DateField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from scancode.catalog import service as catalog
from scancode.errors import Invalid
from scancode.staff import service as staff
from scancode.staff.rules import SCOPES
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.console.moments import end_of
from scancode.web.console.session import refuse_field
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

EVERY_BRAND = ""
SCOPE_WORDS = {
    "batches:read": lazy_gettext("Read batches and look codes up"),
    "batches:files": lazy_gettext("Fetch print files, which hold every code"),
    "batches:write": lazy_gettext("Order, activate and void codes"),
    "batches:restore": lazy_gettext("Bring void or recalled codes back"),
    "batches:approve": lazy_gettext("Approve or reject large orders of other people"),
    "batches:handover": lazy_gettext("Seal packs, make links to them, ask for press kits"),
    "places:read": lazy_gettext("Read channels, stores, guides and placed codes"),
    "places:write": lazy_gettext("Make and change channels, stores, guides and placed codes"),
    "brands:look": lazy_gettext("Read and change colours, font and logo of a brand"),
    "scans:read": lazy_gettext("Read scans"),
    "campaigns:read": lazy_gettext("Read campaigns and what is drawn of them"),
    "campaigns:move": lazy_gettext("Pause campaigns, go on with them, end them"),
    "claims:read": lazy_gettext("Read held rewards"),
    "claims:decide": lazy_gettext("Release and refuse held rewards"),
    "complaints:read": lazy_gettext("Read complaints"),
    "reports:read": lazy_gettext("Read reports"),
    "epcis:capture": lazy_gettext("Send EPCIS events: activate, void, pack, ship, receive"),
    "epcis:read": lazy_gettext("Read EPCIS events, which name every code"),
    "members:read": lazy_gettext("Find members by phone, read their tags"),
    "members:write": lazy_gettext("Tag members, make and delete tags"),
    "points:read": lazy_gettext("Read the points of members"),
    "points:write": lazy_gettext("Give members points and take them"),
}


class TokenForm(FlaskForm):
    name = StringField(lazy_gettext("What is it for?"), validators=[InputRequired(), Length(max=80)])
    scopes = SelectMultipleField(
        lazy_gettext("Rights"),
        choices=[SelectChoice(scope, SCOPE_WORDS[scope]) for scope in SCOPES],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validators=[InputRequired()],
    )
    brand = SelectField(lazy_gettext("Brand"))
    last_day = DateField(lazy_gettext("Valid until"), validators=[Optional()])

    def offer_brands(self, session: Session) -> None:
        scope = brand_scope()
        offered = [
            SelectChoice(str(brand.id), brand.name(current_locale()))
            for brand in catalog.list_brands(session, brand_id=scope)
        ]
        self.brand.choices = ([] if scope else [SelectChoice(EVERY_BRAND, gettext("Every brand"))]) + offered


@console.get("/tokens")
@allow()
def tokens() -> ResponseReturnValue:
    shared = runtime()
    with shared.db.reading() as session:
        rows = staff.list_tokens(session, brand_id=brand_scope())
        brands = {
            brand.id: brand.name(current_locale()) for brand in catalog.list_brands(session, brand_id=brand_scope())
        }
        people = {person.id: person.name for person in staff.list_staff(session, brand_id=brand_scope())}
    return render_template("console/tokens/list.html", rows=rows, brands=brands, people=people, now=shared.now())


@console.route("/tokens/new", methods=["GET", "POST"])
@allow()
def new_token() -> ResponseReturnValue:
    form, shared = TokenForm(), runtime()
    with shared.db.reading() as session:
        form.offer_brands(session)
    if form.validate_on_submit():
        last_day: date | None = form.last_day.data
        try:
            with shared.db.transaction() as session:
                row, token = staff.issue_token(
                    session,
                    name=form.name.data or "",
                    scopes=form.scopes.data or [],
                    brand_id=UUID(form.brand.data) if form.brand.data else None,
                    staff_id=current_staff().id,
                    actor=current_staff().actor,
                    expires_at=end_of(last_day) if last_day else None,
                    now=shared.now(),
                )
        except Invalid as refusal:
            field = {"expires_at": "last_day"}.get(refusal.facts["field"], refusal.facts["field"])
            refuse_field(form, field, refusal)
        else:
            # Shown in the answer to the POST itself: a redirect would have to keep the token somewhere.
            return render_template("console/tokens/shown.html", row=row, token=token)
    return render_template("console/tokens/new.html", form=form), 422 if request.method == "POST" else 200


@console.post("/tokens/<uuid:token_id>/revoke")
@allow()
def revoke_token(token_id: UUID) -> ResponseReturnValue:
    with runtime().db.transaction() as session:
        visible(staff.get_token(session, token_id=token_id).brand_id)
        staff.revoke_token(session, token_id=token_id, actor=current_staff().actor, now=runtime().now())
    flash(gettext("The token is revoked. It works no more."), "success")
    return redirect(url_for("console.tokens"))
