"""The record of what was done: looked at, narrowed down, taken away as a file (which is recorded too), and checked."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scancode.staff import service as staff
from scancode.staff.models import AuditRow
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff, operator_only
from scancode.web.console.moments import end_of, find_day, start_of, today
from scancode.web.console.pages import number, turned
from scancode.web.csv_files import csv_file
from scancode.web.runtime import runtime

PAGE_ROWS = 50
EXPORT_ROWS_MAX = 50_000
HEADER = ("seq", "at_utc", "actor", "actor_name", "brand_id", "action", "subject", "facts", "previous_hash", "hash")


@console.get("/audit")
@allow()
def audit_log() -> ResponseReturnValue:
    chosen, shown = _filter()
    before = request.args.get("before", type=number)
    with runtime().db.reading() as session:
        rows = staff.list_audit(session, brand_id=brand_scope(), chosen=chosen, limit=PAGE_ROWS + 1, before=before)
        people = staff.list_staff(session, brand_id=brand_scope())
    rows, pages = turned(rows, PAGE_ROWS, lambda row: row.seq)
    return render_template(
        "console/audit/log.html",
        rows=rows,
        shown=shown,
        people=people,
        names={f"staff:{person.id}": person.name for person in people},
        pages=pages,
        facts_words=facts_words,
        export_query=urlencode(shown),
    )


def _filter() -> tuple[staff.AuditFilter, dict[str, Any]]:
    """What the page was asked to show, and the same as it goes into links."""
    names = ("actor", "action", "subject", "first_day", "last_day")
    shown = {name: request.values.get(name, "").strip()[:80] for name in names}
    first, last = find_day(shown["first_day"]), find_day(shown["last_day"])
    chosen = staff.AuditFilter(
        actor=shown["actor"],
        action=shown["action"],
        subject=shown["subject"],
        since=start_of(first) if first else None,
        until=end_of(last) if last else None,
    )
    return chosen, {name: value for name, value in shown.items() if value}


def facts_words(text: str) -> str:
    """The facts of a row without the marks of JSON, short enough for a cell."""
    plain = text.strip("{}").replace('"', "").replace(",", ", ")
    return plain if len(plain) <= 160 else plain[:159] + "…"


@console.post("/audit/export")
@allow()
def export_audit() -> ResponseReturnValue:
    """A CSV file of the rows that fit. The export is an act like any other and leaves a row of its own."""
    chosen, shown = _filter()
    shared, person = runtime(), current_staff()
    now = shared.now()
    with shared.db.transaction() as session:
        rows = staff.list_audit(session, brand_id=brand_scope(), chosen=chosen, limit=EXPORT_ROWS_MAX)
        names = {f"staff:{one.id}": one.name for one in staff.list_staff(session, brand_id=brand_scope())}
        staff.audit(
            session,
            actor=person.actor,
            brand_id=person.brand_id,
            action="audit.export",
            subject="audit",
            facts={"rows": len(rows), "filters": sorted(shown)},
            now=now,
        )
    return csv_file(f"audit-{today(now).isoformat()}.csv", HEADER, (_cells(row, names) for row in rows))


def _cells(row: AuditRow, names: dict[str, str]) -> tuple[int | str | datetime | UUID | None, ...]:
    at = row.at.isoformat(timespec="microseconds")
    name = names.get(row.actor, "")
    return (
        row.seq,
        at,
        row.actor,
        name,
        row.brand_id,
        row.action,
        row.subject,
        row.facts,
        row.previous_hash,
        row.hash,
    )


@console.post("/audit/check")
@allow()
def check_audit() -> ResponseReturnValue:
    """Reads the whole chain. For the operator only: it tells of every brand."""
    operator_only()
    with runtime().db.reading() as session:
        report = staff.verify_chain(session)
    if report.problem is None:
        words = gettext(
            "The record is whole: %(count)s rows, none changed or missing. It ends with %(hash)s.",
            count=f"{report.rows:,}",
            hash=report.head_hash[:16],
        )
        flash(words, "success")
    else:
        words = gettext(
            "The record is not whole. Row %(seq)s: %(problem)s", seq=report.seq, problem=gettext(report.problem)
        )
        flash(words, "danger")
    return redirect(url_for("console.audit_log"))
