"""Carrying out events that somebody sent: each becomes a verb of ours, under the name of who sent it, at the moment
when it is carried out. An event is carried out once, whatever document brings it.

The captures of a brand are carried out one after the other, in the order in which they came.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from scancode.catalog.models import Brand
from scancode.codes.keys import Keyring
from scancode.db import affected, insert_once, new_id
from scancode.epcis import captured
from scancode.epcis.captured import Behaviour, Deed
from scancode.epcis.epcs import BadEpc
from scancode.epcis.models import EpcisCapture, EpcisEvent
from scancode.epcis.rules import Event
from scancode.epcis.service.deeds import Doer, EpcUnknown
from scancode.epcis.service.things import Things
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_, translations
from scancode.jobs import service as jobs
from scancode.staff import service as staff

JOB = "capture"
DUE_MAX = 1000


class EventIdTaken(Refusal):
    code = "epcis_event_id"
    text = N_("An event of this eventID was carried out before, and it said something else.")


def ask_capture(
    session: Session,
    *,
    brand_id: UUID,
    document: Any,
    behaviour: Behaviour,
    actor: str,
    staff_id: UUID | None,
    now: datetime,
) -> EpcisCapture:
    """Takes a document in, for the worker. Raises BadDocument, DocumentTooLarge."""
    events = captured.check_envelope(document)
    if behaviour is Behaviour.ROLLBACK:
        for number, event in enumerate(events):
            captured.check_event(event, path=f"$.epcisBody.eventList.{number}")
    row = EpcisCapture(
        id=new_id(now),
        brand_id=brand_id,
        actor=actor,
        staff_id=staff_id,
        behaviour=behaviour.value,
        document=json.dumps(events, ensure_ascii=False),
        event_count=len(events),
        applied=0,
        repeated=0,
        errors="[]",
        created_at=now,
    )
    session.add(row)
    session.flush()
    jobs.enqueue(session, kind=JOB, key=job_key(row.id), payload={"id": str(row.id)}, run_at=now, now=now)
    staff.audit(
        session,
        actor=actor,
        brand_id=brand_id,
        action="epcis.capture",
        subject=f"epcis_capture:{row.id}",
        facts={"events": len(events), "behaviour": behaviour.value},
        now=now,
    )
    return row


def get_capture(session: Session, *, capture_id: UUID, brand_id: UUID | None) -> EpcisCapture:
    """Raises NotFound."""
    row = session.get(EpcisCapture, capture_id, populate_existing=True)
    if row is None or brand_id not in (None, row.brand_id):
        raise NotFound
    return row


def list_captures(
    session: Session, *, brand_id: UUID | None, after: UUID | None = None, limit: int
) -> Sequence[EpcisCapture]:
    """The newest first, of every brand where None is named; ``after`` is the last one of the page before."""
    query = select(EpcisCapture)
    if brand_id is not None:
        query = query.where(EpcisCapture.brand_id == brand_id)
    if after is not None:
        query = query.where(EpcisCapture.id < after)
    return session.scalars(query.order_by(EpcisCapture.id.desc()).limit(limit)).all()


def job_key(capture_id: UUID) -> str:
    return f"{JOB}:{capture_id}"


def state_of(row: EpcisCapture) -> str:
    """``waiting``, ``done``, ``refused`` (nothing was carried out), or ``partly``."""
    if row.finished_at is None:
        return "waiting"
    if row.is_success:
        return "done"
    return "partly" if row.applied else "refused"


def due_captures(session: Session, *, capture_id: UUID) -> list[UUID]:
    """This one and those of the brand that came before it and are not finished, the oldest first."""
    own = get_capture(session, capture_id=capture_id, brand_id=None)
    place = (EpcisCapture.created_at, EpcisCapture.id)
    before = or_(place[0] < own.created_at, and_(place[0] == own.created_at, place[1] <= own.id))
    waiting = (EpcisCapture.brand_id == own.brand_id, EpcisCapture.finished_at.is_(None), before)
    return list(session.scalars(select(EpcisCapture.id).where(*waiting).order_by(*place).limit(DUE_MAX)))


class _Undone(Exception):
    """Leaves nothing of a document that is to be carried out whole."""


@dataclass
class _Outcome:
    applied: int = 0
    repeated: int = 0
    errors: list[dict[str, object]] = field(default_factory=list)

    def refuse(self, number: int, event: Any, refusal: Refusal) -> None:
        named = event.get("eventID") if isinstance(event, dict) else None
        self.errors.append(
            {
                "index": number,
                "eventID": named if isinstance(named, str) else None,
                "code": refusal.code,
                "status": refusal.status,
                **{locale: refusal.sentence(translations(locale).gettext) for locale in ("zh", "en")},
            }
        )


def carry_out(session: Session, *, capture_id: UUID, keyring: Keyring, now: datetime) -> bool:
    """Carries a capture out; False when that was done before. Whatever is wrong with an event stands in ``errors``."""
    won = update(EpcisCapture).where(EpcisCapture.id == capture_id, EpcisCapture.finished_at.is_(None))
    if affected(session, won.values(finished_at=now)) != 1:
        return False
    row = get_capture(session, capture_id=capture_id, brand_id=None)
    outcome = _Outcome()
    things = Things(session, keyring, session.get_one(Brand, row.brand_id))
    doer = Doer(session, things, actor=row.actor, staff_id=row.staff_id)
    try:
        with session.begin_nested():
            for group in _groups(session, row, json.loads(row.document), outcome):
                _carry_out(session, row, doer, group, outcome, now + timedelta(microseconds=outcome.applied))
            if outcome.errors and row.behaviour == Behaviour.ROLLBACK:
                raise _Undone
    except _Undone:
        outcome.applied = 0
    values = {
        "applied": outcome.applied,
        "repeated": outcome.repeated,
        "errors": json.dumps(sorted(outcome.errors, key=lambda error: int(str(error["index"]))), ensure_ascii=False),
        "is_success": not outcome.errors,
        "document": "",
    }
    affected(session, update(EpcisCapture).where(EpcisCapture.id == capture_id).values(values))
    return True


_Group = list[tuple[int, Event, Deed]]


def _groups(session: Session, row: EpcisCapture, events: list[Event], outcome: _Outcome) -> list[_Group]:
    """What there is to do, in the order of time; what cannot be done is refused, what was done before is counted."""
    deeds: _Group = []
    seen: dict[str, str] = {}
    for number, event in enumerate(events):
        try:
            captured.check_event(event, path=f"$.epcisBody.eventList.{number}")
            name, content = captured.id_of(event), captured.digest(event)
            before = seen.get(name) or session.scalar(
                select(EpcisEvent.digest).where(EpcisEvent.brand_id == row.brand_id, EpcisEvent.event_key == _key(name))
            )
            seen[name] = content
            if before is None:
                deeds.append((number, event, captured.read_event(event)))
            elif before == content:
                outcome.repeated += 1
            else:
                raise EventIdTaken
        except Refusal as refusal:
            outcome.refuse(number, event, refusal)
    groups: dict[object, _Group] = {}
    for number, event, deed in sorted(deeds, key=lambda item: (item[2].at, item[0])):
        groups.setdefault(deed.group or number, []).append((number, event, deed))
    return list(groups.values())


def _carry_out(
    session: Session, row: EpcisCapture, doer: Doer, group: _Group, outcome: _Outcome, now: datetime
) -> None:
    """All of a group or nothing of it."""
    try:
        with session.begin_nested():
            doer.do([deed for _, _, deed in group], name=captured.id_of(group[0][1]), now=now)
            for _, event, deed in group:
                _note(session, row, event, deed)
    except (Refusal, BadEpc) as error:
        refusal = error if isinstance(error, Refusal) else EpcUnknown(epc=str(error))
        for number, event, _ in group:
            outcome.refuse(number, event, refusal)
    else:
        outcome.applied += len(group)


def _note(session: Session, row: EpcisCapture, event: Event, deed: Deed) -> None:
    """That it was carried out. Raises EventIdTaken."""
    made = insert_once(
        session,
        EpcisEvent,
        brand_id=row.brand_id,
        event_key=_key(captured.id_of(event)),
        digest=captured.digest(event),
        capture_id=row.id,
        event_at=deed.at,
    )
    if not made:
        raise EventIdTaken


def _key(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
