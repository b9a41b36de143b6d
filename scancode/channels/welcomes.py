"""What a brand says to who has just joined, and which of its welcomes that is. Pure.

It is chosen by what the member is credited to, so that the greeting and the report never disagree: the placed code,
else the guide, the store, the channel; and the brand's own for everybody else. What belongs to a place that is not in
use is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from scancode.channels.rules import Attribution
from scancode.errors import Invalid, Refusal
from scancode.i18n import N_
from scancode.letters import LetterState, Template, Words
from scancode.resolver.rules import check_target

TITLE_LENGTH_MAX, TEXT_LENGTH_MAX, BUTTON_LENGTH_MAX, LINK_LENGTH_MAX = 40, 200, 20, 500
DAYS_MAX = 90
LETTER_TIME = timedelta(days=3)
"""A message that could not go out for so long after somebody joined is no greeting any more."""
TEMPLATE_WORDS = Words(("title", "text", "brand", "day"), ("title",), "title=thing1 text=thing2")
_JOINER = "\u200d"
"""Between the parts of one emoji."""
_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")


class Target(StrEnum):
    """What a welcome belongs to, in the order in which it is looked for."""

    CODE = "code"
    """A placed code or a live code; those of stores and guides greet as their store or guide does."""
    GUIDE = "guide"
    STORE = "store"
    CHANNEL = "channel"
    BRAND = "brand"
    """For everybody else."""


class BadWelcomeDays(Refusal):
    code = "welcome_days"
    text = N_("A welcome can stand on the member's page for 0 to 90 days.")
    status = 422


@dataclass(frozen=True)
class WelcomeDraft:
    """What somebody wrote. The line and the button are there in both languages, or in none."""

    title_zh: str
    title_en: str
    text_zh: str = ""
    text_en: str = ""
    link: str = ""
    """An https address, or a page of this service: a path."""
    button_zh: str = ""
    button_en: str = ""

    def checked(self) -> WelcomeDraft:
        """Tidied. Raises Invalid, naming the field."""
        draft = replace(self, **{name: _tidy(text) for name, text in vars(self).items() if name != "link"})
        for name, length in _LENGTHS.items():
            if len(getattr(draft, name)) > length:
                raise Invalid(field=name, problem=_TOO_LONG[length])
        for name in ("title_zh", "title_en"):
            if not getattr(draft, name):
                raise Invalid(field=name, problem=N_("A welcome has a title in both languages."))
        if bool(draft.text_zh) != bool(draft.text_en):
            missing = "text_en" if draft.text_zh else "text_zh"
            raise Invalid(field=missing, problem=N_("Write it in both languages, or in none."))
        link = check_link(self.link)
        for name in ("button_zh", "button_en"):
            if bool(getattr(draft, name)) != bool(link):
                problem = N_("Say where the button leads.") if not link else N_("Write what the button says.")
                raise Invalid(field=name if link else "link", problem=problem)
        return replace(draft, link=link)


_LENGTHS = {
    "title_zh": TITLE_LENGTH_MAX, "title_en": TITLE_LENGTH_MAX, "text_zh": TEXT_LENGTH_MAX,
    "text_en": TEXT_LENGTH_MAX, "button_zh": BUTTON_LENGTH_MAX, "button_en": BUTTON_LENGTH_MAX,
}  # fmt: skip
_TOO_LONG = {
    TITLE_LENGTH_MAX: N_("At most 40 characters are possible."),
    TEXT_LENGTH_MAX: N_("At most 200 characters are possible."),
    BUTTON_LENGTH_MAX: N_("At most 20 characters are possible."),
}


def _tidy(text: str) -> str:
    """One line of what can be seen."""
    return " ".join("".join(char if char.isprintable() or char == _JOINER else " " for char in text).split())


def check_link(text: str) -> str:
    """The address or path, tidied; nothing for nothing. Raises Invalid."""
    link = text.strip()
    if link and not _PATH.fullmatch(link):
        if not link.lower().startswith("https://"):
            raise Invalid(
                field="link",
                problem=N_("An address begins with https://, or with / for a page of yours here, and has no spaces."),
            )
        link = check_target(link, (), field="link")
    if len(link) > LINK_LENGTH_MAX:
        raise Invalid(field="link", problem=N_("This address is too long: 500 characters are allowed."))
    return link


@dataclass(frozen=True)
class WelcomeFacts:
    """One version of a welcome. ``is_on`` is False as soon as its place, or what that belongs to, is not in use."""

    id: UUID
    brand_id: UUID
    target: Target
    target_id: UUID
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    link: str
    button_zh: str
    button_en: str
    made_at: datetime
    is_on: bool = True

    def title(self, locale: str) -> str:
        return self.title_en if locale == "en" else self.title_zh

    def text(self, locale: str) -> str:
        return self.text_en if locale == "en" else self.text_zh

    def button(self, locale: str) -> str:
        return self.button_en if locale == "en" else self.button_zh

    @property
    def draft(self) -> WelcomeDraft:
        return WelcomeDraft(**{name: getattr(self, name) for name in WelcomeDraft.__dataclass_fields__})


def targets_of(attribution: Attribution, brand_id: UUID) -> list[tuple[Target, UUID]]:
    """What may have a welcome for somebody who is credited so, the nearest first."""
    chain = (
        (Target.CODE, attribution.touchpoint_id),
        (Target.GUIDE, attribution.guide_id),
        (Target.STORE, attribution.store_id),
        (Target.CHANNEL, attribution.channel_id),
        (Target.BRAND, brand_id),
    )
    return [(target, id_) for target, id_ in chain if id_ is not None]


def choose(attribution: Attribution, brand_id: UUID, welcomes: Iterable[WelcomeFacts]) -> WelcomeFacts | None:
    """The welcome of somebody who is credited so, among those of the brand; None where none fits."""
    known = {(one.target, one.target_id): one for one in welcomes if one.is_on and one.brand_id == brand_id}
    return next((known[place] for place in targets_of(attribution, brand_id) if place in known), None)


@dataclass(frozen=True)
class Terms:
    """How a brand gives its welcomes."""

    days: int = 14
    """For so long it stands on the member's page; 0: on the first page after joining alone."""
    template: str = ""
    """With which it is also sent in WeChat: see ``letters.Template``. Empty: it is shown alone."""

    def checked(self) -> Terms:
        """Raises BadWelcomeDays, BadTemplate."""
        if not 0 <= self.days <= DAYS_MAX:
            raise BadWelcomeDays
        tidy = " ".join(self.template.split())
        Template.read(tidy, TEMPLATE_WORDS)
        return replace(self, template=tidy)


@dataclass(frozen=True)
class GivenFacts:
    """The welcome of a member, as it was when they joined."""

    member_id: UUID
    welcome: WelcomeFacts
    source: str
    touchpoint_id: UUID | None
    given_at: datetime
    seen_at: datetime | None
    dismissed_at: datetime | None
    state: LetterState
    reason: str
    ended_at: datetime | None

    def stands(self, now: datetime, days: int) -> bool:
        """Whether it is on the member's page."""
        return self.dismissed_at is None and now < self.given_at + timedelta(days=days)
