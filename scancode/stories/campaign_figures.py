"""How a campaign is going: what was drawn and claimed of its tables. Claims come after campaigns, so both are read
together here; one grouped query whatever the number of campaigns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, func, not_, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from batches.codes import Kind, code_id, split_code_id
from scancode.campaigns import service as campaigns
from scancode.campaigns.models import Campaign, Prize, Tranche
from scancode.campaigns.planning import CampaignPlan, totals
from scancode.campaigns.rules import Phase, draw, phase_of
from scancode.claims.models import Claim, ClaimState
from scancode.codes.models import Batch, LifeRange
from scancode.codes.rules import Life
from scancode.sealing import Sealer

DEAD_LOOKED_AT_MAX = 500
"""Ranges of dead codes whose claims are looked for."""
PASSED_LOOKED_AT_MAX = 5000
"""Codes that another campaign rewarded whose prizes are worked out."""
DEAD_DRAWN_MAX = 40_000
"""Dead codes whose prizes are worked out for a page: about a second."""


@dataclass(frozen=True)
class PrizeFigures:
    """One line of a table: ``drawn`` of ``count`` are taken, ``reserved`` of those still wait for a person, ``refused``
    ones staff refused. ``lapsed`` were reserved once and nobody came; they count as drawn no more.

    ``dead`` were held by codes that are void or recalled and that nobody claimed. It is None while the campaign runs:
    whoever could read it could find out what a code holds by taking it off the market for a minute. ``given`` is what
    the drawn ones are worth, in fen or points. ``count`` is None for thanks beside a wheel.
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
    lapsed: int = 0
    refused: int = 0
    given: int = 0
    passed: int = 0
    """Codes of an exact table that held it and that another campaign has rewarded: nobody can win it any more."""
    dead: int | None = None

    @property
    def claimed(self) -> int:
        return self.drawn - self.reserved - self.refused

    @property
    def void(self) -> int:
        """What nobody will ever have, as far as it may be told."""
        return self.refused - self._back + (self.dead or 0)

    @property
    def _back(self) -> int:
        """What was refused under a wheel is there for others again."""
        return self.refused if self.chance_ppm is not None else 0

    @property
    def remaining(self) -> int | None:
        return None if self.count is None else self.count - self.drawn + self._back - self.passed - (self.dead or 0)

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
    dead: int
    """Codes void or recalled before anybody claimed them."""
    passed: int
    """Codes that another campaign has rewarded."""
    passed_looked_at: int
    """So many of these are counted with their prizes."""
    prizes: tuple[PrizeFigures, ...]
    second: PrizeFigures | None = None
    """The second prizes of n-th codes; they take no code."""

    @property
    def on_the_shelf(self) -> int:
        """Codes that somebody may still claim."""
        return max(0, self.codes - self.drawn - self.dead - self.passed)


def counts_of_claims(session: Session, now: datetime) -> Callable[[int, int, int], int]:
    """What publication asks: how many inner codes of a range have a claim that holds."""

    def claimed(batch_number: int, first: int, last: int) -> int:
        low, high = (code_id(batch_number, Kind.INNER, serial) for serial in (first, last))
        statement = select(func.count()).select_from(Claim).where(Claim.code_id.between(low, high), _holds(now))
        return session.scalar(statement) or 0

    return claimed


def shown_state(campaign: Campaign, now: datetime) -> str:
    """``draft``, ``scheduled``, ``running``, ``paused`` or ``ended``: it ends by its time without anybody's doing."""
    at = phase_of(state=campaign.state, starts_at=campaign.starts_at, ends_at=campaign.ends_at, now=now)
    return {Phase.NONE: "draft", Phase.BEFORE: "scheduled"}.get(at, at.value)


def all_figures(
    session: Session, *, campaign: Campaign, plan: CampaignPlan, sealer: Sealer, now: datetime
) -> CampaignFigures:
    """With what lay in void and recalled codes, once that may be told. Raises SealBroken."""
    dead = None
    if shown_state(campaign, now) == "ended" and campaign.published_at is not None:
        find = campaigns.prize_finder(session, campaign_id=campaign.id, sealer=sealer, now=now)
        dead = dead_by_prize(session, plan=plan, find_prize=find)
    return load_figures(session, plan=plan, sealer=sealer, now=now, dead=dead)


def load_figures(
    session: Session, *, plan: CampaignPlan, sealer: Sealer, now: datetime, dead: Mapping[UUID, int] | None = None
) -> CampaignFigures:
    """The figures of one campaign; the codes of a draft count as promised already. ``dead``: by prize, where it may be
    told (``dead_by_prize``). Raises SealBroken."""
    drawn, seconds = _drawn(session, plan.id, now)
    left = {
        tranche.id: None if tranche.has_odds else max(0, totals([tranche]).thanks_count) for tranche in plan.tranches
    }
    passed = _passed(session, plan, sealer, now)
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
            passed=passed.by_prize[prize.id],
            dead=None if dead is None else dead.get(prize.id, 0),
            **(drawn.get(prize.id, {}) | _turns_given(session, prize)),
        )
        for prize in campaigns.list_prizes(session, campaign_id=plan.id)
    )
    codes, most, second = totals(plan.tranches).size, plan.most, _second(plan, seconds)
    given = [*prizes, second] if second else prizes
    return CampaignFigures(
        codes=codes,
        drawn=sum(counts["drawn"] for prize_id, counts in drawn.items() if prize_id),
        promised_fen=most.fen,
        promised_points=most.points,
        given_fen=sum(prize.given for prize in given if prize.kind == "red_packet"),
        given_points=sum(prize.given for prize in given if prize.kind == "points"),
        dead=_dead(session, plan),
        passed=passed.codes,
        passed_looked_at=passed.by_prize.total(),
        prizes=prizes,
        second=second,
    )


def _drawn(
    session: Session, campaign_id: UUID, now: datetime
) -> tuple[dict[UUID | None, dict[str, int]], dict[str, int]]:
    """Counts and sums by prize, and those of second prizes."""

    def sum_if(condition: ColumnElement[bool], value: Any) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, value), else_=0)), 0)

    holds = _holds(now)
    names = ("drawn", "reserved", "refused", "lapsed", "given")
    grouped = (
        select(
            Claim.prize_id,
            Claim.nth.is_not(None).label("is_second"),
            sum_if(holds, 1).label("drawn"),
            sum_if(and_(holds, Claim.state == ClaimState.RESERVED), 1).label("reserved"),
            sum_if(Claim.state == ClaimState.REFUSED, 1).label("refused"),
            sum_if(not_(holds), 1).label("lapsed"),
            sum_if(and_(holds, Claim.state != ClaimState.REFUSED), Claim.amount).label("given"),
        )
        .where(Claim.campaign_id == campaign_id)
        .group_by(Claim.prize_id, Claim.nth.is_not(None))
    )
    rows = session.execute(grouped).all()
    counts = {row: {name: int(getattr(row, name)) for name in names} for row in rows}
    drawn = {row.prize_id: counts[row] for row in rows if not row.is_second}
    return drawn, next((counts[row] for row in rows if row.is_second), {})


def _turns_given(session: Session, prize: Prize) -> dict[str, int]:
    """How often a wheel gave one more turn: claims show only those that were not taken yet, the stock tells all."""
    left = campaigns.find_left(session, owner_id=prize.id, name=campaigns.STOCK) if prize.kind == "again" else None
    return {} if left is None else {"drawn": prize.count - left}


def _second(plan: CampaignPlan, counts: Mapping[str, int]) -> PrizeFigures | None:
    conditions = plan.conditions
    if not conditions.nth:
        return None
    return PrizeFigures(
        id=plan.id,
        tranche_id=plan.id,
        kind="red_packet" if conditions.nth_fen else "points",
        amount=conditions.nth_fen or conditions.nth_points or 0,
        amount_most=None,
        chance_ppm=None,
        count=plan.most.seconds,
        name_zh=f"第 {conditions.nth} 个码的第二份奖",
        name_en=f"Second prize for code number {conditions.nth}",
        **counts,
    )


@dataclass(frozen=True)
class _Passed:
    codes: int
    by_prize: Counter[UUID]


def _passed(session: Session, plan: CampaignPlan, sealer: Sealer, now: datetime) -> _Passed:
    """Codes of the published pools that another campaign has rewarded, and what those of exact tables held here."""
    codes, by_prize = 0, Counter[UUID]()
    if plan.is_exclusive:
        return _Passed(codes, by_prize)
    for line in (line for pool in plan.tranches if pool.is_published for line in pool.ranges):
        low, high = (code_id(line.batch_number, Kind.INNER, serial) for serial in (line.first, line.last))
        elsewhere = Claim.code_id.between(low, high) & Claim.campaign_id.is_distinct_from(plan.id) & _holds(now)
        codes += session.scalar(select(func.count()).select_from(Claim).where(elsewhere)) or 0
        left = PASSED_LOOKED_AT_MAX - by_prize.total()
        offers = [
            one
            for one in campaigns.offers_of(session, campaign_id=plan.id, batch_number=line.batch_number, sealer=sealer)
            if one.mode == "exact" and one.covers(line.first)
        ]
        if offers and left > 0:
            found = session.scalars(select(Claim.code_id).where(elsewhere).order_by(Claim.code_id).limit(left))
            by_prize.update(draw(offers[0], split_code_id(one)[2]).id for one in found)
    return _Passed(codes, by_prize)


def _dead(session: Session, plan: CampaignPlan) -> int:
    """Codes of the pools that are void or recalled and have no claim."""
    dead = dead_ranges(session, plan)
    claimed = 0
    for number, first, last in dead[:DEAD_LOOKED_AT_MAX]:
        low, high = (code_id(number, Kind.INNER, serial) for serial in (first, last))
        claimed += session.scalar(select(func.count()).where(Claim.code_id.between(low, high))) or 0
    return sum(last - first + 1 for _, first, last in dead) - claimed


def dead_by_prize(
    session: Session, *, plan: CampaignPlan, find_prize: Callable[[int, int], UUID | None], most: int = DEAD_DRAWN_MAX
) -> dict[UUID, int] | None:
    """How many of each prize lay in codes that are void or recalled and have no claim that holds; None where these are
    more codes than can be drawn for a page. ``find_prize`` tells the prize of batch and serial, None beside exact
    tables."""
    dead = dead_ranges(session, plan)
    if len(dead) > DEAD_LOOKED_AT_MAX or sum(last - first + 1 for _, first, last in dead) > most:
        return None
    counts: Counter[UUID] = Counter()
    for number, first, last in dead:
        low, high = (code_id(number, Kind.INNER, serial) for serial in (first, last))
        taken = set(session.scalars(select(Claim.code_id).where(Claim.code_id.between(low, high))))
        free = (serial for serial in range(first, last + 1) if code_id(number, Kind.INNER, serial) not in taken)
        counts.update(prize_id for serial in free if (prize_id := find_prize(number, serial)) is not None)
    return dict(counts)


def dead_ranges(session: Session, plan: CampaignPlan) -> list[tuple[int, int, int]]:
    """Batch, first and last serial of the pools' codes that are void or recalled."""
    lines = [line for tranche in plan.tranches for line in tranche.ranges]
    ranges = session.execute(
        select(LifeRange.batch_number, LifeRange.first, LifeRange.last).where(
            LifeRange.batch_number.in_({line.batch_number for line in lines}),
            LifeRange.state.in_((Life.VOID.value, Life.RECALLED.value)),
        )
    ).all()
    return [
        (number, max(first, line.first), min(last, line.last))
        for number, first, last in ranges
        for line in lines
        if line.batch_number == number and first <= line.last and last >= line.first
    ]


def progress_of(session: Session, *, campaign_ids: Sequence[UUID], now: datetime) -> dict[UUID, tuple[int, int]]:
    """``{campaign: (drawn, codes)}`` for a list of campaigns."""
    sizes = select(Tranche.campaign_id, func.sum(Tranche.size)).where(Tranche.campaign_id.in_(campaign_ids))
    drawn = select(Claim.campaign_id, func.count()).where(
        Claim.campaign_id.in_(campaign_ids), Claim.nth.is_(None), _holds(now)
    )
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
