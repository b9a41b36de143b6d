"""Making codes live and killing them: activation, deactivation, voiding, recall and restoring of ranges of a batch.

All but activation is asked twice: the first answer tells how many codes are concerned, the second does it. Should the
number have changed in between, it is asked again.
"""

from __future__ import annotations

from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.exceptions import NotFound as NoPage
from wtforms import DateTimeLocalField, FileField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.codes.rules import Activate, Change, Deactivate, Life, Range, Recall, Restore, Void, VoidReason
from scancode.codes.typed import (
    FILE_RANGES_TEXT_MAX,
    LINES_MAX,
    TEXT_LENGTH_MAX,
    parse_lines,
    parse_ranges,
    written,
)
from scancode.errors import Refusal
from scancode.staff.rules import Role
from scancode.stories import sent_files as stories
from scancode.stories.life_orders import Target
from scancode.uploads.rules import AT_ONCE_BYTES
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.batches import visible_batch
from scancode.web.console.code_reading import serials_in
from scancode.web.console.session import refuse_field
from scancode.web.console.uploads import sender_of
from scancode.web.receiving import received, sent_files, size_of
from scancode.web.runtime import runtime
from scancode.web.security import with_camera

REASONS = (
    (VoidReason.OVERPRINT, lazy_gettext("Overprint")),
    (VoidReason.STOLEN, lazy_gettext("Stolen")),
    (VoidReason.DAMAGED, lazy_gettext("Damaged")),
    (VoidReason.LOST, lazy_gettext("Lost")),
    (VoidReason.MISPRINT, lazy_gettext("Misprint")),
    (VoidReason.NOT_SOLD, lazy_gettext("Not sold")),
    (VoidReason.CANCELLED, lazy_gettext("Cancelled")),
    (VoidReason.OTHER, lazy_gettext("Other (say what)")),
)
VERBS = ("activate", "deactivate", "void", "recall", "restore")


class LifeForm(FlaskForm):
    """Every verb's fields; the page shows those of its verb."""

    ranges = TextAreaField(lazy_gettext("Which codes"), validators=[Length(max=FILE_RANGES_TEXT_MAX)])
    reason = SelectField(
        lazy_gettext("Reason"),
        choices=[
            SelectChoice("", lazy_gettext("Choose a reason")),
            *(SelectChoice(reason.value, label) for reason, label in REASONS),
        ],
        validate_choice=False,
    )
    message_zh = TextAreaField(lazy_gettext("Message (Chinese)"), validators=[Length(max=300)])
    message_en = TextAreaField(lazy_gettext("Message (English)"), validators=[Length(max=300)])
    note = StringField(lazy_gettext("Note"), validators=[Length(max=300)])
    expected = HiddenField()
    """How many codes the person was told would change; empty before they were asked."""


class BatchLifeForm(LifeForm):
    file = FileField(lazy_gettext("Or a file"))
    at = DateTimeLocalField(lazy_gettext("At a set time"), validators=[Optional()])


FIELD_OF = {
    "time_past": "at", "void_reason": "reason", "recall_message": "message_zh", "restore_note": "note",
    "disk_full": "file", "brand_open": "brand",
}  # fmt: skip


@console.route("/batches/<int:number>/life/<verb>", methods=["GET", "POST"])
@allow(Role.FACTORY)
def change_life(number: int, verb: str) -> ResponseReturnValue:
    if verb not in VERBS:
        raise NoPage
    form, shared = BatchLifeForm(), runtime()
    with shared.db.reading() as session:
        batch = visible_batch(session, number)
    if request.method == "GET":
        form.ranges.data = request.args.get("ranges", "")[:TEXT_LENGTH_MAX]
    asked: codes.Changed | None = None
    if form.validate_on_submit():
        try:
            change = change_of(verb, form)
            if _is_large():
                return _send(batch, change, form.at.data)
            ranges = _ranges(batch, form)
            if verb != "activate" or form.expected.data or sent_files("file"):
                asked = _unconfirmed(batch, ranges, change, form)
            if asked is None:
                return _done(batch, ranges, change, form.at.data)
        except Refusal as refusal:
            refuse_field(form, FIELD_OF.get(refusal.code, "ranges"), refusal)
    status = 422 if request.method == "POST" and asked is None else 200
    back = way_back(url_for("console.batch", number=batch.number))
    page = render_template("console/batches/life.html", form=form, row=batch, verb=verb, asked=asked, back=back)
    return with_camera(page), status


def _is_large() -> bool:
    """Whether there is a file that is read by the worker, not while the person waits."""
    return any(size_of(file) > AT_ONCE_BYTES for file in sent_files("file"))


def _send(batch: Batch, change: Change, at: datetime | None) -> ResponseReturnValue:
    """Has the worker read the file; its page asks before anything is changed. Raises BatchNotReady, TimePast."""
    from scancode.web.console.life_orders import at_of

    with received("file") as files, runtime().db.transaction() as session:
        upload_id = stories.change_life(
            session, sender=sender_of(batch.brand_id), files=files, batch=batch, what=change, run_at=at_of(at)
        )
    return redirect(url_for("console.upload", upload_id=upload_id))


def _ranges(batch: Batch, form: BatchLifeForm) -> tuple[Range, ...]:
    """What was typed, or the lines of a small file; a file's are written into the field, for the second step."""
    read_code = serials_in(batch)
    for upload in sent_files("file"):
        text = upload.stream.read(AT_ONCE_BYTES).decode("utf-8-sig", "replace")
        ranges = parse_lines(text.splitlines(), count=batch.count, read_code=read_code)
        form.ranges.data = written(ranges)
        return ranges
    return parse_ranges(form.ranges.data or "", count=batch.count, read_code=read_code, limit=LINES_MAX)


def change_of(verb: str, form: LifeForm) -> Change:
    note = (form.note.data or "").strip()
    if verb == "activate":
        return Activate(note)
    if verb == "deactivate":
        return Deactivate(note)
    if verb == "void":
        chosen = form.reason.data or ""
        return Void(VoidReason(chosen) if chosen in set(VoidReason) else VoidReason.OTHER, note if chosen else "")
    if verb == "recall":
        return Recall(form.message_zh.data or "", form.message_en.data or "", note)
    return Restore(note)


def _unconfirmed(batch: Batch, ranges: tuple[Range, ...], change: Change, form: LifeForm) -> codes.Changed | None:
    """What is to be confirmed; None when the person has said yes to just this."""
    with runtime().db.reading() as session:
        told = codes.preview(session, batch_number=batch.number, ranges=ranges, what=change, now=runtime().now())
    if form.expected.data == str(told.count):
        return None
    form.expected.data = str(told.count)
    return told


def _done(batch: Batch, ranges: tuple[Range, ...], change: Change, at: datetime | None) -> ResponseReturnValue:
    shared, person = runtime(), current_staff()
    if at is not None:
        from scancode.web.console import life_orders

        title = f"{batch.order_no}: {written(ranges)}"
        target = Target.ranges(batch.number, ranges)
        life_orders.say(life_orders.place(batch.brand_id, target, title, change, life_orders.at_of(at)))
        return redirect(url_for("console.life_list"))
    done = shared.db.retrying(
        lambda session: codes.change(
            session,
            batch_number=batch.number,
            ranges=ranges,
            what=change,
            actor=person.actor,
            staff_id=person.id,
            now=shared.now(),
        )
    )
    flash(told(change.verb, done), "success")
    return redirect(way_back(url_for("console.batch", number=batch.number, _anchor="life")))


def way_back(otherwise: str) -> str:
    """Where a form of life leads to in the end: to the code that was looked up before it, where one came from there."""
    looked_up = request.args.get("looked_up", "")[:300]
    return url_for("console.lookup", q=looked_up) if looked_up else otherwise


def told(verb: str, done: codes.Changed) -> str:
    said: str = {
        "activate": gettext("%(count)s codes are live.", count=f"{done.count:,}"),
        "deactivate": gettext("%(count)s codes are inactive again.", count=f"{done.count:,}"),
        "void": gettext("%(count)s codes are void.", count=f"{done.count:,}"),
        "recall": gettext(
            "%(count)s codes are recalled; whoever scans one reads your message.", count=f"{done.count:,}"
        ),
        "restore": gettext("%(count)s codes are again what they were before.", count=f"{done.count:,}"),
    }[verb]
    dead = done.left.get(Life.VOID, 0) + done.left.get(Life.RECALLED, 0)
    if dead and verb in {"activate", "deactivate"}:
        said += gettext(" %(count)s void or recalled codes among them stay as they are.", count=f"{dead:,}")
    return said
