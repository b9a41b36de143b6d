"""Works off files of codes: of a change of life a person is told first what it would do, and confirms it; a shipment is
booked at once, all of it or nothing."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from scancode.channels import service as channels
from scancode.channels.rules import ShipmentKind
from scancode.codes import service as codes
from scancode.codes.rules import Range
from scancode.codes.typed import LINES_MAX, TooManyRanges, merge
from scancode.packing import service as packing
from scancode.stories import code_lists, life_orders
from scancode.stories.code_lists import Found, count_lines, levels_of
from scancode.stories.life_orders import Target
from scancode.uploads import service as uploads
from scancode.uploads.rules import UploadState
from scancode.worker.uploads import Attempt

UNITS_AT_ONCE = 200
"""Cases and pallets that are looked into between two looks at whether the shipment is still wanted."""


def preview_life(attempt: Attempt) -> None:
    """Says what the change would do. Raises Refusal, PressError, Cancelled, LeaseLost."""
    wish = json.loads(attempt.row.wish)
    found = _ranges(attempt, wish)
    if found.problems:
        attempt.refuse(found.problems, found.lines)
        return
    with attempt.wired.db.reading() as session:
        told = codes.preview(
            session,
            batch_number=wish["batch"],
            ranges=found.ranges,
            what=life_orders.read_change(wish["verb"], wish["what"]),
            now=attempt.clock(),
        )
    attempt.end({UploadState.RUNNING}, UploadState.READ, rows=found.lines, result=_told(told, found.ranges))


def change_life(attempt: Attempt) -> None:
    """Does what was confirmed; where it would do something else by now, the person is asked again.

    Raises as ``preview_life``.
    """
    wish, expected = json.loads(attempt.row.wish), json.loads(attempt.row.result)["count"]
    found = _ranges(attempt, wish)
    what = life_orders.read_change(wish["verb"], wish["what"])
    run_at = datetime.fromisoformat(wish["run_at"]) if wish["run_at"] else None

    def change(session: Session) -> None:
        now, row = attempt.clock(), attempt.row
        told = codes.preview(session, batch_number=wish["batch"], ranges=found.ranges, what=what, now=now)
        result = _told(told, found.ranges)
        to = UploadState.DONE if told.count == expected else UploadState.READ
        if not uploads.move(session, attempt.id, was={UploadState.CONFIRMED}, to=to, result=result, ended_at=now):
            return
        if to is UploadState.READ:
            return
        order = life_orders.order(
            session,
            brand_id=row.brand_id,
            target=Target.ranges(wish["batch"], found.ranges),
            title=row.name,
            what=what,
            run_at=run_at,
            actor=row.actor,
            staff_id=row.staff_id,
            now=now,
        )
        uploads.move(session, attempt.id, was={to}, to=to, result={**result, "order": str(order.id)})

    attempt.commit(change)


def _ranges(attempt: Attempt, wish: dict[str, Any]) -> Found:
    (path, _), *_ = attempt.files()
    total = count_lines(path)
    with attempt.wired.db.reading() as session:
        key = packing.load_keys(session, brand_id=attempt.row.brand_id, keyring=attempt.wired.keyring)[wish["batch"]]
    found = code_lists.read_ranges(
        path, number=wish["batch"], key=key, on_rows=lambda done: attempt.report(done, total, "reading")
    )
    if len(found.ranges) > LINES_MAX and not found.problems:
        raise TooManyRanges(limit=LINES_MAX)
    return found


def _told(told: codes.Changed, ranges: list[Range]) -> dict[str, Any]:
    left = {state.value: count for state, count in told.left.items() if count}
    return {
        "count": told.count,
        "left": left,
        "ranges": len(ranges),
        "first": list(ranges[0]),
        "last": list(ranges[-1]),
    }


def ship(attempt: Attempt) -> None:
    """Books the shipment. Raises Refusal, PressError, Cancelled, LeaseLost."""
    wish = json.loads(attempt.row.wish)
    (path, _), *_ = attempt.files()
    total = count_lines(path)
    with attempt.wired.db.reading() as session:
        keys = packing.load_keys(session, brand_id=attempt.row.brand_id, keyring=attempt.wired.keyring)
    found = code_lists.read_units(path, keys=keys, on_rows=lambda done: attempt.report(done, total, "reading"))
    if found.problems:
        attempt.refuse(found.problems, found.lines)
        return
    selection: dict[int, tuple[Range, ...]] = {
        int(number): tuple((first, last) for first, last in ranges) for number, ranges in wish["selection"].items()
    }
    for start in range(0, len(found.units), UNITS_AT_ONCE):
        attempt.report(start, len(found.units), "looking into")
        with attempt.wired.db.reading() as session:
            inside = packing.everything(session, units=found.units[start : start + UNITS_AT_ONCE])
        for number, ranges in inside.items():
            selection[number] = merge([*selection.get(number, ()), *ranges])

    def book(session: Session) -> None:
        now, row = attempt.clock(), attempt.row
        # First, so that whoever cancels at this moment waits, and then is told that it is too late.
        if not uploads.move(session, attempt.id, was={UploadState.RUNNING}, to=UploadState.DONE, ended_at=now):
            return
        shipment = channels.ship(
            session,
            brand_id=row.brand_id,
            number=wish["number"],
            channel_id=UUID(wish["channel"]) if wish["channel"] else None,
            store_id=UUID(wish["store"]) if wish["store"] else None,
            selection=selection,
            kind=ShipmentKind(wish["kind"]),
            note=wish["note"],
            move=wish["move"],
            leave_out_dead=wish["leave_out_dead"],
            staff_id=row.staff_id,
            actor=row.actor,
            now=now,
        )
        count = sum(last - first + 1 for ranges in selection.values() for first, last in ranges)
        result = {"shipment": str(shipment.id), "number": shipment.number, "count": count, **levels_of(found.units)}
        uploads.move(session, attempt.id, was={UploadState.DONE}, to=UploadState.DONE, rows=found.lines, result=result)

    attempt.commit(book)
