"""The command, run in this process against the test's own settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest
import structlog
from click.testing import CliRunner, Result

from scancode import config
from scancode.cli import main
from tests.servers import environment


class Run(Protocol):
    def __call__(self, *words: str, typed: str = "", **environ: str) -> Result: ...


@pytest.fixture
def run(settings: config.Settings) -> Iterator[Run]:
    """``run("batch", "list")``: the result of the command; ``typed`` is what a person answers."""
    given = environment(settings)
    known = {config.variable_of(name) for name in config.Settings.model_fields}

    def command(*words: str, typed: str = "", **environ: str) -> Result:
        unset: dict[str, str | None] = dict.fromkeys(known - set(given))
        env = {**unset, **given, "LC_ALL": "C", "LANG": "C", **environ}
        return CliRunner().invoke(main, words, input=typed, env=env)

    yield command
    structlog.reset_defaults()
