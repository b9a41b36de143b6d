"""The permutation behind the draw: a bijection for any size, fixed by the secret, and even-handed."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter

import pytest

from scancode.campaigns.permutation import place_of

SECRET = bytes(range(32))
SIZES = [*range(1, 70), 127, 128, 129, 255, 256, 257, 1023, 1024, 1025, 4095, 4096, 4097, 10_007]


def secret(number: int) -> bytes:
    return hashlib.sha256(number.to_bytes(4, "big")).digest()


@pytest.mark.parametrize("size", SIZES)
def test_it_sends_every_index_to_a_place_of_its_own(size: int) -> None:
    assert {place_of(SECRET, size, index) for index in range(size)} == set(range(size))


@pytest.mark.parametrize("size", [2**25 - 1, 2**25, 2**25 + 1, 3 * 2**26 + 5])
def test_it_stays_inside_a_large_tranche(size: int) -> None:
    indexes = [*range(300), *range(size - 300, size)]
    places = {place_of(SECRET, size, index) for index in indexes}
    assert len(places) == len(indexes)
    assert all(0 <= place < size for place in places)


def test_it_never_changes() -> None:
    """Published offers depend on these very numbers."""
    assert [place_of(SECRET, 10, index) for index in range(10)] == VECTOR_10
    assert [place_of(SECRET, 10_007, index) for index in (0, 1, 10_006)] == VECTOR_10007
    assert place_of(SECRET, 2**25, 12_345) == VECTOR_LARGE


VECTOR_10 = [1, 0, 7, 5, 2, 6, 9, 8, 3, 4]
VECTOR_10007 = [8803, 6076, 8215]
VECTOR_LARGE = 19795173


def test_another_secret_shuffles_otherwise() -> None:
    one, other = ([place_of(secret(number), 1000, index) for index in range(1000)] for number in (1, 2))
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 10


def test_another_size_shuffles_otherwise() -> None:
    one, other = ([place_of(SECRET, size, index) for index in range(1000)] for size in (1000, 1001))
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 10


@pytest.mark.parametrize(("size", "limit"), [(2, 10.8), (3, 13.8), (5, 18.5), (7, 22.5), (16, 37.7), (17, 39.3)])
def test_every_code_has_the_same_chance_at_the_first_prize(size: int, limit: float) -> None:
    """Chi-squared over 4,000 secrets, at the one-in-a-thousand limit of size - 1 degrees of freedom."""
    rounds = 4000
    winners = Counter(
        next(index for index in range(size) if place_of(secret(number), size, index) == 0) for number in range(rounds)
    )
    expected = rounds / size
    assert sum((winners[index] - expected) ** 2 / expected for index in range(size)) < limit


def test_neighbours_do_not_stay_neighbours() -> None:
    places = [place_of(SECRET, 10_007, index) for index in range(2000)]
    near = sum(abs(a - b) < 100 for a, b in itertools.pairwise(places))
    assert near < 80  # 2 in 100 by chance: about 40


@pytest.mark.parametrize(
    ("length", "size", "index"), [(31, 10, 0), (33, 10, 0), (32, 10, 10), (32, 10, -1), (32, 0, 0)]
)
def test_it_refuses_nonsense(length: int, size: int, index: int) -> None:
    with pytest.raises(ValueError, match=r"secret|outside"):
        place_of(bytes(length), size, index)
