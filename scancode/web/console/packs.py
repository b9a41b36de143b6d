"""Downloading what the press has made: the files of a ready batch and its manifest, each download on record."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from batches.manifest import Manifest
from batches.manifest_page import STYLE_HASH, page_of
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.codes.rules import BatchState
from scancode.errors import NotFound
from scancode.handover import service as handover
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.batches import checking, may_order, visible_batch
from scancode.web.runtime import runtime
from scancode.web.sending import Sent, client_of_request, counting, send_pack_file

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
        response.headers["Cache-Control"] = "private, no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        if request.method == "GET":
            _begin(batch, name, len(manifest.encode()), is_beginning=True)(len(manifest.encode()))
        return response
    path = (codes.pack_folder(shared.settings.var_dir, number) / known.name).resolve()
    if batch.pack_gone_at is not None or not path.is_file():
        raise codes.PackGone
    size = known.size_bytes
    return send_pack_file(
        path,
        name=known.name,
        sha256=known.sha256,
        begin=lambda is_beginning: _begin(batch, name, size, is_beginning=is_beginning),
    )


def _begin(batch: Batch, name: str, size_bytes: int, *, is_beginning: bool) -> Sent:
    """One person's fetching of one file is one download, however many ranges it takes."""
    shared, person = runtime(), current_staff()
    now = shared.now()
    file = handover.FetchedFile(batch.number, batch.brand_id, name, size_bytes)
    client = client_of_request(actor=person.actor, permit=f"{person.id}:{batch.number}:{name}")
    download_id = shared.db.retrying(
        lambda session: handover.begin_download(
            session, file=file, client=client, is_beginning=is_beginning, sealer=shared.sealer, now=now
        )
    )
    return counting(download_id)


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


@console.get("/batches/<int:number>/manifest")
@allow(Role.FACTORY)
def manifest_page(number: int) -> ResponseReturnValue:
    """The manifest to print, in both languages, whoever reads it."""
    with runtime().db.reading() as session:
        text = visible_batch(session, number).manifest
    if text is None:
        raise NotFound
    response = Response(page_of(Manifest.from_json(text.encode())), mimetype="text/html")
    # It stands alone, so nothing but its own style is allowed.
    response.headers["Content-Security-Policy"] = f"default-src 'none'; style-src '{STYLE_HASH}'"
    response.headers["Cache-Control"] = "private, no-store"
    return response
