"""Codes that look copied: which wait for a look, what somebody decides, and from when on a code looks so."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from batches.codes import split_code_id
from scancode.errors import NotFound
from scancode.i18n import N_
from scancode.scans import service as scans
from scancode.scans.rules import Risk, Sign, Standing
from scancode.staff.rules import Role
from scancode.web.console import console, steps
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.runtime import runtime

SHOWN_MAX = 100
TABS = {"open": (Standing.OPEN,), "confirmed": (Standing.CONFIRMED,), "cleared": (Standing.CLEARED, Standing.TRUSTED)}
SAID = {
    "confirm": N_("Noted: the code stays suspect."),
    "clear": N_("Cleared: only scans from now on count."),
    "trust": N_("Cleared for good: this code is never marked again."),
}
SIGN_NAMES = {
    Sign.VISITORS: N_("very many people"),
    Sign.CITIES: N_("many cities"),
    Sign.SPEED: N_("faster from place to place than anything travels"),
}
RISK_NAMES = {
    Risk.CROWD: N_("one of many browsers at one address"),
    Risk.BULK: N_("a browser that scans very many codes"),
    Risk.MISSES: N_("an address that sends codes that are none"),
}
STANDING_NAMES = {
    Standing.OPEN: N_("To be looked at"),
    Standing.CONFIRMED: N_("Confirmed as suspect"),
    Standing.CLEARED: N_("Cleared"),
    Standing.TRUSTED: N_("Cleared for good"),
}
anyone = allow(Role.FACTORY, Role.MARKETING)


@console.context_processor
def _words() -> dict[str, object]:
    return {
        "signs_in_words": lambda signs: ", ".join(gettext(SIGN_NAMES[sign]) for sign in signs),
        "risks_in_words": lambda risks: ", ".join(gettext(RISK_NAMES[risk]) for risk in risks),
        "standing_in_words": lambda state: gettext(STANDING_NAMES[Standing(state)]),
    }


@console.get("/suspects")
@anyone
def suspects() -> ResponseReturnValue:
    tab = request.args.get("state", "open")
    tab = tab if tab in TABS else "open"
    shared = runtime()
    with shared.db.reading() as session:
        rows = scans.list_suspects(session, brand_id=brand_scope(), states=TABS[tab], limit=SHOWN_MAX)
        waiting = scans.count_suspects(session, brand_id=brand_scope())
    products = {row.code_id: shared.products.get(row.product_id) for row in rows}
    return render_template(
        "console/suspects/list.html",
        rows=[(row, split_code_id(row.code_id), products[row.code_id]) for row in rows],
        tab=tab,
        waiting=waiting,
        may_set=current_staff().may(()),
        is_cut=len(rows) == SHOWN_MAX,
    )


@console.post("/suspects/<int:code_id>/<any(confirm, clear, trust):verb>")
@anyone
def settle_suspect(code_id: int, verb: str) -> ResponseReturnValue:
    person, now, comment = current_staff(), runtime().now(), request.form.get("comment", "")
    number, _, serial = split_code_id(code_id)
    back = url_for("console.lookup", q=request.form.get("looked_up", "")[:300] or f"{number}:{serial}")

    def step(session: Session) -> None:
        found = scans.find_suspicion(session, code_id=code_id)
        if found is None:
            raise NotFound
        visible(found.brand_id)
        scans.settle_suspicion(
            session, code_id=code_id, verb=verb, comment=comment, staff_id=person.id, actor=person.actor, now=now
        )

    steps.take(step, gettext(SAID[verb]))
    return redirect(back)
