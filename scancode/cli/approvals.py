"""``scancode batch approve`` and ``reject``: the second person's answer to a large order, at a terminal.

The command line belongs to nobody, so whoever answers gives login and password: two people stay two people.
"""

from __future__ import annotations

from datetime import UTC, datetime

import click

from scancode.cli.bars import gettext
from scancode.cli.batches import batch
from scancode.cli.people import by_option, check_sight, identify
from scancode.cli.root import wire
from scancode.codes import service as codes
from scancode.i18n import N_


@batch.command()
@click.argument("number", type=int)
@by_option
def approve(number: int, login: str) -> None:
    """Approve the large order of somebody else that batch NUMBER is of: all its batches go to the press."""
    wired = wire()
    person = identify(wired, login)
    now = datetime.now(UTC)
    with wired.db.transaction() as session:
        check_sight(person, codes.get_batch(session, number=number).brand_id)
        decided = codes.approve(session, number=number, staff_id=person.id, actor=person.actor, now=now)
    for each in decided:
        click.echo(gettext(N_("batch {number} is approved and goes to the press"), number=each))


@batch.command()
@click.argument("number", type=int)
@by_option
@click.option("--reason", required=True, help="Why; whoever ordered reads it.")
def reject(number: int, login: str, reason: str) -> None:
    """Reject the large order of somebody else that batch NUMBER is of, with all its batches."""
    wired = wire()
    person = identify(wired, login)
    now = datetime.now(UTC)
    with wired.db.transaction() as session:
        check_sight(person, codes.get_batch(session, number=number).brand_id)
        decided = codes.reject(session, number=number, staff_id=person.id, reason=reason, actor=person.actor, now=now)
    for each in decided:
        click.echo(gettext(N_("batch {number} is rejected"), number=each))
