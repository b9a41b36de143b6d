"""``scancode report``: the attribution funnel as a table for the terminal or as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import sys
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from scancode.campaigns.planning import yuan
from scancode.cli.bars import gettext, locale
from scancode.cli.root import wire
from scancode.cli.staff import find_brand
from scancode.i18n import N_
from scancode.reports import service as reports
from scancode.reports.rules import DIMENSIONS, MODELS, Dimension, FunnelRow, Model, defuse, last_days

DAYS = 7
ROWS = {
    "channel": N_("channel"),
    "store": N_("store"),
    "guide": N_("guide"),
    "scene": N_("scene"),
    "touchpoint": N_("placed code"),
    "region": N_("region"),
    "product": N_("product"),
    "batch": N_("batch"),
    "day": N_("day"),
}
HEADINGS = (
    N_("shipped"),
    N_("activated"),
    N_("scanned"),
    N_("scans"),
    N_("visitors"),
    N_("claims"),
    N_("members"),
    N_("paid (yuan)"),
    N_("yuan per member"),
)


@click.command()
@click.option("--by", type=click.Choice(list(DIMENSIONS)), default="channel", show_default=True, help="What a row is.")
@click.option(
    "--model",
    type=click.Choice(list(MODELS)),
    default="last",
    show_default=True,
    help="Who gets the credit: the last touch, the first, or the item alone (where it was shipped).",
)
@click.option("--from", "first_day", help="First day, as 2026-11-16, in the brand's zone (default: a week ago).")
@click.option("--to", "last_day", help="Last day (default: today).")
@click.option("--brand", "slug", help="Short name of the brand; not needed where there is one.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout, with exact numbers.")
def report(
    by: Dimension, model: Model, first_day: str | None, last_day: str | None, slug: str | None, as_csv: bool
) -> None:
    """Show what each channel, store, guide, scene, placed code, region, product, batch or day brought."""
    wired = wire()
    with wired.db.reading() as session:
        brand = find_brand(session, slug)
        last_day = last_day or brand.day(datetime.now(UTC))
        first_day = first_day or last_days(last_day, DAYS)[0]
        funnel = reports.funnel(session, brand_id=brand.id, by=by, first_day=first_day, last_day=last_day, model=model)
    rows = [[_name(row), *_opened(row, by), *_numbers(row, exact=as_csv)] for row in funnel.rows]
    rows.append([gettext(N_("total")), *_opened(funnel.total, by), *_numbers(funnel.total, exact=as_csv)])
    opened = [gettext(N_("opened"))] if by == "touchpoint" else []
    headings = [gettext(ROWS[by]), *opened, *(gettext(heading) for heading in HEADINGS)]
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([[defuse(cell) for cell in row] for row in (headings, *rows)])
        return
    click.echo(f"{brand.name(locale())}  {first_day} – {last_day}")
    _print_table(headings, rows)
    if funnel.left_off:
        click.echo(gettext(N_("{count} more rows are not shown"), count=funnel.left_off))


def _name(row: FunnelRow) -> str:
    return gettext(N_("unknown")) if row.is_unknown else row.name(locale())


def _opened(row: FunnelRow, by: Dimension) -> list[str]:
    return [] if by != "touchpoint" else ["" if row.opened is None else str(row.opened)]


def _numbers(row: FunnelRow, *, exact: bool) -> list[str]:
    counts = (row.shipped, row.activated, row.scanned, row.scans, row.visitors, row.claims, row.members)
    money = (row.paid_fen, row.cost_per_member_fen)
    plain = [("" if count is None else str(count) if exact else f"{count:,}") for count in counts]
    fen = [("" if amount is None else yuan(amount)) for amount in money]
    return plain + [text.replace(",", "") if exact else text for text in fen]


def _print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns aligned as a terminal counts them: a Chinese character takes two."""
    widths = [max(_columns(row[place]) for row in (headings, *rows)) for place in range(len(headings))]
    for row in (headings, ["─" * width for width in widths], *rows):
        cells = [row[0] + " " * (widths[0] - _columns(row[0]))]
        cells += [" " * (width - _columns(cell)) + cell for cell, width in zip(row[1:], widths[1:], strict=True)]
        click.echo("  ".join(cells).rstrip())


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


COMMANDS = (report,)
