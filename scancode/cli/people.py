"""Who stands at the terminal. The command line belongs to nobody, so what takes a certain person, or two of them, asks
for login and password."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import click

from scancode.cli.bars import gettext
from scancode.errors import NotAllowed
from scancode.i18n import N_
from scancode.staff import service as staff
from scancode.staff.rules import Role, StaffFacts
from scancode.wiring import Wired

by_option = click.option("--by", "login", required=True, help="Your login; the password is asked for.")


def identify(wired: Wired, login: str) -> StaffFacts:
    """Who has this login and knows its password. Raises WrongPassword, AccountLocked."""
    typed: str = click.prompt(gettext(N_("password")), hide_input=True, err=True)
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


def check_sight(person: StaffFacts, brand_id: UUID) -> None:
    """Raises NotAllowed unless the person may order codes of this brand."""
    if not person.may((Role.FACTORY,)) or not person.sees(brand_id):
        raise NotAllowed
