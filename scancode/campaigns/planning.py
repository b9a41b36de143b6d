"""A campaign before it is published: its plan, what the plan adds up to, and everything that keeps it from going out.

Pure. ``faults`` finds all faults at once, so that marketing mends a plan in one go; the editor shows the same list
that publication refuses by. Limits come from the law on prize promotions (SAMR order 32 of 2020: no prize above 50,000
yuan, kinds and counts published beforehand) and from WeChat Pay (a red packet is 0.10 to 200 yuan).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from scancode.campaigns.chance import WHOLE_PPM, sum_of
from scancode.campaigns.conditions import NONE, Conditions
from scancode.i18n import N_

RED_PACKET_FEN_MIN = 10
RED_PACKET_FEN_MAX = 20_000
PRIZE_FEN_MAX = 5_000_000
"""The legal maximum of one prize, whatever it is."""
POINTS_MAX = 1_000_000
BUDGET_MAX = 10**13
TRANCHES_MAX = 50
RANGES_MAX = 200
PRIZES_MAX = 50
WINDOW_DAYS_MAX = 1830
YUAN = re.compile(r"(?P<whole>[0-9]{1,12}|[0-9]{1,3}(,[0-9]{3}){1,3})(\.(?P<part>[0-9]{1,2}))?")


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


@dataclass(frozen=True)
class Taken:
    """A range that a campaign holds which has not ended."""

    campaign_id: UUID
    name: str
    range: RangeLine


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
    """One thing that keeps a plan from being published: an English sentence with its facts, and in which tranche."""

    code: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    tranche: int | None = None


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


def faults(
    plan: CampaignPlan,
    *,
    batches: Mapping[int, BatchState],
    taken: Sequence[Taken],
    claimed: Mapping[RangeLine, int],
    now: datetime,
) -> tuple[Fault, ...]:
    """Everything that keeps the plan's waiting tranches from being published now; empty when nothing does.

    ``batches``: those named by the plan, as far as they exist. ``taken``: what other campaigns hold that have not
    ended. ``claimed``: how many codes of a range somebody has claimed already.
    """
    found = [*_window_faults(plan, now), *_budget_faults(plan), *_own_overlaps(plan)]
    for number, tranche in enumerate(plan.tranches, 1):
        if tranche.is_published:
            continue
        for fault in (*_table_faults(tranche), *_range_faults(plan, tranche, batches, taken, claimed)):
            found.append(Fault(fault.code, fault.text, fault.facts, number))
    named = {line.batch_number for tranche in plan.tranches for line in tranche.ranges}
    if len({batches[number].is_test for number in named if number in batches}) > 1:
        found.append(Fault("mixed", N_("Test batches and real batches cannot be in one campaign.")))
    return tuple(found)


def _window_faults(plan: CampaignPlan, now: datetime) -> Iterator[Fault]:
    if not plan.waiting:
        yield Fault("no_tranche", N_("There is no prize pool to publish yet: add one."))
    if plan.starts_at >= plan.ends_at:
        yield Fault("window_order", N_("The campaign must end after it starts."))
    elif plan.ends_at - plan.starts_at > timedelta(days=WINDOW_DAYS_MAX):
        yield Fault("window_long", N_("A campaign runs for at most {days} days."), {"days": WINDOW_DAYS_MAX})
    if plan.ends_at <= now:
        yield Fault("window_past", N_("The end of the campaign has passed."))
    if not plan.has_sponsor:
        yield Fault(
            "no_sponsor", N_("The brand needs a company name and a support contact: the rules page names both.")
        )


def _budget_faults(plan: CampaignPlan) -> Iterator[Fault]:
    whole = totals(plan.tranches)
    if any(tranche.has_odds for tranche in plan.tranches):
        yield from _odds_budget_faults(plan, whole)
        return
    if whole.sum_fen > plan.budget_fen:
        yield Fault(
            "over_budget_fen",
            N_("The red packets add up to {sum} yuan; the budget is {budget} yuan."),
            {"sum": yuan(whole.sum_fen), "budget": yuan(plan.budget_fen)},
        )
    if whole.sum_points > plan.budget_points:
        yield Fault(
            "over_budget_points",
            N_("The points add up to {sum}; the budget is {budget}."),
            {"sum": whole.sum_points, "budget": plan.budget_points},
        )


def _odds_budget_faults(plan: CampaignPlan, whole: Totals) -> Iterator[Fault]:
    """The budget is counted down while people win, so the stock may well be worth more."""
    if not all(tranche.has_odds for tranche in plan.tranches):
        yield Fault("mixed_modes", N_("Pools with odds and pools with an exact table cannot share a budget."))
    for kind, sum_, budget in (
        ("red_packet", whole.sum_fen, plan.budget_fen),
        ("points", whole.sum_points, plan.budget_points),
    ):
        prizes = [prize for tranche in plan.tranches for prize in tranche.prizes if prize.kind == kind]
        if sum_ and budget < max(prize.most for prize in prizes):
            yield Fault("budget_below_prize", N_("The budget does not even pay the largest prize once."))


def _own_overlaps(plan: CampaignPlan) -> Iterator[Fault]:
    lines = sorted(
        (line for tranche in plan.tranches for line in tranche.ranges), key=lambda line: (line.batch_number, line.first)
    )
    for before, after in pairwise(lines):
        if before.batch_number == after.batch_number and after.first <= before.last:
            yield Fault(
                "overlap_own",
                N_("Batch {batch}: codes {first} to {last} are named twice in this campaign."),
                {"batch": after.batch_number, "first": after.first, "last": min(before.last, after.last)},
            )


def _table_faults(tranche: TranchePlan) -> Iterator[Fault]:
    whole = totals([tranche])
    if not tranche.prizes:
        yield Fault("no_prize", N_("The prize table is empty: a campaign must have something to win."))
    if len(tranche.prizes) > PRIZES_MAX:
        yield Fault("many_prizes", N_("A prize table has at most {most} lines."), {"most": PRIZES_MAX})
    if tranche.has_odds:
        yield from _odds_faults(tranche)
    elif whole.prize_count > whole.size:
        yield Fault(
            "over_size",
            N_("There are {prizes} prizes for {codes} codes."),
            {"prizes": whole.prize_count, "codes": whole.size},
        )
    if not (tranche.thanks_zh and tranche.thanks_en) and (whole.thanks_count > 0 or tranche.has_odds):
        yield Fault("no_thanks_name", N_("Say in both languages what codes without a prize show."))
    for line, prize in enumerate(tranche.prizes, 1):
        yield from _prize_faults(line, prize)


def _odds_faults(tranche: TranchePlan) -> Iterator[Fault]:
    for line, prize in enumerate(tranche.prizes, 1):
        if not 1 <= (prize.chance_ppm or 0) <= WHOLE_PPM:
            yield Fault("prize_chance", N_("Prize {line}: say its odds, 0.0001% to 100%."), {"line": line})
    if sum(prize.chance_ppm or 0 for prize in tranche.prizes) > WHOLE_PPM:
        yield Fault("odds_over", N_("The odds add up to more than 100%."))


def _prize_faults(line: int, prize: PrizeLine) -> Iterator[Fault]:
    if prize.most < prize.amount:
        yield Fault("amount_order", N_("Prize {line}: the amounts go from a lower to a higher one."), {"line": line})
    if prize.kind == "red_packet" and not RED_PACKET_FEN_MIN <= prize.amount <= prize.most <= RED_PACKET_FEN_MAX:
        yield Fault(
            "red_packet_amount",
            N_("Prize {line}: a red packet is {least} to {most} yuan."),
            {"line": line, "least": yuan(RED_PACKET_FEN_MIN), "most": yuan(RED_PACKET_FEN_MAX)},
        )
    if prize.kind == "points" and not 1 <= prize.amount <= prize.most <= POINTS_MAX:
        yield Fault("points_amount", N_("Prize {line}: give 1 to {most} points."), {"line": line, "most": POINTS_MAX})
    if prize.kind not in ("red_packet", "points"):
        yield Fault("prize_kind", N_("Prize {line}: choose red packet or points."), {"line": line})
    if prize.kind == "red_packet" and prize.most > PRIZE_FEN_MAX:
        yield Fault(
            "legal_maximum",
            N_("Prize {line}: the law allows no prize above {most} yuan."),
            {"line": line, "most": yuan(PRIZE_FEN_MAX)},
        )
    if prize.count < 1:
        yield Fault("prize_count", N_("Prize {line}: there must be at least one."), {"line": line})
    if not (prize.name_zh and prize.name_en):
        yield Fault("prize_name", N_("Prize {line}: name it in both languages."), {"line": line})


def _range_faults(
    plan: CampaignPlan,
    tranche: TranchePlan,
    batches: Mapping[int, BatchState],
    taken: Sequence[Taken],
    claimed: Mapping[RangeLine, int],
) -> Iterator[Fault]:
    if not tranche.ranges:
        yield Fault("no_range", N_("Choose the codes that take part."))
    if len(tranche.ranges) > RANGES_MAX:
        yield Fault("many_ranges", N_("A prize pool has at most {most} ranges of codes."), {"most": RANGES_MAX})
    for number in sorted({line.batch_number for line in tranche.ranges}):
        yield from _batch_faults(plan, number, batches.get(number))
    for line in tranche.ranges:
        facts = {"batch": line.batch_number, "first": line.first, "last": line.last}
        batch = batches.get(line.batch_number)
        if line.first > line.last or line.first < 0:
            yield Fault("range_order", N_("Batch {batch}: codes {first} to {last} is no range."), facts)
        elif batch is not None and line.last >= batch.count:
            text = N_("Batch {batch} has codes 0 to {end}; codes {first} to {last} do not exist.")
            yield Fault("range_missing", text, {**facts, "end": batch.count - 1})
        for other in (other for other in taken if overlap(other.range, line)):
            text = N_("Batch {batch}: codes {first} to {last} belong to “{name}”, which has not ended.")
            yield Fault("overlap_other", text, {**_shared(line, other.range), "name": other.name})
        if claimed.get(line):
            text = N_("Batch {batch}: {count} of the codes {first} to {last} are claimed already; leave them out.")
            yield Fault("claimed", text, {**facts, "count": claimed[line]})


def _batch_faults(plan: CampaignPlan, number: int, batch: BatchState | None) -> Iterator[Fault]:
    if batch is None or batch.brand_id != plan.brand_id:
        # Whether the number exists at another brand is none of this brand's business.
        yield Fault("batch_foreign", N_("This brand has no batch {batch}."), {"batch": number})
    elif not batch.is_ready:
        yield Fault("batch_not_ready", N_("Batch {batch} is not made yet."), {"batch": number})
    elif not batch.pays:
        yield Fault("batch_never_pays", N_("Batch {batch} has no inner codes; only those pay."), {"batch": number})


def overlap(one: RangeLine, other: RangeLine) -> bool:
    """Whether they share a code."""
    return one.batch_number == other.batch_number and one.first <= other.last and other.first <= one.last


def _shared(one: RangeLine, other: RangeLine) -> dict[str, int]:
    return {"batch": one.batch_number, "first": max(one.first, other.first), "last": min(one.last, other.last)}


def repeated(lines: Sequence[RangeLine]) -> list[RangeLine]:
    """Ranges that begin at the same code as another: they cannot even be kept as a draft."""
    counts = Counter((line.batch_number, line.first) for line in lines)
    return [line for line in lines if counts[line.batch_number, line.first] > 1]


def yuan(fen: int) -> str:
    """``1234567`` -> ``12,345.67``."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def fen_of(text: str) -> int:
    """Yuan as a person types them -> fen, exactly: ``8.8``, ``¥1,000``, ``8。88``. Raises ValueError otherwise."""
    plain = unicodedata.normalize("NFKC", text).replace("。", ".").strip().lstrip("¥").rstrip("元").strip()
    found = YUAN.fullmatch(plain)
    if found is None:
        raise ValueError("not an amount of yuan")
    return int(found["whole"].replace(",", "")) * 100 + int((found["part"] or "").ljust(2, "0"))
