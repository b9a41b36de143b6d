"""Shipments: which serials went where. Shipping is the factory's; marketing looks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import BooleanField, FileField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from scancode.catalog.rules import BrandFacts
from scancode.channels import service as channels
from scancode.channels.models import Shipment
from scancode.channels.rules import ShipmentKind
from scancode.codes import service as codes
from scancode.codes import typed
from scancode.errors import Invalid, Refusal
from scancode.i18n import N_
from scancode.staff.rules import Role
from scancode.stories import sent_files as stories
from scancode.stories.sent_files import Consignment
from scancode.uploads import service as uploads
from scancode.uploads.models import Upload
from scancode.uploads.rules import AT_ONCE_BYTES, DiskFull, UploadKind
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff, visible
from scancode.web.console.channels import anyone, refusal_words
from scancode.web.console.chosen import brand_choices, brand_to_change, chosen_brand
from scancode.web.console.code_reading import NotOurCode, UnreadableCode, serials_of
from scancode.web.console.pages import numbered, page_number
from scancode.web.console.uploads import sender_of
from scancode.web.language import current_locale
from scancode.web.receiving import received, sent_files, size_of
from scancode.web.runtime import runtime
from scancode.web.security import with_camera

PAGE_SIZE, FILES_SHOWN = 50, 10
GAPS_SHOWN = 50
CODES_MAX = 5000
"""Cases, pallets and items that one shipment names singly."""


class PlaceMissing(Refusal):
    code = "place_missing"
    text = N_("Choose where it goes.")
    status = 422


class ShipmentForm(FlaskForm):
    kind = SelectField(
        lazy_gettext("Kind of shipment"),
        choices=[
            SelectChoice(ShipmentKind.OUT.value, lazy_gettext("It leaves the factory")),
            SelectChoice(ShipmentKind.TRANSFER.value, lazy_gettext("It moves from one place to another")),
            SelectChoice(ShipmentKind.RETURN.value, lazy_gettext("It comes back to the factory")),
        ],
        default=ShipmentKind.OUT.value,
    )
    number = StringField(lazy_gettext("Shipment number"), validators=[InputRequired(), Length(max=60)])
    codes = TextAreaField(lazy_gettext("Cases and pallets"), validators=[Length(max=60_000)])
    file = FileField(lazy_gettext("Or a file"))
    batch = StringField(lazy_gettext("Batch"), validators=[Length(max=60)])
    ranges = TextAreaField(lazy_gettext("Serials"), validators=[Length(max=4000)])
    place = SelectField(lazy_gettext("Ship to"))
    note = StringField(lazy_gettext("Note"), validators=[Length(max=200)])
    move = BooleanField(lazy_gettext("Move codes that were shipped before"))
    leave_out_dead = BooleanField(lazy_gettext("Leave out void and recalled codes"))


FIELD_OF = {
    channels.ShipmentNumberTaken: "number",
    channels.NoSuchBatch: "batch",
    channels.BatchNotShippable: "batch",
    channels.PlaceOff: "place",
    channels.AlreadyShipped: "ranges",
    channels.DeadCodes: "ranges",
    channels.NothingToShip: "ranges",
    channels.NotShipped: "ranges",
    DiskFull: "file",
    typed.TooManyLines: "codes",
    UnreadableCode: "codes",
    NotOurCode: "codes",
    PlaceMissing: "place",
    **dict.fromkeys(typed.RANGE_REFUSALS, "ranges"),
}


@console.get("/shipments", endpoint="shipments")
@anyone
def shipment_list() -> ResponseReturnValue:
    """The newest first; ``?channel=`` or ``?store=`` shows those of one place."""
    channel_id, store_id = request.args.get("channel", type=UUID), request.args.get("store", type=UUID)
    with runtime().db.reading() as session:
        place, brand_id = _place_named(session, channel_id, store_id)
        brand = chosen_brand(session) if brand_id is None else None
        brands = brand_choices(session) if brand else []
        rows = channels.list_shipments(
            session,
            brand_id=brand_id or (brand.id if brand else UUID(int=0)),
            channel_id=channel_id,
            store_id=store_id,
            limit=PAGE_SIZE + 1,
            offset=(page_number() - 1) * PAGE_SIZE,
        )
        sent = _sent(session, brand) if brand else ()
    rows, page = numbered(rows, PAGE_SIZE)
    return render_template(
        "console/shipments/list.html",
        rows=rows,
        sent=sent,
        place=place,
        brand=brand,
        brands=brands,
        page=page,
    )


def _sent(session: Session, brand: BrandFacts) -> Sequence[Upload]:
    if not current_staff().may((Role.FACTORY,)):
        return ()
    return uploads.list_uploads(session, brand_id=brand.id, kind=UploadKind.SHIPMENT, limit=FILES_SHOWN)


def _place_named(session: Session, channel_id: UUID | None, store_id: UUID | None) -> tuple[str | None, UUID | None]:
    """The name and the brand of the place that the list is about. Raises NotFound for another brand's."""
    if store_id is not None:
        store, channel = channels.get_store(session, store_id=store_id)
        name = f"{channel.name} · {store.name}"
    elif channel_id is not None:
        channel = channels.get_channel(session, channel_id=channel_id)
        name = channel.name
    else:
        return None, None
    visible(channel.brand_id)
    return name, channel.brand_id


@console.route("/shipments/new", methods=["GET", "POST"])
@allow(Role.FACTORY)
def new_shipment() -> ResponseReturnValue:
    form = ShipmentForm()
    with runtime().db.reading() as session:
        brand = _brand_of_form(session)
        places = _places(session, brand)
        batches = channels.shippable_batches(session, brand_id=brand.id)
    form.place.choices = places
    if request.method == "GET":
        _prefill(form)
    elif form.validate_on_submit():
        try:
            if any(size_of(file) > AT_ONCE_BYTES for file in sent_files("file")):
                return _send(form, brand)
            shipment = _ship(form, brand)
            flash(gettext("Shipment %(number)s is booked.", number=shipment.number), "success")
            return redirect(url_for("console.shipment", shipment_id=shipment.id))
        except Refusal as refusal:
            _blame(form, refusal)
    page = render_template(
        "console/shipments/new.html",
        form=form,
        brand=brand,
        has_places=len(places) > 1,
        batches=[
            (batch, product.name_zh if current_locale() == "zh" else product.name_en) for batch, product in batches
        ],
    )
    return with_camera(page), 422 if form.is_submitted() else 200


def _brand_of_form(session: Session) -> BrandFacts:
    """The brand of the place that the form was opened for, else the chosen one."""
    channel_id, store_id = request.args.get("channel", type=UUID), request.args.get("store", type=UUID)
    _, brand_id = _place_named(session, channel_id, store_id)
    return (runtime().brands.get(brand_id) if brand_id else None) or brand_to_change(session)


def _prefill(form: ShipmentForm) -> None:
    form.batch.data = request.args.get("batch", "")[:60]
    if request.args.get("store"):
        form.place.data = f"store:{request.args['store']}"
    elif request.args.get("channel"):
        form.place.data = f"channel:{request.args['channel']}"


def _places(session: Session, brand: BrandFacts) -> list[SelectChoice]:
    """Channels with their stores, as the groups of a drop-down; an empty first choice."""
    stores: dict[UUID, list[SelectChoice]] = {}
    for store, channel in channels.list_stores(session, brand_id=brand.id, active_only=True):
        choice = SelectChoice(f"store:{store.id}", store.name, optgroup=channel.name)
        stores.setdefault(channel.id, []).append(choice)
    choices = [SelectChoice("", gettext("Choose a channel or a store"))]
    for channel in channels.list_channels(session, brand_id=brand.id, active_only=True):
        label = gettext("%(name)s, no certain store", name=channel.name)
        choices += [SelectChoice(f"channel:{channel.id}", label, optgroup=channel.name), *stores.get(channel.id, [])]
    return choices


def _ship(form: ShipmentForm, brand: BrandFacts) -> Shipment:
    staff, shared = current_staff(), runtime()
    lines = _lines(form)
    with shared.db.transaction() as session:
        wanted = _consignment(session, form)
        return channels.ship(
            session,
            brand_id=brand.id,
            number=wanted.number,
            channel_id=wanted.channel_id,
            store_id=wanted.store_id,
            selection=_selection(session, form, brand, lines),
            kind=wanted.kind,
            note=wanted.note,
            move=wanted.move,
            leave_out_dead=wanted.leave_out_dead,
            staff_id=staff.id,
            actor=staff.actor,
            now=shared.now(),
        )


def _send(form: ShipmentForm, brand: BrandFacts) -> ResponseReturnValue:
    """Has the worker read a long file and book the shipment. Raises as ``_ship``, as far as can be told before."""
    with received("file") as files, runtime().db.transaction() as session:
        wanted = _consignment(session, form)
        has_more = (form.codes.data or "").strip() or (form.batch.data or "").strip()
        selection = _selection(session, form, brand, _typed(form.codes.data or "")) if has_more else {}
        upload_id = stories.ship(
            session, sender=sender_of(brand.id), files=files, consignment=wanted, selection=selection
        )
    return redirect(url_for("console.upload", upload_id=upload_id))


def _consignment(session: Session, form: ShipmentForm) -> Consignment:
    """Raises PlaceMissing, NotFound."""
    kind = ShipmentKind(form.kind.data or ShipmentKind.OUT)
    return Consignment(
        form.number.data or "",
        kind,
        *_destination(session, form, kind),
        note=form.note.data or "",
        move=bool(form.move.data),
        leave_out_dead=bool(form.leave_out_dead.data),
    )


def _destination(session: Session, form: ShipmentForm, kind: ShipmentKind) -> tuple[UUID | None, UUID | None]:
    """Channel and store; a return has neither. Raises PlaceMissing."""
    if kind is ShipmentKind.RETURN:
        return None, None
    place, _, text = (form.place.data or "").partition(":")
    if not text:
        raise PlaceMissing
    if place == "store":
        store, channel = channels.get_store(session, store_id=UUID(text))
        return channel.id, store.id
    return channels.get_channel(session, channel_id=UUID(text)).id, None


def _lines(form: ShipmentForm) -> list[str]:
    """Codes that were typed or stand in a small file, one a line; the first column counts."""
    text = form.codes.data or ""
    for upload in sent_files("file"):
        text += "\n" + upload.stream.read(AT_ONCE_BYTES).decode("utf-8-sig", "replace")
    return _typed(text)


def _typed(text: str) -> list[str]:
    lines = [re.split(r"[,;\t]", line)[0].strip() for line in text.splitlines()]
    found = [line for line in lines if line]
    if len(found) > CODES_MAX:
        raise typed.TooManyLines(limit=CODES_MAX)
    return found


def _selection(
    session: Session, form: ShipmentForm, brand: BrandFacts, lines: list[str]
) -> dict[int, tuple[tuple[int, int], ...]]:
    """Serials by batch: of the codes (a case means what is in it) and of the ranges. Raises NoSuchBatch and what the
    readers of codes and ranges raise."""
    found = serials_of(session, lines)
    wanted = (form.batch.data or "").strip()
    if wanted or not lines:
        batch = channels.find_batch(session, brand_id=brand.id, text=wanted)
        if batch is None:
            raise channels.NoSuchBatch(batch=wanted)
        ranges = typed.parse_ranges(form.ranges.data or "all", count=batch.count)
        found[batch.number] = typed.merge([*found.get(batch.number, ()), *ranges])
    return found


HINTS = {
    channels.AlreadyShipped: N_("Tick “Move codes that were shipped before” if they really moved."),
    channels.DeadCodes: N_("Tick “Leave out void and recalled codes” to ship the others."),
}


def _blame(form: ShipmentForm, refusal: Refusal) -> None:
    """Puts the refusal beside the field that it is about, with what can be done."""
    name = str(refusal.facts.get("field", "number")) if isinstance(refusal, Invalid) else FIELD_OF.get(type(refusal))
    if name is None:
        raise refusal
    field = form["place" if name == "store" else name]
    words = [refusal_words(refusal)]
    if type(refusal) in HINTS:
        words.append(gettext(HINTS[type(refusal)]))
    field.errors = [*field.errors, *words]


class ReceiptForm(FlaskForm):
    missing = TextAreaField(lazy_gettext("Did not arrive"), validators=[Length(max=60_000)])
    note = StringField(lazy_gettext("Note"), validators=[Length(max=200)])


@console.post("/shipments/<uuid:shipment_id>/receive")
@allow(Role.FACTORY)
def receive_shipment(shipment_id: UUID) -> ResponseReturnValue:
    """The place has it; codes that did not arrive are held by nobody from then on."""
    form, shared, person = ReceiptForm(), runtime(), current_staff()
    lines = [line.strip() for line in (form.missing.data or "").splitlines() if line.strip()][:CODES_MAX]
    try:
        with shared.db.transaction() as session:
            visible(channels.get_shipment(session, shipment_id=shipment_id).brand_id)
            channels.receive(
                session,
                shipment_id=shipment_id,
                missing=serials_of(session, lines),
                note=form.note.data or "",
                staff_id=person.id,
                actor=person.actor,
                now=shared.now(),
            )
    except (UnreadableCode, NotOurCode, channels.NotShipped) as refusal:
        form.missing.errors = [*form.missing.errors, refusal_words(refusal)]
        return _shipment_page(shipment_id, form)
    except channels.AlreadyReceived as refusal:
        flash(refusal_words(refusal), "warning")
    else:
        flash(gettext("The receipt is recorded."), "success")
    return redirect(url_for("console.shipment", shipment_id=shipment_id))


@console.get("/shipments/<uuid:shipment_id>", endpoint="shipment")
@anyone
def show_shipment(shipment_id: UUID) -> ResponseReturnValue:
    return _shipment_page(shipment_id)


def _shipment_page(shipment_id: UUID, form: ReceiptForm | None = None) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        shipment = channels.get_shipment(session, shipment_id=shipment_id)
        visible(shipment.brand_id)
        channel = channels.get_channel(session, channel_id=shipment.channel_id) if shipment.channel_id else None
        store = channels.get_store(session, store_id=shipment.store_id)[0] if shipment.store_id else None
        lines = channels.lines_of_shipment(session, shipment_id=shipment_id)
        missing = channels.gaps(session, shipment_id=shipment_id)
        numbers = {line.batch_number for line in lines} | {number for number, _, _ in missing}
        orders = {number: codes.get_batch(session, number=number).order_no for number in numbers}
    page = render_template(
        "console/shipments/shipment.html",
        shipment=shipment,
        channel=channel,
        store=store,
        lines=lines,
        missing=missing,
        missing_shown=GAPS_SHOWN,
        orders=orders,
        form=form or ReceiptForm(),
        may_receive=current_staff().may((Role.FACTORY,)),
    )
    return with_camera(page), 422 if form else 200
