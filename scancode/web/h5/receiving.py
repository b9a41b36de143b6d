"""A person's own page about being paid without confirming each time: agree to it, see it, end it.

The page only writes the wish and the worker asks WeChat; agreeing happens on WeChat's own page. Nobody needs it to be
paid.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from scancode.catalog.rules import BrandFacts
from scancode.members import service as members
from scancode.members.models import IdentityKind
from scancode.payouts import service as payouts
from scancode.payouts.authorisation import AuthorisationFacts, AuthorisationState, NotOffered
from scancode.web.clients import is_bot
from scancode.web.h5 import h5
from scancode.web.h5.here import Somebody, brand_here, somebody
from scancode.web.h5.page_scripts import script_for, with_script
from scancode.web.limits import limiter
from scancode.web.runtime import Runtime, runtime

NUMBER_MAX = 32


def can_offer(shared: Runtime, brand: BrandFacts) -> bool:
    """Whether the brand offers it, and this browser can show WeChat's page for it."""
    is_shown = shared.ports.person is not None or script_for(shared) is not None
    return shared.ports.authorisations is not None and shared.settings.spares_confirming(brand.slug) and is_shown


@h5.get("/me/receiving")
def receiving() -> Response:
    """What was agreed to, and the way to agree or to end it. ``back`` says that the person comes from WeChat's page."""
    shared, brand = runtime(), brand_here(newest_scan_first=False)
    found = _page(shared, brand, somebody(brand))
    current = found["current"]
    if "back" in request.args and current and current.is_moving and not is_bot(request.environ):
        with shared.db.transaction() as session:
            payouts.look_at_authorisation(session, number=current.number, now=shared.now())
    return with_script(render_template("h5/me/receiving.html", **found), found["script"])


@h5.get("/me/receiving/state")
def receiving_state() -> str:
    """The part of the page that moves."""
    shared, brand = runtime(), brand_here(newest_scan_first=False)
    return render_template("h5/me/_receiving_state.html", **_page(shared, brand, somebody(brand)))


@h5.post("/me/receiving")
@limiter.limit("10 per minute")
def receiving_ask() -> Response:
    """The wish to be paid without confirming. Raises NotOffered where nobody can be asked."""
    shared, brand = runtime(), brand_here(newest_scan_first=False)
    who = somebody(brand)
    if who.person.identity_id is None or not can_offer(shared, brand):
        raise NotOffered
    with shared.db.transaction() as session:
        payouts.ask_authorisation(
            session,
            brand_id=brand.id,
            identity_id=who.person.identity_id,
            prefix=shared.settings.payout_prefix,
            now=shared.now(),
        )
    return redirect(url_for("h5.receiving", brand=brand.slug), 303)


@h5.post("/me/receiving/end")
@limiter.limit("10 per minute")
def receiving_end() -> Response:
    """The wish to end it; raises NotFound for somebody else's."""
    shared, brand = runtime(), brand_here(newest_scan_first=False)
    who = somebody(brand)
    with shared.db.transaction() as session:
        payouts.end_authorisation(
            session,
            number=request.form.get("number", "")[:NUMBER_MAX],
            identity_ids=_identities(shared, who),
            now=shared.now(),
        )
    flash(gettext("From now on you confirm each payment again."), "success")
    return redirect(url_for("h5.receiving", brand=brand.slug), 303)


def _identities(shared: Runtime, who: Somebody) -> list[UUID]:
    """The openids of whoever stands here: this browser's, and as a member all of theirs."""
    found = [who.person.identity_id] if who.person.identity_id else []
    if who.member is not None:
        with shared.db.reading() as session:
            known = members.identities_of(session, member_id=who.member.id)
        found += [one.id for one in known if one.kind == IdentityKind.OPENID]
    return list(dict.fromkeys(found))


def _page(shared: Runtime, brand: BrandFacts, who: Somebody) -> dict[str, Any]:
    with shared.db.reading() as session:
        listed = payouts.list_authorisations(session, identity_ids=_identities(shared, who))
    mine = [one for one in listed if one.brand_id == brand.id]
    here = who.person.identity_id
    current = next((one for one in mine if one.is_open and one.identity_id == here), None)
    return {
        "brand": brand,
        "current": current,
        "others": [one for one in mine if one is not current],
        "may_ask": here is not None and can_offer(shared, brand),
        "script": script_for(shared) if current and current.is_moving else None,
        "confirmation": _confirmation(shared, current),
        "confirm_url": _sandbox_url(shared, brand, current),
    }


def _confirmation(shared: Runtime, current: AuthorisationFacts | None) -> Any:
    """What WeChat's own page takes, for an authorisation that waits for its person."""
    if shared.ports.payout is None or not _waits(current):
        return None
    return shared.ports.payout.confirmation(package=current.package)  # type: ignore[union-attr, arg-type]


def _sandbox_url(shared: Runtime, brand: BrandFacts, current: AuthorisationFacts | None) -> str | None:
    if shared.ports.person is None or not _waits(current):
        return None
    back = url_for("h5.receiving", brand=brand.slug, back=1)
    return url_for("h5.sandbox_pay", package=current.package, return_url=back)  # type: ignore[union-attr]


def _waits(current: AuthorisationFacts | None) -> bool:
    return current is not None and current.state is AuthorisationState.ASKED and current.package is not None
