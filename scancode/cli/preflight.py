"""``scancode batch check``: a preflight of files that came back from a print house, with the keys of the brand's own
batches, for scripts and for a terminal. Nothing is uploaded or kept."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import click

from batches.archives import Sent, open_archives, opened_bytes
from batches.errors import PressError
from batches.preflight import check_files
from batches.reported import as_dict, lines, verdict
from batches.words import spoken
from scancode.cli.bars import Bar, gettext, locale
from scancode.cli.batches import batch as group
from scancode.cli.root import FAULTY, REFUSED, fail, wire
from scancode.cli.staff import find_brand
from scancode.i18n import N_
from scancode.stories.code_lists import count_lines
from scancode.uploads.rules import require_space
from scancode.worker.preflight import manifest_of, verifiers_of


@group.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--brand", required=True, help="Short name of the brand.")
@click.option("--batch", type=int, help="The files must hold the whole of this batch.")
@click.option("--json", "as_json", is_flag=True, help="The report for programs.")
def check(files: tuple[Path, ...], brand: str, batch: int | None, as_json: bool) -> None:
    """Check FILES (CSV, TXT, XLSX, ZIP) together before they are printed; exit code 5 when something is wrong."""
    wired = wire()
    with wired.db.reading() as session:
        owner = find_brand(session, brand)
    sent = [Sent(path, path.name) for path in files]
    try:
        with tempfile.TemporaryDirectory(prefix="scancode-check-") as folder, Bar(gettext(N_("checking"))) as progress:
            require_space(needs_bytes=opened_bytes(sent), free_bytes=shutil.disk_usage(folder).free)
            opened = open_archives(sent, Path(folder))
            total = sum(count_lines(file.path) for file in opened.files)
            report = check_files(
                opened.files,
                verifiers=verifiers_of(wired, owner.id),
                manifest=manifest_of(wired, owner.id, batch),
                on_progress=lambda rows, name: progress(name, rows, max(rows, total)),
            )
    except PressError as error:
        fail(spoken(error), code=error.code, status=REFUSED)
    if as_json:
        click.echo(json.dumps({**as_dict(report), "skipped": list(opened.skipped)}, ensure_ascii=False, indent=2))
    else:
        for line in lines(report):
            click.echo(line)
        click.echo(verdict(report)[locale() == "en"])
    if not report.ok:
        raise SystemExit(FAULTY)
