"""The welcome of a member, where they see it: on the first page after joining and on their own until they put it away.

That it was seen is noted once; how often its link is opened is counted of nobody. Robots change nothing.
"""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from uuid import UUID

from flask import Response as FlaskResponse
from flask import g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from scancode.catalog.rules import BrandFacts
from scancode.channels import service as channels
from scancode.channels.welcomes import Target, WelcomeDraft, WelcomeFacts
from scancode.web import preview
from scancode.web.clients import is_bot
from scancode.web.h5 import h5
from scancode.web.h5.me import get_member
from scancode.web.language import current_locale
from scancode.web.limits import limiter
from scancode.web.people import current_person
from scancode.web.runtime import runtime
from scancode.web.security import policy_of

NOWHERE = UUID(int=0)


@h5.app_template_global("welcome_of")
def welcome_of(brand: BrandFacts | None, *, is_first: bool = False) -> WelcomeFacts | None:
    """What this page says to its member, once a page. ``is_first``: it is the page after joining."""
    member_id = current_person(brand.id).member_id if brand else None
    if brand is None or member_id is None or "is_welcomed" in g:
        return None
    shared = runtime()
    now = shared.now()
    with shared.db.reading() as session:
        given = channels.find_given(session, member_id=member_id)
        days = channels.load_welcome_terms(session, brand_id=brand.id).days if given else 0
    if given is None or given.dismissed_at is not None or not (is_first or given.stands(now, days)):
        return None
    g.is_welcomed = True
    if given.seen_at is None and request.method == "GET" and not is_bot(request.environ):
        shared.db.retrying(lambda session: channels.note_welcome_seen(session, member_id=member_id, now=now))
    return given.welcome


@h5.get("/me/welcome")
@limiter.limit("60 per minute")
def welcome_link() -> Response:
    """On to where the welcome of this member leads, and nowhere else."""
    brand, member = get_member()
    home = redirect(url_for("h5.me", brand=brand.slug))
    if member is None:
        return home
    shared = runtime()
    with shared.db.reading() as session:
        given = channels.find_given(session, member_id=member.id)
    if given is None or not given.welcome.link:
        return home
    if not is_bot(request.environ):
        welcome_id = given.welcome.id
        shared.db.retrying(lambda session: channels.count_welcome_opened(session, welcome_id=welcome_id))
    return redirect(given.welcome.link)


@h5.post("/me/welcome")
def put_welcome_away() -> Response:
    """The member has read it."""
    brand, member = get_member()
    if member is not None:
        shared = runtime()
        now, member_id = shared.now(), member.id
        shared.db.retrying(lambda session: channels.dismiss_welcome(session, member_id=member_id, now=now))
    return redirect(url_for("h5.me", brand=brand.slug))


@h5.get("/preview/welcome/<token>")
def preview_welcome(token: str) -> Response:
    """A member's page with a welcome that is being written, for the frame beside the console's form. It records
    nothing, and nothing on it works."""
    shared = runtime()
    brand_id, g.locale, texts = preview.read_welcome(shared.settings, token)
    brand = shared.brands.get(brand_id)
    if brand is None:
        raise preview.PreviewOver
    g.is_welcomed = True
    page = render_template(
        "h5/me/home.html",
        brand=brand,
        member=SimpleNamespace(phone_hint="138****0000", joined_at=shared.now(), language=current_locale()),
        sample_welcome=_sample(brand, WelcomeDraft(**texts), shared.now()),
        has_openid=False,
        has_login=False,
        points=0,
        standing=None,
        expiring=[],
        rewards=0,
        waiting=0,
        rewards_url=url_for("h5.rewards", brand=brand.slug),
        unpaid=0,
        scans=[],
    )
    response = FlaskResponse(page, mimetype="text/html")
    policy = policy_of(shared.settings).replace("frame-ancestors 'none'", "frame-ancestors 'self'")
    response.headers["Content-Security-Policy"] = policy
    return response


def _sample(brand: BrandFacts, draft: WelcomeDraft, now: datetime) -> WelcomeFacts:
    return WelcomeFacts(NOWHERE, brand.id, Target.BRAND, brand.id, **vars(draft), made_at=now)
