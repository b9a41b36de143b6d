"""Where a Digital Link leads, decided purely: which links a request may have, which of them fits it best, and the list
of all (a linkset, RFC 9264, as GS1-Conformant Resolver asks for it)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from scancode.errors import Invalid
from scancode.i18n import N_
from scancode.resolver.link_types import (
    DEFAULT,
    DEFAULT_MULTI,
    DESCRIBED_BY,
    FOR_MACHINES,
    LINK_TYPES,
    PRODUCT_PAGE,
    relation,
)

TARGET_LENGTH_MAX, TITLE_LENGTH_MAX = 1000, 120
LINKS_MAX = 60
"""Of a product, and of a batch."""
MEDIA_TYPES = (
    "text/html", "application/pdf", "application/json", "application/ld+json", "application/xml", "text/csv",
    "text/plain", "image/png", "image/jpeg", "video/mp4", "audio/mpeg", "application/vc",
)  # fmt: skip
"""What may be said of a target: all are registered with IANA."""
LANGUAGES = ("zh", "zh-CN", "zh-TW", "zh-HK", "en", "ja", "ko", "fr", "de", "es", "ru", "ar", "th", "vi")
"""What a form suggests; any other of the kind will do."""
_LANGUAGE = re.compile(r"([A-Za-z]{2})(?:-([A-Za-z]{2}))?")
_TARGET = re.compile(r"https?://[A-Za-z0-9._-]+(?::[0-9]{1,5})?(?:[/?#]\S*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Link:
    """A target. Several languages only where the target speaks them all; empty where nobody said."""

    link_type: str
    href: str
    title: str
    languages: tuple[str, ...] = ()
    media_type: str = ""
    is_default: bool = False
    id: UUID | None = None
    """None for what leads to a page of our own."""

    def differs_in(self) -> tuple[tuple[str, ...], str]:
        """What tells it from its siblings of the same type."""
        return self.languages, self.media_type


@dataclass(frozen=True, kw_only=True)
class LinkDraft:
    """What somebody wants a link to be."""

    link_type: str
    href: str
    title: str
    language: str = ""
    media_type: str = ""
    is_default: bool = False

    def checked(self, *, own_hosts: Iterable[str]) -> LinkDraft:
        """The same, tidied. ``own_hosts``: bases of this service, whose Digital Links lead nowhere but back here.

        Raises Invalid, naming the field.
        """
        if self.link_type not in LINK_TYPES:
            raise Invalid(field="link_type", problem=N_("Choose what the link leads to."))
        title = re.sub(r"\s+", " ", "".join(char if char.isprintable() else " " for char in self.title)).strip()
        if not 1 <= len(title) <= TITLE_LENGTH_MAX:
            raise Invalid(field="title", problem=N_("A title has 1 to 120 characters."))
        if self.media_type and self.media_type not in MEDIA_TYPES:
            raise Invalid(field="media_type", problem=N_("Choose one from the list."))
        href = check_target(self.href, own_hosts)
        return replace(self, href=href, title=title, language=check_language(self.language))


def check_language(text: str) -> str:
    """``zh``, ``zh-CN`` or nothing. Raises Invalid."""
    typed = text.strip()
    if not typed:
        return ""
    found = _LANGUAGE.fullmatch(typed)
    if not found:
        raise Invalid(field="language", problem=N_("A language is two letters, such as zh, or with a region: zh-CN."))
    return found[1].lower() + (f"-{found[2].upper()}" if found[2] else "")


def check_target(text: str, own_hosts: Iterable[str], *, field: str = "href") -> str:
    """An address to which people may be led, tidied. Raises Invalid, naming the field."""
    href = quote(text.strip(), safe="%/:=&?~#+!$,;'@()*[]-._")
    if not (_TARGET.fullmatch(href) and text.strip().isprintable()):
        raise Invalid(field=field, problem=N_("An address begins with https:// and has no spaces."))
    if len(href) > TARGET_LENGTH_MAX:
        raise Invalid(field=field, problem=N_("This address is too long: 1000 characters are allowed."))
    parts = urlsplit(href)
    ours = {urlsplit(base.lower()).netloc for base in own_hosts}
    if parts.netloc.lower() in ours and parts.path.startswith("/01/"):
        raise Invalid(
            field=field, problem=N_("This address is a Digital Link itself: it would lead back here for ever.")
        )
    return href


@dataclass(frozen=True)
class ProductLinks:
    """Every link of a product, as memory keeps them."""

    own: tuple[Link, ...]
    of_batches: Mapping[int, tuple[Link, ...]]
    of_lots: Mapping[str, tuple[Link, ...]]
    """By production lot: those of all its batches."""


def links_for_people(links: ProductLinks, *, batch_number: int | None = None, locale: str) -> list[Link]:
    """What a page about a product, or about an item of a batch, may offer: in the reader's language, or in none."""
    of_batch = () if batch_number is None else links.of_batches.get(batch_number, ())
    return [
        link
        for link in (*of_batch, *links.own)
        if link.link_type not in FOR_MACHINES
        and (not link.languages or any(_likeness(locale, language) for language in link.languages))
    ]


@dataclass(frozen=True)
class Level:
    """An entity on the way from what was asked for up to the product, with its own links."""

    anchor: str
    description: str
    links: tuple[Link, ...]

    @property
    def default(self) -> Link | None:
        return next((link for link in self.links if link.is_default), None)

    def links_like(self, other: Link) -> tuple[Link, ...]:
        """Of the same type."""
        return tuple(link for link in self.links if link.link_type == other.link_type)


def with_own_page(
    levels: Sequence[Level], place: int, *, href: str, title: str, languages: tuple[str, ...], is_verdict: bool
) -> list[Level]:
    """The levels, our own page among the links of one: the default there unless the brand has named another. Before a
    verdict nothing comes: it is the default whatever the brand says.

    It is a page of product information (``pip``); where the brand has such pages itself, it only describes the thing.
    """
    has_page = any(link.link_type == PRODUCT_PAGE for level in levels for link in level.links)
    level = levels[place]
    own = Link(
        link_type=DESCRIBED_BY if has_page else PRODUCT_PAGE,
        href=href,
        title=title,
        languages=languages,
        media_type="text/html",
        is_default=is_verdict or level.default is None,
    )
    others = tuple(replace(link, is_default=False) for link in level.links) if is_verdict else level.links
    return [*levels[:place], replace(level, links=(own, *others)), *levels[place + 1 :]]


@dataclass(frozen=True)
class Wish:
    """What a request says about the link that it would like: qualities from 0 to 1, by RFC 9110."""

    languages: tuple[tuple[str, float], ...] = ()
    media: Callable[[str], float] = lambda _: 1.0

    def language_quality(self, link: Link) -> float:
        """How well the languages of a link fit; a link that has none fits a little."""
        if not link.languages:
            return 0.001
        return max(
            quality * _likeness(wished, spoken) for wished, quality in self.languages for spoken in link.languages
        )

    def media_quality(self, link: Link) -> float:
        return self.media(link.media_type or "text/html")


def _likeness(wished: str, spoken: str) -> float:
    """1 for the same; a little less for ``zh`` and ``zh-CN``, or two regions of one language, who understand each
    other."""
    if wished.lower() == spoken.lower():
        return 1.0
    return 0.99 if wished == "*" or wished.partition("-")[0].lower() == spoken.partition("-")[0].lower() else 0.0


def find_links(levels: Iterable[Level], link_type: str | None, wish: Wish) -> tuple[Link, ...]:
    """The link to follow; several where nothing decides between them; none where there is no link of the type.

    ``link_type`` None, ``defaultLink`` or ``defaultLinkMulti`` asks for the default.
    """
    if link_type in (None, DEFAULT, DEFAULT_MULTI):
        for level in levels:
            if level.default is not None:
                best = _best(level.links_like(level.default), wish)
                return best if len(best) == 1 else (level.default,)
        return ()
    for level in levels:
        of_type = tuple(link for link in level.links if link.link_type == link_type)
        if of_type:
            best = _best(of_type, wish)
            if len({link.differs_in() for link in best}) > 1:
                # Nothing was said that decides: the default does, where it is one of them.
                return next(((link,) for link in best if link.is_default), best)
            return best
    return ()


def _best(links: tuple[Link, ...], wish: Wish) -> tuple[Link, ...]:
    if wish.languages:
        links = _highest(links, wish.language_quality)
    return _highest(links, wish.media_quality)


def _highest(links: tuple[Link, ...], quality: Callable[[Link], float]) -> tuple[Link, ...]:
    top = max(map(quality, links))
    return tuple(link for link in links if quality(link) == top) if top else links


def linkset(levels: Iterable[Level]) -> dict[str, Any]:
    """All links of all levels as RFC 9264 writes them in JSON."""
    return {"linkset": [_context(level) for level in levels]}


def _context(level: Level) -> dict[str, Any]:
    found: dict[str, Any] = {"anchor": level.anchor, "itemDescription": level.description}
    for link in level.links:
        found.setdefault(relation(link.link_type), []).append(_target(link))
    if level.default is not None:
        found[relation(DEFAULT)] = [{"href": level.default.href, "title": level.default.title}]
        variants = {link.differs_in(): link for link in reversed(level.links_like(level.default))}
        if len(variants) > 1:
            found[relation(DEFAULT_MULTI)] = [_target(link) for link in reversed(variants.values())]
    return found


def _target(link: Link) -> dict[str, Any]:
    target: dict[str, Any] = {"href": link.href, "title": link.title}
    if link.media_type:
        target["type"] = link.media_type
    if link.languages:
        target["hreflang"] = list(link.languages)
    return target
