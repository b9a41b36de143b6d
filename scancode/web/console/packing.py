"""Packing in the console: a line's association files and what became of them, and one case or pallet with what is in
it. Packing item by item has a page of its own, ``packing_by_hand``."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID

from flask import Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import BooleanField, FileField, IntegerField, StringField
from wtforms.validators import Length, NumberRange, Optional

from scancode.channels import service as channels
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.jobs import service as jobs
from scancode.packing import service as packing
from scancode.packing.association import PROBLEMS
from scancode.packing.rules import CAPACITY_MAX, Level, Unit
from scancode.packing.service import ImportState, PackingImport
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff, visible
from scancode.web.console.batches import visible_batch
from scancode.web.console.chosen import brand_choices, chosen_brand
from scancode.web.console.code_reading import find_code
from scancode.web.console.pages import Page, page_number
from scancode.web.console.session import refuse_field
from scancode.web.runtime import runtime
from scancode.web.security import with_camera

PAGE_SIZE = 30
UNDER_WAY = (ImportState.WAITING, ImportState.RUNNING)
RANGES_SHOWN = 200


class FileMissing(Refusal):
    code = "association_missing"
    text = N_("Choose the file of the line first.")
    status = 422


class ImportForm(FlaskForm):
    file = FileField(lazy_gettext("Association file"))
    batch = StringField(lazy_gettext("Batch of the serials"), validators=[Length(max=60)])
    case_size = IntegerField(lazy_gettext("Items in a case"), validators=[Optional(), NumberRange(1, CAPACITY_MAX)])
    pallet_size = IntegerField(lazy_gettext("Cases on a pallet"), validators=[Optional(), NumberRange(1, CAPACITY_MAX)])
    may_be_short = BooleanField(lazy_gettext("Cases and pallets may hold fewer"), default=True)


@console.get("/packing", endpoint="packing")
@allow(Role.FACTORY)
def packing_home() -> ResponseReturnValue:
    return _home(ImportForm())


def _home(form: ImportForm, status: int = 200) -> ResponseReturnValue:
    number = page_number()
    with runtime().db.reading() as session:
        brand = chosen_brand(session)
        rows = packing.list_imports(session, brand_id=brand.id, limit=PAGE_SIZE + 1, offset=(number - 1) * PAGE_SIZE)
        page = render_template(
            "console/packing/home.html",
            form=form,
            brand=brand,
            brands=brand_choices(session),
            rows=rows[:PAGE_SIZE],
            page=Page(number, PAGE_SIZE, min(len(rows), PAGE_SIZE), (number - 1) * PAGE_SIZE + len(rows)),
        )
    return with_camera(page), status


@console.post("/packing/import")
@allow(Role.FACTORY)
def import_packing() -> ResponseReturnValue:
    form, shared, person = ImportForm(), runtime(), current_staff()
    upload = request.files.get("file")
    if not form.validate_on_submit():
        return _home(form, 422)
    try:
        if upload is None or not upload.filename:
            raise FileMissing
        received = receive(upload.stream, shared.settings.var_dir / "packing")
        with shared.db.transaction() as session:
            brand = chosen_brand(session)
            wanted = (form.batch.data or "").strip()
            batch = channels.find_batch(session, brand_id=brand.id, text=wanted) if wanted else None
            if wanted and batch is None:
                raise channels.NoSuchBatch(batch=wanted)
            import_id = packing.ask_import(
                session,
                brand_id=brand.id,
                wish=packing.Wish(
                    name=Path(upload.filename.replace("\\", "/")).name[:120],
                    sha256=received.sha256,
                    size_bytes=received.size_bytes,
                    batch_number=batch.number if batch else None,
                    case_size=form.case_size.data,
                    pallet_size=form.pallet_size.data,
                    may_be_short=bool(form.may_be_short.data),
                ),
                actor=person.actor,
                staff_id=person.id,
                now=shared.now(),
            )
            received.path.replace(packing.upload_path(shared.settings.var_dir, import_id))
    except Refusal as refusal:
        refuse_field(form, "batch" if isinstance(refusal, channels.NoSuchBatch) else "file", refusal)
        return _home(form, 422)
    return redirect(url_for("console.packing_import", import_id=import_id))


@dataclass(frozen=True)
class Received:
    path: Path
    sha256: str
    size_bytes: int


def receive(stream: IO[bytes], folder: Path) -> Received:
    """Writes an upload to the disk and sums it."""
    folder.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    path = folder / f"{hashlib.sha256(str(runtime().now().timestamp()).encode()).hexdigest()[:24]}.upload"
    with path.open("wb") as file:
        while piece := stream.read(1 << 20):
            digest.update(piece)
            size += len(piece)
            file.write(piece)
    return Received(path, digest.hexdigest(), size)


def _visible_import(session: Session, import_id: UUID) -> PackingImport:
    row = packing.get_import(session, import_id=import_id)
    visible(row.brand_id)
    return row


@console.get("/packing/imports/<uuid:import_id>", endpoint="packing_import")
@allow(Role.FACTORY)
def show_import(import_id: UUID) -> ResponseReturnValue:
    """The page; htmx asks for the part that moves."""
    with runtime().db.reading() as session:
        row = _visible_import(session, import_id)
        job = jobs.find(session, key=packing.job_key(import_id))
        left = packing.still_there(session, import_id=import_id) if row.state == ImportState.DONE else 0
    is_part = bool(request.headers.get("HX-Request"))
    if is_part and row.state not in UNDER_WAY:
        return Response(headers={"HX-Refresh": "true"})
    return render_template(
        "console/packing/_progress.html" if is_part else "console/packing/import.html",
        row=row,
        job=job,
        left=left,
        is_under_way=row.state in UNDER_WAY,
        problems=[(line, column, _words(code), cell) for line, column, code, cell in json.loads(row.first_problems)],
    )


def _words(code: str) -> str:
    from scancode.packing.association import ColumnsMissing, FileUnreadable, TooManyRows

    texts = {kind.code: kind.text for kind in (ColumnsMissing, FileUnreadable, TooManyRows)} | PROBLEMS
    return str(gettext(texts.get(code, code)))


@console.get("/packing/imports/<uuid:import_id>/errors.csv")
@allow(Role.FACTORY)
def packing_errors(import_id: UUID) -> ResponseReturnValue:
    shared = runtime()
    with shared.db.reading() as session:
        row = _visible_import(session, import_id)
    path = packing.upload_path(shared.settings.var_dir, import_id).with_suffix(".errors.csv").absolute()
    if row.state != ImportState.REFUSED or not path.is_file():
        raise NotFound
    with shared.db.transaction() as session:
        staff.audit(
            session,
            actor=current_staff().actor,
            brand_id=row.brand_id,
            action="packing.errors",
            subject=f"packing_import:{import_id}",
            facts={"problems": row.problems},
            now=shared.now(),
        )
    return send_file(path, mimetype="text/csv", as_attachment=True, download_name=f"{import_id}-errors.csv")


@console.post("/packing/imports/<uuid:import_id>/<any(cancel, undo):verb>")
@allow(Role.FACTORY)
def change_import(import_id: UUID, verb: str) -> ResponseReturnValue:
    shared, person = runtime(), current_staff()
    try:
        with shared.db.transaction() as session:
            _visible_import(session, import_id)
            if verb == "cancel":
                packing.cancel_import(session, import_id=import_id, actor=person.actor, now=shared.now())
                said = gettext("The file is not taken in.")
            else:
                count = packing.undo_import(
                    session, import_id=import_id, actor=person.actor, staff_id=person.id, now=shared.now()
                )
                said = gettext("%(count)s items and cases are unpacked again.", count=f"{count:,}")
        flash(said, "success")
    except packing.ImportMoved as refusal:
        flash(refusal.sentence(gettext), "warning")
    return redirect(url_for("console.packing_import", import_id=import_id))


@console.get("/packing/units")
@allow(Role.FACTORY, Role.MARKETING)
def packing_unit() -> ResponseReturnValue:
    """A case or a pallet (``?q=`` its code, or ``?unit=batch:level:serial``): what is in it, and where it is."""
    with runtime().db.reading() as session:
        unit = unit_asked(session)
        batch = visible_batch(session, unit.batch)
        inside = packing.contents(session, parent=unit)
        return render_template(
            "console/packing/unit.html",
            unit=unit,
            batch=batch,
            filled=packing.find_container(session, unit=unit),
            parents=packing.parents(session, unit=unit),
            inside=inside,
            ranges=[
                (number, level.label, first, last)
                for (number, level), ranges in sorted(inside.direct.items())
                for first, last in ranges
            ][:RANGES_SHOWN],
            steps=packing.history(session, unit=unit),
        )


def unit_asked(session: Session) -> Unit:
    """Raises NotFound, UnreadableCode, NotOurCode."""
    typed = request.args.get("q", "").strip()[:300]
    if typed:
        found = find_code(session, typed)
        if found.kind is None:
            raise NotFound
        return Unit(found.batch.number, Level.of(found.kind), found.serial)
    try:
        number, level, serial = request.args.get("unit", "").split(":")
        unit = Unit(int(number), Level[level.upper()], int(serial))
    except (ValueError, KeyError) as error:
        raise NotFound from error
    if unit.serial >= visible_batch(session, unit.batch).count or unit.serial < 0:
        raise NotFound
    return unit
