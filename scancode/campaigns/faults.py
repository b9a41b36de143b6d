"""Everything that keeps a plan from being published. Pure.

All faults are found at once, so that marketing mends a plan in one go; the editor shows the same list that publication
refuses by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from scancode.campaigns.chance import WHOLE_PPM
from scancode.campaigns.conditions import POINTS_MAX, RED_PACKET_FEN_MAX, RED_PACKET_FEN_MIN
from scancode.campaigns.planning import (
    CAMPAIGNS_A_CODE_MAX,
    PRIZE_FEN_MAX,
    PRIZES_MAX,
    RANGES_MAX,
    WINDOW_DAYS_MAX,
    BatchState,
    CampaignPlan,
    Fault,
    PrizeLine,
    RangeLine,
    Reserve,
    Taken,
    TranchePlan,
    overlap,
    totals,
    yuan,
)
from scancode.i18n import N_


def faults(
    plan: CampaignPlan,
    *,
    batches: Mapping[int, BatchState],
    taken: Sequence[Taken],
    claimed: Mapping[RangeLine, int],
    now: datetime,
    left: Reserve | None = None,
) -> tuple[Fault, ...]:
    """Everything that keeps the plan's waiting tranches from being published now; empty when nothing does.

    ``batches``: those named by the plan, as far as they exist. ``taken``: what other campaigns hold that have not
    ended. ``claimed``: how many codes of a range somebody has claimed already. ``left``: of the budgets, where they are
    counted down already.
    """
    found = [*_window_faults(plan, now), *_budget_faults(plan, left), *_own_overlaps(plan)]
    for number, tranche in enumerate(plan.tranches, 1):
        if tranche.is_published:
            continue
        shared = _sharing_faults(plan, tranche, taken, now)
        for fault in (*_table_faults(tranche), *_range_faults(plan, tranche, batches, claimed), *shared):
            found.append(Fault(fault.code, fault.text, fault.facts, number))
    named = {line.batch_number for tranche in plan.tranches for line in tranche.ranges}
    if len({batches[number].is_test for number in named if number in batches}) > 1:
        found.append(Fault("mixed", N_("Test batches and real batches cannot be in one campaign. Leave one kind out.")))
    return tuple(found)


def _window_faults(plan: CampaignPlan, now: datetime) -> Iterator[Fault]:
    if not plan.waiting:
        yield Fault("no_tranche", N_("There is no prize pool to publish yet: add one."))
    if plan.starts_at >= plan.ends_at:
        yield Fault("window_order", N_("The campaign must end after it starts."))
    elif plan.ends_at - plan.starts_at > timedelta(days=WINDOW_DAYS_MAX):
        yield Fault("window_long", N_("A campaign runs for at most {days} days."), {"days": WINDOW_DAYS_MAX})
    if plan.ends_at <= now:
        yield Fault("window_past", N_("The end of the campaign has passed. Move it later."))
    if not plan.has_sponsor:
        text = N_(
            "The brand needs a company name and a support contact, because the rules page names both. "
            "An administrator writes them under Brands."
        )
        yield Fault("no_sponsor", text)


def _budget_faults(plan: CampaignPlan, left: Reserve | None) -> Iterator[Fault]:
    """What is sure to be needed is reserved; wheels are counted down from the rest, so their stock may well be worth
    more."""
    sure, before = plan.reserved(plan.tranches), plan.reserved(plan.published)
    if sure.fen > plan.budget_fen or (left and sure.fen - before.fen > left.fen):
        text = N_("The red packets add up to {sum} yuan; the budget is {budget} yuan. Promise less, or raise it.")
        if left:
            text = N_("The red packets add up to {sum} yuan; the budget has {budget} yuan for them. Promise less.")
        facts = {"sum": yuan(sure.fen), "budget": yuan(before.fen + left.fen if left else plan.budget_fen)}
        yield Fault("over_budget_fen", text, facts)
    if sure.points > plan.budget_points or (left and sure.points - before.points > left.points):
        text = N_("The points add up to {sum:,}; the budget is {budget:,}. Promise less, or raise it.")
        if left:
            text = N_("The points add up to {sum:,}; the budget has {budget:,} for them. Promise less.")
        points = {"sum": sure.points, "budget": before.points + left.points if left else plan.budget_points}
        yield Fault("over_budget_points", text, points)
    if plan.lost_marks:
        yield Fault("marks_gone", N_("The conditions name a tag or a tier that is no longer there. Choose again."))
    for kind, rest in (("red_packet", plan.budget_fen - sure.fen), ("points", plan.budget_points - sure.points)):
        wheels = [prize for tranche in plan.tranches if tranche.has_odds for prize in tranche.prizes]
        if 0 <= rest < max((prize.most for prize in wheels if prize.kind == kind), default=0):
            yield Fault("budget_below_prize", N_("The budget does not even pay the largest prize once. Raise it."))


def _own_overlaps(plan: CampaignPlan) -> Iterator[Fault]:
    lines = sorted(
        (line for tranche in plan.tranches for line in tranche.ranges), key=lambda line: (line.batch_number, line.first)
    )
    for before, after in pairwise(lines):
        if before.batch_number == after.batch_number and after.first <= before.last:
            yield Fault(
                "overlap_own",
                N_("Batch {batch}: codes {first} to {last} are named twice in this campaign. Name them once."),
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
            N_("There are {prizes:,} prizes for {codes:,} codes. Put in fewer prizes, or more codes."),
            {"prizes": whole.prize_count, "codes": whole.size},
        )
    if not (tranche.thanks_zh and tranche.thanks_en) and (whole.thanks_count > 0 or tranche.has_odds):
        yield Fault("no_thanks_name", N_("Say in both languages what codes without a prize show."))
    if tranche.prizes and all(prize.kind == "again" for prize in tranche.prizes):
        yield Fault("only_again", N_("One more turn is no prize: there must be something else to win."))
    for line, prize in enumerate(tranche.prizes, 1):
        yield from _prize_faults(line, prize)
        if prize.kind == "again" and not tranche.has_odds:
            text = N_(
                "Prize {line}: one more turn needs odds. In an exact table every code holds one prize from the start."
            )
            yield Fault("again_exact", text, {"line": line})


def _odds_faults(tranche: TranchePlan) -> Iterator[Fault]:
    for line, prize in enumerate(tranche.prizes, 1):
        if not 1 <= (prize.chance_ppm or 0) <= WHOLE_PPM:
            yield Fault("prize_chance", N_("Prize {line}: say its odds, 0.0001% to 100%."), {"line": line})
    if sum(prize.chance_ppm or 0 for prize in tranche.prizes) > WHOLE_PPM:
        yield Fault("odds_over", N_("The odds add up to more than 100%. Lower some of them."))


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
        yield Fault("points_amount", N_("Prize {line}: give 1 to {most:,} points."), {"line": line, "most": POINTS_MAX})
    if prize.kind not in ("red_packet", "points", "again"):
        yield Fault("prize_kind", N_("Prize {line}: choose red packet, points or one more turn."), {"line": line})
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
    claimed: Mapping[RangeLine, int],
) -> Iterator[Fault]:
    if not tranche.ranges:
        yield Fault("no_range", N_("Choose the codes that take part."))
    if len(tranche.ranges) > RANGES_MAX:
        yield Fault("many_ranges", N_("A prize pool has at most {most} ranges of codes."), {"most": RANGES_MAX})
    numbers = sorted({line.batch_number for line in tranche.ranges})
    for number in numbers:
        yield from _batch_faults(plan, number, batches.get(number))
    yield from _item_faults(plan, tranche, [batches[number] for number in numbers if number in batches])
    for line in tranche.ranges:
        facts = {"batch": line.batch_number, "first": line.first, "last": line.last}
        batch = batches.get(line.batch_number)
        if line.first > line.last or line.first < 0:
            yield Fault("range_order", N_("Batch {batch}: codes {first} to {last} is no range."), facts)
        elif batch is not None and line.last >= batch.count:
            text = N_("Batch {batch} has codes 0 to {end}; codes {first} to {last} do not exist.")
            yield Fault("range_missing", text, {**facts, "end": batch.count - 1})
        # Beside others a wheel turns for what they leave; an exact table is for codes that nobody has claimed.
        if claimed.get(line) and (plan.is_exclusive or not tranche.has_odds):
            text = N_("Batch {batch}: {count:,} of the codes {first} to {last} are claimed already; leave them out.")
            yield Fault("claimed", text, {**facts, "count": claimed[line]})


def _sharing_faults(plan: CampaignPlan, tranche: TranchePlan, taken: Sequence[Taken], now: datetime) -> Iterator[Fault]:
    """Other campaigns over the same codes: only where none of them is exclusive, and where each can still give."""
    for line in tranche.ranges:
        others = [other for other in taken if overlap(other.range, line)]
        for other in others:
            facts = {**_shared(line, other.range), "name_zh": other.name_zh, "name_en": other.name_en}
            if other.is_exclusive:
                text = N_(
                    "Batch {batch}: codes {first} to {last} belong to “{name}” alone, which has not ended. "
                    "Leave them out, or wait for its end."
                )
                yield Fault("overlap_other", text, facts)
            elif plan.is_exclusive:
                text = N_(
                    "Batch {batch}: codes {first} to {last} are in “{name}” too, which has not ended. "
                    "Leave them out, or let these codes take part in other campaigns, too: edit the terms."
                )
                yield Fault("overlap_exclusive", text, facts)
            elif plan.goes_first(other):
                if plan.conditions.is_for_all and _spans(plan, other, now):
                    text = N_(
                        "Batch {batch}: “{name}” could never give its prizes for the codes {first} to {last}, because "
                        "this campaign would go first for all of them until that one ends. Lower the priority, or set "
                        "conditions."
                    )
                    yield Fault("starves_other", text, facts)
            elif other.is_for_all and _spans(other, plan, now):
                text = N_(
                    "Batch {batch}: the codes {first} to {last} could never win here, because “{name}” goes first for "
                    "all of them until this campaign ends. Raise the priority, or leave them out."
                )
                yield Fault("starved", text, facts)
        if len({other.campaign_id for other in others}) >= CAMPAIGNS_A_CODE_MAX:
            text = N_("Batch {batch}: at most {most} campaigns may share a code. Leave these codes out.")
            yield Fault("many_campaigns", text, {"batch": line.batch_number, "most": CAMPAIGNS_A_CODE_MAX})


def _spans(one: CampaignPlan | Taken, other: CampaignPlan | Taken, now: datetime) -> bool:
    """Whether one runs for as long as the other still will."""
    return one.starts_at <= max(other.starts_at, now) and one.ends_at >= other.ends_at


def _item_faults(plan: CampaignPlan, tranche: TranchePlan, batches: Sequence[BatchState]) -> Iterator[Fault]:
    """Batches that the conditions leave out: an exact table would hold prizes for codes that can never claim them."""
    out = [one for one in batches if one.product_id and not plan.conditions.takes_item(one.product_id, one.number)]
    if tranche.has_odds and len(out) < len(batches):
        return
    for batch in out:
        text = N_(
            "Batch {batch} is of none of the products or batches that the conditions choose, so nobody could claim. "
            "Leave it out, or choose it there, too."
        )
        yield Fault("batch_left_out", text, {"batch": batch.number})


def _batch_faults(plan: CampaignPlan, number: int, batch: BatchState | None) -> Iterator[Fault]:
    facts = {"batch": number}
    if batch is None or batch.brand_id != plan.brand_id:
        # Whether the number exists at another brand is none of this brand's business.
        yield Fault("batch_foreign", N_("This brand has no batch {batch}. Choose another one."), facts)
    elif not batch.is_ready:
        yield Fault("batch_not_ready", N_("Batch {batch} is not made yet. Wait for it, or leave it out."), facts)
    elif not batch.pays:
        yield Fault(
            "batch_never_pays", N_("Batch {batch} has no inner codes, and only those pay. Leave it out."), facts
        )


def _shared(one: RangeLine, other: RangeLine) -> dict[str, int]:
    return {"batch": one.batch_number, "first": max(one.first, other.first), "last": min(one.last, other.last)}
