"""Downloading what the press has made: the files of a ready batch and its manifest, each download on record."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scancode.codes import service as codes
from scancode.codes.rules import BatchState
from scancode.errors import NotFound
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.batches import checking, may_order, visible_batch
from scancode.web.runtime import runtime

MANIFEST = "manifest.json"


@console.get("/batches/<int:number>/files/<name>")
@allow(Role.FACTORY)
def download(number: int, name: str) -> ResponseReturnValue:
    shared = runtime()
    with shared.db.reading() as session:
        batch = visible_batch(session, number)
        known = codes.find_file(session, batch_number=number, name=name)
        is_ready, manifest = batch.state == BatchState.READY, batch.manifest or ""
    if not is_ready or (known is None and name != MANIFEST):
        raise NotFound
    if known is None:
        response = Response(manifest, mimetype="application/json")
        response.headers.set("Content-Disposition", "attachment", filename=f"batch-{number}-{MANIFEST}")
        size = len(manifest.encode())
    else:
        path = (codes.pack_folder(shared.settings.var_dir, number) / known.name).resolve()
        if not path.is_file():
            raise codes.PackGone
        response = send_file(path, as_attachment=True, download_name=known.name, etag=known.sha256, max_age=0)
        size = known.size_bytes
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if _is_a_beginning():
        _record(number, name, size)
    return response


@console.post("/batches/<int:number>/check")
@allow(Role.FACTORY)
def check_pack(number: int) -> ResponseReturnValue:
    """Has every file read again and every code verified, in the background."""
    try:
        with runtime().db.transaction() as session:
            visible_batch(session, number)
            codes.ask_check(session, number=number, actor=current_staff().actor, now=runtime().now())
    except codes.PackGone as refusal:
        flash(refusal.sentence(gettext), "warning")
    return redirect(url_for("console.batch", number=number) + "#check")


@console.post("/batches/<int:number>/check/stop")
@allow(Role.FACTORY)
def stop_check(number: int) -> ResponseReturnValue:
    now = runtime().now()
    with runtime().db.transaction() as session:
        visible_batch(session, number)
        codes.stop_check(session, number=number, actor=current_staff().actor, now=now)
    flash(gettext("The check is stopped."), "success")
    return redirect(url_for("console.batch", number=number) + "#check")


@console.get("/batches/<int:number>/check")
@allow(Role.FACTORY, Role.MARKETING)
def pack_check(number: int) -> ResponseReturnValue:
    """The part of the page that moves while the files are checked."""
    with runtime().db.reading() as session:
        row = visible_batch(session, number)
        check = checking(session, number)
    return render_template("console/batches/_check.html", row=row, check=check, may_order=may_order())


def _is_a_beginning() -> bool:
    """A download that is fetched in ranges is one download."""
    ranges = request.range
    return request.method == "GET" and (ranges is None or not ranges.ranges or ranges.ranges[0][0] == 0)


def _record(number: int, name: str, size_bytes: int) -> None:
    shared, person = runtime(), current_staff()
    with shared.db.transaction() as session:
        staff.audit(
            session,
            actor=person.actor,
            brand_id=codes.get_batch(session, number=number).brand_id,
            action="batch.download",
            subject=f"batch:{number}",
            facts={"file": name, "size_bytes": size_bytes},
            now=shared.now(),
        )
