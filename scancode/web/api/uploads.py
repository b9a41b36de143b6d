"""Files that a line, a WMS or a print house sends: association files, codes to be changed or shipped, returned files to
be checked. Sent as ``multipart/form-data``, worked off by the worker; what became of one is asked for by its id.
"""

from __future__ import annotations

import json
from uuid import UUID

from flask import Response, send_file
from flask_babel import gettext
from sqlalchemy.orm import Session

from scancode.channels.rules import ShipmentKind
from scancode.codes import service as codes
from scancode.codes.rules import Activate, Change, Deactivate, Recall, Restore, Void
from scancode.errors import NotFound
from scancode.packing import service as packing
from scancode.packing.association import PROBLEMS
from scancode.stories import sent_files
from scancode.stories.sent_files import Consignment, Sender
from scancode.stories.tagging import NOT_TAGGED
from scancode.uploads import service as uploads
from scancode.uploads.models import Upload
from scancode.uploads.rules import OF_PEOPLE, UploadKind
from scancode.web.api.access import brand_of_call, caller, find_brand_of_call
from scancode.web.api.batches import progress_of
from scancode.web.api.once import Repeating, made_once
from scancode.web.api.refusals import FileGone, ScopeMissing
from scancode.web.api.routes import UPLOADS, get, post, post_files
from scancode.web.api.shapes import Nothing, read_cursor, reply, write_cursor
from scancode.web.api.upload_shapes import (
    AssociationFile,
    LifeFile,
    LineProblem,
    ReportQuery,
    ReturnedFiles,
    ShipmentFile,
    UploadAnswer,
    UploadPage,
    UploadPath,
    UploadQuery,
)
from scancode.web.language import current_locale
from scancode.web.receiving import received
from scancode.web.runtime import runtime

RESTORING = "batches:restore"


@post_files("/uploads/packing", scope="batches:write", tag=UPLOADS, answers={202: UploadAnswer}, refusals=(404, 507))
def send_association_file(header: Repeating, form: AssociationFile) -> Response:
    """Send a line's association file.

    All of it is taken in, or nothing: ask for the upload until its state is `done` or `refused`.
    """
    with received("file") as files:
        chosen, *_ = sent_files.only_one(files)

        def work(session: Session) -> UploadAnswer:
            sender = _sender(brand_of_call(session, form.brand).id)
            wish = packing.Wish(form.batch, form.case_size, form.pallet_size, form.may_be_short)
            made = packing.ask_import(
                session,
                brand_id=sender.brand_id,
                file=chosen,
                wish=wish,
                var_dir=sender.var_dir,
                actor=sender.actor,
                staff_id=sender.staff_id,
                now=sender.now,
            )
            return _told(session, made)

        return made_once(header.key, work, status=202)


@post_files("/uploads/check", scope="batches:write", tag=UPLOADS, answers={202: UploadAnswer}, refusals=(404, 507))
def send_returned_files(header: Repeating, form: ReturnedFiles) -> Response:
    """Have files that a print house returned checked, all of them together.

    `problems` of the finished upload is 0 where they are good to print.
    """
    with received("files") as files:

        def work(session: Session) -> UploadAnswer:
            sender = _sender(brand_of_call(session, form.brand).id)
            if form.batch is not None:
                codes.get_batch(session, number=form.batch, brand_id=sender.brand_id)
            made = sent_files.check(session, sender=sender, files=files, batch_number=form.batch)
            return _told(session, made)

        return made_once(header.key, work, status=202)


@post_files("/uploads/life", scope="batches:write", tag=UPLOADS, answers={202: UploadAnswer}, refusals=(404, 507))
def send_life_file(header: Repeating, form: LifeFile) -> Response:
    """Send codes whose life is to change, such as a line's camera rejects.

    The worker reads the file and says how many codes it would change (state `read`); nothing is changed before
    `confirm`.
    """
    _allow(form.verb)
    what = _change(form)
    with received("file") as files:

        def work(session: Session) -> UploadAnswer:
            batch = codes.get_batch(session, number=form.batch, brand_id=caller().brand_id)
            sender = _sender(batch.brand_id)
            made = sent_files.change_life(
                session, sender=sender, files=files, batch=batch, what=what, run_at=form.at
            )  # fmt: skip
            return _told(session, made)

        return made_once(header.key, work, status=202)


@post_files(
    "/uploads/shipment", scope="batches:write", tag=UPLOADS, answers={202: UploadAnswer}, refusals=(404, 409, 507)
)
def send_shipment_file(header: Repeating, form: ShipmentFile) -> Response:
    """Book a shipment of the codes of a file, all of them or none."""
    is_back = form.kind == "return"
    wanted = Consignment(
        form.number,
        ShipmentKind(form.kind),
        channel_id=None if is_back else form.channel_id,
        store_id=None if is_back else form.store_id,
        note=form.note,
        move=form.move,
        leave_out_dead=form.leave_out_dead,
    )
    with received("file") as files:

        def work(session: Session) -> UploadAnswer:
            sender = _sender(brand_of_call(session, form.brand).id)
            made = sent_files.ship(session, sender=sender, files=files, consignment=wanted, selection={})
            return _told(session, made)

        return made_once(header.key, work, status=202)


@get("/uploads", scope="batches:read", tag=UPLOADS, answers={200: UploadPage})
def list_uploads(query: UploadQuery) -> Response:
    """List uploads."""
    after = read_cursor(query.cursor, UUID)[0] if query.cursor else None
    with runtime().db.reading() as session:
        brand = find_brand_of_call(session, query.brand)
        rows = uploads.page_of_uploads(
            session,
            brand_id=brand.id if brand else None,
            kinds={UploadKind(query.kind)} if query.kind else set(UploadKind) - OF_PEOPLE,
            after=after,
            limit=query.limit + 1,
        )
        items = [answer_of(session, row) for row in rows[: query.limit]]
    end = write_cursor(str(items[-1].id)) if len(rows) > query.limit else None
    return reply(UploadPage(items=items, next=end))


@get("/uploads/<upload_id>", scope="batches:read", tag=UPLOADS, answers={200: UploadAnswer}, refusals=(404,))
def show_upload(path: UploadPath) -> Response:
    """Show what became of an upload."""
    with runtime().db.reading() as session:
        return reply(answer_of(session, _visible(session, path.upload_id)))


@get(
    "/uploads/<upload_id>/report",
    scope="batches:files",
    tag=UPLOADS,
    answers={
        200: {
            "description": "The report.",
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in uploads.REPORTS.values()},
        }
    },
    refusals=(404, 410),
)
def fetch_report(path: UploadPath, query: ReportQuery) -> Response:
    """Fetch every line that is wrong, or all that a check found. It holds codes, so fetching it is on record."""
    shared, token = runtime(), caller()
    with shared.db.reading() as session:
        row = _visible(session, path.upload_id)
        has_report = uploads.has_report(row)
    if not has_report:
        raise NotFound
    file = uploads.report_path(shared.settings.var_dir, row.id, query.form).absolute()
    if not file.is_file():
        raise FileGone
    with shared.db.transaction() as session:
        uploads.note_report(session, row=row, actor=token.actor, now=shared.now())
    name = f"{row.asked_at:%Y%m%d-%H%M}-{row.kind}-report.{query.form}"
    response = send_file(file, mimetype=uploads.REPORTS[query.form], as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@post(
    "/uploads/<upload_id>/confirm",
    scope="batches:write",
    tag=UPLOADS,
    answers={200: UploadAnswer},
    refusals=(404, 409),
)
def confirm_upload(path: UploadPath, body: Nothing) -> Response:
    """Have a file of codes do what it was read to do. 409 `upload_state` where it does not wait for this."""
    return _go_on(path.upload_id, "confirm")


@post("/uploads/<upload_id>/undo", scope="batches:write", tag=UPLOADS, answers={200: UploadAnswer}, refusals=(404, 409))
def undo_upload(path: UploadPath, body: Nothing) -> Response:
    """Unpack what an association file packed, where it still lies so."""
    return _go_on(path.upload_id, "undo")


@post(
    "/uploads/<upload_id>/cancel", scope="batches:write", tag=UPLOADS, answers={200: UploadAnswer}, refusals=(404, 409)
)
def cancel_upload(path: UploadPath, body: Nothing) -> Response:
    """End an upload before it changes anything."""
    shared, token = runtime(), caller()

    def work(session: Session) -> UploadAnswer:
        _visible(session, path.upload_id)
        uploads.cancel(session, upload_id=path.upload_id, actor=token.actor, now=shared.now())
        return _told(session, path.upload_id)

    return reply(shared.db.retrying(work))


def _go_on(upload_id: UUID, verb: str) -> Response:
    shared, token = runtime(), caller()

    def work(session: Session) -> UploadAnswer:
        row = _visible(session, upload_id)
        _allow(str(json.loads(row.wish).get("verb", "")))
        uploads.go_on(
            session,
            upload_id=upload_id,
            step=uploads.STEPS[verb],
            actor=token.actor,
            staff_id=token.staff_id,
            now=shared.now(),
        )
        return _told(session, upload_id)

    return reply(shared.db.retrying(work))


def _allow(verb: str) -> None:
    """Raises ScopeMissing: bringing dead codes back is a right of its own, by file as well."""
    if verb == Restore.verb and RESTORING not in caller().scopes:
        raise ScopeMissing(scope=RESTORING)


def _change(form: LifeFile) -> Change:
    """Raises ReasonNeeded, MessageNeeded, NoteNeeded."""
    if form.verb == "void":
        return Void(form.reason, form.note)
    if form.verb == "recall":
        return Recall(form.message_zh, form.message_en, form.note)
    if form.verb == "restore":
        return Restore(form.note)
    return Activate(form.note) if form.verb == "activate" else Deactivate(form.note)


def _sender(brand_id: UUID) -> Sender:
    shared, token = runtime(), caller()
    return Sender(brand_id, token.actor, token.staff_id, shared.settings.var_dir, shared.now())


def _visible(session: Session, upload_id: UUID) -> Upload:
    """Raises NotFound."""
    row = uploads.get_upload(session, upload_id=upload_id)
    if caller().brand_id not in (None, row.brand_id) or row.kind in OF_PEOPLE:
        raise NotFound
    return row


def _told(session: Session, upload_id: UUID) -> UploadAnswer:
    return answer_of(session, uploads.get_upload(session, upload_id=upload_id))


def answer_of(session: Session, row: Upload) -> UploadAnswer:
    result = json.loads(row.result)
    problems = [
        LineProblem(
            line=line,
            column=column,
            code=code,
            problem=gettext(PROBLEMS.get(code) or NOT_TAGGED.get(code, code)),
            cell=cell,
        )
        for line, column, code, cell in result.pop("problems", [])
    ]
    said = {locale: result.pop(locale, None) for locale in ("zh", "en")}
    names = ("id", "kind", "name", "state", "asked_at", "ended_at", "rows", "problems")
    return UploadAnswer(
        first_problems=problems,
        refusal=said[current_locale()],
        result=result,
        progress=progress_of(session, uploads.job_key(row.id)),
        **{name: getattr(row, name) for name in names},
    )
