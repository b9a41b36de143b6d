"""``scancode packing``: a line's association file taken in from a terminal or a script."""

from __future__ import annotations

import json
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path

import click

from batches.part import sha256_of
from scancode.cli.bars import gettext, locale
from scancode.cli.root import REFUSED, fail, wire
from scancode.cli.staff import find_brand
from scancode.db import new_id
from scancode.i18n import N_
from scancode.packing import service as packing
from scancode.packing.rules import Level, Unit
from scancode.uploads import service as uploads
from scancode.uploads.rules import UploadState, require_space
from scancode.worker import loop


@click.group("packing")
def group() -> None:
    """Items in cases, cases on pallets."""


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--brand", required=True, help="Short name of the brand.")
@click.option("--batch", type=int, help="The item column holds serials of this batch.")
@click.option("--case-size", type=int, help="Items in a case.")
@click.option("--pallet-size", type=int, help="Cases on a pallet.")
@click.option("--exact", is_flag=True, help="Refuse cases and pallets that hold fewer.")
def import_(
    file: Path, brand: str, batch: int | None, case_size: int | None, pallet_size: int | None, exact: bool
) -> None:
    """Take in FILE (CSV: item, case, pallet) at once, all of it or nothing."""
    wired, now = wire(), datetime.now(UTC)
    with wired.db.reading() as session:
        owner = find_brand(session, brand)
    copied = _copy(file, wired.settings.var_dir / "uploads")
    with wired.db.transaction() as session:
        made = packing.ask_import(
            session,
            brand_id=owner.id,
            file=copied,
            wish=packing.Wish(batch, case_size, pallet_size, not exact),
            var_dir=wired.settings.var_dir,
            actor="cli",
            now=now,
        )
    copied.path.unlink(missing_ok=True)
    loop.run(wired, stop_event=threading.Event(), once=True, kinds=[uploads.JOB])
    with wired.db.reading() as session:
        row = uploads.get_upload(session, upload_id=made)
    result = json.loads(row.result)
    if row.state != UploadState.DONE:
        path = uploads.report_path(wired.settings.var_dir, made)
        text = gettext(N_("nothing was taken in: {count} problems, see {path}"), count=row.problems, path=path)
        fail(result.get(locale(), text), code=f"import_{row.state}", status=REFUSED)
    click.echo(
        gettext(
            N_("{rows} rows: {cases} cases, {pallets} pallets, kept as {runs} runs"),
            rows=f"{row.rows:,}",
            cases=f"{result['cases']:,}",
            pallets=f"{result['pallets']:,}",
            runs=f"{result['runs']:,}",
        )
    )


def _copy(file: Path, folder: Path) -> uploads.Received:
    """The file where uploads lie; its own stays where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    require_space(needs_bytes=file.stat().st_size, free_bytes=shutil.disk_usage(folder).free)
    path = folder / f"{new_id(datetime.now(UTC)).hex}.sending"
    shutil.copyfile(file, path)
    return uploads.Received(path, file.name, sha256_of(path), path.stat().st_size)


@group.command()
@click.argument("unit")
def show(unit: str) -> None:
    """What is in UNIT, written as batch:case:serial or batch:pallet:serial."""
    wired = wire()
    try:
        number, level, serial = unit.split(":")
        wanted = Unit(int(number), Level[level.upper()], int(serial))
    except (ValueError, KeyError) as error:
        raise click.BadParameter(unit) from error
    with wired.db.reading() as session:
        inside = packing.contents(session, parent=wanted)
    for (batch, at), ranges in sorted(inside.all.items()):
        for first, last in ranges:
            click.echo(f"{at.label:<6}  {batch:>8}  {first}-{last}")


COMMANDS = (group,)
