"""Press kits of an offline batch: asking for one, a second person's answer, fetching the sealed file."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from batches.kit import SUFFIX
from scancode.codes import service as codes
from scancode.errors import Invalid, Refusal
from scancode.handover import service as handover
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.batches import visible_batch
from scancode.web.runtime import runtime


@console.get("/batches/<int:number>/kits")
@allow(Role.FACTORY)
def kits(number: int) -> ResponseReturnValue:
    return _page(number)


@console.post("/batches/<int:number>/kits")
@allow(Role.FACTORY)
def ask_kit(number: int) -> ResponseReturnValue:
    shared, person, now = runtime(), current_staff(), runtime().now()
    house = request.form.get("house", type=UUID)
    try:
        with shared.db.transaction() as session:
            visible_batch(session, number)
            if house is None:
                raise handover.HouseClosed
            handover.ask_kit(
                session,
                number=number,
                house_id=house,
                first=request.form.get("first", -1, type=int),
                last=request.form.get("last", -1, type=int),
                expires_at=now + timedelta(days=min(max(request.form.get("days", 0, type=int), 0), 1000)),
                staff_id=person.id,
                actor=person.actor,
                now=now,
            )
    except (
        handover.NotOffline,
        handover.HouseClosed,
        handover.NoRecipient,
        handover.KitOverlaps,
        handover.KitOtherHouse,
        Invalid,
    ) as refusal:
        return _page(number, refusal=refusal)
    flash(gettext("Asked for. A colleague has to approve the kit before it is made."), "success")
    return redirect(url_for("console.kits", number=number))


@console.post("/kits/<uuid:kit_id>/<any(approve, reject, withdraw):verb>")
@allow(Role.FACTORY)
def decide_kit(kit_id: UUID, verb: str) -> ResponseReturnValue:
    shared, person, now = runtime(), current_staff(), runtime().now()
    try:
        with shared.db.transaction() as session:
            number = handover.get_kit(session, kit_id=kit_id).batch_number
            batch = visible_batch(session, number)
            if verb == "approve":
                key = shared.keyring.derive(batch.kid, batch.salt)
                handover.approve_kit(session, kit_id=kit_id, key=key, staff_id=person.id, actor=person.actor, now=now)
            elif verb == "withdraw":
                handover.withdraw_kit(session, kit_id=kit_id, staff_id=person.id, actor=person.actor, now=now)
            else:
                reason = request.form.get("reason", "")
                handover.reject_kit(
                    session, kit_id=kit_id, staff_id=person.id, reason=reason, actor=person.actor, now=now
                )
    except (handover.KitSamePerson, handover.KitDecided, handover.KitLate, codes.ReasonMissing) as refusal:
        flash(refusal.sentence(gettext), "warning")
    else:
        said = {
            "approve": gettext("The kit is made and sealed."),
            "reject": gettext("The kit is rejected."),
            "withdraw": gettext("Taken back: its serials are free for another kit."),
        }
        flash(said[verb], "success")
    return redirect(url_for("console.kits", number=number))


@console.get("/kits/<uuid:kit_id>/file")
@allow(Role.FACTORY)
def kit_file(kit_id: UUID) -> ResponseReturnValue:
    """The sealed kit. Only its print house can open it; fetching it is on record all the same."""
    shared, person = runtime(), current_staff()
    with shared.db.transaction() as session:
        row = handover.get_kit(session, kit_id=kit_id)
        visible_batch(session, row.batch_number)
        sealed = handover.fetch_kit(session, kit_id=kit_id, actor=person.actor, now=shared.now())
        name = f"batch-{row.batch_number}-{row.first:08d}-{row.last:08d}{SUFFIX}"
    response = Response(sealed, mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _page(number: int, *, refusal: Refusal | None = None) -> ResponseReturnValue:
    shared = runtime()
    with shared.db.reading() as session:
        batch = visible_batch(session, number)
        rows = handover.list_kits(session, batch_number=number)
        houses = handover.list_houses(session, brand_id=batch.brand_id, sealer=shared.sealer, only_active=True)
    page = render_template(
        "console/kits/page.html",
        row=batch,
        kits=rows,
        houses=[house for house in houses if house.recipient],
        own_id=current_staff().id,
        now=shared.now(),
        problem=_words(refusal) if refusal else None,
    )
    return page, 422 if refusal else 200


def _words(refusal: Refusal) -> str:
    problem = refusal.facts.get("problem")
    return str(gettext(problem)) if isinstance(problem, str) else refusal.sentence(gettext)
