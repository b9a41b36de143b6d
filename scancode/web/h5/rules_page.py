"""``/campaigns/<id>/rules``: the rules of a published campaign, for anybody, before, while and after it runs."""

from __future__ import annotations

from uuid import UUID

from flask import jsonify, render_template
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from batches.codes import split_code_id
from scancode.campaigns import service as campaigns
from scancode.campaigns.models import CampaignState
from scancode.campaigns.proof import to_file
from scancode.claims import service as claims
from scancode.claims.rules import ClaimFacts
from scancode.web.h5 import h5
from scancode.web.h5.trial import ids_of
from scancode.web.people import current_person
from scancode.web.rulebook import load_rulebook
from scancode.web.runtime import runtime

RESULTS_MAX = 500
CODE_END = 4


@h5.get("/campaigns/<uuid:campaign_id>/draw.json")
def campaign_draw(campaign_id: UUID) -> Response:
    """Secrets and tables of a campaign that has ended, for ``scancode draw verify`` and for anybody."""
    shared = runtime()
    with shared.db.reading() as session:
        pools = campaigns.reveal(session, campaign_id=campaign_id, sealer=shared.draw_sealer, now=shared.now())
    answer = jsonify(to_file(pools))
    answer.headers["Content-Disposition"] = f'attachment; filename="draw-{campaign_id}.json"'
    return answer


@h5.get("/campaigns/<uuid:campaign_id>/results")
def campaign_results(campaign_id: UUID) -> ResponseReturnValue:
    """Large red packets that were won: the day, the amount and the end of the code. Nothing of the person, masked or
    not: whoever won knows their own code. A campaign that publishes none says so, with 404."""
    shared = runtime()
    with shared.db.reading() as session:
        campaign = campaigns.get_campaign(session, campaign_id=campaign_id)
        brand = shared.brands.get(campaign.brand_id)
        if campaign.state == CampaignState.DRAFT or brand is None:
            raise campaigns.CampaignNotFound
        least_fen, won = campaign.results_fen, []
        if least_fen is not None:
            won = claims.list_large(session, campaign_id=campaign_id, least_fen=least_fen, limit=RESULTS_MAX + 1)
    page = render_template(
        "h5/results.html",
        campaign=campaign,
        brand=brand,
        results=[(one.day, one.amount, _end_of(one)) for one in won[:RESULTS_MAX]],
        is_cut=len(won) > RESULTS_MAX,
        most=RESULTS_MAX,
    )
    return page, 404 if least_fen is None else 200


def _end_of(claim: ClaimFacts) -> str:
    """The last characters of the code that brought it; nothing where its batch is gone."""
    number, kind, serial = split_code_id(claims.code_of(claim.code_id))
    batch = runtime().batches.get(number)
    return batch.verifier.mint(number, kind, serial)[-CODE_END:] if batch else ""


@h5.get("/campaigns/<uuid:campaign_id>/rules")
def campaign_rules(campaign_id: UUID) -> str:
    shared = runtime()
    now = shared.now()
    with shared.db.reading() as session:
        campaign = campaigns.get_campaign(session, campaign_id=campaign_id)
        brand = shared.brands.get(campaign.brand_id)
        if brand is None:
            raise campaigns.CampaignNotFound
        is_trial = campaign.state == CampaignState.DRAFT
        ids = ids_of(current_person(brand.id)) if is_trial else frozenset()
        if is_trial and not campaigns.find_trial(session, campaign_ids=[campaign_id], person_ids=ids, now=now):
            raise campaigns.CampaignNotFound
        book = load_rulebook(session, campaign_id=campaign_id, brand=brand, with_waiting=is_trial)
    return render_template(
        "h5/rules.html",
        book=book,
        brand=brand,
        phase=book.phase(now).value,
        reservation_hours=shared.settings.reservation_hours,
        is_preview=is_trial,
    )
