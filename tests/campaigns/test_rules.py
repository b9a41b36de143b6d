"""Phases at their boundaries, the draw over a whole tranche, and which offer a code shows. No database."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from scancode.campaigns.rules import Offer, Phase, PrizeFacts, choose, draw, in_turn, lay_out, phase, phase_of
from scancode.codes.ranges import Span, SpanMap

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def prize(number: int, count: int, kind: str = "red_packet", amount: int = 100) -> PrizeFacts:
    return PrizeFacts(UUID(int=number), kind, amount, count, "红包", "Red packet")


def offer(number: int = 1, *, size: int = 100, **over: Any) -> Offer:
    facts: dict[str, Any] = {
        "campaign_id": UUID(int=number),
        "tranche_id": UUID(int=number),
        "brand_id": UUID(int=0),
        "name_zh": "开盖有奖",
        "name_en": "Open and win",
        "state": "published",
        "starts_at": NOW,
        "ends_at": NOW + timedelta(days=1),
        "ended_at": None,
        "published_at": NOW - timedelta(days=1),
        "size": size,
        "spans": (Span(0, size - 1, 0),),
        "prizes": (prize(1, size),),
        "secret": bytes(range(32)),
    }
    return Offer(**(facts | over))


class TestPhase:
    def test_it_is_before_until_the_moment_it_starts(self) -> None:
        assert phase(offer(), NOW - TICK) is Phase.BEFORE
        assert phase(offer(), NOW) is Phase.RUNNING

    def test_it_runs_until_just_before_it_ends(self) -> None:
        end = NOW + timedelta(days=1)
        assert phase(offer(), end - TICK) is Phase.RUNNING
        assert phase(offer(), end) is Phase.ENDED

    def test_a_pause_shows_before_the_start_and_while_it_runs_and_ends_with_the_window(self) -> None:
        paused = offer(state="paused")
        assert phase(paused, NOW - TICK) is Phase.PAUSED
        assert phase(paused, NOW) is Phase.PAUSED
        assert phase(paused, NOW + timedelta(days=1)) is Phase.ENDED

    def test_what_staff_ended_is_ended_at_once(self) -> None:
        assert phase(offer(state="ended"), NOW) is Phase.ENDED
        assert phase(offer(state="ended"), NOW - TICK) is Phase.ENDED

    def test_a_draft_and_nothing_are_none(self) -> None:
        assert phase(None, NOW) is Phase.NONE
        assert phase_of(state="draft", starts_at=NOW, ends_at=NOW + TICK, now=NOW) is Phase.NONE


class TestDraw:
    @pytest.mark.parametrize("counts", [(1,), (1, 1), (1, 2), (3, 0, 5), (1, 10, 100, 1000), (7, 2496), (0, 0, 9)])
    def test_over_every_code_each_prize_comes_out_exactly_its_count(self, counts: tuple[int, ...]) -> None:
        size = sum(counts)
        table = tuple(prize(number, count) for number, count in enumerate(counts))
        drawn = Counter(draw(offer(size=size, prizes=table), serial).id for serial in range(size))
        assert drawn == Counter({UUID(int=number): count for number, count in enumerate(counts) if count})

    def test_it_is_exact_over_ranges_of_several_batches(self) -> None:
        table = (prize(1, 3), prize(2, 30), prize(3, 167, "thanks", 0))
        one = offer(size=200, prizes=table, spans=(Span(10, 59, 0), Span(100, 149, 50)))
        other = offer(size=200, prizes=table, spans=(Span(0, 99, 100),))
        drawn = Counter(draw(one, serial).id.int for serial in (*range(10, 60), *range(100, 150)))
        drawn += Counter(draw(other, serial).id.int for serial in range(100))
        assert drawn == {1: 3, 2: 30, 3: 167}

    def test_the_same_code_always_draws_the_same(self) -> None:
        table = (prize(1, 50), prize(2, 50))
        assert [draw(offer(prizes=table), 7).id for _ in range(3)] == [draw(offer(prizes=table), 7).id] * 3

    def test_another_secret_draws_otherwise(self) -> None:
        table = (prize(1, 50), prize(2, 50))
        one, other = offer(prizes=table), offer(prizes=table, secret=bytes(32))
        assert [draw(one, serial) for serial in range(100)] != [draw(other, serial) for serial in range(100)]

    @pytest.mark.parametrize("serial", [9, 20, 29, 40])
    def test_it_refuses_a_code_outside_its_ranges(self, serial: int) -> None:
        gapped = offer(size=19, spans=(Span(10, 19, 0), Span(30, 38, 10)), prizes=(prize(1, 19),))
        with pytest.raises(LookupError):
            draw(gapped, serial)

    def test_it_counts_offsets_from_the_first_code_of_each_range(self) -> None:
        gapped = offer(size=19, spans=(Span(10, 19, 0), Span(30, 38, 10)), prizes=(prize(1, 19),))
        assert [gapped.offset_of(serial) for serial in (10, 19, 30, 38)] == [0, 9, 10, 18]

    def test_the_secret_is_in_no_representation(self) -> None:
        shown = repr(offer(secret=b"S" * 32))
        assert "SSSS" not in shown


class TestWhichOfferACodeShows:
    first = offer(1, size=100, published_at=NOW, starts_at=NOW, ends_at=NOW + timedelta(days=1))
    second = replace(
        first,
        tranche_id=UUID(int=2),
        published_at=NOW + timedelta(days=2),
        starts_at=NOW + timedelta(days=3),
        ends_at=NOW + timedelta(days=4),
        spans=(Span(20, 119, 0),),
    )

    def at(self, offers: list[Offer], serial: int) -> UUID | None:
        span = SpanMap(lay_out(offers)).find(serial)
        chosen = choose([one for one in offers if any(part.first <= serial <= part.last for part in one.spans)])
        assert (span.value if span else None) == chosen
        return chosen.tranche_id if chosen else None

    @pytest.mark.parametrize(("serial", "number"), [(0, 1), (19, 1), (20, 2), (99, 2), (100, 2), (119, 2), (120, None)])
    def test_the_one_published_last_lies_on_top(self, serial: int, number: int | None) -> None:
        expected = UUID(int=number) if number else None
        assert self.at([self.first, self.second], serial) == expected
        assert self.at([self.second, self.first], serial) == expected

    def test_between_two_campaigns_the_next_one_shows_when_it_starts(self) -> None:
        chosen = choose([self.first, self.second])
        assert chosen is not None
        assert phase(chosen, NOW + timedelta(days=2)) is Phase.BEFORE
        assert chosen.starts_at == NOW + timedelta(days=3)

    def test_after_all_campaigns_the_last_one_shows_as_ended(self) -> None:
        assert phase(choose([self.first, self.second]), NOW + timedelta(days=9)) is Phase.ENDED

    def test_one_called_off_before_it_began_gives_way(self) -> None:
        called_off = replace(self.second, state="ended", ended_at=self.second.starts_at)
        assert self.at([self.first, called_off], 50) == UUID(int=1)
        assert self.at([self.first, called_off], 110) == UUID(int=2)

    def test_one_ended_just_after_it_began_does_not(self) -> None:
        cut_short = replace(self.second, state="ended", ended_at=self.second.starts_at + TICK)
        assert self.at([self.first, cut_short], 50) == UUID(int=2)

    def test_without_offers_there_is_none(self) -> None:
        assert choose([]) is None
        assert lay_out([]) == []

    def test_an_early_end_is_when_it_was_over(self) -> None:
        assert self.first.over_at == NOW + timedelta(days=1)
        assert replace(self.first, ended_at=NOW + TICK).over_at == NOW + TICK
        assert replace(self.first, ended_at=NOW + timedelta(days=5)).over_at == NOW + timedelta(days=1)


class TestSharing:
    """A base campaign over 0 to 99; a weekend of higher priority over 50 to 149; both share."""

    base = offer(1, is_exclusive=False, spans=(Span(0, 99, 0),), ends_at=NOW + timedelta(days=30))
    weekend = offer(
        2,
        is_exclusive=False,
        priority=3,
        spans=(Span(50, 149, 0),),
        published_at=NOW,
        starts_at=NOW + timedelta(days=2),
        ends_at=NOW + timedelta(days=4),
    )

    def stack(self, serial: int, *offers: Offer) -> list[int]:
        span = SpanMap(lay_out(offers or (self.base, self.weekend))).find(serial)
        return [one.tranche_id.int for one in (span.value, *span.value.others)] if span else []

    def test_the_highest_priority_goes_first_and_carries_the_others(self) -> None:
        edges = {0: [1], 49: [1], 50: [2, 1], 99: [2, 1], 100: [2], 149: [2], 150: []}
        assert {serial: self.stack(serial) for serial in edges} == edges
        assert self.stack(60, self.weekend, self.base) == [2, 1]
        assert not any(one.others for span in lay_out([self.base, self.weekend]) for one in span.value.others)

    def test_with_equal_priority_the_earlier_published_goes_first(self) -> None:
        assert self.stack(60, self.base, replace(self.weekend, priority=0)) == [1, 2]

    def test_what_had_ended_when_another_was_published_is_out(self) -> None:
        over = replace(self.base, ends_at=NOW, starts_at=NOW - timedelta(days=1))
        assert self.stack(60, over, self.weekend) == [2]
        assert self.stack(60, replace(over, ends_at=NOW + TICK), self.weekend) == [2, 1]
        assert self.stack(60, self.base, replace(self.weekend, state="ended", ended_at=NOW)) == [1]

    def test_an_exclusive_one_published_later_stands_alone(self) -> None:
        later = offer(3, spans=(Span(60, 60, 0),), published_at=NOW + timedelta(days=40))
        assert self.stack(60, self.base, self.weekend, later) == [3]
        assert self.stack(61, self.base, self.weekend, later) == [2, 1]

    @pytest.mark.parametrize(
        ("day", "expected"), [(-1, [1]), (0, [1]), (1, [1]), (2, [2, 1]), (3, [2, 1]), (4, [1]), (30, [1])]
    )
    def test_only_those_that_have_begun_decide(self, day: int, expected: list[int]) -> None:
        chosen = choose([self.base, self.weekend])
        assert chosen is not None
        turns = in_turn(chosen, NOW + timedelta(days=day))
        assert [one.tranche_id.int for one in turns] == expected

    def test_a_pause_keeps_its_place_once_it_has_begun(self) -> None:
        chosen = choose([self.base, replace(self.weekend, state="paused")])
        assert chosen is not None
        assert [one.tranche_id.int for one in in_turn(chosen, NOW + timedelta(days=3))] == [2, 1]
        assert [one.tranche_id.int for one in in_turn(chosen, NOW)] == [1]

    def test_what_shares_is_never_plain(self) -> None:
        assert offer(1).is_plain
        assert not self.base.is_plain
