"""``POST /CODE/claim``: the one tap that takes what a code holds. Then on to the page of that reward.

Everything that matters is read on this side: the form carries the visitor's token and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import structlog
from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.wrappers import Response

from scancode import patience
from scancode.campaigns.rules import in_turn
from scancode.claims import service as claims
from scancode.claims.desk import ClaimStalled
from scancode.errors import Refusal
from scancode.web.clients import client_of
from scancode.web.h5 import h5
from scancode.web.h5.meeting import KNOWN, Steps, alone, attribution_of, require_welcome
from scancode.web.h5.trial import trials_of, try_code
from scancode.web.language import current_locale
from scancode.web.limits import address_of
from scancode.web.people import Person, current_person
from scancode.web.problems import refused, silent_database
from scancode.web.reading import ReadCode, read_code
from scancode.web.runtime import Runtime, runtime
from scancode.web.visitor import Visitor, current_visitor

CLAIMS = frozenset({"h5.claim", "h5.claim_digital_link"})
log = structlog.get_logger(__name__)


@h5.post("/<text>/claim")
def claim(text: str) -> Response | tuple[str, int]:
    """For a code in any form that a person may type. Raises what ``read_code`` raises."""
    with patience.within(runtime().settings.claim_stall_s):
        return _claim(text)


@h5.errorhandler(OperationalError)
@h5.errorhandler(PoolTimeout)
def _silent(error: OperationalError | PoolTimeout) -> Response:
    """Where the database says nothing in time, before the claim or in it."""
    if request.endpoint in CLAIMS:
        log.error("claim_stalled", error=type(error).__name__)
        return refused(ClaimStalled())
    return silent_database(error)


def _claim(text: str) -> Response | tuple[str, int]:
    shared = runtime()
    met = request.environ.pop(KNOWN, None)  # what the front was refused already
    if isinstance(met, ClaimStalled) or (isinstance(met, Exception) and not isinstance(met, Refusal)):
        raise met
    code = read_code(shared, text, met_in=request.environ if met is None else None)
    person = current_person(code.brand.id)
    try:
        if met is not None:
            raise met
        if trials := trials_of(shared, code, person, shared.now()):
            tried = try_code(shared, request.environ, code, current_visitor(), person, trials)
            return redirect(url_for("h5.trial_reward", campaign_id=tried.campaign_id, code_id=code.code_id, new=1), 303)
        answer = alone(shared, take(shared, request.environ, code, current_visitor(), person))
    except ClaimStalled:
        raise  # its page asks the database nothing
    except Refusal as refusal:
        page = render_template(
            "h5/claim_refused.html",
            brand=code.brand,
            product=code.product,
            sentence=refusal.sentence(gettext),
            refusal=refusal,
            code=code,
            campaigns=_campaigns_over(shared, code),
            is_member=person.member_id is not None,
        )
        return page, refusal.status
    return redirect(address_after(shared, request.environ, code, answer, person, url_for), 303)


@h5.post("/01/<gtin>/21/<text>/claim")
def claim_digital_link(gtin: str, text: str) -> Response | tuple[str, int]:
    """The GS1 form of the same address; the code decides."""
    return claim(text)


def take(
    shared: Runtime, environ: Mapping[str, Any], code: ReadCode, visitor: Visitor, person: Person
) -> Steps[claims.ClaimAnswer]:
    """Makes the claim; returns once it is committed. Raises its refusals, Blocked, TooManyClaims, and what the database
    raises."""
    now = shared.now()
    require_welcome(shared, environ, visitor, now)
    span = shared.offers.get(code.batch.number).find(code.serial)
    attribution = attribution_of(shared, environ, code, visitor, now)
    glimpse = shared.guard.claim(
        environ,
        (visitor.id, person.identity_id or person.phone_identity_id or person.member_id),
        code=(code.batch.number, code.serial),
        near_block=shared.blocks.get(None).is_near(address_of(environ), now),
        now=now,
    )
    answer: claims.ClaimAnswer = yield claims.Request(
        code=claims.ClaimCode(code.code_id, code.batch.number, code.kind, code.serial),
        batch=code.batch,
        brand=code.brand,
        offer=span.value if span else None,
        claimant=claims.Claimant(visitor.id, person.identity_id, person.phone_identity_id, person.member_id),
        attribution=attribution,
        now=now,
        reservation_hours=shared.settings.reservation_hours,
        prefix=shared.settings.payout_prefix,
        draw_sealer=shared.draw_sealer,
        turn=_turn_asked(environ),
        glimpse=replace(glimpse, territory_km=shared.settings.diversion_km),
    )
    return answer


def _campaigns_over(shared: Runtime, code: ReadCode) -> list[tuple[str, UUID]]:
    """The name and id of each campaign whose rules may say why a code gives nothing now."""
    span = shared.offers.get(code.batch.number).find(code.serial)
    turns = in_turn(span.value, shared.now()) if span else ()
    return [(one.name(current_locale()), one.campaign_id) for one in turns]


def _turn_asked(environ: Mapping[str, Any]) -> int:
    """``?turn=2``: which turn of the wheel the button was for; the first where it does not say."""
    text = environ.get("QUERY_STRING", "").removeprefix("turn=")
    return int(text) if len(text) == 1 and text in "23456789" else 1


def address_after(
    shared: Runtime,
    environ: Mapping[str, Any],
    code: ReadCode,
    answer: claims.ClaimAnswer,
    person: Person,
    url: Callable[..., str],
) -> str:
    """Where a claim leads: to the page of the reward. ``url`` takes an endpoint and its values.

    Who is known already and still got no more than a reservation would not get more by signing in again: the page of
    the reward says why.
    """
    reward = url("h5.reward", code_id=code.code_id, **({"new": 1} if answer.is_new else {}))
    asks_who = answer.view.needs_subject and not person.is_known
    if asks_who and client_of(environ) == "wechat" and shared.ports.identity is not None:
        # Inside WeChat the openid can be asked for without a question: it comes back bound.
        return url("h5.wechat", brand=code.brand.slug, next=reward)
    return reward
