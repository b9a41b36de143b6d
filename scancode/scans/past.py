"""What is known of a code at the moment when it is scanned again: its earlier scans, and what is thought of it.

One query for a whole group of scans brings both; a code that nobody scanned before has neither, and costs nothing more.
A code that looks copied is marked here, in the transaction of the scan that shows it.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from scancode.db import Sender, as_moment, as_uuid, insert_many, send
from scancode.scans.models import Suspicion
from scancode.scans.rules import HISTORY_MAX, LIVE, SUSPECT, CopyTerms, Earlier, Risk, Signs, Standing, signs_of_copying


@dataclass(frozen=True)
class Marked:
    """The columns of a new mark but for what the rules found."""

    code_id: int
    brand_id: UUID
    product_id: UUID
    batch_number: int


@dataclass
class Past:
    """Live scans of one code that are confirmed, and those of whoever asks; the oldest first and at most
    ``HISTORY_MAX``. And where it stands, if it was marked."""

    earlier: list[Earlier] = field(default_factory=list)
    newest: list[Earlier] | None = None
    """Where there are more: the last ones, once somebody asked for them."""
    standing: Standing | None = None
    counted_from: datetime | None = None

    @property
    def is_suspect(self) -> bool:
        return self.standing in SUSPECT

    @property
    def is_settled(self) -> bool:
        """There is nothing to examine: it is marked, or somebody said that it never shall be."""
        return self.is_suspect or self.standing is Standing.TRUSTED

    def confirm(self, scan: Earlier) -> None:
        """From now on this scan, of somebody whose own are here, counts for others too."""
        key = (scan.visitor_id, scan.scanned_at)
        self.earlier = [one for one in self.earlier if (one.visitor_id, one.scanned_at) != key]
        insort(self.earlier, scan, key=lambda one: one.scanned_at)
        del self.earlier[HISTORY_MAX:]


def look_up(sender: Sender, asked: Sequence[tuple[int, UUID]]) -> dict[int, Past]:
    """By code, for so many codes and who asks about each. One query, unless a code was scanned so often that it would
    crowd out others."""
    most = HISTORY_MAX + 4 * len(asked)
    rows = _rows(sender, asked, most)
    if len(rows) == most:
        by_code: dict[int, list[tuple[int, UUID]]] = defaultdict(list)
        for one in asked:
            by_code[one[0]].append(one)
        rows = [row for some in by_code.values() for row in _rows(sender, some, HISTORY_MAX)]
    found: dict[int, Past] = defaultdict(Past)
    for row in rows:
        past = found[row[0]]
        if row[7] is not None:
            past.standing, past.counted_from = Standing(row[7]), as_moment(row[8])
        if len(past.earlier) < HISTORY_MAX:
            past.earlier.append(read_earlier(row))
    return found


def _rows(sender: Sender, asked: Sequence[tuple[int, UUID]], most: int) -> list[Any]:
    codes, visitors = zip(*asked, strict=True)
    return send(sender, _past_text(len(asked)), [*codes, *visitors, most])()


def examine(sender: Sender, past: Past, now: Earlier, *, about: Marked, terms: CopyTerms) -> bool:
    """Whether the earlier scans of the code and this one look like copies. Marks it where this one is confirmed."""
    if len(past.earlier) < HISTORY_MAX:
        known = past.earlier
    else:  # whoever scans an item over and over shall not hide what comes after
        if past.newest is None:
            past.newest = [read_earlier(row) for row in send(sender, _newest_text(), [about.code_id, HISTORY_MAX])()]
        known = past.newest
        if now.is_confirmed:
            past.newest = [*known[-HISTORY_MAX:], now]
    since = past.counted_from
    counted = [scan for scan in known if scan.is_confirmed and (since is None or scan.scanned_at > since)]
    signs = signs_of_copying([*counted, now], terms=terms, now=now.scanned_at)
    if signs.found and now.is_confirmed:
        _mark(sender, past, signs, about=about, at=now.scanned_at)
        past.standing = Standing.OPEN
    return bool(signs.found)


def _mark(sender: Sender, past: Past, signs: Signs, *, about: Marked, at: datetime) -> None:
    """Another process may have been quicker: then its mark stands."""
    values: dict[str, Any] = {
        "state": Standing.OPEN.value,
        "signs": ",".join(signs.found),
        "visitors": signs.visitors,
        "cities": signs.cities,
        "found_at": at,
    }
    if past.standing is None:
        keys = {name: getattr(about, name) for name in ("code_id", "brand_id", "product_id", "batch_number")}
        insert_many(sender, Suspicion, [keys | values | {"counted_from": None}], may_exist=True)
        return
    sets = ", ".join(f"{name} = ?" for name in values)
    send(
        sender,
        f"UPDATE suspicions SET {sets} WHERE code_id = ? AND state = '{Standing.CLEARED}'",
        [*values.values(), about.code_id],
    )


def read_earlier(row: Sequence[Any]) -> Earlier:
    """Of the columns ``COLUMNS``."""
    in_crowd = Risk.CROWD in (row[4] or "").split(",")
    return Earlier(as_uuid(row[1]), as_moment(row[2]), row[5], row[3], in_crowd, bool(row[6]))


_LIVE = ", ".join(f"'{verdict}'" for verdict in LIVE)
COLUMNS = "s.code_id, s.visitor_id, s.scanned_at, s.address_digest, s.risk, s.region, s.is_confirmed"


@lru_cache(maxsize=512)
def _past_text(asked: int) -> str:
    """Live scans of so many codes, by code and then oldest first, each with where its code stands: those that are
    confirmed, and those of so many visitors."""
    places = ", ".join("?" * asked)
    return (
        f"SELECT {COLUMNS}, x.state, x.counted_from "
        "FROM scans s LEFT JOIN suspicions x ON x.code_id = s.code_id "
        f"WHERE s.code_id IN ({places}) AND s.verdict IN ({_LIVE}) AND (s.is_confirmed OR s.visitor_id IN ({places})) "
        "ORDER BY s.code_id, s.id LIMIT ?"
    )


@lru_cache(maxsize=1)
def _newest_text() -> str:
    return (
        f"SELECT {COLUMNS} FROM scans s "
        f"WHERE s.code_id = ? AND s.verdict IN ({_LIVE}) AND s.is_confirmed ORDER BY s.id DESC LIMIT ?"
    )
