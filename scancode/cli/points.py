"""``scancode ledger``: what an account of points holds and how it came to that, changes by hand, and the proof."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

import click
from sqlalchemy.orm import Session

from scancode.catalog import service as catalog
from scancode.cli.bars import gettext
from scancode.cli.root import FAULTY, wire
from scancode.errors import NotFound
from scancode.i18n import N_
from scancode.ledger import service as ledger
from scancode.ledger.rules import Wrong, cause_text
from scancode.stories import points
from scancode.stories.points import Account, Outcome

LISTED_MAX = 500
T = TypeVar("T")
MOMENT = "%Y-%m-%dT%H:%M:%SZ"
TIMES = [MOMENT, "%Y-%m-%dT%H:%MZ", "%Y-%m-%d"]


@click.group("ledger")
def group() -> None:
    """Points: accounts, their entries and lots, corrections, and the proof that all sums agree.

    An ACCOUNT is the member's id, as the console shows it.
    """


@group.command()
@click.option("--brand", help="Of this brand alone.")
def verify(brand: str | None) -> None:
    """Add up all books: balance, entries, lots and reservations of every account; exit code 5 when some differ."""
    wired, is_wrong = wire(), False
    with wired.db.reading() as session:
        brands = [one for one in catalog.list_brands(session) if brand in (None, one.slug)]
    if not brands and brand is not None:
        raise NotFound
    for one in brands:
        proof = points.prove(wired.db, brand_id=one.id)
        is_wrong = is_wrong or proof.wrong_count > 0
        for wrong in proof.wrong:
            click.echo(_sentence(wrong))
        text = N_("{brand}: {accounts} accounts, {wrong} sums that differ")
        counts = {"accounts": f"{proof.accounts:,}", "wrong": f"{proof.wrong_count:,}"}
        click.echo(gettext(text, brand=one.slug, **counts))
    if is_wrong:
        raise SystemExit(FAULTY)


def _sentence(wrong: Wrong) -> str:
    if wrong.account_id is None:
        text = N_("all entries together: people hold {people}, the brand gave {given}")
        return gettext(text, people=wrong.entries, given=wrong.balance)
    text = N_("{account}: balance {balance}, entries {entries}, lots {lots}; reserved {reserved}, held {holds}")
    sums = {"balance": wrong.balance, "entries": wrong.entries, "lots": wrong.lots}
    return gettext(text, account=wrong.account_id, **sums, reserved=wrong.reserved, holds=wrong.holds)


@group.command()
@click.argument("account_id", metavar="ACCOUNT", type=click.UUID)
@click.option("--at", type=click.DateTime(TIMES), help="At this past moment (UTC), as 2026-11-22T04:00:00Z.")
def balance(account_id: UUID, at: datetime | None) -> None:
    """Show what ACCOUNT holds, now or at a past moment."""
    wired = wire()
    with wired.db.reading() as session:
        points.get_account(session, account_id=account_id)
        if at is not None:
            moment = at.replace(tzinfo=UTC)
            click.echo(f"{ledger.balance_at(session, account_id=account_id, moment=moment)}")
            return
        found = ledger.account(session, account_id=account_id)
    text = N_("balance {balance}, of which {reserved} reserved; {pending} to come")
    click.echo(gettext(text, balance=found.balance, reserved=found.reserved, pending=found.pending))
    if found.frozen_at is not None:
        when = f"{found.frozen_at:{MOMENT}}"
        click.echo(gettext(N_("frozen since {when}: {reason}"), when=when, reason=found.frozen_reason))


@group.command()
@click.argument("account_id", metavar="ACCOUNT", type=click.UUID)
@click.option("--limit", default=50, type=click.IntRange(1, LISTED_MAX), help="So many of them.")
def entries(account_id: UUID, limit: int) -> None:
    """List the entries of ACCOUNT, the newest first: id, time, points, cause, reason."""
    wired = wire()
    with wired.db.reading() as session:
        points.get_account(session, account_id=account_id)
        for one in ledger.entries(session, account_id=account_id, limit=limit):
            words = f"{one.cause}  {gettext(cause_text(one.cause))}  {one.note or ''}".rstrip()
            click.echo(f"{one.id}  {one.occurred_at:{MOMENT}}  {one.points:>+10,}  {words}")


@group.command()
@click.argument("account_id", metavar="ACCOUNT", type=click.UUID)
def lots(account_id: UUID) -> None:
    """List what is left in ACCOUNT in the order in which it is spent, then what is pending: id, points, time."""
    wired = wire()
    never = gettext(N_("never expires"))
    with wired.db.reading() as session:
        points.get_account(session, account_id=account_id)
        for lot in ledger.list_lots(session, account_id=account_id, limit=LISTED_MAX):
            until = f"{lot.expires_at:{MOMENT}}" if lot.expires_at else never
            click.echo(f"{lot.id}  {lot.left_points:>10,}  {until}")
        for one in ledger.list_holds(session, account_id=account_id, limit=LISTED_MAX):
            click.echo(f"{one.id}  {one.points:>+10,}  {one.due_at:{MOMENT}}  {one.state}  {one.note or ''}".rstrip())


@group.command()
@click.argument("account_id", metavar="ACCOUNT", type=click.UUID)
@click.argument("count", metavar="POINTS", type=int)
@click.option("--reason", required=True, help="Why: kept beside the entry.")
@click.option("--key", type=click.UUID, required=True, help="A UUID of yours: the same one is entered once.")
@click.option("--days", type=click.IntRange(1, 366), help="Pending for so many days: to come in, or reserved.")
def adjust(account_id: UUID, count: int, reason: str, key: UUID, days: int | None) -> None:
    """Give ACCOUNT so many POINTS, or take them (after --, as -- -50)."""
    now = datetime.now(UTC)
    until = now + timedelta(days=days) if days else None
    done = _on_account(
        account_id,
        lambda session, account: points.adjust(
            session, account=account, form_id=key, points=count, note=reason, until=until, now=now
        ),
    )
    said = {
        Outcome.DONE: N_("entered"),
        Outcome.PENDING: N_("pending"),
        Outcome.REPEATED: N_("this key was entered before: nothing was changed"),
    }
    click.echo(gettext(said[done]))


@group.command()
@click.argument("account_id", metavar="ACCOUNT", type=click.UUID)
@click.argument("entry_id", metavar="ENTRY", type=click.UUID)
@click.option("--reason", required=True, help="Why: kept beside the entry.")
def reverse(account_id: UUID, entry_id: UUID, reason: str) -> None:
    """Take ENTRY of ACCOUNT back by posting its opposite, once."""
    now = datetime.now(UTC)
    changed = _on_account(
        account_id,
        lambda session, account: points.reverse(session, account=account, entry_id=entry_id, note=reason, now=now),
    )
    click.echo(f"{changed:+,}")


@group.command()
@click.argument("account_id", metavar="ACCOUNT", type=click.UUID)
@click.option("--reason", required=True, help="Why: shown to staff.")
def freeze(account_id: UUID, reason: str) -> None:
    """Let nothing go out of ACCOUNT, nor in by hand; what codes earn still comes in."""
    now = datetime.now(UTC)
    done = _on_account(
        account_id, lambda session, account: points.freeze(session, account=account, note=reason, now=now)
    )
    click.echo(gettext(N_("frozen") if done else N_("it was frozen before")))


@group.command()
@click.argument("account_id", metavar="ACCOUNT", type=click.UUID)
def unfreeze(account_id: UUID) -> None:
    """Let points of ACCOUNT move again."""
    now = datetime.now(UTC)
    done = _on_account(account_id, lambda session, account: points.unfreeze(session, account=account, now=now))
    click.echo(gettext(N_("free again") if done else N_("it was not frozen")))


def _on_account(account_id: UUID, work: Callable[[Session, Account], T]) -> T:
    """Raises NotFound."""
    wired = wire()

    def run(session: Session) -> T:
        brand = catalog.load_brand(session, brand_id=points.get_account(session, account_id=account_id))
        if brand is None:
            raise NotFound
        return work(session, Account(account_id, brand, "cli"))

    return wired.db.retrying(run)


COMMANDS = (group,)
