"""``scancode batch approve`` and ``reject``: the second person's answer to a large order, at a terminal.

The command line belongs to nobody, so whoever answers gives login and password: two people stay two people.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import click

from scancode.cli.bars import gettext
from scancode.cli.batches import batch
from scancode.cli.root import wire
from scancode.codes import service as codes
from scancode.errors import NotAllowed
from scancode.i18n import N_
from scancode.staff import service as staff
from scancode.staff.rules import Role, StaffFacts
from scancode.wiring import Wired

_BY = click.option("--by", "login", required=True, help="Your login; the password is asked for.")


@batch.command()
@click.argument("number", type=int)
@_BY
def approve(number: int, login: str) -> None:
    """Approve the large order NUMBER of somebody else: it goes to the press."""
    wired = wire()
    person = _identify(wired, login)
    now = datetime.now(UTC)
    with wired.db.transaction() as session:
        _check_sight(person, codes.get_batch(session, number=number).brand_id)
        codes.approve(session, number=number, staff_id=person.id, actor=person.actor, now=now)
    click.echo(gettext(N_("batch {number} is approved and goes to the press"), number=number))


@batch.command()
@click.argument("number", type=int)
@_BY
@click.option("--reason", required=True, help="Why; whoever ordered reads it.")
def reject(number: int, login: str, reason: str) -> None:
    """Reject the large order NUMBER of somebody else."""
    wired = wire()
    person = _identify(wired, login)
    now = datetime.now(UTC)
    with wired.db.transaction() as session:
        _check_sight(person, codes.get_batch(session, number=number).brand_id)
        codes.reject(session, number=number, staff_id=person.id, reason=reason, actor=person.actor, now=now)
    click.echo(gettext(N_("batch {number} is rejected"), number=number))


def _identify(wired: Wired, login: str) -> StaffFacts:
    """Who has this login and knows its password. Raises WrongPassword, AccountLocked."""
    typed: str = click.prompt(gettext(N_("password")), hide_input=True)
    now, settings = datetime.now(UTC), wired.settings
    with wired.db.transaction() as session:
        attempt = staff.begin_sign_in(
            session,
            login=login,
            now=now,
            failures_max=settings.login_failures,
            lock_minutes=settings.login_lock_minutes,
        )
    if not attempt.matches(typed):
        with wired.db.transaction() as session:
            staff.fail_sign_in(session, attempt=attempt, now=now)
        raise attempt.refusal(now)
    with wired.db.transaction() as session:
        opened, _ = staff.complete_sign_in(session, attempt=attempt, agent="cli", now=now, session_hours=1)
        staff.revoke_sessions(
            session, staff_id=opened.staff_id, actor=f"staff:{opened.staff_id}", now=now, session_id=opened.id
        )
        return staff.facts_of(staff.get_staff(session, staff_id=opened.staff_id))


def _check_sight(person: StaffFacts, brand_id: UUID) -> None:
    """Raises NotAllowed unless the person may order codes of this brand."""
    if not person.may((Role.FACTORY,)) or not person.sees(brand_id):
        raise NotAllowed


COMMANDS = (batch,)
