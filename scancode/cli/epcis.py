"""``scancode epcis``: what happened to the codes as a file for trading partners, and the documents that they sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import click

from scancode.cli.bars import gettext, locale
from scancode.cli.root import FAULTY, wire
from scancode.cli.staff import find_brand
from scancode.epcis import service as events
from scancode.epcis.rules import Question, document
from scancode.i18n import N_
from scancode.staff import service as staff

LISTED_MAX = 50
TIMES = ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]


@click.group()
def epcis() -> None:
    """What happened to the codes, for trading partners, and what they sent."""


@epcis.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--brand", required=True, help="Short name of the brand.")
@click.option("--since", type=click.DateTime(TIMES), help="From this time on (UTC).")
@click.option("--until", type=click.DateTime(TIMES), help="Up to this time (UTC).")
def export(file: Path, brand: str, since: datetime | None, until: datetime | None) -> None:
    """Write EPCIS 2.0 events into FILE, as JSON-LD."""
    wired, now = wire(), datetime.now(UTC)
    wanted = Question(since and since.replace(tzinfo=UTC), until and until.replace(tzinfo=UTC))
    with wired.db.reading() as session:
        owner = find_brand(session, brand)
    head = json.dumps(document([], now=now), ensure_ascii=False, indent=1)
    start, end = head.rsplit("[]", 1)
    count, place = 0, None
    with file.open("w", encoding="utf-8") as out:
        out.write(start + "[")
        while True:
            with wired.db.reading() as session:
                part = events.page(
                    session, brand_id=owner.id, keyring=wired.keyring, question=wanted, after=place, limit=500
                )
            for event in part.events:
                out.write(("," if count else "") + "\n" + json.dumps(event, ensure_ascii=False))
                count += 1
            place = part.next
            if place is None:
                break
        out.write("]" + end + "\n")
    with wired.db.transaction() as session:
        staff.audit(
            session, actor="cli", brand_id=owner.id, action="epcis.export", subject=f"brand:{owner.id}",
            facts={"count": count}, now=now,
        )  # fmt: skip
    click.echo(gettext(N_("{count} events"), count=f"{count:,}"))


@epcis.command("list")
@click.option("--brand", required=True, help="Short name of the brand.")
def list_(brand: str) -> None:
    """List the EPCIS documents that were sent, the newest first."""
    wired = wire()
    with wired.db.reading() as session:
        rows = events.list_captures(session, brand_id=find_brand(session, brand).id, limit=LISTED_MAX)
    for row in rows:
        when, counts = (
            row.created_at.astimezone(UTC).strftime(TIMES[0]),
            f"{row.applied}+{row.repeated}/{row.event_count}",
        )
        click.echo(f"{row.id}  {when}  {events.state_of(row):<8}  {counts:>12}  {row.actor}")


@epcis.command("show")
@click.argument("capture_id", type=click.UUID)
def show_capture(capture_id: UUID) -> None:
    """Show what became of the document CAPTURE_ID: what is wrong, event by event; exit code 5 when something is."""
    wired = wire()
    with wired.db.reading() as session:
        row = events.get_capture(session, capture_id=capture_id, brand_id=None)
    counts = {"events": row.event_count, "applied": row.applied, "repeated": row.repeated}
    click.echo(gettext(N_("{events} events: {applied} carried out, {repeated} had been before"), **counts))
    for error in json.loads(row.errors):
        click.echo(f"{error['index'] + 1}  {error['eventID'] or '-'}  {error[locale()]} [{error['code']}]")
    if row.finished_at is None:
        click.echo(gettext(N_("a worker has not carried it out yet")), err=True)
    elif not row.is_success:
        raise SystemExit(FAULTY)


COMMANDS = (epcis,)
