"""The birth of a payout, in the transaction of the claim that earned it: its row and its job.

This is the hot path of a claim, so it is two statements, made once. The row says when the payout was created, so that
is no event; its number is entered in the table of numbers before it is first sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from scancode.db import Sender, affected, insert_many, new_id
from scancode.jobs import service as jobs
from scancode.payouts.models import Payout, PayoutEvent
from scancode.payouts.rules import (
    AMOUNT_MAX_FEN,
    AMOUNT_MIN_FEN,
    AmountNotAllowed,
    PayoutFacts,
    PayoutState,
    number_of,
)

KIND = "payout"
_EVENT = insert(PayoutEvent.__table__)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Order:
    """Money to promise: to whom, for which code, and why."""

    code_id: int
    brand_id: UUID
    campaign_id: UUID | None
    identity_id: UUID | None
    amount_fen: int
    cause: str


def create(
    session: Session,
    *,
    code_id: int,
    brand_id: UUID,
    campaign_id: UUID | None,
    identity_id: UUID | None,
    amount_fen: int,
    cause: str,
    prefix: str,
    now: datetime,
) -> PayoutFacts:
    """Promises the money and, once it is known whom to pay, asks the worker to send it.

    The caller has won the right to it (a claim's row, a guarded UPDATE): there is no payout for this code yet. Raises
    AmountNotAllowed.
    """
    order = Order(code_id, brand_id, campaign_id, identity_id, amount_fen, cause)
    return create_many(session, [order], prefix=prefix, now=now)[0]


def create_many(sender: Sender, orders: Sequence[Order], *, prefix: str, now: datetime) -> list[PayoutFacts]:
    """``create`` for the first attempts of many claims, by two statements. Raises AmountNotAllowed before any."""
    made = [_facts(order, prefix, now) for order in orders]
    rows = [
        {
            "code_id": one.code_id,
            "attempt": one.attempt,
            "out_bill_no": one.out_bill_no,
            "cause": order.cause,
            "brand_id": one.brand_id,
            "campaign_id": one.campaign_id,
            "identity_id": one.identity_id,
            "amount_fen": one.amount_fen,
            "state": one.state.value,
            "created_at": now,
            "changed_at": now,
        }
        for one, order in zip(made, orders, strict=True)
    ]
    insert_many(sender, Payout, rows)
    due = [
        (job_key(one.code_id, one.attempt), {"code_id": one.code_id, "attempt": one.attempt})
        for one in made
        if one.identity_id is not None
    ]
    if due:
        jobs.enqueue_many(sender, kind=KIND, jobs=due, run_at=now, now=now)
    return made


def _facts(order: Order, prefix: str, now: datetime) -> PayoutFacts:
    if not AMOUNT_MIN_FEN <= order.amount_fen <= AMOUNT_MAX_FEN:
        raise AmountNotAllowed(amount_fen=order.amount_fen)
    return PayoutFacts(
        code_id=order.code_id,
        attempt=1,
        out_bill_no=number_of(prefix=prefix, code_id=order.code_id, attempt=1),
        brand_id=order.brand_id,
        campaign_id=order.campaign_id,
        identity_id=order.identity_id,
        amount_fen=order.amount_fen,
        state=PayoutState.CREATED,
        provider_bill_no=None,
        package=None,
        fail_reason=None,
        created_at=now,
        changed_at=now,
    )


def give_identity(session: Session, *, code_id: int, identity_id: UUID, now: datetime) -> bool:
    """The person showed the openid that is to be paid: money that waited for it goes out. True once."""
    waiting = (
        update(Payout)
        .where(
            Payout.code_id == code_id,
            Payout.state == PayoutState.CREATED.value,
            Payout.identity_id.is_(None),
        )
        .values(identity_id=identity_id, changed_at=now)
        .returning(Payout.attempt)
    )
    attempts = session.scalars(waiting).all()
    for attempt in attempts:
        note(session, code_id=code_id, attempt=attempt, state=PayoutState.CREATED, text="identity", now=now)
        ask(session, code_id=code_id, attempt=attempt, now=now)
    return bool(attempts)


def job_key(code_id: int, attempt: int) -> str:
    """The key of the job that works off an attempt."""
    return f"payout:{code_id}:{attempt}"


def ask(session: Session, *, code_id: int, attempt: int, now: datetime, again: bool = False) -> None:
    """Has the worker look at an attempt now; ``again`` also where an earlier job for it has ended."""
    key = job_key(code_id, attempt)
    if again and jobs.requeue(session, key=key, run_at=now, now=now):
        return
    jobs.enqueue(
        session,
        kind=KIND,
        key=key,
        payload={"code_id": code_id, "attempt": attempt},
        run_at=now,
        now=now,
    )


def note(session: Session, *, code_id: int, attempt: int, state: PayoutState, text: str, now: datetime) -> None:
    """Appends to the payout's history. ``text`` holds provider words and codes only, nothing personal."""
    row = {
        "code_id": code_id,
        "id": new_id(now),
        "attempt": attempt,
        "state": state.value,
        "note": text[:120],
        "at": now,
    }
    session.connection().execute(_EVENT, row)


def move(
    session: Session,
    *,
    code_id: int,
    attempt: int,
    old: PayoutState,
    new: PayoutState,
    text: str,
    now: datetime,
    **values: object,
) -> bool:
    """Takes a payout from one state to another if it is still there, with its event. False when it has moved on."""
    guarded = (
        update(Payout)
        .where(Payout.code_id == code_id, Payout.attempt == attempt, Payout.state == old.value)
        .values(state=new.value, changed_at=now, **values)
    )
    if affected(session, guarded) != 1:
        return False
    note(session, code_id=code_id, attempt=attempt, state=new, text=text, now=now)
    return True
