"""When points expire, how a pending transfer ends, and what an entry's cause means in words. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from scancode.errors import Refusal
from scancode.i18n import N_

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


class BadTemplate(Refusal):
    code = "points_template"
    text = N_("Write the template's id, then which of its fields is what, such as: points=number2 day=time3.")
    status = 422


TEMPLATE_LENGTH_MAX = 300
_TEMPLATE_ID = re.compile(r"[0-9A-Za-z_-]{20,64}")
_FIELD = re.compile(r"(points|day|brand)=([a-z_]{1,24}[0-9]{1,3})")
THING_LENGTH_MAX = 20
"""Signs that WeChat takes in a field of a text."""


@dataclass(frozen=True)
class Template:
    """A message template of the brand's official account at WeChat, and which of its fields is what."""

    id: str
    fields: Mapping[str, str]

    @classmethod
    def read(cls, text: str) -> Template | None:
        """``ID points=number2 day=time3 brand=thing1``; None for an empty text. Raises BadTemplate."""
        id_, *parts = text.split() or [""]
        if not id_:
            return None
        found = [_FIELD.fullmatch(part) for part in parts]
        fields = {match[1]: match[2] for match in found if match}
        is_whole = len(fields) == len(parts) == len(set(fields.values())) and {"points", "day"} <= set(fields)
        if not is_whole or not _TEMPLATE_ID.fullmatch(id_) or len(text) > TEMPLATE_LENGTH_MAX:
            raise BadTemplate
        return cls(id_, fields)

    def filled(self, *, points: int, day: date, brand: str) -> dict[str, str]:
        """What stands in each field: a day in the one form that WeChat takes."""
        words = {
            "points": str(points),
            "day": f"{day.year}年{day.month}月{day.day}日",
            "brand": brand[:THING_LENGTH_MAX],
        }
        return {theirs: words[ours] for ours, theirs in self.fields.items()}


QUIET_FROM, QUIET_TO = 21, 9
"""Hours of the brand's clocks: from the one to the other nobody is written to."""


def not_quiet_before(local: datetime) -> datetime:
    """The moment, or where it lies in the quiet hours their end."""
    if local.hour >= QUIET_FROM:
        return datetime.combine(local.date() + timedelta(days=1), time(QUIET_TO), local.tzinfo)
    if local.hour < QUIET_TO:
        return datetime.combine(local.date(), time(QUIET_TO), local.tzinfo)
    return local


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
    """With which people are also told in WeChat: see ``Template``. Empty: on their page alone."""

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
        Template.read(self.template)
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


class ReminderState(StrEnum):
    WAITING = "waiting"
    """A message is to go out, if there is a way."""
    SENT = "sent"
    PAGE_ONLY = "page"
    """It stands on the person's page, and no message goes out."""


REASONS = {
    "guest": N_("Not a member yet"),
    "left": N_("Left"),
    "no_consent": N_("Has not agreed to messages"),
    "no_template": N_("The brand has no template for it"),
    "no_channel": N_("No WeChat known"),
    "spent": N_("Nothing is left of it"),
    "late": N_("It expired before a message could go out"),
    "refused": N_("WeChat refused the message"),
}
"""Why there was no message, by the word that is kept."""


@dataclass(frozen=True)
class ReminderFacts:
    """That a lot is about to expire."""

    account_id: UUID
    lot_id: UUID
    brand_id: UUID
    points: int
    expires_at: datetime
    made_at: datetime
    state: ReminderState
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
