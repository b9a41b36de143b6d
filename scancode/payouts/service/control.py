"""What people do to a payout: look again, cancel, send anew, let a quarantined one go on."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.db import insert_once
from scancode.jobs import service as jobs
from scancode.jobs.rules import JobState
from scancode.payouts.models import Payout, PayoutEvent
from scancode.payouts.rules import (
    ATTEMPT_DIGITS,
    ATTEMPTS_MAX,
    CODE_DIGITS,
    REISSUABLE,
    STOP,
    Contradicted,
    NotCancellable,
    NotReissuable,
    PayoutFacts,
    PayoutsStopped,
    PayoutState,
    TooManyAttempts,
    meaning_of,
    number_of,
)
from scancode.payouts.service.creating import KIND, ask, job_key, move
from scancode.payouts.service.reading import get

DIGITS = CODE_DIGITS + ATTEMPT_DIGITS
LOOK_APART = timedelta(seconds=3)


def retry(session: Session, *, code_id: int, now: datetime) -> PayoutFacts:
    """Has the worker look at the newest attempt now instead of at its next turn. Raises NotFound."""
    payout = get(session, code_id=code_id)
    if not payout.is_final:
        ask(session, code_id=code_id, attempt=payout.attempt, now=now, again=True)
    return payout


def cancel(session: Session, *, code_id: int, now: datetime) -> PayoutFacts:
    """Takes the money back where that is still possible. Raises NotFound, NotCancellable.

    What was never sent is cancelled at once; what waits for the person is cancelled with the provider by the worker.
    """
    payout = get(session, code_id=code_id)
    targets = {
        PayoutState.CREATED: PayoutState.CANCELLED,
        PayoutState.AWAITING_USER: PayoutState.CANCELLING,
    }
    target = targets.get(payout.state)
    if target is None or not move(
        session,
        code_id=code_id,
        attempt=payout.attempt,
        old=payout.state,
        new=target,
        text="asked",
        now=now,
    ):
        raise NotCancellable(state=payout.state.value)
    if target == PayoutState.CANCELLING:
        ask(session, code_id=code_id, attempt=payout.attempt, now=now, again=True)
    return get(session, code_id=code_id, attempt=payout.attempt)


def reissue(session: Session, *, code_id: int, now: datetime) -> PayoutFacts:
    """Promises the same money again under a new number, once a query has said that the last attempt ended unpaid.

    Two people who ask at once make one new attempt. After a restore our book may not know yet how the last one ended,
    so nothing is promised while payouts are stopped. Raises NotFound, PayoutsStopped, NotReissuable, Contradicted,
    TooManyAttempts.
    """
    if jobs.is_stopped(session, STOP) is not None:
        raise PayoutsStopped
    last = get(session, code_id=code_id)
    if last.state not in REISSUABLE:
        raise NotReissuable(state=last.state.value)
    if _may_have_been_paid(session, last):
        raise Contradicted
    if last.attempt >= ATTEMPTS_MAX:
        raise TooManyAttempts
    attempt = last.attempt + 1
    number = number_of(prefix=last.out_bill_no[:-DIGITS], code_id=code_id, attempt=attempt)
    cause = session.scalar(select(Payout.cause).where(Payout.code_id == code_id, Payout.attempt == last.attempt))
    made = insert_once(
        session,
        Payout,
        code_id=code_id,
        attempt=attempt,
        out_bill_no=number,
        cause=cause,
        brand_id=last.brand_id,
        campaign_id=last.campaign_id,
        identity_id=last.identity_id,
        amount_fen=last.amount_fen,
        state=PayoutState.CREATED.value,
        created_at=now,
        changed_at=now,
    )
    if made and last.identity_id is not None:
        ask(session, code_id=code_id, attempt=attempt, now=now)
    return get(session, code_id=code_id, attempt=attempt)


def _may_have_been_paid(session: Session, ended: PayoutFacts) -> bool:
    """Whether the provider has contradicted the end of an attempt, and not merely said that it ended unpaid too."""
    since = (
        PayoutEvent.code_id == ended.code_id,
        PayoutEvent.attempt == ended.attempt,
        PayoutEvent.at >= ended.changed_at,
    )
    said = session.scalars(select(PayoutEvent.note).where(*since, PayoutEvent.state == PayoutState.QUARANTINED.value))
    return any(meaning_of(note.rpartition(" ")[2], None) not in REISSUABLE for note in said)


def recheck(session: Session, *, code_id: int, now: datetime) -> PayoutFacts:
    """Has the worker ask the provider about a quarantined payout; it goes on if nothing is wrong any more.

    A job of its own kind of key, so that only a person's wish leads out of quarantine. Raises NotFound.
    """
    payout = get(session, code_id=code_id)
    if payout.state == PayoutState.QUARANTINED:
        key = f"payout-recheck:{code_id}:{payout.attempt}"
        if not jobs.requeue(session, key=key, run_at=now, now=now):
            payload = {"code_id": code_id, "attempt": payout.attempt, "by_person": True}
            jobs.enqueue(session, kind=KIND, key=key, payload=payload, run_at=now, now=now)
    return payout


def look_sooner(session: Session, *, code_id: int, attempt: int, now: datetime) -> bool:
    """News is likely: the next look at an attempt comes now, unless one was made within the last seconds.

    Nothing about the payout changes by it, and it cannot be used to make the program busy. True if it was moved.
    """
    key = job_key(code_id, attempt)
    job = jobs.find(session, key=key)
    if job is None or job.state != JobState.QUEUED or job.run_at <= now + LOOK_APART:
        return False
    if job.started_at is not None and job.started_at > now - LOOK_APART:
        return False
    return jobs.requeue(session, key=key, run_at=now, now=now)
