"""The chore of held rewards: what nobody decided in time is paid, once, and not while claims are stopped."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from sqlalchemy import func, select

from scancode.campaigns.conditions import Conditions
from scancode.claims import service as claims
from scancode.claims.rules import Claimant
from scancode.codes import service as codes
from scancode.codes.rules import Void, VoidReason
from scancode.jobs import service as jobs
from scancode.payouts.models import Payout
from scancode.wiring import Wired
from scancode.worker import held
from scancode.worker.loop import run
from tests.claims.shop import open_shop
from tests.factories import NOW


def look(wired: Wired, now: datetime) -> tuple[int, int]:
    """How many payouts there are, and how many claims wait, after the chore."""
    with wired.db.transaction() as session:
        session.connection().exec_driver_sql("DELETE FROM jobs")
    run(wired, stop_event=threading.Event(), once=True, clock=lambda: now, kinds={held.KEY})
    with wired.db.reading() as session:
        paid = session.scalar(select(func.count()).select_from(Payout)) or 0
        return paid, claims.count_held(session, brand_id=None)


def test_what_nobody_decides_is_paid_when_its_time_is_over(wired: Wired) -> None:
    with wired.db.transaction() as session:
        shop = open_shop(session, wired, campaign={"conditions": Conditions(hold_day=2, hold_days=2)})
        alice = Claimant(None, shop.openid(session))
        for serial in range(4):
            shop.claim(session, alice, serial)
        claims.refuse_held(session, code_id=shop.code(3).code_id, reason="no", staff_id=None, actor="erin", now=NOW)
    due = NOW + timedelta(days=2)
    assert look(wired, due - timedelta(seconds=1)) == (1, 2)
    with wired.db.transaction() as session:
        jobs.stop(session, name="claims", reason="restored", now=NOW)
    assert look(wired, due) == (1, 2)
    with wired.db.transaction() as session:
        jobs.allow(session, name="claims")
    assert look(wired, due) == (3, 0)
    assert look(wired, due) == (3, 0)


def test_a_code_that_was_voided_meanwhile_is_not_paid_and_keeps_up_no_other(wired: Wired) -> None:
    with wired.db.transaction() as session:
        shop = open_shop(session, wired, campaign={"conditions": Conditions(hold_day=2, hold_days=2)})
        alice = Claimant(None, shop.openid(session))
        for serial in range(3):
            shop.claim(session, alice, serial)
        where = {"batch_number": shop.batch.number, "ranges": [(1, 1)], "actor": "carol", "now": NOW}
        codes.change(session, what=Void(VoidReason.STOLEN), **where)  # type: ignore[arg-type]
    assert look(wired, NOW + timedelta(days=2)) == (2, 1)
    assert look(wired, NOW + timedelta(days=3)) == (2, 1)
