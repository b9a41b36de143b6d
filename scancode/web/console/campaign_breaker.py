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
from scancode.web.console.campaigns import own_campaign
from scancode.web.runtime import runtime


@console.post("/campaigns/<uuid:campaign_id>/breaker")
@allow(Role.MARKETING)
def set_campaign_breaker(campaign_id: UUID) -> ResponseReturnValue:
    """An empty field takes it out."""
    typed = request.form.get("hour_yuan", "").strip()
    try:
        hour_fen = fen_of(typed) if typed else None
    except ValueError:
        own_campaign(campaign_id)
        flash(gettext("Write an amount of yuan, such as 8.88."), "warning")
        return redirect(url_for("console.campaign", campaign_id=campaign_id))
    actor, now = current_staff().actor, runtime().now()
    return _do(
        campaign_id,
        lambda session: campaigns.set_breaker(
            session, campaign_id=campaign_id, hour_fen=hour_fen, actor=actor, now=now
        ),
        gettext("Kept."),
    )


@console.post("/campaigns/<uuid:campaign_id>/results")
@allow(Role.MARKETING)
def set_campaign_results(campaign_id: UUID) -> ResponseReturnValue:
    """From which red packets on results are public; an empty field publishes none."""
    typed = request.form.get("least_yuan", "").strip()
    try:
        least_fen = fen_of(typed) if typed else None
    except ValueError:
        own_campaign(campaign_id)
        flash(gettext("Write an amount of yuan, such as 8.88."), "warning")
        return redirect(url_for("console.campaign", campaign_id=campaign_id))
    actor, now = current_staff().actor, runtime().now()
    return _do(
        campaign_id,
        lambda session: campaigns.publish_results(
            session, campaign_id=campaign_id, least_fen=least_fen, actor=actor, now=now
        ),
        gettext("Kept."),
    )


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
    except Invalid as refusal:
        problem: str = refusal.facts["problem"]
        flash(gettext(problem), "warning")
    else:
        flash(done, "success")
    return redirect(url_for("console.campaign", campaign_id=campaign_id))
