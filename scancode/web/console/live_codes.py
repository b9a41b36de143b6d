"""Live codes: one printed code that leads to one of several guides. Making and changing one, with its team."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.channels.models import Channel, Guide, Store, TouchKind
from scancode.channels.rotation import TEAM_MAX
from scancode.channels.service import TeamLine
from scancode.errors import Invalid, NotFound, Refusal
from scancode.i18n import N_
from scancode.web.console import console
from scancode.web.console.access import current_staff, visible
from scancode.web.console.channel_forms import SCENES, LiveForm
from scancode.web.console.channels import marketing, refusal_words, roots
from scancode.web.runtime import runtime


@console.route("/channels/<uuid:channel_id>/live/new", methods=["GET", "POST"])
@marketing
def new_live(channel_id: UUID) -> ResponseReturnValue:
    """``?store=`` places the code in a store; its guides may be of any store of the channel."""
    store_id = request.args.get("store", type=UUID)
    with runtime().db.reading() as session:
        channel = channels.get_channel(session, channel_id=channel_id)
        visible(channel.brand_id)
        store = channels.get_store(session, store_id=store_id)[0] if store_id else None
        guides = _guides(session, channel, set())
    if store is not None and store.channel_id != channel_id:
        raise NotFound
    form = LiveForm()
    del form.is_active  # what is new is in use
    team = _typed_team()
    if form.validate_on_submit():
        try:
            lines = [_line(guide_id, *typed) for guide_id, typed in team.items()]
            with runtime().db.transaction() as session:
                made = channels.create_live(
                    session,
                    channel_id=channel_id,
                    store_id=store_id,
                    **form.texts(),
                    team=lines,
                    actor=current_staff().actor,
                    now=runtime().now(),
                ).id
        except Refusal as refusal:
            _refuse(form, refusal)
        else:
            flash(gettext("The code is ready to be printed and placed."), "success")
            return redirect(url_for("console.placed_code", touchpoint_id=made))
    if not form.is_submitted() and store_id is not None:
        team = {guide.id: ("1", "0") for guide, of, _ in guides if of.id == store_id}
    back = (
        url_for("console.store", store_id=store_id) if store_id else url_for("console.channel", channel_id=channel_id)
    )
    trail = [*roots(), (channel.name, url_for("console.channel", channel_id=channel_id))]
    return _page(form, gettext("New live code"), trail, back, gettext("Create code"), guides, team)


@console.route("/channels/live/<uuid:touchpoint_id>/edit", methods=["GET", "POST"])
@marketing
def edit_live(touchpoint_id: UUID) -> ResponseReturnValue:
    shared = runtime()
    with shared.db.reading() as session:
        point = channels.get_touchpoint(session, touchpoint_id=touchpoint_id)
        visible(point.brand_id)
        if point.kind != TouchKind.LIVE:
            raise NotFound
        members = channels.team_of(session, touchpoint_id=touchpoint_id, day="")
        channel = channels.get_channel(session, channel_id=point.channel_id)
        guides = _guides(session, channel, {member.guide.id for member in members})
    form = LiveForm(obj=point)
    team = (
        _typed_team()
        if form.is_submitted()
        else {member.guide.id: (str(member.weight), str(member.day_max)) for member in members}
    )
    page = url_for("console.placed_code", touchpoint_id=touchpoint_id)
    if form.validate_on_submit():
        try:
            lines = [_line(guide_id, *typed) for guide_id, typed in team.items()]
            with shared.db.transaction() as session:
                channels.change_live(
                    session,
                    touchpoint_id=touchpoint_id,
                    **form.texts(),
                    is_active=bool(form.is_active.data),
                    team=lines,
                    actor=current_staff().actor,
                    now=shared.now(),
                )
        except Refusal as refusal:
            _refuse(form, refusal)
        else:
            flash(gettext("Saved."), "success")
            return redirect(page)
    trail = [*roots(), (channel.name, url_for("console.channel", channel_id=channel.id)), (point.name, page)]
    return _page(form, gettext("Change live code"), trail, page, gettext("Save"), guides, team)


Typed = dict[UUID, tuple[str, str]]
"""By guide: share and daily limit, as they were typed."""


def _page(
    form: LiveForm,
    title: str,
    trail: list[tuple[str, str | None]],
    back: str,
    button: str,
    guides: list[tuple[Guide, Store, Channel]],
    team: Typed,
) -> ResponseReturnValue:
    page = render_template(
        "console/channels/live.html",
        form=form,
        title=title,
        trail=[*trail, (title, None)],
        back=back,
        button=button,
        guides=guides,
        team=team,
        scenes=SCENES,
    )
    return page, 422 if form.is_submitted() else 200


def _guides(session: Session, channel: Channel, kept: set[UUID]) -> list[tuple[Guide, Store, Channel]]:
    """Who may be chosen: guides in use of the channel's stores, and those who were chosen before."""
    found = channels.list_guides(session, brand_id=channel.brand_id)
    return [row for row in found if row[2].id == channel.id and (row[0].is_active or row[0].id in kept)]


def _typed_team() -> Typed:
    chosen: Typed = {}
    for text in request.form.getlist("guide")[: TEAM_MAX + 1]:
        try:
            guide_id = UUID(text)
        except ValueError as error:
            raise NotFound from error
        chosen[guide_id] = (request.form.get(f"weight-{text}", "1"), request.form.get(f"limit-{text}", "0"))
    return chosen


def _line(guide_id: UUID, weight: str, limit: str) -> TeamLine:
    try:
        return TeamLine(guide_id, int(weight.strip() or 1), int(limit.strip() or 0))
    except ValueError as error:
        raise Invalid(field="team", problem=N_("Shares and limits are whole numbers.")) from error


def _refuse(form: LiveForm, refusal: Refusal) -> None:
    if refusal.status in {403, 404}:
        raise refusal
    name = refusal.facts.get("field", "name")
    if name in form:
        form[name].errors = [*form[name].errors, refusal_words(refusal)]
    else:
        flash(refusal_words(refusal), "danger")
