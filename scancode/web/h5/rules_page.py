"""``/campaigns/<id>/rules``: the rules of a published campaign, for anybody, before, while and after it runs;
and once it is over its draw, to be checked by anybody."""

from __future__ import annotations

from uuid import UUID

from flask import jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.wrappers import Response

from batches.codes import split_code_id
from scancode.campaigns import service as campaigns
from scancode.campaigns.models import CampaignState
from scancode.campaigns.proof import to_file
from scancode.catalog.rules import BrandFacts
from scancode.claims import service as claims
from scancode.claims.rules import ClaimFacts, Standing, check_kind
from scancode.codes.typed import code_in
from scancode.errors import Refusal
from scancode.web.guard import WorkNeeded
from scancode.web.h5 import h5
from scancode.web.h5.here import somebody
from scancode.web.h5.trial import ids_of
from scancode.web.h5.work import work_page
from scancode.web.people import current_person
from scancode.web.reading import ReadCode, read_code
from scancode.web.rulebook import load_rulebook
from scancode.web.runtime import Runtime, runtime

RESULTS_MAX = 500
CODE_END = 4
TYPED_MAX = 300


@h5.get("/campaigns/<uuid:campaign_id>/draw.json")
def campaign_draw(campaign_id: UUID) -> Response:
    """Secrets and tables of a campaign that has ended, for ``scancode draw verify`` and for anybody."""
    shared = runtime()
    with shared.db.reading() as session:
        pools = campaigns.reveal(session, campaign_id=campaign_id, sealer=shared.draw_sealer, now=shared.now())
    answer = jsonify(to_file(pools))
    answer.headers["Content-Disposition"] = f'attachment; filename="draw-{campaign_id}.json"'
    return answer


@h5.get("/campaigns/<uuid:campaign_id>/draw")
def campaign_check(campaign_id: UUID) -> ResponseReturnValue:
    """A page whose own script draws again. ``code`` says, of a code in any form that a person may type, which place it
    has in a pool, and of one's own what was given for it. Raises CampaignNotFound, NotRevealed before the end."""
    shared = runtime()
    with shared.db.reading() as session:
        pools = campaigns.reveal(session, campaign_id=campaign_id, sealer=shared.draw_sealer, now=shared.now())
        campaign = campaigns.get_campaign(session, campaign_id=campaign_id)
    brand = shared.brands.get(campaign.brand_id)
    if brand is None:
        raise campaigns.CampaignNotFound
    typed = request.args.get("code", "").strip()[:TYPED_MAX]
    code, said = None, ""
    try:
        if typed:
            code = read_code(shared, code_in(typed), met_in=request.environ)
            check_kind(code.kind)
    except WorkNeeded as refusal:
        return work_page(refusal)
    except Refusal as refusal:
        code, said = None, refusal.sentence(gettext)
    if code and all(table.index_of(code.batch.number, code.serial) is None for table, _, _ in pools):
        code, said = None, gettext("This code is of no pool of the campaign.")
    claim = _own_claim(shared, code, brand) if code else None
    return render_template(
        "h5/draw.html",
        campaign=campaign,
        brand=brand,
        pools=[(table, committed) for table, _, committed in pools],
        typed=typed,
        said=said,
        place=f"{code.batch.number}:{code.serial}" if code else "",
        given=claim if claim and claim.campaign_id == campaign_id else None,
        is_of_other=claim is not None and claim.campaign_id != campaign_id,
    )


def _own_claim(shared: Runtime, code: ReadCode, brand: BrandFacts) -> ClaimFacts | None:
    """What this person was given for the code; None where it is nobody's or somebody else's."""
    with shared.db.reading() as session:
        view = claims.find_claim(session, code_id=code.code_id, claimant=somebody(brand).claimant(), now=shared.now())
    return view.claim if view and view.is_mine and view.standing is not Standing.LAPSED else None


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
