"""``scancode db``, ``backup`` and ``restore``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from scancode import migrations
from scancode.cli import backups
from scancode.cli.bars import Bar, gettext
from scancode.cli.root import FAULTY, fail, require_schema, wire
from scancode.i18n import N_
from scancode.staff import service as staff


@click.group()
def db() -> None:
    """The database's schema."""


@db.command()
def upgrade() -> None:
    """Create the schema, or bring it up to date. Safe to run at every start."""
    wired = wire(needs_schema=False)
    before = migrations.current(wired.db)
    migrations.upgrade(wired.db)
    after = migrations.current(wired.db)
    if before == after:
        click.echo(gettext(N_("schema {after}: it was up to date"), after=after))
    else:
        click.echo(gettext(N_("schema {after}, before {before}"), after=after, before=before or "-"))


@db.command()
def check() -> None:
    """Compare the database with the program: revision, tables, audit record. Exits 4 or 5 on a difference."""
    wired = wire(needs_schema=False)
    require_schema(wired)
    differences = migrations.differences(wired.db)
    for difference in differences:
        click.echo(difference)
    if differences:
        fail(gettext(N_("the tables differ from the program")), code="schema_differs", status=FAULTY)
    with wired.db.reading() as session:
        chain = staff.verify_chain(session)
    if chain.problem:
        sentence = gettext(
            N_("the audit record is broken at row {seq}: {problem}"), seq=chain.seq, problem=gettext(chain.problem)
        )
        fail(sentence, code="audit", status=FAULTY)
    click.echo(gettext(N_("schema {at} as the program needs it; {rows} audit rows, unbroken"),
                       at=migrations.current(wired.db), rows=f"{chain.rows:,}"))  # fmt: skip


@click.command()
@click.argument("path", required=False, type=click.Path(dir_okay=False, path_type=Path))
def backup(path: Path | None) -> None:
    """Write a backup of the database to PATH (default: backups/ in SCANCODE_VAR_DIR) while the service goes on."""
    wired = wire()
    now = datetime.now(UTC)
    path = path or wired.settings.var_dir / "backups" / f"scancode-{now:%Y%m%dT%H%M%SZ}.zip"
    with Bar(gettext(N_("backing up"))) as progress:
        manifest = backups.make(wired.db, path, now=now, progress=progress)
    backups.read_manifest(path)
    size = f"{path.stat().st_size:,}"
    click.echo(gettext(N_("{path}: {size} bytes, schema {revision}, checked"),
                       path=path, size=size, revision=manifest["revision"]))  # fmt: skip
    click.echo(
        gettext(
            N_(
                "Secrets and print packs are not in it: keep the secrets sealed apart, above all the code keys; "
                "packs can be minted again."
            )
        )
    )


@click.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Replace a database that holds rows.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(path: Path, replace: bool, yes: bool) -> None:
    """Replace the database by the backup at PATH. Claims and payouts stay stopped until `scancode reconcile`."""
    wired = wire(needs_schema=False)
    if not yes:
        click.confirm(gettext(N_("Are web and worker stopped, and shall this database be replaced?")), abort=True)
    with Bar(gettext(N_("restoring"))) as progress:
        manifest = backups.restore(wired.db, path, replace=replace, now=datetime.now(UTC), progress=progress)
    click.echo(gettext(N_("the backup of {made_at} is restored"), made_at=manifest["made_at"]))
    click.echo(
        gettext(N_("Claims and payouts are stopped. Run `scancode reconcile` to compare with the provider's bills."))
    )


COMMANDS = (db, backup, restore)
