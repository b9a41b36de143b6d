"""Press kits: asked for by one person, made when another approves, for one print house and one range of a batch.

A kit holds the key of its batch, so it is as dangerous as the codes themselves. What limits it: it is sealed for one
recipient, two people stand behind it, and the server activates nothing beyond its range or after its time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from batches.errors import PressError
from batches.kit import Kit
from scancode.catalog import service as catalog
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.codes.orders import unprintable
from scancode.codes.rules import BatchState
from scancode.db import affected, new_id
from scancode.errors import Invalid, NotFound, Refusal
from scancode.handover.models import PressKit, PrintHouse
from scancode.handover.rules import KitState
from scancode.handover.service.sealing import HouseClosed, NoRecipient
from scancode.i18n import N_
from scancode.staff import service as staff
from scancode.staff.models import Staff

KIT_DAYS_MAX = 365
KITS_SHOWN = 100
REASON_LENGTH_MAX = 300


class NotOffline(Refusal):
    code = "kit_not_offline"
    text = N_("A press kit is for a batch that was ordered to be made offline: this one is made here, and only once.")


class KitOverlaps(Refusal):
    code = "kit_overlaps"
    text = N_("There is a press kit for some of these serials already. No code is made twice.")


class KitOtherHouse(Refusal):
    code = "kit_other_house"
    text = N_(
        "Another print house has a press kit of this batch, and so its key. Order a batch of its own for this one."
    )


class KitSamePerson(Refusal):
    code = "kit_same_person"
    text = N_("Whoever asked for the kit cannot decide on it. Ask a colleague who may order codes.")
    status = 403


class KitLate(Refusal):
    code = "kit_late"
    text = N_("The time that this kit was asked for is over. Reject it, and have it asked for anew.")


class KitDecided(Refusal):
    code = "kit_decided"
    text = N_("This press kit was decided on meanwhile. Look at the page again.")


@dataclass(frozen=True)
class KitFacts:
    """A press kit as the console shows it."""

    id: UUID
    batch_number: int
    order_no: str
    house: str
    recipient: str
    """The public key that it is sealed for, as it was when the kit was asked for."""
    first: int
    last: int
    expires_at: datetime
    state: KitState
    asked_at: datetime
    asked_by: UUID | None
    asked_name: str | None
    reason: str


def ask_kit(
    session: Session,
    *,
    number: int,
    house_id: UUID,
    first: int,
    last: int,
    expires_at: datetime,
    staff_id: UUID,
    actor: str,
    now: datetime,
) -> UUID:
    """Asks for a kit. Raises NotFound, NotOffline, HouseClosed, NoRecipient, Invalid, KitOverlaps, KitOtherHouse."""
    # Counting a change of the batch makes two people who ask at once take turns.
    turn = update(Batch).where(Batch.number == number).values(life_changes=Batch.life_changes + 1)
    if affected(session, turn) != 1:
        raise NotFound
    batch = codes.get_batch(session, number=number)
    if not batch.is_offline or batch.state not in (BatchState.ORDERED, BatchState.READY):
        raise NotOffline
    house = session.get(PrintHouse, house_id)
    if house is None or house.brand_id != batch.brand_id or not house.is_active:
        raise HouseClosed
    if not house.recipient:
        raise NoRecipient
    if not 0 <= first <= last < batch.count:
        raise Invalid(field="range", problem=N_("The range does not lie within the batch."))
    if not now < expires_at <= now + timedelta(days=KIT_DAYS_MAX):
        raise Invalid(field="days", problem=N_("Choose 1 to 365 days."))
    kept = (PressKit.batch_number == number, PressKit.state.in_([KitState.WAITING.value, KitState.APPROVED.value]))
    if session.scalar(select(PressKit.id).where(*kept, PressKit.first <= last, PressKit.last >= first).limit(1)):
        raise KitOverlaps
    # A kit holds the key of the whole batch: a second house could make what the first was trusted with.
    if session.scalar(select(PressKit.id).where(*kept, PressKit.house_id != house_id).limit(1)):
        raise KitOtherHouse
    row = PressKit(
        id=new_id(now),
        batch_number=number,
        house_id=house_id,
        recipient=house.recipient,
        first=first,
        last=last,
        expires_at=expires_at,
        state=KitState.WAITING.value,
        asked_at=now,
        asked_by=staff_id,
        reason="",
    )
    session.add(row)
    session.flush()
    _audit(session, "kit.ask", row, actor, now)
    return row.id


def approve_kit(session: Session, *, kit_id: UUID, key: bytes, staff_id: UUID, actor: str, now: datetime) -> None:
    """A second person says yes: the kit is made and sealed. ``key`` is K of the batch.

    Raises NotFound, KitSamePerson, KitDecided, KitLate, BadOrder (the press would refuse it).
    """
    row = _decide(session, kit_id, staff_id, KitState.APPROVED, "", now)
    if now >= row.expires_at:
        raise KitLate
    batch = codes.get_batch(session, number=row.batch_number)
    product = catalog.get_product(session, product_id=batch.product_id)
    draft = codes.draft_of(batch)
    spec = codes.spec_of(batch, product)
    kit = Kit(
        id=str(row.id),
        spec=replace(spec, first=row.first, count=row.last - row.first + 1),
        key=key,
        formats=draft.formats,
        ticket=draft.ticket,
        issued_at=now,
        expires_at=row.expires_at,
    )
    try:
        sealed = kit.seal(row.recipient)
    except PressError as error:
        raise unprintable(error) from error
    affected(session, update(PressKit).where(PressKit.id == kit_id).values(sealed=sealed))
    codes.allow_offline(session, number=batch.number, first=row.first, last=row.last, until=row.expires_at, now=now)
    _audit(session, "kit.approve", row, actor, now)


def reject_kit(session: Session, *, kit_id: UUID, staff_id: UUID, reason: str, actor: str, now: datetime) -> None:
    """A second person says no, and why. Raises NotFound, KitSamePerson, KitDecided, ReasonMissing."""
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_LENGTH_MAX:
        raise codes.ReasonMissing
    row = _decide(session, kit_id, staff_id, KitState.REJECTED, reason, now)
    _audit(session, "kit.reject", row, actor, now)


def withdraw_kit(session: Session, *, kit_id: UUID, staff_id: UUID, actor: str, now: datetime) -> None:
    """Whoever asked takes it back while it waits; its serials are free again. Raises NotFound, KitDecided."""
    row = get_kit(session, kit_id=kit_id)
    if row.asked_by != staff_id:
        raise NotFound
    waiting = update(PressKit).where(PressKit.id == kit_id, PressKit.state == KitState.WAITING.value)
    if affected(session, waiting.values(state=KitState.CANCELLED.value, decided_at=now, decided_by=staff_id)) != 1:
        raise KitDecided
    _audit(session, "kit.withdraw", row, actor, now)


def _decide(session: Session, kit_id: UUID, staff_id: UUID, state: KitState, reason: str, now: datetime) -> PressKit:
    row = get_kit(session, kit_id=kit_id)
    if row.asked_by == staff_id:
        raise KitSamePerson
    values = {"state": state.value, "decided_at": now, "decided_by": staff_id, "reason": reason}
    waiting = update(PressKit).where(PressKit.id == kit_id, PressKit.state == KitState.WAITING.value)
    if affected(session, waiting.values(values)) != 1:
        raise KitDecided
    return row


def get_kit(session: Session, *, kit_id: UUID) -> PressKit:
    """Raises NotFound."""
    row = session.get(PressKit, kit_id, populate_existing=True)
    if row is None:
        raise NotFound
    return row


def fetch_kit(session: Session, *, kit_id: UUID, actor: str, now: datetime) -> bytes:
    """The sealed kit; fetching it is on record. Raises NotFound."""
    row = get_kit(session, kit_id=kit_id)
    if row.sealed is None:
        raise NotFound
    _audit(session, "kit.download", row, actor, now)
    return row.sealed


def list_kits(
    session: Session, *, batch_number: int | None = None, brand_id: UUID | None = None, only_waiting: bool = False
) -> list[KitFacts]:
    """Press kits, the newest first."""
    statement = (
        select(PressKit, Batch.order_no, PrintHouse.name, Staff.name)
        .join(Batch, Batch.number == PressKit.batch_number)
        .join(PrintHouse, PrintHouse.id == PressKit.house_id)
        .outerjoin(Staff, Staff.id == PressKit.asked_by)
        .order_by(PressKit.id.desc())
        .limit(KITS_SHOWN)
    )
    if batch_number is not None:
        statement = statement.where(PressKit.batch_number == batch_number)
    if brand_id is not None:
        statement = statement.where(Batch.brand_id == brand_id)
    if only_waiting:
        statement = statement.where(PressKit.state == KitState.WAITING.value)
    return [
        KitFacts(
            id=row.id,
            batch_number=row.batch_number,
            order_no=order_no,
            house=house,
            recipient=row.recipient,
            first=row.first,
            last=row.last,
            expires_at=row.expires_at,
            state=KitState(row.state),
            asked_at=row.asked_at,
            asked_by=row.asked_by,
            asked_name=name,
            reason=row.reason,
        )
        for row, order_no, house, name in session.execute(statement)
    ]


def count_waiting_kits(session: Session, *, brand_id: UUID | None) -> int:
    statement = select(func.count()).select_from(PressKit).where(PressKit.state == KitState.WAITING.value)
    if brand_id is not None:
        statement = statement.join(Batch, Batch.number == PressKit.batch_number).where(Batch.brand_id == brand_id)
    return session.scalar(statement) or 0


def _audit(session: Session, action: str, row: PressKit, actor: str, now: datetime) -> None:
    staff.audit(
        session,
        actor=actor,
        brand_id=codes.get_batch(session, number=row.batch_number).brand_id,
        action=action,
        subject=f"batch:{row.batch_number}",
        facts={"kit": str(row.id), "first": row.first, "last": row.last, "house": str(row.house_id)},
        now=now,
    )
