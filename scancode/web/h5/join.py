"""Joining, and coming back as a member: a phone, a password sent to it, and what the person agrees to.

One form with two buttons that works without JavaScript. The password is made here, at the edge; nothing is sent or
stored before the membership terms are accepted, and nothing at all where no message can be sent.
"""

from __future__ import annotations

import hashlib
import secrets

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField, StringField

from scancode.catalog.rules import BrandFacts
from scancode.claims import service as claims
from scancode.config import Settings
from scancode.errors import Refusal
from scancode.members import service as members
from scancode.members.rules import (
    PASSWORD_DIGITS,
    BadPhone,
    ConsentMissing,
    SendLimits,
    SendTooSoon,
    SmsUnavailable,
    WrongPassword,
    mask_phone,
    normalise_phone,
)
from scancode.stories import join as joining
from scancode.web.h5 import h5
from scancode.web.h5.here import brand_here, local_path, somebody
from scancode.web.h5.meeting import seen_by, touch_days_of
from scancode.web.language import current_locale
from scancode.web.limits import address, limiter
from scancode.web.people import sign_in_person, sign_out_person
from scancode.web.runtime import runtime
from scancode.web.visitor import current_visitor

PURPOSE = "join"
PRIZES_LOOKED_AT = 20


class JoinForm(FlaskForm):
    """Its CSRF token is the visitor's form token, which the blueprint checks."""

    class Meta:
        csrf = False

    phone = StringField(lazy_gettext("Mobile phone"))
    password = StringField(lazy_gettext("Verification code"))
    terms = BooleanField()
    marketing = BooleanField()
    preferences = BooleanField()
    brand = HiddenField()
    next = HiddenField()


@h5.get("/join")
def join() -> Response | str:
    """The form; a member who is signed in goes on to where they wanted to be."""
    brand = brand_here()
    next_path = local_path(request.args.get("next"), url_for("h5.me", brand=brand.slug))
    if somebody(brand).member is not None:
        return redirect(next_path)
    return _page(brand, JoinForm(formdata=None, brand=brand.slug, next=next_path))


@h5.post("/join")
@limiter.limit("20 per minute; 200 per hour")
def join_act() -> Response | str | tuple[str, int]:
    """Sends a password (button ``send``), or checks it and joins."""
    brand = brand_here()
    form = JoinForm()
    form.brand.data = brand.slug
    form.next.data = local_path(form.next.data, url_for("h5.me", brand=brand.slug))
    if runtime().settings.sms_gateway == "sandbox" and ("demo" in request.form or "fill" in request.form):
        if "demo" in request.form:
            form.phone.data = demo_phone()
        return _page(brand, form)
    try:
        return _send(brand, form) if "send" in request.form else _join(brand, form)
    except Refusal as refusal:
        return _again(brand, form, refusal)


@h5.get("/join/terms")
def terms() -> str:
    """What joining means, in the version that is agreed to."""
    return render_template("h5/terms.html", brand=brand_here(), preference_days=runtime().settings.preference_days)


def _send(brand: BrandFacts, form: JoinForm) -> str:
    shared = runtime()
    phone = normalise_phone(form.phone.data or "")
    if not form.terms.data:
        raise ConsentMissing
    if shared.ports.sms is None:
        raise SmsUnavailable
    password = f"{secrets.randbelow(10**PASSWORD_DIGITS):0{PASSWORD_DIGITS}}"
    now = shared.now()
    shared.db.retrying(
        lambda session: members.ask_password(
            session,
            brand_id=brand.id,
            phone=phone,
            purpose=PURPOSE,
            password=password,
            address_digest=shared.sealer.digest(address(), purpose="address"),
            language=current_locale(),
            limits=limits_of(shared.settings),
            sealer=shared.sealer,
            now=now,
        )
    )
    form.password.data = ""
    hint = mask_phone(phone)
    flash(gettext("We have sent a verification code to %(phone)s. It is good for %(n)s minutes.",
                  phone=hint, n=shared.settings.otp_minutes), "success")  # fmt: skip
    return _page(brand, form, sent_to=hint, seconds_left=shared.settings.otp_resend_s)


def _join(brand: BrandFacts, form: JoinForm) -> Response:
    shared = runtime()
    phone = normalise_phone(form.phone.data or "")
    if not form.terms.data:
        raise ConsentMissing
    password = "".join((form.password.data or "").split())[:20]
    visitor = current_visitor()
    before = somebody(brand).person
    now = shared.now()
    arrival = joining.Arrival(
        visitor_id=visitor.id,
        identity_id=before.identity_id,
        touches=seen_by(shared, visitor),
        touch_days=touch_days_of(shared, brand),
        region=shared.ports.regions.region_of(address()) if shared.ports.regions else None,
    )
    # A wrong password is committed too: each guess uses up one of the tries. So it is refused outside.
    joined = shared.db.retrying(
        lambda session: (
            joining.join(
                session,
                brand=brand,
                phone=phone,
                arrival=arrival,
                accepts_terms=True,
                accepts_marketing=bool(form.marketing.data),
                accepts_preferences=bool(form.preferences.data),
                language=current_locale(),
                can_write=shared.ports.templates is not None,
                sealer=shared.sealer,
                prefix=shared.settings.payout_prefix,
                now=now,
            )
            if members.check_password(
                session,
                brand_id=brand.id,
                phone=phone,
                purpose=PURPOSE,
                password=password,
                sealer=shared.sealer,
                now=now,
            )
            else None
        )
    )
    if joined is None:
        raise WrongPassword
    sign_out_person(brand.id)
    sign_in_person(
        brand.id,
        identity_id=joined.identity_id,
        phone_identity_id=joined.phone_identity_id,
        member_id=joined.member_id,
    )
    _greet(brand, joined, had_openid=before.identity_id is not None)
    return redirect(local_path(form.next.data, url_for("h5.me", brand=brand.slug)))


def _greet(brand: BrandFacts, joined: joining.Joined, *, had_openid: bool) -> None:
    if joined.is_new:
        kind = "welcome" if joined.is_welcomed else "success"  # the page shows what the brand says instead
        flash(gettext("Welcome to %(brand)s!", brand=brand.name(current_locale())), kind)
    else:
        flash(gettext("Welcome back!"), "success")
    if joined.points_moved:
        flash(gettext("%(n)s points from before are yours now.", n=joined.points_moved), "success")
    if joined.prizes_bound:
        flash(gettext("The reward that we kept for you is yours now."), "success")
    if had_openid and joined.identity_id is None:
        flash(gettext("This WeChat account belongs to another membership, so it was left there."), "warning")


def _again(brand: BrandFacts, form: JoinForm, refusal: Refusal) -> tuple[str, int]:
    """The form with what was typed and the reason beside the field that it concerns."""
    sentence = refusal.sentence(gettext)
    fields = {BadPhone: form.phone, WrongPassword: form.password, ConsentMissing: form.terms}
    field = next((field for kind, field in fields.items() if isinstance(refusal, kind)), None)
    if field is not None:
        field.errors = [*field.errors, sentence]
    else:
        flash(sentence, "danger")
    if isinstance(refusal, WrongPassword):
        form.password.data = ""
    wait_s = int(refusal.facts["seconds"]) if isinstance(refusal, SendTooSoon) else 0
    return _page(brand, form, seconds_left=wait_s, refusal=refusal), refusal.status


def _page(
    brand: BrandFacts, form: JoinForm, *, sent_to: str = "", seconds_left: int = 0, refusal: Refusal | None = None
) -> str:
    shared = runtime()
    now = shared.now()
    claimant = somebody(brand).claimant()
    with shared.db.reading() as session:
        prizes = claims.of_person(session, claimant=claimant, brand_id=brand.id, now=now, limit=PRIZES_LOOKED_AT)
    waiting = [prize for prize in prizes if prize.needs_subject]
    return render_template(
        "h5/join.html",
        brand=brand,
        form=form,
        sent_to=sent_to,
        sent_at_s=int(now.timestamp()) - 1,
        seconds_left=seconds_left,
        refusal=refusal,
        waiting=waiting[0] if waiting else None,
        has_sms=shared.ports.sms is not None,
        has_login=shared.ports.identity is not None,
        is_sandbox=shared.settings.sms_gateway == "sandbox",
    )


def limits_of(settings: Settings) -> SendLimits:
    """The sending limits as this installation has them."""
    return SendLimits(
        minutes=settings.otp_minutes,
        resend_s=settings.otp_resend_s,
        per_hour=settings.otp_per_hour,
        per_day=settings.otp_per_day,
        per_address_hour=settings.otp_per_address_hour,
    )


def demo_phone() -> str:
    """The number that the sandbox offers this browser: always the same, and another one for another browser."""
    digest = hashlib.sha256(b"demo-phone" + current_visitor().id.bytes).digest()
    return f"138 0013 {int.from_bytes(digest[:4], 'big') % 10_000:04}"
