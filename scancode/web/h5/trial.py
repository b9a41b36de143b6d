"""Testers of a campaign: the link that makes somebody one, what is tried over a code, and the page of what it showed.

A tester is somebody whom the brand knows here, by WeChat or by phone: a browser alone is nobody to name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from batches.codes import split_code_id
from scancode.campaigns import service as campaigns
from scancode.campaigns.models import Campaign
from scancode.campaigns.rules import Trial
from scancode.catalog.rules import BrandFacts
from scancode.claims import service as claims
from scancode.errors import NotFound, Refusal
from scancode.web import preview
from scancode.web.h5 import h5
from scancode.web.h5.crossing import is_outside
from scancode.web.h5.here import somebody
from scancode.web.h5.meeting import attribution_of
from scancode.web.h5.wallet import Reward
from scancode.web.language import current_locale
from scancode.web.limits import limiter
from scancode.web.people import Person
from scancode.web.reading import ReadCode
from scancode.web.runtime import Runtime, runtime
from scancode.web.visitor import Visitor


def ids_of(person: Person) -> frozenset[UUID]:
    found = (person.identity_id, person.phone_identity_id, person.member_id)
    return frozenset(one for one in found if one is not None)


def trials_of(shared: Runtime, code: ReadCode, person: Person, now: datetime) -> tuple[Trial, ...]:
    """What this person may try with this code. All of it lies in memory: no query."""
    ids = ids_of(person)
    if not ids:
        return ()
    return tuple(
        trial
        for trial in shared.trials.get(code.batch.number)
        if trial.offer.covers(code.serial) and trial.is_open(now) and ids & trial.testers
    )


def try_code(
    shared: Runtime,
    environ: Mapping[str, Any],
    code: ReadCode,
    visitor: Visitor,
    person: Person,
    trials: tuple[Trial, ...],
) -> claims.TrialView:
    """Claims as a tester; committed. Raises the refusals of ``claims.try_out``, TooManyClaims."""
    now = shared.now()
    who = (visitor.id, person.identity_id or person.phone_identity_id or person.member_id)
    shared.guard.claim(environ, who, code=(code.batch.number, code.serial), near_block=False, now=now)
    claimant = claims.Claimant(visitor.id, person.identity_id, person.phone_identity_id, person.member_id)
    return shared.db.retrying(
        lambda session: claims.try_out(
            session,
            trials=trials,
            code=claims.ClaimCode(code.code_id, code.batch.number, code.kind, code.serial),
            batch=code.batch,
            brand=code.brand,
            claimant=claimant,
            attribution=attribution_of(shared, environ, code, visitor, now),
            now=now,
        )
    )


@h5.get("/trial/<token>")
def trial(token: str) -> str | tuple[str, int]:
    """Somebody opened a tester's link. Opening it changes nothing."""
    campaign, brand, _ = _linked(token)
    who = somebody(brand)
    ids = ids_of(who.person)
    with runtime().db.reading() as session:
        testers = {one.person_id for one in campaigns.list_testers(session, campaign_id=campaign.id)}
    return render_template(
        "h5/trial.html",
        brand=brand,
        name=campaign.name_en if current_locale() == "en" else campaign.name_zh,
        token=token,
        is_open=campaigns.can_be_tried(campaign, runtime().now()),
        is_known=bool(ids),
        is_tester=bool(ids & testers),
        has_login=runtime().ports.identity is not None,
        is_outside=is_outside(runtime()),
        here=request.path,
    )


@h5.post("/trial/<token>")
@limiter.limit("20 per minute")
def join_trial(token: str) -> Response:
    """They want to: their member, else their identity, is noted."""
    campaign, brand, staff_id = _linked(token)
    person = somebody(brand).person
    person_id = person.member_id or person.identity_id or person.phone_identity_id
    if person_id is None:
        return redirect(request.path)

    def work(session: Session) -> None:
        campaigns.add_tester(
            session,
            campaign_id=campaign.id,
            person_id=person_id,
            staff_id=staff_id,
            actor=f"staff:{staff_id}",
            now=runtime().now(),
        )

    try:
        runtime().db.retrying(work)
    except Refusal as refusal:
        flash(refusal.sentence(gettext), "warning")
    return redirect(request.path, 303)


@h5.get("/me/trials/<uuid:campaign_id>/<int:code_id>")
def trial_reward(campaign_id: UUID, code_id: int) -> str:
    """What a code showed a tester, as a consumer's reward will look."""
    shared = runtime()
    number, kind, serial = split_code_id(code_id)
    batch = shared.batches.get(number)
    brand = shared.brands.get(batch.brand_id) if batch else None
    if batch is None or brand is None:
        raise NotFound
    who = somebody(brand)
    with shared.db.reading() as session:
        found = claims.find_tried(session, code_id=code_id, campaign_ids=[campaign_id], person_ids=ids_of(who.person))
    if found is None:
        raise NotFound
    product = shared.products.get(batch.product_id)
    locale = current_locale()
    reward = Reward(
        view=found.view,
        brand=brand,
        product_name=product.name(locale) if product else "",
        prize_name=found.name(locale),
        code_url=url_for("h5.scan", text=batch.verifier.mint(number, kind, serial)),
        complain_url=None,
        confirmation=None,
        confirm_url=None,
    )
    return render_template(
        "h5/trial_reward.html",
        reward=reward,
        brand=brand,
        claim=found.view.claim,
        is_new="new" in request.args,
        is_member=who.member is not None,
    )


def _linked(token: str) -> tuple[Campaign, BrandFacts, UUID]:
    """Campaign, brand and the staff member of a link. Raises TrialLinkOver."""
    shared = runtime()
    campaign_id, staff_id = preview.read_trial(shared.settings, token)
    try:
        with shared.db.reading() as session:
            campaign = campaigns.get_campaign(session, campaign_id=campaign_id)
    except NotFound as error:
        raise preview.TrialLinkOver from error
    brand = shared.brands.get(campaign.brand_id)
    if brand is None:
        raise preview.TrialLinkOver
    return campaign, brand, staff_id
