"""The public page of a link: what a print house sees that fetches a sealed pack, without the console and without an
account. A passcode earns a permit for half a day; with it the file is fetched, in ranges if need be.

Programs that preview links get the page and never the file, and count as nothing. An address that is not signed by us
costs no query.
"""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.exceptions import NotFound as NoPage

from scancode.errors import Refusal
from scancode.handover import service as handover
from scancode.handover.passes import Passes
from scancode.handover.rules import LinkFacts, LinkState
from scancode.web.clients import is_bot
from scancode.web.limits import address, limiter
from scancode.web.runtime import runtime
from scancode.web.sending import Sent, client_of_request, counting, send_pack_file

pickup = Blueprint("pickup", __name__, url_prefix="/packs")
TRIES = "20 per minute"
"""Of one network address, over all links."""
PASSCODE_LENGTH_MAX = 100
_DOWNLOADERS = re.compile(r"(?:curl|wget|aria2)/[0-9.]+", re.IGNORECASE)


def install(app: Flask) -> None:
    app.register_blueprint(pickup)


@pickup.get("/<token>")
def page(token: str) -> ResponseReturnValue:
    """What there is to fetch, and the field for the passcode; with a permit, the way to the file."""
    link = _find(token)
    return _shown(token, link, permit=_permit(link))


@pickup.post("/<token>")
@limiter.limit(TRIES, key_func=address)
def enter(token: str) -> ResponseReturnValue:
    """Takes the passcode."""
    link, shared, now = _find(token), runtime(), runtime().now()
    settings, passes = shared.settings, _passes()
    try:
        with shared.db.transaction() as session:
            handover.take_try(
                session,
                link=link,
                now=now,
                failures_max=settings.link_failures,
                lock_minutes=settings.link_lock_minutes,
            )
        if not passes.is_passcode(link.id, request.form.get("passcode", "")[:PASSCODE_LENGTH_MAX], link.passcode_mac):
            raise handover.WrongPasscode
        with shared.db.transaction() as session:
            handover.give_back(session, link_id=link.id)
    except (handover.LinkOver, handover.LinkLocked, handover.WrongPasscode) as refusal:
        return _shown(token, _find(token), refusal=refusal)
    return redirect(url_for("pickup.page", token=token, permit=passes.permit(link.id, now=now)), 303)


@pickup.get("/<token>/file")
def fetch(token: str) -> ResponseReturnValue:
    """The file, for who has a permit. Anybody else, and every robot, gets the page."""
    link = _find(token)
    permit = _permit(link)
    # HEAD counts as a robot's elsewhere; a download program asks so for the size, and with a permit it is a person's.
    is_persons = request.method == "HEAD" or _DOWNLOADERS.match(request.headers.get("User-Agent", "")[:100])
    is_robot = not is_persons and is_bot(request.environ)
    if permit is None or is_robot:
        return _shown(token, link, permit=None)
    state = link.state(runtime().now())
    if state not in (LinkState.OPEN, LinkState.USED_UP, LinkState.LOCKED):
        return _shown(token, link)
    try:
        return _send(link, permit)
    except handover.LinkOver as refusal:
        return _shown(token, _find(token), refusal=refusal)


def _send(link: LinkFacts, permit: str) -> ResponseReturnValue:
    shared = runtime()
    with shared.db.reading() as session:
        row = handover.get_sealed(session, sealed_id=link.sealed_id)
    path = handover.sealed_path(shared.settings.var_dir.absolute(), row)
    if not path.is_file():
        raise handover.LinkOver(state="gone")

    def begin(is_beginning: bool) -> Sent:
        download_id = _begin(link, permit, is_beginning=is_beginning, now=shared.now())
        return counting(download_id)

    return send_pack_file(path, name=link.file_name, sha256=link.sha256, begin=begin)


def _begin(link: LinkFacts, permit: str, *, is_beginning: bool, now: datetime) -> UUID:
    shared = runtime()
    file = handover.FetchedFile(link.batch_number, link.brand_id, link.file_name, link.size_bytes, link.sealed_id)
    client = client_of_request(actor=f"link:{link.id}", permit=permit)
    return shared.db.retrying(
        lambda session: handover.begin_download(
            session, file=file, client=client, link=link, is_beginning=is_beginning, sealer=shared.sealer, now=now
        )
    )


def _find(token: str) -> LinkFacts:
    link_id = _passes().read_address(token)
    if link_id is not None:
        with runtime().db.reading() as session:
            link = handover.find_link(session, link_id=link_id)
        if link is not None:
            return link
    raise NoPage


def _permit(link: LinkFacts) -> str | None:
    given = request.args.get("permit", "")[:500]
    return _passes().read_permit(given, link_id=link.id, now=runtime().now()) if given else None


def _passes() -> Passes:
    return Passes(runtime().settings.link_keys.get_secret_value())


def _shown(
    token: str, link: LinkFacts, *, permit: str | None = None, refusal: Refusal | None = None
) -> ResponseReturnValue:
    shared, now = runtime(), runtime().now()
    state = link.state(now)
    brand = shared.brands.get(link.brand_id)
    with shared.db.reading() as session:
        row = handover.get_sealed(session, sealed_id=link.sealed_id)
        house = handover.get_house(session, house_id=row.house_id, sealer=shared.sealer)
    body = render_template(
        "pickup/page.html",
        token=token,
        link=link,
        state=state,
        brand=brand,
        house_name=house.name,
        permit=request.args.get("permit") if permit else None,
        problem=refusal.sentence(gettext) if refusal else None,
        timezone=brand.timezone if brand else "Asia/Shanghai",
    )
    over = state not in (LinkState.OPEN, LinkState.LOCKED) and not permit
    return body, refusal.status if refusal else 410 if over else 200
