"""Proof of a draw: what is published before anybody claims, and what anybody can check once it is over. Pure.

When a pool is published, so is its commitment

    SHA-256("scancode.commit.1" LF secret in hexadecimal LF table)

where the table is a JSON text without spaces, its keys sorted: mode, size, ranges (batch number, first and last serial)
and prizes (kind, least and most amount, chance, count) in their order. It fixes secret and table without telling the
secret. When nothing can be claimed from the pool any more, secret and table are revealed: whoever kept the commitment
sees that they are the same, and works out what every code held (``permutation``, ``chance``).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scancode.campaigns import chance
from scancode.campaigns.permutation import SECRET_BYTES, place_of

LABEL = "scancode.commit.1"
FORMAT = "scancode.draw.1"
CODES_MAX = 2**33
AGAIN = "again"


class NotADraw(ValueError):
    """The file is no revealed draw."""


@dataclass(frozen=True)
class Line:
    """A line of the table, thanks last: ``count`` places hold it, or with odds that many are in stock."""

    kind: str
    amount: int
    amount_most: int | None
    chance_ppm: int | None
    count: int


@dataclass(frozen=True)
class Table:
    """What a commitment fixes beside the secret. ``ranges``: batch number, first and last serial, in their order."""

    mode: str
    size: int
    ranges: tuple[tuple[int, int, int], ...]
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        found = {
            "mode": self.mode,
            "size": self.size,
            "ranges": [list(one) for one in self.ranges],
            "prizes": [[one.kind, one.amount, one.amount_most, one.chance_ppm, one.count] for one in self.lines],
        }
        return json.dumps(found, sort_keys=True, separators=(",", ":"))

    def index_of(self, batch_number: int, serial: int) -> int | None:
        """The place of a code among those of the pool; None where it is not of it."""
        offset = 0
        for number, first, last in self.ranges:
            if number == batch_number and first <= serial <= last:
                return offset + serial - first
            offset += last - first + 1
        return None

    def turns(self, secret: bytes, index: int) -> list[tuple[int | None, int]]:
        """What a code draws, turn by turn: one, unless the wheel stops at one more."""
        found = [self.drawn(secret, index)]
        while (line := found[-1][0]) is not None and self.lines[line].kind == AGAIN:
            found.append(self.drawn(secret, index, len(found) + 1))
        return found

    def drawn(self, secret: bytes, index: int, turn: int = 1) -> tuple[int | None, int]:
        """Which line a code draws in a turn (None: beyond all of a wheel), and the amount."""
        if self.mode == "odds":
            chances = (one.chance_ppm or 0 for one in self.lines)
            line = chance.turn(secret, index=index, chances_ppm=chances, nth=turn)
            if line is None or (self.lines[line].kind == AGAIN and turn >= chance.TURNS_MAX):
                return None, 0
            one = self.lines[line]
            if one.amount_most is None:
                return line, one.amount
            return line, chance.amount_won(secret, index=index, least=one.amount, most=one.amount_most, nth=turn)
        place = place_of(secret, self.size, index)
        for line, one in enumerate(self.lines):
            if place < one.count:
                if one.amount_most is None:
                    return line, one.amount
                return line, chance.amount_at(
                    secret, line=line, index=place, least=one.amount, most=one.amount_most, count=one.count
                )
            place -= one.count
        return None, 0


def commitment(secret: bytes, table: Table) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(f"{LABEL}\n{secret.hex()}\n{table.text}".encode()).hexdigest()


@dataclass(frozen=True)
class Checked:
    """What a check of a whole pool found; ``counts`` and ``sums`` by line, None for beyond all of a wheel."""

    is_committed: bool
    codes: int
    counts: Mapping[int | None, int]
    sums: Mapping[int | None, int]
    wrong: tuple[int, ...]
    """Lines of an exact table that do not come out at their count."""

    @property
    def is_sound(self) -> bool:
        return self.is_committed and not self.wrong


def check(
    table: Table, *, secret: bytes, committed: str, progress: Callable[[int], None] = lambda done: None
) -> Checked:
    """Draws for every code of the pool. An exact table must come out to the piece; odds are counted."""
    counts: Counter[int | None] = Counter()
    sums: Counter[int | None] = Counter()
    for index in range(table.size):
        for line, amount in table.turns(secret, index):
            counts[line] += 1
            sums[line] += amount
        if index % 10_000 == 0:
            progress(index)
    exact = table.mode == "exact"
    wrong = tuple(line for line, one in enumerate(table.lines) if exact and counts[line] != one.count)
    return Checked(commitment(secret, table) == committed, table.size, dict(counts), dict(sums), wrong)


def to_file(pools: Iterable[tuple[Table, bytes, str]]) -> dict[str, Any]:
    """What is revealed, for anybody to keep."""
    shown = [
        {"commitment": committed, "secret": secret.hex(), "table": json.loads(table.text)}
        for table, secret, committed in pools
    ]
    return {"format": FORMAT, "pools": shown}


def from_file(found: Any) -> list[tuple[Table, bytes, str]]:
    """What ``to_file`` wrote, from a stranger. Raises NotADraw."""
    try:
        if found["format"] != FORMAT:
            raise NotADraw("not this format")
        return [_pool(one) for one in found["pools"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotADraw(str(error)) from error


def _pool(found: Mapping[str, Any]) -> tuple[Table, bytes, str]:
    table, secret = found["table"], bytes.fromhex(found["secret"])
    read = Table(
        mode=str(table["mode"]),
        size=int(table["size"]),
        ranges=tuple((int(number), int(first), int(last)) for number, first, last in table["ranges"]),
        lines=tuple(Line(*one) for one in _lines(table["prizes"])),
    )
    covered = sum(last - first + 1 for _, first, last in read.ranges)
    if len(secret) != SECRET_BYTES or not 1 <= read.size <= CODES_MAX or covered != read.size:
        raise NotADraw("secret, size or ranges")
    return read, secret, str(found["commitment"])


def _lines(rows: Sequence[Sequence[Any]]) -> Iterable[tuple[str, int, int | None, int | None, int]]:
    for kind, amount, most, ppm, count in rows:
        yield str(kind), int(amount), None if most is None else int(most), None if ppm is None else int(ppm), int(count)
