"""Checking what a print house returned before it goes on a machine: files are sent here, a worker checks them all."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import MultipleFileField, StringField
from wtforms.validators import Length

from scancode.channels import service as channels
from scancode.errors import Refusal
from scancode.staff.rules import Role
from scancode.stories import sent_files
from scancode.uploads.rules import FILES_MAX, UploadKind
from scancode.web.console import console
from scancode.web.console.access import allow
from scancode.web.console.chosen import brand_to_change
from scancode.web.console.session import refuse_field
from scancode.web.console.uploads import batch_named, sender_of, sent_page
from scancode.web.receiving import received
from scancode.web.runtime import runtime


class PreflightForm(FlaskForm):
    files = MultipleFileField(lazy_gettext("Files"))
    batch = StringField(lazy_gettext("Batch"), validators=[Length(max=60)])


@console.get("/preflight", endpoint="preflight")
@allow(Role.FACTORY)
def preflight_home() -> ResponseReturnValue:
    form = PreflightForm()
    form.batch.data = request.args.get("batch", "")[:60]
    return _home(form)


def _home(form: PreflightForm, status: int = 200) -> ResponseReturnValue:
    limits = {"files_max": FILES_MAX, "bytes_max": runtime().settings.max_upload_bytes}
    return sent_page(UploadKind.CHECK, "console/uploads/preflight.html", form, status, **limits)


@console.post("/preflight")
@allow(Role.FACTORY)
def send_preflight() -> ResponseReturnValue:
    form = PreflightForm()
    if not form.validate_on_submit():
        return _home(form, 422)
    try:
        with received("files") as files, runtime().db.transaction() as session:
            brand = brand_to_change(session)
            batch = batch_named(session, brand.id, form.batch.data)
            upload_id = sent_files.check(
                session, sender=sender_of(brand.id), files=files, batch_number=batch.number if batch else None
            )
    except Refusal as refusal:
        refuse_field(form, "batch" if isinstance(refusal, channels.NoSuchBatch) else "files", refusal)
        return _home(form, 422)
    return redirect(url_for("console.upload", upload_id=upload_id))
