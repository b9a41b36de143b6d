"""Lists that are turned page by page: which page was asked for, and the links to its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import request

PAGE_MAX = 10_000


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
        return _url(self.number - 1) if self.number > 1 else None

    @property
    def next_url(self) -> str | None:
        return _url(self.number + 1) if self.last < self.total and self.shown else None


def _url(number: int) -> str:
    return f"{request.path}?{urlencode({**request.args.to_dict(), 'page': number})}"
