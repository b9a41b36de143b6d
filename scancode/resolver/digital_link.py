"""Reading and writing GS1 Digital Link URIs, strictly (GS1 Digital Link: URI Syntax 1.7.0).

What is written here is what GS1's own engine reads, and the other way round: the tests hold its vectors. Nothing is
mended: a GTIN has fourteen digits, and a slash at the end is one too many. Who wants to be kinder is so before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.resolver import dictionary
from scancode.resolver.dictionary import Entry, fits
from scancode.resolver.elements import is_value

ELEMENTS_MAX = 64
_ALLOWED = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
_SCHEMES = ("https://", "HTTPS://", "http://", "HTTP://")
_HOST = re.compile(r"[A-Za-z0-9.\-:\[\]]+")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
STEM = "https://id.gs1.org"
"""Where GS1's own resolver is: what a Digital Link begins with that belongs to nobody's host."""


class NotDigitalLink(Refusal):
    """Facts: ``problem`` (an English sentence with places), and what fills them: ``ai``, ``other``."""

    code = "not_digital_link"
    text = N_("This address is no valid GS1 Digital Link: {problem}.")
    status = 400

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        problem = translate(self.facts.get("problem", NO_KEY)).format_map(self.facts)
        return translate(self.text).format(problem=problem)


CHARACTERS = N_("it holds a character that no address may hold")
SCHEME = N_("it begins neither with https:// nor with http://")
HOST = N_("the name of the host is missing or wrong")
NO_KEY = N_("its path is not made of a GS1 key with its number, such as /01/ and a GTIN, and of what belongs to it")
EMPTY = N_("({ai}) has no value")
VALUE = N_("({ai}) has a value that it cannot have; a GTIN has 14 digits, and the last one fits the others")
ORDER = N_("what follows the key in the path is not its own, or not in order")
UNKNOWN = N_("({ai}) in the query is no Application Identifier")
NOT_IN_QUERY = N_("({ai}) may not stand in the query")
IN_PATH = N_("({ai}) belongs into the path")
TWICE = N_("({ai}) is there more than once")
NEEDS = N_("({ai}) does not stand without {other}")
EXCLUDES = N_("({ai}) and ({other}) exclude each other")
TOO_MANY = N_("it says too much")


@dataclass(frozen=True)
class DigitalLink:
    """What an address names: a key with its qualifiers, as the path has them, and further facts in the query."""

    path: tuple[tuple[str, str], ...]
    attributes: tuple[tuple[str, str], ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.path[0]

    def qualifier(self, ai: str) -> str | None:
        return dict(self.path[1:]).get(ai)

    def address(self, stem: str) -> str:
        """Where it is at a host, without the attributes."""
        return stem + "".join(f"/{ai}/{escape(value)}" for ai, value in self.path)

    def element_string(self) -> str:
        """The same as one text with ``^`` where a bar code has FNC1."""
        text, is_open = "", True
        for ai, value in (*self.path, *self.attributes):
            text += ("^" if is_open else "") + ai + value
            is_open = not dictionary.entries()[ai].has_fixed_length
        return text


def parse(uri: str) -> DigitalLink:
    """Raises NotDigitalLink."""
    if not _ALLOWED.fullmatch(uri):
        raise NotDigitalLink(problem=CHARACTERS)
    if not uri.startswith(_SCHEMES):
        raise NotDigitalLink(problem=SCHEME)
    host, slash, rest = uri.partition("://")[2].partition("/")
    if not slash or not _HOST.fullmatch(host):
        raise NotDigitalLink(problem=HOST)
    way, _, query = rest.partition("#")[0].partition("?")
    path = _read_path(way.split("/"))
    attributes = _read_query(query)
    everything = (*path, *attributes)
    if len(everything) > ELEMENTS_MAX:
        raise NotDigitalLink(problem=TOO_MANY)
    qualifiers = [ai for ai, _ in path[1:]]
    orders = dictionary.entries()[path[0][0]].qualifiers or ()
    if not any(_is_in_order(qualifiers, order) for order in orders):
        raise NotDigitalLink(problem=ORDER)
    _refuse_repeats(everything)
    _check_attributes([ai for ai, _ in attributes], qualifiers, orders)
    _check(everything)
    return DigitalLink(path, attributes)


def write(elements: Iterable[tuple[str, str]], *, stem: str = STEM) -> str:
    """The Digital Link of element strings in any order. Raises NotDigitalLink where there is none."""
    known = dictionary.entries()
    given = list(dict.fromkeys(elements))
    for ai, _ in given:
        if ai not in known:
            raise NotDigitalLink(problem=UNKNOWN, ai=ai)
    _refuse_repeats(given)
    _check(given)
    values = dict(given)
    key = next((ai for ai in values if known[ai].qualifiers is not None), None)
    if key is None:
        raise NotDigitalLink(problem=NO_KEY)
    orders = known[key].qualifiers or ()
    present = [tuple(ai for ai in order if ai in values) for order in orders]
    qualifiers = max(present, key=len, default=())
    attributes = [ai for ai in values if ai != key and ai not in qualifiers]
    _check_attributes(attributes, qualifiers, orders)
    attributes.sort(key=lambda ai: not known[ai].has_fixed_length)
    link = DigitalLink(
        tuple((ai, values[ai]) for ai in (key, *qualifiers)), tuple((ai, values[ai]) for ai in attributes)
    )
    query = "&".join(f"{ai}={escape(value, in_query=True)}" for ai, value in link.attributes)
    return f"{link.address(stem)}{'?' if query else ''}{query}"


def escape(text: str, *, in_query: bool = False) -> str:
    """Percent-encoded; in a query a space is a plus."""
    escaped = quote(text, safe="-._~", encoding="latin-1")
    return escaped.replace("%20", "+") if in_query else escaped


def unescape(text: str, *, in_query: bool = False) -> str:
    """The other way round. What is no escape stays as it is."""
    plain = text.replace("+", " ") if in_query else text
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), plain)


def _read_path(segments: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pairs from the end of the path back to the first primary key; what stands before is the host's business."""
    known = dictionary.entries()
    pairs: list[tuple[str, str]] = []
    for place in range(len(segments) - 2, -1, -2):
        entry = known.get(segments[place])
        if entry is None:
            break
        pairs.append((entry.ai, segments[place + 1]))
        if entry.qualifiers is not None:
            return tuple((ai, _plain(ai, value, in_query=False)) for ai, value in reversed(pairs))
    raise NotDigitalLink(problem=NO_KEY)


def _read_query(query: str) -> tuple[tuple[str, str], ...]:
    """Keys that are no numbers are somebody else's; a number has to be an Application Identifier."""
    known = dictionary.entries()
    found: list[tuple[str, str]] = []
    for part in query.split("&"):
        ai, equals, value = part.partition("=")
        if not equals or not ai.isdigit():
            continue
        if ai not in known:
            raise NotDigitalLink(problem=UNKNOWN, ai=ai[:20])
        found.append((ai, _plain(ai, value, in_query=True)))
    return tuple(found)


def _plain(ai: str, value: str, *, in_query: bool) -> str:
    plain = unescape(value, in_query=in_query)
    if not plain or plain.startswith("\0"):
        raise NotDigitalLink(problem=EMPTY, ai=ai)
    return plain


def _is_in_order(qualifiers: Sequence[str], order: Sequence[str]) -> bool:
    rest = iter(order)
    return all(ai in rest for ai in qualifiers)


def _refuse_repeats(elements: Sequence[tuple[str, str]]) -> None:
    seen: set[str] = set()
    for ai, _ in elements:
        if ai in seen:
            raise NotDigitalLink(problem=TWICE, ai=ai)
        seen.add(ai)


def _check_attributes(attributes: Iterable[str], qualifiers: Sequence[str], orders: Sequence[tuple[str, ...]]) -> None:
    for ai in attributes:
        if not dictionary.entries()[ai].is_attribute:
            raise NotDigitalLink(problem=NOT_IN_QUERY, ai=ai)
        if any(ai in order and set(qualifiers) <= set(order) for order in orders):
            raise NotDigitalLink(problem=IN_PATH, ai=ai)


def _check(elements: Sequence[tuple[str, str]]) -> None:
    """Each value by itself, then all of them together."""
    known = dictionary.entries()
    present = [ai for ai, _ in elements]
    for ai, value in elements:
        if not is_value(known[ai], value):
            raise NotDigitalLink(problem=VALUE, ai=ai)
    for ai in present:
        _check_company(known[ai], present)


def _check_company(entry: Entry, present: Sequence[str]) -> None:
    others = [ai for ai in present if ai != entry.ai]
    for pattern in entry.excludes:
        for other in others:
            if fits(pattern, other):
                raise NotDigitalLink(problem=EXCLUDES, ai=entry.ai, other=other)
    for groups in entry.needs:
        if not any(all(any(fits(each, other) for other in others) for each in group) for group in groups):
            wanted = " / ".join("+".join(f"({ai})" for ai in group) for group in groups[:4])
            raise NotDigitalLink(problem=NEEDS, ai=entry.ai, other=wanted)
