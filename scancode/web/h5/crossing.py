"""Won outside WeChat, received inside it: how somebody opens a page there, and takes along what their browser holds.

The camera of a phone, Alipay or a browser shows our pages as well, but only WeChat tells the openid that money goes
to. A page for a person known there already needs its link only. What an unknown browser holds crosses by a link and a
number: both are made by a POST, shown in that browser alone, and good for some minutes and one person.
"""

from __future__ import annotations

import base64
import hashlib
import io
import secrets
from uuid import UUID

import qrcode
from flask import flash, redirect, render_template, request, session, url_for
from flask_babel import gettext
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from scancode.catalog.rules import BrandFacts
from scancode.claims import service as claims
from scancode.claims.rules import CrossingOver, WrongNumber
from scancode.claims.service import CrossingFacts
from scancode.claims.service.crossing import LIVES, NUMBER_DIGITS
from scancode.config import Settings
from scancode.errors import NotFound
from scancode.stories import cross as crossing_over
from scancode.web.clients import client_of, is_bot
from scancode.web.h5 import h5
from scancode.web.h5.here import brand_here, origin_here, somebody
from scancode.web.limits import limiter
from scancode.web.runtime import Runtime, runtime
from scancode.web.visitor import current_visitor

KEPT = "crossing"


def is_outside(shared: Runtime) -> bool:
    """The login needs WeChat's app, and this is another browser."""
    identity = shared.ports.identity
    return identity is not None and identity.needs_app and client_of(request.environ) != "wechat"


def open_in_wechat(brand: BrandFacts, path: str) -> str:
    """The page that says how to get ``path`` of this host into WeChat. What this browser holds may come along."""
    shared = runtime()
    with shared.db.reading() as db_session:
        holds = claims.has_reserved(db_session, visitor_id=current_visitor().id, brand_id=brand.id, now=shared.now())
    link = origin_here(shared) + path
    return render_template("h5/elsewhere.html", brand=brand, link=link, picture=_picture(link), holds=holds, way=None)


@h5.post("/crossing")
@limiter.limit("60 per minute")
def crossing_offer() -> Response:
    """Makes a link and a number for what this browser holds."""
    shared, brand = runtime(), brand_here()
    number = f"{secrets.randbelow(10**NUMBER_DIGITS):0{NUMBER_DIGITS}}"
    visitor_id, now = current_visitor().id, shared.now()
    with shared.db.transaction() as db_session:
        if not claims.has_reserved(db_session, visitor_id=visitor_id, brand_id=brand.id, now=now):
            return redirect(url_for("h5.rewards", brand=brand.slug), 303)
        way = claims.offer_crossing(
            db_session, visitor_id=visitor_id, brand_id=brand.id, number=number, sealer=shared.sealer, now=now
        )
    session[KEPT] = [way.id.hex, number]
    return redirect(url_for("h5.crossing"), 303)


@h5.get("/crossing")
def crossing() -> str:
    """The link and the number, as long as they are good; then what became of them."""
    return _page_of_way("h5/elsewhere.html")


@h5.get("/crossing/state")
def crossing_state() -> str:
    """The part of that page that changes by itself: somebody has come over, or the time is up."""
    return _page_of_way("h5/_crossing_state.html")


def _page_of_way(template: str) -> str:
    shared, way, number = _own()
    link = origin_here(shared) + url_for("h5.cross", token=_serializer(shared.settings).dumps(way.id.hex))
    return render_template(
        template,
        brand=_brand(shared, way),
        link=link,
        picture=_picture(link),
        way=way,
        number=number,
        is_open=way.is_open(shared.now()),
    )


@h5.get("/w/<token>")
@limiter.limit("300 per minute")
def cross(token: str) -> Response | str:
    """Where the link leads. Looking changes nothing; inside WeChat it asks for the number."""
    shared = runtime()
    way = _way(shared, token)
    brand, here = _brand(shared, way), url_for("h5.cross", token=token)
    if is_outside(shared):
        return open_in_wechat(brand, here)
    person = somebody(brand).person
    if person.identity_id is None:
        if is_bot(request.environ):
            return render_template("h5/cross.html", brand=brand, here=here, problem=None)
        return redirect(url_for("h5.wechat", brand=brand.slug, next=here))
    if way.identity_id == person.identity_id:
        return redirect(url_for("h5.rewards", brand=brand.slug))
    if not way.is_open(shared.now()):
        raise CrossingOver
    return render_template("h5/cross.html", brand=brand, here=here, problem=None)


@h5.post("/w/<token>")
@limiter.limit("60 per minute")
def cross_act(token: str) -> Response | tuple[str, int]:
    """The number that the other browser shows: right, and what it holds is this person's."""
    shared = runtime()
    way = _way(shared, token)
    brand, here = _brand(shared, way), url_for("h5.cross", token=token)
    who = somebody(brand)
    if who.person.identity_id is None:
        return redirect(here, 303)
    if way.identity_id == who.person.identity_id:
        return redirect(url_for("h5.rewards", brand=brand.slug), 303)
    number = "".join(request.form.get("number", "").split())[:20]
    if not (number.isascii() and number.isdigit() and len(number) == NUMBER_DIGITS):
        sentence = gettext("Enter the %(n)s digits that the other browser shows.", n=NUMBER_DIGITS)
        return render_template("h5/cross.html", brand=brand, here=here, problem=sentence), 422
    now = shared.now()
    crossed = shared.db.retrying(
        lambda db_session: crossing_over.cross(
            db_session,
            crossing_id=way.id,
            number=number,
            claimant=who.claimant(),
            sealer=shared.sealer,
            prefix=shared.settings.payout_prefix,
            now=now,
        )
    )
    if crossed.tries_left is not None:
        wrong = WrongNumber(left=crossed.tries_left)
        if not crossed.tries_left:
            raise CrossingOver
        return render_template("h5/cross.html", brand=brand, here=here, problem=wrong.sentence(gettext)), wrong.status
    if crossed.prizes_bound:
        flash(gettext("The reward that we kept for you is yours now."), "success")
    return redirect(url_for("h5.rewards", brand=brand.slug), 303)


def _own() -> tuple[Runtime, CrossingFacts, str]:
    """The crossing that this browser has made. Raises NotFound."""
    shared, kept = runtime(), session.get(KEPT)
    if not isinstance(kept, list) or len(kept) != 2:
        raise NotFound
    with shared.db.reading() as db_session:
        way = claims.find_crossing(db_session, crossing_id=UUID(hex=kept[0]))
    if way is None or way.visitor_id != current_visitor().id:
        raise NotFound
    return shared, way, kept[1]


def _way(shared: Runtime, token: str) -> CrossingFacts:
    """The crossing of a link. Raises CrossingOver: for a forged link as for an old one, and without a query."""
    try:
        crossing_id = UUID(hex=_serializer(shared.settings).loads(token, max_age=int(LIVES.total_seconds())))
    except (BadSignature, ValueError, TypeError, AttributeError) as error:
        raise CrossingOver from error
    with shared.db.reading() as db_session:
        way = claims.find_crossing(db_session, crossing_id=crossing_id)
    if way is None:
        raise CrossingOver
    return way


def _brand(shared: Runtime, way: CrossingFacts) -> BrandFacts:
    brand = shared.brands.get(way.brand_id)
    if brand is None:
        raise CrossingOver
    return brand


def _picture(link: str) -> str:
    """The link as a QR code within the page: for WeChat on another phone, or from the picture when it was saved."""
    code = qrcode.QRCode(border=2, box_size=5)
    code.add_data(link)
    file = io.BytesIO()
    code.make_image().save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _serializer(settings: Settings) -> URLSafeTimedSerializer:
    keys = [key.strip() for key in settings.link_keys.get_secret_value().split(",")]
    return URLSafeTimedSerializer(
        keys,
        salt="scancode.crossing",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
