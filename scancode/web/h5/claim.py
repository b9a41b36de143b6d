"""``POST /CODE/claim``: the one tap that takes what a code holds. Then on to the page of that reward.

Everything that matters is read on this side: the form carries the visitor's token and nothing else.
"""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from scancode.claims import service as claims
from scancode.errors import Refusal
from scancode.web.clients import client_of
from scancode.web.h5 import h5
from scancode.web.h5.meeting import attribution_of
from scancode.web.people import Person, current_person
from scancode.web.reading import ReadCode, read_code
from scancode.web.runtime import Runtime, runtime
from scancode.web.visitor import current_visitor


@h5.post("/<text>/claim")
def claim(text: str) -> Response | tuple[str, int]:
    """For a code in any form that a person may type. Raises what ``read_code`` raises."""
    shared = runtime()
    code = read_code(shared, text)
    person = current_person(code.brand.id)
    try:
        answer = _claim(shared, code, person)
    except Refusal as refusal:
        page = render_template(
            "h5/claim_refused.html",
            brand=code.brand,
            product=code.product,
            sentence=refusal.sentence(gettext),
            refusal=refusal,
            code=code,
        )
        return page, refusal.status
    reward_url = url_for("h5.reward", code_id=code.code_id, new=1 if answer.is_new else None)
    if answer.view.needs_subject and client_of(request.environ) == "wechat" and shared.ports.identity is not None:
        # Inside WeChat the openid can be asked for without a question: it comes back bound.
        return redirect(url_for("h5.wechat", brand=code.brand.slug, next=reward_url), 303)
    return redirect(reward_url, 303)


@h5.post("/01/<gtin>/21/<text>/claim")
def claim_digital_link(gtin: str, text: str) -> Response | tuple[str, int]:
    """The GS1 form of the same address; the code decides."""
    return claim(text)


def _claim(shared: Runtime, code: ReadCode, person: Person) -> claims.ClaimAnswer:
    visitor, now = current_visitor(), shared.now()
    span = shared.offers.get(code.batch.number).find(code.serial)
    parts = claims.ClaimCode(code.code_id, code.batch.number, code.kind, code.serial)
    attribution = attribution_of(shared, code, visitor, now)
    claimant = claims.Claimant(visitor.id, person.identity_id, person.phone_identity_id, person.member_id)
    return shared.desk.serve(
        claims.Request(
            code=parts,
            batch=code.batch,
            brand=code.brand,
            offer=span.value if span else None,
            claimant=claimant,
            attribution=attribution,
            now=now,
            reservation_hours=shared.settings.reservation_hours,
            prefix=shared.settings.payout_prefix,
            draw_sealer=shared.draw_sealer,
        )
    )
