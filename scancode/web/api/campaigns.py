"""Campaigns for a brand's own systems: how each is going, prize by prize; and to pause, go on with, or end one.

Making and publishing one stays with people: what is published binds the brand, and two of them have to look at it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.models import Campaign
from scancode.errors import NotAllowed
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.stories.campaign_figures import (
    PrizeFigures,
    all_figures,
    progress_of,
    shown_state,
)
from scancode.web.api.access import brand_of_call, caller
from scancode.web.api.routes import CAMPAIGNS, get, post
from scancode.web.api.shapes import Answer, Asked, BrandSlug, Cursor, Limit, read_cursor, reply, write_cursor
from scancode.web.runtime import runtime

MOVES = {"pause": campaigns.pause, "resume": campaigns.resume, "end": campaigns.end}
StateName = Literal["draft", "scheduled", "running", "paused", "ended"]


class CampaignsQuery(Asked):
    """Whose."""

    brand: BrandSlug | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class CampaignPath(Asked):
    """Which campaign."""

    campaign_id: UUID


class CampaignRow(Answer):
    """A campaign, and how much of it is drawn."""

    id: UUID
    name_zh: str
    name_en: str
    state: StateName = Field(description="now; a campaign ends by its time without anybody's doing")
    stopped_by_breaker: bool = Field(description="it is paused because it spent too fast; staff have to look first")
    starts_at: datetime
    ends_at: datetime
    published_at: datetime | None
    ended_at: datetime | None = Field(description="when staff ended it early")
    codes: int
    drawn: int = Field(description="codes that somebody has claimed or reserved")


class CampaignPage(Answer):
    """Campaigns, the newest first."""

    items: list[CampaignRow]
    next: str | None = Field(description="`cursor` of the next page; null on the last")


class PrizeAnswer(Answer):
    """A prize and what became of it. What only the winning codes know is null until the campaign has ended."""

    id: UUID
    kind: Literal["red_packet", "points", "thanks", "again"]
    name_zh: str
    name_en: str
    amount: int = Field(description="fen of a red packet, or points; the least where amounts are random")
    amount_most: int | None
    chance_ppm: int | None = Field(description="of a wheel: winning turns in a million")
    count: int | None = Field(description="null for thanks beside a wheel")
    drawn: int
    claimed: int
    reserved: int = Field(description="drawn, and waiting for a person")
    lapsed: int = Field(description="were reserved once, and nobody came")
    refused: int
    void: int = Field(description="what nobody will have: refused for good, or in void and recalled codes")
    left: int | None
    given: int = Field(description="what the drawn ones are worth, in fen or points")


class CampaignAnswer(CampaignRow):
    """The same with its money, its points and its prizes."""

    budget_fen: int
    budget_points: int
    promised_fen: int = Field(description="what the tables hold; with odds, at most")
    promised_points: int
    given_fen: int
    given_points: int
    on_the_shelf: int = Field(description="codes that somebody may still claim")
    prizes: list[PrizeAnswer]
    second: PrizeAnswer | None = Field(description="the second prizes of n-th codes; they take no code")


class CampaignMove(Asked):
    """Nothing can be claimed while it is paused; what has ended never comes back."""

    move: Literal["pause", "resume", "end"]


@get("/campaigns", scope="campaigns:read", tag=CAMPAIGNS, answers={200: CampaignPage})
def list_campaigns(query: CampaignsQuery) -> Response:
    """List campaigns with what is drawn of them."""
    before = read_cursor(query.cursor, UUID)[0] if query.cursor else None
    shared = runtime()
    now = shared.now()
    with shared.db.reading() as session:
        brand = brand_of_call(session, query.brand)
        rows = campaigns.list_campaigns(session, brand_id=brand.id, limit=query.limit + 1, before=before)
        shown = rows[: query.limit]
        progress = progress_of(session, campaign_ids=[row.id for row in shown], now=now)
    items = [CampaignRow(**_row(row, now, *progress[row.id])) for row in shown]
    return reply(CampaignPage(items=items, next=write_cursor(str(shown[-1].id)) if len(rows) > query.limit else None))


@get(
    "/campaigns/<uuid:campaign_id>",
    scope="campaigns:read",
    tag=CAMPAIGNS,
    answers={200: CampaignAnswer},
    refusals=(404,),
)
def show_campaign(path: CampaignPath) -> Response:
    """Show a campaign: of each prize, how many are drawn, claimed, lapsed, void and left."""
    with runtime().db.reading() as session:
        return reply(_answer(session, _own(session, path.campaign_id)))


@post(
    "/campaigns/<uuid:campaign_id>/move",
    scope="campaigns:move",
    tag=CAMPAIGNS,
    answers={200: CampaignAnswer},
    refusals=(404, 409),
)
def move_campaign(path: CampaignPath, body: CampaignMove) -> Response:
    """Pause a campaign, go on with it, or end it for good.

    409 `campaign_state` where it cannot: it is a draft, has ended, or its breaker stopped it and nobody has looked yet.
    """

    def move(session: Session) -> CampaignAnswer:
        token, shared = caller(), runtime()
        campaign = _own(session, path.campaign_id)
        # The token may outlive what its owner may do: it is the person who stands behind this.
        person = staff.facts_of(staff.get_staff(session, staff_id=token.staff_id))
        if not person.may((Role.MARKETING,)) or not person.sees(campaign.brand_id):
            raise NotAllowed
        MOVES[body.move](session, campaign_id=campaign.id, actor=token.actor, now=shared.now())
        return _answer(session, _own(session, path.campaign_id))

    return reply(runtime().db.retrying(move))


def _own(session: Session, campaign_id: UUID) -> Campaign:
    """Raises CampaignNotFound, also for another brand's."""
    campaign, token = campaigns.get_campaign(session, campaign_id=campaign_id), caller()
    if token.brand_id is not None and token.brand_id != campaign.brand_id:
        raise campaigns.CampaignNotFound
    return campaign


def _row(campaign: Campaign, now: datetime, drawn: int, codes: int) -> dict[str, Any]:
    same = ("id", "name_zh", "name_en", "starts_at", "ends_at", "published_at", "ended_at")
    return {name: getattr(campaign, name) for name in same} | {
        "state": shown_state(campaign, now),
        "stopped_by_breaker": campaign.tripped_at is not None,
        "codes": codes,
        "drawn": drawn,
    }


def _answer(session: Session, campaign: Campaign) -> CampaignAnswer:
    shared = runtime()
    now = shared.now()
    plan = campaigns.load_plan(session, campaign_id=campaign.id)
    figures = all_figures(session, campaign=campaign, plan=plan, sealer=shared.draw_sealer, now=now)
    totals = ("promised_fen", "promised_points", "given_fen", "given_points", "on_the_shelf")
    return CampaignAnswer(
        **_row(campaign, now, figures.drawn, figures.codes),
        budget_fen=campaign.budget_fen,
        budget_points=campaign.budget_points,
        **{name: getattr(figures, name) for name in totals},
        prizes=[_prize(one) for one in figures.prizes],
        second=_prize(figures.second) if figures.second else None,
    )


def _prize(one: PrizeFigures) -> PrizeAnswer:
    named = {name: getattr(one, name) for name in PrizeAnswer.model_fields if name != "left"}
    return PrizeAnswer(**named, left=one.remaining)
