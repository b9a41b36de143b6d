"""What is known of a code at the moment when it is scanned again: its earlier scans, and what is thought of it.

One query for a whole group of scans brings both; a code that nobody scanned before has neither, and costs nothing more.
A code that looks copied is marked here, in the transaction of the scan that shows it.
"""

from __future__ import annotations

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
    """Live scans of one code, the oldest first and at most ``HISTORY_MAX``; and where it stands, if it was marked."""

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


def look_up(sender: Sender, codes: list[int]) -> dict[int, Past]:
    """By code. One query, unless a code was scanned so often that it would crowd out others."""
    most = HISTORY_MAX + 4 * len(codes)
    rows = send(sender, _past_text(len(codes)), [*codes, most])()
    if len(rows) == most:
        singly = (send(sender, _past_text(1), [code, HISTORY_MAX])() for code in codes)
        rows = [row for found_rows in singly for row in found_rows]
    found: dict[int, Past] = defaultdict(Past)
    for row in rows:
        past = found[row[0]]
        if row[6] is not None:
            past.standing, past.counted_from = Standing(row[6]), as_moment(row[7])
        if len(past.earlier) < HISTORY_MAX:
            past.earlier.append(_earlier(row))
    return found


def examine(sender: Sender, past: Past, now: Earlier, *, about: Marked, terms: CopyTerms) -> None:
    """Marks the code where its earlier scans and this one look like copies."""
    if len(past.earlier) < HISTORY_MAX:
        known = past.earlier
    else:  # whoever scans an item over and over shall not hide what comes after
        if past.newest is None:
            past.newest = [_earlier(row) for row in send(sender, _newest_text(), [about.code_id, HISTORY_MAX])()]
        known = past.newest
        past.newest = [*known[-HISTORY_MAX:], now]
    since = past.counted_from
    counted = [scan for scan in known if since is None or scan.scanned_at > since]
    signs = signs_of_copying([*counted, now], terms=terms, now=now.scanned_at)
    if signs.found:
        _mark(sender, past, signs, about=about, at=now.scanned_at)
        past.standing = Standing.OPEN


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


def _earlier(row: Sequence[Any]) -> Earlier:
    return Earlier(as_uuid(row[1]), as_moment(row[2]), row[5], row[3], Risk.CROWD in (row[4] or "").split(","))


_LIVE = ", ".join(f"'{verdict}'" for verdict in LIVE)


@lru_cache(maxsize=512)
def _past_text(codes: int) -> str:
    """Live scans of so many codes, by code and then oldest first, each with where its code stands."""
    return (
        "SELECT s.code_id, s.visitor_id, s.scanned_at, s.address_digest, s.risk, s.region, x.state, x.counted_from "
        "FROM scans s LEFT JOIN suspicions x ON x.code_id = s.code_id "
        f"WHERE s.code_id IN ({', '.join('?' * codes)}) AND s.verdict IN ({_LIVE}) ORDER BY s.code_id, s.id LIMIT ?"
    )


@lru_cache(maxsize=1)
def _newest_text() -> str:
    return (
        "SELECT code_id, visitor_id, scanned_at, address_digest, risk, region FROM scans "
        f"WHERE code_id = ? AND verdict IN ({_LIVE}) ORDER BY id DESC LIMIT ?"
    )
