"""Two pairs of eyes on a campaign: asking for a review, taking it back, and a colleague's answer, which publishes."""

from __future__ import annotations

import os
from collections.abc import Callable
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.staff.rules import Role
from scancode.stories.campaign_figures import counts_of_claims
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.campaigns import campaign_page, own_campaign
from scancode.web.runtime import runtime

REFUSALS = (
    campaigns.InReview,
    campaigns.NotInReview,
    campaigns.SamePerson,
    campaigns.ReasonMissing,
    campaigns.WrongState,
)


@console.post("/campaigns/<uuid:campaign_id>/review")
@allow(Role.MARKETING)
def ask_campaign_review(campaign_id: UUID) -> ResponseReturnValue:
    person, now = current_staff(), runtime().now()

    def work(session: Session) -> None:
        claimed = counts_of_claims(session, now)
        campaigns.ask_review(
            session, campaign_id=campaign_id, claimed=claimed, staff_id=person.id, actor=person.actor, now=now
        )

    return _do(campaign_id, work, gettext("A colleague can look at it now. Nothing can be changed meanwhile."))


@console.post("/campaigns/<uuid:campaign_id>/withdraw")
@allow(Role.MARKETING)
def withdraw_campaign_review(campaign_id: UUID) -> ResponseReturnValue:
    person, now = current_staff(), runtime().now()

    def work(session: Session) -> None:
        campaigns.withdraw_review(session, campaign_id=campaign_id, staff_id=person.id, actor=person.actor, now=now)

    return _do(campaign_id, work, gettext("Taken back. It can be changed again."))


@console.post("/campaigns/<uuid:campaign_id>/approve")
@allow(Role.MARKETING)
def approve_campaign(campaign_id: UUID) -> ResponseReturnValue:
    """The secrets of the draws are made here, from the system's randomness, and are kept sealed."""
    shared, person = runtime(), current_staff()
    now = shared.now()

    def work(session: Session) -> None:
        campaigns.approve(
            session,
            campaign_id=campaign_id,
            new_secret=lambda: os.urandom(32).hex(),
            sealer=shared.draw_sealer,
            claimed=counts_of_claims(session, now),
            staff_id=person.id,
            actor=person.actor,
            now=now,
        )

    done = gettext("Published. From now on nothing of this changes; every code knows its prize.")
    return _do(campaign_id, work, done)


@console.post("/campaigns/<uuid:campaign_id>/return")
@allow(Role.MARKETING)
def return_campaign(campaign_id: UUID) -> ResponseReturnValue:
    person, now, reason = current_staff(), runtime().now(), request.form.get("reason", "")

    def work(session: Session) -> None:
        campaigns.send_back(
            session, campaign_id=campaign_id, reason=reason, staff_id=person.id, actor=person.actor, now=now
        )

    return _do(campaign_id, work, gettext("Sent back. Whoever asked can read why."))


def _do(campaign_id: UUID, work: Callable[[Session], None], done: str) -> ResponseReturnValue:
    own_campaign(campaign_id)
    try:
        runtime().db.retrying(work)
    except campaigns.CannotPublish:
        return campaign_page(campaign_id, status=422)
    except REFUSALS as refusal:
        flash(refusal.sentence(gettext), "warning")
    else:
        flash(done, "success")
    return redirect(url_for("console.campaign", campaign_id=campaign_id))
