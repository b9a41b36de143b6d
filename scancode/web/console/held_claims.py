"""Rewards that the rules of a campaign hold for staff: the queue with what spoke for holding each, letting one or many
go or refusing them with a reason, a second look at what was refused, and all of them as a file."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from batches.codes import split_code_id
from scancode.claims import service as claims
from scancode.claims.rules import ClaimState
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.members import service as members
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.console.pages import mark_of, read_mark, turned
from scancode.web.csv_files import csv_file
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

PAGE_ROWS = 50
EXPORT_ROWS_MAX = 10_000
TABS = {"open": ClaimState.HELD, "refused": ClaimState.REFUSED, "released": ClaimState.CLAIMED}
STEP_NAMES = {
    "release": N_("Released"),
    "due": N_("Released by the rule: nobody had decided in time"),
    "refuse": N_("Refused"),
    "again": N_("To be looked at once more"),
}
COLUMNS = (
    "batch", "serial", "campaign_id", "prize", "amount", "held_at", "due_at", "nth_today", "score", "reasons",
    "state", "decided_at", "by_rule", "reason",
)  # fmt: skip
marketing = allow(Role.MARKETING)


@console.get("/claims/held")
@marketing
def held_claims() -> str:
    tab = request.args.get("state", "open")
    tab = tab if tab in TABS else "open"
    with runtime().db.reading() as session:
        rows = claims.list_held(
            session,
            brand_id=brand_scope(),
            states=(TABS[tab],),
            after=read_mark(request.args.get("before", ""), int),
            limit=PAGE_ROWS + 1,
        )
        waiting = claims.count_held(session, brand_id=brand_scope())
        overdue = [row for row in rows if row.is_open and row.due_at <= runtime().now()]
        closings = {row.claim.code_id: claims.closing_of(session, row.claim) for row in overdue}
        people = {row.claim.code_id: _hint(session, row) for row in rows}
    rows, pages = turned(rows, PAGE_ROWS, lambda row: mark_of(row.held_at, row.claim.code_id))
    return render_template(
        "console/claims/held.html",
        rows=[(row, *split_code_id(row.claim.code_id)[::2]) for row in rows],
        people=people,
        closings=closings,
        names={row.claim.campaign_id: _campaign(row) for row in rows},
        tab=tab,
        waiting=waiting,
        pages=pages,
        said=gettext,
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


@console.get("/claims/held/<int:code_id>")
@marketing
def held_claim(code_id: int) -> str:
    """One of them: what spoke for holding it, and what was done."""
    with runtime().db.reading() as session:
        row = _own(session, code_id)
        person, steps = _hint(session, row), claims.steps_of(session, code_id=code_id)
        closing = claims.closing_of(session, row.claim) if row.is_open else ""
    number, _, serial = split_code_id(code_id)
    return render_template(
        "console/claims/held_claim.html",
        row=row,
        place=(number, serial),
        person=person,
        closing=closing,
        campaign=_campaign(row),
        steps=[(one, gettext(STEP_NAMES[one.verb])) for one in steps],
        said=gettext,
    )


def _own(session: Session, code_id: int) -> claims.HeldFacts:
    """Raises NotFound for what was never held, and for another brand's."""
    row = claims.find_held(session, code_id=code_id)
    if row is None:
        raise NotFound
    visible(row.claim.brand_id)
    return row


@console.post("/claims/held/<int:code_id>/<any(release, refuse, again):verb>")
@marketing
def decide_held_claim(code_id: int, verb: str) -> ResponseReturnValue:
    said = {
        "release": gettext("Released. It is paid now."),
        "refuse": gettext("Refused. Its owner reads why."),
        "again": gettext("It waits for somebody else's look."),
    }
    try:
        _decide(code_id, verb)
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.sentence(gettext), "warning")
    else:
        flash(said[verb], "success")
    there = request.form.get("there") == "claim"
    return redirect(url_for("console.held_claim", code_id=code_id) if there else url_for("console.held_claims"))


@console.post("/claims/held/<any(release, refuse):verb>")
@marketing
def decide_held_claims(verb: str) -> ResponseReturnValue:
    """Those that were ticked, each in a transaction of its own: what somebody else decided meanwhile stops no other."""
    done, refused = 0, {}
    for code_id in request.form.getlist("code", type=int)[:PAGE_ROWS]:
        try:
            _decide(code_id, verb)
            done += 1
        except Refusal as refusal:
            refused[refusal.code] = refusal.sentence(gettext)
    if done:
        released = gettext("Released and paid now: %(count)s.", count=done)
        closed = gettext("Refused: %(count)s.", count=done)
        flash(released if verb == "release" else closed, "success")
    for sentence in refused.values():
        flash(sentence, "warning")
    if not done and not refused:
        flash(gettext("Tick the rewards that you mean."), "warning")
    return redirect(url_for("console.held_claims"))


def _decide(code_id: int, verb: str) -> None:
    """Raises NotFound and what the verbs of ``claims`` refuse with."""
    shared, person = runtime(), current_staff()
    note, now = request.form.get("note", ""), shared.now()
    who: dict[str, Any] = {"staff_id": person.id, "actor": person.actor, "now": now}

    def work(session: Session) -> None:
        _own(session, code_id)
        if verb == "release":
            prefix = shared.settings.payout_prefix
            claims.release_held(session, code_id=code_id, prefix=prefix, note=note, **who)
        elif verb == "refuse":
            claims.refuse_held(session, code_id=code_id, reason=request.form.get("reason", ""), note=note, **who)
        else:
            claims.look_again(session, code_id=code_id, note=note, **who)

    shared.db.retrying(work)


@console.post("/claims/held.csv")
@marketing
def export_held_claims() -> ResponseReturnValue:
    """All that are or were held, without who they belong to."""
    shared = runtime()
    with shared.db.transaction() as session:
        rows = claims.list_held(session, brand_id=brand_scope(), states=tuple(TABS.values()), limit=EXPORT_ROWS_MAX)
        staff.audit(
            session,
            actor=current_staff().actor,
            brand_id=brand_scope(),
            action="claim.export_held",
            subject="claims",
            facts={"rows": len(rows)},
            now=shared.now(),
        )
    return csv_file(f"held-rewards-{shared.now():%Y-%m-%d}.csv", COLUMNS, map(_cells, rows))


def _cells(row: claims.HeldFacts) -> tuple[object, ...]:
    claim = row.claim
    number, _, serial = split_code_id(claim.code_id)
    reasons = " ".join(f"{reason.value}:{weight}" for reason, weight in row.score.reasons)
    decided_at = row.decided_at.isoformat() if row.decided_at else ""
    return (
        number, serial, claim.campaign_id, claim.prize_kind, claim.amount, row.held_at.isoformat(),
        row.due_at.isoformat(), row.nth_today or "", row.score.points or "", reasons, claim.state.value, decided_at,
        int(row.by_rule), row.reason,
    )  # fmt: skip
