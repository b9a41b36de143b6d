"""WeChat login: out to the platform with a state that works once, back with a code that works once.

Only now, when somebody claims or joins, is an openid asked for, silently; more is asked only of a member who has agreed
to it here, and then WeChat asks them again. The exchange calls the platform, so it happens before any transaction; what
it proves is then written in one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import structlog
from flask import flash, redirect, render_template, request, session, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from scancode.catalog.rules import BrandFacts
from scancode.errors import OutsideError, Refusal
from scancode.i18n import N_
from scancode.ports import IdentityGateway, Login
from scancode.stories import sign_in as signing
from scancode.web.h5 import h5
from scancode.web.h5.crossing import is_outside, open_in_wechat
from scancode.web.h5.here import brand_here, local_path, origin_here, somebody
from scancode.web.language import current_locale
from scancode.web.limits import limiter
from scancode.web.people import sign_in_person, sign_out_person
from scancode.web.runtime import runtime
from scancode.web.visitor import current_visitor, new_state

KEPT = "logins"
STATES_MAX = 4
STATE_LIVES = timedelta(minutes=10)
CODE_LENGTH_MAX = 200
log = structlog.get_logger(__name__)


class LoginUnavailable(Refusal):
    code = "login_unavailable"
    text = N_("WeChat login is not available here. You can join with your phone number instead.")
    status = 503


@dataclass(frozen=True)
class Errand:
    """What a login is for: kept with its state in the session until the browser comes back with it."""

    brand: BrandFacts
    next_path: str
    has_agreed: bool = False
    """The member agreed to be known across the company's services with WeChat."""
    is_again: bool = False
    """The first code was no good, and nobody was asked yet."""


@h5.get("/login/wechat")
@limiter.limit("300 per minute")
def wechat() -> Response | str:
    """Sends the browser to the platform; afterwards it comes back to ``next``, a path of this host.

    Where only WeChat's app can do that and this is another browser, a page says how to get there.
    """
    shared = runtime()
    gateway = _gateway()
    brand = brand_here()
    next_path = local_path(request.args.get("next"), url_for("h5.me", brand=brand.slug))
    if is_outside(shared):
        return open_in_wechat(brand, url_for("h5.wechat", brand=brand.slug, next=next_path))
    return _send_out(gateway, Errand(brand, next_path))


@h5.post("/login/wechat")
@limiter.limit("300 per minute")
def wechat_agree() -> Response | str:
    """A member agrees to be known in the company's other services with WeChat; WeChat asks them once more."""
    shared = runtime()
    gateway, brand = _gateway(), brand_here(newest_scan_first=False)
    next_path = url_for("h5.my_privacy", brand=brand.slug)
    if is_outside(shared):
        return open_in_wechat(brand, next_path)
    if somebody(brand).member is None:
        return redirect(url_for("h5.join", brand=brand.slug, next=next_path), 303)
    return _send_out(gateway, Errand(brand, next_path, has_agreed=True))


def _gateway() -> IdentityGateway:
    gateway = runtime().ports.identity
    if gateway is None:
        raise LoginUnavailable
    return gateway


def _send_out(gateway: IdentityGateway, errand: Errand) -> Response:
    shared, state = runtime(), new_state()
    ends_s = int((shared.now() + STATE_LIVES).timestamp())
    kept = dict(list(session.get(KEPT, {}).items())[-(STATES_MAX - 1) :])
    words = [errand.brand.id.hex, errand.next_path, ends_s, int(errand.has_agreed), int(errand.is_again)]
    session[KEPT] = {**kept, state: words}
    back = origin_here(shared) + url_for("h5.wechat_back")
    away = gateway.authorize_url(redirect_uri=back, state=state, with_consent=errand.has_agreed)
    return redirect(away, 303 if request.method == "POST" else 302)


@h5.get("/login/wechat/back")
@limiter.limit("300 per minute")
def wechat_back() -> Response | tuple[str, int]:
    """The platform sends the browser here. A HEAD request changes nothing and uses up nothing."""
    if request.method == "HEAD":
        return Response(status=204)
    errand = _expected(request.args.get("state", ""))
    if errand is None:
        return _retry(None, gettext("This login was open for too long, or began in another browser."))
    code = request.args.get("code", "")
    if not code or len(code) > CODE_LENGTH_MAX:
        if errand.has_agreed:
            flash(gettext("You did not agree at WeChat, so nothing was changed."), "info")
            return redirect(errand.next_path)
        return _retry(errand, gettext("You did not confirm the login."))
    gateway = _gateway()
    try:
        login = gateway.exchange(code=code)
    except OutsideError as error:
        log.info("login_failed", error=error.code, permanent=error.permanent, is_again=errand.is_again)
        is_code = error.code == "login_code"
        if is_code and not errand.is_again:
            # WeChat's app opens this address twice at times, or again from its history. A silent login costs the
            # person nothing, so they get a new code instead of a page about an old one; but once only.
            return _send_out(gateway, replace(errand, is_again=True))
        sentence = gettext("WeChat did not confirm the login. Please try once more.")
        return _retry(errand, sentence, status=400 if is_code else 503)
    if login.is_snapshot:
        return render_template("h5/snapshot.html", brand=errand.brand, next_path=errand.next_path), 403
    _come_in(errand, login)
    return redirect(errand.next_path)


def _come_in(errand: Errand, login: Login) -> None:
    shared, brand = runtime(), errand.brand
    before = somebody(brand).person
    visitor_id, now = current_visitor().id, shared.now()
    agreed = signing.Agreed(brand.privacy_version, current_locale()) if errand.has_agreed else None
    signed = shared.db.retrying(
        lambda db_session: signing.sign_in(
            db_session,
            brand_id=brand.id,
            login=login,
            visitor_id=visitor_id,
            member_id=before.member_id,
            agreed=agreed,
            sealer=shared.sealer,
            prefix=shared.settings.payout_prefix,
            now=now,
        )
    )
    sign_out_person(brand.id)
    sign_in_person(
        brand.id,
        identity_id=signed.identity_id,
        phone_identity_id=signed.phone_identity_id,
        member_id=signed.member_id,
    )
    if before.member_id is not None and signed.member_id != before.member_id:
        flash(
            gettext("This WeChat account belongs to another membership: you are signed in as that one now."), "warning"
        )
    if signed.prizes_bound:
        flash(gettext("The reward that we kept for you is yours now."), "success")
    if signed.is_linked:
        flash(gettext("We know you in our other WeChat services now."), "success")
    elif errand.has_agreed:
        flash(gettext("WeChat did not say who you are in other services, so nothing was changed."), "warning")


def _expected(state: str) -> Errand | None:
    """What a login is for that this browser began; the state is gone then."""
    kept = dict(session.get(KEPT, {}))
    found = kept.pop(state, None)
    session[KEPT] = kept
    shared = runtime()
    if not isinstance(found, list) or len(found) != 5 or found[2] < shared.now().timestamp():
        return None
    brand = shared.brands.get(UUID(hex=found[0]))
    next_path = local_path(found[1], url_for("h5.enter"))
    return Errand(brand, next_path, has_agreed=bool(found[3]), is_again=bool(found[4])) if brand else None


def _retry(errand: Errand | None, sentence: str, *, status: int = 400) -> tuple[str, int]:
    again_url = url_for("h5.wechat", brand=errand.brand.slug, next=errand.next_path) if errand else None
    page = render_template(
        "h5/login_failed.html",
        brand=errand.brand if errand else None,
        sentence=sentence,
        again_url=again_url,
        next_path=errand.next_path if errand else url_for("h5.enter"),
    )
    return page, status
