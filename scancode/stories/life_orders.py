"""Changing the life of what is named otherwise than by serials: a case, a pallet, a shipment, a production lot; now, or
at a set time by the worker.

A case or a shipment means what is in it when the change happens, not when it was ordered. An order is carried out once:
its row is won by a guarded UPDATE in the transaction that changes the codes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.codes import service as codes
from scancode.codes.models import Batch, BatchState, LifeOrder
from scancode.codes.rules import Activate, Change, Deactivate, Life, Range, Recall, Restore, Void, VoidReason
from scancode.codes.typed import LINES_MAX, check_ranges, merge
from scancode.db import affected, new_id
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.jobs import service as jobs
from scancode.packing import service as packing
from scancode.packing.rules import Unit
from scancode.packing.rules import select as selected
from scancode.staff import service as staff

JOB = "life"
BATCHES_MAX = 200
CHANGES: tuple[type[Change], ...] = (Activate, Deactivate, Void, Recall, Restore)
Selection = dict[int, tuple[Range, ...]]


class OrderState(StrEnum):
    SCHEDULED = "scheduled"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TargetKind(StrEnum):
    RANGES = "ranges"
    UNIT = "unit"
    SHIPMENT = "shipment"
    LOT = "lot"


class TargetEmpty(Refusal):
    code = "target_empty"
    text = N_("There is nothing in it, or no such lot or shipment of this brand.")
    status = 422


class TooManyBatches(Refusal):
    code = "too_many_batches"
    text = N_("This concerns more than {limit} batches. Change them one after the other.")
    status = 422


class OrderMoved(Refusal):
    code = "life_order_state"
    text = N_("This change is over: it was carried out, failed or was cancelled before.")


class TimePast(Refusal):
    code = "time_past"
    text = N_("This time is over already. Leave it empty to change the codes now.")
    status = 422


@dataclass(frozen=True)
class Target:
    """What a change is for. ``value``: ``batch`` and ``ranges``; ``unit``; ``shipment``; or ``lot``."""

    kind: TargetKind
    value: Mapping[str, Any]

    @classmethod
    def ranges(cls, batch: int, ranges: Sequence[Range]) -> Target:
        return cls(TargetKind.RANGES, {"batch": batch, "ranges": [list(one) for one in ranges]})

    @classmethod
    def unit(cls, unit: Unit) -> Target:
        return cls(TargetKind.UNIT, {"unit": unit.id})

    @classmethod
    def shipment(cls, shipment_id: UUID) -> Target:
        return cls(TargetKind.SHIPMENT, {"shipment": str(shipment_id)})

    @classmethod
    def lot(cls, lot: str) -> Target:
        return cls(TargetKind.LOT, {"lot": lot})


def selection_of(session: Session, *, target: Target, brand_id: UUID) -> Selection:
    """The serials by batch that a target means now.

    Raises TargetEmpty, TooManyBatches, NotFound, and what ``check_ranges`` raises.
    """
    value = target.value
    found: Selection = {}
    if target.kind is TargetKind.RANGES:
        batch = codes.get_batch(session, number=int(value["batch"]), brand_id=brand_id)
        named = [(int(first), int(last)) for first, last in value["ranges"]]
        found = {batch.number: check_ranges(named, count=batch.count, limit=LINES_MAX)}
    elif target.kind is TargetKind.UNIT:
        unit = Unit.of(int(value["unit"]))
        codes.get_batch(session, number=unit.batch, brand_id=brand_id)
        inside = packing.contents(session, parent=unit).all
        found = packing.serials(session, selection={**inside, **selected([unit])})
    elif target.kind is TargetKind.SHIPMENT:
        shipment = channels.get_shipment(session, shipment_id=UUID(value["shipment"]))
        if shipment.brand_id != brand_id:
            raise NotFound
        lines = channels.lines_of_shipment(session, shipment_id=shipment.id)
        for line in lines:
            found[line.batch_number] = merge([*found.get(line.batch_number, ()), (line.first, line.last)])
    else:
        ready = [BatchState.READY.value]
        query = select(Batch.number, Batch.count).where(
            Batch.brand_id == brand_id, Batch.lot == value["lot"], Batch.state.in_(ready), Batch.lot != ""
        )
        found = {number: ((0, count - 1),) for number, count in session.execute(query.limit(BATCHES_MAX + 1))}
    if not found:
        raise TargetEmpty
    if len(found) > BATCHES_MAX:
        raise TooManyBatches(limit=BATCHES_MAX)
    return dict(sorted(found.items()))


def preview(session: Session, *, target: Target, brand_id: UUID, what: Change, now: datetime) -> codes.Changed:
    """What the change would do now. Raises as ``selection_of`` and ``codes.preview``."""
    return _each(selection_of(session, target=target, brand_id=brand_id), lambda number, ranges: codes.preview(
        session, batch_number=number, ranges=ranges, what=what, now=now
    ))  # fmt: skip


def _each(selection: Selection, change: Any) -> codes.Changed:
    """Changes batch after batch; those in which nothing fits are left. Raises NothingToChange where none fits."""
    count, left, refused = 0, dict.fromkeys(Life, 0), None
    for number, ranges in selection.items():
        try:
            done = change(number, ranges)
        except codes.NothingToChange as refusal:
            refused = refusal
            continue
        count += done.count
        for state, serials in done.left.items():
            left[state] += serials
    if not count and refused is not None:
        raise refused
    return codes.Changed(count, left)


def order(
    session: Session,
    *,
    brand_id: UUID,
    target: Target,
    title: str,
    what: Change,
    run_at: datetime | None = None,
    actor: str,
    staff_id: UUID | None = None,
    now: datetime,
) -> LifeOrder:
    """Changes the codes now, or has the worker do so at ``run_at``. Raises as ``preview``, and TimePast."""
    selection_of(session, target=target, brand_id=brand_id)
    if run_at is not None and run_at <= now:
        raise TimePast
    row = LifeOrder(
        id=new_id(now),
        brand_id=brand_id,
        verb=what.verb,
        what=json.dumps(asdict(what), ensure_ascii=False),
        target=json.dumps({"kind": target.kind.value, **target.value}),
        title=title[:200],
        state=OrderState.SCHEDULED.value,
        run_at=run_at or now,
        ordered_at=now,
        staff_id=staff_id,
    )
    session.add(row)
    session.flush()
    if run_at is None:
        carry_out(session, order_id=row.id, now=now, actor=actor)
        session.refresh(row)
        return row
    jobs.enqueue(session, kind=JOB, key=job_key(row.id), payload={"id": str(row.id)}, run_at=run_at, now=now)
    facts: dict[str, object] = {"verb": what.verb, "title": row.title, "run_at": run_at.isoformat()}
    _audit(session, row, "codes.schedule", facts, actor, now)
    return row


def foresee(session: Session, *, order_id: UUID, now: datetime) -> int:
    """How many codes an order that is still to come would change now. Raises as ``preview``."""
    row = get_order(session, order_id=order_id)
    if row.state != OrderState.SCHEDULED:
        return row.count
    what, target = read_change(row.verb, json.loads(row.what)), read_target(json.loads(row.target))
    return preview(session, target=target, brand_id=row.brand_id, what=what, now=now).count


def carry_out(session: Session, *, order_id: UUID, now: datetime, actor: str | None = None) -> codes.Changed | None:
    """Does it. None when it was done, or cancelled, before. Raises as ``preview``."""
    won = update(LifeOrder).where(LifeOrder.id == order_id, LifeOrder.state == OrderState.SCHEDULED.value)
    if affected(session, won.values(state=OrderState.DONE.value, ended_at=now)) != 1:
        return None
    row = get_order(session, order_id=order_id)
    what, target = read_change(row.verb, json.loads(row.what)), read_target(json.loads(row.target))
    who = actor or (f"staff:{row.staff_id}" if row.staff_id else "worker")
    done = _each(selection_of(session, target=target, brand_id=row.brand_id), lambda number, ranges: codes.change(
        session, batch_number=number, ranges=ranges, what=what, actor=who, staff_id=row.staff_id, now=now
    ))  # fmt: skip
    affected(session, update(LifeOrder).where(LifeOrder.id == order_id).values(count=done.count))
    return done


def fail(session: Session, *, order_id: UUID, problem: str, now: datetime) -> None:
    """It could not be done; a person reads why."""
    lost = update(LifeOrder).where(LifeOrder.id == order_id, LifeOrder.state == OrderState.SCHEDULED.value)
    affected(session, lost.values(state=OrderState.FAILED.value, problem=problem[:500], ended_at=now))


def cancel(session: Session, *, order_id: UUID, actor: str, now: datetime) -> None:
    """Takes a change back that is still to come. Raises NotFound, OrderMoved."""
    row = get_order(session, order_id=order_id)
    won = update(LifeOrder).where(LifeOrder.id == order_id, LifeOrder.state == OrderState.SCHEDULED.value)
    if affected(session, won.values(state=OrderState.CANCELLED.value, ended_at=now)) != 1:
        raise OrderMoved
    _audit(session, row, "codes.unschedule", {"verb": row.verb}, actor, now)


def get_order(session: Session, *, order_id: UUID) -> LifeOrder:
    row = session.get(LifeOrder, order_id, populate_existing=True)
    if row is None:
        raise NotFound
    return row


def list_orders(session: Session, *, brand_id: UUID | None, limit: int = 50, offset: int = 0) -> Sequence[LifeOrder]:
    """What is still to come first, then what was last."""
    query = select(LifeOrder)
    if brand_id is not None:
        query = query.where(LifeOrder.brand_id == brand_id)
    is_over = LifeOrder.state != OrderState.SCHEDULED.value
    return session.scalars(query.order_by(is_over, LifeOrder.run_at.desc()).limit(limit).offset(offset)).all()


def page_of_orders(
    session: Session, *, brand_id: UUID | None, state: OrderState | None, after: UUID | None, limit: int
) -> Sequence[LifeOrder]:
    """The newest first; ``after`` is the id of the last one of the page before."""
    query = select(LifeOrder).order_by(LifeOrder.id.desc()).limit(limit)
    for condition in (
        LifeOrder.brand_id == brand_id if brand_id is not None else None,
        LifeOrder.state == state.value if state is not None else None,
        LifeOrder.id < after if after is not None else None,
    ):
        if condition is not None:
            query = query.where(condition)
    return session.scalars(query).all()


def job_key(order_id: UUID) -> str:
    return f"life:{order_id}"


def read_change(verb: str, facts: Mapping[str, Any]) -> Change:
    """The change that was kept as JSON."""
    kind = next(kind for kind in CHANGES if kind.verb == verb)
    known = {field.name for field in fields(kind)}
    values = {name: value for name, value in facts.items() if name in known}
    if "reason" in values:
        values["reason"] = VoidReason(values["reason"])
    return kind(**values)


def read_target(facts: Mapping[str, Any]) -> Target:
    return Target(TargetKind(facts["kind"]), {name: value for name, value in facts.items() if name != "kind"})


def _audit(session: Session, row: LifeOrder, action: str, facts: dict[str, object], actor: str, now: datetime) -> None:
    subject = f"life_order:{row.id}"
    staff.audit(session, actor=actor, brand_id=row.brand_id, action=action, subject=subject, facts=facts, now=now)
