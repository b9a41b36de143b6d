"""The breaker of a campaign: how much it may give within an hour, and letting its payouts go on after it tripped."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.planning import fen_of
from scancode.errors import Invalid
from scancode.staff.rules import Role
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.campaigns import Typed, campaign_page, own_campaign
from scancode.web.runtime import runtime

LENGTH_MAX = 40


@console.post("/campaigns/<uuid:campaign_id>/breaker")
@allow(Role.MARKETING)
def set_campaign_breaker(campaign_id: UUID) -> ResponseReturnValue:
    """An empty field takes it out."""
    actor, now = current_staff().actor, runtime().now()
    return _keep_amount(
        campaign_id,
        "hour_yuan",
        lambda session, fen: campaigns.set_breaker(
            session, campaign_id=campaign_id, hour_fen=fen, actor=actor, now=now
        ),
    )


@console.post("/campaigns/<uuid:campaign_id>/results")
@allow(Role.MARKETING)
def set_campaign_results(campaign_id: UUID) -> ResponseReturnValue:
    """From which red packets on results are public; an empty field publishes none."""
    actor, now = current_staff().actor, runtime().now()
    return _keep_amount(
        campaign_id,
        "least_yuan",
        lambda session, fen: campaigns.publish_results(
            session, campaign_id=campaign_id, least_fen=fen, actor=actor, now=now
        ),
    )


def _keep_amount(campaign_id: UUID, field: str, keep: Callable[[Session, int | None], None]) -> ResponseReturnValue:
    """Yuan from a field of the form, or None where it is empty."""
    typed = request.form.get(field, "").strip()[:LENGTH_MAX]
    try:
        fen = fen_of(typed) if typed else None
    except ValueError:
        own_campaign(campaign_id)
        problem = gettext("Write an amount of yuan, such as 8.88.")
        return campaign_page(campaign_id, status=422, amount=Typed(field, typed, problem))
    try:
        return _do(campaign_id, lambda session: keep(session, fen), gettext("Kept."))
    except Invalid:
        problem = gettext("Write an amount from 0.01 yuan on, or leave it empty.")
        return campaign_page(campaign_id, status=422, amount=Typed(field, typed, problem))


@console.post("/campaigns/<uuid:campaign_id>/release")
@allow(Role.MARKETING)
def release_campaign(campaign_id: UUID) -> ResponseReturnValue:
    actor, now = current_staff().actor, runtime().now()
    return _do(
        campaign_id,
        lambda session: campaigns.release(session, campaign_id=campaign_id, actor=actor, now=now),
        gettext("Its payouts go on within a minute. The campaign stays paused until it is resumed."),
    )


def _do(campaign_id: UUID, work: Callable[[Session], None], done: str) -> ResponseReturnValue:
    own_campaign(campaign_id)
    try:
        runtime().db.retrying(work)
    except campaigns.WrongState as refusal:
        flash(refusal.sentence(gettext), "warning")
    else:
        flash(done, "success")
    return redirect(url_for("console.campaign", campaign_id=campaign_id))
