"""The command's trunk: language, settings, and the translation of what goes wrong into words and exit codes."""

from __future__ import annotations

import gc
import importlib
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click
from sqlalchemy.exc import DBAPIError

import scancode
from scancode import config, migrations
from scancode.cli.bars import gettext, locale, words
from scancode.config import ConfigError
from scancode.errors import OutsideError, Refusal
from scancode.i18n import N_

if TYPE_CHECKING:
    from scancode.wiring import Wired

REFUSED, USAGE, SETTINGS, DATABASE, FAULTY = 1, 2, 3, 4, 5
HOMES: Final = {
    "serve": ["serving"],
    "worker": ["serving"],
    "sandbox-pay": ["serving"],
    "db": ["database"],
    "backup": ["database"],
    "restore": ["database"],
    "staff": ["staff"],
    "batch": ["batches", "preflight", "approvals"],
    "life": ["life"],
    "handover": ["handover"],
    "kit": ["handover"],
    "packing": ["packing"],
    "epcis": ["epcis"],
    "suspect": ["risk"],
    "complaint": ["risk"],
    "held": ["held"],
    "diversion": ["diversion"],
    "block": ["risk"],
    "draw": ["draws"],
    "report": ["reports"],
    "ledger": ["points"],
    "doctor": ["operating"],
    "halt": ["operating"],
    "reconcile": ["operating"],
    "demo": ["demo"],
}
"""The modules of each command: the first makes it, the others add to it. Only those of the command that is run are
loaded, for a worker need not wait for what draws pictures for the demo."""
IS_CHINESE: Final = locale() == "zh"
"""The language of help, for as long as the process runs."""


class Command(click.Group):
    """Runs commands; every refusal becomes a sentence on stderr and an exit code, never a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in HOMES:
            return None
        with for_good():
            home, *_ = [importlib.import_module(f"scancode.cli.{name}") for name in HOMES[cmd_name]]
        command: click.Command = next(each for each in home.COMMANDS if each.name == cmd_name)
        if IS_CHINESE:
            _translate(command)
        return command

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


@contextmanager
def for_good() -> Iterator[None]:
    """What is loaded within stays for the life of the process. The collector of garbage, which would go through it
    again and again, waits meanwhile and leaves it alone for good: a process starts and ends a third sooner."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def fail(sentence: str, *, code: str, status: int) -> None:
    """Says what went wrong on stderr, with the machine code, and ends the process."""
    click.echo(f"scancode: {sentence} [{code}]", err=True)
    sys.exit(status)


def wire(*, needs_schema: bool = True, **overrides: Any) -> Wired:
    """The connected program; ends with a sentence when the settings or the schema do not allow it."""
    from scancode.wiring import connect

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


def _translate(command: click.Command) -> None:
    """The help of a command and of all below it, in the terminal's language."""
    command.help = words()(inspect.cleandoc(command.help or "")) or None
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.help:
            parameter.help = words()(parameter.help)
    for child in getattr(command, "commands", {}).values():
        _translate(child)


if IS_CHINESE:
    _translate(main)
