"""Looking payouts up: one code's, one number's, one person's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from scancode.campaigns.models import Campaign
from scancode.errors import NotFound
from scancode.payouts.models import Payout, PayoutEvent, PayoutNumber
from scancode.payouts.rules import OPEN, PayoutFacts, PayoutState

COLUMNS = (
    Payout.code_id,
    Payout.attempt,
    Payout.out_bill_no,
    Payout.brand_id,
    Payout.campaign_id,
    Payout.identity_id,
    Payout.amount_fen,
    Payout.state,
    Payout.provider_bill_no,
    Payout.package,
    Payout.fail_reason,
    Payout.created_at,
    Payout.changed_at,
)
EVENTS_MAX = 100


def facts_of(row: Any) -> PayoutFacts:
    """From a row of ``COLUMNS``."""
    values = {column.key: getattr(row, column.key) for column in COLUMNS}
    return PayoutFacts(**{**values, "state": PayoutState(row.state)})


def find(session: Session, *, code_id: int, attempt: int | None = None) -> PayoutFacts | None:
    """The newest attempt to pay a code's reward, or the one asked for."""
    query = select(*COLUMNS).where(Payout.code_id == code_id).order_by(Payout.attempt.desc()).limit(1)
    if attempt is not None:
        query = query.where(Payout.attempt == attempt)
    row = session.execute(query).one_or_none()
    return facts_of(row) if row else None


def find_newest(session: Session, *, code_ids: Collection[int]) -> dict[int, PayoutFacts]:
    """The newest attempt of each of these codes that has one."""
    if not code_ids:
        return {}
    query = select(*COLUMNS).where(Payout.code_id.in_(code_ids)).order_by(Payout.attempt)
    return {one.code_id: one for one in map(facts_of, session.execute(query))}


def is_held_back(session: Session, *, code_id: int) -> bool:
    """Whether the campaign that it comes from has tripped its breaker: nothing is sent until a person has looked."""
    query = select(Campaign.tripped_at).join(Payout, Payout.campaign_id == Campaign.id)
    return session.scalar(query.where(Payout.code_id == code_id).limit(1)) is not None


def get(session: Session, *, code_id: int, attempt: int | None = None) -> PayoutFacts:
    """The same; raises NotFound."""
    found = find(session, code_id=code_id, attempt=attempt)
    if found is None:
        raise NotFound
    return found


def find_number(session: Session, *, out_bill_no: str) -> tuple[int, int] | None:
    """Code id and attempt of a bill number that is in the book."""
    row = session.execute(
        select(PayoutNumber.code_id, PayoutNumber.attempt).where(PayoutNumber.out_bill_no == out_bill_no)
    ).one_or_none()
    return (row.code_id, row.attempt) if row else None


def placed_since(session: Session, *, since: datetime, after: tuple[int, int], limit: int) -> list[PayoutFacts]:
    """Attempts that were placed with the provider and are open, held or paid since then: a page in the order of code
    and attempt, from after that place."""
    placed = [state.value for state in (OPEN - {PayoutState.CREATED}) | {PayoutState.PAID, PayoutState.QUARANTINED}]
    query = (
        select(*COLUMNS)
        .where(
            tuple_(Payout.code_id, Payout.attempt) > after,
            Payout.state.in_(placed),
            Payout.changed_at >= since,
        )
        .order_by(Payout.code_id, Payout.attempt)
        .limit(limit)
    )
    return [facts_of(row) for row in session.execute(query)]


def of_identities(session: Session, *, identity_ids: Sequence[UUID], limit: int = 50) -> list[PayoutFacts]:
    """What these identities were or are being paid, newest first."""
    if not identity_ids:
        return []
    query = select(*COLUMNS).where(Payout.identity_id.in_(identity_ids)).order_by(Payout.created_at.desc()).limit(limit)
    return [facts_of(row) for row in session.execute(query)]


@dataclass(frozen=True)
class EventFacts:
    """One thing that happened to a payout."""

    attempt: int
    state: PayoutState
    note: str
    at: datetime


def events(session: Session, *, code_id: int) -> list[EventFacts]:
    """Everything that happened to a code's money, oldest first."""
    born = select(Payout.attempt, Payout.created_at).where(Payout.code_id == code_id)
    later = (
        select(PayoutEvent.attempt, PayoutEvent.state, PayoutEvent.note, PayoutEvent.at)
        .where(PayoutEvent.code_id == code_id)
        .order_by(PayoutEvent.at, PayoutEvent.id)
        .limit(EVENTS_MAX)
    )
    found = [EventFacts(row.attempt, PayoutState.CREATED, "", row.created_at) for row in session.execute(born)]
    found += [EventFacts(row.attempt, PayoutState(row.state), row.note, row.at) for row in session.execute(later)]
    # Two steps within one moment stand in the order in which they can follow each other.
    order = list(PayoutState)
    return sorted(found, key=lambda event: (event.at, event.attempt, order.index(event.state)))
