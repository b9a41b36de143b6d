"""The command's help in Chinese: every text of every command has a translation."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click
import pytest

from scancode.cli import bars, main
from scancode.i18n import translator


def texts(command: click.Command) -> Iterator[str]:
    yield inspect.cleandoc(command.help or "")
    for parameter in command.params:
        if (
            isinstance(parameter, click.Option)
            and parameter.help
            and not parameter.help.startswith("Show this message")
        ):
            yield parameter.help
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from texts(child)


@pytest.mark.parametrize("text", sorted(set(texts(main))))
def test_a_help_text_has_chinese(text: str) -> None:
    assert text
    assert re.search(r"[一-鿿]", translator("zh")(text)), text


@pytest.mark.parametrize(
    ("environ", "locale"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh"),
    ],
)
def test_the_terminal_says_its_language(environ: dict[str, str], locale: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert bars.locale() == locale
