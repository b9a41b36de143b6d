"""What the provider posts to us, already verified: one more way to the same transition that the poller makes."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from scancode.db import affected, insert_once
from scancode.errors import NotFound
from scancode.payouts.models import PayoutNotice
from scancode.payouts.rules import PayoutFacts, meaning_of, parse_number
from scancode.payouts.service.applying import apply_state
from scancode.payouts.service.creating import ask
from scancode.payouts.service.reading import get
from scancode.ports import BillState
from scancode.sealing import Sealer

log = structlog.get_logger(__name__)


def take_notice(
    session: Session, *, notice_id: str, bill: BillState, prefix: str, sealer: Sealer, now: datetime
) -> PayoutFacts:
    """Does what follows from a notice, once per notice. Raises NotFound for a bill that the book does not have: it is
    to come again, perhaps the book was restored and will learn of it.

    A notice that a bill ended without money is only news: the worker queries at once, and what the query says counts.
    """
    place = parse_number(bill.out_bill_no, prefix=prefix)
    if place is None:
        raise NotFound
    code_id, attempt = place
    payout = get(session, code_id=code_id, attempt=attempt)
    if not insert_once(session, PayoutNotice, id=notice_id, out_bill_no=bill.out_bill_no, at=now):
        return payout
    after = apply_state(session, code_id=code_id, attempt=attempt, bill=bill, source="callback", sealer=sealer, now=now)
    meaning = meaning_of(bill.state, bill.fail_reason)
    if not after.is_final and meaning is not None and meaning.is_final:
        ask(session, code_id=code_id, attempt=attempt, now=now, again=True)
    return after


def forget_notices(session: Session, *, before: datetime, limit: int = 1000) -> int:
    """Deletes those dealt with before then: the provider has long stopped repeating them."""
    ids = session.scalars(select(PayoutNotice.id).where(PayoutNotice.at < before).limit(limit)).all()
    return affected(session, delete(PayoutNotice).where(PayoutNotice.id.in_(ids))) if ids else 0
