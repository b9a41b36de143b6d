"""What follows from what the provider said of a bill, in the transaction after the call: sender, poller and callback
share ``apply_state``. ``preparing`` is the one before it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scancode.db import affected, insert_once
from scancode.errors import NotFound
from scancode.members import service as members
from scancode.payouts.models import Payout, PayoutEvent, PayoutNumber
from scancode.payouts.rules import (
    AMOUNT_MAX_FEN,
    AMOUNT_MIN_FEN,
    Decision,
    Heard,
    Outcome,
    PayoutFacts,
    PayoutState,
    Source,
    decide,
    is_lost,
    meaning_of,
    release,
)
from scancode.payouts.service.creating import move, note
from scancode.payouts.service.preparing import find_stored
from scancode.payouts.service.reading import COLUMNS, facts_of, get
from scancode.ports import BillState
from scancode.sealing import Sealer

TRIES = 5
REASON_MAX = 80
LOST = "query: bill_lost"
log = structlog.get_logger(__name__)


def mark_unknown(session: Session, *, code_id: int, attempt: int, reason: str, now: datetime) -> None:
    """A send brought no answer that can be trusted: only a query leads on from here. The last reason is kept."""
    moved = move(
        session,
        code_id=code_id,
        attempt=attempt,
        old=PayoutState.SENDING,
        new=PayoutState.UNKNOWN,
        text=f"send: {reason}",
        now=now,
        fail_reason=reason[:REASON_MAX],
    )
    if not moved:
        place = (Payout.code_id == code_id, Payout.attempt == attempt, Payout.state == PayoutState.UNKNOWN.value)
        affected(session, update(Payout).where(*place).values(fail_reason=reason[:REASON_MAX]))


def apply_absence(session: Session, *, payout: PayoutFacts, now: datetime) -> PayoutFacts:
    """Does what follows when the provider does not know the number of ``payout``, as it was before the query.

    A bill that it had confirmed is quarantined, one that is being cancelled only after a day. Raises NotFound.
    """
    if is_lost(state=payout.state, changed_at=payout.changed_at, now=now) and move(
        session,
        code_id=payout.code_id,
        attempt=payout.attempt,
        old=payout.state,
        new=PayoutState.QUARANTINED,
        text=LOST,
        fail_reason=LOST,
        now=now,
    ):
        log.error("payout_quarantined", out_bill_no=payout.out_bill_no, why=LOST)
    return get(session, code_id=payout.code_id, attempt=payout.attempt)


def apply_state(
    session: Session,
    *,
    code_id: int,
    attempt: int,
    bill: BillState,
    source: Source,
    sealer: Sealer,
    now: datetime,
    by_person: bool = False,
) -> PayoutFacts:
    """Does what follows from the provider's words. Repeating it changes nothing. Raises NotFound.

    ``by_person`` lets a quarantined payout go on when nothing is wrong any more; otherwise it stays where it is.
    """
    for _ in range(TRIES):
        row = session.execute(
            select(*COLUMNS).where(Payout.code_id == code_id, Payout.attempt == attempt).with_for_update()
        ).one_or_none()
        if row is None:
            raise NotFound
        payout = facts_of(row)
        openid = _expected_openid(session, payout, sealer)
        heard = Heard(bill.out_bill_no, bill.state, bill.amount_fen, bill.openid, bill.fail_reason)
        if by_person and payout.state == PayoutState.QUARANTINED:
            decision = release(out_bill_no=payout.out_bill_no, amount_fen=payout.amount_fen, openid=openid, heard=heard)
        else:
            decision = decide(
                state=payout.state,
                out_bill_no=payout.out_bill_no,
                amount_fen=payout.amount_fen,
                openid=openid,
                heard=heard,
                source=source,
            )
        if _carry_out(session, payout, decision, bill, now):
            return get(session, code_id=code_id, attempt=attempt)
    raise AssertionError("a locked payout kept changing")


def _carry_out(session: Session, payout: PayoutFacts, decision: Decision, bill: BillState, now: datetime) -> bool:
    """False when the payout has moved on since it was read."""
    if decision.outcome == Outcome.CONTRADICTION:
        _note_once(session, payout, decision.note, now)
        return True
    if decision.outcome == Outcome.SAME:
        return _refresh(session, payout, bill)
    if decision.outcome == Outcome.QUARANTINE:
        log.error("payout_quarantined", out_bill_no=payout.out_bill_no, why=decision.note)
    values: dict[str, Any] = {"package": bill.package or payout.package}
    if decision.outcome == Outcome.STEP:
        values["provider_bill_no"] = bill.provider_bill_no or payout.provider_bill_no
        kept = payout.fail_reason if decision.state == PayoutState.UNKNOWN else None
        values["fail_reason"] = (bill.fail_reason or kept or "")[:REASON_MAX] or None
    else:
        values["fail_reason"] = decision.note[:REASON_MAX]
    return move(
        session,
        code_id=payout.code_id,
        attempt=payout.attempt,
        old=payout.state,
        new=decision.state,
        text=decision.note,
        now=now,
        **values,
    )


def _refresh(session: Session, payout: PayoutFacts, bill: BillState) -> bool:
    """Keeps a newer package for the confirm page; a state that is the same makes no event."""
    if payout.state != PayoutState.AWAITING_USER or bill.package in (None, payout.package):
        return True
    same = (
        update(Payout)
        .where(
            Payout.code_id == payout.code_id,
            Payout.attempt == payout.attempt,
            Payout.state == payout.state.value,
        )
        .values(package=bill.package)
    )
    return affected(session, same) == 1


def _note_once(session: Session, payout: PayoutFacts, text: str, now: datetime) -> None:
    """A contradiction of a final state is written down once and cried out; the state stays."""
    log.error("payout_contradicted", out_bill_no=payout.out_bill_no, state=payout.state.value, why=text)
    known = session.scalar(
        select(PayoutEvent.id)
        .where(
            PayoutEvent.code_id == payout.code_id,
            PayoutEvent.attempt == payout.attempt,
            PayoutEvent.state == PayoutState.QUARANTINED.value,
            PayoutEvent.note == text[:120],
        )
        .limit(1)
    )
    if known is None:
        note(
            session,
            code_id=payout.code_id,
            attempt=payout.attempt,
            state=PayoutState.QUARANTINED,
            text=text,
            now=now,
        )


def _expected_openid(session: Session, payout: PayoutFacts, sealer: Sealer) -> str | None:
    stored = find_stored(session, payout, sealer)
    if stored is not None:
        return stored.openid
    if payout.identity_id is None:
        return None
    try:
        return members.reveal(session, identity_id=payout.identity_id, sealer=sealer)
    except NotFound:
        return None


def adopt(
    session: Session,
    *,
    code_id: int,
    attempt: int,
    brand_id: UUID,
    campaign_id: UUID | None,
    identity_id: UUID | None,
    cause: str,
    bill: BillState,
    now: datetime,
) -> PayoutFacts | None:
    """Takes over a bill that only the provider's book knows (ours lost it in a restore). None where it has a row.

    A bill that ended is entered as it ended; one that is still under way is quarantined, for a person to look at.
    Raises ValueError for an amount that no payout of ours can have.
    """
    if not AMOUNT_MIN_FEN <= bill.amount_fen <= AMOUNT_MAX_FEN:
        raise ValueError(f"a bill of {bill.amount_fen} fen is not one of ours")
    meaning = meaning_of(bill.state, bill.fail_reason)
    state = meaning if meaning is not None and meaning.is_final else PayoutState.QUARANTINED
    made = insert_once(
        session,
        Payout,
        code_id=code_id,
        attempt=attempt,
        out_bill_no=bill.out_bill_no,
        cause=cause,
        brand_id=brand_id,
        campaign_id=campaign_id,
        identity_id=identity_id,
        amount_fen=bill.amount_fen,
        state=state.value,
        provider_bill_no=bill.provider_bill_no,
        package=bill.package,
        fail_reason=bill.fail_reason if state.is_final else "found_in_bills",
        created_at=bill.created_at or now,
        changed_at=now,
    )
    if not made:
        return None
    insert_once(session, PayoutNumber, out_bill_no=bill.out_bill_no, code_id=code_id, attempt=attempt)
    note(session, code_id=code_id, attempt=attempt, state=state, text=f"query: {bill.state}", now=now)
    return get(session, code_id=code_id, attempt=attempt)
