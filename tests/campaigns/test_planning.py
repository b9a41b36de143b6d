"""What keeps a plan from being published: each fault on both sides of its boundary, all of them at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from scancode.campaigns.conditions import Conditions
from scancode.campaigns.faults import faults
from scancode.campaigns.planning import (
    BatchState,
    CampaignPlan,
    Fault,
    PrizeLine,
    RangeLine,
    Taken,
    TranchePlan,
    fen_of,
    totals,
    whole_of,
    yuan,
)

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
BRAND, OTHER = UUID(int=1), UUID(int=2)
BATCH = BatchState(7, BRAND, 1000, is_test=False, is_ready=True, pays=True)
PACKET = PrizeLine("red_packet", 100, 10, "红包", "Red packet")
POINTS = PrizeLine("points", 50, 100, "积分", "Points")
POOL = TranchePlan((RangeLine(7, 0, 999),), (PACKET, POINTS), "谢谢参与", "Thank you")
PLAN = CampaignPlan(
    id=UUID(int=9),
    brand_id=BRAND,
    state="draft",
    starts_at=NOW,
    ends_at=NOW + timedelta(days=30),
    budget_fen=1000,
    budget_points=5000,
    has_sponsor=True,
    tranches=(POOL,),
)


def codes(plan: CampaignPlan = PLAN, **over: Any) -> list[str]:
    return [fault.code for fault in found(plan, **over)]


def found(plan: CampaignPlan, **over: Any) -> tuple[Fault, ...]:
    world: dict[str, Any] = {"batches": {7: BATCH}, "taken": (), "claimed": {}, "now": NOW}
    return faults(plan, **(world | over))


def pool(**over: Any) -> CampaignPlan:
    return replace(PLAN, tranches=(replace(POOL, **over),))


def taken(first: int, last: int, **over: Any) -> Taken:
    """Codes of another campaign of priority 0 that runs as long and gives everybody."""
    facts: dict[str, Any] = {
        "campaign_id": UUID(int=3),
        "name_zh": "别的活动",
        "name_en": "Another one",
        "priority": 0,
        "is_exclusive": False,
        "is_for_all": True,
        "starts_at": NOW,
        "ends_at": NOW + timedelta(days=30),
        "published_at": NOW - timedelta(days=1),
    }
    return Taken(range=RangeLine(7, first, last), **(facts | over))


def test_a_good_plan_has_no_fault() -> None:
    assert codes() == []


def test_it_adds_up_what_the_codes_cost() -> None:
    whole = totals([POOL])
    assert (whole.size, whole.prize_count, whole.thanks_count) == (1000, 110, 890)
    assert (whole.sum_fen, whole.sum_points) == (1000, 5000)
    assert (whole.average_fen, whole.average_points) == (1.0, 5.0)
    assert totals([]).average_fen == totals([]).average_points == 0


class TestTheWindow:
    def test_it_ends_after_it_starts(self) -> None:
        assert codes(replace(PLAN, starts_at=PLAN.ends_at)) == ["window_order"]
        assert codes(replace(PLAN, starts_at=PLAN.ends_at - TICK)) == []

    def test_its_end_is_still_to_come(self) -> None:
        past = replace(PLAN, starts_at=NOW - timedelta(days=2))
        assert codes(replace(past, ends_at=NOW)) == ["window_past"]
        assert codes(replace(past, ends_at=NOW + TICK)) == []

    def test_it_is_at_most_five_years(self) -> None:
        assert codes(replace(PLAN, ends_at=NOW + timedelta(days=1830))) == []
        assert codes(replace(PLAN, ends_at=NOW + timedelta(days=1830) + TICK)) == ["window_long"]

    def test_it_needs_a_pool_and_a_sponsor(self) -> None:
        assert codes(replace(PLAN, tranches=())) == ["no_tranche"]
        assert codes(replace(PLAN, has_sponsor=False)) == ["no_sponsor"]


class TestTheBudget:
    def test_it_is_never_exceeded_by_a_fen_or_a_point(self) -> None:
        assert codes(replace(PLAN, budget_fen=999)) == ["over_budget_fen"]
        assert codes(replace(PLAN, budget_points=4999)) == ["over_budget_points"]

    def test_published_pools_count_too(self) -> None:
        done = replace(POOL, is_published=True, ranges=(RangeLine(8, 0, 999),))
        both = replace(PLAN, tranches=(done, POOL))
        batches = {7: BATCH, 8: replace(BATCH, number=8)}
        assert codes(both, batches=batches) == ["over_budget_fen", "over_budget_points"]
        assert codes(replace(both, budget_fen=2000, budget_points=10_000), batches=batches) == []


class TestTheTable:
    @pytest.mark.parametrize(("fen", "fits"), [(9, False), (10, True), (20_000, True), (20_001, False)])
    def test_a_red_packet_is_ten_fen_to_two_hundred_yuan(self, fen: int, fits: bool) -> None:
        plan = replace(pool(prizes=(replace(PACKET, amount=fen, count=1),)), budget_fen=10**9)
        assert codes(plan) == ([] if fits else ["red_packet_amount"])

    @pytest.mark.parametrize(("points", "fits"), [(0, False), (1, True), (1_000_000, True), (1_000_001, False)])
    def test_points_have_limits(self, points: int, fits: bool) -> None:
        plan = replace(pool(prizes=(replace(POINTS, amount=points, count=1),)), budget_points=10**9)
        assert codes(plan) == ([] if fits else ["points_amount"])

    def test_no_prize_is_above_the_legal_maximum(self) -> None:
        at, above = (
            replace(pool(prizes=(replace(PACKET, amount=fen, count=1),)), budget_fen=10**9)
            for fen in (5_000_000, 5_000_001)
        )
        assert "legal_maximum" not in codes(at)
        assert "legal_maximum" in codes(above)

    def test_it_fits_the_codes(self) -> None:
        plenty = {"budget_fen": 10**9, "budget_points": 10**9}
        assert codes(replace(pool(prizes=(replace(PACKET, count=1000),)), **plenty)) == []
        assert codes(replace(pool(prizes=(replace(PACKET, count=1001),)), **plenty)) == ["over_size"]

    def test_it_is_not_empty_and_has_counts_kinds_and_names(self) -> None:
        assert codes(pool(prizes=())) == ["no_prize"]
        assert codes(pool(prizes=(replace(PACKET, count=0),))) == ["prize_count"]
        assert codes(pool(prizes=(replace(PACKET, kind="car", count=1),))) == ["prize_kind"]
        assert codes(pool(prizes=(replace(PACKET, name_en=""),))) == ["prize_name"]
        assert codes(pool(prizes=(replace(PACKET, amount=10, count=1),) * 51)) == ["many_prizes"]
        assert codes(pool(prizes=(replace(PACKET, amount=10, count=1),) * 50)) == []

    def test_thanks_need_a_name_only_where_there_are_any(self) -> None:
        assert codes(pool(thanks_zh="")) == ["no_thanks_name"]
        full = replace(pool(thanks_zh="", prizes=(replace(PACKET, count=1000),)), budget_fen=10**9)
        assert codes(full) == []


class TestTheRanges:
    def test_they_exist(self) -> None:
        small = {"prizes": (replace(PACKET, count=1),)}
        assert codes(pool(ranges=(), **small))[-1] == "no_range"
        assert codes(pool(ranges=(RangeLine(7, 999, 999),), **small)) == []
        assert codes(pool(ranges=(RangeLine(7, 999, 1000),), **small)) == ["range_missing"]
        assert codes(pool(ranges=(RangeLine(7, -1, 10),), **small)) == ["range_order"]
        assert codes(pool(ranges=(RangeLine(7, 0, 0), RangeLine(7, 6, 5)), **small)) == ["range_order"]
        many = tuple(RangeLine(7, number, number) for number in range(201))
        assert codes(pool(ranges=many, **small)) == ["many_ranges"]
        assert codes(pool(ranges=many[:200], **small)) == []

    def test_their_batch_is_of_this_brand_made_and_paying(self) -> None:
        assert codes(batches={}) == ["batch_foreign"]
        assert codes(batches={7: replace(BATCH, brand_id=OTHER)}) == ["batch_foreign"]
        assert codes(batches={7: replace(BATCH, is_ready=False)}) == ["batch_not_ready"]
        assert codes(batches={7: replace(BATCH, pays=False)}) == ["batch_never_pays"]

    def test_test_and_real_batches_do_not_mix(self) -> None:
        both = pool(ranges=(RangeLine(7, 0, 999), RangeLine(8, 0, 9)))
        assert codes(both, batches={7: BATCH, 8: replace(BATCH, number=8)}) == []
        assert codes(both, batches={7: BATCH, 8: replace(BATCH, number=8, is_test=True)}) == ["mixed"]

    def test_they_do_not_overlap_each_other(self) -> None:
        assert codes(pool(ranges=(RangeLine(7, 0, 500), RangeLine(7, 501, 999)))) == []
        assert codes(pool(ranges=(RangeLine(7, 0, 500), RangeLine(7, 500, 999)))) == ["overlap_own"]

    def test_they_do_not_overlap_across_pools(self) -> None:
        poor = replace(POOL, prizes=(replace(PACKET, count=1),))
        one = replace(poor, ranges=(RangeLine(7, 0, 500),))
        for published in (True, False):
            other = replace(poor, ranges=(RangeLine(7, 500, 999),), is_published=published)
            assert codes(replace(PLAN, tranches=(other, one))) == ["overlap_own"]

    def test_they_do_not_overlap_a_campaign_that_has_not_ended(self) -> None:
        half = pool(ranges=(RangeLine(7, 0, 499),))
        touching = taken(500, 999, is_exclusive=True)
        assert codes(half, taken=(touching,)) == []
        (fault,) = found(half, taken=(replace(touching, range=RangeLine(7, 499, 999)),))
        assert fault.code == "overlap_other"
        assert fault.facts == {"batch": 7, "first": 499, "last": 499, "name_zh": "别的活动", "name_en": "Another one"}

    def test_codes_are_shared_only_where_both_share(self) -> None:
        shared = replace(PLAN, is_exclusive=False, conditions=Conditions(stores=("a",)), priority=1)
        assert codes(shared, taken=(taken(0, 9),)) == []
        assert codes(shared, taken=(taken(0, 9, is_exclusive=True),)) == ["overlap_other"]
        (fault,) = found(replace(shared, is_exclusive=True), taken=(taken(0, 9),))
        assert (fault.code, fault.facts) == (
            "overlap_exclusive",
            {"batch": 7, "first": 0, "last": 9, "name_zh": "别的活动", "name_en": "Another one"},
        )

    def test_what_could_never_win_is_refused_on_either_side(self) -> None:
        same = replace(PLAN, is_exclusive=False)
        assert codes(same, taken=(taken(0, 9),)) == ["starved"], "with equal priority the earlier one goes first"
        assert codes(same, taken=(taken(0, 9, is_for_all=False),)) == []
        assert codes(same, taken=(taken(0, 9, ends_at=PLAN.ends_at - TICK),)) == []
        assert codes(same, taken=(taken(0, 9, starts_at=NOW + TICK),)) == []
        above = replace(same, priority=1)
        assert codes(above, taken=(taken(0, 9),)) == ["starves_other"]
        assert codes(above, taken=(taken(0, 9, ends_at=PLAN.ends_at + TICK),)) == []
        assert codes(replace(above, conditions=Conditions(members="members")), taken=(taken(0, 9),)) == []
        limits = Conditions(person_day_max=2, day_max=9, nth=2, nth_points=1)
        limited = replace(above, conditions=limits, budget_points=10**6)
        assert codes(limited, taken=(taken(0, 9),)) == ["starves_other"], "limits choose nobody"

    def test_a_batch_that_the_conditions_leave_out_is_refused(self) -> None:
        product, other = UUID(int=50), UUID(int=51)
        worlds = {7: replace(BATCH, product_id=product), 8: replace(BATCH, number=8, product_id=other)}
        both = replace(POOL, ranges=(RangeLine(7, 0, 999), RangeLine(8, 0, 999)))
        chosen = replace(PLAN, tranches=(both,), conditions=Conditions(products=(str(product),)))
        (fault,) = found(chosen, batches=worlds)
        assert (fault.code, fault.facts) == ("batch_left_out", {"batch": 8})
        also = replace(chosen, conditions=Conditions(products=(str(product),), batches=("8",)))
        assert codes(also, batches=worlds) == []
        wheel = replace(both, mode="odds", prizes=(replace(PACKET, chance_ppm=10_000),))
        assert codes(replace(chosen, tranches=(wheel,)), batches=worlds) == [], "the rest holds no prize of a table"
        none = replace(chosen, tranches=(wheel,), conditions=Conditions(batches=("9",)))
        assert codes(none, batches=worlds) == ["batch_left_out"] * 2

    def test_a_code_is_shared_by_so_many(self) -> None:
        shared = replace(PLAN, is_exclusive=False)
        others = [taken(0, 9, campaign_id=UUID(int=30 + one), is_for_all=False) for one in range(8)]
        assert codes(shared, taken=others[:7]) == []
        assert codes(shared, taken=others) == ["many_campaigns"]

    def test_a_wheel_that_shares_lies_over_claimed_codes(self) -> None:
        some = {RangeLine(7, 0, 999): 3}
        wheel = replace(POOL, mode="odds", prizes=(replace(PACKET, chance_ppm=10_000),))
        shared = replace(PLAN, is_exclusive=False, tranches=(wheel,))
        assert codes(shared, claimed=some) == []
        assert codes(replace(shared, is_exclusive=True), claimed=some) == ["claimed"]
        assert codes(replace(PLAN, is_exclusive=False), claimed=some) == ["claimed"], "an exact table does not"

    def test_they_hold_no_claimed_code(self) -> None:
        assert codes(claimed={RangeLine(7, 0, 999): 0}) == []
        (fault,) = found(PLAN, claimed={RangeLine(7, 0, 999): 3})
        assert (fault.code, fault.facts["count"], fault.tranche) == ("claimed", 3, 1)


def test_it_says_everything_at_once() -> None:
    bad = replace(
        pool(prizes=(replace(PACKET, amount=5, count=5000), replace(POINTS, count=0)), ranges=(RangeLine(8, 0, 9),)),
        starts_at=NOW,
        ends_at=NOW,
    )
    assert codes(bad) == [
        "window_order",
        "window_past",
        "over_budget_fen",
        "over_size",
        "red_packet_amount",
        "prize_count",
        "batch_foreign",
    ]


def test_a_published_pool_is_judged_no_more() -> None:
    done = replace(POOL, is_published=True, prizes=(replace(PACKET, amount=1),))
    assert codes(replace(PLAN, tranches=(done,))) == ["no_tranche"]


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("0", 0), ("8", 800), ("8.8", 880), ("8.88", 888), ("0.10", 10), ("200.00", 20_000), ("1,000", 100_000),
        ("12,345.67", 1_234_567), (" ¥8.88 ", 888), ("￥8.88", 888), ("8.88元", 888), ("８．８８", 888), ("8。5", 850),
    ],
)  # fmt: skip
def test_it_reads_yuan_to_the_fen(text: str, fen: int) -> None:
    assert fen_of(text) == fen


@pytest.mark.parametrize(
    "text", ["", ".", "8.", ".5", "8.888", "-1", "1e3", "1,5", "1,00", "八", "8 8", "9" * 13, "nan", "8²", "٣"]
)
def test_it_refuses_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        fen_of(text)


@pytest.mark.parametrize(("text", "number"), [("0", 0), (" 1000 ", 1000), ("1,000,000", 10**6), ("１０", 10)])
def test_it_reads_whole_numbers(text: str, number: int) -> None:
    assert whole_of(text) == number


@pytest.mark.parametrize("text", ["", "-1", "+5", "1.5", "1,5", "1,0000", "1e9", "NaN", "²", "١٢٣", "1_0", "9" * 14])
def test_it_refuses_what_is_no_whole_number(text: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        whole_of(text)


def test_it_writes_fen_as_yuan() -> None:
    assert [yuan(fen) for fen in (0, 5, 888, 1_234_567, -50)] == ["0.00", "0.05", "8.88", "12,345.67", "-0.50"]
