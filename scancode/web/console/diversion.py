"""Items that surfaced outside: the cases, what one rests on, and working on it; the list as a file."""

from __future__ import annotations

from uuid import UUID

from flask import jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from batches.codes import split_code_id
from scancode.channels import regions
from scancode.diversion import service as diversion
from scancode.diversion.rules import CaseState
from scancode.diversion.service import CaseFacts
from scancode.i18n import N_
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.web.console import console, steps
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.console.pages import mark_of, read_mark, turned
from scancode.web.csv_files import csv_file
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

PAGE_ROWS = 50
EXPORT_ROWS_MAX = 10_000
TABS = {
    "open": (CaseState.OPEN,),
    "working": (CaseState.WORKING,),
    "closed": (CaseState.CONFIRMED, CaseState.EXPLAINED),
}
SAID = {
    "take": N_("The case is yours."),
    "note": N_("Noted."),
    "confirm": N_("Closed: it was diversion."),
    "explain": N_("Closed: explained."),
    "reopen": N_("Open again."),
}
COLUMNS = (
    "id", "opened_at", "state", "channel", "store", "shipment", "region", "items", "scanned", "of_case", "kilometres",
    "latest_at",
)  # fmt: skip
marketing = allow(Role.MARKETING)


@console.get("/diversion")
@marketing
def diversion_list() -> ResponseReturnValue:
    tab = request.args.get("state", "open")
    tab = tab if tab in TABS else "open"
    with runtime().db.reading() as session:
        rows = diversion.list_cases(
            session,
            brand_id=brand_scope(),
            states=TABS[tab],
            before=read_mark(request.args.get("before", ""), UUID),
            limit=PAGE_ROWS + 1,
        )
        waiting = diversion.count_cases(session, brand_id=brand_scope())
    rows, pages = turned(rows, PAGE_ROWS, lambda row: mark_of(row.case.opened_at, row.case.id))
    return render_template("console/diversion/list.html", rows=rows, tab=tab, waiting=waiting, pages=pages)


def _visible(session: Session, case_id: UUID) -> CaseFacts:
    found = diversion.get_case(session, case_id=case_id)
    visible(found.case.brand_id)
    return found


@console.get("/diversion/<uuid:case_id>")
@marketing
def diversion_case(case_id: UUID) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        found = _visible(session, case_id)
        channel_id, store_id = found.case.channel_id, found.case.store_id
        own = diversion.own_territory(session, channel_id=channel_id, store_id=store_id) if store_id else []
        territory = own or diversion.own_territory(session, channel_id=channel_id)
        seen = diversion.case_scans(session, case_id=case_id)
        return render_template(
            "console/diversion/case.html",
            found=found,
            case=found.case,
            territory=[regions.name_of(code, current_locale()) for code in territory],
            seen=[(scan, split_code_id(scan.code_id)) for scan in seen],
            notes=diversion.notes_of(session, case_id=case_id),
            places=diversion.regions_of_case(session, case_id=case_id),
        )


@console.get("/diversion/<uuid:case_id>/regions.json")
@marketing
def diversion_chart(case_id: UUID) -> ResponseReturnValue:
    """Scans by place, as ``charts.js`` draws them."""
    with runtime().db.reading() as session:
        _visible(session, case_id)
        places = diversion.regions_of_case(session, case_id=case_id)[:20]
    return jsonify(
        kind="bar",
        categories=[regions.name_of(code, current_locale()) for code, _ in places],
        series=[{"name": gettext("Scans"), "values": [count for _, count in places]}],
        unit="",
    )


@console.post("/diversion/<uuid:case_id>/<any(take, note, confirm, explain, reopen):verb>")
@marketing
def work_on_diversion(case_id: UUID, verb: str) -> ResponseReturnValue:
    person, now, text = current_staff(), runtime().now(), request.form.get("text", "")

    def step(session: Session) -> None:
        _visible(session, case_id)
        diversion.work_on(
            session, case_id=case_id, verb=verb, text=text, staff_id=person.id, actor=person.actor, now=now
        )

    steps.take(step, gettext(SAID[verb]))
    return redirect(url_for("console.diversion_case", case_id=case_id))


@console.post("/diversion/export.csv")
@marketing
def export_diversion() -> ResponseReturnValue:
    shared = runtime()
    with shared.db.transaction() as session:
        rows = diversion.list_cases(session, brand_id=brand_scope(), states=tuple(CaseState), limit=EXPORT_ROWS_MAX)
        staff.audit(
            session,
            actor=current_staff().actor,
            brand_id=brand_scope(),
            action="diversion.export",
            subject="diversion",
            facts={"rows": len(rows)},
            now=shared.now(),
        )
    name = f"diversion-{shared.now():%Y-%m-%d}.csv"
    return csv_file(name, COLUMNS, (_cells(row, current_locale()) for row in rows))


def _cells(row: CaseFacts, locale: str) -> list[object]:
    case = row.case
    names = (row.channel_name, row.store_name, row.shipment_number)
    region = regions.name_of(case.region, locale)
    figures = [case.items, case.scanned, case.of_case, "" if case.kilometres is None else case.kilometres]
    return [str(case.id), case.opened_at.isoformat(), case.state, *names, region, *figures, case.latest_at.isoformat()]
