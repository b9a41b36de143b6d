"""Lists that are turned page by page: which page was asked for, and the links to its neighbours.

Some lists are counted in pages, ``?page=``. Long ones go on behind their last row, ``?before=``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlencode

from flask import request

PAGE_MAX = 10_000
NUMBER_DIGITS = 18
Row = TypeVar("Row")
Key = TypeVar("Key")


def page_number() -> int:
    """``?page=``, 1 where it is missing or makes no sense."""
    text = request.args.get("page", "")
    number = int(text[:9]) if text.isascii() and text.isdigit() else 1
    return min(max(number, 1), PAGE_MAX)


@dataclass(frozen=True)
class Page:
    """What ``ui.pager`` asks for."""

    number: int
    size: int
    shown: int
    total: int

    @property
    def first(self) -> int:
        return (self.number - 1) * self.size + 1 if self.shown else 0

    @property
    def last(self) -> int:
        return (self.number - 1) * self.size + self.shown

    @property
    def previous_url(self) -> str | None:
        return _url(page=self.number - 1) if self.number > 1 else None

    @property
    def next_url(self) -> str | None:
        return _url(page=self.number + 1) if self.last < self.total and self.shown else None


def turned(
    rows: Sequence[Row], size: int, mark: Callable[[Row], object], *, argument: str = "before"
) -> tuple[list[Row], dict[str, str | None]]:
    """The rows of this page, of one more than fit, and what ``ui.pager`` asks for: back to the beginning, and on behind
    the last row."""
    shown = list(rows[:size])
    back = _url(**{argument: None}) if request.args.get(argument) else None
    return shown, {
        "previous_url": back,
        "next_url": _url(**{argument: mark(shown[-1])}) if len(rows) > size else None,
    }


def numbered(rows: Sequence[Row], size: int) -> tuple[list[Row], dict[str, str | None]]:
    """The same for a list in pages that nobody counts."""
    number = page_number()
    return list(rows[:size]), {
        "previous_url": _url(page=number - 1) if number > 1 else None,
        "next_url": _url(page=number + 1) if len(rows) > size else None,
    }


def mark_of(at: datetime, key: object) -> str:
    """A place in a list that is ordered by time."""
    return f"{at.isoformat()}~{key}"


def read_mark(text: str, kind: Callable[[str], Key]) -> tuple[datetime, Key] | None:
    """What ``mark_of`` wrote; None for anything else."""
    moment, _, key = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
        return (at.astimezone(UTC), kind(key)) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def number(text: str) -> int:
    """A number as the key of a mark. Raises ValueError for one that no database can hold."""
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS):
        raise ValueError(text[:NUMBER_DIGITS])
    return int(text)


def _url(**changed: object) -> str:
    """This page with other words in its address; None takes one out. ``part`` is of htmx."""
    wanted = {**request.args.to_dict(), **changed, "part": None}
    words = urlencode({name: value for name, value in wanted.items() if value is not None})
    return f"{request.path}?{words}" if words else request.path
