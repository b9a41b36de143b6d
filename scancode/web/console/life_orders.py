"""Life of a case, a pallet, a shipment or a lot, and every change that waits for its time: list, form, cancelling."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound as NoPage
from wtforms import DateTimeLocalField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from scancode.catalog.rules import BrandFacts
from scancode.channels import service as channels
from scancode.codes import service as codes
from scancode.codes.models import LifeOrder
from scancode.codes.rules import Change
from scancode.errors import NotFound, Refusal
from scancode.staff.rules import Role
from scancode.stories import life_orders
from scancode.stories.life_orders import Target, TargetEmpty, TargetKind
from scancode.uploads import service as uploads
from scancode.uploads.rules import UploadKind
from scancode.web.console import console, steps
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.console.chosen import BrandOpen, brand_choices
from scancode.web.console.code_life import FIELD_OF, VERBS, LifeForm, change_of, told, way_back
from scancode.web.console.code_reading import find_unit
from scancode.web.console.moments import zone
from scancode.web.console.pages import numbered, page_number
from scancode.web.console.session import refuse_field
from scancode.web.language import current_locale
from scancode.web.runtime import runtime
from scancode.web.security import with_camera

PAGE_SIZE = 50
FILES_SHOWN = 10


class TargetForm(LifeForm):
    brand = SelectField(lazy_gettext("Brand"), validate_choice=False)
    """Asked of an operator, who sees several; a case or a pallet belongs to the brand of its batch all the same."""
    kind = SelectField(
        lazy_gettext("What it is about"),
        choices=[
            SelectChoice(TargetKind.UNIT.value, lazy_gettext("A case or a pallet, by its code")),
            SelectChoice(TargetKind.SHIPMENT.value, lazy_gettext("A shipment, by its number")),
            SelectChoice(TargetKind.LOT.value, lazy_gettext("A production lot")),
        ],
    )
    value = StringField(lazy_gettext("Code, number or lot"), validators=[Length(max=300)])
    at = DateTimeLocalField(lazy_gettext("At a set time"), validators=[Optional()])


@console.get("/life")
@allow(Role.FACTORY)
def life_list() -> ResponseReturnValue:
    with runtime().db.reading() as session:
        rows = life_orders.list_orders(
            session, brand_id=brand_scope(), limit=PAGE_SIZE + 1, offset=(page_number() - 1) * PAGE_SIZE
        )
        sent = uploads.list_uploads(session, brand_id=brand_scope(), kind=UploadKind.LIFE, limit=FILES_SHOWN)
    rows, page = numbered(rows, PAGE_SIZE)
    return render_template("console/life/list.html", rows=rows, page=page, sent=sent)


@console.route("/life/<verb>", methods=["GET", "POST"])
@allow(Role.FACTORY)
def order_life(verb: str) -> ResponseReturnValue:
    if verb not in VERBS:
        raise NoPage
    form, shared = TargetForm(), runtime()
    with shared.db.reading() as session:
        brands = {brand.slug: brand for brand in brand_choices(session)}
    form.brand.choices = [SelectChoice("", gettext("Choose a brand"))]
    form.brand.choices += [SelectChoice(slug, brand.name(current_locale())) for slug, brand in brands.items()]
    if request.method == "GET":
        form.brand.data = request.args.get("brand", "")
        kind = request.args.get("kind", "")
        form.kind.data = kind if kind in set(TargetKind) else TargetKind.UNIT.value
        form.value.data = request.args.get("value", "")[:300]
    asked: codes.Changed | None = None
    if form.validate_on_submit():
        try:
            what, run_at = change_of(verb, form), at_of(form.at.data)
            with shared.db.reading() as session:
                brand_id, target = _target(session, form, brands)
                seen = life_orders.preview(session, target=target, brand_id=brand_id, what=what, now=shared.now())
            if form.expected.data == str(seen.count):
                return _ordered(brand_id, target, form, what, run_at)
            form.expected.data, asked = str(seen.count), seen
        except Refusal as refusal:
            refuse_field(form, FIELD_OF.get(refusal.code, "value"), refusal)
    status = 422 if request.method == "POST" and asked is None else 200
    page = render_template(
        "console/life/order.html",
        form=form,
        verb=verb,
        asked=asked,
        brands=brands,
        back=way_back(url_for("console.life_list")),
    )
    return with_camera(page), status


def at_of(typed: datetime | None) -> datetime | None:
    """What was typed into a field for a time, in the zone of the page."""
    return typed.replace(tzinfo=zone()) if typed else None


def _target(session: Session, form: TargetForm, brands: Mapping[str, BrandFacts]) -> tuple[UUID, Target]:
    """Whose codes, and which. Raises BrandOpen, TargetEmpty, UnreadableCode, NotOurCode."""
    typed = (form.value.data or "").strip()
    if form.kind.data == TargetKind.UNIT:
        return _unit_target(session, typed)
    chosen = next(iter(brands.values())) if len(brands) == 1 else brands.get(form.brand.data or "")
    if chosen is None:
        raise BrandOpen
    brand_id = chosen.id
    if form.kind.data == TargetKind.LOT:
        return brand_id, Target.lot(typed)
    found = channels.find_shipment(session, brand_id=brand_id, number=typed)
    if found is None:
        raise TargetEmpty
    return brand_id, Target.shipment(found.id)


def _unit_target(session: Session, typed: str) -> tuple[UUID, Target]:
    """A case or a pallet, and the brand of its batch. Raises TargetEmpty, UnreadableCode, NotOurCode."""
    try:
        batch, unit = find_unit(session, typed)
    except NotFound as error:
        raise TargetEmpty from error
    return batch.brand_id, Target.unit(unit)


def _ordered(
    brand_id: UUID, target: Target, form: TargetForm, what: Change, run_at: datetime | None
) -> ResponseReturnValue:
    row = place(brand_id, target, (form.value.data or "").strip(), what, run_at)
    say(row)
    listed = url_for("console.life_list")
    return redirect(way_back(listed) if run_at is None else listed)


def place(brand_id: UUID, target: Target, title: str, what: Change, run_at: datetime | None) -> LifeOrder:
    """Orders the change, in a transaction of its own."""
    shared, person = runtime(), current_staff()
    return shared.db.retrying(
        lambda session: life_orders.order(
            session,
            brand_id=brand_id,
            target=target,
            title=title,
            what=what,
            run_at=run_at,
            actor=person.actor,
            staff_id=person.id,
            now=shared.now(),
        )
    )


def say(row: LifeOrder) -> None:
    if row.state == life_orders.OrderState.DONE:
        flash(told(row.verb, codes.Changed(row.count, {})), "success")
    else:
        flash(gettext("It will happen at the set time. Until then it can be cancelled here."), "success")


@console.post("/life/orders/<uuid:order_id>/cancel")
@allow(Role.FACTORY)
def cancel_life(order_id: UUID) -> ResponseReturnValue:
    actor, now = current_staff().actor, runtime().now()

    def step(session: Session) -> None:
        visible(life_orders.get_order(session, order_id=order_id).brand_id)
        life_orders.cancel(session, order_id=order_id, actor=actor, now=now)

    steps.take(step, gettext("Cancelled: the codes stay as they are."))
    return redirect(url_for("console.life_list"))
