"""The prize pools of a campaign: which codes, and the table of what they hold, with what it adds up to while typing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.models import Campaign
from scancode.campaigns.planning import CampaignPlan, TranchePlan, totals
from scancode.catalog.models import Product
from scancode.codes.models import Batch
from scancode.errors import Invalid
from scancode.staff.rules import Role
from scancode.stories.campaign_figures import batches_of
from scancode.web.console import console
from scancode.web.console.access import allow, current_staff
from scancode.web.console.campaign_forms import Pool, PoolForm
from scancode.web.console.campaigns import brand_of, own_campaign
from scancode.web.language import current_locale
from scancode.web.runtime import runtime


@console.route("/campaigns/<uuid:campaign_id>/pools/new", methods=["GET", "POST"])
@allow(Role.MARKETING)
def new_pool(campaign_id: UUID) -> ResponseReturnValue:
    campaign = own_campaign(campaign_id)
    form = PoolForm()
    if request.method == "GET":
        form.add_lines("prizes")
        form.thanks_zh.data, form.thanks_en.data = campaigns.THANKS_ZH, campaigns.THANKS_EN

    def keep(session: Session, pool: Pool) -> None:
        now, actor = runtime().now(), current_staff().actor
        campaigns.add_tranche(session, campaign_id=campaign_id, **vars(pool), actor=actor, now=now)

    return _edit(campaign, None, form, keep)


@console.route("/campaigns/<uuid:campaign_id>/pools/<uuid:tranche_id>", methods=["GET", "POST"])
@allow(Role.MARKETING)
def edit_pool(campaign_id: UUID, tranche_id: UUID) -> ResponseReturnValue:
    campaign = own_campaign(campaign_id)
    pool = _waiting_pool(campaign_id, tranche_id)
    form = PoolForm()
    if request.method == "GET":
        form.fill(pool)

    def keep(session: Session, pool: Pool) -> None:
        now, actor = runtime().now(), current_staff().actor
        campaigns.change_tranche(session, tranche_id=tranche_id, **vars(pool), actor=actor, now=now)

    return _edit(campaign, tranche_id, form, keep)


@console.post("/campaigns/<uuid:campaign_id>/pools/<uuid:tranche_id>/remove")
@allow(Role.MARKETING)
def remove_pool(campaign_id: UUID, tranche_id: UUID) -> ResponseReturnValue:
    own_campaign(campaign_id)
    _waiting_pool(campaign_id, tranche_id)
    shared = runtime()
    with shared.db.transaction() as session:
        campaigns.remove_tranche(session, tranche_id=tranche_id, actor=current_staff().actor, now=shared.now())
    flash(gettext("The prize pool is gone."), "success")
    return redirect(url_for("console.campaign", campaign_id=campaign_id))


@console.post("/campaigns/<uuid:campaign_id>/pools/totals")
@allow(Role.MARKETING)
def pool_totals(campaign_id: UUID) -> str:
    """What the form adds up to as it stands; a line that cannot be read yet is left out. Keeps nothing."""
    campaign = own_campaign(campaign_id)
    form = PoolForm()
    _, sizes = _offer_batches(form, campaign)
    pool = form.read(sizes)
    return render_template("console/campaigns/_totals.html", **_totals(campaign, _own(request.args.get("pool")), pool))


def _edit(
    campaign: Campaign, tranche_id: UUID | None, form: PoolForm, keep: Callable[[Session, Pool], None]
) -> ResponseReturnValue:
    if form.is_submitted() and request.form.get("more") in ("ranges", "prizes"):
        form.add_lines(request.form["more"])
        batches, sizes = _offer_batches(form, campaign)
        return _page(campaign, tranche_id, form, batches, form.read(sizes), forgiving=True)
    batches, sizes = _offer_batches(form, campaign)
    is_valid = form.validate_on_submit()
    pool = form.read(sizes)
    if is_valid and form.is_readable:
        try:
            with runtime().db.transaction() as session:
                keep(session, pool)
        except Invalid as refusal:
            problem: str = refusal.facts["problem"]
            flash(gettext(problem), "danger")
        else:
            flash(gettext("The prize pool is kept."), "success")
            return redirect(url_for("console.campaign", campaign_id=campaign.id))
    return _page(campaign, tranche_id, form, batches, pool, forgiving=not form.is_submitted())


def _page(
    campaign: Campaign,
    tranche_id: UUID | None,
    form: PoolForm,
    batches: Sequence[Batch],
    pool: Pool,
    *,
    forgiving: bool,
) -> ResponseReturnValue:
    page = render_template(
        "console/campaigns/pool.html",
        form=form,
        tranche_id=tranche_id,
        batches=batches,
        brand=brand_of(campaign.brand_id),
        forgiving=forgiving,
        **_totals(campaign, tranche_id, pool),
    )
    return page, 200 if forgiving else 422


def _totals(campaign: Campaign, tranche_id: UUID | None, pool: Pool) -> dict[str, object]:
    """This pool by itself, and the campaign with this pool in place of what is kept of it."""
    with runtime().db.reading() as session:
        plan: CampaignPlan = campaigns.load_plan(session, campaign_id=campaign.id)
    others: list[TranchePlan] = [one for one in plan.tranches if one.id != tranche_id]
    return {
        "campaign": campaign,
        "pool": pool.plan,
        "whole": totals([pool.plan]),
        "everything": totals([*others, pool.plan]),
    }


def _offer_batches(form: PoolForm, campaign: Campaign) -> tuple[Sequence[Batch], dict[int, int]]:
    locale = current_locale()
    with runtime().db.reading() as session:
        batches = batches_of(session, brand_id=campaign.brand_id)
        names = {}
        for product_id in {batch.product_id for batch in batches}:
            product = session.get_one(Product, product_id)
            names[product_id] = product.name_en if locale == "en" else product.name_zh
    labels = [_label(batch, names[batch.product_id]) for batch in batches]
    form.offer_batches(batches, labels)
    return batches, {batch.number: batch.count for batch in batches}


def _label(batch: Batch, product: str) -> str:
    note = f" · {gettext('test')}" if batch.is_test else ""
    return f"{product} · {batch.count:,} · {batch.order_no} · {batch.number}{note}"


def _waiting_pool(campaign_id: UUID, tranche_id: UUID) -> TranchePlan:
    """Raises TrancheNotFound, Frozen when it is published."""
    with runtime().db.reading() as session:
        plan = campaigns.load_plan(session, campaign_id=campaign_id)
    pool = next((one for one in plan.tranches if one.id == tranche_id), None)
    if pool is None:
        raise campaigns.TrancheNotFound
    if pool.is_published:
        raise campaigns.Frozen(state=plan.state)
    return pool


def _own(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
