"""What a brand and a product are to the rest of the program, and what may be written into them. Pure.

``BrandFacts`` and ``ProductPage`` are what pages read; ``BrandDraft`` and ``ProductDraft`` are what a person typed,
checked here before anything is stored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from batches.sscc import is_prefix
from scancode.catalog.colours import is_colour
from scancode.catalog.looks import Look
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.ledger.rules import FOR_EVER, PointsTerm

GTIN_LENGTHS = (8, 12, 13, 14)
PICTURES_MAX = 9
STORY_LENGTH_MAX = 10_000
TOUCH_DAYS_MAX = 90
PRIVACY_LENGTH_MAX = 40_000


class BadGtin(Refusal):
    code = "gtin_form"
    text = N_("“{typed}” is no GTIN: it has 8, 12, 13 or 14 digits, as printed under the bar code.")
    status = 422


class BadCheckDigit(Refusal):
    code = "gtin_check_digit"
    text = N_("The last digit of {typed} does not fit the others. Please compare every digit with the bar code.")
    status = 422


class BadTimezone(Refusal):
    code = "timezone"
    text = N_("“{typed}” is no time zone. Choose one from the list, such as Asia/Shanghai.")
    status = 422


class BadColour(Refusal):
    code = "colour"
    text = N_("“{typed}” is no colour. Write it as # and six digits, such as #1F7A5A.")
    status = 422


class BadSlug(Refusal):
    code = "slug"
    text = N_("A short name has 2 to 40 lower-case letters, digits and hyphens, and begins with a letter.")
    status = 422


class BadLink(Refusal):
    code = "support_url"
    text = N_("A support address begins with https:// and has no spaces.")
    status = 422


class BadCompanyPrefix(Refusal):
    code = "company_prefix"
    text = N_("“{typed}” is no GS1 company prefix: it has 4 to 12 digits.")
    status = 422


class BadTouchDays(Refusal):
    code = "touch_days"
    text = N_("A touch can count for 0 to 90 days.")
    status = 422


class TextMissing(Refusal):
    code = "text_missing"
    text = N_("A name is needed in Chinese and in English.")
    status = 422


class TextTooLong(Refusal):
    """Facts: ``limit``."""

    code = "text_too_long"
    text = N_("This text is too long: {count} characters, where {limit} are allowed.")
    status = 422


def in_language(locale: str, zh: str, en: str) -> str:
    """The text of a language, or the other language's where it is empty."""
    first, second = (zh, en) if locale.startswith("zh") else (en, zh)
    return first or second


@dataclass(frozen=True)
class BrandFacts:
    id: UUID
    slug: str
    name_zh: str
    name_en: str
    timezone: str
    colour: str
    company_zh: str
    company_en: str
    support_phone: str
    support_url: str
    privacy_zh: str
    privacy_en: str
    privacy_version: str
    accent: str = ""
    font: str = ""
    logo_sha256: str = ""
    touch_days: int | None = None
    """Days for which a touch explains later scans; None is what the installation says."""
    points: PointsTerm = FOR_EVER

    @property
    def look(self) -> Look:
        return Look(self.colour, self.accent, self.font)

    def name(self, locale: str) -> str:
        return in_language(locale, self.name_zh, self.name_en)

    def company(self, locale: str) -> str:
        return in_language(locale, self.company_zh, self.company_en)

    def privacy(self, locale: str) -> str:
        return in_language(locale, self.privacy_zh, self.privacy_en)

    def local(self, moment: datetime) -> datetime:
        """The moment on the brand's clocks."""
        return moment.astimezone(ZoneInfo(self.timezone))

    def points_expire_at(self, earned_at: datetime) -> datetime | None:
        """Until when points that came in then are good; None: for ever."""
        return self.points.expires_at(earned_at, self.timezone)

    def day(self, moment: datetime) -> str:
        """``YYYY-MM-DD`` in the brand's zone: what every report counts by."""
        return self.local(moment).date().isoformat()

    def moment(self, moment: datetime | None, locale: str) -> str:
        """A moment for people: ``2026年11月22日 12:00`` or ``22 Nov 2026, 12:00``; an empty text for None."""
        if moment is None:
            return ""
        at = self.local(moment)
        if locale.startswith("zh"):
            return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}"
        return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class PictureFacts:
    id: UUID
    sha256: str
    width: int
    height: int
    alt_zh: str
    alt_en: str

    def alt(self, locale: str) -> str:
        return in_language(locale, self.alt_zh, self.alt_en)


@dataclass(frozen=True)
class ProductPage:
    id: UUID
    brand_id: UUID
    gtin: str
    name_zh: str
    name_en: str
    spec_zh: str
    spec_en: str
    story_zh: str
    story_en: str
    is_archived: bool
    pictures: tuple[PictureFacts, ...]

    def name(self, locale: str) -> str:
        return in_language(locale, self.name_zh, self.name_en)

    def spec(self, locale: str) -> str:
        return in_language(locale, self.spec_zh, self.spec_en)

    def story(self, locale: str) -> str:
        return in_language(locale, self.story_zh, self.story_en)


def check_gtin(text: str) -> str:
    """A GTIN-8, -12, -13 or -14 as 14 digits. Spaces and hyphens are ignored. Raises BadGtin, BadCheckDigit.

    Source: GS1 General Specifications, 7.9 (the check digit weighs 3 and 1 in turn, from the right).
    """
    digits = re.sub(r"[\s-]", "", text)
    if len(digits) not in GTIN_LENGTHS or not (digits.isascii() and digits.isdigit()):
        raise BadGtin(typed=text.strip()[:40])
    gtin = digits.zfill(14)
    if not int(gtin):
        raise BadGtin(typed=text.strip()[:40])
    if sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(gtin)) % 10:
        raise BadCheckDigit(typed=digits)
    return gtin


def check_timezone(name: str) -> str:
    """Raises BadTimezone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise BadTimezone(typed=name[:40]) from error
    if len(name) > 40:
        raise BadTimezone(typed=name[:40])
    return name


@dataclass(frozen=True, kw_only=True)
class BrandDraft:
    """What somebody wants a brand to be."""

    name_zh: str
    name_en: str
    timezone: str = "Asia/Shanghai"
    colour: str = "#1f7a5a"
    company_zh: str = ""
    company_en: str = ""
    support_phone: str = ""
    support_url: str = ""
    privacy_zh: str = ""
    privacy_en: str = ""
    company_prefix: str = ""
    touch_days: int | None = None
    points: PointsTerm = FOR_EVER

    def checked(self) -> BrandDraft:
        """The same, tidied. Raises the refusal of the first field that cannot be stored."""
        limits = {
            "name_zh": 80, "name_en": 80, "company_zh": 120, "company_en": 120, "support_phone": 40,
            "support_url": 200, "privacy_zh": PRIVACY_LENGTH_MAX, "privacy_en": PRIVACY_LENGTH_MAX,
        }  # fmt: skip
        tidy: dict[str, Any] = {name: _text(getattr(self, name), limit) for name, limit in limits.items()}
        if not (tidy["name_zh"] and tidy["name_en"]):
            raise TextMissing
        if tidy["support_url"] and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", tidy["support_url"]):
            raise BadLink
        colour = self.colour.strip().lower()
        if not is_colour(colour):
            raise BadColour(typed=self.colour.strip()[:20])
        prefix = self.company_prefix.strip()
        if prefix and not is_prefix(prefix):
            raise BadCompanyPrefix(typed=prefix[:20])
        if self.touch_days is not None and not 0 <= self.touch_days <= TOUCH_DAYS_MAX:
            raise BadTouchDays
        self.points.checked()
        zone = check_timezone(self.timezone.strip())
        return replace(self, **tidy, colour=colour, timezone=zone, company_prefix=prefix)


def check_slug(text: str) -> str:
    """Raises BadSlug."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", text) or not 2 <= len(text) <= 40:
        raise BadSlug
    return text


def next_privacy_version(*, day: str, version: str) -> str:
    """The version of a privacy text changed on ``day``: the day, then ``day.2`` and so on."""
    if version.split(".")[0] != day:
        return day
    _, _, count = version.partition(".")
    return f"{day}.{int(count or 1) + 1}"


@dataclass(frozen=True, kw_only=True)
class ProductDraft:
    """What somebody wants a product and its page to be."""

    gtin: str
    name_zh: str
    name_en: str
    spec_zh: str = ""
    spec_en: str = ""
    story_zh: str = ""
    story_en: str = ""

    def checked(self) -> ProductDraft:
        """The same, tidied, the GTIN in 14 digits. Raises the refusal of the first field that cannot be stored."""
        limits = {
            "name_zh": 120, "name_en": 120, "spec_zh": 120, "spec_en": 120,
            "story_zh": STORY_LENGTH_MAX, "story_en": STORY_LENGTH_MAX,
        }  # fmt: skip
        tidy = {name: _text(getattr(self, name), limit) for name, limit in limits.items()}
        if not (tidy["name_zh"] and tidy["name_en"]):
            raise TextMissing
        return replace(self, **tidy, gtin=check_gtin(self.gtin))


_LONG = PRIVACY_LENGTH_MAX, STORY_LENGTH_MAX


def _text(text: str, limit: int) -> str:
    """Tidied: names are one line without control characters, stories and privacy texts keep their lines."""
    tidy = text.replace("\r\n", "\n").strip()
    if limit not in _LONG:
        tidy = re.sub(r"\s+", " ", "".join(char if char.isprintable() else " " for char in tidy)).strip()
    if len(tidy) > limit:
        raise TextTooLong(count=len(tidy), limit=limit)
    return tidy
