"""Checking what a print house returned before it goes on a machine: files are sent here, a worker checks them all."""

from __future__ import annotations

import json

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import MultipleFileField, StringField
from wtforms.validators import Length

from scancode.channels import service as channels
from scancode.errors import Refusal
from scancode.staff.rules import Role
from scancode.uploads import service as uploads
from scancode.uploads.rules import FILES_MAX, UploadKind
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.chosen import brand_choices, chosen_brand
from scancode.web.console.pages import Page, page_number
from scancode.web.console.session import refuse_field
from scancode.web.console.uploads import received
from scancode.web.runtime import runtime

PAGE_SIZE = 30


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
    number = page_number()
    with runtime().db.reading() as session:
        brand = chosen_brand(session)
        rows = uploads.list_uploads(
            session,
            brand_id=brand.id,
            kind=UploadKind.CHECK,
            limit=PAGE_SIZE + 1,
            offset=(number - 1) * PAGE_SIZE,
        )
        page = render_template(
            "console/uploads/preflight.html",
            form=form,
            brand=brand,
            brands=brand_choices(session),
            rows=[(row, json.loads(row.wish)["batch"], json.loads(row.result)) for row in rows[:PAGE_SIZE]],
            page=Page(number, PAGE_SIZE, min(len(rows), PAGE_SIZE), (number - 1) * PAGE_SIZE + len(rows)),
            files_max=FILES_MAX,
            bytes_max=runtime().settings.max_upload_bytes,
        )
    return page, status


@console.post("/preflight")
@allow(Role.FACTORY)
def send_preflight() -> ResponseReturnValue:
    form, shared, person = PreflightForm(), runtime(), current_staff()
    if not form.validate_on_submit():
        return _home(form, 422)
    try:
        with received("files") as files, shared.db.transaction() as session:
            brand = chosen_brand(session)
            wanted = (form.batch.data or "").strip()
            batch = channels.find_batch(session, brand_id=brand.id, text=wanted) if wanted else None
            if wanted and batch is None:
                raise channels.NoSuchBatch(batch=wanted)
            upload_id = uploads.ask(
                session,
                brand_id=brand.id,
                kind=UploadKind.CHECK,
                wish={"batch": batch.number if batch else None},
                files=files,
                var_dir=shared.settings.var_dir,
                actor=person.actor,
                staff_id=person.id,
                now=shared.now(),
            )
    except Refusal as refusal:
        refuse_field(form, "batch" if isinstance(refusal, channels.NoSuchBatch) else "files", refusal)
        return _home(form, 422)
    return redirect(url_for("console.upload", upload_id=upload_id))
