"""``GET /CODE``: the moment when a phone meets a package. Says whether the item is genuine and what it holds, and
records the scan with where it came from before it answers. Looking never awards anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from batches.codes import Kind
from scancode.campaigns.rules import Offer, Phase, phase
from scancode.channels.rules import Attribution, attribute
from scancode.claims import service as claims
from scancode.claims.rules import Claimant, ClaimView
from scancode.codes.rules import Life
from scancode.db import new_id
from scancode.scans.rules import History, judge
from scancode.scans.writer import Recorded, Sighting
from scancode.web.clients import client_of, is_bot
from scancode.web.h5 import h5
from scancode.web.h5.frames import Frames, stand_in
from scancode.web.language import current_locale
from scancode.web.limits import address
from scancode.web.people import current_person
from scancode.web.reading import NotOurs, ReadCode, Unreadable, read_code
from scancode.web.runtime import Runtime, runtime
from scancode.web.visitor import Visitor, current_visitor, real_form_token

_frames = Frames()


@dataclass(frozen=True)
class PrizeView:
    """What the page says about a reward: none, a sentence, a button, or the answer that was given before."""

    phase: Phase
    offer: Offer | None
    claim: ClaimView | None
    can_claim: bool


@h5.get("/<text>")
def scan(text: str) -> Response | tuple[str, int] | str:
    """A code in any form that a person may type. Anything else is explained, never a bare 404."""
    return _answer(text)


@h5.get("/01/<gtin>/21/<text>")
def scan_digital_link(gtin: str, text: str) -> Response | tuple[str, int] | str:
    """The GS1 form of the same code. The code decides; a GTIN that is not its own gets a warning."""
    return _answer(text, gtin=gtin)


def _answer(text: str, *, gtin: str | None = None) -> Response | tuple[str, int] | str:
    shared = runtime()
    try:
        code = read_code(shared, text)
    except NotOurs as refusal:
        return _refused(text, refusal)
    now = shared.now()
    visitor = current_visitor()
    attribution = attribution_now(shared, code, visitor, now)
    life = code.batch.life_of(code.serial)
    if is_bot(request):
        recorded = Recorded(judge(life.state, History()), History())
    else:
        recorded = shared.writer.record(_sighting(shared, code, visitor, attribution, now))
    view = _prize(shared, code, visitor, recorded, now)
    differs = gtin is not None and gtin.zfill(14) != code.product.gtin
    return make_response(_page(shared, code, recorded, view, differs))


def _page(shared: Runtime, code: ReadCode, recorded: Recorded, view: PrizeView, differs: bool) -> str:
    """The page, from its frame: see ``frames``. Whoever has a claim gets a page of their own."""
    locale, past, claim = current_locale(), recorded.history, view.claim
    life = code.batch.life_of(code.serial)
    offer = view.offer.tranche_id if view.offer else None
    key = (
        *(shared.watch.current(), locale, code.batch.number, code.kind, recorded.verdict, life, differs),
        *(past.scans > 0, past.is_cut, view.phase, offer, view.can_claim, claim.claim if claim else None),
        *(claim.is_mine if claim else None, claim.standing if claim else None),
    )
    values = {
        "code": code.text,
        "grouped": " ".join(code.text[at : at + 5] for at in range(0, 20, 5)),
        "token": real_form_token(),
        "visitors": str(past.visitors),
        "first": code.brand.moment(past.first_at, locale),
        "last": code.brand.moment(past.last_at, locale),
    }

    def render() -> str:
        return render_template(
            "h5/scan.html",
            code=code,
            text=stand_in("code"),
            grouped=stand_in("grouped"),
            visitors=stand_in("visitors"),
            first_at=stand_in("first"),
            last_at=stand_in("last"),
            brand=code.brand,
            product=code.product,
            life=life,
            verdict=str(recorded.verdict),
            history=past,
            prize=view,
            gtin_differs=differs,
        )

    return _frames.fill(key, render, values)


def attribution_now(shared: Runtime, code: ReadCode, visitor: Visitor, now: datetime) -> Attribution:
    """Where this meeting of code and visitor came from, from memory: the last touch, else the shipment."""
    touch = shared.touchpoints.get(visitor.touch.token) if visitor.touch else None
    place = shared.shipped.get(code.batch.number).find(code.serial)
    return attribute(
        touch=touch,
        touched_at=visitor.touch.at if visitor.touch else None,
        place=place.value if place else None,
        brand_id=code.brand.id,
        now=now,
        touch_days=shared.settings.touch_days,
    )


def _sighting(shared: Runtime, code: ReadCode, visitor: Visitor, attribution: Attribution, now: datetime) -> Sighting:
    keeps_address = shared.settings.address_days > 0
    return Sighting(
        code_id=code.code_id,
        scan_id=new_id(now),
        scanned_at=now,
        day=code.brand.day(now),
        visitor_id=visitor.id,
        brand_id=code.brand.id,
        product_id=code.product.id,
        batch_number=code.batch.number,
        life=code.batch.life_of(code.serial).state,
        attribution=attribution,
        client=client_of(request),
        address_digest=shared.sealer.digest(address(), purpose="address") if keeps_address else None,
        is_test=code.batch.is_test,
    )


def _prize(shared: Runtime, code: ReadCode, visitor: Visitor, recorded: Recorded, now: datetime) -> PrizeView:
    """Asks the claims only where there can be one: a code that nobody met before has none."""
    span = shared.offers.get(code.batch.number).find(code.serial) if code.kind is Kind.INNER else None
    offer = span.value if span else None
    at = phase(offer, now)
    claim = None
    if code.kind is Kind.INNER and not recorded.history.is_empty:
        person = current_person(code.brand.id)
        claimant = Claimant(visitor.id, person.identity_id, person.phone_identity_id, person.member_id)
        with shared.db.reading() as session:
            claim = claims.find_claim(session, code_id=code.code_id, claimant=claimant, now=now)
    is_live = code.batch.life_of(code.serial).state is Life.ACTIVE
    return PrizeView(at, offer, claim, can_claim=claim is None and is_live and at is Phase.RUNNING)


def _refused(text: str, refusal: NotOurs) -> tuple[str, int]:
    looks_like_a_page = isinstance(refusal, Unreadable) and len(text) < 12

    def render() -> str:
        return render_template(
            "h5/not_ours.html",
            refusal=refusal,
            sentence=refusal.sentence(gettext),
            typed=stand_in("typed"),
            is_lost=looks_like_a_page,
        )

    key = (current_locale(), refusal.code, looks_like_a_page)
    return _frames.fill(key, render, {"typed": text[:40], "token": ""}), refusal.status


@h5.get("/")
def enter() -> str:
    """The front door: type a code, when the camera will not read it."""
    return render_template("h5/enter.html")


@h5.get("/check")
def check() -> Response:
    """Where the form of the front door goes: on to the code's own address."""
    typed = request.args.get("code", "").strip()
    if not typed:
        return redirect(url_for("h5.enter"))
    last = typed.rstrip("/").rsplit("/", 1)[-1][:64]  # a whole pasted URL is welcome too
    return redirect(url_for("h5.scan", text=last or "-"))
