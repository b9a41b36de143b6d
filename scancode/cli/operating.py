"""``scancode doctor`` looks whether this installation is well; ``halt`` stops money; ``reconcile`` compares the book of
payments with the provider's, which lets it go on, as after a restore."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from scancode.campaigns.planning import yuan
from scancode.cli import checks
from scancode.cli.bars import gettext
from scancode.cli.root import DATABASE, FAULTY, SETTINGS, fail, wire
from scancode.config import SECRETS
from scancode.i18n import N_
from scancode.jobs import service as jobs
from scancode.staff import service as staff
from scancode.stories import going_on
from scancode.stories import reconcile as books
from scancode.stories.books import DAYS_IN, Report
from scancode.wiring import Wired
from scancode.worker.pace import wait_for_turn

MARKS = {checks.Grade.GOOD: "✓", checks.Grade.NOTE: "!", checks.Grade.BAD: "✗"}


@click.command()
@click.option("--new-secrets", is_flag=True, help="Print a complete set of random secrets as settings, and stop.")
def doctor(new_secrets: bool) -> None:
    """Check settings, database, keys, workers, jobs, disk and gateways. Exits 3, 4 or 5 when something is wrong."""
    if new_secrets:
        for name in SECRETS:
            click.echo(f"SCANCODE_{name.upper()}={checks.new_secret(name, datetime.now(UTC))}")
        return
    worst: checks.Finding | None = None
    for finding in checks.examine(datetime.now(UTC)):
        text = gettext(finding.text, **finding.facts)
        click.echo(f"{MARKS[finding.grade]} {text}")
        if finding.grade is checks.Grade.BAD and worst is None:
            worst = finding
    if worst is not None:
        status = {"settings": SETTINGS, "database": DATABASE, "schema": DATABASE}.get(worst.code, FAULTY)
        fail(gettext(N_("something is wrong: see the lines marked ✗")), code=worst.code, status=status)


@click.command()
@click.option("--since", help="Compare bills placed since this day, as 2026-11-16 (default: the restored backup's).")
@click.option("--look", is_flag=True, help="Only compare; leave claims and payouts stopped.")
@click.option("--accept", is_flag=True, help="Let claims and payouts go on although the books differ.")
def reconcile(since: str | None, look: bool, accept: bool) -> None:
    """Compare the payments here with the provider's, then let claims and payouts go on."""
    wired = wire()
    begin = _begin(wired, since)
    gateway = wired.ports.payout
    if gateway is None:
        if not accept:
            sentence = N_("no payment provider is configured, so there is nothing to compare with: "
                          "set SCANCODE_PAYOUT_GATEWAY, or say --accept where nothing was ever paid")  # fmt: skip
            fail(gettext(sentence), code="no_gateway", status=SETTINGS)
        report = Report(since=begin)
    else:
        report = books.reconcile(
            wired.db,
            gateway,
            sealer=wired.sealer,
            draw_sealer=wired.draw_sealer,
            prefix=wired.settings.payout_prefix,
            since=begin,
            actor="cli",
            clock=lambda: datetime.now(UTC),
            progress=lambda count: click.echo(f"  {count:,} …", err=True),
            wait=lambda: wait_for_turn(wired),
        )
    _print_books(report)
    if look:
        if not report.agrees:
            fail(gettext(N_("the books differ")), code="not_reconciled", status=FAULTY)
        return
    with wired.db.transaction() as session:
        going_on.let_go_on(session, report=report, accept=accept, actor="cli", now=datetime.now(UTC))
    click.echo(gettext(N_("claims and payouts go on")))


@click.command()
@click.argument("reason")
def halt(reason: str) -> None:
    """Stop claims and payouts, for REASON, until `scancode reconcile` or the console lets them go on."""
    wired = wire()
    now = datetime.now(UTC)
    with wired.db.transaction() as session:
        for name in going_on.STOPS:
            jobs.stop(session, name=name, reason=reason, now=now)
        staff.audit(
            session, actor="cli", brand_id=None, action="payouts.stop", subject="payouts", facts={"by": "cli"}, now=now
        )
    click.echo(gettext(N_("claims and payouts are stopped")))


def _begin(wired: Wired, since: str | None) -> datetime:
    """The moment from which books are compared. The backup that was restored last says it by itself."""
    if since:
        try:
            begin = datetime.fromisoformat(since)
            return (begin if begin.tzinfo else begin.replace(tzinfo=DAYS_IN)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise click.BadParameter(since, param_hint="--since") from error
    with wired.db.reading() as session:
        chosen = staff.AuditFilter(action="database.restore")
        rows = staff.list_audit(session, brand_id=None, chosen=chosen, limit=1)
        made_at = json.loads(rows[0].facts)["made_at"] if rows else None
    if made_at is None:
        raise click.UsageError(gettext(N_("nothing was restored here: say --since DAY")))
    return datetime.fromisoformat(made_at)


def _print_books(report: Report) -> None:
    click.echo(
        gettext(
            N_("{bills} bills since {since}: {moved} moved on, {found} found that the backup had lost, {open} differ"),
            bills=f"{report.bills:,}",
            since=f"{report.since:%Y-%m-%d %H:%M} UTC",
            moved=report.moved,
            found=report.found,
            open=len(report.open),
        )
    )
    paid = {"theirs": yuan(report.provider_paid_fen), "ours": yuan(report.our_paid_fen)}
    click.echo(gettext(N_("paid by the provider: {theirs} yuan; in our book: {ours} yuan"), **paid))
    for one in report.differences:
        theirs = f"{one.provider_state or ''} {yuan(one.provider_fen)}" if one.provider_fen is not None else "-"
        ours = f"{one.our_state or ''} {yuan(one.our_fen)}" if one.our_fen is not None else "-"
        click.echo(f"  {one.gap.value:<12} {one.out_bill_no:<32}  {theirs:>24}  {ours:>24}")


COMMANDS = (doctor, halt, reconcile)
