"""Large orders that wait for a second person: the queue, and the two answers, given on the page of the batch."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scancode.codes import service as codes
from scancode.handover import service as handover
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff
from scancode.web.console.batches import visible_batch
from scancode.web.runtime import runtime


@console.get("/approvals")
@allow(Role.FACTORY)
def approvals() -> ResponseReturnValue:
    with runtime().db.reading() as session:
        orders = codes.list_waiting(session, brand_id=brand_scope())
        kits = handover.list_kits(session, brand_id=brand_scope(), only_waiting=True)
    return render_template("console/approvals/list.html", orders=orders, kits=kits)


@console.post("/approvals/<int:number>/<any(approve, reject):verb>")
@allow(Role.FACTORY)
def decide_order(number: int, verb: str) -> ResponseReturnValue:
    person, now = current_staff(), runtime().now()
    decided: list[int] = []
    try:
        with runtime().db.transaction() as session:
            visible_batch(session, number)
            if verb == "approve":
                decided = codes.approve(session, number=number, staff_id=person.id, actor=person.actor, now=now)
            else:
                reason = request.form.get("reason", "")
                decided = codes.reject(
                    session, number=number, staff_id=person.id, reason=reason, actor=person.actor, now=now
                )
    except (codes.SamePerson, codes.NotWaiting, codes.ReasonMissing) as refusal:
        flash(refusal.sentence(gettext), "warning")
    else:
        said = {
            "approve": gettext("The order is approved. Its files are made in the background."),
            "reject": gettext("The order is rejected. Whoever ordered can read why."),
        }
        flash(said[verb], "success")
        if len(decided) > 1:
            flash(gettext("That holds for all %(count)s batches of the order.", count=len(decided)), "success")
    return redirect(url_for("console.batch", number=number))
