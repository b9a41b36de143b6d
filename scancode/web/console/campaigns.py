"""Campaigns in the console: the list, one campaign with its figures, its terms, and what may happen to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Conditions
from scancode.campaigns.models import Campaign, CampaignState
from scancode.campaigns.planning import CampaignPlan, Fault, Sharing
from scancode.campaigns.simulation import forecast
from scancode.catalog.rules import BrandFacts
from scancode.claims.risk import USUAL_THRESHOLD
from scancode.errors import Refusal
from scancode.members import service as members
from scancode.staff.rules import Role
from scancode.stories.campaign_figures import all_figures, counts_of_claims, progress_of, shown_state
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff, visible
from scancode.web.console.brands import brand_choices
from scancode.web.console.campaign_forms import EndForm, TermsForm
from scancode.web.language import current_locale
from scancode.web.places import Places, in_words, load_places
from scancode.web.rulebook import load_rulebook
from scancode.web.runtime import runtime

PAGE_ROWS = 50


@console.get("/campaigns", endpoint="campaigns")
@allow(Role.MARKETING)
def list_campaigns() -> str:
    """Newest first. The state is what it is now: a campaign ends by its time without anybody's doing."""
    shared = runtime()
    now = shared.now()
    before = request.args.get("before", type=UUID)
    with shared.db.reading() as session:
        rows = campaigns.list_campaigns(session, brand_id=brand_scope(), limit=PAGE_ROWS + 1, before=before)
        shown = rows[:PAGE_ROWS]
        ids = [row.id for row in shown]
        progress = progress_of(session, campaign_ids=ids, now=now)
        waiting = campaigns.in_review(session, campaign_ids=ids)
    more = url_for("console.campaigns", before=shown[-1].id) if len(rows) > PAGE_ROWS else None
    return render_template(
        "console/campaigns/list.html",
        rows=[(row, shown_state(row, now), brand_of(row.brand_id), *progress[row.id]) for row in shown],
        waiting=waiting,
        page={"previous_url": None, "next_url": more},
        is_operator=brand_scope() is None,
    )


@console.route("/campaigns/new", methods=["GET", "POST"])
@allow(Role.MARKETING)
def new_campaign() -> ResponseReturnValue:
    shared = runtime()
    form = TermsForm()
    _choose_brand(form)
    if form.is_submitted() and (form.validate() or not form.brand_id.errors):  # all that is wrong is said at once
        brand = brand_of(UUID(form.brand_id.data))
        terms = form.read(ZoneInfo(brand.timezone))
        if terms is not None:
            with shared.db.transaction() as session:
                campaign = campaigns.create(
                    session,
                    brand_id=brand.id,
                    terms=terms,
                    staff_id=current_staff().id,
                    actor=current_staff().actor,
                    now=shared.now(),
                    conditions=Conditions(hold_score=USUAL_THRESHOLD),
                )
            flash(gettext("The draft is kept. Next, add a prize pool: which codes take part, and what they hold."))
            return redirect(url_for("console.campaign", campaign_id=campaign.id))
    return _terms_page(form, None)


@console.route("/campaigns/<uuid:campaign_id>/edit", methods=["GET", "POST"])
@allow(Role.MARKETING)
def edit_campaign(campaign_id: UUID) -> ResponseReturnValue:
    shared = runtime()
    campaign = own_campaign(campaign_id)
    brand = brand_of(campaign.brand_id)
    if campaign.state != CampaignState.DRAFT:
        raise campaigns.Frozen(state=campaign.state)
    form = TermsForm()
    form.brand_id.choices = [SelectChoice(str(brand.id), brand.name(current_locale()))]
    if request.method == "GET":
        form.fill(campaign, ZoneInfo(brand.timezone))
    form.brand_id.data = str(brand.id)
    if form.is_submitted():
        form.validate()
        terms = form.read(ZoneInfo(brand.timezone))
        if terms is not None:
            with shared.db.transaction() as session:
                actor = current_staff().actor
                campaigns.change(session, campaign_id=campaign_id, terms=terms, actor=actor, now=shared.now())
            flash(gettext("Kept."), "success")
            return redirect(url_for("console.campaign", campaign_id=campaign_id))
    return _terms_page(form, campaign)


@console.get("/campaigns/<uuid:campaign_id>")
@allow(Role.MARKETING)
def campaign(campaign_id: UUID) -> ResponseReturnValue:
    return campaign_page(campaign_id)


@console.post("/campaigns/<uuid:campaign_id>/pause")
@allow(Role.MARKETING)
def pause_campaign(campaign_id: UUID) -> ResponseReturnValue:
    return _move(campaign_id, campaigns.pause, gettext("Paused. Scans still verify; nothing can be claimed."))


@console.post("/campaigns/<uuid:campaign_id>/resume")
@allow(Role.MARKETING)
def resume_campaign(campaign_id: UUID) -> ResponseReturnValue:
    return _move(campaign_id, campaigns.resume, gettext("Resumed."))


@console.post("/campaigns/<uuid:campaign_id>/end")
@allow(Role.MARKETING)
def end_campaign(campaign_id: UUID) -> ResponseReturnValue:
    return _move(campaign_id, campaigns.end, gettext("Ended. Its codes may now take part in another campaign."))


@console.post("/campaigns/<uuid:campaign_id>/discard")
@allow(Role.MARKETING)
def discard_campaign(campaign_id: UUID) -> ResponseReturnValue:
    _move(campaign_id, campaigns.discard, gettext("The draft is gone."))
    return redirect(url_for("console.campaigns"))


@console.route("/campaigns/<uuid:campaign_id>/extend", methods=["GET", "POST"])
@allow(Role.MARKETING)
def extend_campaign(campaign_id: UUID) -> ResponseReturnValue:
    shared = runtime()
    campaign = own_campaign(campaign_id)
    brand = brand_of(campaign.brand_id)
    zone = ZoneInfo(brand.timezone)
    form = EndForm()
    if request.method == "GET":
        form.ends_at.data = campaign.ends_at.astimezone(zone)
    ends_at = form.read(zone) if form.validate_on_submit() else None
    if ends_at is not None:
        try:
            with shared.db.transaction() as session:
                actor = current_staff().actor
                campaigns.extend(session, campaign_id=campaign_id, ends_at=ends_at, actor=actor, now=shared.now())
        except (campaigns.NotLonger, campaigns.CannotPublish) as refusal:
            form.ends_at.errors = fault_lines(refusal)
        else:
            flash(gettext("The campaign runs until %(when)s.", when=brand.moment(ends_at, current_locale())), "success")
            return redirect(url_for("console.campaign", campaign_id=campaign_id))
    status = 422 if form.is_submitted() else 200
    return render_template("console/campaigns/extend.html", form=form, campaign=campaign, brand=brand), status


@console.get("/campaigns/<uuid:campaign_id>/rules")
@allow(Role.MARKETING)
def preview_rules(campaign_id: UUID) -> str:
    """The rules page as people will see it, pools that wait for publication included."""
    shared = runtime()
    campaign = own_campaign(campaign_id)
    brand = brand_of(campaign.brand_id)
    with shared.db.reading() as session:
        book = load_rulebook(session, campaign_id=campaign_id, brand=brand, with_waiting=True)
    return render_template(
        "h5/rules.html",
        book=book,
        brand=brand,
        phase=book.phase(shared.now()).value,
        reservation_hours=shared.settings.reservation_hours,
        is_preview=True,
    )


@console.get("/campaigns/<uuid:campaign_id>/archive.json")
@allow(Role.MARKETING)
def archived_rules(campaign_id: UUID) -> ResponseReturnValue:
    """The rules as they were published, moved and ended, for whoever has to show them years later."""
    own_campaign(campaign_id)
    with runtime().db.reading() as session:
        answer = jsonify(campaigns.list_versions(session, campaign_id=campaign_id))
    answer.headers["Content-Disposition"] = f'attachment; filename="rules-{campaign_id}.json"'
    return answer


@dataclass(frozen=True)
class Typed:
    """What somebody wrote into a field of the page, and what is wrong with it."""

    field: str
    text: str
    problem: str


def campaign_page(campaign_id: UUID, status: int = 200, amount: Typed | None = None) -> ResponseReturnValue:
    """One campaign with its pools, its figures, what it may cost, and what keeps it from being published.

    ``amount``: one of its two amounts of yuan that could not be kept."""
    shared = runtime()
    now = shared.now()
    campaign = own_campaign(campaign_id)
    with shared.db.reading() as session:
        plan = campaigns.load_plan(session, campaign_id=campaign_id)
        review = campaigns.find_review(session, campaign_id=campaign_id)
        figures = all_figures(session, campaign=campaign, plan=plan, sealer=shared.draw_sealer, now=now)
        testers = len(campaigns.list_testers(session, campaign_id=campaign_id))
        sharing = campaigns.list_sharing(session, campaign_id=campaign_id, now=now) if plan.tranches else ()
        places = load_places(session, brand_id=campaign.brand_id)
        group = _group(session, plan, places)
        faults: tuple[Fault, ...] = ()
        if plan.waiting or campaign.state == CampaignState.DRAFT:
            faults = campaigns.find_faults(
                session, campaign_id=campaign_id, claimed=counts_of_claims(session, now), now=now
            )
    can_play = bool(plan.waiting) and not any(fault.code == "over_size" for fault in faults)
    page = render_template(
        "console/campaigns/campaign.html",
        campaign=campaign,
        brand=brand_of(campaign.brand_id),
        state=shown_state(campaign, now),
        plan=plan,
        figures=figures,
        conditions=in_words(plan.conditions, places, has_odds=plan.has_odds, codes=figures.codes),
        group=group,
        sharing=sharing,
        tester_count=testers,
        faults=[(fault.tranche, fault_text(fault)) for fault in faults],
        review=review,
        is_asker=review is not None and review.asked_by == current_staff().id,
        forecast=forecast(plan, seed=plan.id.int % 2**32, first=_first(sharing)) if can_play else None,
        is_refused=status == 422 and amount is None,
        amount=amount,
    )
    return page, status


def _group(session: Session, plan: CampaignPlan, places: Places) -> dict[str, Any] | None:
    """The staff's names of the tags that are asked for and ruled out, and of how many members all of it is true."""
    conditions = plan.conditions
    if not conditions.names_people:
        return None
    named = {str(tag.id): tag.name for tag in places.tags}
    ladder = [str(tier.id) for tier in places.ladder.tiers]
    wanted = set(conditions.tiers)
    if conditions.tier_min in ladder:
        wanted = set(ladder[ladder.index(conditions.tier_min) :])
    count = members.count_members(
        session,
        brand_id=plan.brand_id,
        any_of=[UUID(one) for one in conditions.tags_any],
        none_of=[UUID(one) for one in conditions.tags_none],
        tiers=[UUID(one) for one in wanted] if conditions.names_tiers else None,
    )
    listed = {
        name: ", ".join(named.get(one, "?") for one in getattr(conditions, name)) for name in ("tags_any", "tags_none")
    }
    return {"count": count, **listed}


def _first(sharing: Sequence[Sharing]) -> dict[UUID, int]:
    """Codes of each pool that campaigns share which go first."""
    codes: dict[UUID, int] = {}
    for one in sharing:
        for tranche_id, count in one.by_tranche.items():
            codes[tranche_id] = codes.get(tranche_id, 0) + (count if one.goes_first else 0)
    return {tranche_id: count for tranche_id, count in codes.items() if count}


def own_campaign(campaign_id: UUID) -> Campaign:
    """Raises CampaignNotFound, NotFound for another brand's."""
    with runtime().db.reading() as session:
        found = campaigns.get_campaign(session, campaign_id=campaign_id)
    visible(found.brand_id)
    return found


def brand_of(brand_id: UUID) -> BrandFacts:
    brand = runtime().brands.get(brand_id)
    if brand is None:
        raise campaigns.CampaignNotFound
    visible(brand.id)
    return brand


def fault_text(fault: Fault) -> str:
    return fault.sentence(gettext, current_locale())


def fault_lines(refusal: Refusal) -> list[str]:
    if isinstance(refusal, campaigns.CannotPublish):
        return [fault_text(fault) for fault in refusal.faults]
    return [refusal.sentence(gettext)]


def _move(campaign_id: UUID, verb: Callable[..., Any], done: str) -> ResponseReturnValue:
    shared = runtime()
    own_campaign(campaign_id)
    try:
        shared.db.retrying(
            lambda session: verb(session, campaign_id=campaign_id, actor=current_staff().actor, now=shared.now())
        )
    except campaigns.WrongState as refusal:
        flash(refusal.sentence(gettext), "danger")
    else:
        flash(done, "success")
    return redirect(url_for("console.campaign", campaign_id=campaign_id))


def _choose_brand(form: TermsForm) -> None:
    with runtime().db.reading() as session:
        form.brand_id.choices = brand_choices(session)
    if len(form.brand_id.choices) == 1:
        form.brand_id.data = form.brand_id.choices[0].value


def _terms_page(form: TermsForm, campaign: Campaign | None) -> ResponseReturnValue:
    status = 422 if form.is_submitted() else 200
    return render_template("console/campaigns/terms.html", form=form, campaign=campaign), status
