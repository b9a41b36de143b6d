"""Large orders wait for a second person: somebody other than who ordered approves them, or rejects them with a reason.

The limit counts what one person has ordered for a brand within a day, so that a large order cut into small ones waits
as well. A brand may have terms of its own; else the installation's settings hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from scancode.catalog import revision
from scancode.catalog.models import Product
from scancode.codes.models import Batch, BrandTerms, OrderApproval
from scancode.codes.rules import BatchState
from scancode.codes.service.reading import BatchRow, get_batch
from scancode.db import affected, insert_once
from scancode.errors import Invalid, Refusal
from scancode.i18n import N_
from scancode.jobs import service as jobs
from scancode.staff import service as staff
from scancode.staff.models import Staff

ORDER_LIMIT = 1_000_000
"""Where neither the brand nor a setting says otherwise."""
LATELY = timedelta(hours=24)
REASON_LENGTH_MAX = 300
WAITING_SHOWN = 200
_DEAD = [BatchState.CANCELLED.value, BatchState.REJECTED.value, BatchState.FAILED.value]


class SamePerson(Refusal):
    code = "approval_same_person"
    text = N_("Whoever ordered cannot approve or reject the order. Ask a colleague who may order codes.")
    status = 403


class OrdererUnknown(Refusal):
    code = "approval_orderer"
    text = N_("A large order names the person who orders, so that somebody else can approve it.")
    status = 422


class ReasonMissing(Refusal):
    code = "approval_reason"
    text = N_("Say why, in up to 300 characters: whoever ordered will read it.")
    status = 422


class NotWaiting(Refusal):
    """Facts: ``number``, ``state``."""

    code = "approval_over"
    text = N_("Order {number} does not wait for anybody any more. Look at its page again.")


@dataclass(frozen=True)
class ApprovalFacts:
    """What became of a large order. ``is_approved`` is None while it waits."""

    limit: int
    asked_at: datetime
    is_approved: bool | None
    decided_at: datetime | None
    decided_by: str | None
    reason: str


def mint_key(number: int) -> str:
    """The key of the job that mints a batch."""
    return f"mint:{number}"


def release(session: Session, *, batch: Batch, now: datetime) -> None:
    """Hands an order to the press. What is made offline waits for its press kit instead."""
    if not batch.is_offline:
        payload = {"number": batch.number}
        jobs.enqueue(session, kind="mint", key=mint_key(batch.number), payload=payload, run_at=now, now=now)


def limit_for(session: Session, *, brand_id: UUID, otherwise: int) -> int:
    """How many items one person may have made in a day without asking anybody."""
    own = session.scalar(select(BrandTerms.order_limit).where(BrandTerms.brand_id == brand_id))
    return otherwise if own is None else own


def ordered_lately(session: Session, *, brand_id: UUID, staff_id: UUID | None, now: datetime) -> int:
    """How many items this person (None: the command line) has ordered for the brand within a day."""
    who = Batch.ordered_by.is_(None) if staff_id is None else Batch.ordered_by == staff_id
    statement = select(func.sum(Batch.count)).where(
        Batch.brand_id == brand_id, who, Batch.ordered_at > now - LATELY, Batch.state.not_in(_DEAD)
    )
    return int(session.scalar(statement) or 0)


def waits(
    session: Session, *, brand_id: UUID, staff_id: UUID | None, count: int, otherwise: int, now: datetime
) -> tuple[bool, int]:
    """Whether an order of so many items would wait for a second person, and the limit that says so."""
    limit = limit_for(session, brand_id=brand_id, otherwise=otherwise)
    return count + ordered_lately(session, brand_id=brand_id, staff_id=staff_id, now=now) > limit, limit


def ask(session: Session, *, number: int, limit: int, now: datetime) -> None:
    insert_once(session, OrderApproval, batch_number=number, limit_count=limit, asked_at=now, reason="")


def approve(session: Session, *, number: int, staff_id: UUID, actor: str, now: datetime) -> list[int]:
    """A second person says yes: the order goes to the press, all batches of it. Returns their numbers.

    Raises NotFound, SamePerson, OrdererUnknown, NotWaiting.
    """
    decided = _decide(session, number, staff_id, is_approved=True, reason="", now=now)
    for each in decided:
        batch = get_batch(session, number=each)
        release(session, batch=batch, now=now)
        _audit(session, "batch.approve", batch, {}, actor, now)
    return decided


def reject(session: Session, *, number: int, staff_id: UUID, reason: str, actor: str, now: datetime) -> list[int]:
    """A second person says no to the whole order, and why. Returns the numbers of its batches.

    Raises NotFound, SamePerson, NotWaiting, ReasonMissing.
    """
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_LENGTH_MAX:
        raise ReasonMissing
    decided = _decide(session, number, staff_id, is_approved=False, reason=reason, now=now)
    for each in decided:
        batch = get_batch(session, number=each)
        _audit(session, "batch.reject", batch, {"reason_length": len(reason)}, actor, now)
    return decided


def _decide(
    session: Session, number: int, staff_id: UUID, *, is_approved: bool, reason: str, now: datetime
) -> list[int]:
    """One answer for all batches of the order that wait, in the order of their numbers."""
    batch = get_batch(session, number=number)
    if batch.ordered_by == staff_id:
        raise SamePerson
    if is_approved and batch.ordered_by is None and batch.state == BatchState.WAITING:
        raise OrdererUnknown
    to = BatchState.ORDERED if is_approved else BatchState.REJECTED
    moved = []
    for each in sorted({number, *waiting_parts(session, batch=batch)}):
        moving = update(Batch).where(Batch.number == each, Batch.state == BatchState.WAITING.value)
        if affected(session, moving.values(state=to.value)) == 1:
            moved.append(each)
    if number not in moved:
        raise NotWaiting(number=number, state=batch.state)
    decision = {"is_approved": is_approved, "decided_at": now, "decided_by": staff_id, "reason": reason}
    affected(session, update(OrderApproval).where(OrderApproval.batch_number.in_(moved)).values(decision))
    revision.bump(session)
    return moved


def waiting_parts(session: Session, *, batch: Batch) -> list[int]:
    """The batches of the same order that wait."""
    same = (Batch.brand_id == batch.brand_id, Batch.order_no == batch.order_no)
    query = select(Batch.number).where(*same, Batch.state == BatchState.WAITING.value).order_by(Batch.part)
    return list(session.scalars(query))


def _audit(session: Session, action: str, batch: Batch, facts: dict[str, object], actor: str, now: datetime) -> None:
    staff.audit(
        session,
        actor=actor,
        brand_id=batch.brand_id,
        action=action,
        subject=f"batch:{batch.number}",
        facts={"count": batch.count, **facts},
        now=now,
    )


def find_approval(session: Session, *, number: int) -> ApprovalFacts | None:
    """None for an order that never had to wait."""
    statement = (
        select(OrderApproval, Staff.name)
        .outerjoin(Staff, Staff.id == OrderApproval.decided_by)
        .where(OrderApproval.batch_number == number)
        .execution_options(populate_existing=True)
    )
    found = session.execute(statement).one_or_none()
    if found is None:
        return None
    row, name = found
    return ApprovalFacts(row.limit_count, row.asked_at, row.is_approved, row.decided_at, name, row.reason)


@dataclass(frozen=True)
class WaitingOrder:
    """An order that waits, as one line: the first of its batches, who ordered, and how much it comes to."""

    row: BatchRow
    orderer: str | None
    batches: int
    count: int


def list_waiting(session: Session, *, brand_id: UUID | None) -> list[WaitingOrder]:
    """The orders that wait, the longest first."""
    statement = (
        select(Batch, Product.gtin, Product.name_zh, Product.name_en, Staff.name)
        .join(Product, Product.id == Batch.product_id)
        .outerjoin(Staff, Staff.id == Batch.ordered_by)
        .where(Batch.state == BatchState.WAITING.value)
        .order_by(Batch.ordered_at, Batch.order_no, Batch.part)
        .limit(WAITING_SHOWN)
    )
    if brand_id is not None:
        statement = statement.where(Batch.brand_id == brand_id)
    found: dict[tuple[UUID, str], WaitingOrder] = {}
    for batch, *product, name in session.execute(statement):
        key = (batch.brand_id, batch.order_no)
        known = found.get(key) or WaitingOrder(BatchRow(batch, *product), name, 0, 0)
        found[key] = replace(known, batches=known.batches + 1, count=known.count + batch.count)
    return list(found.values())


def count_waiting(session: Session, *, brand_id: UUID | None) -> int:
    """How many orders wait."""
    orders = select(Batch.brand_id, Batch.order_no).where(Batch.state == BatchState.WAITING.value).distinct()
    if brand_id is not None:
        orders = orders.where(Batch.brand_id == brand_id)
    return session.scalar(select(func.count()).select_from(orders.subquery())) or 0


def find_terms(session: Session, *, brand_id: UUID) -> BrandTerms | None:
    return session.get(BrandTerms, brand_id)


def set_terms(
    session: Session,
    *,
    brand_id: UUID,
    order_limit: int | None,
    pack_days: int | None,
    download_days: int | None,
    activate_days: int | None,
    actor: str,
    now: datetime,
) -> None:
    """What the brand wants otherwise than the settings say; None is the setting. Raises Invalid."""
    values = {
        "order_limit": order_limit,
        "pack_days": pack_days,
        "download_days": download_days,
        "activate_days": activate_days,
    }
    for name, value in values.items():
        least = 0 if name == "order_limit" else 1
        if value is not None and not least <= value <= (1 << 25 if name == "order_limit" else 3650):
            raise Invalid(field=name, problem=N_("This number is too small or too large."))
    if not insert_once(session, BrandTerms, brand_id=brand_id, changed_at=now, **values):
        affected(
            session, update(BrandTerms).where(BrandTerms.brand_id == brand_id).values(values | {"changed_at": now})
        )
    staff.audit(
        session,
        actor=actor,
        brand_id=brand_id,
        action="brand.set_terms",
        subject=f"brand:{brand_id}",
        facts=values,
        now=now,
    )
