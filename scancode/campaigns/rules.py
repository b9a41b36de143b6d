"""What a code is worth and when: offers, their phases, and the draw. Pure; checks of a plan are in ``planning``.

An offer is one published tranche as a code of its ranges meets it. An exclusive one has its codes to itself: whatever
was published over them before has ended, and an ended offer never comes back, so the one published last is the relevant
one at any moment. Only an offer that was called off before it began gives way to the one under it, for nobody could
ever claim from it. Offers that are not exclusive may share codes: the one that goes first carries the others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import accumulate, pairwise
from uuid import UUID

from scancode.campaigns import chance
from scancode.campaigns.conditions import NONE, Conditions
from scancode.campaigns.permutation import place_of
from scancode.codes.ranges import Span, SpanMap, join, overlay


class Phase(StrEnum):
    """Where an offer stands at a moment. The window is half open: ``starts_at`` is in it, ``ends_at`` is not."""

    NONE = "none"
    BEFORE = "before"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True)
class PrizeFacts:
    """One line of a prize table. ``amount``: fen of a red packet, points, 0 for thanks. ``count`` codes hold it.

    With ``amount_most`` amounts are random, ``amount`` the least. In odds mode ``count`` is the stock and a code has
    ``chance_ppm`` to win one. A prize that was drawn has its own amount.
    """

    id: UUID
    kind: str
    amount: int
    count: int
    name_zh: str
    name_en: str
    amount_most: int | None = None
    chance_ppm: int | None = None

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_zh

    @property
    def wins(self) -> bool:
        return self.kind != "thanks"

    @property
    def is_again(self) -> bool:
        """One more turn of the wheel, and no prize by itself."""
        return self.kind == "again"

    @property
    def amount_fen(self) -> int:
        return self.amount if self.kind == "red_packet" else 0

    @property
    def points(self) -> int:
        return self.amount if self.kind == "points" else 0


@dataclass(frozen=True)
class Offer:
    """A published tranche over its ranges of one batch. ``spans``: serials with the tranche's index of their first.

    ``prizes`` are in the order of the table, thanks last; in exact mode they add up to ``size``. ``ended_at`` is when
    staff ended it early, else None.
    """

    campaign_id: UUID
    tranche_id: UUID
    brand_id: UUID
    name_zh: str
    name_en: str
    state: str
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    published_at: datetime
    size: int
    spans: tuple[Span[int], ...]
    prizes: tuple[PrizeFacts, ...]
    secret: bytes
    mode: str = "exact"
    conditions: Conditions = NONE
    priority: int = 0
    is_exclusive: bool = True
    others: tuple[Offer, ...] = ()
    """The offers that share its codes and go after it, in their order."""

    def __repr__(self) -> str:
        return f"Offer(tranche_id={self.tranche_id!s})"  # never the secret

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_zh

    @property
    def names(self) -> dict[str, str]:
        return {"zh": self.name_zh, "en": self.name_en}

    @cached_property
    def is_plain(self) -> bool:
        """Nothing is counted when it is claimed from, and no other campaign can be over its codes."""
        return self.mode == "exact" and self.is_exclusive and self.conditions.counts_nothing

    def of_campaign(self, campaign_id: UUID | None) -> Offer | None:
        """That campaign's offer over the same codes."""
        return next((one for one in (self, *self.others) if one.campaign_id == campaign_id), None)

    @property
    def thanks(self) -> PrizeFacts:
        return self.prizes[-1]

    @property
    def over_at(self) -> datetime:
        """When it ends, or ended."""
        return min(self.ended_at, self.ends_at) if self.ended_at else self.ends_at

    @property
    def was_called_off(self) -> bool:
        """Ended before it began: no code of it could ever be claimed."""
        return self.over_at <= self.starts_at

    def offset_of(self, serial: int) -> int:
        """The index of a serial within the tranche, 0…size-1. Raises LookupError outside its ranges."""
        span = self._map.find(serial)
        if span is None:
            raise LookupError(f"serial {serial} is not of tranche {self.tranche_id}")
        return span.value + serial - span.first

    def covers(self, serial: int) -> bool:
        return self._map.find(serial) is not None

    @cached_property
    def _map(self) -> SpanMap[int]:
        return SpanMap(self.spans)

    @cached_property
    def _bounds(self) -> list[int]:
        return list(accumulate(prize.count for prize in self.prizes))

    def prize_at(self, place: int) -> PrizeFacts:
        """The prize of a place in the table, 0…size-1, with its own amount."""
        if not 0 <= place < self._bounds[-1]:
            raise LookupError(f"place {place} is outside the table of tranche {self.tranche_id}")
        line = bisect_right(self._bounds, place)
        prize = self.prizes[line]
        if prize.amount_most is None:
            return prize
        index = place - self._bounds[line] + prize.count
        amount = chance.amount_at(
            self.secret, line=line, index=index, least=prize.amount, most=prize.amount_most, count=prize.count
        )
        return replace(prize, amount=amount)

    def turn(self, index: int, nth: int = 1) -> PrizeFacts:
        """Where the wheel stops in the n-th turn for the code with this index; whether any are left is not known
        here."""
        chances = (one.chance_ppm or 0 for one in self.prizes)
        line = chance.turn(self.secret, index=index, chances_ppm=chances, nth=nth)
        if line is None or (self.prizes[line].is_again and nth >= chance.TURNS_MAX):
            return self.thanks
        prize = self.prizes[line]
        if prize.amount_most is None:
            return prize
        amount = chance.amount_won(self.secret, index=index, least=prize.amount, most=prize.amount_most, nth=nth)
        return replace(prize, amount=amount)


@dataclass(frozen=True)
class Trial:
    """A campaign that has not begun, as testers meet it over a code. ``testers``: members and identities."""

    offer: Offer
    testers: frozenset[UUID]

    def is_open(self, now: datetime) -> bool:
        return self.offer.state == "draft" or now < self.offer.starts_at


def phase(offer: Offer | None, now: datetime) -> Phase:
    """Where the offer stands. Whatever has ended stays ended, a pause goes before a start that is still to come."""
    if offer is None:
        return Phase.NONE
    return phase_of(state=offer.state, starts_at=offer.starts_at, ends_at=offer.ends_at, now=now)


def phase_of(*, state: str, starts_at: datetime, ends_at: datetime, now: datetime) -> Phase:
    """The same from the columns of a campaign; a draft is no offer yet."""
    if state == "draft":
        return Phase.NONE
    if state == "ended" or now >= ends_at:
        return Phase.ENDED
    if state == "paused":
        return Phase.PAUSED
    return Phase.BEFORE if now < starts_at else Phase.RUNNING


def draw(offer: Offer, serial: int, turn: int = 1) -> PrizeFacts:
    """The prize that a code holds: always the same, whoever asks and whenever. In odds mode it is what the code wins
    in this turn while there is any left. Raises LookupError."""
    if offer.mode == "odds":
        return offer.turn(offer.offset_of(serial), turn)
    return offer.prize_at(place_of(offer.secret, offer.size, offer.offset_of(serial)))


def in_turn(offer: Offer, now: datetime) -> tuple[Offer, ...]:
    """Those that may decide about its codes at this moment, the first first; never empty. A pause keeps its place, so
    that what a code holds there is not lost. Where none has begun or all have ended: the next one, else the last."""
    if not offer.others:
        return (offer,)
    every = (offer, *offer.others)
    begun = [one for one in every if phase(one, now) is not Phase.ENDED and one.starts_at <= now]
    if begun:
        return tuple(begun)
    coming = [one for one in every if phase(one, now) is not Phase.ENDED]
    return (min(coming, key=lambda one: one.starts_at) if coming else max(every, key=lambda one: one.over_at),)


def lay_out(offers: Iterable[Offer]) -> list[Span[Offer]]:
    """The offer over each serial of a batch, as ``choose`` says."""
    ordered, spans = in_order(offers), list[Span[Offer]]()
    if all(offer.is_exclusive for offer in ordered):
        for offer in ordered:
            for part in offer.spans:
                spans = overlay(spans, Span(part.first, part.last, offer))
        return spans
    edges = {edge for offer in ordered for part in offer.spans for edge in (part.first, part.last + 1)}
    chosen: dict[tuple[UUID, ...], Offer | None] = {}
    for first, after in pairwise(sorted(edges)):
        here = [offer for offer in ordered if offer.covers(first)]
        ids = tuple(offer.tranche_id for offer in here)
        if ids not in chosen:
            chosen[ids] = choose(here)
        if (found := chosen[ids]) is not None:
            spans.append(Span(first, after - 1, found))
    return join(spans)


def choose(offers: Sequence[Offer]) -> Offer | None:
    """Of offers that all cover one serial: the one published last, passing over those that were called off. Where it
    shares its codes, the one that goes first of those that had not ended by then."""
    ordered = in_order(offers)
    if not ordered or ordered[-1].is_exclusive:
        return ordered[-1] if ordered else None
    newest = ordered[-1].published_at
    sharing = [one for one in ordered if not one.is_exclusive and one.state != "ended" and one.ends_at > newest]
    sharing.sort(key=lambda one: (-one.priority, one.published_at, one.tranche_id.int))
    return replace(sharing[0], others=tuple(sharing[1:])) if sharing else ordered[-1]


def in_order(offers: Iterable[Offer]) -> list[Offer]:
    """Weakest first: called off, then by publication."""
    return sorted(offers, key=lambda offer: (not offer.was_called_off, offer.published_at, offer.tranche_id.int))
