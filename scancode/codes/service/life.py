"""Changing the life of codes by ranges of serials: one verb, and what it does is a ``Change`` of the rules.

Two people who change one batch at once take turns: the batch's counter is updated first, so the second waits and then
sees what the first has done.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from scancode.catalog import revision
from scancode.codes.models import Batch, LifeEvent, LifeRange
from scancode.codes.ranges import Span
from scancode.codes.rules import (
    BatchState,
    Change,
    Life,
    LifeFacts,
    Plan,
    Range,
    Void,
    plan,
)
from scancode.codes.service.offline import require_kit
from scancode.codes.service.reading import get_batch, load_life
from scancode.codes.typed import LINES_MAX, check_ranges
from scancode.db import affected, new_id
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.staff import service as staff

ROWS_PER_STATEMENT = 500
NOTE_LENGTH_MAX = 300


class BatchNotReady(Refusal):
    code = "batch_not_ready"
    text = N_(
        "Batch {number} is not ready: its codes can be activated, voided or recalled when its files are complete."
    )


@dataclass(frozen=True)
class Changed:
    """What a change did: how many serials it changed, and how many it left alone, by their state."""

    count: int
    left: dict[Life, int]


def change(
    session: Session,
    *,
    batch_number: int,
    ranges: Iterable[Range],
    what: Change,
    actor: str,
    staff_id: UUID | None = None,
    now: datetime,
) -> Changed:
    """Changes ranges of one batch, records it and writes its audit row.

    Raises NotFound, BatchNotReady, NothingToChange, OutsideKit, and what ``check_ranges`` raises.
    """
    turn = update(Batch).where(Batch.number == batch_number).values(life_changes=Batch.life_changes + 1)
    if affected(session, turn) != 1:
        raise NotFound
    batch = get_batch(session, number=batch_number)
    if batch.state != BatchState.READY:
        raise BatchNotReady(number=batch_number)
    wanted = check_ranges(list(ranges), count=batch.count, limit=LINES_MAX)
    require_kit(session, batch=batch, ranges=wanted, what=what, now=now)
    done = plan(_touched(session, batch_number, wanted), wanted, what, now=now)
    _store(session, batch_number, done, now)
    note = what.note.strip()[:NOTE_LENGTH_MAX]
    _record(session, batch_number, done.changed, note=note, staff_id=staff_id, now=now)
    revision.bump(session)
    staff.audit(
        session,
        actor=actor,
        brand_id=batch.brand_id,
        action=f"codes.{what.verb}",
        subject=f"batch:{batch_number}",
        facts=_facts(wanted, what, done),
        now=now,
    )
    return Changed(done.changed_count, done.left)


def preview(session: Session, *, batch_number: int, ranges: Iterable[Range], what: Change, now: datetime) -> Changed:
    """What ``change`` would do now. Raises as it does; changes nothing."""
    batch = get_batch(session, number=batch_number)
    if batch.state != BatchState.READY:
        raise BatchNotReady(number=batch_number)
    wanted = check_ranges(list(ranges), count=batch.count, limit=LINES_MAX)
    require_kit(session, batch=batch, ranges=wanted, what=what, now=now)
    done = plan(_touched(session, batch_number, wanted), wanted, what, now=now)
    return Changed(done.changed_count, done.left)


def _touched(session: Session, batch_number: int, wanted: Sequence[Range]) -> list[Span[LifeFacts]]:
    """The spans that the ranges meet, and their neighbours, with which they may be joined."""
    return load_life(session, batch_number=batch_number, first=wanted[0][0] - 1, last=wanted[-1][1] + 1)


def _store(session: Session, batch_number: int, done: Plan, now: datetime) -> None:
    firsts = [span.first for span in done.removed]
    for start in range(0, len(firsts), ROWS_PER_STATEMENT):
        some = firsts[start : start + ROWS_PER_STATEMENT]
        affected(session, delete(LifeRange).where(LifeRange.batch_number == batch_number, LifeRange.first.in_(some)))
    rows = [
        {
            "batch_number": batch_number,
            "first": span.first,
            "last": span.last,
            "state": span.value.state.value,
            "reason": span.value.reason,
            "message_zh": span.value.message_zh,
            "message_en": span.value.message_en,
            "prior": span.value.prior,
            "changed_at": span.value.changed_at or now,
        }
        for span in done.added
    ]
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        session.execute(insert(LifeRange), rows[start : start + ROWS_PER_STATEMENT])


def _record(
    session: Session,
    batch_number: int,
    changed: Sequence[Span[LifeFacts]],
    *,
    note: str,
    staff_id: UUID | None,
    now: datetime,
) -> None:
    rows = [
        {
            "id": new_id(now),
            "batch_number": batch_number,
            "first": span.first,
            "last": span.last,
            "state": span.value.state.value,
            "was": span.value.prior,
            "reason": span.value.reason,
            "note": note,
            "at": now,
            "staff_id": staff_id,
        }
        for span in changed
    ]
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        session.execute(insert(LifeEvent), rows[start : start + ROWS_PER_STATEMENT])


def _facts(wanted: Sequence[Range], what: Change, done: Plan) -> dict[str, object]:
    named = ", ".join(f"{first}-{last}" for first, last in wanted[:20]) + (" …" if len(wanted) > 20 else "")
    facts: dict[str, object] = {"ranges": named, "count": done.changed_count}
    if isinstance(what, Void):
        facts["reason"] = what.reason.value
    return facts
