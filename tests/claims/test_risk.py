"""How much speaks against a claim: the rules alone, without a database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scancode.campaigns.conditions import HOLD_SCORE_MAX
from scancode.claims.risk import (
    TEXTS,
    USUAL_THRESHOLD,
    WEIGHTS,
    Glimpse,
    Reason,
    RiskFacts,
    from_texts,
    score,
    to_texts,
)

NOTHING = RiskFacts()
CARTON = RiskFacts(today=24, run=24, known_minutes=2, carton_claims=24, carton_people=1)
"""A family opens a carton of 24 at home, on its first day with the brand."""


def test_nothing_speaks_against_somebody_who_claims_one_code() -> None:
    assert score(replace(NOTHING, today=1, run=1, address_run=1, address_people=1)).points == 0


def test_a_whole_carton_at_home_is_no_theft() -> None:
    assert 0 < score(CARTON).points < USUAL_THRESHOLD


@pytest.mark.parametrize(
    "facts",
    [
        replace(NOTHING, today=40, run=40),
        replace(NOTHING, today=14, run=14, bulk=True),
        replace(NOTHING, run=12, address_run=40, address_people=12),
        replace(NOTHING, run=15, address_run=15, carton_claims=24, carton_people=4),
        replace(NOTHING, today=12, kmh=1500, outside_km=900),
    ],
)
def test_what_no_consumer_does_is_held(facts: RiskFacts) -> None:
    assert score(facts).points >= USUAL_THRESHOLD


@pytest.mark.parametrize(
    ("below", "above", "reason"),
    [
        ({"today": 9}, {"today": 10}, Reason.TODAY),
        ({"run": 11}, {"run": 12}, Reason.RUN),
        ({"address_run": 11}, {"address_run": 12}, Reason.ADDRESS_RUN),
        ({"carton_claims": 10, "carton_people": 2}, {"carton_claims": 10, "carton_people": 3}, Reason.CARTON),
        ({"address_people": 9}, {"address_people": 10}, Reason.CROWD),
        ({"known_minutes": 10}, {"known_minutes": 0}, Reason.YOUNG),
        ({"kmh": 1000}, {"kmh": 1001}, Reason.SPEED),
        ({"outside_km": None}, {"outside_km": 51}, Reason.PLACE),
        ({"misses": False}, {"misses": True}, Reason.MISSES),
        ({"bulk": False}, {"bulk": True}, Reason.BULK),
        ({"near_block": False}, {"near_block": True}, Reason.NEAR_BLOCK),
    ],
)
def test_each_reason_begins_where_it_is_written(below: dict[str, int], above: dict[str, int], reason: Reason) -> None:
    assert score(replace(NOTHING, **below)).reasons == ()  # type: ignore[arg-type]
    assert [one for one, _ in score(replace(NOTHING, **above)).reasons] == [reason]  # type: ignore[arg-type]


def test_a_reason_counts_once_with_its_greatest_weight() -> None:
    assert score(replace(NOTHING, today=30)).reasons == ((Reason.TODAY, 30),)


def test_no_reason_alone_holds_a_reward() -> None:
    assert max(weight for _, weight, _ in WEIGHTS) < USUAL_THRESHOLD
    heaviest = {reason: weight for reason, weight, _ in reversed(WEIGHTS)}
    assert sum(heaviest.values()) == HOLD_SCORE_MAX, "no threshold that a campaign may choose is out of reach"


def test_what_is_kept_reads_back_with_the_weights_of_its_day() -> None:
    found = score(CARTON)
    assert from_texts(*to_texts(found)) == found
    assert from_texts("run:7", "{}").points == 7
    assert from_texts("", "") == score(NOTHING)


def test_each_reason_has_words_with_its_figures() -> None:
    assert set(TEXTS) == set(Reason)
    assert score(CARTON).sentences(str)[0] == ("24 codes of this person within 24 hours", 15)


def test_a_crowd_at_one_address_is_no_reason_to_look() -> None:
    assert not Glimpse(today=1, run=1, address_people=5000).smells
    for odd in ({"today": 5}, {"run": 3}, {"address_run": 6}, {"misses": True}, {"bulk": True}, {"near_block": True}):
        assert Glimpse(**odd).smells  # type: ignore[arg-type]
