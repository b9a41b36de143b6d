"""A campaign before it is published: its plan, and what the plan adds up to. Pure.

Limits come from the law on prize promotions (SAMR order 32 of 2020: no prize above 50,000 yuan, kinds and counts
published beforehand) and from WeChat Pay (a red packet is 0.10 to 200 yuan).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from scancode.campaigns.chance import sum_of
from scancode.campaigns.conditions import NONE, Conditions

PRIZE_FEN_MAX = 5_000_000
"""The legal maximum of one prize, whatever it is."""
BUDGET_MAX = 10**13
TRANCHES_MAX = 50
RANGES_MAX = 200
PRIZES_MAX = 50
WINDOW_DAYS_MAX = 1830
PRIORITY_MAX = 9
CAMPAIGNS_A_CODE_MAX = 8
"""Unended campaigns that may share a code."""
YUAN = re.compile(r"(?P<whole>[0-9]{1,12}|[0-9]{1,3}(,[0-9]{3}){1,3})(\.(?P<part>[0-9]{1,2}))?")
WHOLE = re.compile(r"[0-9]{1,13}|[0-9]{1,3}(,[0-9]{3}){1,4}")
WIDE: dict[int, int | str] = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0xFFE5: "¥"}
"""What Chinese input methods write for ASCII. Other digits, such as ² or ٣, are no typing of ours."""


@dataclass(frozen=True)
class RangeLine:
    """Serials ``first`` to ``last`` of a batch, both included."""

    batch_number: int
    first: int
    last: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class PrizeLine:
    """A line of the table as marketing writes it: a red packet of ``amount`` fen or so many points, ``count`` times.

    Up to ``amount_most`` where amounts vary. In odds mode ``count`` is the stock, ``chance_ppm`` the odds.
    """

    kind: str
    amount: int
    count: int
    name_zh: str
    name_en: str
    amount_most: int | None = None
    chance_ppm: int | None = None

    @property
    def most(self) -> int:
        return self.amount if self.amount_most is None else self.amount_most

    @property
    def average(self) -> float:
        return (self.amount + self.most) / 2


@dataclass(frozen=True)
class TranchePlan:
    """``prizes`` without thanks: the codes that are left get thanks, under the two names."""

    ranges: tuple[RangeLine, ...]
    prizes: tuple[PrizeLine, ...]
    thanks_zh: str
    thanks_en: str
    is_published: bool = False
    id: UUID | None = None
    mode: str = "exact"

    @property
    def has_odds(self) -> bool:
        return self.mode == "odds"

    def sum_of(self, kind: str) -> int:
        """What the lines of a kind come to: exactly, or with odds at most, when codes win the dearest in stock."""
        lines = [prize for prize in self.prizes if prize.kind == kind]
        if self.has_odds:
            worth, left = 0, sum(line.count for line in self.ranges)
            for prize in sorted(lines, key=lambda prize: -prize.most):
                worth += prize.most * min(prize.count, left)
                left -= min(prize.count, left)
            return worth
        return sum(sum_of(prize.amount, prize.most, prize.count) for prize in lines)


@dataclass(frozen=True)
class Reserve:
    """Fen and points set aside, and ``seconds``: how many second prizes of n-th codes are among them."""

    fen: int
    points: int
    seconds: int = 0


@dataclass(frozen=True)
class CampaignPlan:
    id: UUID
    brand_id: UUID
    state: str
    starts_at: datetime
    ends_at: datetime
    budget_fen: int
    budget_points: int
    has_sponsor: bool
    """The brand says who it is and how to reach it: the rules page must."""
    tranches: tuple[TranchePlan, ...]
    conditions: Conditions = NONE
    lost_marks: int = 0
    """How many tags and tiers the conditions name that the brand does not have."""
    priority: int = 0
    is_exclusive: bool = True

    def goes_first(self, other: Taken) -> bool:
        """Whether it does over codes that both hold, once its waiting tranches are published."""
        return self.priority > other.priority

    @property
    def has_odds(self) -> bool:
        """Something of the budget is counted down while people win."""
        return any(tranche.has_odds for tranche in self.tranches)

    @property
    def published(self) -> tuple[TranchePlan, ...]:
        return tuple(tranche for tranche in self.tranches if tranche.is_published)

    def reserved(self, tranches: Sequence[TranchePlan]) -> Reserve:
        """What of the budget these tranches need whatever happens: exact tables in full, with points times over, and
        the second prizes of n-th codes. Wheels are counted down from the rest."""
        exact = totals(tranche for tranche in tranches if not tranche.has_odds)
        seconds = self.conditions.nth_most(totals(tranches).size)
        return Reserve(
            fen=exact.sum_fen + seconds * (self.conditions.nth_fen or 0),
            points=exact.sum_points * self.conditions.factor_most + seconds * (self.conditions.nth_points or 0),
            seconds=seconds,
        )

    @property
    def most(self) -> Reserve:
        """The worst case of all its pools: with wheels what is in stock, as far as the budget pays it."""
        wheels, sure = totals(tranche for tranche in self.tranches if tranche.has_odds), self.reserved(self.tranches)
        if not self.has_odds:
            return sure
        factor = self.conditions.factor_most
        return Reserve(
            fen=min(sure.fen + wheels.sum_fen, self.budget_fen),
            points=min(sure.points + wheels.sum_points * factor, self.budget_points),
            seconds=sure.seconds,
        )

    @property
    def waiting(self) -> tuple[TranchePlan, ...]:
        """The tranches that the next publication will freeze."""
        return tuple(tranche for tranche in self.tranches if not tranche.is_published)


@dataclass(frozen=True)
class BatchState:
    """What publication asks of a batch. ``pays``: it has codes of the inner kind."""

    number: int
    brand_id: UUID
    count: int
    is_test: bool
    is_ready: bool
    pays: bool
    product_id: UUID | None = None


@dataclass(frozen=True)
class Taken:
    """A range that another campaign holds which has not ended, and what tells which of the two goes first there."""

    campaign_id: UUID
    name_zh: str
    name_en: str
    range: RangeLine
    priority: int
    is_exclusive: bool
    is_for_all: bool
    starts_at: datetime
    ends_at: datetime
    published_at: datetime


@dataclass(frozen=True)
class Sharing:
    """Another unended campaign over codes of a plan: how many, and whether it goes first there.

    ``by_tranche`` counts them for each tranche of the plan.
    """

    campaign_id: UUID
    name_zh: str
    name_en: str
    priority: int
    goes_first: bool
    starts_at: datetime
    ends_at: datetime
    by_tranche: Mapping[UUID, int]

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_zh

    @property
    def codes(self) -> int:
        return sum(self.by_tranche.values())


@dataclass(frozen=True)
class Totals:
    """What tables add up to: ``prize_count`` codes win, ``thanks_count`` do not (below 0: the table is too long).

    With odds the prizes are those in stock: so many may be won, and no more than the budget allows.
    """

    size: int
    prize_count: int
    sum_fen: int
    sum_points: int

    @property
    def thanks_count(self) -> int:
        return self.size - self.prize_count

    @property
    def average_fen(self) -> float:
        """Expected cost of a code, in fen; for showing only."""
        return self.sum_fen / self.size if self.size else 0.0

    @property
    def average_points(self) -> float:
        return self.sum_points / self.size if self.size else 0.0


@dataclass(frozen=True)
class Fault:
    """One thing that keeps a plan from being published: an English sentence with its facts, and in which tranche.

    Where another campaign stands in the way, the facts hold ``name_zh`` and ``name_en`` of it, and the sentence {name}.
    """

    code: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    tranche: int | None = None

    def sentence(self, translate: Callable[[str], str], locale: str) -> str:
        """The words for a person."""
        return translate(self.text).format_map({**self.facts, "name": self.facts.get(f"name_{locale}")})


def totals(tranches: Iterable[TranchePlan]) -> Totals:
    """What these tranches add up to."""
    chosen = list(tranches)
    prizes = [prize for tranche in chosen for prize in tranche.prizes]
    return Totals(
        size=sum(line.count for tranche in chosen for line in tranche.ranges),
        prize_count=sum(prize.count for prize in prizes),
        sum_fen=sum(tranche.sum_of("red_packet") for tranche in chosen),
        sum_points=sum(tranche.sum_of("points") for tranche in chosen),
    )


def overlap(one: RangeLine, other: RangeLine) -> bool:
    """Whether they share a code."""
    return one.batch_number == other.batch_number and one.first <= other.last and other.first <= one.last


def common(one: RangeLine, other: RangeLine) -> int:
    """How many codes they share."""
    return min(one.last, other.last) - max(one.first, other.first) + 1 if overlap(one, other) else 0


def repeated(lines: Sequence[RangeLine]) -> list[RangeLine]:
    """Ranges that begin at the same code as another: they cannot even be kept as a draft."""
    counts = Counter((line.batch_number, line.first) for line in lines)
    return [line for line in lines if counts[line.batch_number, line.first] > 1]


def yuan(fen: int) -> str:
    """``1234567`` -> ``12,345.67``."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def fen_of(text: str) -> int:
    """Yuan as a person types them -> fen, exactly: ``8.8``, ``¥1,000``, ``8。88``. Raises ValueError otherwise."""
    plain = text.translate(WIDE).replace("。", ".").strip().lstrip("¥").rstrip("元").strip()
    found = YUAN.fullmatch(plain)
    if found is None:
        raise ValueError("not an amount of yuan")
    return int(found["whole"].replace(",", "")) * 100 + int((found["part"] or "").ljust(2, "0"))


def whole_of(text: str) -> int:
    """A whole number as a person types it, below 10^13: ``1000``, ``1,000``, ``１０``. A comma elsewhere may be a
    decimal one, so ``1,5`` is none. Raises ValueError."""
    plain = text.translate(WIDE).strip()
    if WHOLE.fullmatch(plain) is None:
        raise ValueError("not a whole number")
    return int(plain.replace(",", ""))
