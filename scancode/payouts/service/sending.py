"""Both ends of a call to the provider: what is committed before it, and what is done with its answer.

``prepare`` runs in the transaction before the call and stores the exact order, sealed; ``apply_state`` in the one
after it. Between them no transaction is open. Sender, poller and callback share ``apply_state``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scancode.campaigns.models import Campaign
from scancode.catalog.models import Brand
from scancode.db import affected, insert_once
from scancode.errors import NotFound
from scancode.members import service as members
from scancode.payouts.models import Payout, PayoutEvent, PayoutNumber
from scancode.payouts.rules import (
    AMOUNT_MAX_FEN,
    AMOUNT_MIN_FEN,
    REPEATABLE,
    Decision,
    Heard,
    Outcome,
    PayoutFacts,
    PayoutState,
    Source,
    decide,
    is_lost,
    meaning_of,
    plain_text,
    release,
)
from scancode.payouts.service.authorising import open_authorisation
from scancode.payouts.service.creating import move, note
from scancode.payouts.service.reading import COLUMNS, facts_of, find_number, get
from scancode.ports import Bill, BillState
from scancode.sealing import Sealer

TRIES = 5
REASON_MAX = 80
LOST = "query: bill_lost"
log = structlog.get_logger(__name__)


class Task(StrEnum):
    """What the worker is to do next for a payout."""

    SEND = "send"
    QUERY = "query"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Errand:
    """One call to make. ``order`` is what was stored before the first call: a repeat sends the same bytes."""

    task: Task
    payout: PayoutFacts
    order: str | None
    authorisation: str | None = None
    """The number of what the order names, so that nobody has to confirm it."""


@dataclass(frozen=True)
class Stored:
    """An order as it was, or will be, sent, the openid it pays, and the number of the authorisation that it names."""

    openid: str
    order: str
    authorisation: str | None = None


Compose = Callable[[Bill], str]
Spares = Callable[[str], bool]
"""Whether people of a brand (its slug) may be spared the confirmation."""


def prepare(
    session: Session,
    *,
    code_id: int,
    attempt: int,
    sealer: Sealer,
    compose: Compose,
    may_send: bool,
    now: datetime,
    spares: Spares = lambda _: False,
) -> Errand | None:
    """The next call for an attempt; None when there is nothing to do (final, quarantined, nobody to pay yet).

    A payout that was never sent becomes ``sending`` here, with its order stored as ``compose`` writes it, before
    anything leaves the house. Where ``spares`` allows it, an order names what its person has granted.
    """
    payout = get(session, code_id=code_id, attempt=attempt)
    if payout.state == PayoutState.CREATED:
        if payout.identity_id is None or not may_send:
            return None
        return _first_send(session, payout, payout.identity_id, sealer, compose, spares, now)
    if payout.is_final or payout.state == PayoutState.QUARANTINED:
        return None
    task = Task.CANCEL if payout.state == PayoutState.CANCELLING and may_send else Task.QUERY
    stored = find_stored(session, payout, sealer)
    order, authorisation = (stored.order, stored.authorisation) if stored else (None, None)
    return Errand(task=task, payout=payout, order=order, authorisation=authorisation)


def _first_send(
    session: Session,
    payout: PayoutFacts,
    identity_id: UUID,
    sealer: Sealer,
    compose: Compose,
    spares: Spares,
    now: datetime,
) -> Errand | None:
    place = {"code_id": payout.code_id, "attempt": payout.attempt, "old": PayoutState.CREATED, "now": now}
    try:
        openid = members.reveal(session, identity_id=identity_id, sealer=sealer)
    except NotFound:
        # The person left and took the openid back before anything was sent: there is nobody to pay any more.
        move(session, new=PayoutState.CANCELLED, text="identity_gone", fail_reason="identity_gone", **place)  # type: ignore[arg-type]
        return None
    slug = session.execute(select(Brand.slug).where(Brand.id == payout.brand_id)).scalar_one()
    granted = open_authorisation(session, identity_id=identity_id) if spares(slug) else None
    granted = granted if granted and granted.is_usable else None
    bill = _bill(session, payout, openid)
    order = compose(replace(bill, authorisation=granted.provider_id) if granted else bill)
    stored = Stored(openid, order, granted.number if granted else None)
    sealed = _seal(stored, payout, sealer)
    if not move(session, new=PayoutState.SENDING, text="", order=sealed, **place):  # type: ignore[arg-type]
        return None
    ours = (payout.code_id, payout.attempt)
    made = insert_once(
        session, PayoutNumber, out_bill_no=payout.out_bill_no, code_id=payout.code_id, attempt=payout.attempt
    )
    if not made and find_number(session, out_bill_no=payout.out_bill_no) != ours:
        raise AssertionError(f"bill number {payout.out_bill_no} belongs to another payout")
    return Errand(task=Task.SEND, payout=payout, order=stored.order, authorisation=stored.authorisation)


def drop_authorisation(session: Session, *, payout: PayoutFacts, sealer: Sealer, compose: Compose) -> str | None:
    """What an order named is gone, and the provider has no bill of this number: the same number from now on orders the
    ordinary way, with a confirmation. None where the payout has moved on meanwhile."""
    stored = find_stored(session, payout, sealer)
    if stored is None:
        return None
    plain = Stored(stored.openid, compose(_bill(session, payout, stored.openid)))
    place = (Payout.code_id == payout.code_id, Payout.attempt == payout.attempt)
    is_repeatable = Payout.state.in_([state.value for state in REPEATABLE])
    sealed = _seal(plain, payout, sealer)
    if affected(session, update(Payout).where(*place, is_repeatable).values(order=sealed)) != 1:
        return None
    return plain.order


def _seal(stored: Stored, payout: PayoutFacts, sealer: Sealer) -> str:
    return sealer.seal(json.dumps(asdict(stored), ensure_ascii=False), purpose=_purpose(payout.out_bill_no))


def _bill(session: Session, payout: PayoutFacts, openid: str) -> Bill:
    brand = session.execute(select(Brand.name_zh).where(Brand.id == payout.brand_id)).scalar_one()
    campaign = session.execute(select(Campaign.name_zh).where(Campaign.id == payout.campaign_id)).scalar_one_or_none()
    return Bill(
        out_bill_no=payout.out_bill_no,
        openid=openid,
        amount_fen=payout.amount_fen,
        remark=plain_text(f"{brand}红包") or "红包",
        campaign=plain_text(campaign or brand) or "扫码活动",
        reward="扫码红包",
    )


def find_stored(session: Session, payout: PayoutFacts, sealer: Sealer) -> Stored | None:
    """What was stored before the first call; None before it."""
    sealed = session.scalar(
        select(Payout.order).where(Payout.code_id == payout.code_id, Payout.attempt == payout.attempt)
    )
    kept = json.loads(sealer.open(sealed, purpose=_purpose(payout.out_bill_no))) if sealed else {}
    return Stored(**kept) if kept.keys() - {"authorisation"} == {"openid", "order"} else None


def _purpose(out_bill_no: str) -> str:
    return f"payout|{out_bill_no}"


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
