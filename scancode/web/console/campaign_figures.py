"""How a campaign is going: what was drawn and claimed of its tables. Claims come after campaigns in the story, so the
edge reads them here; one grouped query whatever the number of campaigns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from batches.codes import Kind, code_id
from scancode.campaigns import service as campaigns
from scancode.campaigns.models import Tranche
from scancode.campaigns.planning import CampaignPlan, totals
from scancode.claims.models import Claim, ClaimState
from scancode.codes.models import Batch


@dataclass(frozen=True)
class PrizeFigures:
    """One line of a table: ``drawn`` of ``count`` are taken, ``reserved`` of those still wait for a person.

    ``given`` is what the drawn ones are worth, in fen or points. ``count`` is None for thanks beside a wheel.
    """

    id: UUID
    tranche_id: UUID
    kind: str
    amount: int
    amount_most: int | None
    chance_ppm: int | None
    count: int | None
    name_zh: str
    name_en: str
    drawn: int = 0
    reserved: int = 0
    given: int = 0

    @property
    def claimed(self) -> int:
        return self.drawn - self.reserved

    @property
    def remaining(self) -> int | None:
        return None if self.count is None else self.count - self.drawn

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_zh


@dataclass(frozen=True)
class CampaignFigures:
    """A campaign in numbers. Promised: what its tables hold, with odds at most; given: what people have drawn of it."""

    codes: int
    drawn: int
    promised_fen: int
    promised_points: int
    given_fen: int
    given_points: int
    prizes: tuple[PrizeFigures, ...]


def counts_of_claims(session: Session, now: datetime) -> Callable[[int, int, int], int]:
    """What publication asks: how many inner codes of a range have a claim that holds."""

    def claimed(batch_number: int, first: int, last: int) -> int:
        low, high = (code_id(batch_number, Kind.INNER, serial) for serial in (first, last))
        statement = select(func.count()).select_from(Claim).where(Claim.code_id.between(low, high), _holds(now))
        return session.scalar(statement) or 0

    return claimed


def load_figures(session: Session, *, plan: CampaignPlan, now: datetime) -> CampaignFigures:
    """The figures of one campaign; the codes of a draft count as promised already."""
    reserved = func.sum(case((Claim.state == ClaimState.RESERVED, 1), else_=0))
    drawn = {
        row.prize_id: {"drawn": row.drawn, "reserved": int(row.reserved or 0), "given": int(row.given or 0)}
        for row in session.execute(
            select(
                Claim.prize_id,
                func.count().label("drawn"),
                reserved.label("reserved"),
                func.sum(Claim.amount).label("given"),
            )
            .where(Claim.campaign_id == plan.id, _holds(now))
            .group_by(Claim.prize_id)
        )
    }
    left = {
        tranche.id: None if tranche.has_odds else max(0, totals([tranche]).thanks_count) for tranche in plan.tranches
    }
    prizes = tuple(
        PrizeFigures(
            id=prize.id,
            tranche_id=prize.tranche_id,
            kind=prize.kind,
            amount=prize.amount,
            amount_most=prize.amount_most,
            chance_ppm=prize.chance_ppm,
            count=left[prize.tranche_id] if prize.kind == "thanks" else prize.count,
            name_zh=prize.name_zh,
            name_en=prize.name_en,
            **drawn.get(prize.id, {}),
        )
        for prize in campaigns.list_prizes(session, campaign_id=plan.id)
    )
    whole, has_odds = totals(plan.tranches), any(tranche.has_odds for tranche in plan.tranches)
    return CampaignFigures(
        codes=whole.size,
        drawn=sum(prize.drawn for prize in prizes),
        promised_fen=min(whole.sum_fen, plan.budget_fen) if has_odds else whole.sum_fen,
        promised_points=min(whole.sum_points, plan.budget_points) if has_odds else whole.sum_points,
        given_fen=sum(prize.given for prize in prizes if prize.kind == "red_packet"),
        given_points=sum(prize.given for prize in prizes if prize.kind == "points"),
        prizes=prizes,
    )


def progress_of(session: Session, *, campaign_ids: Sequence[UUID], now: datetime) -> dict[UUID, tuple[int, int]]:
    """``{campaign: (drawn, codes)}`` for a list of campaigns."""
    sizes = select(Tranche.campaign_id, func.sum(Tranche.size)).where(Tranche.campaign_id.in_(campaign_ids))
    drawn = select(Claim.campaign_id, func.count()).where(Claim.campaign_id.in_(campaign_ids), _holds(now))
    codes = {row[0]: int(row[1]) for row in session.execute(sizes.group_by(Tranche.campaign_id))}
    taken = {row[0]: int(row[1]) for row in session.execute(drawn.group_by(Claim.campaign_id))}
    return {campaign_id: (taken.get(campaign_id, 0), codes.get(campaign_id, 0)) for campaign_id in campaign_ids}


def batches_of(session: Session, *, brand_id: UUID, limit: int = 300) -> Sequence[Batch]:
    """The brand's batches that can take part: made, and with codes that pay. Newest first."""
    statement = (
        select(Batch)
        .where(Batch.brand_id == brand_id, Batch.state == "ready", Batch.kinds.contains("inner"))
        .order_by(Batch.ordered_at.desc(), Batch.number)
        .limit(limit)
    )
    return session.scalars(statement).all()


def _holds(now: datetime) -> ColumnElement[bool]:
    """A reservation that has lapsed leaves its code as if nobody had claimed it."""
    return or_(Claim.state != ClaimState.RESERVED, and_(Claim.reserved_until.is_not(None), Claim.reserved_until > now))
