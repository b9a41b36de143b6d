"""``scancode diversion``: items that surfaced outside their territory, and the territories as a file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import click

from scancode.channels import regions
from scancode.cli.bars import gettext, locale
from scancode.cli.root import wire
from scancode.cli.staff import find_brand
from scancode.diversion import service as diversion_service
from scancode.diversion.rules import CaseState
from scancode.i18n import N_

LISTED_MAX = 200


@click.group()
def diversion() -> None:
    """Items that surface outside the territory they were shipped to."""


@diversion.command("list")
@click.option("--brand", "slug", help="Short name of the brand; without it, of all.")
@click.option("--state", type=click.Choice([one.value for one in CaseState]), default="open", help="Where they stand.")
def list_(slug: str | None, state: str) -> None:
    """List cases, the newest first."""
    wired = wire()
    with wired.db.reading() as session:
        brand_id: UUID | None = find_brand(session, slug).id if slug else None
        rows = diversion_service.list_cases(session, brand_id=brand_id, states=(CaseState(state),), limit=LISTED_MAX)
    for row in rows:
        place = regions.name_of(row.case.region, locale())
        when = row.case.opened_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        owner = " · ".join(name for name in (row.channel_name, row.store_name) if name)
        click.echo(
            f"{row.case.id}  {when}  {row.case.items}/{row.case.scanned}  {place}  {owner}  {row.shipment_number}"
        )


@diversion.command("territories")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--brand", "slug", help="Short name of the brand; not needed where there is one.")
def territories(file: Path, slug: str | None) -> None:
    """Take FILE in (CSV: channel, store, province, city), all of it or nothing."""
    wired, text = wire(), file.read_text(encoding="utf-8-sig")
    with wired.db.transaction() as session:
        brand = find_brand(session, slug)
        count = diversion_service.put_file(session, brand_id=brand.id, text=text, actor="cli", now=datetime.now(UTC))
    click.echo(gettext(N_("{count} channels and stores have their territories"), count=count))


COMMANDS = (diversion,)
