"""Addresses and browsers that are held off: the list, adding one with a reason and an end, lifting it. For operators:
it holds for every brand of the installation."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from scancode.scans import service as scans
from scancode.scans.blocklist import DAYS_MAX, REASON_LENGTH_MAX, BadBlock, BlockReasonNeeded
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff, operator_only
from scancode.web.runtime import runtime


class BlockForm(FlaskForm):
    value = StringField(
        lazy_gettext("Address, network, or a browser's id"), validators=[InputRequired(), Length(max=60)]
    )
    reason = StringField(lazy_gettext("Why"), validators=[InputRequired(), Length(max=REASON_LENGTH_MAX)])
    days = IntegerField(lazy_gettext("For how many days"), validators=[NumberRange(1, DAYS_MAX)], default=7)


@console.route("/blocks", methods=["GET", "POST"])
@allow()
def blocks() -> ResponseReturnValue:
    """``?visitor=`` fills in a browser, from the scans of a code."""
    operator_only()
    form, shared, person = BlockForm(), runtime(), current_staff()
    if request.method == "GET":
        form.value.data = request.args.get("visitor", "")[:60]
    if form.validate_on_submit():
        try:
            with shared.db.transaction() as session:
                scans.block(
                    session,
                    value=form.value.data,
                    reason=form.reason.data,
                    days=form.days.data,
                    staff_id=person.id,
                    actor=person.actor,
                    now=shared.now(),
                )
        except (BadBlock, BlockReasonNeeded) as refusal:
            field = form.value if isinstance(refusal, BadBlock) else form.reason
            field.errors = [refusal.sentence(gettext)]
        else:
            flash(gettext("Held off, within a second, until it ends or is lifted."), "success")
            return redirect(url_for("console.blocks"))
    with shared.db.reading() as session:
        rows = scans.list_blocks(session)
    page = render_template("console/blocks/list.html", form=form, rows=rows, now=shared.now())
    return page, 422 if request.method == "POST" else 200


@console.post("/blocks/<uuid:block_id>/lift")
@allow()
def lift_block(block_id: UUID) -> ResponseReturnValue:
    operator_only()
    with runtime().db.transaction() as session:
        scans.lift(session, block_id=block_id, actor=current_staff().actor, now=runtime().now())
    flash(gettext("Let in again."), "success")
    return redirect(url_for("console.blocks"))
