"""When points expire, how a pending transfer ends, and what an entry's cause means in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.letters import LetterState, Template, Words

TERM_DAYS_MAX = 3650
TERM_YEARS_MAX = 10
REMIND_DAYS_MAX = 180
BY_HAND_MAX = 10_000_000
NOTE_LENGTH_MAX = 200


class BadTerm(Refusal):
    code = "points_term"
    text = N_("Points expire never, after 1 to 3650 days, or at the end of a calendar year, up to 10 years on.")
    status = 422


class BadRemindDays(Refusal):
    code = "points_remind_days"
    text = N_("People can be told of points that expire 0 to 180 days before.")
    status = 422


TEMPLATE_WORDS = Words(("points", "day", "brand"), ("points", "day"), "points=number2 day=time3")


class TermKind(StrEnum):
    NEVER = "never"
    DAYS = "days"
    """After so many whole days."""
    YEARS = "years"
    """At the end of the calendar year so many years on: 1 is the next one."""


@dataclass(frozen=True)
class PointsTerm:
    """How long a brand's points are good for, from the day on which they come in."""

    kind: TermKind = TermKind.NEVER
    count: int = 0
    remind_days: int = 30
    template: str = ""
    """With which people are also told in WeChat: see ``letters.Template``. Empty: on their page alone."""

    def checked(self) -> PointsTerm:
        """Raises BadTerm, BadRemindDays, BadTemplate."""
        fits = {
            TermKind.NEVER: True,
            TermKind.DAYS: 1 <= self.count <= TERM_DAYS_MAX,
            TermKind.YEARS: 0 <= self.count <= TERM_YEARS_MAX,
        }
        if not fits[self.kind]:
            raise BadTerm
        if not 0 <= self.remind_days <= REMIND_DAYS_MAX:
            raise BadRemindDays
        Template.read(self.template, TEMPLATE_WORDS)
        return self

    def expires_at(self, earned_at: datetime, timezone: str) -> datetime | None:
        """The midnight, on the brand's clocks, from which points that came in then are no longer good."""
        zone = ZoneInfo(timezone)
        day = earned_at.astimezone(zone).date()
        if self.kind is TermKind.DAYS:
            return datetime.combine(day + timedelta(days=self.count + 1), time(), zone)
        if self.kind is TermKind.YEARS:
            return datetime.combine(date(day.year + self.count + 1, 1, 1), time(), zone)
        return None


FOR_EVER = PointsTerm()
"""What a brand that says nothing has."""


class HoldState(StrEnum):
    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    MOVED = "moved"
    """It goes on in the account into which this one was merged."""


@dataclass(frozen=True)
class ReminderFacts:
    """That a lot is about to expire."""

    account_id: UUID
    lot_id: UUID
    brand_id: UUID
    points: int
    expires_at: datetime
    made_at: datetime
    state: LetterState
    reason: str
    ended_at: datetime | None


@dataclass(frozen=True)
class EntryFacts:
    """One line of an account: ``points`` above zero came in, below zero went out."""

    id: UUID
    counter_account_id: UUID
    cause: str
    points: int
    occurred_at: datetime
    note: str | None = None

    @property
    def is_reversible(self) -> bool:
        """Whether its kind can be taken back; ``reverse`` also asks whether it was, and whom it was with."""
        return self.cause.partition(":")[0] not in {"reverse", "join", "left"}


@dataclass(frozen=True)
class LotFacts:
    id: UUID
    points: int
    left_points: int
    earned_at: datetime
    expires_at: datetime | None
    reminded_at: datetime | None


@dataclass(frozen=True)
class HoldFacts:
    id: UUID
    account_id: UUID
    brand_id: UUID
    cause: str
    points: int
    state: HoldState
    due_at: datetime
    note: str | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class AccountFacts:
    """What a person has. ``pending`` is to come; ``reserved`` is part of the balance."""

    id: UUID
    balance: int = 0
    reserved: int = 0
    pending: int = 0
    frozen_at: datetime | None = None
    frozen_reason: str | None = None

    @property
    def available(self) -> int:
        """What can be spent."""
        return self.balance - self.reserved


@dataclass(frozen=True)
class Wrong:
    """Sums of an account that do not agree, or without an account those of a whole brand."""

    account_id: UUID | None
    balance: int
    entries: int
    lots: int
    reserved: int
    holds: int

    @classmethod
    def read(cls, values: dict[str, Any]) -> Wrong:
        """From what ``written`` made of one."""
        account = values["account_id"]
        return cls(**values | {"account_id": UUID(account) if account else None})

    def written(self) -> dict[str, Any]:
        return vars(self) | {"account_id": str(self.account_id) if self.account_id else None}


_CAUSES = {
    "claim": N_("Reward of a code"),
    "nth": N_("For several codes"),
    "join": N_("Points from before joining"),
    "left": N_("Account closed"),
    "adjust": N_("Entered by customer service"),
    "api": N_("By another service of the brand"),
    "expire": N_("Expired"),
    "reverse": N_("Taken back"),
}


def cause_text(cause: str) -> str:
    """What the first word of an entry's cause means to people; an English sentence to be translated."""
    return _CAUSES.get(cause.partition(":")[0], N_("Points"))
