"""How the payment server misbehaves: so many times at the next calls, or by chance at every one.

A fault is named after the door and what happens there. ``before`` means that nothing was booked, ``after`` that it was.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping

DOORS = ("send", "query", "cancel", "bill", "balance", "grant", "grant_query", "grant_close")
"""Where calls may go wrong before they are taken, or in their answer."""
NAMES = frozenset(
    {
        *(
            f"{door}:{what}"
            for door in DOORS
            for what in ("hang", "reset", "500", "429", "no_auth", "unsigned", "forged", "skewed", "garbage")
        ),
        "send:hang_after",
        "send:reset_after",
        "send:500_after",
        "send:closed",
        "send:unclear",
        "send:amount",
        "send:openid",
        "grant:no_id",
        "grant_query:no_id",
        "grant:hang_after",
        "grant:reset_after",
        "grant:500_after",
        "grant_query:404",
        "grant_query:openid",
        "send:late",
        "send:accepted",
        "query:404",
        "query:amount",
        "query:openid",
        "notice:twice",
        "notice:late",
        "notice:lost",
        "notice:forged",
        "notice:probe",
        "notice:stale",
        "notice:amount",
        "notice:openid",
        "notice:stranger",
        "notice:echo",
    }
)
"""``send:late``: booked, and for a while unknown to queries. ``send:accepted``: stays ACCEPTED for a while.
``notice:…``: what is posted twice, out of order, never, under a false signature, as a probe, with an old moment, with a
wrong amount or person, or about a bill that nobody ordered; the true one follows all but ``lost``. ``notice:echo``:
what is said of an authorisation comes once more under another id, after what came later. ``send:closed``: the person
closes the authorisation in the moment in which an order names it. ``…:no_auth``: this merchant may not do that.
``send:unclear``, ``:amount``, ``:openid``: an order that names an authorisation stays TRANSFERING, or is answered with
another amount or person. ``grant…:no_id``: an authorisation in effect is told without its number."""


class Faults:
    """Thread-safe. A call asks ``take`` for each fault that it can have."""

    def __init__(self, seed: int = 1) -> None:
        self._next: dict[str, int] = {}
        self._chances: dict[str, float] = {}
        self._dice = random.Random(seed)
        self._turn = threading.Lock()
        self.happened: dict[str, int] = {}

    def script(self, counts: Mapping[str, int]) -> None:
        """So many of each at the next calls. Raises KeyError for a name that does not exist."""
        with self._turn:
            self._next.update({_known(name): int(count) for name, count in counts.items()})

    def chances(self, chances: Mapping[str, float]) -> None:
        """From now on each with this chance at every call; what is not named does not happen by chance."""
        with self._turn:
            self._chances = {_known(name): float(chance) for name, chance in chances.items()}

    def clear(self) -> None:
        with self._turn:
            self._next, self._chances, self.happened = {}, {}, {}

    def take(self, name: str) -> bool:
        """Whether it happens this time."""
        _known(name)
        with self._turn:
            scripted = self._next.get(name, 0) > 0
            if scripted:
                self._next[name] -= 1
            elif not (chance := self._chances.get(name, 0.0)) or self._dice.random() >= chance:
                return False
            self.happened[name] = self.happened.get(name, 0) + 1
            return True


def _known(name: str) -> str:
    if name not in NAMES:
        raise KeyError(name)
    return name
