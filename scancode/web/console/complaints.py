"""What people report about items: the queue, one complaint with its photo, answering, noting and closing; the list as a
file. The number of somebody to be called is masked until it is asked for, and who asks is on the audit record."""

from __future__ import annotations

from uuid import UUID

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from batches.codes import Kind, split_code_id
from scancode.complaints import service as complaints
from scancode.complaints.models import Complaint
from scancode.complaints.rules import ComplaintKind, ComplaintState
from scancode.errors import NotFound
from scancode.i18n import N_
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.web.console import console, steps
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.console.pages import mark_of, read_mark, turned
from scancode.web.csv_files import csv_file
from scancode.web.runtime import runtime

PAGE_ROWS = 50
EXPORT_ROWS_MAX = 10_000
KIND_NAMES = {
    ComplaintKind.FAKE: N_("Looks counterfeit"),
    ComplaintKind.OPENED: N_("Opened, or code scratched off"),
    ComplaintKind.CLAIMED: N_("Reward taken by somebody else"),
    ComplaintKind.QUALITY: N_("About the item itself"),
    ComplaintKind.OTHER: N_("Something else"),
}
SAID = {
    "note": N_("Noted."),
    "answer": N_("Answered: the person reads it on the page where they told us."),
    "close": N_("Closed."),
    "reopen": N_("Open again."),
}
COLUMNS = ("id", "made_at", "state", "kind", "verdict", "batch", "code_kind", "serial", "typed", "text", "answer")
marketing = allow(Role.MARKETING)


@console.context_processor
def _kinds() -> dict[str, object]:
    return {"complaint_kind": lambda kind: gettext(KIND_NAMES[ComplaintKind(kind)])}


@console.get("/complaints", endpoint="complaints")
@marketing
def complaint_list() -> ResponseReturnValue:
    chosen = request.args.get("state", ComplaintState.OPEN.value)
    states = [state for state in ComplaintState if state.value == chosen] or [ComplaintState.OPEN]
    shared = runtime()
    with shared.db.reading() as session:
        rows = complaints.list_complaints(
            session,
            brand_id=brand_scope(),
            states=states,
            before=read_mark(request.args.get("before", ""), UUID),
            limit=PAGE_ROWS + 1,
        )
        photos = complaints.with_photo(session, complaint_ids=[row.id for row in rows])
        waiting = complaints.count_open(session, brand_id=brand_scope())
    rows, pages = turned(rows, PAGE_ROWS, lambda row: mark_of(row.made_at, row.id))
    return render_template(
        "console/complaints/list.html",
        rows=rows,
        photos=photos,
        products={row.id: shared.products.get(row.product_id) if row.product_id else None for row in rows},
        state=states[0].value,
        waiting=waiting,
        pages=pages,
    )


def _visible(session: Session, complaint_id: UUID) -> Complaint:
    row = complaints.get_complaint(session, complaint_id=complaint_id)
    visible(row.brand_id)
    return row


@console.get("/complaints/<uuid:complaint_id>", endpoint="complaint")
@marketing
def show_complaint(complaint_id: UUID) -> ResponseReturnValue:
    return _page(complaint_id)


def _page(complaint_id: UUID, contact: str | None = None) -> str:
    shared = runtime()
    with shared.db.reading() as session:
        row = _visible(session, complaint_id)
        photo = complaints.find_photo(session, complaint_id=complaint_id)
        notes = complaints.notes_of(session, complaint_id=complaint_id)
        same = (
            complaints.list_complaints(session, brand_id=row.brand_id, code_ids=[row.code_id], limit=20)
            if row.code_id is not None
            else []
        )
    return render_template(
        "console/complaints/complaint.html",
        row=row,
        photo=photo,
        notes=notes,
        others=[one for one in same if one.id != row.id],
        product=shared.products.get(row.product_id) if row.product_id else None,
        place=split_code_id(row.code_id) if row.code_id is not None else None,
        contact=contact,
    )


@console.get("/complaints/<uuid:complaint_id>/photo")
@marketing
def complaint_photo(complaint_id: UUID) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        _visible(session, complaint_id)
        photo = complaints.find_photo(session, complaint_id=complaint_id)
    if photo is None:
        raise NotFound
    response = Response(photo.content, mimetype=photo.mime)
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@console.post("/complaints/<uuid:complaint_id>/<any(note, answer, close, reopen):verb>")
@marketing
def work_on_complaint(complaint_id: UUID, verb: str) -> ResponseReturnValue:
    person, now, text = current_staff(), runtime().now(), request.form.get("text", "")

    def step(session: Session) -> None:
        _visible(session, complaint_id)
        complaints.work_on(
            session, complaint_id=complaint_id, verb=verb, text=text, staff_id=person.id, actor=person.actor, now=now
        )

    steps.take(step, gettext(SAID[verb]))
    return redirect(url_for("console.complaint", complaint_id=complaint_id))


@console.post("/complaints/<uuid:complaint_id>/contact")
@marketing
def reveal_complaint_contact(complaint_id: UUID) -> ResponseReturnValue:
    """The whole number, once, to whoever is about to call."""
    shared = runtime()
    with shared.db.transaction() as session:
        _visible(session, complaint_id)
        found = complaints.reveal_contact(
            session, complaint_id=complaint_id, sealer=shared.sealer, actor=current_staff().actor, now=shared.now()
        )
    return _page(complaint_id, contact=found)


@console.post("/complaints/export.csv")
@marketing
def export_complaints() -> ResponseReturnValue:
    """Every complaint that the person may see, without numbers and photos."""
    shared = runtime()
    with shared.db.transaction() as session:
        rows = complaints.list_complaints(session, brand_id=brand_scope(), limit=EXPORT_ROWS_MAX)
        staff.audit(
            session,
            actor=current_staff().actor,
            brand_id=brand_scope(),
            action="complaint.export",
            subject="complaints",
            facts={"rows": len(rows)},
            now=shared.now(),
        )
    return csv_file(f"complaints-{shared.now():%Y-%m-%d}.csv", COLUMNS, map(_cells, rows))


def _cells(row: Complaint) -> list[str | int]:
    parts = split_code_id(row.code_id) if row.code_id is not None else None
    place: list[str | int] = [row.batch_number or "", Kind(parts.kind).label, parts.serial] if parts else ["", "", ""]
    words = (row.typed, row.text, row.answer)
    return [str(row.id), row.made_at.isoformat(), row.state, row.kind, row.verdict, *place, *words]
