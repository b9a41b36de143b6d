"""``scancode handover`` and ``scancode kit``: packs sealed for print houses, links with passcodes, who fetched what,
press kits that two people stand behind. A password or a passcode is printed once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import click
from sqlalchemy.orm import Session

from batches.kit import SUFFIX
from scancode.cli.bars import gettext
from scancode.cli.people import by_option, check_sight, identify
from scancode.cli.root import REFUSED, fail, wire
from scancode.cli.staff import find_brand
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.handover import service as handover
from scancode.handover.passes import Passes
from scancode.handover.rules import PackForm
from scancode.i18n import N_
from scancode.staff.rules import StaffFacts

WHEN = "%Y-%m-%d %H:%M"
HOUSE = "Name or id of the print house."


@click.group("handover")
def group() -> None:
    """Packs for print houses: sealing, links, downloads."""


@group.command()
@click.option("--brand", required=True, help="Short name of the brand.")
def houses(brand: str) -> None:
    """List print houses; those with a key can have packs sealed for it."""
    wired = wire()
    with wired.db.reading() as session:
        rows = handover.list_houses(session, brand_id=find_brand(session, brand).id, sealer=wired.sealer)
    for row in rows:
        click.echo(f"{row.id}  {'age' if row.recipient else '-':<3}  {'' if row.is_active else '(off) '}{row.name}")


@group.command("house")
@click.argument("name")
@click.option("--brand", required=True, help="Short name of the brand.")
@click.option("--recipient", help="Its age key, age1…; as it is if left out.")
@click.option("--contact", help="Whom to call; as it is if left out.")
@click.option("--off/--on", "is_off", default=False, help="Whether it is used.")
def house_(name: str, brand: str, recipient: str | None, contact: str | None, is_off: bool) -> None:
    """Make the print house NAME of a brand, or change it. Prints its id."""
    wired = wire()
    with wired.db.transaction() as session:
        brand_id = find_brand(session, brand).id
        rows = handover.list_houses(session, brand_id=brand_id, sealer=wired.sealer)
        kept = next((row for row in rows if row.name == name.strip()), None)
        made = handover.save_house(
            session,
            house_id=kept.id if kept else None,
            brand_id=brand_id,
            name=name,
            contact=(kept.contact if kept else "") if contact is None else contact,
            recipient=(kept.recipient if kept else "") if recipient is None else recipient,
            is_active=not is_off,
            sealer=wired.sealer,
            actor="cli",
            now=datetime.now(UTC),
        )
    click.echo(made)


@group.command()
@click.argument("number", type=int)
@click.option("--house", required=True, help=HOUSE)
@click.option("--form", type=click.Choice([form.value for form in PackForm]), required=True, help="How.")
def seal(number: int, house: str, form: str) -> None:
    """Have a worker encrypt the pack of batch NUMBER; the plain files leave the disk when that is done."""
    wired, now = wire(), datetime.now(UTC)
    with wired.db.transaction() as session:
        batch = codes.get_batch(session, number=number)
        row, password = handover.ask_seal(
            session,
            number=number,
            house_id=handover.house_named(session, brand_id=batch.brand_id, name=house),
            form=PackForm(form),
            sealer=wired.sealer,
            staff_id=None,
            actor="cli",
            now=now,
        )
    click.echo(row.id)
    if password is not None:
        click.echo(gettext(N_("password, shown this once: {password}"), password=password))


@group.command()
@click.argument("number", type=int)
def show(number: int) -> None:
    """Show the sealed packs of batch NUMBER, their links, and who has fetched what."""
    wired, now = wire(), datetime.now(UTC)
    with wired.db.reading() as session:
        codes.get_batch(session, number=number)
        packs = handover.list_sealed(session, batch_number=number)
        links = {row.id: handover.list_links(session, sealed_id=row.id) for row, _ in packs}
        downloads = handover.list_downloads(session, batch_number=number, sealer=wired.sealer)
    for row, house in packs:
        click.echo(f"{row.id}  {row.state:<9}  {row.form:<3}  {row.size_bytes:>12,}  {row.sha256[:16]:<16}  {house}")
        for link in links[row.id]:
            used = f"{link.downloads}/{link.downloads_max}"
            click.echo(f"  {link.id}  {link.state(now):<8}  {used:>5}  {link.expires_at:{WHEN}}  {link.for_whom}")
    for one in downloads:
        who, where = one.for_whom or one.actor, one.address or "-"
        click.echo(
            f"{one.started_at:{WHEN}}  {one.sent_bytes:>12,}/{one.size_bytes:,}  {one.file_name}  {where}  {who}"
        )


@group.command()
@click.argument("sealed_id", type=click.UUID)
def cancel(sealed_id: UUID) -> None:
    """Cancel the encrypting SEALED_ID; the plain files stay."""
    wired = wire()
    with wired.db.transaction() as session:
        handover.cancel_seal(session, sealed_id=sealed_id, actor="cli", now=datetime.now(UTC))
    click.echo(gettext(N_("cancelled; the plain files stay")))


@group.command()
@click.argument("sealed_id", type=click.UUID)
def retry(sealed_id: UUID) -> None:
    """Try the failed encrypting SEALED_ID again."""
    wired = wire()
    with wired.db.transaction() as session:
        handover.retry_seal(session, sealed_id=sealed_id, actor="cli", now=datetime.now(UTC))
    click.echo(gettext(N_("tried again")))


@group.command()
@click.argument("sealed_id", type=click.UUID)
@click.option("--for", "for_whom", required=True, help="A person; stands in the log of downloads.")
@click.option(
    "--days", type=click.IntRange(1, 365), default=7, show_default=True, help="How long; the settings bound it."
)
@click.option("--downloads", type=click.IntRange(1, 1000), default=1, show_default=True, help="How often.")
def link(sealed_id: UUID, for_whom: str, days: int, downloads: int) -> None:
    """Make a link to SEALED_ID: prints its address and its passcode. Tell them apart from each other."""
    wired, now = wire(), datetime.now(UTC)
    settings = wired.settings
    passes = Passes(settings.link_keys.get_secret_value())
    with wired.db.transaction() as session:
        link_id, passcode = handover.make_link(
            session,
            sealed_id=sealed_id,
            for_whom=for_whom,
            expires_at=now + timedelta(days=min(days, settings.link_days)),
            downloads_max=min(downloads, settings.link_downloads),
            passes=passes,
            staff_id=None,
            actor="cli",
            now=now,
        )
    click.echo(link_id)
    click.echo(f"{settings.base_url}/packs/{passes.address(link_id)}")
    click.echo(gettext(N_("passcode, shown this once: {passcode}"), passcode=passcode))


@group.command()
@click.argument("link_id", type=click.UUID)
def revoke(link_id: UUID) -> None:
    """Take the link LINK_ID back."""
    wired = wire()
    with wired.db.transaction() as session:
        handover.revoke_link(session, link_id=link_id, actor="cli", now=datetime.now(UTC))
    click.echo(gettext(N_("taken back: it opens nothing any more")))


@click.group()
def kit() -> None:
    """Press kits: one asks, another approves, one print house makes one range without a network."""


@kit.command()
@click.argument("number", type=int)
@click.option("--house", required=True, help=HOUSE)
@click.option("--first", type=int, required=True, help="First serial.")
@click.option("--last", type=int, required=True, help="Last serial.")
@click.option(
    "--days", type=click.IntRange(1, 365), default=30, show_default=True, help="How long it may be activated."
)
@by_option
def ask(number: int, house: str, first: int, last: int, days: int, login: str) -> None:
    """Ask for a kit of batch NUMBER, which was ordered with --offline. Prints its id."""
    wired = wire()
    person, now = identify(wired, login), datetime.now(UTC)
    with wired.db.transaction() as session:
        batch = codes.get_batch(session, number=number)
        check_sight(person, batch.brand_id)
        made = handover.ask_kit(
            session,
            number=number,
            house_id=handover.house_named(session, brand_id=batch.brand_id, name=house),
            first=first,
            last=last,
            expires_at=now + timedelta(days=days),
            staff_id=person.id,
            actor=person.actor,
            now=now,
        )
    click.echo(made)
    click.echo(gettext(N_("a second person has to approve it first")), err=True)


@kit.command("list")
@click.option("--batch", "number", type=int, help="Of this batch alone.")
@click.option("--waiting", is_flag=True, help="Those alone that wait for a second person.")
def list_(number: int | None, waiting: bool) -> None:
    """List press kits, the newest first."""
    wired = wire()
    with wired.db.reading() as session:
        rows = handover.list_kits(session, batch_number=number, only_waiting=waiting)
    for row in rows:
        span = f"{row.first}-{row.last}"
        click.echo(f"{row.id}  {row.state:<8}  {row.batch_number:>8}  {span:<20}  {row.expires_at:{WHEN}}  {row.house}")


@kit.command()
@click.argument("kit_id", type=click.UUID)
@by_option
def approve(kit_id: UUID, login: str) -> None:
    """Approve the kit KIT_ID that somebody else asked for: it is made and sealed."""
    wired = wire()
    person = identify(wired, login)
    with wired.db.transaction() as session:
        batch = _batch_of_kit(session, person, kit_id)
        handover.approve_kit(
            session,
            kit_id=kit_id,
            key=wired.keyring.derive(batch.kid, batch.salt),
            staff_id=person.id,
            actor=person.actor,
            now=datetime.now(UTC),
        )
    click.echo(gettext(N_("the kit is made and sealed: see `scancode kit fetch {id}`"), id=kit_id))


@kit.command()
@click.argument("kit_id", type=click.UUID)
@by_option
@click.option("--reason", required=True, help="Why; whoever asked reads it.")
def reject(kit_id: UUID, login: str, reason: str) -> None:
    """Reject the kit KIT_ID that somebody else asked for."""
    wired = wire()
    person = identify(wired, login)
    with wired.db.transaction() as session:
        _batch_of_kit(session, person, kit_id)
        handover.reject_kit(
            session, kit_id=kit_id, staff_id=person.id, reason=reason, actor=person.actor, now=datetime.now(UTC)
        )
    click.echo(gettext(N_("the kit is rejected")))


@kit.command()
@click.argument("kit_id", type=click.UUID)
@by_option
def withdraw(kit_id: UUID, login: str) -> None:
    """Take back the kit KIT_ID that you asked for, while it waits: its serials are free again."""
    wired = wire()
    person = identify(wired, login)
    with wired.db.transaction() as session:
        _batch_of_kit(session, person, kit_id)
        handover.withdraw_kit(session, kit_id=kit_id, staff_id=person.id, actor=person.actor, now=datetime.now(UTC))
    click.echo(gettext(N_("the kit is taken back")))


@kit.command()
@click.argument("kit_id", type=click.UUID)
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), default=".", help="Into this folder.")
def fetch(kit_id: UUID, folder: Path) -> None:
    """Write the approved kit KIT_ID to a file. Only its print house can open it."""
    wired = wire()
    with wired.db.transaction() as session:
        row = handover.get_kit(session, kit_id=kit_id)
        if row.sealed is None:
            fail(gettext(N_("the kit {id} is not approved"), id=kit_id), code="kit_not_approved", status=REFUSED)
        sealed = handover.fetch_kit(session, kit_id=kit_id, actor="cli", now=datetime.now(UTC))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"batch-{row.batch_number}-{row.first:08d}-{row.last:08d}{SUFFIX}"
    path.write_bytes(sealed)
    click.echo(path)


def _batch_of_kit(session: Session, person: StaffFacts, kit_id: UUID) -> Batch:
    """Raises NotFound, NotAllowed."""
    batch = codes.get_batch(session, number=handover.get_kit(session, kit_id=kit_id).batch_number)
    check_sight(person, batch.brand_id)
    return batch


COMMANDS = (group, kit)
