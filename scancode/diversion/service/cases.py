"""Cases of diversion: which wait, what they rest on, and what somebody does about one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_, update
from sqlalchemy.orm import Session

from scancode.channels.models import Channel, Shipment, Store
from scancode.db import affected
from scancode.diversion.models import DiversionCase, DiversionNote, DiversionScan
from scancode.diversion.rules import CLOSED, WAITING, CaseMoved, CaseState, NoteMissing
from scancode.errors import NotFound
from scancode.staff import service as staff

NOTE_LENGTH_MAX = 1000
SCANS_SHOWN = 200
STEPS: dict[str, tuple[tuple[CaseState, ...], CaseState | None]] = {
    "take": ((CaseState.OPEN,), CaseState.WORKING),
    "note": (tuple(CaseState), None),
    "confirm": (WAITING, CaseState.CONFIRMED),
    "explain": (WAITING, CaseState.EXPLAINED),
    "reopen": (CLOSED, CaseState.WORKING),
}
"""By verb: from which states, and to which (None: it stays)."""


@dataclass(frozen=True)
class CaseFacts:
    """A case with the names that people know."""

    case: DiversionCase
    shipment_number: str
    channel_name: str
    store_name: str

    @property
    def is_closed(self) -> bool:
        return self.case.state in CLOSED

    @property
    def share_percent(self) -> int:
        return round(100 * self.case.items / self.case.scanned) if self.case.scanned else 100


def list_cases(
    session: Session,
    *,
    brand_id: UUID | None,
    states: Collection[CaseState],
    before: tuple[datetime, UUID] | None = None,
    limit: int,
) -> list[CaseFacts]:
    """The newest first."""
    query = _with_names().where(DiversionCase.state.in_([state.value for state in states]))
    if brand_id is not None:
        query = query.where(DiversionCase.brand_id == brand_id)
    if before is not None:
        query = query.where(tuple_(DiversionCase.opened_at, DiversionCase.id) < tuple_(*before))
    rows = session.execute(query.order_by(DiversionCase.opened_at.desc(), DiversionCase.id.desc()).limit(limit))
    return [CaseFacts(case, number, channel, store or "") for case, number, channel, store in rows]


def get_case(session: Session, *, case_id: UUID) -> CaseFacts:
    """Raises NotFound."""
    row = session.execute(_with_names().where(DiversionCase.id == case_id)).one_or_none()
    if row is None:
        raise NotFound
    case, number, channel, store = row
    return CaseFacts(case, number, channel, store or "")


def count_cases(session: Session, *, brand_id: UUID | None) -> int:
    """How many wait for somebody to take them."""
    query = select(func.count()).select_from(DiversionCase).where(DiversionCase.state == CaseState.OPEN.value)
    return session.scalar(query if brand_id is None else query.where(DiversionCase.brand_id == brand_id)) or 0


def case_scans(session: Session, *, case_id: UUID, limit: int = SCANS_SHOWN) -> list[DiversionScan]:
    """What it rests on, the newest first."""
    query = select(DiversionScan).where(DiversionScan.case_id == case_id)
    return list(session.scalars(query.order_by(DiversionScan.scanned_at.desc()).limit(limit)))


def regions_of_case(session: Session, *, case_id: UUID) -> list[tuple[int, int]]:
    """Place and number of scans, the most first."""
    query = (
        select(DiversionScan.region, func.count())
        .where(DiversionScan.case_id == case_id)
        .group_by(DiversionScan.region)
        .order_by(func.count().desc(), DiversionScan.region)
    )
    return [(region, count) for region, count in session.execute(query)]


def notes_of(session: Session, *, case_id: UUID) -> list[tuple[DiversionNote, str | None]]:
    """What was done, the oldest first, each with the name of who did."""
    return staff.notes_about(session, DiversionNote, about_id=case_id)


def work_on(
    session: Session, *, case_id: UUID, verb: str, text: str, staff_id: UUID | None = None, actor: str, now: datetime
) -> None:
    """One step of ``STEPS``; all but taking and opening again need words. Raises NotFound, NoteMissing, CaseMoved."""
    found, words = get_case(session, case_id=case_id), text.strip()[:NOTE_LENGTH_MAX]
    if not words and verb not in ("take", "reopen"):
        raise NoteMissing
    was, to = STEPS[verb]
    moved = update(DiversionCase).where(
        DiversionCase.id == case_id, DiversionCase.state.in_([state.value for state in was])
    )
    # ``changed_at`` is when it was moved: what surfaced before a mere note is news all the same.
    values = {"state": to.value, "staff_id": staff_id, "changed_at": now} if to else {"state": DiversionCase.state}
    if affected(session, moved.values(values)) != 1:
        raise CaseMoved
    staff.note(session, DiversionNote, about_id=case_id, step=verb, text=words, staff_id=staff_id, actor=actor, now=now)
    staff.audit(
        session,
        actor=actor,
        brand_id=found.case.brand_id,
        action=f"diversion.{verb}",
        subject=f"diversion:{case_id}",
        facts={"from": found.case.state},
        now=now,
    )


def _with_names() -> Select[*tuple[Any, ...]]:
    return (
        select(DiversionCase, Shipment.number, Channel.name, Store.name)
        .join(Shipment, Shipment.id == DiversionCase.shipment_id)
        .join(Channel, Channel.id == DiversionCase.channel_id)
        .outerjoin(Store, Store.id == DiversionCase.store_id)
        .execution_options(populate_existing=True)
    )
