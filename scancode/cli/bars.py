"""A progress bar for long work, in whatever steps the work counts; and sentences in the terminal's language."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import click

from scancode.i18n import translator


def locale() -> str:
    """``zh`` or ``en``, from LC_ALL, LC_MESSAGES or LANG; English unless it is Chinese."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return "zh" if os.environ[name].lower().startswith("zh") else "en"
    return "en"


def words() -> Callable[[str], str]:
    """The translator of the terminal's language."""
    return translator(locale())


def gettext(sentence: str, **facts: object) -> str:
    """A sentence in the terminal's language, its ``{places}`` filled."""
    return words()(sentence).format(**facts)


def say(text: str) -> None:
    """A line on stdout, at once even into a pipe."""
    click.echo(text)


class Bar:
    """A progress bar of as many steps as the work says. Drawn only on a terminal; ends with the ``with`` block."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Any = None

    def __call__(self, _name: str, done: int, total: int) -> None:
        if self._bar is None:
            # On standard error: what a script reads stays free of it.
            self._bar = click.progressbar(length=max(total, 1), label=self._label, show_pos=True, file=sys.stderr)
            self._bar.__enter__()
        self._bar.length = max(total, 1)
        if done < self._bar.pos:  # a second stage counts anew
            self._bar.finished = False
        self._bar.update(done - self._bar.pos)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
