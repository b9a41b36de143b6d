"""What a group of claims counts: the same as ``limits`` counts for one, decided from one look and then held to it.

The look takes no locks. Whoever is near a limit, or would empty the slot that the group takes from, is left out: singly
they are decided exactly. What the others count is written with their claims, and the rows that come of it decide: where
one shows more than the look allowed for, or a slot has too little, somebody came between, and the whole group is rolled
back. Somebody who merely counted too, with room for both, harms nobody.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import COUNT_MAX
from scancode.campaigns.rules import Offer, PrizeFacts, draw
from scancode.claims.service.asking import Request
from scancode.claims.service.fitting import boosted, fits_at_once
from scancode.claims.service.limits import ALWAYS, Counter, day_counter, wheel_counters
from scancode.db import Sender, as_uuid, send

T = TypeVar("T")
QUARTERS = 4
"""Groups of different processes look for a slot in different quarters, so that they seldom want the same one."""
_ORDER = (campaigns.STOCK, campaigns.BUDGET_POINTS, campaigns.BUDGET_FEN, "f", "n")
"""In which counters are locked, as ``limits`` does."""

_Person = tuple[UUID, UUID, str]
"""Whose codes of which campaign are counted, and in which period."""
_Owned = tuple[UUID, str]
"""A counter's owner and name."""


class CameBetween(Exception):
    """Others were quicker to what is left for the group: nothing of it may be committed."""


@dataclass
class _Slot:
    """One slot of a counter, with what the group has not taken from it yet, and what all slots have together."""

    number: int
    left: int
    total: int


class Tally:
    """The counts of one group. ``look`` first, ``settle`` for each claim; then write, and ``check`` before the end."""

    def __init__(self) -> None:
        self._drawn: dict[int, tuple[PrizeFacts, list[Counter]]] = {}
        self._slots: dict[_Owned, _Slot] = {}
        self._had: dict[_Person, int] = {}
        self._more: defaultdict[_Person, int] = defaultdict(int)
        self._most: dict[_Person, int] = {}
        self._taken: defaultdict[_Owned, int] = defaultdict(int)
        self._proofs: list[tuple[Callable[[], list[Any]], Callable[[list[Any]], bool]]] = []

    def look(self, sender: Sender, asked: Sequence[tuple[Request, Offer]]) -> Callable[[], None]:
        """Asks what these claims may count against; the answer reads it."""
        days = sorted({request.day for request, _ in asked})
        counting = [(request, offer) for request, offer in asked if _periods(offer, request.day)]
        had = _ask_had(sender, counting, days)
        self._drawn = {request.code.code_id: _draw(request, offer) for request, offer in asked}
        wanted = [counter for _, counters in self._drawn.values() for counter in counters]
        wanted += [counter for request, offer in asked for counter in day_counter(offer, request.day)]
        left = _ask_slots(sender, {counter[:2]: None for counter in wanted})

        def read() -> None:
            for person_id, campaign_id, period, count in had():
                self._had[as_uuid(person_id), as_uuid(campaign_id), period] = int(count)
            for owner_id, name, total, best, near in left():
                self._slots[as_uuid(owner_id), name] = _choose(int(total), int(best), near)

        return read

    def settle(self, request: Request, offer: Offer) -> PrizeFacts | None:
        """What the claim of a settled claimant wins, with what it counts noted; None where it has to be served
        singly."""
        people = self._one_more(request, offer)
        if people is None or not fits_at_once(request, offer):
            return None
        prize, wanted = self._drawn[request.code.code_id]
        if any(self._is_gone(counter) for counter in wanted):
            prize, wanted = offer.thanks, []  # the wheel stopped at what has run out
        wanted = [*wanted, *day_counter(offer, request.day)]
        if not all(self._has(counter) for counter in wanted):
            return None
        for owner_id, name, amount, _ in wanted:
            self._slots[owner_id, name].left -= amount
            self._taken[owner_id, name] += amount
        for key, most in people.items():
            self._more[key] += 1
            self._most[key] = most
        return prize

    def _is_gone(self, counter: Counter) -> bool:
        """All slots together have too little; a counter that is not open yet has everything."""
        owner_id, name, amount, opens_with = counter
        slot = self._slots.get((owner_id, name))
        return not opens_with if slot is None else slot.total < amount

    def _has(self, counter: Counter) -> bool:
        owner_id, name, amount, _ = counter
        slot = self._slots.get((owner_id, name))
        return slot is not None and slot.left >= amount

    def _one_more(self, request: Request, offer: Offer) -> dict[_Person, int] | None:
        """The counts of whoever claims, and how high they may come; None where one more is refused, held, or brings a
        second prize."""
        person_id = request.claimant.account_id or request.claimant.visitor_id
        if person_id is None:
            return {}
        periods = _periods(offer, request.day)
        most = {(person_id, offer.campaign_id, period): count for period, count in periods.items()}
        is_one_too_many = any(self._had.get(key, 0) + self._more[key] >= count for key, count in most.items())
        return None if is_one_too_many else most

    def count_people(self, sender: Sender) -> None:
        """Writes the counts of people: after their claims, before what these earn."""
        keys = sorted(self._most)
        if keys:
            values = [value for key in keys for value in (*key, self._more[key])]
            rows = send(sender, _people_text(len(keys)), values)
            self._proofs.append((rows, self._leave_room))

    def _leave_room(self, found: Iterable[Sequence[Any]]) -> bool:
        """Whether nobody's count came higher than it may."""
        counts = {(as_uuid(person), as_uuid(campaign), period): count for person, campaign, period, count in found}
        return all(key in counts and counts[key] <= most for key, most in self._most.items())

    def take(self, sender: Sender) -> None:
        """Takes from the counters, last of all: they are everybody's."""
        for owner_id, name in sorted(self._taken, key=lambda key: (_ORDER.index(key[1].partition(":")[0]), key)):
            amount, slot = self._taken[owner_id, name], self._slots[owner_id, name].number
            rows = send(sender, _TAKE, [amount, owner_id, name, slot, amount])
            self._proofs.append((rows, lambda found: len(found) == 1))

    def check(self) -> None:
        """Raises CameBetween where there is not room for all that was written."""
        if not all(is_so(rows()) for rows, is_so in self._proofs):
            raise CameBetween


def _periods(offer: Offer, day: str) -> dict[str, int]:
    """Over which a person's codes are counted, and how many there may be without a closer look."""
    conditions, found = offer.conditions, dict[str, int]()
    if conditions.person_max or conditions.nth:
        found[ALWAYS] = min(conditions.person_max or COUNT_MAX, (conditions.nth or COUNT_MAX) - 1)
    if conditions.person_day_max or conditions.hold_day:
        found[day] = min(conditions.person_day_max or COUNT_MAX, (conditions.hold_day or COUNT_MAX) - 1)
    return found


def _draw(request: Request, offer: Offer) -> tuple[PrizeFacts, list[Counter]]:
    """What the code wins while there is any left, and what that counts against."""
    prize = draw(offer, request.code.serial)
    prize = boosted(prize, offer=offer, brand=request.brand, attribution=request.attribution, now=request.now)
    is_free = offer.mode != "odds" or not prize.wins
    return prize, [] if is_free else list(wheel_counters(offer, prize, request.day))


def _choose(total: int, best: int, near: int | None) -> _Slot:
    """The fullest slot of this process's quarter, unless another has more than twice as much."""
    chosen = near if near is not None and near // campaigns.SLOTS * 2 >= best // campaigns.SLOTS else best
    return _Slot(chosen % campaigns.SLOTS, chosen // campaigns.SLOTS, total)


def _ask_had(sender: Sender, asked: Sequence[tuple[Request, Offer]], days: Sequence[str]) -> Callable[[], list[Any]]:
    """Counts of these browsers and openids, and of the members whom the openids belong to."""
    people = {request.claimant.identity_id or request.claimant.visitor_id for request, _ in asked}
    ids = _padded([one for one in people if one is not None])
    if not ids:
        return list
    campaign_ids, periods = _padded(list({offer.campaign_id for _, offer in asked})), [ALWAYS, *days]
    values = [*ids, *campaign_ids, *periods]
    return send(sender, _had_text(len(ids), len(campaign_ids), len(periods)), values * 2)


def _ask_slots(sender: Sender, owned: Iterable[_Owned]) -> Callable[[], list[Any]]:
    """What each counter has in all, its fullest slot, and the fullest of this process's quarter."""
    keys = _padded(list(owned))
    if not keys:
        return list
    return send(sender, _slots_text(len(keys)), [os.getpid() % QUARTERS, *(value for key in keys for value in key)])


def _padded(values: list[T]) -> list[T]:
    """The last one repeated up to a power of two: few texts, which the server keeps prepared."""
    size = 1 << (len(values) - 1).bit_length() if values else 0
    return [*values, *values[-1:] * (size - len(values))]


@lru_cache(maxsize=512)
def _had_text(ids: int, campaign_ids: int, periods: int) -> str:
    counts = "c.person_id, c.campaign_id, c.period, c.claims_count"
    where = f"c.campaign_id IN ({_places(campaign_ids)}) AND c.period IN ({_places(periods)})"
    return (
        f"SELECT {counts} FROM person_counts c WHERE c.person_id IN ({_places(ids)}) AND {where} UNION ALL "
        f"SELECT {counts} FROM identities i JOIN person_counts c ON c.person_id = i.member_id "
        f"WHERE i.id IN ({_places(ids)}) AND {where}"
    )


@lru_cache(maxsize=64)
def _slots_text(count: int) -> str:
    # The fullest slot with its number, in one value; that of a quarter beside it.
    full = f"left_count * {campaigns.SLOTS} + slot"
    near = f"CASE WHEN (slot & {QUARTERS - 1}) = ? THEN {full} END"
    where = " OR ".join(["(owner_id = ? AND name = ?)"] * count)
    return (
        f"SELECT owner_id, name, sum(left_count), max({full}), max({near}) "
        f"FROM counter_slots WHERE {where} GROUP BY owner_id, name"
    )


@lru_cache(maxsize=512)
def _people_text(count: int) -> str:
    rows = ", ".join(["(?, ?, ?, ?)"] * count)
    return (
        f"INSERT INTO person_counts (person_id, campaign_id, period, claims_count) VALUES {rows} "
        "ON CONFLICT (person_id, campaign_id, period) "
        "DO UPDATE SET claims_count = person_counts.claims_count + excluded.claims_count "
        "RETURNING person_id, campaign_id, period, claims_count"
    )


_TAKE = (
    "UPDATE counter_slots SET left_count = left_count - ? "
    "WHERE owner_id = ? AND name = ? AND slot = ? AND left_count >= ? RETURNING slot"
)


def _places(count: int) -> str:
    return ", ".join("?" * count)
