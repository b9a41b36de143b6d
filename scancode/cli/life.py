"""``scancode life``: life of a case, a pallet, a shipment, a lot or ranges of a batch; now or at a set time; what is
still to come, and cancelling it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import click
from sqlalchemy.orm import Session

from batches.codes import Kind, Verifier, batch_of, normalise
from batches.errors import PressError
from scancode.channels import service as channels
from scancode.cli.bars import gettext
from scancode.cli.batches import serial_of, summary_of
from scancode.cli.root import wire
from scancode.cli.staff import find_brand
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.codes.rules import Activate, Change, Deactivate, Recall, Restore, Void, VoidReason
from scancode.codes.typed import RangeForm, code_in, parse_ranges, written
from scancode.errors import NotFound
from scancode.i18n import N_
from scancode.packing.rules import Level, Unit
from scancode.stories import life_orders
from scancode.stories.life_orders import Target, TargetEmpty
from scancode.wiring import Wired

LISTED_MAX = 50
TIMES = ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ"]


@click.group()
def life() -> None:
    """Life of cases, pallets, shipments, lots and ranges; now or at a set time."""


def _targets(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what is meant and when; exactly one of the first four."""
    for option in reversed(
        (
            click.option("--code", help="Code of a case or a pallet: it and all that is in it."),
            click.option("--shipment", help="Number of a shipment: what it carried."),
            click.option("--lot", help="A production lot: all of its batches."),
            click.option("--batch", "number", type=int, help="A batch, or ranges of it."),
            click.option(
                "--range", "ranges", default="all", help="Of the batch: serials as 0-999,1500, codes, or all."
            ),
            click.option("--brand", help="Short name of the brand; a shipment and a lot need it."),
            click.option("--at", type=click.DateTime(TIMES), help="When (UTC), as 2026-11-22T04:00:00Z; else now."),
            click.option("--note", default="", help="Why, for the history."),
            click.option("--yes", is_flag=True, help="Do not ask."),
        )
    ):
        command = option(command)
    return command


@life.command()
@_targets
def activate(note: str, **wish: Any) -> None:
    """Make codes live. Void and recalled ones stay dead."""
    _order(Activate(note), **wish)


@life.command()
@_targets
def deactivate(note: str, **wish: Any) -> None:
    """Take live codes back to inactive."""
    _order(Deactivate(note), **wish)


@life.command()
@_targets
@click.option("--reason", type=click.Choice([reason.value for reason in VoidReason]), required=True, help="Why.")
def void(reason: str, note: str, **wish: Any) -> None:
    """Kill codes, claimed ones too."""
    _order(Void(VoidReason(reason), note), **wish)


@life.command()
@_targets
@click.option("--message-zh", required=True, help="What whoever scans them reads, in Chinese.")
@click.option("--message-en", required=True, help="The same in English.")
def recall(message_zh: str, message_en: str, note: str, **wish: Any) -> None:
    """Put a recall's message on codes, whatever their state."""
    _order(Recall(message_zh, message_en, note), **wish)


@life.command()
@_targets
def restore(note: str, **wish: Any) -> None:
    """Undo a void or a recall; --note says why. A claimed code stays claimed."""
    _order(Restore(note), **wish)


@life.command("list")
@click.option("--brand", help="Of this brand alone.")
def list_(brand: str | None) -> None:
    """List what is still to come, then what was last."""
    wired = wire()
    with wired.db.reading() as session:
        rows = life_orders.list_orders(
            session, brand_id=find_brand(session, brand).id if brand else None, limit=LISTED_MAX
        )
    for row in rows:
        when = row.run_at.astimezone(UTC).strftime(TIMES[0])
        click.echo(f"{row.id}  {row.state:<9}  {when}  {row.verb:<10}  {row.count:>10,}  {row.title}")


@life.command()
@click.argument("order_id", type=click.UUID)
def cancel(order_id: UUID) -> None:
    """Cancel the change ORDER_ID, which is still to come."""
    wired = wire()
    with wired.db.transaction() as session:
        life_orders.cancel(session, order_id=order_id, actor="cli", now=datetime.now(UTC))
    click.echo(gettext(N_("cancelled: the codes stay as they are")))


def _order(what: Change, *, at: datetime | None, yes: bool, **wish: Any) -> None:
    wired, now = wire(), datetime.now(UTC)
    run_at = at.replace(tzinfo=UTC) if at else None
    with wired.db.reading() as session:
        brand_id, target, title = _target(wired, session, **wish)
        if run_at is None:
            seen = life_orders.preview(session, target=target, brand_id=brand_id, what=what, now=now)
            click.echo(summary_of(seen))
    if not yes:
        click.confirm(gettext(N_("Change them?")), abort=True)
    row = wired.db.retrying(
        lambda session: life_orders.order(
            session, brand_id=brand_id, target=target, title=title, what=what, run_at=run_at, actor="cli", now=now
        )
    )
    if run_at is None:
        click.echo(gettext(N_("done: {count} codes"), count=f"{row.count:,}"))
    else:
        click.echo(gettext(N_("{id} will happen at {time}"), id=row.id, time=run_at.strftime(TIMES[0])))


def _target(
    wired: Wired,
    session: Session,
    *,
    code: str | None,
    shipment: str | None,
    lot: str | None,
    number: int | None,
    ranges: str,
    brand: str | None,
) -> tuple[UUID, Target, str]:
    """The brand, what is meant, and how people call it. Raises RangeForm, NotFound, TargetEmpty, …"""
    if [code, shipment, lot, number].count(None) != 3:
        raise click.UsageError(gettext(N_("name exactly one of --code, --shipment, --lot, --batch")))
    if number is not None:
        batch = codes.get_batch(session, number=number)
        verifier = _verifier(wired, batch)
        chosen = parse_ranges(ranges, count=batch.count, read_code=lambda typed: serial_of(verifier, typed))
        return batch.brand_id, Target.ranges(number, chosen), f"{batch.order_no}: {written(chosen)}"
    if code is not None:
        batch, unit = _unit(wired, session, code)
        return batch.brand_id, Target.unit(unit), f"{unit.level.label} {unit.batch}:{unit.serial}"
    if brand is None:
        raise click.UsageError(gettext(N_("a shipment and a lot need --brand")))
    brand_id = find_brand(session, brand).id
    if lot is not None:
        return brand_id, Target.lot(lot), lot
    found = channels.find_shipment(session, brand_id=brand_id, number=shipment or "")
    if found is None:
        raise TargetEmpty
    return brand_id, Target.shipment(found.id), found.number


def _unit(wired: Wired, session: Session, typed: str) -> tuple[Batch, Unit]:
    """Raises RangeForm for what is no code of ours."""
    try:
        text = normalise(code_in(typed))
        batch = codes.get_batch(session, number=batch_of(text))
        parts = _verifier(wired, batch).verify(text)
    except (PressError, NotFound) as error:
        raise RangeForm(typed=typed[:40]) from error
    return batch, Unit(batch.number, Level.of(Kind(parts.kind)), parts.serial)


def _verifier(wired: Wired, batch: Batch) -> Verifier:
    return Verifier(wired.keyring.derive(batch.kid, batch.salt))


COMMANDS = (life,)
