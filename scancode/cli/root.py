"""The command's trunk: language, settings, and the translation of what goes wrong into words and exit codes."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

import scancode
from scancode import config, migrations
from scancode.cli.bars import gettext, locale, words
from scancode.config import ConfigError
from scancode.errors import OutsideError, Refusal
from scancode.i18n import N_
from scancode.wiring import Wired, connect

REFUSED, USAGE, SETTINGS, DATABASE, FAULTY = 1, 2, 3, 4, 5


class Command(click.Group):
    """Runs commands; every refusal becomes a sentence on stderr and an exit code, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            fail(refusal.sentence(words()), code=refusal.code, status=REFUSED)
        except ConfigError as error:
            fail(str(error), code="settings", status=SETTINGS)
        except OutsideError as error:
            fail(gettext(N_("an outside service failed: {code}"), code=error.code), code="outside", status=REFUSED)
        except DBAPIError as error:
            problem = str(error.orig).strip() or type(error.orig).__name__
            fail(gettext(N_("the database: {problem}"), problem=problem), code="database", status=DATABASE)


def fail(sentence: str, *, code: str, status: int) -> None:
    """Says what went wrong on stderr, with the machine code, and ends the process."""
    click.echo(f"scancode: {sentence} [{code}]", err=True)
    sys.exit(status)


def wire(*, needs_schema: bool = True, **overrides: Any) -> Wired:
    """The connected program; ends with a sentence when the settings or the schema do not allow it."""
    wired = connect(config.load(**overrides))
    context = click.get_current_context(silent=True)
    if context is not None:
        context.call_on_close(wired.db.close)
    if needs_schema:
        require_schema(wired)
    return wired


def require_schema(wired: Wired) -> None:
    """Ends with a sentence where the database is not at the program's revision."""
    at, wanted = migrations.current(wired.db), migrations.head()
    if at != wanted:
        text = N_("the database is at {at}, the program needs {wanted}: run `scancode db upgrade`")
        fail(gettext(text, at=at or "-", wanted=wanted), code="schema", status=DATABASE)


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(scancode.__version__, prog_name="scancode")
def main() -> None:
    """One item, one code: issue signed QR codes, verify scans, reward once, grow members.

    Settings come from the environment (SCANCODE_*, DATABASE_URL, REDIS_URL, PORT); `scancode doctor` checks them.

    Exit codes: 0 done, 1 refused, 2 used wrongly, 3 settings, 4 database, 5 a check found something wrong.
    """


def _load_commands() -> None:
    from scancode.cli import (
        approvals,
        batches,
        database,
        demo,
        handover,
        life,
        operating,
        packing,
        preflight,
        reports,
        serving,
        staff,
    )

    for module in (
        serving, database, staff, batches, preflight, approvals, life, handover, packing, reports, operating, demo,
    ):  # fmt: skip
        for command in module.COMMANDS:
            main.add_command(command)
    if locale() == "zh":
        _translate(main)


def _translate(command: click.Command) -> None:
    """The help of a command and of all below it, in the terminal's language."""
    command.help = words()(inspect.cleandoc(command.help or "")) or None
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.help:
            parameter.help = words()(parameter.help)
    for child in getattr(command, "commands", {}).values():
        _translate(child)


_load_commands()
