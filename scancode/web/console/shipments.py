"""Shipments: which serials went where. Shipping is the factory's; marketing looks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from scancode.catalog.rules import BrandFacts
from scancode.channels import service as channels
from scancode.channels.models import Shipment
from scancode.codes import typed
from scancode.errors import Invalid, Refusal
from scancode.i18n import N_
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff, visible
from scancode.web.console.channels import anyone, refusal_words
from scancode.web.console.chosen import brand_choices, chosen_brand
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

PAGE_SIZE = 50
PAGE_MAX = 10_000


class ShipmentForm(FlaskForm):
    number = StringField(lazy_gettext("Shipment number"), validators=[InputRequired(), Length(max=60)])
    batch = StringField(lazy_gettext("Batch"), validators=[InputRequired(), Length(max=60)])
    ranges = TextAreaField(lazy_gettext("Serials"), validators=[Length(max=4000)])
    place = SelectField(lazy_gettext("Ship to"), validators=[InputRequired()])
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
    typed.RangeForm: "ranges",
    typed.RangeReversed: "ranges",
    typed.RangeOutside: "ranges",
    typed.RangesOverlap: "ranges",
    typed.TooManyRanges: "ranges",
}


@console.get("/shipments", endpoint="shipments")
@anyone
def shipment_list() -> ResponseReturnValue:
    """The newest first; ``?channel=`` or ``?store=`` shows those of one place."""
    page = min(max(request.args.get("page", 1, type=int), 1), PAGE_MAX)
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
            offset=(page - 1) * PAGE_SIZE,
        )
    return render_template(
        "console/shipments/list.html",
        rows=rows[:PAGE_SIZE],
        place=place,
        brand=brand,
        brands=brands,
        page={
            "previous_url": _page_url(page - 1) if page > 1 else None,
            "next_url": _page_url(page + 1) if len(rows) > PAGE_SIZE else None,
        },
    )


def _page_url(page: int) -> str:
    kept: dict[str, Any] = {**request.args.to_dict(), "page": page}
    return url_for("console.shipments", **kept)


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
    return page, 422 if form.is_submitted() else 200


def _brand_of_form(session: Session) -> BrandFacts:
    """The brand of the place that the form was opened for, else the chosen one."""
    channel_id, store_id = request.args.get("channel", type=UUID), request.args.get("store", type=UUID)
    _, brand_id = _place_named(session, channel_id, store_id)
    return (runtime().brands.get(brand_id) if brand_id else None) or chosen_brand(session)


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
    with shared.db.transaction() as session:
        batch = channels.find_batch(session, brand_id=brand.id, text=form.batch.data or "")
        if batch is None:
            raise channels.NoSuchBatch(batch=(form.batch.data or "").strip())
        kind, _, text = (form.place.data or "").partition(":")
        store, channel = None, None
        if kind == "store":
            store, channel = channels.get_store(session, store_id=UUID(text))
        else:
            channel = channels.get_channel(session, channel_id=UUID(text))
        return channels.ship(
            session,
            brand_id=brand.id,
            number=form.number.data or "",
            channel_id=channel.id,
            store_id=store.id if store else None,
            batch_number=batch.number,
            ranges=typed.parse_ranges(form.ranges.data or "all", count=batch.count),
            note=form.note.data or "",
            move=form.move.data,
            leave_out_dead=form.leave_out_dead.data,
            staff_id=staff.id,
            actor=staff.actor,
            now=shared.now(),
        )


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


@console.get("/shipments/<uuid:shipment_id>", endpoint="shipment")
@anyone
def show_shipment(shipment_id: UUID) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        shipment = channels.get_shipment(session, shipment_id=shipment_id)
        visible(shipment.brand_id)
        channel = channels.get_channel(session, channel_id=shipment.channel_id) if shipment.channel_id else None
        store = channels.get_store(session, store_id=shipment.store_id)[0] if shipment.store_id else None
        lines = channels.lines_of_shipment(session, shipment_id=shipment_id)
    return render_template(
        "console/shipments/shipment.html", shipment=shipment, channel=channel, store=store, lines=lines
    )
