"""The worker and one payout, with a provider that times out, forgets and contradicts; killed between any two steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from scancode.jobs import service as jobs
from scancode.jobs.rules import JobState
from scancode.payouts import service as payouts
from scancode.payouts.rules import LOST_AFTER, POLL_MAX_S, PayoutState
from scancode.payouts.service.preparing import Errand, Task, find_stored
from scancode.sealing import Sealer
from tests.payouts.conftest import Till

S = PayoutState


def prepare(till: Till, session: Session) -> Errand | None:
    """What a worker does in the transaction before its call."""
    return payouts.prepare(
        session,
        code_id=till.code_id,
        attempt=1,
        sealer=till.wired.sealer,
        compose=till.world.compose,
        may_send=True,
        now=till.now,
    )


def package(till: Till) -> str:
    found = till.find().package
    assert found
    return found


def test_it_sends_then_waits_for_the_person_then_is_paid(till: Till) -> None:
    assert till.work()
    assert till.find().state == S.AWAITING_USER
    assert till.find().provider_bill_no
    till.world.confirm(package(till))
    assert not till.work()  # not due yet
    assert till.work(after_s=5)
    assert till.find().state == S.PAID
    job = till.job()
    assert job is not None
    assert job.state == JobState.DONE
    with till.wired.db.reading() as session:
        states = [event.state for event in payouts.events(session, code_id=till.code_id)]
    assert states == [S.CREATED, S.SENDING, S.AWAITING_USER, S.PAID]


def test_a_number_is_entered_before_it_is_sent(till: Till) -> None:
    number = till.find().out_bill_no
    with till.wired.db.transaction() as session:
        prepare(till, session)
        assert payouts.find_number(session, out_bill_no=number) == (till.code_id, 1)


def test_a_send_that_never_arrived_is_sent_again_under_the_same_number(till: Till) -> None:
    till.world.fail_next("send")
    till.work()
    number = till.find().out_bill_no
    assert till.find().state == S.UNKNOWN
    assert till.bills() == []
    till.work(after_s=5)
    assert till.find().state == S.AWAITING_USER
    assert till.find().out_bill_no == number
    assert till.bills() == ["WAIT_USER_CONFIRM"]


def test_a_send_that_was_booked_in_silence_is_not_sent_again(till: Till) -> None:
    till.world.fail_next("send_after")
    till.work()
    assert till.find().state == S.UNKNOWN
    till.work(after_s=5)
    assert till.find().state == S.AWAITING_USER
    assert till.bills() == ["WAIT_USER_CONFIRM"]


def test_unknown_stays_unknown_while_queries_fail(till: Till) -> None:
    till.world.fail_next("send_after")
    till.work()
    till.world.fail_next("query", 3)
    for _ in range(3):
        assert till.work(after_s=60)
        assert till.find().state == S.UNKNOWN
    till.work(after_s=600)
    assert till.find().state == S.AWAITING_USER


def test_a_worker_killed_before_the_call_leaves_nothing_lost(till: Till) -> None:
    with till.wired.db.transaction() as session:
        errand = prepare(till, session)
    assert errand is not None
    assert errand.task == Task.SEND
    till.work()  # another worker, later
    assert till.find().state == S.AWAITING_USER
    assert till.bills() == ["WAIT_USER_CONFIRM"]


def test_a_worker_killed_after_the_call_pays_once(till: Till) -> None:
    with till.wired.db.transaction() as session:
        errand = prepare(till, session)
    assert errand is not None
    assert errand.order is not None
    till.world.send(errand.order)
    till.work()
    assert till.find().state == S.AWAITING_USER
    assert till.bills() == ["WAIT_USER_CONFIRM"]


def test_a_repeat_sends_the_stored_order_byte_for_byte(till: Till) -> None:
    with till.wired.db.transaction() as session:
        first, second = prepare(till, session), prepare(till, session)
    assert first is not None
    assert second is not None
    assert second.task == Task.QUERY
    assert second.order == first.order
    till.work()
    assert till.world.orders == [first.order]


def test_a_seal_key_that_changes_in_the_middle_sends_the_same_bytes(till: Till) -> None:
    till.world.fail_next("send")
    till.work()
    with till.wired.db.reading() as session:
        before = find_stored(session, till.find(), till.wired.sealer)
    keys, index = (till.wired.settings.seal_keys.get_secret_value(), till.wired.settings.index_key.get_secret_value())
    till.wired = replace(till.wired, sealer=Sealer(f"{keys},k2:another-secret", index))
    till.work(after_s=5)
    assert before is not None
    assert till.world.orders == [before.order]
    assert till.find().state == S.AWAITING_USER


def test_the_order_at_rest_does_not_show_the_openid(till: Till) -> None:
    from sqlalchemy import text

    till.work()
    with till.wired.db.reading() as session:
        order = session.execute(text('SELECT "order" FROM payouts')).scalar_one()
    assert "openid-alice" not in order


@pytest.mark.parametrize(("column", "value"), [("amount_fen", 99), ("openid", "openid-mallory")])
def test_a_bill_that_differs_is_quarantined(till: Till, column: str, value: object) -> None:
    till.work()
    till.world.tamper(**{column: value})
    till.work(after_s=5)
    assert till.find().state == S.QUARANTINED
    assert not till.work(after_s=100_000)


def test_a_confirmed_bill_that_the_provider_lost_waits_for_a_person(till: Till) -> None:
    till.work()
    till.world.forget()
    till.work(after_s=5)
    assert (till.find().state, till.find().fail_reason) == (S.QUARANTINED, "query: bill_lost")
    assert not till.work(after_s=100_000)
    assert till.bills() == []
    with till.wired.db.reading() as session:
        last = payouts.events(session, code_id=till.code_id)[-1]
    assert (last.state, last.note) == (S.QUARANTINED, "query: bill_lost")


def test_a_bill_lost_while_it_is_cancelled_is_never_sent_again(till: Till) -> None:
    till.work()
    till.world.forget()
    with till.wired.db.transaction() as session:
        payouts.cancel(session, code_id=till.code_id, now=till.now)
    begun = till.now
    looks = 0
    while till.now - begun <= LOST_AFTER:
        assert till.find().state == S.CANCELLING
        looks += till.work(after_s=POLL_MAX_S)
        assert till.bills() == []
    assert looks == 25
    assert till.find().state == S.QUARANTINED
    assert not till.work(after_s=100_000)
    assert till.bills() == []


def test_a_bill_that_turns_up_again_is_cancelled(till: Till) -> None:
    till.work()
    with till.wired.db.reading() as session:
        stored = find_stored(session, till.find(), till.wired.sealer)
    till.world.forget()
    with till.wired.db.transaction() as session:
        payouts.cancel(session, code_id=till.code_id, now=till.now)
    till.work()
    assert till.find().state == S.CANCELLING
    assert stored is not None
    till.world.send(stored.order)
    till.work(after_s=5)
    assert till.find().state == S.CANCELLED


def test_nobody_confirms_and_it_expires(till: Till) -> None:
    till.work()
    till.world.decline(package(till))
    till.work(after_s=5)
    assert till.find().state == S.EXPIRED
    assert till.find().fail_reason == "OVERDUE_CLOSE"


def test_nothing_is_sent_while_payouts_are_stopped(till: Till) -> None:
    with till.wired.db.transaction() as session:
        jobs.stop(session, name="payouts", reason="restored", now=till.now)
    till.work()
    assert till.find().state == S.CREATED
    assert till.bills() == []
    with till.wired.db.transaction() as session:
        jobs.allow(session, name="payouts")
    till.work(after_s=61)
    assert till.find().state == S.AWAITING_USER


def test_a_stop_also_holds_back_the_repeat_of_a_lost_send(till: Till) -> None:
    till.world.fail_next("send")
    till.work()
    with till.wired.db.transaction() as session:
        jobs.stop(session, name="payouts", reason="look", now=till.now)
    till.work(after_s=10)
    assert till.find().state == S.UNKNOWN
    assert till.bills() == []


def test_a_person_who_left_before_is_not_paid(till: Till) -> None:
    from sqlalchemy import text

    with till.wired.db.transaction() as session:
        session.execute(text("DELETE FROM identities"))
    till.work()
    assert till.find().state == S.CANCELLED
    assert till.bills() == []


def test_two_workers_with_one_job_pay_once(till: Till) -> None:
    with till.wired.db.transaction() as session:
        first = jobs.lease(session, now=till.now, lease_s=1, kinds=["payout"])
    assert first is not None
    till.work(after_s=2)  # the lease ran out, somebody else did it
    from scancode.worker import payout as runner

    with pytest.raises(jobs.LeaseLost):
        runner.run(till.wired, first, till.clock)
    assert till.bills() == ["WAIT_USER_CONFIRM"]


def test_it_is_looked_at_less_and_less_often(till: Till) -> None:
    till.work()
    waits = []
    for _ in range(30):
        job = till.job()
        assert job is not None
        waits.append((job.run_at - till.now).total_seconds())
        assert till.work(after_s=waits[-1])
    assert waits == sorted(waits)
    assert waits[0] <= 5
    assert till.now - timedelta(hours=20) > till.find().created_at or waits[-1] <= 3600
