"""Guides and placed codes: making and changing them, the page of a code, its pictures and its printed cards."""

from __future__ import annotations

from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scancode.catalog.colours import palette
from scancode.catalog.rules import BrandFacts
from scancode.channels import cards
from scancode.channels import service as channels
from scancode.channels.models import Channel, Store, TouchKind, Touchpoint
from scancode.errors import NotFound
from scancode.web.console import console
from scancode.web.console.access import visible
from scancode.web.console.channel_forms import GuideForm, SceneForm
from scancode.web.console.channels import anyone, form_page, marketing, roots, saved
from scancode.web.language import current_locale
from scancode.web.runtime import runtime

CALL_LENGTH_MAX = 24
LINK_PARAMETER = "s"
"""The consumer pages read it: ``web/h5/touch.py``."""


@console.route("/channels/stores/<uuid:store_id>/guides/new", methods=["GET", "POST"])
@marketing
def new_guide(store_id: UUID) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        store, channel = channels.get_store(session, store_id=store_id)
    visible(channel.brand_id)
    form = GuideForm()
    del form.is_active  # what is new is in use
    page = url_for("console.store", store_id=store_id)
    if form.validate_on_submit():
        made = saved(form, channels.create_guide, store_id=store_id)
        if made:
            flash(gettext("The guide is there, with a code of their own."), "success")
            return redirect(page)
    return form_page(
        form,
        title=gettext("New guide"),
        trail=[*roots(), *_trail(channel, store), (gettext("New guide"), None)],
        back=page,
        button=gettext("Create guide"),
        about=gettext("Customers see this name when they scan the guide's code: a nickname is enough."),
    )


@console.route("/channels/guides/<uuid:guide_id>/edit", methods=["GET", "POST"])
@marketing
def edit_guide(guide_id: UUID) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        guide, store, channel = channels.get_guide(session, guide_id=guide_id)
    visible(channel.brand_id)
    form = GuideForm(obj=guide)
    page = url_for("console.store", store_id=store.id)
    if form.validate_on_submit():
        done = saved(form, channels.change_guide, guide_id=guide_id)
        if done:
            flash(gettext("Saved."), "success")
            return redirect(page)
    return form_page(
        form,
        title=gettext("Change guide"),
        trail=[*roots(), *_trail(channel, store), (guide.name, None)],
        back=page,
        button=gettext("Save"),
        about=gettext("Switch a guide who has left off: the code then credits nobody. The past stays as it was."),
    )


@console.route("/channels/<uuid:channel_id>/codes/new", methods=["GET", "POST"])
@marketing
def new_scene(channel_id: UUID) -> ResponseReturnValue:
    """``?store=`` places the code in a store; without it, it belongs to the channel as a whole."""
    store_id = request.args.get("store", type=UUID)
    with runtime().db.reading() as session:
        channel = channels.get_channel(session, channel_id=channel_id)
        store = channels.get_store(session, store_id=store_id)[0] if store_id else None
    visible(channel.brand_id)
    if store is not None and store.channel_id != channel_id:
        raise NotFound
    form = SceneForm()
    del form.is_active  # what is new is in use
    if form.validate_on_submit():
        made = saved(form, channels.create_scene, channel_id=channel_id, store_id=store_id)
        if made:
            flash(gettext("The code is ready to be printed and placed."), "success")
            return redirect(url_for("console.placed_code", touchpoint_id=made))
    page = (
        url_for("console.store", store_id=store_id) if store_id else url_for("console.channel", channel_id=channel_id)
    )
    return form_page(
        form,
        title=gettext("New placed code"),
        trail=[*roots(), *_trail(channel, store), (gettext("New placed code"), None)],
        back=page,
        button=gettext("Create code"),
        about=gettext(
            "A code for one place: a shelf, a poster, a parcel card, a live room. Reports compare places by "
            "their scene value."
        ),
    )


@console.route("/channels/codes/<uuid:touchpoint_id>/edit", methods=["GET", "POST"])
@marketing
def edit_scene(touchpoint_id: UUID) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        point, channel, store = _point(session, touchpoint_id)
    if point.kind != TouchKind.SCENE:
        raise NotFound
    form = SceneForm(obj=point)
    page = url_for("console.placed_code", touchpoint_id=touchpoint_id)
    if form.validate_on_submit():
        done = saved(form, channels.change_scene, touchpoint_id=touchpoint_id)
        if done:
            flash(gettext("Saved."), "success")
            return redirect(page)
    return form_page(
        form,
        title=gettext("Change placed code"),
        trail=[*roots(), *_trail(channel, store), (point.name, page), (gettext("Change"), None)],
        back=page,
        button=gettext("Save"),
        about=gettext("The printed picture stays the same: only what it means changes."),
    )


@console.get("/channels/codes/<uuid:touchpoint_id>")
@anyone
def placed_code(touchpoint_id: UUID) -> ResponseReturnValue:
    """The page of one code: picture, downloads, and how many people opened it."""
    with runtime().db.reading() as session:
        point, channel, store = _point(session, touchpoint_id)
        counts = channels.touch_counts(session, touchpoint_ids=[point.id])
        today = _brand(point.brand_id).day(runtime().now())
        team = channels.team_of(session, touchpoint_id=point.id, day=today) if point.kind == TouchKind.LIVE else []
    return render_template(
        "console/channels/code.html",
        point=point,
        channel=channel,
        store=store,
        count=counts.get(point.id),
        url=_url(point),
        link=f"{runtime().settings.base_url}/?{LINK_PARAMETER}={point.token}",
        team=team,
        call_max=CALL_LENGTH_MAX,
    )


@console.get("/channels/codes/<uuid:touchpoint_id>/qr.<any(png,svg):form>")
@anyone
def code_picture(touchpoint_id: UUID, form: str) -> ResponseReturnValue:
    with runtime().db.reading() as session:
        point = _point(session, touchpoint_id)[0]
    if form == "png":
        return _file(cards.picture(_url(point)), "image/png", f"{point.token}.png")
    return _file(cards.drawing(_url(point)).encode(), "image/svg+xml", f"{point.token}.svg")


@console.get("/channels/codes/<uuid:touchpoint_id>/card.pdf")
@anyone
def code_card(touchpoint_id: UUID) -> ResponseReturnValue:
    """One A6 card; ``?call=`` is the line below the code."""
    with runtime().db.reading() as session:
        point, _, store = _point(session, touchpoint_id)
    card = _card(point, store, _brand(point.brand_id))
    return _file(cards.one_card(card), "application/pdf", f"{point.token}.pdf")


@console.get("/channels/<uuid:channel_id>/cards.pdf")
@anyone
def channel_cards(channel_id: UUID) -> ResponseReturnValue:
    """Every code in use of a channel, four to a page."""
    with runtime().db.reading() as session:
        channel = channels.get_channel(session, channel_id=channel_id)
        visible(channel.brand_id)
        points = channels.list_touchpoints(
            session, brand_id=channel.brand_id, channel_id=channel_id, limit=cards.CARDS_MAX
        )
    return _sheet(channel.brand_id, points, channel.name)


@console.get("/channels/stores/<uuid:store_id>/cards.pdf")
@anyone
def store_cards(store_id: UUID) -> ResponseReturnValue:
    """The code of a store, its guides and its places, four to a page."""
    with runtime().db.reading() as session:
        store, channel = channels.get_store(session, store_id=store_id)
        visible(channel.brand_id)
        points = channels.list_touchpoints(session, brand_id=channel.brand_id, store_id=store_id, limit=cards.CARDS_MAX)
    return _sheet(channel.brand_id, points, store.name)


def _sheet(brand_id: UUID, points: list[tuple[Touchpoint, Channel, Store | None]], title: str) -> ResponseReturnValue:
    if not points:
        raise NotFound
    brand = _brand(brand_id)
    body = cards.sheet([_card(point, store, brand) for point, _, store in points], title=title)
    return _file(body, "application/pdf", "cards.pdf")


def _point(session: Session, touchpoint_id: UUID) -> tuple[Touchpoint, Channel, Store | None]:
    point = channels.get_touchpoint(session, touchpoint_id=touchpoint_id)
    visible(point.brand_id)
    channel = channels.get_channel(session, channel_id=point.channel_id)
    store = channels.get_store(session, store_id=point.store_id)[0] if point.store_id else None
    return point, channel, store


def _trail(channel: Channel, store: Store | None) -> list[tuple[str, str | None]]:
    trail: list[tuple[str, str | None]] = [(channel.name, url_for("console.channel", channel_id=channel.id))]
    return [*trail, (store.name, url_for("console.store", store_id=store.id))] if store else trail


def _url(point: Touchpoint) -> str:
    return cards.touch_url(runtime().settings.base_url, point.token)


def _brand(brand_id: UUID) -> BrandFacts:
    brand = runtime().brands.get(brand_id)
    if brand is None:
        raise NotFound
    return brand


def _card(point: Touchpoint, store: Store | None, brand: BrandFacts) -> cards.Card:
    """Customers read the store's or the guide's name; what the place is called is small print for whoever hangs it."""
    colours = palette(brand.colour)
    call = request.args.get("call", "").strip()[:CALL_LENGTH_MAX]
    brand_name = brand.name(current_locale())
    title, line, footnote = point.name, "", ""
    if point.kind == TouchKind.GUIDE:
        line = store.name if store else ""
    elif point.kind == TouchKind.STORE:
        line = " ".join(part for part in ((store.city, store.address) if store else ()) if part)
    else:
        title = store.name if store else brand_name
        footnote = " · ".join(part for part in (point.name, point.placement) if part)
    return cards.Card(
        url=_url(point),
        brand=brand_name if title != brand_name else "",
        title=title,
        line=line,
        call=call or gettext("Scan with WeChat: genuine or not?"),
        footnote=footnote,
        colour=colours.brand,
        ink=colours.ink,
    )


def _file(body: bytes, mimetype: str, name: str) -> Response:
    """Shown in the page as well as downloaded, so it is not forced to be an attachment unless asked for."""
    response = Response(body, mimetype=mimetype)
    if request.args.get("download"):
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
