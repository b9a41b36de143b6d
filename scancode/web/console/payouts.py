"""The money, for staff: what is on its way, what waits for the person, what came back, and what needs somebody to look.

A page never calls the provider: buttons leave a wish, and the worker does it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from batches import codes as press
from scancode.campaigns import service as campaigns
from scancode.claims import service as claims
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.jobs import service as jobs
from scancode.members import service as members
from scancode.payouts import service as payouts
from scancode.payouts.rules import PayoutFacts, PayoutState, parse_number
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.stories.books import DAYS_IN
from scancode.stories.going_on import NotCompared, require_compared
from scancode.stories.reconcile import DAYS_MAX, TooLongAgo
from scancode.web.console import console
from scancode.web.console.access import allow, brand_scope, current_staff, operator_only, visible
from scancode.web.console.pages import mark_of, number, read_mark, turned
from scancode.web.language import current_locale
from scancode.web.reading import NotOurs, read_code
from scancode.web.runtime import runtime

PAGE_ROWS = 50
CAMPAIGNS_MAX = 200
ENDED_DAYS = 30
"""For so long the end of an authorisation is counted."""
RECONCILE_DAYS = 30
"""The provider answers queries for so long; older bills are compared by its bill files."""
GROUPS: dict[str, tuple[PayoutState, ...]] = {
    "moving": (PayoutState.CREATED, PayoutState.SENDING, PayoutState.UNKNOWN, PayoutState.CANCELLING),
    "awaiting": (PayoutState.AWAITING_USER,),
    "paid": (PayoutState.PAID,),
    "returned": (PayoutState.EXPIRED, PayoutState.FAILED, PayoutState.CANCELLED),
    "held": (PayoutState.QUARANTINED,),
}
Verb = Callable[..., PayoutFacts]
VERBS: dict[str, tuple[Verb, str]] = {
    "retry": (payouts.retry, N_("The worker looks at it now.")),
    "cancel": (payouts.cancel, N_("The payment is being cancelled.")),
    "reissue": (payouts.reissue, N_("It is sent again under a new number.")),
    "recheck": (payouts.recheck, N_("The provider is asked again; it goes on if nothing differs.")),
}
marketing = allow(Role.MARKETING)


@console.get("/payouts", endpoint="payouts")
@marketing
def payout_list() -> ResponseReturnValue:
    shared, brand_id = runtime(), brand_scope()
    now = shared.now()
    group = request.args.get("state", "")
    wanted = _search(request.args.get("q", ""))
    with shared.db.reading() as session:
        choices = campaigns.list_campaigns(session, brand_id=brand_id, limit=CAMPAIGNS_MAX)
        chosen = next((one for one in choices if str(one.id) == request.args.get("campaign")), None)
        chosen_id = chosen.id if chosen else None
        found = payouts.totals(session, brand_id=brand_id, campaign_id=chosen_id)
        rows = payouts.list_payouts(
            session,
            brand_id=brand_id,
            states=GROUPS.get(group, ()),
            campaign_id=chosen_id,
            code_id=wanted,
            limit=PAGE_ROWS + 1,
            after=read_mark(request.args.get("after", ""), number),
        )
        needy = payouts.neglected(session, brand_id=brand_id, now=now)
        lost = claims.list_quarantined(session, brand_id=brand_id)
        stops = {stop.name: stop for stop in jobs.list_stops(session)}
        compared = _last_comparison(session) if brand_id is None else None
        balance = payouts.find_balance(session) if brand_id is None else None
        short = payouts.short_of_money(session, brand_id=brand_id)
        agreed = payouts.authorisation_totals(session, brand_id=brand_id, since=now - timedelta(days=ENDED_DAYS))
    here: dict[str, Any] = {"state": group or None, "campaign": chosen_id, "q": request.args.get("q") or None}
    rows, pages = turned(rows, PAGE_ROWS, lambda row: mark_of(row.changed_at, row.code_id), argument="after")
    return render_template(
        "console/payouts/list.html",
        rows=rows,
        sums=_sums(found),
        group=group if group in GROUPS else "",
        here=here,
        pages=pages,
        campaigns=choices,
        campaign_names={one.id: one.name_zh if current_locale() == "zh" else one.name_en for one in choices},
        chosen=chosen,
        needy=needy,
        lost=lost,
        stops=stops,
        compared=compared,
        balance=balance,
        short=short,
        agreed=agreed,
        offers_agreeing=_offers_agreeing(brand_id),
        is_operator=brand_id is None and current_staff().role == Role.ADMIN,
        is_unknown=bool(request.args.get("q")) and wanted == -1,
        has_gateway=shared.ports.payout is not None,
    )


@console.get("/payouts/<int:code_id>", endpoint="payout")
@marketing
def show_payout(code_id: int) -> ResponseReturnValue:
    """One code's money: every attempt, everything that happened to it, and what can be done."""
    shared = runtime()
    with shared.db.reading() as session:
        payout = payouts.get(session, code_id=code_id)
        visible(payout.brand_id)
        attempts = payouts.list_payouts(session, brand_id=payout.brand_id, code_id=code_id)
        happened = payouts.events(session, code_id=code_id)
        claim = claims.find_facts(session, code_id=code_id)
        identity = members.find_identity(session, identity_id=payout.identity_id) if payout.identity_id else None
        agreed = payouts.list_authorisations(session, identity_ids=[payout.identity_id] if payout.identity_id else [])
        job = jobs.find(session, key=payouts.job_key(code_id, payout.attempt))
    number, _, serial = press.split_code_id(code_id)
    product = shared.products.get(claim.product_id) if claim else None
    return render_template(
        "console/payouts/payout.html",
        payout=payout,
        attempts=sorted(attempts, key=lambda one: one.attempt),
        events=happened,
        claim=claim,
        identity=identity,
        agreed=agreed[0] if agreed else None,
        job=job,
        batch_number=number,
        serial=serial,
        product_name=product.name(current_locale()) if product else "–",
        brand=shared.brands.get(payout.brand_id),
    )


@console.post("/payouts/<int:code_id>/<any(retry, cancel, reissue, recheck):verb>")
@marketing
def change_payout(code_id: int, verb: str) -> ResponseReturnValue:
    act, said = VERBS[verb]
    shared, now = runtime(), runtime().now()
    try:
        with shared.db.transaction() as session:
            before = payouts.get(session, code_id=code_id)
            visible(before.brand_id)
            after = act(session, code_id=code_id, now=now)
            staff.audit(
                session,
                actor=current_staff().actor,
                brand_id=before.brand_id,
                action=f"payout.{verb}",
                subject=f"payout:{after.out_bill_no}",
                facts={"from": before.state.value, "attempt": after.attempt, "amount_fen": after.amount_fen},
                now=now,
            )
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.sentence(gettext), "warning")
    else:
        flash(gettext(said), "success")
    return redirect(url_for("console.payout", code_id=code_id))


@console.post("/payouts/stops/<any(claims, payouts):name>/<any(stop, allow):verb>")
@allow()
def change_money_stop(name: str, verb: str) -> ResponseReturnValue:
    """Halts claims or payouts for everybody, with a reason that others can read; or lets them go on."""
    operator_only()
    now = runtime().now()
    reason = request.form.get("reason", "").strip()[:200]
    if verb == "stop" and not reason:
        flash(gettext("Write why, for whoever has to decide when it may go on."), "warning")
        return redirect(url_for("console.payouts"))
    try:
        with runtime().db.transaction() as session:
            if verb == "stop":
                changed = jobs.stop(session, name=name, reason=reason, now=now)
            else:
                require_compared(session)
                changed = jobs.allow(session, name=name)
            if changed:
                _audit_stop(session, f"{name}.{verb}", name, now)
    except NotCompared as refusal:
        flash(refusal.sentence(gettext), "danger")
        return redirect(url_for("console.payouts"))
    flash(gettext("Stopped.") if verb == "stop" else gettext("Going on again."), "success")
    return redirect(url_for("console.payouts"))


def _audit_stop(session: Session, action: str, name: str, now: datetime) -> None:
    actor = current_staff().actor
    staff.audit(session, actor=actor, brand_id=None, action=action, subject=f"stop:{name}", facts={}, now=now)


@console.post("/payouts/compare")
@allow()
def compare_books() -> ResponseReturnValue:
    """Has the worker compare our book with the provider's from one of its days on."""
    operator_only()
    now = runtime().now()
    today = now.astimezone(DAYS_IN).date()
    try:
        first = min(date.fromisoformat(request.form.get("since", "")), today)
    except ValueError:
        first = today - timedelta(days=RECONCILE_DAYS)
    if (today - first).days > DAYS_MAX:
        flash(TooLongAgo(limit=DAYS_MAX).sentence(gettext), "warning")
        return redirect(url_for("console.money_books"))
    since = datetime.combine(first, time(), DAYS_IN)
    payload = {"since": since.isoformat(), "actor": current_staff().actor}
    with runtime().db.transaction() as session:
        key = f"reconcile:{now:%Y%m%d%H%M}:{first}"
        jobs.enqueue(session, kind="reconcile", key=key, payload=payload, run_at=now, now=now)
    flash(gettext("The worker compares the books now. Reload this page in a moment."), "success")
    return redirect(url_for("console.money_books"))


def _offers_agreeing(brand_id: UUID | None) -> bool:
    """Whether people may agree to be paid without confirming: those of this brand, or of any."""
    settings = runtime().settings
    brand = runtime().brands.get(brand_id) if brand_id is not None else None
    return settings.spares_confirming(brand.slug) if brand else bool(settings.wechatpay_no_confirm)


def _sums(found: dict[PayoutState, payouts.Totals]) -> dict[str, tuple[int, int]]:
    """Count and fen of each group of states."""
    return {
        name: (
            sum(found[state].count for state in states),
            sum(found[state].amount_fen for state in states),
        )
        for name, states in GROUPS.items()
    }


def _search(text: str) -> int | None:
    """The code id of a bill number or of a code as it is printed; None for no text, -1 for one that is neither."""
    text = text.strip()[:80]
    if not text:
        return None
    shared = runtime()
    place = parse_number(text.upper(), prefix=shared.settings.payout_prefix)
    if place is not None:
        return place[0]
    try:
        return read_code(shared, text).code_id
    except NotOurs:
        return -1


def _last_comparison(session: Session) -> dict[str, Any] | None:
    """What the newest comparison of the books came to, from the audit."""
    chosen = staff.AuditFilter(action="payouts.reconcile")
    rows = staff.list_audit(session, brand_id=None, chosen=chosen, limit=1)
    return {**json.loads(rows[0].facts), "at": rows[0].at} if rows else None
