"""What became of uploaded files, whatever they are for: how far the worker is, what it asks, what was wrong."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from batches.reported import NAMES
from scancode.codes import service as codes
from scancode.db import new_id
from scancode.errors import NotFound
from scancode.i18n import N_
from scancode.jobs import service as jobs
from scancode.jobs.rules import JobState
from scancode.packing import service as packing
from scancode.packing.association import PROBLEMS
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.uploads import service as uploads
from scancode.uploads.models import Upload
from scancode.uploads.rules import AT_WORK, CANCELLABLE, FilesMissing, UploadKind, UploadMoved, UploadState, plain_name
from scancode.uploads.service import Received
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff, visible
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

HOME = {
    UploadKind.PACKING: ("console.packing", N_("Packing")),
    UploadKind.CHECK: ("console.preflight", N_("Check returned files")),
    UploadKind.LIFE: ("console.life_list", N_("Activation and voiding")),
    UploadKind.SHIPMENT: ("console.shipments", N_("Shipments")),
}
SAID = {
    "cancel": N_("Cancelled: the file changes nothing."),
    "confirm": N_("It will be done in a moment."),
    "undo": N_("What the file did is being taken back."),
}


def sent_files(name: str) -> list[FileStorage]:
    """The files of one field of the form that somebody really chose."""
    return [file for file in request.files.getlist(name) if file.filename]


def size_of(file: FileStorage) -> int:
    """How large a file of the form is, in bytes."""
    size = file.stream.seek(0, os.SEEK_END)
    file.stream.seek(0)
    return size


@contextmanager
def received(name: str) -> Iterator[list[Received]]:
    """The files of one field on the disk, summed, until they are handed on or the block ends. Raises FilesMissing."""
    chosen = sent_files(name)
    if not chosen:
        raise FilesMissing
    found: list[Received] = []
    try:
        for file in chosen:
            found.append(_receive(file))
        yield found
    finally:
        for each in found:
            each.path.unlink(missing_ok=True)


def _receive(file: FileStorage) -> Received:
    shared = runtime()
    folder = shared.settings.var_dir / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    path = folder / f"{new_id(shared.now()).hex}.sending"
    with path.open("xb") as writing:
        while piece := file.stream.read(1 << 20):
            digest.update(piece)
            size += len(piece)
            writing.write(piece)
    return Received(path, plain_name(file.filename or ""), digest.hexdigest(), size)


def _visible_upload(session: Session, upload_id: UUID) -> Upload:
    row = uploads.get_upload(session, upload_id=upload_id)
    visible(row.brand_id)
    return row


@console.get("/uploads/<uuid:upload_id>", endpoint="upload")
@allow(Role.FACTORY)
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
        has_report=_has_report(row),
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
    if row.kind == UploadKind.LIFE:
        found["batch"] = codes.get_batch(session, number=wish["batch"])
    return found


def _words(code: str) -> str:
    return str(gettext(PROBLEMS.get(code, code)))


def _has_report(row: Upload) -> bool:
    """Whether there is a report to fetch: of a check that ended, or of lines that are wrong."""
    if row.gone_at is not None:
        return False
    if row.kind == UploadKind.CHECK:
        return row.state == UploadState.DONE
    return row.state == UploadState.REFUSED and bool(json.loads(row.result).get("problems"))


@console.get("/uploads/<uuid:upload_id>/report.<any(csv, json):ending>")
@allow(Role.FACTORY)
def upload_report(upload_id: UUID, ending: str) -> ResponseReturnValue:
    shared = runtime()
    with shared.db.reading() as session:
        row = _visible_upload(session, upload_id)
    path = uploads.report_path(shared.settings.var_dir, upload_id, ending).absolute()
    if not _has_report(row) or not path.is_file():
        raise NotFound
    with shared.db.transaction() as session:
        staff.audit(
            session,
            actor=current_staff().actor,
            brand_id=row.brand_id,
            action="upload.report",
            subject=f"upload:{upload_id}",
            facts={"kind": row.kind, "problems": row.problems},
            now=shared.now(),
        )
    name = f"{row.asked_at:%Y%m%d-%H%M}-{row.kind}-report.{ending}"
    return send_file(path, mimetype=uploads.REPORTS[ending], as_attachment=True, download_name=name)


@console.post("/uploads/<uuid:upload_id>/<any(cancel, confirm, undo):verb>")
@allow(Role.FACTORY)
def change_upload(upload_id: UUID, verb: str) -> ResponseReturnValue:
    shared, person = runtime(), current_staff()
    try:
        with shared.db.transaction() as session:
            row = _visible_upload(session, upload_id)
            if verb == "cancel":
                uploads.cancel(session, upload_id=upload_id, actor=person.actor, now=shared.now())
            elif verb == "undo" and row.kind != UploadKind.PACKING:
                raise UploadMoved
            else:
                step = uploads.STEPS[verb]
                uploads.go_on(
                    session,
                    upload_id=upload_id,
                    step=step,
                    actor=person.actor,
                    staff_id=person.id,
                    now=shared.now(),
                )
        flash(gettext(SAID[verb]), "success")
    except UploadMoved as refusal:
        flash(refusal.sentence(gettext), "warning")
    return redirect(url_for("console.upload", upload_id=upload_id))
