"""GS1's Barcode Syntax Dictionary: which Application Identifiers there are, what their values look like, and how they
may stand together. Read from the text that GS1 publishes, so that a new release is a new file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

SOURCE = "gs1-syntax-dictionary.txt"
_COMPONENT = re.compile(r"(\[)?([NXYZ])(\.\.)?([0-9]+)\]?((?:,[a-z0-9]+)*)")


@dataclass(frozen=True)
class Component:
    """A part of a value: ``kind`` N (digits), X (GS1's 82 characters), Y (39 of them) or Z (base64url)."""

    kind: str
    length_min: int
    length_max: int
    is_optional: bool
    checks: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """An Application Identifier."""

    ai: str
    title: str
    has_fixed_length: bool
    is_attribute: bool
    """May stand in the query of a Digital Link."""
    components: tuple[Component, ...]
    needs: tuple[tuple[tuple[str, ...], ...], ...]
    """Every one of these conditions holds when all patterns of one of its groups are there."""
    excludes: tuple[str, ...]
    qualifiers: tuple[tuple[str, ...], ...] | None
    """None for what is no primary key, else the orders in which qualifiers may follow."""


@cache
def entries() -> Mapping[str, Entry]:
    """Every Application Identifier by its digits."""
    text = resources.files(__package__).joinpath(SOURCE).read_text(encoding="utf-8")
    return {entry.ai: entry for line in text.splitlines() for entry in _of_line(line)}


def fits(pattern: str, ai: str) -> bool:
    """Whether ``394n``, ``31nn`` or ``01`` stands for this one."""
    return len(pattern) == len(ai) and all(want in ("n", have) for want, have in zip(pattern, ai, strict=True))


def _of_line(line: str) -> Iterator[Entry]:
    words, _, title = line.partition("#")
    parts = words.split()
    if not parts:
        return
    name, *rest = parts
    flags = rest.pop(0) if not _COMPONENT.fullmatch(rest[0]) else ""
    components = []
    while rest and (found := _COMPONENT.fullmatch(rest[0])):
        length = int(found[4])
        checks = tuple(found[5].split(",")[1:])
        components.append(Component(found[2], 1 if found[3] else length, length, bool(found[1]), checks))
        rest.pop(0)
    attributes = [(key, value) for key, _, value in (each.partition("=") for each in rest)]
    keys = [value for key, value in attributes if key == "dlpkey"]
    for ai in _range(name):
        yield Entry(
            ai=ai,
            title=title.strip(),
            has_fixed_length="*" in flags,
            is_attribute="?" in flags,
            components=tuple(components),
            needs=tuple(
                tuple(tuple(group.split("+")) for group in value.split(","))
                for key, value in attributes
                if key == "req"
            ),
            excludes=tuple(ai for key, value in attributes if key == "ex" for ai in value.split(",")),
            qualifiers=tuple(tuple(filter(None, order.split(","))) for order in keys[0].split("|")) if keys else None,
        )


def _range(name: str) -> Iterator[str]:
    first, _, last = name.partition("-")
    for number in range(int(first), int(last or first) + 1):
        yield str(number).zfill(len(first))
