"""What a report counts and for which days: periods, the rows of a funnel and their rates. Pure.

A period is days of the brand's own zone. Scans, claims and members carry their day; shipments and activations carry a
moment, so a period also knows the moments at which it begins and ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from scancode.errors import Refusal
from scancode.i18n import N_

Dimension = Literal["channel", "store", "guide", "scene", "touchpoint", "region", "product", "batch", "day"]
DIMENSIONS: tuple[Dimension, ...] = (
    "channel", "store", "guide", "scene", "touchpoint", "region", "product", "batch", "day",
)  # fmt: skip
WITHOUT_SHIPPING: frozenset[str] = frozenset({"guide", "scene", "touchpoint", "region"})
"""Nothing is shipped to a guide, a scene, a placed code or a region: these rows have no number of shipped or activated
items."""
Model = Literal["last", "first", "item"]
MODELS: tuple[Model, ...] = ("last", "first", "item")
"""Who gets the credit: the last touch that counted, the first one, or the item alone (where it was shipped)."""
DAYS_MAX = 366
UNKNOWN = ""
"""The key of what nothing explains."""


class BadPeriod(Refusal):
    code = "bad_period"
    text = N_("Choose a first and a last day in order, as 2026-11-22.")
    status = 422


class PeriodTooLong(Refusal):
    code = "period_too_long"
    text = N_("A report covers at most {limit} days. Choose a shorter time.")
    status = 422


class BadModel(Refusal):
    code = "bad_model"
    text = N_("Credit goes by the last touch (last), the first touch (first) or the item alone (item), not by “{by}”.")
    status = 422


class BadDimension(Refusal):
    code = "bad_dimension"
    text = N_("There is no report by “{by}”.")
    status = 422


@dataclass(frozen=True)
class Period:
    """``first_day`` to ``last_day``, both included, in ``timezone``."""

    first_day: str
    last_day: str
    timezone: str

    @property
    def begins_at(self) -> datetime:
        """The first moment, in UTC."""
        return _midnight(self.first_day, self.timezone)

    @property
    def ends_before(self) -> datetime:
        """The first moment that is too late, in UTC."""
        return _midnight((date.fromisoformat(self.last_day) + timedelta(days=1)).isoformat(), self.timezone)

    def day_of(self, moment: datetime) -> str:
        return moment.astimezone(ZoneInfo(self.timezone)).date().isoformat()

    def days(self) -> list[str]:
        first, last = date.fromisoformat(self.first_day), date.fromisoformat(self.last_day)
        return [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]


def _midnight(day: str, timezone: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.min, ZoneInfo(timezone)).astimezone(UTC)


def read_period(first_day: str, last_day: str, *, timezone: str) -> Period:
    """Raises BadPeriod, PeriodTooLong."""
    try:
        first, last = (datetime.strptime(day, "%Y-%m-%d").date() for day in (first_day, last_day))  # noqa: DTZ007
        # Room for the zone's offset at either end of the calendar.
        if last < first or first.year < 2000 or last.year > 9000:
            raise BadPeriod
    except ValueError as error:
        raise BadPeriod from error
    if (last - first).days >= DAYS_MAX:
        raise PeriodTooLong(limit=DAYS_MAX)
    return Period(first.isoformat(), last.isoformat(), timezone)


def last_days(today: str, count: int) -> tuple[str, str]:
    """The last ``count`` days up to and including today."""
    return (date.fromisoformat(today) - timedelta(days=count - 1)).isoformat(), today


@dataclass(frozen=True)
class FunnelRow:
    """What one channel, store … brought. Each number counts what its name says; see docs/reports.md.

    ``shipped`` and ``activated`` are items, None where they make no sense. ``scanned`` is distinct codes, ``scans`` all
    scans of them, ``visitors`` distinct browsers. Money is in fen; ``promised_fen`` includes what is paid.
    """

    key: str
    name_zh: str = ""
    name_en: str = ""
    note: str = ""
    shipped: int | None = None
    activated: int | None = None
    opened: int | None = None
    """Of a placed code: distinct browsers that opened it."""
    scanned: int = 0
    scans: int = 0
    visitors: int = 0
    claims: int = 0
    members: int = 0
    paid_fen: int = 0
    promised_fen: int = 0

    @property
    def is_unknown(self) -> bool:
        return self.key == UNKNOWN

    @property
    def cost_per_member_fen(self) -> int | None:
        """Paid money for each new member, rounded to a fen; None without a member."""
        return per_member(self.paid_fen, self.members)

    @property
    def claim_rate(self) -> float | None:
        """Claims for each code scanned."""
        return share(self.claims, self.scanned)

    @property
    def join_rate(self) -> float | None:
        """New members for each visitor; of a placed code, for each browser that opened it."""
        return share(self.members, self.visitors if self.opened is None else self.opened)

    @property
    def is_empty(self) -> bool:
        return not any(
            (
                self.shipped,
                self.activated,
                self.opened,
                self.scanned,
                self.claims,
                self.members,
                self.paid_fen,
                self.promised_fen,
            )
        )

    def name(self, locale: str) -> str:
        return (self.name_zh if locale == "zh" else self.name_en) or self.name_zh or self.key


@dataclass(frozen=True)
class Funnel:
    """``rows`` best first (days in order, unknown last). ``total`` counts each code and each visitor once."""

    by: Dimension
    period: Period
    rows: tuple[FunnelRow, ...]
    total: FunnelRow
    left_off: int = 0
    """Rows beyond the limit, not shown."""
    model: Model = "last"


@dataclass(frozen=True)
class DayFigures:
    """One day of the dashboard."""

    day: str
    scans: int = 0
    visitors: int = 0
    claims: int = 0
    members: int = 0
    paid_fen: int = 0


@dataclass
class Counts:
    """The numbers of each key while a funnel is put together."""

    shipped: dict[str, int] = field(default_factory=dict)
    activated: dict[str, int] = field(default_factory=dict)
    opened: dict[str, int] = field(default_factory=dict)
    scanned: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Distinct codes, scans, distinct visitors."""
    claims: dict[str, int] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)
    money: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Paid, promised."""

    def keys(self) -> set[str]:
        return {
            *self.shipped,
            *self.activated,
            *self.opened,
            *self.scanned,
            *self.claims,
            *self.members,
            *self.money,
        }

    def row(self, key: str, *, by: str, name_zh: str = "", name_en: str = "", note: str = "") -> FunnelRow:
        scanned, scans, visitors = self.scanned.get(key, (0, 0, 0))
        paid, promised = self.money.get(key, (0, 0))
        bare = by in WITHOUT_SHIPPING
        return FunnelRow(
            key=key,
            name_zh=name_zh,
            name_en=name_en,
            note=note,
            shipped=None if bare else self.shipped.get(key, 0),
            activated=None if bare else self.activated.get(key, 0),
            opened=self.opened.get(key, 0) if by == "touchpoint" and key != UNKNOWN else None,
            scanned=scanned,
            scans=scans,
            visitors=visitors,
            claims=self.claims.get(key, 0),
            members=self.members.get(key, 0),
            paid_fen=paid,
            promised_fen=promised,
        )


def per_member(amount_fen: int, members: int) -> int | None:
    return None if members == 0 else (2 * amount_fen + members) // (2 * members)


def share(part: int, whole: int) -> float | None:
    return None if whole == 0 else part / whole


def in_order(rows: list[FunnelRow], by: Dimension) -> list[FunnelRow]:
    """Days in order; else the most scanned first; what nothing explains comes last."""
    if by == "day":
        return sorted(rows, key=lambda row: row.key)
    return sorted(
        rows,
        key=lambda row: (
            row.is_unknown,
            -row.scanned,
            -row.members,
            -(row.shipped or row.opened or 0),
            row.name_zh,
            row.key,
        ),
    )


def defuse(text: str) -> str:
    """A text that no spreadsheet takes for a formula when it opens a CSV file."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} else text
