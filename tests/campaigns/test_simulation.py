from __future__ import annotations

from dataclasses import replace

from scancode.campaigns import simulation
from scancode.campaigns.planning import CampaignPlan, PrizeLine, RangeLine, TranchePlan
from scancode.campaigns.simulation import SHARES, Forecast
from scancode.db import new_id
from tests.factories import NOW

PACKETS = PrizeLine("red_packet", 1000, 100, "红包", "Red packet")
POINTS = PrizeLine("points", 5, 9_900, "积分", "Points")


def forecast(pools: list[TranchePlan], seed: int, budget_fen: int = 10**9) -> Forecast:
    plan = CampaignPlan(new_id(NOW), new_id(NOW), "draft", NOW, NOW, budget_fen, 10**9, True, tuple(pools))
    return simulation.forecast(plan, seed=seed)


def pool(*prizes: PrizeLine, codes: int = 10_000) -> TranchePlan:
    return TranchePlan((RangeLine(1, 0, codes - 1),), prizes, "谢谢", "Thanks")


def test_all_codes_claimed_cost_exactly_the_table() -> None:
    found = forecast([pool(PACKETS, POINTS), pool(PACKETS)], seed=1)
    last = found.played[-1]
    assert (last.share, last.codes) == (1.0, 20_000)
    assert last.fen.low == last.fen.mean == last.fen.high == found.worst_fen == 200_000
    assert last.points.low == last.points.high == found.worst_points == 49_500


def test_some_codes_claimed_cost_about_their_share() -> None:
    found = forecast([pool(PACKETS)], seed=1)
    half = found.played[SHARES.index(0.5)]
    assert abs(half.fen.mean - 50_000) < 2_000
    assert 0 < half.fen.low < half.fen.mean < half.fen.high < found.worst_fen


def test_the_same_plan_gives_the_same_figures() -> None:
    assert forecast([pool(PACKETS)], seed=7) == forecast([pool(PACKETS)], seed=7)


def test_nothing_and_too_much_are_played_too() -> None:
    assert forecast([], seed=1).worst_fen == 0
    assert forecast([pool(codes=10)], seed=1).played[-1].fen.high == 0
    assert forecast([pool(PACKETS, codes=5)], seed=1).played[-1].codes == 0, "more prizes than codes: a fault"


def test_more_codes_than_numpy_can_take_without_putting_back() -> None:
    big = TranchePlan(tuple(RangeLine(n, 0, 2**25 - 1) for n in range(40)), (PACKETS,), "谢谢", "Thanks")
    assert forecast([big], seed=1).worst_fen == 100_000


def test_further_turns_are_played_too_and_cost_no_more_than_the_worst_case() -> None:
    again = PrizeLine("again", 0, 10_000, "再来一次", "One more turn", chance_ppm=500_000)
    money = PrizeLine("red_packet", 100, 10_000, "红包", "Red packet", chance_ppm=100_000)
    found = forecast([replace(pool(again, money), mode="odds")], seed=1)
    whole = found.played[-1]
    # Of 10,000 codes 1,000 win in the first turn, 500 of those 5,000 who turn again, 250 of the 2,500 after them.
    assert abs(whole.fen.mean - 175_000) < 3_000
    assert found.worst_fen == 1_000_000
    few = forecast([replace(pool(replace(again, count=10), money), mode="odds")], seed=1)
    assert abs(few.played[-1].fen.mean - 100_000) < 3_000


def test_a_wheel_costs_its_odds_until_stock_or_budget_are_gone() -> None:
    line = PrizeLine("red_packet", 50, 600, "红包", "Red packet", amount_most=150, chance_ppm=100_000)
    wheel = replace(pool(line), mode="odds")
    found = forecast([wheel], seed=1)
    assert abs(found.played[SHARES.index(0.2)].fen.mean - 20_000) < 1_000, "2,000 codes, one in ten, 1.00 on average"
    assert found.played[-1].fen.mean == 60_000, "the stock is gone"
    assert found.worst_fen == 90_000
    tight = forecast([wheel], seed=1, budget_fen=30_000)
    assert tight.worst_fen == tight.played[-1].fen.high == 30_000
