"""What staff see of the money: the queue by state, its totals, and what needs a person."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.orm import Session

from scancode.payouts.authorisation import AuthorisationState
from scancode.payouts.models import Authorisation, Payout
from scancode.payouts.rules import ALERT_DAYS, OPEN, SHORT, STUCK_AFTER, PayoutFacts, PayoutState
from scancode.payouts.service.creating import ask
from scancode.payouts.service.reading import COLUMNS, facts_of

_SHORT = (Payout.state == PayoutState.UNKNOWN.value, Payout.fail_reason == SHORT)
WOKEN_MAX = 500


@dataclass(frozen=True)
class Totals:
    """Attempts and fen of one state."""

    state: PayoutState
    count: int
    amount_fen: int


@dataclass(frozen=True)
class AuthorisationTotals:
    """How many people have agreed to be paid without confirming, are asked, or are ending it; which granted ones the
    provider did not know when it was last asked; and how many ended lately, by the reason that it gave."""

    granted: int = 0
    asked: int = 0
    ending: int = 0
    doubted: int = 0
    ended: tuple[tuple[str, int], ...] = ()

    @property
    def is_nothing(self) -> bool:
        return not (self.granted or self.asked or self.ending or self.doubted or self.ended)


def authorisation_totals(session: Session, *, brand_id: UUID | None, since: datetime) -> AuthorisationTotals:
    """``since`` is from when on ends count."""
    is_ending = Authorisation.closing_at.is_not(None)
    is_open = Authorisation.state.in_([state.value for state in AuthorisationState if state.is_open])
    query = select(Authorisation.state, is_ending, Authorisation.reason, func.count())
    query = query.where(or_(is_open, ~is_open & (Authorisation.ended_at >= since)))
    if brand_id is not None:
        query = query.where(Authorisation.brand_id == brand_id)
    counts, ended = {"granted": 0, "asked": 0, "ending": 0, "doubted": 0}, dict[str, int]()
    for name, ending, reason, count in session.execute(
        query.group_by(Authorisation.state, is_ending, Authorisation.reason)
    ):
        state = AuthorisationState(name)
        if not state.is_open:
            key = state.value if state is AuthorisationState.EXPIRED else reason or state.value
            ended[key] = ended.get(key, 0) + count
        elif ending:
            counts["ending"] += count
        elif state is AuthorisationState.GRANTED and reason:
            counts["doubted"] += count
        else:
            counts[state.value] += count
    by_count = sorted(ended.items(), key=lambda one: (-one[1], one[0]))
    return AuthorisationTotals(**counts, ended=tuple(by_count))


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
    """Payouts that need a person: quarantined, unknown for an hour, or open for so long that the provider will soon
    stop answering."""
    open_states = [state.value for state in OPEN - {PayoutState.CREATED}]
    late = Payout.state.in_(open_states) & (Payout.created_at < now - timedelta(days=ALERT_DAYS))
    stuck = (Payout.state == PayoutState.UNKNOWN.value) & (Payout.changed_at < now - STUCK_AFTER)
    held = Payout.state == PayoutState.QUARANTINED.value
    query = select(*COLUMNS).where(*_of(brand_id, None), or_(held, stuck, late))
    return [facts_of(row) for row in session.execute(query.order_by(Payout.changed_at).limit(limit))]


def short_of_money(session: Session, *, brand_id: UUID | None) -> Totals:
    """What waits until the account that pays is topped up."""
    query = select(func.count(), func.coalesce(func.sum(Payout.amount_fen), 0)).where(*_of(brand_id, None), *_SHORT)
    count, amount_fen = session.execute(query).one()
    return Totals(PayoutState.UNKNOWN, int(count), int(amount_fen))


def wake_short(session: Session, *, available_fen: int, now: datetime) -> int:
    """There is money again: has the worker look at what waited for it, the oldest first, as far as it goes. Returns how
    many."""
    query = select(Payout.code_id, Payout.attempt, Payout.amount_fen).where(*_SHORT)
    woken = 0
    for row in session.execute(query.order_by(Payout.changed_at).limit(WOKEN_MAX)).all():
        available_fen -= row.amount_fen
        if available_fen < 0:
            break
        ask(session, code_id=row.code_id, attempt=row.attempt, now=now, again=True)
        woken += 1
    return woken


def paid_within(
    session: Session, *, brand_id: UUID | None, first: datetime, end: datetime, limit: int
) -> list[PayoutFacts]:
    """What was paid from ``first`` to before ``end``, the oldest first."""
    paid = (Payout.state == PayoutState.PAID.value, Payout.changed_at >= first, Payout.changed_at < end)
    query = select(*COLUMNS).where(*_of(brand_id, None), *paid)
    return [facts_of(row) for row in session.execute(query.order_by(Payout.changed_at, Payout.code_id).limit(limit))]


def _of(brand_id: UUID | None, campaign_id: UUID | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if brand_id is not None:
        wanted.append(Payout.brand_id == brand_id)
    if campaign_id is not None:
        wanted.append(Payout.campaign_id == campaign_id)
    return wanted
