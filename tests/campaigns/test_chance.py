from __future__ import annotations

from collections import Counter

import pytest

from scancode.campaigns import chance

SECRET = bytes(range(32))
AMOUNTS = [606, 394, 845, 155, 500]
WON = [616, 685, 368, 370]
STOPS = [6, 3, 9, 7, 0, 1, 4, 7]
SECOND_STOPS = [4, 0, 1, 3, 2, 1, 2, 7]
THIRD_WON = [193, 735, 283, 547]


@pytest.mark.parametrize(
    ("least", "most", "count"), [(50, 500, 1000), (50, 501, 1001), (10, 11, 7), (1, 2, 1), (5, 5, 3), (1, 999, 2)]
)
def test_random_amounts_of_a_line_add_up_exactly(least: int, most: int, count: int) -> None:
    amounts = [
        chance.amount_at(SECRET, line=2, index=index, least=least, most=most, count=count) for index in range(count)
    ]
    assert sum(amounts) == chance.sum_of(least, most, count)
    assert least <= min(amounts) <= max(amounts) <= most


def test_amounts_are_spread_and_differ_by_line_and_secret() -> None:
    def all_of(secret: bytes, line: int) -> list[int]:
        return [chance.amount_at(secret, line=line, index=i, least=1, most=10, count=2000) for i in range(2000)]

    found = Counter(all_of(SECRET, 0))
    assert set(found) == set(range(1, 11))
    assert max(found.values()) < 2 * min(found.values())
    assert all_of(SECRET, 0) != all_of(SECRET, 1)
    assert all_of(SECRET, 0) != all_of(bytes(32), 0)


def test_the_wheel_keeps_its_odds_and_its_answer() -> None:
    chances = (10_000, 200_000)
    found = Counter(chance.turn(SECRET, index=index, chances_ppm=chances) for index in range(20_000))
    assert 120 < found[0] < 280
    assert 3_800 < found[1] < 4_200
    assert found == Counter(chance.turn(SECRET, index=index, chances_ppm=chances) for index in range(20_000))


def test_a_wheel_of_certainty_never_misses_and_one_of_nothing_never_hits() -> None:
    assert {chance.turn(SECRET, index=index, chances_ppm=(1_000_000,)) for index in range(1000)} == {0}
    assert {chance.turn(SECRET, index=index, chances_ppm=()) for index in range(1000)} == {None}


def test_known_answers() -> None:
    """The formulas are public: whoever checks a draw years later needs them unchanged."""
    assert [chance.amount_at(SECRET, line=0, index=i, least=100, most=900, count=5) for i in range(5)] == AMOUNTS
    assert [chance.amount_won(SECRET, index=index, least=100, most=900) for index in range(4)] == WON
    stops = [chance.turn(SECRET, index=index, chances_ppm=[100_000] * 10) for index in range(8)]
    assert stops == STOPS
    assert [chance.turn(SECRET, index=index, chances_ppm=[100_000] * 10, nth=2) for index in range(8)] == SECOND_STOPS
    assert [chance.amount_won(SECRET, index=index, least=100, most=900, nth=3) for index in range(4)] == THIRD_WON
