"""What a campaign will cost before it is published: its pools are played many times over, as people might claim them.

Pure: the same plan and seed give the same figures. In an exact pool only the order of claims is left to chance, so the
spread vanishes when every code is claimed, and that sum is also the worst case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from scancode.campaigns.chance import TURNS_MAX, WHOLE_PPM
from scancode.campaigns.planning import CampaignPlan, PrizeLine, TranchePlan, totals

SHARES = (0.05, 0.2, 0.5, 0.8, 1.0)
RUNS = 400
LOW, HIGH = 5, 95
EXACT_SIZE_MAX = 10**9
"""Above so many codes numpy draws with putting back, which no longer makes a difference."""

Sums = NDArray[np.int64]


@dataclass(frozen=True)
class Spread:
    """What nine of ten runs lie between, and their mean: fen or points."""

    low: int
    mean: int
    high: int


@dataclass(frozen=True)
class Played:
    """What it comes to when ``codes``, this share of all, are claimed."""

    share: float
    codes: int
    fen: Spread
    points: Spread


@dataclass(frozen=True)
class Forecast:
    """``worst_fen`` and ``worst_points`` are never exceeded. Points given several times over, and those of n-th codes,
    count in the worst case alone. ``left`` is what it comes to when campaigns that go first take every code that they
    share, and all others are claimed; None where there is no such campaign."""

    played: tuple[Played, ...]
    worst_fen: int
    worst_points: int
    left: Played | None = None


def forecast(plan: CampaignPlan, *, seed: int, first: Mapping[UUID, int] | None = None) -> Forecast:
    """Plays all the pools together, at several shares of claimed codes. ``first``: how many codes of a pool campaigns
    share that go first."""
    rng = np.random.default_rng(seed)
    pools = [pool for pool in plan.tranches if pool.has_odds or totals([pool]).thanks_count >= 0]
    worst = plan.most
    return Forecast(
        played=tuple(_play(pools, share, (worst.fen, worst.points), rng) for share in SHARES),
        worst_fen=worst.fen,
        worst_points=worst.points,
        left=_play(pools, 1.0, (worst.fen, worst.points), rng, first) if first else None,
    )


def _play(
    pools: Sequence[TranchePlan],
    share: float,
    budgets: tuple[int, int],
    rng: np.random.Generator,
    without: Mapping[UUID, int] | None = None,
) -> Played:
    fen, points = np.zeros(RUNS, np.int64), np.zeros(RUNS, np.int64)
    codes = 0
    for pool in pools:
        elsewhere = without.get(pool.id, 0) if without and pool.id else 0
        claimed = round(max(0, totals([pool]).size - elsewhere) * share)
        codes += claimed
        if not pool.prizes or not claimed:
            continue
        won = _won(pool, claimed, rng)
        fen += _sums(pool.prizes, won, "red_packet")
        points += _sums(pool.prizes, won, "points")
    return Played(share, codes, _spread(np.minimum(fen, budgets[0])), _spread(np.minimum(points, budgets[1])))


def _won(pool: TranchePlan, claimed: int, rng: np.random.Generator) -> Sums:
    """How many of each prize, run by run: claims take places of the table without putting them back, or turn the
    wheel while the stock lasts."""
    whole = totals([pool])
    if pool.has_odds:
        chances = np.array([prize.chance_ppm or 0 for prize in pool.prizes]) / WHOLE_PPM
        chances /= max(1.0, float(chances.sum()))
        odds = [*chances, max(0.0, 1 - float(chances.sum()))]
        stock, again = np.array([prize.count for prize in pool.prizes]), [one.kind == "again" for one in pool.prizes]
        won, turning = np.zeros((RUNS, len(pool.prizes)), np.int64), np.full(RUNS, claimed)
        for turn in range(1, TURNS_MAX + 1):
            turned = rng.multinomial(turning, odds)[:, :-1]
            if turn == TURNS_MAX:
                turned[:, again] = 0
            gained = np.minimum(turned, stock - won)
            won, turning = won + gained, gained[:, again].sum(axis=1)
        return won
    counts = [*(prize.count for prize in pool.prizes), whole.thanks_count]
    if whole.size > EXACT_SIZE_MAX:
        drawn = rng.multinomial(claimed, np.array(counts) / whole.size, size=RUNS)
    else:
        drawn = rng.multivariate_hypergeometric(counts, claimed, size=RUNS, method="marginals")
    return np.asarray(drawn[:, :-1], np.int64)


def _sums(prizes: Sequence[PrizeLine], won: Sums, kind: str) -> Sums:
    """Random amounts count with their average: an exact table adds up to it, and a wheel's luck evens out."""
    worth = np.array([prize.average if prize.kind == kind else 0.0 for prize in prizes])
    return np.asarray(won @ worth, np.int64)


def _spread(sums: Sums) -> Spread:
    low, high = np.percentile(sums, (LOW, HIGH), method="nearest")
    return Spread(int(low), round(float(sums.mean())), int(high))
