"""The public rules of a campaign, generated from what was frozen: what can be won and how often, when, by whom.

The consumer's page and the console's preview show the same. The law on prize promotions (SAMR order 32 of 2020,
articles 11 to 14) asks for kinds, counts or odds, amounts, time, terms, sponsor and contact before a promotion begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_name
from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.campaigns import service as campaigns
from scancode.campaigns.chance import TURNS_MAX, WHOLE_PPM
from scancode.campaigns.models import Prize
from scancode.campaigns.planning import TranchePlan
from scancode.campaigns.rules import Phase, phase_of
from scancode.catalog.models import Product
from scancode.catalog.rules import BrandFacts
from scancode.codes.models import Batch
from scancode.web.places import in_words, load_places, sharing_in_words


@dataclass(frozen=True)
class RuleLine:
    """A prize of the campaign over all its pools. ``amount``: fen of a red packet, or points; 0 for thanks.

    It is random up to ``amount_most`` where there is one. With odds ``count`` is the stock, and None for thanks.
    """

    kind: str
    amount: int
    name_zh: str
    name_en: str
    amount_most: int | None
    chance_ppm: int | None
    count: int | None

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_zh


@dataclass(frozen=True)
class RuleTable:
    """Prizes that are drawn alike by ``codes``: all exact tables together, or one wheel, whichever pools turn it."""

    has_odds: bool
    codes: int
    lines: tuple[RuleLine, ...]

    def odds(self, line: RuleLine) -> str:
        """The share of codes that hold a prize, or win it: ``1.5%``, with as many digits as it takes to be no zero."""
        if self.has_odds:
            without = WHOLE_PPM - sum(one.chance_ppm or 0 for one in self.lines)
            share = (line.chance_ppm if line.chance_ppm is not None else without) / 10_000
        else:
            share = 100 * (line.count or 0) / self.codes if self.codes else 0.0
        digits = 2
        while share and digits < 8 and float(f"{share:.{digits}f}") == 0:
            digits += 1
        return f"{share:.{digits}f}".rstrip("0").rstrip(".") + "%"


@dataclass(frozen=True)
class Rulebook:
    """Everything that the rules page says. ``codes`` is how many codes take part."""

    campaign_id: UUID
    brand: BrandFacts
    name_zh: str
    name_en: str
    rules_zh: str
    rules_en: str
    state: str
    starts_at: datetime
    ends_at: datetime
    over_at: datetime
    tables: tuple[RuleTable, ...]
    conditions: tuple[str, ...]
    """In words."""
    is_exclusive: bool
    commitments: tuple[str, ...]
    """One for each pool that was published: what secret and table have to come out at, once they are revealed."""
    results_fen: int | None
    """From which red packets on results are published."""
    uncommitted: int
    """Published pools that have none, because they are older."""
    codes: int
    products: tuple[tuple[str, str], ...]

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_zh

    def terms(self, locale: str) -> list[str]:
        """What marketing added, by paragraph; in the other language where one is missing."""
        text = (self.rules_en or self.rules_zh) if locale == "en" else (self.rules_zh or self.rules_en)
        return [line.strip() for line in text.splitlines() if line.strip()]

    def product_names(self, locale: str) -> list[str]:
        return [english if locale == "en" else chinese for chinese, english in self.products]

    def zone_name(self, locale: str) -> str:
        zone: str = get_timezone_name(ZoneInfo(self.brand.timezone), locale="zh_CN" if locale == "zh" else locale)
        return zone

    def phase(self, now: datetime) -> Phase:
        return phase_of(state=self.state, starts_at=self.starts_at, ends_at=self.ends_at, now=now)

    @property
    def lines(self) -> tuple[RuleLine, ...]:
        return tuple(line for table in self.tables for line in table.lines)

    @property
    def turns(self) -> int:
        """How often one code may turn the wheel; 0 where there is no further turn to win."""
        return TURNS_MAX if any(line.kind == "again" for line in self.lines) else 0

    @property
    def has_random(self) -> bool:
        return any(line.amount_most for line in self.lines)

    @property
    def has_red_packets(self) -> bool:
        return any(line.kind == "red_packet" for line in self.lines)

    @property
    def has_points(self) -> bool:
        return any(line.kind == "points" for line in self.lines)


def load_rulebook(session: Session, *, campaign_id: UUID, brand: BrandFacts, with_waiting: bool) -> Rulebook:
    """``with_waiting`` counts pools that are not published too, for a preview. Raises CampaignNotFound."""
    campaign = campaigns.get_campaign(session, campaign_id=campaign_id)
    plan = campaigns.load_plan(session, campaign_id=campaign_id)
    shown = {tranche.id: tranche for tranche in plan.tranches if with_waiting or tranche.is_published}
    prizes = [one for one in campaigns.list_prizes(session, campaign_id=campaign_id) if one.tranche_id in shown]
    has_odds = any(tranche.has_odds for tranche in shown.values())
    codes = sum(line.count for tranche in shown.values() for line in tranche.ranges)
    numbers = {line.batch_number for tranche in shown.values() for line in tranche.ranges}
    wanted = select(Product).where(Product.id.in_(select(Batch.product_id).where(Batch.number.in_(numbers))))
    products = session.scalars(wanted.order_by(Product.name_zh)).all()
    said = [] if plan.is_exclusive else [sharing_in_words(plan.priority)]
    if not plan.conditions.is_empty:
        said += in_words(plan.conditions, load_places(session, brand_id=brand.id), has_odds=has_odds, codes=codes)
    return Rulebook(
        campaign_id=campaign.id,
        brand=brand,
        name_zh=campaign.name_zh,
        name_en=campaign.name_en,
        rules_zh=campaign.rules_zh,
        rules_en=campaign.rules_en,
        state=campaign.state,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        over_at=min(campaign.ended_at or campaign.ends_at, campaign.ends_at),
        tables=_tables(list(shown.values()), prizes),
        conditions=tuple(said),
        is_exclusive=plan.is_exclusive,
        commitments=tuple(campaigns.list_commitments(session, campaign_id=campaign_id)),
        results_fen=campaign.results_fen,
        uncommitted=campaigns.count_uncommitted(session, campaign_id=campaign_id),
        codes=codes,
        products=tuple(dict.fromkeys((product.name_zh, product.name_en) for product in products)),
    )


def _tables(pools: Sequence[TranchePlan], prizes: Sequence[Prize]) -> tuple[RuleTable, ...]:
    groups: dict[tuple[object, ...], list[TranchePlan]] = {}
    for pool in pools:
        wheel = tuple((one.kind, one.amount, one.most, one.chance_ppm, one.name_zh) for one in pool.prizes)
        groups.setdefault((pool.mode, wheel if pool.has_odds else ()), []).append(pool)
    tables = []
    for (mode, _), alike in groups.items():
        ids, codes = {pool.id for pool in alike}, sum(line.count for pool in alike for line in pool.ranges)
        lines = _lines([one for one in prizes if one.tranche_id in ids], codes, has_odds=mode == "odds")
        tables.append(RuleTable(mode == "odds", codes, lines))
    return tuple(tables)


def _lines(prizes: Sequence[Prize], codes: int, *, has_odds: bool) -> tuple[RuleLine, ...]:
    """Alike prizes of several pools in one line: money first, the dearest first, what is left as thanks."""
    counts: dict[tuple[str, int, str, str, int | None, int | None], int] = {}
    for prize in prizes:
        if prize.kind != "thanks":
            key = (prize.kind, prize.amount, prize.name_zh, prize.name_en, prize.amount_most, prize.chance_ppm)
            counts[key] = counts.get(key, 0) + prize.count
    lines = [RuleLine(*key, count=count) for key, count in counts.items()]
    lines.sort(key=lambda line: (line.kind != "red_packet", -line.amount))
    thanks = next((prize for prize in prizes if prize.kind == "thanks"), None)
    left = None if has_odds else codes - sum(counts.values())
    if thanks is not None and (left is None or left > 0):
        lines.append(RuleLine("thanks", 0, thanks.name_zh, thanks.name_en, None, None, left))
    return tuple(lines)
