"""From when on scans look wrong: a brand's own values of the rules of copies and of diversion, over the settings."""

from __future__ import annotations

from typing import Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import IntegerField
from wtforms.validators import NumberRange, Optional

from scancode.scans import service as scans
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.chosen import brand_choices, brand_to_change
from scancode.web.runtime import runtime

CSRF: Final = "csrf_token"


class CopyTermsForm(FlaskForm):
    """A brand's own values of the rules; an empty field is the installation's setting."""

    suspect_visitors = IntegerField(
        lazy_gettext("Different people who scanned it"), validators=[Optional(), NumberRange(3, 10_000)]
    )
    suspect_cities = IntegerField(lazy_gettext("Different cities"), validators=[Optional(), NumberRange(2, 400)])
    suspect_days = IntegerField(lazy_gettext("Within (days)"), validators=[Optional(), NumberRange(1, 3650)])
    suspect_kmh = IntegerField(
        lazy_gettext("Fastest travel (km/h)"), validators=[Optional(), NumberRange(100, 100_000)]
    )


class DiversionTermsForm(FlaskForm):
    """The same of diversion. Bounds are those of the settings."""

    diversion_items = IntegerField(
        lazy_gettext("Items of one shipment outside"), validators=[Optional(), NumberRange(2, 10_000)]
    )
    diversion_share = IntegerField(
        lazy_gettext("Share of its scanned items (%)"), validators=[Optional(), NumberRange(1, 100)]
    )
    diversion_km = IntegerField(
        lazy_gettext("Around a territory that still counts as inside (km)"),
        validators=[Optional(), NumberRange(0, 5000)],
    )
    diversion_days = IntegerField(lazy_gettext("Within (days)"), validators=[Optional(), NumberRange(1, 365)])


@console.route("/suspects/terms", methods=["GET", "POST"])
@allow()
def suspect_terms() -> ResponseReturnValue:
    """From when on codes of a brand look copied."""
    return _page(CopyTermsForm(), "console.suspect_terms", "console/suspects/terms.html")


@console.route("/diversion/terms", methods=["GET", "POST"])
@allow(Role.MARKETING)
def diversion_terms() -> ResponseReturnValue:
    """From when on items of a brand outside their territory open a case."""
    return _page(DiversionTermsForm(), "console.diversion_terms", "console/diversion/terms.html")


def _page(form: FlaskForm, endpoint: str, template: str) -> ResponseReturnValue:
    shared = runtime()
    fields = [field.name for field in form if field.name != CSRF]
    with shared.db.reading() as session:
        brand, brands = brand_to_change(session), brand_choices(session)
        own = scans.own_terms(session, brand_id=brand.id)
    if request.method == "GET":
        for name in fields:
            form[name].data = getattr(own, name, None)
    if form.validate_on_submit():
        with shared.db.transaction() as session:
            scans.set_terms(
                session,
                brand_id=brand.id,
                values={name: form[name].data for name in fields},
                actor=current_staff().actor,
                now=shared.now(),
            )
        flash(gettext("Saved."), "success")
        return redirect(url_for(endpoint, brand=brand.slug))
    page = render_template(template, form=form, brand=brand, brands=brands, settings=shared.settings)
    return page, 422 if request.method == "POST" else 200
