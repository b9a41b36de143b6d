"""What a scan says. Pure: from the state of the code and who scanned it before, to a verdict and its history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from scancode.codes.rules import Life

HISTORY_MAX = 200
"""Scans of one code that are looked at; beyond it a page says «more than»."""


class Verdict(StrEnum):
    """In order of precedence: the first that applies is shown."""

    FORGED = "forged"
    UNKNOWN = "unknown"
    RECALLED = "recalled"
    VOID = "void"
    INACTIVE = "inactive"
    SUSPECT = "suspect"
    REPEAT = "repeat"
    FIRST = "first"


LIVE = (Verdict.SUSPECT, Verdict.REPEAT, Verdict.FIRST)
"""Scans that met a live code. Only these count when a later page speaks of earlier scans: a line operator who tried
the code before it was activated does not make the first consumer suspicious."""


@dataclass(frozen=True)
class Earlier:
    """A scan of the same code, made before."""

    visitor_id: UUID
    scanned_at: datetime


@dataclass(frozen=True)
class History:
    """What others did with the same code: how many of them, how often, when first and last; and own scans."""

    visitors: int = 0
    scans: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    own_first_at: datetime | None = None
    is_cut: bool = False
    """There were more than ``HISTORY_MAX`` scans; the numbers are lower bounds."""

    @property
    def is_empty(self) -> bool:
        return not self.scans and self.own_first_at is None


def history(earlier: Iterable[Earlier], *, visitor_id: UUID) -> History:
    """Sums up the earlier live scans of a code (oldest first, at most ``HISTORY_MAX``), as this visitor sees them."""
    visitors: set[UUID] = set()
    times: list[datetime] = []
    own: datetime | None = None
    count = 0
    for scan in earlier:
        count += 1
        if scan.visitor_id == visitor_id:
            own = own or scan.scanned_at
        else:
            visitors.add(scan.visitor_id)
            times.append(scan.scanned_at)
    return History(
        visitors=len(visitors),
        scans=len(times),
        first_at=times[0] if times else None,
        last_at=times[-1] if times else None,
        own_first_at=own,
        is_cut=count >= HISTORY_MAX,
    )


def judge(life: Life, seen: History) -> Verdict:
    """The verdict on a genuine code. ``repeat`` speaks of other visitors only, and only of those who came first:
    whoever scanned first stays first, however often the item is scanned afterwards."""
    if life is Life.RECALLED:
        return Verdict.RECALLED
    if life is Life.VOID:
        return Verdict.VOID
    if life is Life.INACTIVE:
        return Verdict.INACTIVE
    if seen.first_at is None or (seen.own_first_at is not None and seen.own_first_at <= seen.first_at):
        return Verdict.FIRST
    return Verdict.REPEAT
