"""Tags: marks that a brand puts on members, each with where it came from and when. Pure.

A tag has a name for staff. What people are told of it is its public name; a tag without one is never named to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from scancode.errors import Refusal
from scancode.i18n import N_

NAME_LENGTH_MAX = 40
SCENES_MAX = 200
TAGS_MAX = 300
"""Of one brand, and so of one member: more than anybody keeps apart."""


class TagSource(StrEnum):
    STAFF = "staff"
    """Somebody put it there by hand."""
    IMPORT = "import"
    """A file named the member."""
    API = "api"
    """Another system did."""
    SCAN = "scan"
    """They joined through a placed code that gives it."""


class BadTag(Refusal):
    code = "tag_name"
    text = N_("A tag has a name of up to 40 characters. A public name is given in both languages or in none.")
    status = 422


class TagTaken(Refusal):
    code = "tag_taken"
    text = N_("Another tag has this name.")


class TooManyTags(Refusal):
    """Facts: ``limit``."""

    code = "tags_many"
    text = N_("A brand has at most {limit} tags. Delete one that is no longer used.")


class TooManyScenes(Refusal):
    """Facts: ``limit``."""

    code = "tag_scenes"
    text = N_("At most {limit} placed codes can give one tag.")
    status = 422


class TagInUse(Refusal):
    """Facts: ``names`` of what names it."""

    code = "tag_in_use"
    text = N_("This tag is named by: {names}. End that or change it first.")


@dataclass(frozen=True)
class TagDraft:
    """What a person typed."""

    name: str
    public_zh: str = ""
    public_en: str = ""

    def checked(self) -> TagDraft:
        """Tidied. Raises BadTag."""
        name, zh, en = (" ".join(text.split()) for text in (self.name, self.public_zh, self.public_en))
        is_short = max(map(len, (name, zh, en))) <= NAME_LENGTH_MAX
        if not name or not is_short or bool(zh) != bool(en) or not (name + zh + en).isprintable():
            raise BadTag
        return TagDraft(name, zh, en)

    @property
    def key(self) -> str:
        """Names that differ in case alone are one name."""
        return self.name.casefold()[:NAME_LENGTH_MAX]


@dataclass(frozen=True)
class TagFacts:
    """``members`` is how many carry it, where that was counted."""

    id: UUID
    brand_id: UUID
    name: str
    public_zh: str
    public_en: str
    members: int = 0


@dataclass(frozen=True)
class Mark:
    """A tag on a member."""

    tag_id: UUID
    name: str
    source: TagSource
    tagged_at: datetime


def public_names(tags: Iterable[TagFacts]) -> tuple[str, str] | None:
    """What people may be told of these tags, in Chinese and English; None where one of them has no public name."""
    found = list(tags)
    if not found or not all(tag.public_zh for tag in found):
        return None
    return "、".join(tag.public_zh for tag in found), ", ".join(tag.public_en for tag in found)
