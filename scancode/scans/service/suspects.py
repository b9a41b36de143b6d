"""Codes that look copied: which there are, why, and what a person decides about one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session

from scancode.db import affected, new_id
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.scans.models import Suspicion, SuspicionStep
from scancode.scans.rules import SUSPECT, Sign, Standing
from scancode.staff import service as staff
from scancode.staff.models import Staff

COMMENT_LENGTH_MAX = 300
STEPS_MAX = 50
SETTLEMENTS: Mapping[str, Standing] = MappingProxyType(
    {"confirm": Standing.CONFIRMED, "clear": Standing.CLEARED, "trust": Standing.TRUSTED}
)
"""By verb: what a person may say of a code that was marked."""


class CommentNeeded(Refusal):
    code = "comment_needed"
    text = N_("Write in a few words why, for whoever looks at this code next.")
    status = 422


class SuspicionMoved(Refusal):
    code = "suspicion_moved"
    text = N_("Somebody else has decided about this code meanwhile. Look at it again.")


@dataclass(frozen=True)
class SuspicionFacts:
    """A code that was marked, with what spoke for it when it was marked last."""

    code_id: int
    brand_id: UUID
    product_id: UUID
    batch_number: int
    state: Standing
    signs: tuple[Sign, ...]
    visitors: int
    cities: int
    found_at: datetime
    counted_from: datetime | None

    @property
    def is_suspect(self) -> bool:
        return self.state in SUSPECT


def find_suspicion(session: Session, *, code_id: int) -> SuspicionFacts | None:
    """None for a code that never looked copied."""
    row = session.get(Suspicion, code_id, populate_existing=True)
    return _facts(row) if row else None


def are_suspect(session: Session, *, code_ids: Collection[int]) -> bool:
    """Whether any of these codes is suspect now."""
    query = select(Suspicion.code_id).where(Suspicion.code_id.in_(sorted(code_ids)), Suspicion.state.in_(SUSPECT))
    return session.scalar(query.limit(1)) is not None


def list_suspects(
    session: Session,
    *,
    brand_id: UUID | None,
    states: Collection[Standing] = SUSPECT,
    before: tuple[datetime, int] | None = None,
    limit: int,
) -> list[SuspicionFacts]:
    """The newest first; ``before`` is the moment and the code of the last one of the page before."""
    query = select(Suspicion).where(Suspicion.state.in_([state.value for state in states]))
    if brand_id is not None:
        query = query.where(Suspicion.brand_id == brand_id)
    if before is not None:
        query = query.where(tuple_(Suspicion.found_at, Suspicion.code_id) < tuple_(*before))
    query = query.order_by(Suspicion.found_at.desc(), Suspicion.code_id.desc()).limit(limit)
    return [_facts(row) for row in session.scalars(query)]


def count_suspects(session: Session, *, brand_id: UUID | None) -> int:
    """How many wait for somebody to look."""
    query = select(func.count()).select_from(Suspicion).where(Suspicion.state == Standing.OPEN.value)
    return session.scalar(query if brand_id is None else query.where(Suspicion.brand_id == brand_id)) or 0


def settle_suspicion(
    session: Session,
    *,
    code_id: int,
    verb: str,
    comment: str,
    staff_id: UUID | None = None,
    actor: str,
    now: datetime,
) -> SuspicionFacts:
    """A person looked: ``confirm`` (it stays suspect), ``clear`` (scans count anew) or ``trust`` (never again).

    Raises NotFound, CommentNeeded, SuspicionMoved.
    """
    text, to = comment.strip()[:COMMENT_LENGTH_MAX], SETTLEMENTS[verb]
    found = find_suspicion(session, code_id=code_id)
    if found is None:
        raise NotFound
    if not text:
        raise CommentNeeded
    moved = update(Suspicion).where(
        Suspicion.code_id == code_id, Suspicion.state == found.state.value, Suspicion.state != to.value
    )
    counted_from = now if to is Standing.CLEARED else found.counted_from
    if affected(session, moved.values(state=to.value, counted_from=counted_from)) != 1:
        raise SuspicionMoved
    step = SuspicionStep(
        code_id=code_id,
        id=new_id(now),
        state=to.value,
        signs=",".join(found.signs),
        comment=text,
        actor=actor[:80],
        staff_id=staff_id,
        at=now,
    )
    session.add(step)
    staff.audit(
        session,
        actor=actor,
        brand_id=found.brand_id,
        action=f"suspicion.{verb}",
        subject=f"code:{code_id}",
        facts={"from": found.state.value, "signs": list(found.signs), "visitors": found.visitors},
        now=now,
    )
    after = find_suspicion(session, code_id=code_id)
    assert after is not None
    return after


def steps_of(session: Session, *, code_id: int) -> list[tuple[SuspicionStep, str | None]]:
    """What was decided about a code, the newest first, each with the name of who did."""
    query = (
        select(SuspicionStep, Staff.name)
        .outerjoin(Staff, Staff.id == SuspicionStep.staff_id)
        .where(SuspicionStep.code_id == code_id)
        .order_by(SuspicionStep.id.desc())
        .limit(STEPS_MAX)
    )
    return [(row, name) for row, name in session.execute(query)]


def _facts(row: Suspicion) -> SuspicionFacts:
    return SuspicionFacts(
        code_id=row.code_id,
        brand_id=row.brand_id,
        product_id=row.product_id,
        batch_number=row.batch_number,
        state=Standing(row.state),
        signs=tuple(Sign(sign) for sign in row.signs.split(",") if sign),
        visitors=row.visitors,
        cities=row.cities,
        found_at=row.found_at,
        counted_from=row.counted_from,
    )
