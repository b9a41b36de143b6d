"""WeChat login: out to the platform with a state that works once, back with a code that works once.

Only now, when somebody claims or joins, is an openid asked for. The exchange calls the platform, so it happens before
any transaction; what it proves is then written in one.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

import structlog
from flask import flash, redirect, render_template, request, session, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from scancode.catalog.rules import BrandFacts
from scancode.errors import OutsideError, Refusal
from scancode.i18n import N_
from scancode.stories import sign_in as signing
from scancode.web.h5 import h5
from scancode.web.h5.here import brand_here, local_path, somebody
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


@h5.get("/login/wechat")
@limiter.limit("30 per minute")
def wechat() -> Response:
    """Sends the browser to the platform; afterwards it comes back to ``next``, a path of this host."""
    shared = runtime()
    gateway = shared.ports.identity
    if gateway is None:
        raise LoginUnavailable
    brand = brand_here()
    next_path = local_path(request.args.get("next"), url_for("h5.me", brand=brand.slug))
    state = new_state()
    ends_s = int((shared.now() + STATE_LIVES).timestamp())
    kept = dict(list(session.get(KEPT, {}).items())[-(STATES_MAX - 1) :])
    session[KEPT] = {**kept, state: [brand.id.hex, next_path, ends_s]}
    back = shared.settings.base_url + url_for("h5.wechat_back")
    return redirect(gateway.authorize_url(redirect_uri=back, state=state))


@h5.get("/login/wechat/back")
@limiter.limit("30 per minute")
def wechat_back() -> Response | tuple[str, int]:
    """The platform sends the browser here. A HEAD request changes nothing and uses up nothing."""
    if request.method == "HEAD":
        return Response(status=204)
    shared = runtime()
    brand, next_path = _expected(request.args.get("state", ""))
    if brand is None:
        return _retry(None, next_path, gettext("This login was open for too long, or began in another browser."))
    code = request.args.get("code", "")
    if not code or len(code) > CODE_LENGTH_MAX:
        return _retry(brand, next_path, gettext("You did not confirm the login."))
    if shared.ports.identity is None:
        raise LoginUnavailable
    try:
        login = shared.ports.identity.exchange(code=code)
    except OutsideError as error:
        log.info("login_failed", error=error.code, permanent=error.permanent)
        return _retry(brand, next_path, gettext("WeChat did not confirm the login. Please try once more."))
    if login.is_snapshot:
        return _retry(
            brand,
            next_path,
            gettext("You are looking at a preview. Tap “Use full service” at the bottom of the screen."),
        )
    before = somebody(brand).person
    visitor_id, now = current_visitor().id, shared.now()
    signed = shared.db.retrying(
        lambda db_session: signing.sign_in(
            db_session,
            brand_id=brand.id,
            login=login,
            visitor_id=visitor_id,
            member_id=before.member_id,
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
    return redirect(next_path)


def _expected(state: str) -> tuple[BrandFacts | None, str]:
    """The brand and the next path of a login that this browser began; the state is gone then."""
    kept = dict(session.get(KEPT, {}))
    found = kept.pop(state, None)
    session[KEPT] = kept
    shared = runtime()
    if not isinstance(found, list) or len(found) != 3 or found[2] < shared.now().timestamp():
        return None, url_for("h5.enter")
    return shared.brands.get(UUID(hex=found[0])), local_path(found[1], url_for("h5.enter"))


def _retry(brand: BrandFacts | None, next_path: str, sentence: str) -> tuple[str, int]:
    query = {"next": next_path} | ({"brand": brand.slug} if brand else {})
    again_url = f"{url_for('h5.wechat')}?{urlencode(query)}" if brand else None
    page = render_template(
        "h5/login_failed.html", brand=brand, sentence=sentence, again_url=again_url, next_path=next_path
    )
    return page, 400
