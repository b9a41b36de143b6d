"""Channels and stores: the tree of places, the page of each, making and changing them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf import FlaskForm
from wtforms.csrf.core import CSRFTokenField

from scancode.channels import service as channels
from scancode.errors import Refusal
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff, visible
from scancode.web.console.channel_forms import KIND_NAMES, SCENES, ChannelForm, StoreForm
from scancode.web.console.chosen import brand_choices, brand_to_change, chosen_brand
from scancode.web.runtime import runtime

SHOWN_SHIPMENTS = 5
FIELD_OF = {"bad_shifts": "shifts"}
anyone = allow(Role.FACTORY, Role.MARKETING)
marketing = allow(Role.MARKETING)


def saved(form: FlaskForm, verb: Callable[..., Any], **given: Any) -> UUID | None:
    """Calls the verb with what the form holds, by the names of its fields. Returns the id of what was made or changed.

    On a refusal the form shows why and None comes back.
    """
    fields = {
        field.name: "" if field.data is None else field.data for field in form if not isinstance(field, CSRFTokenField)
    }
    try:
        with runtime().db.transaction() as session:
            made: UUID = verb(session, **given, **fields, actor=current_staff().actor, now=runtime().now()).id
            return made
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        name = refusal.facts.get("field", FIELD_OF.get(refusal.code, "name"))
        field = form[name] if name in form else next(iter(form))
        field.errors = [*field.errors, refusal_words(refusal)]
        return None


def refusal_words(refusal: Refusal) -> str:
    problem = refusal.facts.get("problem")
    return gettext(problem) if problem else refusal.sentence(gettext)


def form_page(
    form: FlaskForm, *, title: str, trail: list[tuple[str, str | None]], back: str, button: str, about: str = ""
) -> ResponseReturnValue:
    """The one page for every form about a place."""
    page = render_template(
        "console/channels/form.html",
        form=form,
        title=title,
        trail=trail,
        back=back,
        button=button,
        about=about,
        scenes=SCENES,
    )
    return page, 422 if form.is_submitted() else 200


def roots() -> list[tuple[str, str | None]]:
    return [(gettext("Channels and stores"), url_for("console.channels"))]


@console.context_processor
def _names() -> dict[str, object]:
    return {"channel_kind": lambda kind: gettext(KIND_NAMES.get(kind, kind))}


@console.get("/channels", endpoint="channels")
@anyone
def channel_tree() -> ResponseReturnValue:
    with runtime().db.reading() as session:
        brand = chosen_brand(session)
        tree = channels.tree(session, brand_id=brand.id)
        brands = brand_choices(session)
    return render_template("console/channels/tree.html", brand=brand, brands=brands, tree=tree)


@console.route("/channels/new", methods=["GET", "POST"])
@marketing
def new_channel() -> ResponseReturnValue:
    form = ChannelForm()
    del form.is_active  # what is new is in use
    with runtime().db.reading() as session:
        brand = brand_to_change(session)
    if form.validate_on_submit():
        made = saved(form, channels.create_channel, brand_id=brand.id)
        if made:
            flash(gettext("The channel is there. Add its stores next, or a code for a shelf or a parcel."), "success")
            return redirect(url_for("console.channel", channel_id=made))
    return form_page(
        form,
        title=gettext("New channel"),
        trail=[*roots(), (gettext("New channel"), None)],
        back=url_for("console.channels", brand=request.args.get("brand")),
        button=gettext("Create channel"),
        about=gettext("A channel is a way to the customer: a distributor, a chain, an online shop, a live stream."),
    )


@console.get("/channels/<uuid:channel_id>", endpoint="channel")
@anyone
def show_channel(channel_id: UUID) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        channel = channels.get_channel(session, channel_id=channel_id)
        visible(channel.brand_id)
        stores = channels.list_stores(session, brand_id=channel.brand_id, channel_id=channel_id)
        scenes = channels.list_scenes(session, brand_id=channel.brand_id, channel_id=channel_id)
        return render_template(
            "console/channels/channel.html",
            channel=channel,
            stores=[store for store, _ in stores],
            scenes=scenes,
            touches=channels.touch_counts(session, touchpoint_ids=[scene.id for scene in scenes]),
            holdings=channels.holdings(session, channel_id=channel_id),
            shipments=channels.list_shipments(
                session, brand_id=channel.brand_id, channel_id=channel_id, limit=SHOWN_SHIPMENTS
            ),
        )


@console.route("/channels/<uuid:channel_id>/edit", methods=["GET", "POST"])
@marketing
def edit_channel(channel_id: UUID) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        channel = channels.get_channel(session, channel_id=channel_id)
    visible(channel.brand_id)
    form = ChannelForm(obj=channel)
    if form.validate_on_submit():
        done = saved(form, channels.change_channel, channel_id=channel_id)
        if done:
            flash(gettext("Saved."), "success")
            return redirect(url_for("console.channel", channel_id=channel_id))
    page = url_for("console.channel", channel_id=channel_id)
    return form_page(
        form,
        title=gettext("Change channel"),
        trail=[*roots(), (channel.name, page), (gettext("Change"), None)],
        back=page,
        button=gettext("Save"),
        about=gettext(
            "A channel that is not in use gets no shipments, and its codes credit nobody. Nothing is deleted."
        ),
    )


@console.route("/channels/<uuid:channel_id>/stores/new", methods=["GET", "POST"])
@marketing
def new_store(channel_id: UUID) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        channel = channels.get_channel(session, channel_id=channel_id)
    visible(channel.brand_id)
    form = StoreForm()
    del form.is_active  # what is new is in use
    if form.validate_on_submit():
        made = saved(form, channels.create_store, channel_id=channel_id)
        if made:
            flash(gettext("The store is there, with a code of its own. Print it and add the guides."), "success")
            return redirect(url_for("console.store", store_id=made))
    page = url_for("console.channel", channel_id=channel_id)
    return form_page(
        form,
        title=gettext("New store"),
        trail=[*roots(), (channel.name, page), (gettext("New store"), None)],
        back=page,
        button=gettext("Create store"),
        about=gettext("The store gets a QR code of its own at once. Scans after it are credited to the store."),
    )


@console.get("/channels/stores/<uuid:store_id>", endpoint="store")
@anyone
def show_store(store_id: UUID) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        store, channel = channels.get_store(session, store_id=store_id)
        visible(channel.brand_id)
        own = channels.find_touchpoint_of(session, store_id=store_id)
        guides = channels.list_guides(session, brand_id=channel.brand_id, store_id=store_id)
        scenes = channels.list_scenes(session, brand_id=channel.brand_id, store_id=store_id)
        codes = channels.codes_of_guides(session, store_id=store_id)
        shown = [own.id if own else store_id, *(scene.id for scene in scenes), *codes.values()]
        return render_template(
            "console/channels/store.html",
            store=store,
            channel=channel,
            own=own,
            guides=[guide for guide, _, _ in guides],
            guide_codes=codes,
            scenes=scenes,
            touches=channels.touch_counts(session, touchpoint_ids=shown),
            holdings=channels.holdings(session, store_id=store_id),
            shipments=channels.list_shipments(
                session, brand_id=channel.brand_id, store_id=store_id, limit=SHOWN_SHIPMENTS
            ),
        )


@console.route("/channels/stores/<uuid:store_id>/edit", methods=["GET", "POST"])
@marketing
def edit_store(store_id: UUID) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        store, channel = channels.get_store(session, store_id=store_id)
    visible(channel.brand_id)
    form = StoreForm(obj=store)
    if form.validate_on_submit():
        done = saved(form, channels.change_store, store_id=store_id)
        if done:
            flash(gettext("Saved."), "success")
            return redirect(url_for("console.store", store_id=store_id))
    page = url_for("console.store", store_id=store_id)
    above = url_for("console.channel", channel_id=channel.id)
    return form_page(
        form,
        title=gettext("Change store"),
        trail=[*roots(), (channel.name, above), (store.name, page), (gettext("Change"), None)],
        back=page,
        button=gettext("Save"),
        about=gettext("While a store is not in use, its code and those of its guides credit nobody."),
    )
