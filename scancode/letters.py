"""Messages of a brand's official account at WeChat: templates and which of their fields is what, when nobody is
written to, and what became of a message. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from scancode.errors import Refusal
from scancode.i18n import N_

TEMPLATE_LENGTH_MAX = 300
THING_LENGTH_MAX = 20
"""Signs that WeChat takes in a field of a text."""
QUIET_FROM, QUIET_TO = 21, 9
"""Hours of the brand's clocks: from the one to the other nobody is written to."""
_TEMPLATE_ID = re.compile(r"[0-9A-Za-z_-]{20,64}")
_FIELD = re.compile(r"([a-z]{1,12})=([a-z_]{1,24}[0-9]{1,3})")


class BadTemplate(Refusal):
    """Facts: ``example``."""

    code = "message_template"
    text = N_("Write the template's id, then which of its fields is what, such as: {example}.")
    status = 422


@dataclass(frozen=True)
class Words:
    """What there is to be said in the messages of one kind, and what each of them has to say."""

    known: tuple[str, ...]
    needed: tuple[str, ...]
    example: str


@dataclass(frozen=True)
class Template:
    """A message template of the brand's official account, and which of its fields is what."""

    id: str
    fields: Mapping[str, str]

    @classmethod
    def read(cls, text: str, words: Words) -> Template | None:
        """``ID points=number2 day=time3 brand=thing1``; None for an empty text. Raises BadTemplate."""
        id_, *parts = text.split() or [""]
        if not id_:
            return None
        found = [_FIELD.fullmatch(part) for part in parts]
        fields = {match[1]: match[2] for match in found if match}
        is_whole = len(fields) == len(parts) == len(set(fields.values()))
        is_known = set(words.needed) <= set(fields) <= set(words.known)
        if not is_whole or not is_known or not _TEMPLATE_ID.fullmatch(id_) or len(text) > TEMPLATE_LENGTH_MAX:
            raise BadTemplate(example=words.example)
        return cls(id_, fields)

    def filled(self, **words: str) -> dict[str, str]:
        """What stands in each field of it."""
        return {theirs: words[ours] for ours, theirs in self.fields.items()}


def thing(text: str) -> str:
    """A text as WeChat takes it in a field."""
    return text if len(text) <= THING_LENGTH_MAX else text[: THING_LENGTH_MAX - 1] + "…"


def day_in_words(day: date) -> str:
    """A day in the one form that WeChat takes."""
    return f"{day.year}年{day.month}月{day.day}日"


def not_quiet_before(local: datetime) -> datetime:
    """The moment, or where it lies in the quiet hours their end."""
    if local.hour >= QUIET_FROM:
        return datetime.combine(local.date() + timedelta(days=1), time(QUIET_TO), local.tzinfo)
    if local.hour < QUIET_TO:
        return datetime.combine(local.date(), time(QUIET_TO), local.tzinfo)
    return local


class LetterState(StrEnum):
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
    "stale": N_("Too long after they joined"),
    "refused": N_("WeChat refused the message"),
}
"""Why there was no message, by the word that is kept."""
