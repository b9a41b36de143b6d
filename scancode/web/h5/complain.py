"""``/CODE/report``: somebody says that an item looks wrong, with a photo if they like. Works without JavaScript.

Nothing personal is asked for; a number to be called back on is kept only where the person agrees to that. Whoever comes
back to the page reads what became of what they told us, in the browser that they told it with.
"""

from __future__ import annotations

import threading
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response
from wtforms import BooleanField, FileField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from batches import codes as press
from scancode.catalog import pictures
from scancode.catalog import service as catalog
from scancode.catalog.pictures import Encoded, NotAPicture, PictureTooLarge, PictureTooSmall
from scancode.catalog.rules import BrandFacts
from scancode.complaints import service as complaints
from scancode.complaints.rules import (
    ComplaintKind,
    ContactNotAgreed,
    Draft,
    NothingSaid,
    TextTooLong,
)
from scancode.complaints.service import About
from scancode.errors import Refusal, Unavailable
from scancode.members.rules import BadPhone
from scancode.scans import service as scans
from scancode.scans.rules import History, judge
from scancode.web.h5 import h5
from scancode.web.language import current_locale
from scancode.web.limits import limiter
from scancode.web.reading import NotOurs, ReadCode, Unreadable, read_code
from scancode.web.runtime import Runtime, runtime
from scancode.web.visitor import current_visitor

SHOWN_MAX = 5
SCANS_LOOKED_AT = 50
ENCODING_WAIT_S = 10
_encoding = threading.Semaphore(2)
"""Reading a photo takes a processor for a moment: strangers get two of them at a time."""
FIELD_OF: dict[type[Refusal], str] = {
    NothingSaid: "text",
    TextTooLong: "text",
    ContactNotAgreed: "is_agreed",
    BadPhone: "contact",
    NotAPicture: "photo",
    PictureTooLarge: "photo",
    PictureTooSmall: "photo",
}


class ComplaintForm(FlaskForm):
    """Its CSRF token is the visitor's form token, which the blueprint checks."""

    class Meta:
        csrf = False

    kind = RadioField(
        lazy_gettext("What looks wrong?"),
        choices=[
            SelectChoice(ComplaintKind.FAKE.value, lazy_gettext("It looks like a counterfeit")),
            SelectChoice(ComplaintKind.OPENED.value, lazy_gettext("It was opened, or the code was scratched off")),
            SelectChoice(ComplaintKind.CLAIMED.value, lazy_gettext("Somebody else has taken the reward")),
            SelectChoice(ComplaintKind.QUALITY.value, lazy_gettext("Something about the item itself")),
            SelectChoice(ComplaintKind.OTHER.value, lazy_gettext("Something else")),
        ],
        default=ComplaintKind.FAKE.value,
    )
    text = TextAreaField(lazy_gettext("In your words"))
    photo = FileField(lazy_gettext("A photo of package and code"))
    contact = StringField(lazy_gettext("Phone number, if we may call back (optional)"))
    is_agreed = BooleanField()


@h5.get("/report")
def complain_about() -> Response:
    """Where the page of a text that is no code of ours leads: a form may name anything without spelling an address."""
    return redirect(url_for("h5.complain", text=request.args.get("code", "").strip()[:64] or "-"))


@h5.get("/<text>/report")
@limiter.limit("60 per minute")
def complain(text: str) -> str:
    """The form, and what became of what this browser told us before."""
    shared = runtime()
    return _page(shared, text, _about(shared, text), ComplaintForm(formdata=None))


@h5.post("/<text>/report")
@limiter.limit("10 per minute; 30 per hour")
def complain_act(text: str) -> Response | tuple[str, int]:
    shared = runtime()
    about, form = _about(shared, text), ComplaintForm()
    brand = _brand(shared, about)
    try:
        draft = Draft(_kind(form), form.text.data or "", form.contact.data or "", bool(form.is_agreed.data))
        sent = request.files.get("photo")
        photo = _photo(sent) if sent is not None and sent.filename else None
        draft = Draft(draft.kind, draft.text, draft.contact, draft.is_agreed, photo is not None).checked()
        shared.db.retrying(
            lambda session: complaints.complain(
                session,
                about=about,
                draft=draft,
                photo=photo,
                visitor_id=current_visitor().id,
                language=current_locale(),
                consent_version=brand.privacy_version if brand else "",
                sealer=shared.sealer,
                now=shared.now(),
            )
        )
    except Refusal as refusal:
        name = FIELD_OF.get(type(refusal))
        if name is None:
            flash(refusal.sentence(gettext), "danger")
        else:
            form[name].errors = [refusal.sentence(gettext)]
        return _page(shared, text, about, form), refusal.status
    flash(gettext("Thank you. Your report is with the brand; come back to this page to read the answer."), "success")
    return redirect(url_for("h5.complain", text=text[:64]), 303)


def _kind(form: ComplaintForm) -> ComplaintKind:
    known = {kind.value for kind in ComplaintKind}
    return ComplaintKind(form.kind.data) if form.kind.data in known else ComplaintKind.OTHER


def _photo(sent: FileStorage) -> Encoded:
    """Raises PictureTooLarge, PictureTooSmall, NotAPicture, Unavailable."""
    content = sent.stream.read(pictures.UPLOAD_BYTES_MAX + 1)
    if not _encoding.acquire(timeout=ENCODING_WAIT_S):
        raise Unavailable
    try:
        return pictures.encode(content)
    finally:
        _encoding.release()


def _about(shared: Runtime, text: str) -> About:
    """What the address names. Raises Unreadable for what is not even like a code."""
    try:
        code = read_code(shared, text)
    except Unreadable:
        raise
    except NotOurs as refusal:
        return About(refusal.verdict, brand_id=_brand_of_forgery(shared, text), typed=text)
    return About(_verdict(shared, code), code.brand.id, code.product.id, code.batch.number, code.code_id)


def _verdict(shared: Runtime, code: ReadCode) -> str:
    """As this browser was told when it scanned the code last; else as somebody would be who scans it now."""
    with shared.db.reading() as session:
        is_suspect = scans.are_suspect(session, code_ids=[code.code_id])
        seen = scans.of_code(session, code_id=code.code_id, limit=SCANS_LOOKED_AT)
    own = next((scan for scan in seen if scan.visitor_id == current_visitor().id), None)
    if own is not None and not is_suspect:
        return own.verdict.value
    counted = [scan.scanned_at for scan in seen if scan.is_confirmed]
    past = History(first_at=counted[-1] if counted else None)
    return judge(code.batch.life_of(code.serial).state, past, is_suspect=is_suspect).value


def _brand_of_forgery(shared: Runtime, text: str) -> UUID | None:
    """The brand whose batch a forged code pretends to be of; else the only one in the house; else nobody knows."""
    number = press.batch_of(press.normalise(text))
    batch = shared.batches.get(number) if number in shared.numbers.get(None) else None
    if batch is not None:
        return batch.brand_id
    with shared.db.reading() as session:
        brands = catalog.list_brands(session, limit=2)
    return brands[0].id if len(brands) == 1 else None


def _brand(shared: Runtime, about: About) -> BrandFacts | None:
    return shared.brands.get(about.brand_id) if about.brand_id else None


def _page(shared: Runtime, text: str, about: About, form: ComplaintForm) -> str:
    visitor = current_visitor()
    with shared.db.reading() as session:
        own = [] if visitor.is_new else complaints.of_visitor(session, visitor_id=visitor.id, limit=20)
    told = [one for one in own if one.code_id == about.code_id and one.typed == about.typed[:40] and not one.erased_at]
    return render_template(
        "h5/complain.html",
        brand=_brand(shared, about),
        product=shared.products.get(about.product_id) if about.product_id else None,
        about=about,
        text=text[:64],
        form=form,
        told=told[:SHOWN_MAX],
        megabytes=pictures.UPLOAD_BYTES_MAX // 1_000_000,
    )
