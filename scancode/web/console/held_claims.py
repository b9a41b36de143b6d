"""Rewards that a campaign's rule holds for staff: the queue, and letting each go or refusing it with a reason."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from batches.codes import split_code_id
from scancode.claims import service as claims
from scancode.claims.rules import HeldReasonMissing, NotHeld
from scancode.errors import NotFound
from scancode.members import service as members
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.language import current_locale
from scancode.web.runtime import runtime


@console.get("/claims/held")
@allow(Role.MARKETING)
def held_claims() -> str:
    shared = runtime()
    with shared.db.reading() as session:
        rows = claims.list_held(session, brand_id=brand_scope())
        people = {row.claim.code_id: _hint(session, row) for row in rows}
        names = {row.claim.campaign_id: _campaign(row) for row in rows}
    return render_template(
        "console/claims/held.html",
        rows=[(row, *split_code_id(row.claim.code_id)[::2], shared.brands.get(row.claim.brand_id)) for row in rows],
        people=people,
        names=names,
    )


def _hint(session: Session, row: claims.HeldFacts) -> str:
    """Whose it is, masked."""
    subject_id = row.claim.subject_id
    found = members.find_identity(session, identity_id=subject_id) if subject_id else None
    return found.hint if found else "–"


def _campaign(row: claims.HeldFacts) -> str:
    number, _, serial = split_code_id(row.claim.code_id)
    span = runtime().offers.get(number).find(serial)
    offer = span.value.of_campaign(row.claim.campaign_id) if span else None
    return offer.name(current_locale()) if offer else "–"


@console.post("/claims/held/<int:code_id>/<any(release, refuse):verb>")
@allow(Role.MARKETING)
def decide_held_claim(code_id: int, verb: str) -> ResponseReturnValue:
    shared, person = runtime(), current_staff()
    now, reason = shared.now(), request.form.get("reason", "")

    def work(session: Session) -> None:
        claim = claims.find_facts(session, code_id=code_id)
        if claim is None:
            raise NotFound
        visible(claim.brand_id)
        if verb == "release":
            prefix = shared.settings.payout_prefix
            claims.release_held(
                session, code_id=code_id, staff_id=person.id, actor=person.actor, prefix=prefix, now=now
            )
        else:
            claims.refuse_held(session, code_id=code_id, reason=reason, staff_id=person.id, actor=person.actor, now=now)

    try:
        shared.db.retrying(work)
    except (NotHeld, HeldReasonMissing) as refusal:
        flash(refusal.sentence(gettext), "warning")
    else:
        said = {"release": gettext("Released. It is paid now."), "refuse": gettext("Refused. Its owner reads why.")}
        flash(said[verb], "success")
    return redirect(url_for("console.held_claims"))
