"""«Where is my money?»: a person's rewards, and of each how far it has come and what they can do next.

Looking never pays: the confirm button leads to the provider's own page. Coming back from there only asks the worker
to look sooner than it would have.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from batches.codes import split_code_id
from scancode.campaigns.chance import TURNS_MAX
from scancode.campaigns.rules import Offer, Phase, draw, phase
from scancode.catalog.rules import BrandFacts
from scancode.claims import service as claims
from scancode.claims.rules import Claimant, ClaimFacts, ClaimView, Standing
from scancode.errors import NotFound, Refusal
from scancode.jobs import service as jobs
from scancode.payouts import service as payouts
from scancode.payouts.rules import PayoutState, parse_number
from scancode.ports import Confirmation
from scancode.web.clients import is_bot
from scancode.web.h5 import h5
from scancode.web.h5.crossing import is_outside
from scancode.web.h5.here import brand_here, somebody
from scancode.web.h5.page_scripts import script_for, with_script
from scancode.web.h5.receiving import can_offer
from scancode.web.language import current_locale
from scancode.web.runtime import Runtime, runtime
from scancode.web.security import NUMBER_MAX

REWARDS_A_PAGE = 50
REFERENCE_MAX = 32
SELF_SERVICE_ATTEMPTS = 4
"""A person may have expired money sent again so often; beyond it customer service looks first."""
GONE_WRONG = (PayoutState.FAILED, PayoutState.CANCELLING, PayoutState.CANCELLED, PayoutState.QUARANTINED)
"""There are more urgent things to say than how the next payment could come."""
MOVING = (PayoutState.CREATED, PayoutState.SENDING, PayoutState.UNKNOWN, PayoutState.CANCELLING)


@dataclass(frozen=True)
class Reward:
    """One reward as its owner sees it."""

    view: ClaimView
    brand: BrandFacts
    product_name: str
    prize_name: str
    code_url: str | None
    confirmation: Confirmation | None
    """For ``requestMerchantTransfer`` within WeChat."""
    confirm_url: str | None
    """The sandbox's page, which stands for WeChat's in demos and tests."""
    complain_url: str | None
    draw_url: str | None = None
    """Where anybody can check what the code held, once its campaign is over."""
    may_turn: bool = False
    """The wheel gave one more turn, and it can be taken now."""
    second: ClaimView | None = None
    """What the same code brought besides, because of how many its person had claimed."""
    held: claims.HeldFacts | None = None
    """Where staff look at it, or looked and refused it."""
    factor: int = 1
    """So many times the points of its prize."""
    is_stopped: bool = False
    """Nothing is bound or paid at the moment, whoever asks."""

    @property
    def turn_url(self) -> str | None:
        """Where the next turn of the wheel is asked for."""
        is_open = self.may_turn and self.view.standing in (Standing.RESERVED, Standing.CLAIMED)
        return f"{self.code_url}/claim?turn={self.view.claim.turns_done + 1}" if is_open and self.code_url else None

    @property
    def is_moving(self) -> bool:
        """Something happens without the person: the page looks again by itself."""
        payout = self.view.payout
        if payout is None or payout.waits_for_identity:
            return False
        return payout.state in MOVING or payout.state == PayoutState.AWAITING_USER

    @property
    def can_ask_again(self) -> bool:
        payout = self.view.payout
        return bool(payout and payout.state == PayoutState.EXPIRED and payout.attempt < SELF_SERVICE_ATTEMPTS)


@h5.get("/me/rewards")
def rewards() -> str:
    """Everything that this person won from a brand, newest first, a page at a time."""
    shared, brand = runtime(), brand_here(newest_scan_first=False)
    who = somebody(brand)
    claimant = who.claimant()
    with shared.db.reading() as session:
        found = claims.of_person(
            session,
            claimant=claimant,
            brand_id=brand.id,
            now=shared.now(),
            limit=REWARDS_A_PAGE + 1,
            wins_only=True,
            before=_before(session),
        )
        paid_fen = claims.paid_fen(session, claimant=claimant, brand_id=brand.id)
    mine = [_reward(shared, view, brand) for view in found[:REWARDS_A_PAGE]]
    return render_template(
        "h5/rewards.html",
        brand=brand,
        rewards=mine,
        older=mine[-1].view.claim.code_id if len(found) > REWARDS_A_PAGE else None,
        is_later_page="before" in request.args,
        paid_fen=paid_fen,
        has_openid=who.person.identity_id is not None,
        member=who.member,
        has_login=shared.ports.identity is not None,
        has_receiving=who.person.identity_id is not None and shared.settings.spares_confirming(brand.slug),
    )


def _before(session: Session) -> ClaimFacts | None:
    """The last reward of the page before. Whose it is does not matter: only its moment is compared."""
    code_id = request.args.get("before", type=int)
    known = code_id is not None and 0 <= code_id <= NUMBER_MAX
    return claims.find_facts(session, code_id=code_id) if known and code_id is not None else None


@h5.get("/me/rewards/<code_id>")
def reward(code_id: str) -> Response:
    """One reward: the prize itself, and where its money is. ``new`` shows it being opened."""
    shared = runtime()
    found, who = _mine(shared, code_id)
    is_back = "back" in request.args and not is_bot(request.environ)
    if is_back:
        _look_sooner(shared, found)
    page = _page(shared, found, who)
    offers_receiving = _offers_receiving(shared, found, who)
    html = render_template(
        "h5/reward.html", **page, is_new="new" in request.args, is_back=is_back, offers_receiving=offers_receiving
    )
    return with_script(html, page["script"])


@h5.get("/me/rewards/<code_id>/state")
def reward_state(code_id: str) -> str:
    """The part of the page that moves, asked for again until nothing moves any more."""
    shared = runtime()
    found, who = _mine(shared, code_id)
    return render_template("h5/_reward_state.html", **_page(shared, found, who), is_back="back" in request.args)


@h5.post("/me/rewards/<code_id>/again")
def reward_again(code_id: str) -> Response:
    """Expired money is sent again, at the wish of whom it belongs to."""
    shared = runtime()
    found, _ = _mine(shared, code_id)
    if found.can_ask_again:
        try:
            with shared.db.transaction() as session:
                payouts.reissue(session, code_id=found.view.claim.code_id, now=shared.now())
            flash(gettext("Your red packet is on its way again."), "success")
        except Refusal as refusal:
            flash(refusal.sentence(gettext), "warning")
    return redirect(url_for("h5.reward", code_id=found.view.claim.code_id), 303)


def _page(shared: Runtime, found: Reward, who: Claimant) -> dict[str, Any]:
    return {
        # Money that still moves may come to wait for its person while the page looks on.
        "script": script_for(shared) if found.is_moving else None,
        "reward": found,
        "brand": found.brand,
        "claim": found.view.claim,
        "held": found.held,
        "payout": found.view.payout,
        "is_member": who.member_id is not None,
        "is_known": who.is_known,
        "has_login": shared.ports.identity is not None,
        "is_outside": is_outside(shared),
        "is_stopped": found.is_stopped,
        "turns_max": TURNS_MAX,
        "here": url_for("h5.reward", code_id=found.view.claim.code_id),
    }


def _mine(shared: Runtime, reference: str) -> tuple[Reward, Claimant]:
    """The reward of a code id or a bill number. Raises NotFound where there is none, or it is somebody else's."""
    code_id = _code_id(reference, shared.settings.payout_prefix)
    with shared.db.reading() as session:
        claim = claims.find_facts(session, code_id=code_id)
        brand = shared.brands.get(claim.brand_id) if claim else None
        if brand is None:
            raise NotFound
        who = somebody(brand).claimant()
        view = _view(session, code_id, who, shared.now())
        looked_at = view.standing in (Standing.HELD, Standing.REFUSED)
        held = claims.find_held(session, code_id=code_id) if looked_at else None
        is_stopped = view.needs_subject and jobs.is_stopped(session, claims.STOP) is not None
        second = None if view.claim.is_second else _second(session, view.claim, who, shared.now())
    return replace(_reward(shared, view, brand), held=held, second=second, is_stopped=is_stopped), who


def _second(session: Session, claim: ClaimFacts, who: Claimant, now: datetime) -> ClaimView | None:
    found = claims.find_claim(session, code_id=claims.second_id(claim.code_id), claimant=who, now=now)
    return found if found and found.is_mine and found.claim.is_second else None


def _view(session: Session, code_id: int, who: Claimant, now: datetime) -> ClaimView:
    view = claims.find_claim(session, code_id=code_id, claimant=who, now=now)
    if view is None or not view.is_mine:
        raise NotFound
    return view


def _code_id(reference: str, prefix: str) -> int:
    if reference.isascii() and reference.isdigit() and len(reference) <= REFERENCE_MAX // 2:
        return int(reference)
    place = parse_number(reference[:REFERENCE_MAX], prefix=prefix)
    if place is None:
        raise NotFound
    return place[0]


def _reward(shared: Runtime, view: ClaimView, brand: BrandFacts) -> Reward:
    claim, locale = view.claim, current_locale()
    product = shared.products.get(claim.product_id)
    number, kind, serial = split_code_id(claims.code_of(claim.code_id))
    batch = shared.batches.get(number)
    text = batch.verifier.mint(number, kind, serial) if batch else None
    span = shared.offers.get(number).find(serial)
    offer = span.value.of_campaign(claim.campaign_id) if span else None
    prizes = offer.prizes if offer else ()
    names = [prize.name(locale) for prize in prizes if prize.id == claim.prize_id]
    confirmation = _confirmation(shared, view)
    return Reward(
        view=view,
        brand=brand,
        product_name=product.name(locale) if product else "",
        prize_name=names[0] if names else "",
        code_url=url_for("h5.scan", text=text) if text else None,
        draw_url=_draw_url(shared, offer, claim, text),
        factor=_factor(offer, claim, serial),
        may_turn=claim.is_again and phase(offer, shared.now()) is Phase.RUNNING,
        confirmation=confirmation,
        confirm_url=_sandbox_url(shared, view, confirmation),
        complain_url=url_for("h5.complain", text=text) if text else None,
    )


def _draw_url(shared: Runtime, offer: Offer | None, claim: ClaimFacts, text: str | None) -> str | None:
    if offer is None or claim.is_second or text is None or phase(offer, shared.now()) is not Phase.ENDED:
        return None
    return url_for("h5.campaign_check", campaign_id=offer.campaign_id, code=text)


def _factor(offer: Offer | None, claim: ClaimFacts, serial: int) -> int:
    """How many times the points of its prize a code gave."""
    if offer is None or claim.prize_kind != "points" or claim.is_second or not offer.conditions.boosts:
        return 1
    drawn = draw(offer, serial, claim.turns_done)
    is_this = drawn.id == claim.prize_id and drawn.amount > 0 and claim.amount % drawn.amount == 0
    return claim.amount // drawn.amount if is_this else 1


def _confirmation(shared: Runtime, view: ClaimView) -> Confirmation | None:
    """What WeChat's own page takes, for a bill that waits for its person."""
    payout, gateway = view.payout, shared.ports.payout
    if gateway is None or payout is None or payout.state != PayoutState.AWAITING_USER or not payout.package:
        return None
    return gateway.confirmation(package=payout.package)


def _sandbox_url(shared: Runtime, view: ClaimView, confirmation: Confirmation | None) -> str | None:
    if shared.ports.person is None or confirmation is None:
        return None
    back = url_for("h5.reward", code_id=view.claim.code_id, back=1)
    return url_for("h5.sandbox_pay", package=confirmation.package, return_url=back)


def _offers_receiving(shared: Runtime, found: Reward, who: Claimant) -> bool:
    """Whether somebody with money of their own may agree to receive the next without a tap, and has not."""
    payout = found.view.payout
    if payout is None or payout.state in GONE_WRONG or who.identity_id is None or not can_offer(shared, found.brand):
        return False
    with shared.db.reading() as session:
        return payouts.open_authorisation(session, identity_id=who.identity_id) is None


def _look_sooner(shared: Runtime, found: Reward) -> None:
    """The person comes from the confirm page: news is likely. At most once in a few seconds, and no news by itself."""
    payout = found.view.payout
    if payout is not None and payout.state == PayoutState.AWAITING_USER:
        with shared.db.transaction() as session:
            payouts.look_sooner(session, code_id=payout.code_id, attempt=payout.attempt, now=shared.now())
