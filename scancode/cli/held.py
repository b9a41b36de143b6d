"""``scancode held``: rewards that staff look at before they are paid."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import click

from batches.codes import split_code_id
from scancode.claims import service as claims
from scancode.claims.rules import ClaimState
from scancode.cli.bars import gettext
from scancode.cli.root import wire
from scancode.cli.staff import find_brand
from scancode.i18n import N_

LISTED_MAX = 500
TIME = "%Y-%m-%dT%H:%M:%SZ"
STATES = {"held": ClaimState.HELD, "refused": ClaimState.REFUSED, "released": ClaimState.CLAIMED}


@click.group()
def held() -> None:
    """Rewards that staff look at before they are paid."""


@held.command("list")
@click.option("--brand", "slug", help="Short name of the brand; without it, of all.")
@click.option("--state", type=click.Choice(list(STATES)), default="held", help="Where they stand.")
def list_(slug: str | None, state: str) -> None:
    """List held rewards, those held longest first: code id, batch and serial, when it is paid by itself, the points
    against it and what they come from."""
    with wire().db.reading() as session:
        brand_id: UUID | None = find_brand(session, slug).id if slug else None
        rows = claims.list_held(session, brand_id=brand_id, states=(STATES[state],), limit=LISTED_MAX)
    for row in rows:
        number, _, serial = split_code_id(row.claim.code_id)
        due = row.due_at.astimezone(UTC).strftime(TIME)
        reasons = ",".join(f"{reason.value}:{points}" for reason, points in row.score.reasons)
        reasons = reasons or f"nth_today:{row.nth_today}"
        click.echo(
            f"{row.claim.code_id}  {number}:{serial}  {row.claim.prize_kind}  {row.claim.amount:>8}  {due}  "
            f"{row.score.points:>4}  {reasons}  {row.reason}".rstrip()
        )


@held.command()
@click.argument("code_id", type=click.IntRange(min=0))
@click.option("--note", default="", help="For colleagues only.")
def release(code_id: int, note: str) -> None:
    """Pay the held reward of CODE_ID."""
    wired, now = wire(), datetime.now(UTC)
    prefix = wired.settings.payout_prefix
    with wired.db.transaction() as session:
        claims.release_held(session, code_id=code_id, staff_id=None, actor="cli", prefix=prefix, now=now, note=note)
    click.echo(gettext(N_("released")))


@held.command()
@click.argument("code_id", type=click.IntRange(min=0))
@click.option("--reason", required=True, help="Why; whoever claimed reads it.")
@click.option("--note", default="", help="For colleagues only.")
def refuse(code_id: int, reason: str, note: str) -> None:
    """Refuse the held reward of CODE_ID: it never pays."""
    with wire().db.transaction() as session:
        claims.refuse_held(
            session, code_id=code_id, reason=reason, staff_id=None, actor="cli", now=datetime.now(UTC), note=note
        )
    click.echo(gettext(N_("refused")))


@held.command()
@click.argument("code_id", type=click.IntRange(min=0))
@click.option("--note", required=True, help="Why, for colleagues.")
def again(code_id: int, note: str) -> None:
    """Hold the refused reward of CODE_ID once more, for a second look."""
    with wire().db.transaction() as session:
        claims.look_again(session, code_id=code_id, staff_id=None, actor="cli", now=datetime.now(UTC), note=note)
    click.echo(gettext(N_("held once more")))


COMMANDS = (held,)
