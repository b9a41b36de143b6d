"""What is late: packs that nobody fetched, codes that nobody activated; and the times after which that is so."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import IntegerField
from wtforms.validators import NumberRange, Optional

from batches.codes import MAX_BATCH_COUNT
from scancode.codes import service as codes
from scancode.handover import service as handover
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.console.chosen import brand_choices, brand_to_change
from scancode.web.runtime import runtime

DAYS_MAX = 3650


class TermsForm(FlaskForm):
    """A brand's own limit and times; an empty field is the installation's setting."""

    order_limit = IntegerField(
        lazy_gettext("Items one person may order in a day alone"),
        validators=[Optional(), NumberRange(0, MAX_BATCH_COUNT)],
    )
    pack_days = IntegerField(
        lazy_gettext("Days that files stay on the disk"), validators=[Optional(), NumberRange(1, DAYS_MAX)]
    )
    download_days = IntegerField(
        lazy_gettext("Alert when nobody has fetched a pack after (days)"),
        validators=[Optional(), NumberRange(1, DAYS_MAX)],
    )
    activate_days = IntegerField(
        lazy_gettext("Alert when nothing is activated after (days)"),
        validators=[Optional(), NumberRange(1, DAYS_MAX)],
    )


@console.get("/alerts")
@allow(Role.FACTORY)
def alerts() -> ResponseReturnValue:
    with_acknowledged = request.args.get("all") == "1"
    with runtime().db.reading() as session:
        rows = handover.list_alerts(session, brand_id=brand_scope(), with_acknowledged=with_acknowledged)
    return render_template(
        "console/alerts/list.html", rows=rows, with_acknowledged=with_acknowledged, may_set=_may_set()
    )


@console.post("/alerts/<uuid:alert_id>/acknowledge")
@allow(Role.FACTORY)
def acknowledge_alert(alert_id: UUID) -> ResponseReturnValue:
    person, now = current_staff(), runtime().now()
    with runtime().db.transaction() as session:
        visible(handover.get_alert(session, alert_id=alert_id).brand_id)
        note = request.form.get("note", "")
        handover.acknowledge(session, alert_id=alert_id, note=note, staff_id=person.id, actor=person.actor, now=now)
    flash(gettext("Acknowledged."), "success")
    return redirect(url_for("console.alerts"))


@console.route("/alerts/terms", methods=["GET", "POST"])
@allow()
def terms() -> ResponseReturnValue:
    """A brand's own limit and times. For administrators: the limit binds the factory."""
    form, shared = TermsForm(), runtime()
    with shared.db.reading() as session:
        brand, brands = brand_to_change(session), brand_choices(session)
        own = codes.find_terms(session, brand_id=brand.id)
    if request.method == "GET":
        for name in ("order_limit", "pack_days", "download_days", "activate_days"):
            form[name].data = getattr(own, name, None)
    if form.validate_on_submit():
        with shared.db.transaction() as session:
            codes.set_terms(
                session,
                brand_id=brand.id,
                order_limit=form.order_limit.data,
                pack_days=form.pack_days.data,
                download_days=form.download_days.data,
                activate_days=form.activate_days.data,
                actor=current_staff().actor,
                now=shared.now(),
            )
        flash(gettext("Saved."), "success")
        return redirect(url_for("console.terms", brand=brand.slug))
    page = render_template("console/alerts/terms.html", form=form, brand=brand, brands=brands, settings=shared.settings)
    return page, 422 if request.method == "POST" else 200


def _may_set() -> bool:
    return current_staff().may(())
