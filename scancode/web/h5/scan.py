"""``GET /CODE``: the moment when a phone meets a package. Says whether the item is genuine and what it holds, and
records the scan with where it came from before it answers. Looking never awards anything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from flask import g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from batches.codes import Kind
from scancode.campaigns.rules import Offer, Phase, in_turn, phase
from scancode.channels.regions import name_of
from scancode.claims import service as claims
from scancode.claims.rules import Claimant, ClaimView
from scancode.codes.rules import Life
from scancode.codes.typed import code_in
from scancode.resolver.rules import links_for_people
from scancode.web.guard import WorkNeeded
from scancode.web.h5 import h5
from scancode.web.h5.frames import Frames, stand_in
from scancode.web.h5.here import only_brand
from scancode.web.h5.meeting import KNOWN, Meeting, alone, meet
from scancode.web.h5.page_scripts import script_for, with_script
from scancode.web.h5.trial import ids_of, trials_of
from scancode.web.h5.work import work_page
from scancode.web.language import current_locale
from scancode.web.people import current_person
from scancode.web.reading import NotOurs, ReadCode, Unreadable, read_code
from scancode.web.runtime import Runtime, runtime
from scancode.web.security import with_camera
from scancode.web.visitor import current_visitor, real_form_token

_frames, _refused_frames = Frames(), Frames()


@dataclass(frozen=True)
class PrizeView:
    """What the page says about a reward: none, a sentence, a button, or the answer that was given before."""

    phase: Phase
    offer: Offer | None
    claim: ClaimView | None
    can_claim: bool
    is_member: bool = False
    """The person has joined the brand, so there is no need to ask them to."""
    others: tuple[Offer, ...] = ()
    """Campaigns that share the code and go after ``offer``."""
    trial_of: UUID | None = None
    """The campaign that the person tries out here."""


@h5.get("/<text>")
def scan(text: str) -> Response | tuple[str, int]:
    """A code in any form that a person may type. Anything else is explained, never a bare 404."""
    return answer(text)


@h5.get("/<text>/")
def scan_slashed(text: str) -> Response | tuple[str, int]:
    """The same: some programs put a slash at the end. No redirect, so that the result stays one request away."""
    return answer(text)


def answer(text: str, *, differs: str = "") -> Response | tuple[str, int]:
    """``differs``: "gtin" or "lot", when the address names another than the code's own. The code decides."""
    shared = runtime()
    met = request.environ.pop(KNOWN, None)  # what the front has found out already
    try:
        if met is None:
            code = read_code(shared, text, met_in=request.environ)
            now = shared.now()
            is_trial = bool(trials_of(shared, code, current_person(code.brand.id), now))
            met = alone(shared, meet(shared, request.environ, code, current_visitor(), now, is_trial=is_trial))
        if isinstance(met, Exception):
            raise met
    except NotOurs as refusal:
        return _refused(text, refusal)
    except WorkNeeded as refusal:
        return work_page(refusal)
    meeting: Meeting = met
    g.visitor = meeting.visitor
    view = _trial(shared, meeting) or _prize(shared, meeting) or _known_prize(shared, meeting)
    view = replace(view, is_member=current_person(meeting.code.brand.id).member_id is not None)
    return make_response(_page(shared, meeting, view, differs))


def find_page(shared: Runtime, locale: str, meeting: Meeting, token: str) -> str | None:
    """The page of a meeting, where memory holds all that it needs; ``token`` is that of the visitor's forms."""
    view = _prize(shared, meeting)
    if view is None:
        return None
    return _frames.find(_key(shared, locale, meeting, view, ""), _values(locale, meeting, token))


def _key(shared: Runtime, locale: str, meeting: Meeting, view: PrizeView, differs: str) -> tuple[object, ...]:
    """All that the page reads beside what ``_values`` puts in its places. Who has a claim gets a page of their own."""
    code, past, claim = meeting.code, meeting.recorded.history, view.claim
    life = code.batch.life_of(code.serial)
    offer = tuple(one.tranche_id for one in (view.offer, *view.others) if one)
    return (
        *(shared.watch.current(), locale, code.batch.number, code.kind, meeting.recorded.verdict, life, differs),
        *(
            meeting.visitor.is_new,
            past.scans > 0,
            bool(past.regions),
            past.is_cut,
            view.phase,
            offer,
            view.can_claim,
            view.is_member,
            view.trial_of,
            claim.claim if claim else None,
        ),
        *(claim.is_mine if claim else None, claim.standing if claim else None),
    )


def _values(locale: str, meeting: Meeting, token: str) -> dict[str, str]:
    code, past = meeting.code, meeting.recorded.history
    return {
        "code": code.text,
        "grouped": " ".join(code.text[at : at + 5] for at in range(0, 20, 5)),
        "token": token,
        "visitors": str(past.visitors),
        "scans": str(past.scans),
        "first": code.brand.moment(past.first_at, locale),
        "last": code.brand.moment(past.last_at, locale),
        # A line ends between two places, never within one.
        "places": "\xa0· ".join(name_of(region, locale).replace(" ", "\xa0") for region in past.regions),
    }


def _page(shared: Runtime, meeting: Meeting, view: PrizeView, differs: str) -> str:
    """The page, from its frame: see ``frames``."""
    code, locale = meeting.code, current_locale()

    def render() -> str:
        return render_template(
            "h5/scan.html",
            code=code,
            text=stand_in("code"),
            grouped=stand_in("grouped"),
            visitors=stand_in("visitors"),
            scans=stand_in("scans"),
            first_at=stand_in("first"),
            last_at=stand_in("last"),
            places=stand_in("places"),
            brand=code.brand,
            product=code.product,
            links=links_for_people(shared.links.get(code.product.id), batch_number=code.batch.number, locale=locale),
            life=code.batch.life_of(code.serial),
            verdict=str(meeting.recorded.verdict),
            history=meeting.recorded.history,
            prize=view,
            differs=differs,
            is_new=meeting.visitor.is_new,
        )

    return _frames.fill(
        _key(shared, locale, meeting, view, differs), render, _values(locale, meeting, real_form_token())
    )


def _prize(shared: Runtime, meeting: Meeting) -> PrizeView | None:
    """Known without asking where there can be no claim: a code that nobody met before has none, nor an outer one."""
    code, is_inner = meeting.code, meeting.code.kind is Kind.INNER
    if is_inner and not meeting.recorded.history.is_empty:
        return None
    span = shared.offers.get(code.batch.number).find(code.serial) if is_inner else None
    return _view(code, span.value if span else None, None, meeting.now)


def _known_prize(shared: Runtime, meeting: Meeting) -> PrizeView:
    code = meeting.code
    span = shared.offers.get(code.batch.number).find(code.serial)
    person = current_person(code.brand.id)
    claimant = Claimant(meeting.visitor.id, person.identity_id, person.phone_identity_id, person.member_id)
    with shared.db.reading() as session:
        claim = claims.find_claim(session, code_id=code.code_id, claimant=claimant, now=meeting.now)
    if claim is not None and claim.claim.is_second:  # of the code inside: it has a page of its own
        claim = None
    return _view(code, span.value if span else None, claim, meeting.now)


def _trial(shared: Runtime, meeting: Meeting) -> PrizeView | None:
    """For a tester: the campaign as if it ran, and what it showed them already."""
    code, person = meeting.code, current_person(meeting.code.brand.id)
    trials = trials_of(shared, code, person, meeting.now) if code.kind is Kind.INNER else ()
    if not trials:
        return None
    ids = list(dict.fromkeys(trial.offer.campaign_id for trial in trials))
    with shared.db.reading() as session:
        tried = claims.find_tried(session, code_id=code.code_id, campaign_ids=ids, person_ids=ids_of(person))
    first = trials[0].offer
    is_live = code.batch.life_of(code.serial).state is Life.ACTIVE
    return PrizeView(
        Phase.RUNNING,
        first,
        tried.view if tried else None,
        can_claim=tried is None and is_live,
        trial_of=tried.campaign_id if tried else first.campaign_id,
    )


def _view(code: ReadCode, offer: Offer | None, claim: ClaimView | None, now: datetime) -> PrizeView:
    turns = in_turn(offer, now) if offer else ()
    offer = turns[0] if turns else None
    at = Phase.RUNNING if any(phase(one, now) is Phase.RUNNING for one in turns) else phase(offer, now)
    is_live = code.batch.life_of(code.serial).state is Life.ACTIVE
    can_claim = claim is None and is_live and at is Phase.RUNNING
    return PrizeView(at, offer, claim, can_claim, others=turns[1:])


def find_refused(shared: Runtime, locale: str, text: str, refusal: NotOurs) -> str | None:
    """The page for a text that is no code of ours, where memory holds it."""
    return _refused_frames.find(_refused_key(shared, locale, text, refusal), _typed(text))


def _refused(text: str, refusal: NotOurs) -> tuple[str, int]:
    is_lost = _is_lost(text, refusal)

    def render() -> str:
        return render_template(
            "h5/not_ours.html",
            refusal=refusal,
            sentence=refusal.sentence(gettext),
            typed=stand_in("typed"),
            is_lost=is_lost,
        )

    key = _refused_key(runtime(), current_locale(), text, refusal)
    return _refused_frames.fill(key, render, _typed(text)), refusal.status


def _refused_key(shared: Runtime, locale: str, text: str, refusal: NotOurs) -> tuple[object, ...]:
    """The page names whom to ask: the only brand of the house, if it has one."""
    brands = shared.houses.get(None)
    helper = (brands[0].support_phone, brands[0].support_url) if len(brands) == 1 else None
    return helper, locale, refusal.code, _is_lost(text, refusal)


def _is_lost(text: str, refusal: NotOurs) -> bool:
    """Somebody looks for a page rather than for an item."""
    return isinstance(refusal, Unreadable) and len(text) < 12


def _typed(text: str) -> dict[str, str]:
    return {"typed": text[:40], "token": ""}


@h5.get("/")
def enter() -> Response:
    """The front door: scan a code in the page (inside WeChat with its own scanner), or type it."""
    script = script_for(runtime())
    page = render_template("h5/enter.html", script=script, brand=only_brand())
    return with_camera(page) if script is None else with_script(page, script)


@h5.get("/check")
def check() -> Response:
    """Where the form of the front door goes: on to the code's own address."""
    typed = request.args.get("code", "").strip()
    if not typed:
        return redirect(url_for("h5.enter"))
    return redirect(url_for("h5.scan", text=code_in(typed)[:64] or "-"))  # a whole pasted URL is welcome too
