"""Before a call to the provider: what is to be called, committed with the exact order, sealed, before anything leaves
the house. ``applying`` does what follows from the answer; between the two no transaction is open.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scancode.campaigns.models import Campaign
from scancode.catalog.models import Brand
from scancode.db import affected, insert_once
from scancode.errors import NotFound
from scancode.members import service as members
from scancode.payouts.models import Payout, PayoutNumber
from scancode.payouts.rules import REPEATABLE, PayoutFacts, PayoutState, plain_text
from scancode.payouts.service.authorising import open_authorisation
from scancode.payouts.service.creating import move
from scancode.payouts.service.reading import find_number, get
from scancode.ports import Bill
from scancode.sealing import Sealer


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
    is_spared: bool = False
    """Whether the people of its brand may be spared the confirmation at present."""


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
    if stored is None:
        return Errand(task, payout, None)
    is_spared = stored.authorisation is not None and spares(_slug(session, payout))
    return Errand(task, payout, stored.order, stored.authorisation, is_spared)


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
    granted = open_authorisation(session, identity_id=identity_id) if spares(_slug(session, payout)) else None
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
    return Errand(Task.SEND, payout, stored.order, stored.authorisation, is_spared=granted is not None)


def _slug(session: Session, payout: PayoutFacts) -> str:
    return session.execute(select(Brand.slug).where(Brand.id == payout.brand_id)).scalar_one()


def drop_authorisation(session: Session, *, payout: PayoutFacts, sealer: Sealer, compose: Compose) -> str | None:
    """The provider has no bill of this number, and what its order named cannot be named: the same number from now on
    orders the ordinary way, with a confirmation. None where the payout has moved on meanwhile."""
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
