"""``GET /t/TOKEN``: somebody opened the code of a store, a guide or a shelf. The touch is kept and remembered, so that
the items scanned next are credited to it; the page says hello and shows how to go on. Robots change nothing."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from scancode.channels import service as channels
from scancode.channels.rules import read_token
from scancode.web.clients import is_bot
from scancode.web.h5 import h5
from scancode.web.limits import limiter
from scancode.web.people import current_person
from scancode.web.runtime import runtime
from scancode.web.visitor import current_visitor, remember_touch


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
    if not is_bot(request.environ):
        now = shared.now()
        with shared.db.transaction(durable=False) as session:
            channels.touch(session, touchpoint_id=point.id, visitor_id=current_visitor().id, now=now)
        remember_touch(point.token, now)
    is_member = current_person(brand.id).member_id is not None
    return render_template("h5/touch.html", brand=brand, point=point, is_member=is_member)
