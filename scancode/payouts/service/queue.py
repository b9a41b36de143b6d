"""What staff see of the money: the queue by state, its totals, and what needs a person."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.orm import Session

from scancode.payouts.models import Payout
from scancode.payouts.rules import ALERT_DAYS, OPEN, PayoutFacts, PayoutState
from scancode.payouts.service.reading import COLUMNS, facts_of


@dataclass(frozen=True)
class Totals:
    """Attempts and fen of one state."""

    state: PayoutState
    count: int
    amount_fen: int


def totals(session: Session, *, brand_id: UUID | None, campaign_id: UUID | None = None) -> dict[PayoutState, Totals]:
    """Count and sum of every state; states without a payout are there with nought."""
    query = select(Payout.state, func.count(), func.coalesce(func.sum(Payout.amount_fen), 0))
    query = query.where(*_of(brand_id, campaign_id)).group_by(Payout.state)
    found = {state: Totals(state, 0, 0) for state in PayoutState}
    for state, count, amount_fen in session.execute(query):
        found[PayoutState(state)] = Totals(PayoutState(state), int(count), int(amount_fen))
    return found


def list_payouts(
    session: Session,
    *,
    brand_id: UUID | None,
    states: Collection[PayoutState] = (),
    campaign_id: UUID | None = None,
    code_id: int | None = None,
    limit: int = 50,
    after: tuple[datetime, int] | None = None,
) -> list[PayoutFacts]:
    """Attempts by last change, the newest first; ``after``: (changed_at, code_id) of the page before's last row."""
    query = select(*COLUMNS).where(*_of(brand_id, campaign_id))
    if states:
        query = query.where(Payout.state.in_([state.value for state in states]))
    if code_id is not None:
        query = query.where(Payout.code_id == code_id)
    if after is not None:
        query = query.where(tuple_(Payout.changed_at, Payout.code_id) < after)
    query = query.order_by(Payout.changed_at.desc(), Payout.code_id.desc(), Payout.attempt.desc()).limit(limit)
    return [facts_of(row) for row in session.execute(query)]


def neglected(session: Session, *, brand_id: UUID | None, now: datetime, limit: int = 50) -> list[PayoutFacts]:
    """Payouts that need a person: quarantined, or open for so long that the provider will soon stop answering."""
    open_states = [state.value for state in OPEN - {PayoutState.CREATED}]
    late = Payout.state.in_(open_states) & (Payout.created_at < now - timedelta(days=ALERT_DAYS))
    query = select(*COLUMNS).where(*_of(brand_id, None), or_(Payout.state == PayoutState.QUARANTINED.value, late))
    return [facts_of(row) for row in session.execute(query.order_by(Payout.changed_at).limit(limit))]


def _of(brand_id: UUID | None, campaign_id: UUID | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if brand_id is not None:
        wanted.append(Payout.brand_id == brand_id)
    if campaign_id is not None:
        wanted.append(Payout.campaign_id == campaign_id)
    return wanted
