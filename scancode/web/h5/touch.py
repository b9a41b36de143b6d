"""``GET /t/TOKEN``: somebody opened the code of a store, a guide or a shelf. The touch is kept and remembered, so that
the items scanned next are credited to it; the page says hello and shows how to go on. Robots change nothing, nor does
who is held off.

A live code leads to one of its guides, the same one when somebody comes again. A link to any page of ours may name a
placed code too (``?s=TOKEN``): in an article, a chat or a shop, opening it is a touch of that code.
"""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from scancode.catalog.rules import BrandFacts
from scancode.channels import service as channels
from scancode.channels.models import TouchKind
from scancode.channels.rotation import Attendant
from scancode.channels.rules import TouchpointFacts, read_token
from scancode.web.clients import is_bot
from scancode.web.h5 import h5
from scancode.web.h5.meeting import is_welcome
from scancode.web.limits import limiter
from scancode.web.people import current_person
from scancode.web.runtime import runtime
from scancode.web.visitor import current_visitor, remember_touch

LINK_PARAMETER = "s"
FILES = ("h5.media", "h5.brand_css")
"""What caches may keep for everybody remembers nothing for anybody."""


@h5.get("/t/<token>")
@h5.get("/T/<token>")
@limiter.limit("600 per minute")
def touch(token: str) -> ResponseReturnValue:
    """The landing page of a placed code; upper case is how it is printed."""
    shared = runtime()
    known = read_token(token)
    point = shared.touchpoints.get(known) if known else None
    if point is None:
        return render_template("h5/touch_unknown.html", brand=None, is_over=False), 404
    brand = shared.brands.get(point.brand_id)
    if brand is None or not point.is_active:
        return render_template("h5/touch_unknown.html", brand=brand, is_over=True), 410
    attendant = None if is_bot(request.environ) else _keep(point, brand, is_link=False)
    is_member = current_person(brand.id).member_id is not None
    return render_template(
        "h5/touch.html",
        brand=brand,
        point=point,
        guide=attendant.name if attendant else point.name if point.kind == TouchKind.GUIDE else "",
        is_member=is_member,
    )


@h5.before_request
def touch_by_link() -> None:
    """A link that names a placed code which is there and in use; any other changes nothing, nor does one too many."""
    is_page = request.method == "GET" and request.endpoint not in FILES
    named = request.args.get(LINK_PARAMETER, "") if is_page else ""
    known = read_token(named) if named else None
    if known is None or is_bot(request.environ):
        return
    shared = runtime()
    point = shared.touchpoints.get(known)
    brand = shared.brands.get(point.brand_id) if point is not None and point.is_active else None
    if point is not None and brand is not None and shared.guard.may_touch(request.environ, now=shared.now()):
        _keep(point, brand, is_link=True)


def _keep(point: TouchpointFacts, brand: BrandFacts, *, is_link: bool) -> Attendant | None:
    """Records the touch, unless staff hold the browser or its address off. Returns the guide to whom a live code leads,
    if anybody is there."""
    shared, visitor = runtime(), current_visitor()
    now, chosen = shared.now(), None
    if not is_welcome(shared, request.environ, visitor, now):
        return None
    with shared.db.transaction(durable=False) as session:
        if point.kind == TouchKind.LIVE:
            before = next((seen.guide_id for seen in reversed(visitor.touches) if seen.token == point.token), None)
            chosen = channels.meet_guide(session, point=point, local=brand.local(now), before=before, now=now)
        guide_id = chosen.guide_id if chosen else None
        channels.touch(
            session, touchpoint_id=point.id, visitor_id=visitor.id, guide_id=guide_id, is_link=is_link, now=now
        )
    remember_touch(point.token, guide_id, now)
    return chosen
