"""``scancode draw``: checks a revealed draw by itself, without a database, a network or a setting; and what was given
against the draw, with them."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import click

from scancode.campaigns import proof
from scancode.campaigns.planning import yuan
from scancode.cli.bars import Bar, gettext
from scancode.cli.root import FAULTY, fail, wire
from scancode.i18n import N_
from scancode.stories.draws import Slip, compare_draw

BYTES_MAX = 20_000_000


@click.group()
def draw() -> None:
    """Prove draws: what every code of a campaign held."""


@draw.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--commitment", "known", multiple=True, help="A commitment that you kept; may be repeated.")
@click.option("--code", help="Say what one code held, as BATCH:SERIAL, instead of drawing for all.")
def verify(file: Path, known: tuple[str, ...], code: str | None) -> None:
    """Check the draw.json of a campaign that has ended: commitments, and every code of every pool."""
    try:
        if file.stat().st_size > BYTES_MAX:
            raise proof.NotADraw("too long")
        pools = proof.from_file(json.loads(file.read_text(encoding="utf-8")))
    except (proof.NotADraw, ValueError) as error:
        fail(gettext(N_("this is no revealed draw: {why}"), why=error), code="not_a_draw", status=FAULTY)
    if code is not None:
        _say_one(pools, code)
        return
    missing = sorted(set(known) - {committed for _, _, committed in pools})
    for one in missing:
        click.echo(gettext(N_("✗ no pool has the commitment {commitment}"), commitment=one))
    sound = [_check(number, *pool) for number, pool in enumerate(pools, 1)]
    if missing or not all(sound):
        fail(gettext(N_("the draw is not what was promised")), code="draw_wrong", status=FAULTY)
    click.echo(gettext(N_("✓ the draw is what was promised")))


def _check(number: int, table: proof.Table, secret: bytes, committed: str) -> bool:
    with Bar(gettext(N_("pool {number}"), number=number)) as bar:
        found = proof.check(
            table, secret=secret, committed=committed, progress=lambda done: bar("codes", done, table.size)
        )
    mark = "✓" if found.is_committed else "✗"
    said = N_("{mark} pool {number}: commitment {commitment}")
    click.echo(gettext(said, mark=mark, number=number, commitment=committed))
    for place, line in enumerate(table.lines):
        click.echo(f"  {_in_words(found, place, line, is_exact=table.mode == 'exact')}")
    return found.is_sound


def _in_words(found: proof.Checked, place: int, line: proof.Line, *, is_exact: bool) -> str:
    total = found.sums.get(place, 0)
    return gettext(
        N_("{mark} {kind} {least}: {drawn} drawn by {codes} codes, {count} in the table, {worth} in all"),
        mark="✗" if place in found.wrong else "✓" if is_exact else "·",
        kind=line.kind,
        least=line.amount if line.amount_most is None else f"{line.amount}-{line.amount_most}",
        drawn=f"{found.counts.get(place, 0):,}",
        codes=f"{found.codes:,}",
        count=f"{line.count:,}",
        worth=yuan(total) if line.kind == "red_packet" else f"{total:,}",
    )


def _say_one(pools: list[tuple[proof.Table, bytes, str]], code: str) -> None:
    batch, _, serial = code.partition(":")
    if not (batch.isdecimal() and serial.isdecimal()):
        raise click.BadParameter(gettext(N_("write the code as BATCH:SERIAL, such as 1234567:89")))
    for table, secret, _ in pools:
        index = table.index_of(int(batch), int(serial))
        if index is not None:
            for line, amount in table.turns(secret, index):
                kind = "thanks" if line is None else table.lines[line].kind
                click.echo(gettext(N_("{code}: {kind} {amount}"), code=code, kind=kind, amount=amount))
            return
    fail(gettext(N_("this code is of no pool of the campaign")), code="draw_unknown", status=FAULTY)


SLIPS = {
    Slip.STRANGER: N_("✗ {place}: is of no pool of the campaign, and was given {found}"),
    Slip.PRIZE: N_("✗ {place}: the draw gives another prize ({expected}; was given {found})"),
    Slip.AMOUNT: N_("✗ {place}: the draw gives {expected}, was given {found}"),
    Slip.TOO_MANY: N_("✗ {place}: {found} were given, there are {expected}"),
    Slip.PAYOUT: N_("✗ {place}: won {expected} fen, promised to be paid {found} fen"),
}


@draw.command()
@click.argument("campaign_id", metavar="CAMPAIGN", type=click.UUID)
def compare(campaign_id: UUID) -> None:
    """Compare every claim of CAMPAIGN with its draw: prize, amount, stock, payout. At any time; shows no secret."""
    wired = wire()
    with wired.db.reading() as session:
        found = compare_draw(session, campaign_id=campaign_id, sealer=wired.draw_sealer)
    for one in found.differences:
        click.echo(gettext(SLIPS[one.slip], place=one.place, expected=one.expected, found=one.found))
    if found.ran_out:
        text = N_("{count} turns gave thanks because stock, budget or day were used up")
        click.echo(gettext(text, count=f"{found.ran_out:,}"))
    if found.differences:
        fail(
            gettext(N_("claims differ from the draw: {count}"), count=len(found.differences)),
            code="draw_differs",
            status=FAULTY,
        )
    click.echo(gettext(N_("✓ {count} claims are what the draw gives"), count=f"{found.claims:,}"))


COMMANDS = (draw,)
