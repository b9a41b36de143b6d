"""What a member may do about their own data: see what they agreed to, take it back, take a copy, leave for good."""

from __future__ import annotations

import json
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from scancode.channels import service as channels
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.members import service as members
from scancode.members.models import IdentityKind
from scancode.members.rules import LINKING, MARKETING, PREFERENCES, consent_version, covers_wechat
from scancode.stories import liking, own_data
from scancode.web.h5 import h5
from scancode.web.h5.me import get_member, to_join
from scancode.web.language import current_locale
from scancode.web.limits import limiter
from scancode.web.people import sign_out_person
from scancode.web.runtime import runtime

TASTES_SHOWN = 10


class NotConfirmed(Refusal):
    code = "leave_unconfirmed"
    text = N_("Please confirm that you know what is lost when your account is closed.")
    status = 422


def product_name(product_id: object) -> str:
    product = runtime().products.get(product_id) if isinstance(product_id, UUID) else None
    return product.name(current_locale()) if product else "–"


@h5.get("/me/privacy")
def my_privacy() -> Response | str:
    """The consents that stand and those that were taken back."""
    brand, member = get_member()
    if member is None:
        return to_join(brand)
    shared = runtime()
    with shared.db.reading() as session:
        consents = members.consents_of(session, member_id=member.id)
        kept = channels.likings_of(session, member_id=member.id)
    offers = [one.version for one in consents if one.purpose == MARKETING and one.stands]
    return render_template(
        "h5/me/privacy.html",
        brand=brand,
        member=member,
        consents=consents,
        wants_offers=bool(offers),
        wants_wechat=any(map(covers_wechat, offers)),
        is_remembered=any(one.purpose == PREFERENCES and one.stands for one in consents),
        tastes=[(product_name(one.of), one) for one in channels.tastes(kept, lambda one: one.product_id, TASTES_SHOWN)],
        preference_days=shared.settings.preference_days,
        can_link=shared.ports.identity is not None and shared.ports.identity.needs_app,
        is_linked=any(one.purpose == LINKING and one.stands for one in consents),
    )


@h5.post("/me/unlink")
def my_unlink() -> Response:
    """Takes back the consent to be known in the company's other WeChat services; what was kept for it goes."""
    brand, member = get_member()
    if member is None:
        return to_join(brand)
    shared = runtime()
    now = shared.now()
    with shared.db.transaction() as session:
        members.withdraw(session, member_id=member.id, purpose=LINKING, now=now)
        members.forget_identities(session, member_id=member.id, kind=IdentityKind.UNIONID)
    flash(gettext("We have forgotten who you are in our other WeChat services."), "success")
    return redirect(url_for("h5.my_privacy", brand=brand.slug))


@h5.post("/me/marketing")
def my_marketing() -> Response:
    """Gives or takes back the consent to offers; as easy one way as the other."""
    brand, member = get_member()
    if member is None:
        return to_join(brand)
    shared = runtime()
    now, wants = shared.now(), request.form.get("wants") == "1"
    with shared.db.transaction() as session:
        if wants:
            members.consent(
                session,
                member_id=member.id,
                purpose=MARKETING,
                version=consent_version(MARKETING, brand.privacy_version),
                language=current_locale(),
                now=now,
            )
        else:
            members.withdraw(session, member_id=member.id, purpose=MARKETING, now=now)
    said = gettext("You will hear of our offers.")
    flash(said if wants else gettext("You will get no more offers and reminders."), "success")
    return redirect(url_for("h5.my_privacy", brand=brand.slug))


@h5.post("/me/preferences")
def my_preferences() -> Response:
    """Gives the consent to be remembered by what is opened, or takes it back: then what was kept is deleted."""
    brand, member = get_member()
    if member is None:
        return to_join(brand)
    shared = runtime()
    now, wants = shared.now(), request.form.get("wants") == "1"
    with shared.db.transaction() as session:
        if wants:
            liking.agree(session, brand=brand, member_id=member.id, language=current_locale(), now=now)
        else:
            liking.forget(session, member_id=member.id, now=now)
    said = gettext("We remember which links about products you open.")
    flash(said if wants else gettext("What we had remembered of what you like is deleted."), "success")
    return redirect(url_for("h5.my_privacy", brand=brand.slug))


@h5.get("/me/data.json")
@limiter.limit("10 per minute")
def my_data() -> Response:
    """A copy of everything that the brand keeps about the member, as a file."""
    brand, member = get_member()
    if member is None:
        return to_join(brand)
    shared = runtime()
    with shared.db.reading() as session:
        found = own_data.copy(session, brand=brand, member_id=member.id, sealer=shared.sealer, now=shared.now())
    response = Response(json.dumps(found, ensure_ascii=False, indent=2), content_type="application/json; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{brand.slug}-my-data.json"'
    return response


@h5.get("/me/leave")
def leave() -> Response | str:
    """What leaving means, before it is done."""
    brand, member = get_member()
    return render_template("h5/me/leave.html", brand=brand, member=member) if member else to_join(brand)


@h5.post("/me/leave")
def leave_act() -> Response | tuple[str, int]:
    """Closes the account, where the box was ticked and no money is under way."""
    brand, member = get_member()
    if member is None:
        return to_join(brand)
    shared = runtime()
    now = shared.now()
    try:
        if request.form.get("sure") != "1":
            raise NotConfirmed
        shared.db.retrying(lambda session: own_data.leave(session, brand_id=brand.id, member_id=member.id, now=now))
    except Refusal as refusal:
        flash(refusal.sentence(gettext), "danger")
        return render_template("h5/me/leave.html", brand=brand, member=member), refusal.status
    sign_out_person(brand.id)
    return redirect(url_for("h5.left", brand=brand.slug))


@h5.get("/me/left")
def left() -> str:
    """The account is closed; a word of goodbye."""
    brand, _ = get_member()
    return render_template("h5/me/left.html", brand=brand)
