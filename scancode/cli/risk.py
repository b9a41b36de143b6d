"""``scancode suspect``, ``complaint`` and ``block``: copied codes, items that people report, who is held off."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import click

from batches.codes import Kind, Verifier, batch_of, code_id, normalise, split_code_id
from batches.errors import PressError
from scancode.cli.bars import gettext
from scancode.cli.root import wire
from scancode.cli.staff import find_brand
from scancode.codes import service as codes
from scancode.codes.typed import RangeForm, code_in
from scancode.complaints import service as complaints
from scancode.complaints.rules import ComplaintState
from scancode.errors import NotFound
from scancode.i18n import N_
from scancode.scans import service as scans
from scancode.scans.blocklist import DAYS_MAX
from scancode.scans.rules import Standing
from scancode.wiring import Wired

LISTED_MAX = 200
TIME = "%Y-%m-%dT%H:%M:%SZ"


@click.group()
def suspect() -> None:
    """Codes that look copied."""


@suspect.command("list")
@click.option("--brand", "slug", help="Short name of the brand; without it, of all.")
@click.option(
    "--state", type=click.Choice([state.value for state in Standing]), default="open", help="Where they stand."
)
def list_(slug: str | None, state: str) -> None:
    """List codes that look copied, those marked last first."""
    wired = wire()
    with wired.db.reading() as session:
        brand_id: UUID | None = find_brand(session, slug).id if slug else None
        rows = scans.list_suspects(session, brand_id=brand_id, states=(Standing(state),), limit=LISTED_MAX)
    for row in rows:
        number, kind, serial = split_code_id(row.code_id)
        when = row.found_at.astimezone(UTC).strftime(TIME)
        click.echo(
            f"{number}:{serial}  {Kind(kind).label:<6}  {row.state.value:<9}  {when}  "
            f"{row.visitors:>5}  {row.cities:>3}  {','.join(row.signs)}"
        )


def _settle(verb: str, code: str, comment: str) -> None:
    wired = wire()
    wanted = _code_id(wired, code)
    with wired.db.transaction() as session:
        after = scans.settle_suspicion(
            session, code_id=wanted, verb=verb, comment=comment, actor="cli", now=datetime.now(UTC)
        )
    click.echo(gettext(N_("the code is now: {state}"), state=after.state.value))


@suspect.command()
@click.argument("code")
@click.option("--comment", required=True, help="Why, for whoever looks next.")
def confirm(code: str, comment: str) -> None:
    """CODE is suspect indeed: it stays so."""
    _settle("confirm", code, comment)


@suspect.command()
@click.argument("code")
@click.option("--comment", required=True, help="Why, for whoever looks next.")
@click.option("--for-good", is_flag=True, help="Never mark it again: a sample, a code in an advertisement.")
def clear(code: str, comment: str, for_good: bool) -> None:
    """CODE is not suspect any more; scans count anew."""
    _settle("trust" if for_good else "clear", code, comment)


def _code_id(wired: Wired, typed: str) -> int:
    """Raises RangeForm for what is no code of ours."""
    try:
        text = normalise(code_in(typed))
        with wired.db.reading() as session:
            batch = codes.get_batch(session, number=batch_of(text))
        parts = Verifier(wired.keyring.derive(batch.kid, batch.salt)).verify(text)
    except (PressError, NotFound) as error:
        raise RangeForm(typed=typed[:40]) from error
    return code_id(batch.number, parts.kind, parts.serial)


@click.group()
def complaint() -> None:
    """What people report about items."""


@complaint.command("list")
@click.option("--brand", "slug", help="Short name of the brand; without it, of all.")
@click.option(
    "--state", type=click.Choice([one.value for one in ComplaintState]), default="open", help="Where they stand."
)
def list_complaints(slug: str | None, state: str) -> None:
    """List complaints, the newest first. Nobody's number is shown."""
    wired = wire()
    with wired.db.reading() as session:
        brand_id: UUID | None = find_brand(session, slug).id if slug else None
        rows = complaints.list_complaints(session, brand_id=brand_id, states=(ComplaintState(state),), limit=LISTED_MAX)
    for row in rows:
        place = f"{row.batch_number}:{split_code_id(row.code_id).serial}" if row.code_id is not None else row.typed
        when = row.made_at.astimezone(UTC).strftime(TIME)
        click.echo(f"{row.id}  {when}  {row.kind:<8}  {row.verdict:<8}  {place}  {' '.join(row.text.split())[:80]}")


@complaint.command()
@click.argument("complaint_id", type=click.UUID)
@click.argument("text")
def answer(complaint_id: UUID, text: str) -> None:
    """Answer COMPLAINT_ID: the person reads TEXT on the page where they reported."""
    wired = wire()
    with wired.db.transaction() as session:
        complaints.work_on(
            session, complaint_id=complaint_id, verb="answer", text=text, actor="cli", now=datetime.now(UTC)
        )
    click.echo(gettext(N_("answered")))


@click.group()
def block() -> None:
    """Addresses and browsers that are held off."""


@block.command("list")
def list_blocks() -> None:
    """List who is held off, and until when."""
    wired = wire()
    with wired.db.reading() as session:
        rows = scans.list_blocks(session)
    for row in rows:
        click.echo(
            f"{row.id}  {row.kind:<7}  {row.value}  {row.expires_at.astimezone(UTC).strftime(TIME)}  {row.reason}"
        )


@block.command()
@click.argument("who")
@click.option("--reason", required=True, help="Why.")
@click.option("--days", type=click.IntRange(1, DAYS_MAX), default=7, show_default=True, help="For how long.")
def add(who: str, reason: str, days: int) -> None:
    """Hold off WHO: an address, a network such as 203.0.113.0/24, or a browser's id. Prints the id of the entry."""
    wired = wire()
    with wired.db.transaction() as session:
        made = scans.block(session, value=who, reason=reason, days=days, actor="cli", now=datetime.now(UTC))
    click.echo(str(made))


@block.command()
@click.argument("block_id", type=click.UUID)
def lift(block_id: UUID) -> None:
    """Let BLOCK_ID in again."""
    wired = wire()
    with wired.db.transaction() as session:
        scans.lift(session, block_id=block_id, actor="cli", now=datetime.now(UTC))
    click.echo(gettext(N_("let in again")))


COMMANDS = (suspect, complaint, block)
