"""What may run out while people claim: stock, budgets, the share of a day. Each is kept in slots, so that nobody waits
for everybody: a claim takes from the slot of its code, and where that is empty from another, before it is refused.

Lock these last in a transaction, and several counters always in one order. Within a counter a transaction holds one
slot, or several taken from the lowest number up, so two never wait for each other in a circle.
"""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from scancode.campaigns.models import CounterSlot
from scancode.campaigns.planning import Reserve
from scancode.db import affected, insert_many

STOCK, BUDGET_FEN, BUDGET_POINTS, SECONDS = "stock", "fen", "points", "nth"
"""Counters of a prize; and of a campaign, ``SECONDS`` for the second prizes of n-th codes."""
SLOTS = 16
TRIES = 3


def open_counter(session: Session, *, owner_id: UUID, name: str, total: int) -> None:
    """Spreads a total over the slots. A counter that is there stays as it is."""
    share, rest = divmod(total, SLOTS)
    rows = [
        {"owner_id": owner_id, "name": name, "slot": slot, "left_count": share + (slot < rest)} for slot in range(SLOTS)
    ]
    insert_many(session, CounterSlot, rows, may_exist=True)


def put(session: Session, *, owner_id: UUID, name: str, amount: int) -> None:
    """More of it, in one slot: the others borrow there. The counter is opened where it is not there yet."""
    open_counter(session, owner_id=owner_id, name=name, total=0)
    first = (CounterSlot.owner_id == owner_id, CounterSlot.name == name, CounterSlot.slot == 0)
    affected(session, update(CounterSlot).where(*first).values(left_count=CounterSlot.left_count + amount))


def take(session: Session, *, owner_id: UUID, name: str, amount: int, code_id: int, opens_with: int = 0) -> bool:
    """Takes an amount of at least 1; False when all slots together hold less. With ``opens_with`` a counter that is
    not there yet is opened: that of a new day.

    A True that is not committed must be rolled back.
    """
    home = _home(code_id)
    if _take_from(session, owner_id, name, home, amount):
        return True
    for attempt in range(TRIES):
        left = _slots(session, owner_id, name)
        if not left and opens_with and attempt == 0:
            open_counter(session, owner_id=owner_id, name=name, total=opens_with)
            left = _slots(session, owner_id, name)
        if sum(left.values()) < amount:
            return False
        richest = max(left, key=lambda slot: left[slot])
        if left[richest] >= amount:
            if _take_from(session, owner_id, name, richest, amount):
                return True
        elif _gather(session, owner_id, name, left, amount):
            return True
    return False


def put_back(session: Session, *, owner_id: UUID, name: str, amount: int, code_id: int) -> None:
    """What ``take`` took for a code that does not get it after all, to the slot where it would be looked for."""
    here = (CounterSlot.owner_id == owner_id, CounterSlot.name == name, CounterSlot.slot == _home(code_id))
    affected(session, update(CounterSlot).where(*here).values(left_count=CounterSlot.left_count + amount))


def _home(code_id: int) -> int:
    """The slot of a code; neighbours on a roll have different ones."""
    return (code_id * 0x9E3779B1 >> 16) % SLOTS


def _gather(session: Session, owner_id: UUID, name: str, left: dict[int, int], amount: int) -> bool:
    """From several slots, lowest first; all of it or nothing."""
    needed = amount
    with suppress(_Short), session.begin_nested():
        for slot, there in sorted(left.items()):
            piece = min(there, needed)
            if piece and not _take_from(session, owner_id, name, slot, piece):
                break
            needed -= piece
        if needed:
            raise _Short
        return True
    return False


class _Short(Exception):
    """Somebody else was quicker: what was gathered goes back."""


def _take_from(session: Session, owner_id: UUID, name: str, slot: int, amount: int) -> bool:
    here = (CounterSlot.owner_id == owner_id, CounterSlot.name == name, CounterSlot.slot == slot)
    taking = update(CounterSlot).where(*here, CounterSlot.left_count >= amount)
    return affected(session, taking.values(left_count=CounterSlot.left_count - amount)) == 1


def _slots(session: Session, owner_id: UUID, name: str) -> dict[int, int]:
    query = select(CounterSlot.slot, CounterSlot.left_count)
    found = session.execute(query.where(CounterSlot.owner_id == owner_id, CounterSlot.name == name))
    return {row.slot: row.left_count for row in found}


def find_left(session: Session, *, owner_id: UUID, name: str) -> int | None:
    """What is left in all; None where nothing is counted."""
    total = select(func.sum(CounterSlot.left_count))
    found = session.scalar(total.where(CounterSlot.owner_id == owner_id, CounterSlot.name == name))
    return None if found is None else int(found)


def find_budgets_left(session: Session, *, campaign_id: UUID) -> Reserve | None:
    """What wheels have left of a campaign's budgets; None where nothing is counted down."""
    fen = find_left(session, owner_id=campaign_id, name=BUDGET_FEN)
    points = find_left(session, owner_id=campaign_id, name=BUDGET_POINTS)
    return None if fen is None or points is None else Reserve(fen, points)
