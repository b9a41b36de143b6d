"""Testers of a campaign in the console: who they are, the link that makes somebody one, and what they saw."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.models import Campaign
from scancode.claims import service as claims
from scancode.errors import Refusal
from scancode.members import service as members
from scancode.members.rules import normalise_phone
from scancode.staff.rules import Role
from scancode.web import preview
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.campaigns import brand_of, own_campaign
from scancode.web.console.products import qr_of
from scancode.web.runtime import runtime

PHONE_LENGTH_MAX = 40


@console.get("/campaigns/<uuid:campaign_id>/testers")
@allow(Role.MARKETING)
def campaign_testers(campaign_id: UUID) -> ResponseReturnValue:
    return _page(own_campaign(campaign_id))


def _page(campaign: Campaign, phone: str = "", problem: str = "") -> ResponseReturnValue:
    """``problem``: what is wrong with the phone number that was typed; 422 with it."""
    shared, campaign_id = runtime(), campaign.id
    token = preview.sign_trial(shared.settings, campaign_id, current_staff().id)
    link = shared.settings.scan_bases[0] + url_for("h5.trial", token=token)
    with shared.db.reading() as session:
        testers = campaigns.list_testers(session, campaign_id=campaign_id)
        tried = claims.list_tried(session, campaign_id=campaign_id)
        ids = {one.person_id for one in testers} | {one.person_id for one in tried}
        hints = {one: _hint(session, one) for one in ids}
    page = render_template(
        "console/campaigns/testers.html",
        campaign=campaign,
        brand=brand_of(campaign.brand_id),
        testers=testers,
        testers_max=campaigns.TESTERS_MAX,
        tried=tried,
        hints=hints,
        is_open=campaigns.can_be_tried(campaign, shared.now()),
        link=link,
        link_qr=qr_of(link),
        phone=phone,
        problem=problem,
    )
    return page, 422 if problem else 200


def _hint(session: Session, person_id: UUID) -> str:
    """Who it is, masked; a member by their phone."""
    member = members.find_member(session, member_id=person_id)
    found = members.find_identity(session, identity_id=person_id) if member is None else None
    return member.phone_hint if member else found.hint if found else "–"


@console.post("/campaigns/<uuid:campaign_id>/testers")
@allow(Role.MARKETING)
def add_campaign_tester(campaign_id: UUID) -> ResponseReturnValue:
    """By the phone of a member; the number is looked up and not kept."""
    shared, person = runtime(), current_staff()
    campaign, typed = own_campaign(campaign_id), request.form.get("phone", "")[:PHONE_LENGTH_MAX]

    def work(session: Session) -> bool | None:
        phone = normalise_phone(typed)
        found = members.find_phone(session, brand_id=campaign.brand_id, phone=phone, sealer=shared.sealer)
        if found is None:
            return None
        return campaigns.add_tester(
            session,
            campaign_id=campaign_id,
            person_id=found.member_id or found.id,
            staff_id=person.id,
            actor=person.actor,
            now=shared.now(),
        )

    try:
        added = shared.db.retrying(work)
    except campaigns.TrialOver as refusal:
        flash(refusal.sentence(gettext), "warning")
        return redirect(url_for("console.campaign_testers", campaign_id=campaign_id))
    except Refusal as refusal:
        return _page(campaign, typed, refusal.sentence(gettext))
    if added is None:
        return _page(campaign, typed, gettext("The brand knows nobody by this number. Send them the link instead."))
    if added:
        flash(gettext("They can try it now."), "success")
    else:
        flash(gettext("They are a tester already."), "info")
    return redirect(url_for("console.campaign_testers", campaign_id=campaign_id))


@console.post("/campaigns/<uuid:campaign_id>/testers/<uuid:person_id>/remove")
@allow(Role.MARKETING)
def remove_campaign_tester(campaign_id: UUID, person_id: UUID) -> ResponseReturnValue:
    shared, person = runtime(), current_staff()
    own_campaign(campaign_id)
    try:
        with shared.db.transaction() as session:
            campaigns.remove_tester(
                session, campaign_id=campaign_id, person_id=person_id, actor=person.actor, now=shared.now()
            )
    except campaigns.TesterNotFound as refusal:
        flash(refusal.sentence(gettext), "warning")
    else:
        flash(gettext("They are no tester any more."), "success")
    return redirect(url_for("console.campaign_testers", campaign_id=campaign_id))


@console.post("/campaigns/<uuid:campaign_id>/testers/keep")
@allow(Role.MARKETING)
def keep_campaign_testers(campaign_id: UUID) -> ResponseReturnValue:
    shared, person = runtime(), current_staff()
    own_campaign(campaign_id)
    keeps = request.form.get("keeps") == "1"
    try:
        with shared.db.transaction() as session:
            campaigns.keep_testers(session, campaign_id=campaign_id, keeps=keeps, actor=person.actor, now=shared.now())
    except campaigns.TrialOver as refusal:
        flash(refusal.sentence(gettext), "warning")
    else:
        flash(gettext("Kept."), "success")
    return redirect(url_for("console.campaign_testers", campaign_id=campaign_id))


@console.post("/campaigns/<uuid:campaign_id>/testers/anew")
@allow(Role.MARKETING)
def try_campaign_anew(campaign_id: UUID) -> ResponseReturnValue:
    """Forgets what testers saw, so that they can try the same codes once more."""
    shared, person = runtime(), current_staff()
    own_campaign(campaign_id)
    with shared.db.transaction() as session:
        claims.forget_tried(session, campaign_id=campaign_id, actor=person.actor, now=shared.now())
    flash(gettext("Every code can be tried anew."), "success")
    return redirect(url_for("console.campaign_testers", campaign_id=campaign_id))
