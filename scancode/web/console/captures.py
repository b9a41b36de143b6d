"""EPCIS documents that a line or a partner sent: which came, and what became of every event in them."""

from __future__ import annotations

import json
from uuid import UUID

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scancode.epcis import service as epcis
from scancode.jobs import service as jobs
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope
from scancode.web.console.pages import turned
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

PAGE_SIZE = 50
ERRORS_SHOWN = 200


@console.get("/epcis")
@allow(Role.FACTORY)
def captures() -> ResponseReturnValue:
    """The newest first; ``?after=`` goes on behind one of them."""
    after = request.args.get("after", type=UUID)
    with runtime().db.reading() as session:
        rows = epcis.list_captures(session, brand_id=brand_scope(), after=after, limit=PAGE_SIZE + 1)
    rows, page = turned(rows, PAGE_SIZE, lambda row: row.id, argument="after")
    named = [(row, epcis.state_of(row)) for row in rows]
    return render_template("console/captures/list.html", rows=named, page=page)


@console.get("/epcis/<uuid:capture_id>")
@allow(Role.FACTORY)
def capture(capture_id: UUID) -> ResponseReturnValue:
    """The page; htmx asks for the part that moves."""
    with runtime().db.reading() as session:
        row = epcis.get_capture(session, capture_id=capture_id, brand_id=brand_scope())
        job = jobs.find(session, key=epcis.job_key(capture_id))
    is_part = bool(request.headers.get("HX-Request"))
    if is_part and row.finished_at is not None:
        return Response(headers={"HX-Refresh": "true"})
    errors = json.loads(row.errors)
    return render_template(
        "console/captures/_progress.html" if is_part else "console/captures/capture.html",
        row=row,
        state=epcis.state_of(row),
        job=job,
        errors=[(each, each[current_locale()]) for each in errors[:ERRORS_SHOWN]],
        more_errors=max(0, len(errors) - ERRORS_SHOWN),
        menu_path=url_for("console.captures"),
    )
