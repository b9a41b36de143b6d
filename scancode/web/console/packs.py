"""Downloading what the press has made: the files of a ready batch and its manifest, each download on record."""

from __future__ import annotations

from flask import Response, request, send_file
from flask.typing import ResponseReturnValue

from scancode.codes import service as codes
from scancode.codes.rules import BatchState
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.batches import visible_batch
from scancode.web.runtime import runtime

MANIFEST = "manifest.json"


class PackGone(Refusal):
    code = "pack_gone"
    text = N_(
        "This file is not on this machine any more. The batch is on record; ask for the sealed copy of its files."
    )
    status = 410


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
            raise PackGone
        response = send_file(path, as_attachment=True, download_name=known.name, etag=known.sha256, max_age=0)
        size = known.size_bytes
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if _is_a_beginning():
        _record(number, name, size)
    return response


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
