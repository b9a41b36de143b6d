"""What became of uploaded files, whatever they are for: how far the worker is, what it asks, what was wrong."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from batches.reported import NAMES
from scancode.channels import service as channels
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.errors import NotAllowed, NotFound
from scancode.i18n import N_
from scancode.jobs import service as jobs
from scancode.jobs.rules import JobState
from scancode.members import service as members
from scancode.packing import service as packing
from scancode.packing.association import PROBLEMS
from scancode.staff.rules import Role
from scancode.stories.sent_files import Sender
from scancode.stories.tagging import NOT_TAGGED
from scancode.uploads import service as uploads
from scancode.uploads.models import Upload
from scancode.uploads.rules import AT_WORK, CANCELLABLE, OF_PEOPLE, UploadKind, UploadState
from scancode.web.console import console, steps
from scancode.web.console.access import allow, current_staff, visible
from scancode.web.console.chosen import brand_choices, brand_to_change
from scancode.web.console.pages import numbered, page_number
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

PAGE_SIZE = 30
HOME = {
    UploadKind.PACKING: ("console.packing", N_("Packing")),
    UploadKind.CHECK: ("console.preflight", N_("Check returned files")),
    UploadKind.LIFE: ("console.life_list", N_("Activation and voiding")),
    UploadKind.SHIPMENT: ("console.shipments", N_("Shipments")),
    UploadKind.TAGS: ("console.tags", N_("Tags")),
}
SAID = {
    "cancel": N_("Cancelled: the file changes nothing."),
    "confirm": N_("It will be done in a moment."),
    "undo": N_("What the file did is being taken back."),
}


def sent_page(kind: UploadKind, template: str, form: FlaskForm, status: int = 200, **more: Any) -> tuple[str, int]:
    """The page of a kind of file: its form, and the files that were sent before, each with its wish and its result."""
    with runtime().db.reading() as session:
        brand = brand_to_change(session)
        rows = uploads.list_uploads(
            session, brand_id=brand.id, kind=kind, limit=PAGE_SIZE + 1, offset=(page_number() - 1) * PAGE_SIZE
        )
        shown, page = numbered(rows, PAGE_SIZE)
        html = render_template(
            template,
            form=form,
            brand=brand,
            brands=brand_choices(session),
            rows=[(row, json.loads(row.wish), json.loads(row.result)) for row in shown],
            page=page,
            **more,
        )
    return html, status


@console.after_request
def _say_where(response: Response) -> Response:
    """A form that a script sends is told where to go on: a redirect it would follow by itself, unseen."""
    if request.headers.get("X-Sending") and response.status_code == HTTPStatus.FOUND:
        response.headers["X-Way-On"] = response.headers.pop("Location")
        response.status_code = HTTPStatus.OK
        response.set_data(b"")
    return response


def sender_of(brand_id: UUID) -> Sender:
    """The person at this browser, who sends files of a brand."""
    shared, person = runtime(), current_staff()
    return Sender(brand_id, person.actor, person.id, shared.settings.var_dir, shared.now())


def batch_named(session: Session, brand_id: UUID, typed: str | None) -> Batch | None:
    """The batch that a field names, by number or order number; None where it is empty. Raises NoSuchBatch."""
    wanted = (typed or "").strip()
    if not wanted:
        return None
    found = channels.find_batch(session, brand_id=brand_id, text=wanted)
    if found is None:
        raise channels.NoSuchBatch(batch=wanted)
    return found


def _visible_upload(session: Session, upload_id: UUID) -> Upload:
    """Raises NotFound, also for another brand's; NotAllowed where the file is not this role's business."""
    row = uploads.get_upload(session, upload_id=upload_id)
    visible(row.brand_id)
    if not current_staff().may((Role.MARKETING if row.kind in OF_PEOPLE else Role.FACTORY,)):
        raise NotAllowed
    return row


@console.get("/uploads/<uuid:upload_id>", endpoint="upload")
@allow(Role.FACTORY, Role.MARKETING)
def show_upload(upload_id: UUID) -> ResponseReturnValue:
    """The page; htmx asks for the part that moves."""
    shared = runtime()
    with shared.db.reading() as session:
        row = _visible_upload(session, upload_id)
        job = jobs.find(session, key=uploads.job_key(upload_id))
        shown = _shown(session, row)
    is_part = bool(request.headers.get("HX-Request"))
    if is_part and row.state not in AT_WORK:
        return Response(headers={"HX-Refresh": "true"})
    home, label = HOME[UploadKind(row.kind)]
    return render_template(
        "console/uploads/_progress.html" if is_part else "console/uploads/upload.html",
        row=row,
        job=job,
        has_given_up=job is not None and job.state is JobState.DEAD,
        home=(gettext(label), url_for(home)),
        menu_path=url_for(home),
        is_under_way=row.state in AT_WORK,
        may_cancel=row.state in CANCELLABLE,
        has_report=uploads.has_report(row),
        **shown,
    )


def _shown(session: Session, row: Upload) -> dict[str, Any]:
    """What the page of this kind of upload shows beside its state."""
    wish, result = json.loads(row.wish), json.loads(row.result)
    found: dict[str, Any] = {
        "wish": wish,
        "result": result,
        "files": uploads.files_of(session, upload_id=row.id),
        "said": result.get(current_locale()),
        "problems": [(line, column, _words(code), cell) for line, column, code, cell in result.get("problems", [])],
    }
    if row.kind == UploadKind.CHECK:
        found["kind_names"] = {code: pair[current_locale() == "en"] for code, pair in NAMES.items()}
    if row.kind == UploadKind.PACKING and row.state == UploadState.DONE:
        found["left"] = packing.still_there(session, import_id=row.id)
    if row.kind == UploadKind.TAGS:
        found["tag"] = next(iter(members.find_tags(session, brand_id=row.brand_id, tag_ids=[UUID(wish["tag"])])), None)
    if row.kind == UploadKind.LIFE:
        found["batch"] = codes.get_batch(session, number=wish["batch"])
    return found


def _words(code: str) -> str:
    return str(gettext(PROBLEMS.get(code) or NOT_TAGGED.get(code, code)))


@console.get("/uploads/<uuid:upload_id>/report.<any(csv, json):ending>")
@allow(Role.FACTORY, Role.MARKETING)
def upload_report(upload_id: UUID, ending: str) -> ResponseReturnValue:
    shared = runtime()
    with shared.db.reading() as session:
        row = _visible_upload(session, upload_id)
    path = uploads.report_path(shared.settings.var_dir, upload_id, ending).absolute()
    if not uploads.has_report(row) or not path.is_file():
        raise NotFound
    with shared.db.transaction() as session:
        uploads.note_report(session, row=row, actor=current_staff().actor, now=shared.now())
    name = f"{row.asked_at:%Y%m%d-%H%M}-{row.kind}-report.{ending}"
    return send_file(path, mimetype=uploads.REPORTS[ending], as_attachment=True, download_name=name)


@console.post("/uploads/<uuid:upload_id>/<any(cancel, confirm, undo):verb>")
@allow(Role.FACTORY, Role.MARKETING)
def change_upload(upload_id: UUID, verb: str) -> ResponseReturnValue:
    person, now = current_staff(), runtime().now()

    def step(session: Session) -> None:
        _visible_upload(session, upload_id)
        if verb == "cancel":
            uploads.cancel(session, upload_id=upload_id, actor=person.actor, now=now)
        else:
            way = uploads.STEPS[verb]
            uploads.go_on(session, upload_id=upload_id, step=way, actor=person.actor, staff_id=person.id, now=now)

    steps.take(step, gettext(SAID[verb]))
    return redirect(url_for("console.upload", upload_id=upload_id))
