"""Rendered pages kept as frames: everything of a page that is the same for each scan of a product is rendered once.

Rendering is the dearest part of a scan. What differs from scan to scan (the code, the form's token, moments, counts)
is rendered as a stand-in, a word that nobody can guess, and the real value is put in its place for each request. A
frame's key holds all else that the template reads, the revision of the reference tables among it.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Hashable, Mapping

from flask import g, request, session
from markupsafe import escape

FRAMES_MAX = 2000


def stand_in(name: str) -> str:
    """A word of this process that takes the place of a value: letters and digits, so it passes through a URL too."""
    return f"{_MARK}{name}z"


_MARK = f"q{secrets.token_hex(12)}"
_SPLIT = re.compile(f"{_MARK}([a-z]+)z")


class Frames:
    """The frames of one kind of page in this process; the oldest go first."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, list[str]] = {}
        self._lock = threading.Lock()

    def find(self, key: Hashable, values: Mapping[str, str]) -> str | None:
        """The page for ``key`` with ``values`` (by name of their stand-in, escaped here) in their places."""
        parts = self._kept.get(key)
        return None if parts is None else _filled(parts, values)

    def fill(self, key: Hashable, render: Callable[[], str], values: Mapping[str, str]) -> str:
        """The same; ``render`` is called when there is no frame yet, and every time when the page would show something
        of this request alone (a message, query parameters)."""
        is_plain = not request.args and "_flashes" not in session
        if is_plain and (found := self.find(key, values)) is not None:
            return found
        parts = _SPLIT.split(self._render(render))
        if is_plain:
            with self._lock:
                while len(self._kept) >= FRAMES_MAX:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[key] = parts
        return _filled(parts, values)

    @staticmethod
    def _render(render: Callable[[], str]) -> str:
        g.form_token_stand_in = stand_in("token")
        try:
            return render()
        finally:
            g.pop("form_token_stand_in")


def _filled(parts: list[str], values: Mapping[str, str]) -> str:
    filled = parts[:]
    filled[1::2] = [str(escape(values[name])) for name in parts[1::2]]
    return "".join(filled)
