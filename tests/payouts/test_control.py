"""What staff may do to a payout, and what the queue says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scancode.payouts import service as payouts
from scancode.payouts.rules import (
    ATTEMPTS_MAX,
    AmountNotAllowed,
    Contradicted,
    NotCancellable,
    NotReissuable,
    PayoutState,
    TooManyAttempts,
    parse_number,
)
from scancode.ports import BillState
from tests.payouts.conftest import Till

S = PayoutState


def expire(till: Till) -> None:
    till.work()
    package = till.find().package
    assert package
    till.world.decline(package)
    till.work(after_s=5)


def test_an_expired_payout_is_sent_again_under_a_new_number(till: Till) -> None:
    expire(till)
    old = till.find()
    with till.wired.db.transaction() as session:
        new = payouts.reissue(session, code_id=till.code_id, now=till.now)
    assert (new.attempt, new.amount_fen, new.identity_id) == (2, old.amount_fen, old.identity_id)
    assert parse_number(new.out_bill_no, prefix="SC") == (till.code_id, 2)
    till.work()
    assert till.find().state == S.AWAITING_USER
    assert sorted(till.bills()) == ["FAIL", "WAIT_USER_CONFIRM"]


@pytest.mark.parametrize(("said", "goes_out"), [("SUCCESS", False), ("CANCELLED", True)])
def test_what_the_provider_says_was_paid_after_all_is_not_sent_again(till: Till, said: str, *, goes_out: bool) -> None:
    """A query said that it expired; then a notice contradicts it. Whoever is right, nobody is paid twice."""
    expire(till)
    old = till.find()
    bill = BillState(old.out_bill_no, said, old.amount_fen)
    with till.wired.db.transaction() as session:
        payouts.take_notice(
            session, notice_id="n1", bill=bill, prefix="SC", sealer=till.wired.sealer, now=till.now + timedelta(hours=1)
        )
        assert payouts.get(session, code_id=till.code_id).state == S.EXPIRED
    with till.wired.db.transaction() as session:
        if goes_out:
            assert payouts.reissue(session, code_id=till.code_id, now=till.now).attempt == 2
        else:
            with pytest.raises(Contradicted):
                payouts.reissue(session, code_id=till.code_id, now=till.now)


def test_asking_twice_makes_one_new_attempt(till: Till) -> None:
    expire(till)
    with till.wired.db.transaction() as session:
        payouts.reissue(session, code_id=till.code_id, now=till.now)
        with pytest.raises(NotReissuable):
            payouts.reissue(session, code_id=till.code_id, now=till.now)


@pytest.mark.parametrize("steps", [0, 1])
def test_what_may_still_be_paid_is_not_sent_again(till: Till, steps: int) -> None:
    for _ in range(steps):
        till.work()
    with till.wired.db.transaction() as session, pytest.raises(NotReissuable):
        payouts.reissue(session, code_id=till.code_id, now=till.now)


def test_there_is_an_end_to_attempts(till: Till) -> None:
    for _ in range(ATTEMPTS_MAX - 1):
        expire(till)
        with till.wired.db.transaction() as session:
            payouts.reissue(session, code_id=till.code_id, now=till.now)
    expire(till)
    with till.wired.db.transaction() as session, pytest.raises(TooManyAttempts):
        payouts.reissue(session, code_id=till.code_id, now=till.now)


def test_what_was_never_sent_is_cancelled_at_once(till: Till) -> None:
    with till.wired.db.transaction() as session:
        assert payouts.cancel(session, code_id=till.code_id, now=till.now).state == S.CANCELLED
    till.work()
    assert till.bills() == []


def test_what_waits_for_the_person_is_cancelled_with_the_provider(till: Till) -> None:
    till.work()
    with till.wired.db.transaction() as session:
        assert payouts.cancel(session, code_id=till.code_id, now=till.now).state == S.CANCELLING
    till.work()
    assert till.find().state == S.CANCELLED
    assert till.bills() == ["CANCELLED"]


def test_the_person_who_was_quicker_than_the_cancelling_is_paid(till: Till) -> None:
    till.work()
    package = till.find().package
    assert package
    till.world.confirm(package)
    with till.wired.db.transaction() as session:
        payouts.cancel(session, code_id=till.code_id, now=till.now)
    till.work()
    assert till.find().state == S.PAID


def test_what_is_paid_cannot_be_cancelled(till: Till) -> None:
    till.work()
    till.world.confirm(till.find().package or "")
    till.work(after_s=5)
    with till.wired.db.transaction() as session, pytest.raises(NotCancellable):
        payouts.cancel(session, code_id=till.code_id, now=till.now)


def test_a_quarantined_payout_goes_on_only_by_a_persons_wish(till: Till) -> None:
    till.work()
    till.world.tamper(amount_fen=99)
    till.work(after_s=5)
    till.world.tamper(amount_fen=100)
    with till.wired.db.transaction() as session:
        payouts.retry(session, code_id=till.code_id, now=till.now)
    till.work()
    assert till.find().state == S.QUARANTINED
    with till.wired.db.transaction() as session:
        payouts.recheck(session, code_id=till.code_id, now=till.now)
    till.work()
    assert till.find().state == S.AWAITING_USER


def test_the_queue_counts_and_sums(till: Till) -> None:
    till.work()
    with till.wired.db.reading() as session:
        found = payouts.totals(session, brand_id=till.shop.brand.id)
        assert (found[S.AWAITING_USER].count, found[S.AWAITING_USER].amount_fen) == (1, 100)
        assert found[S.PAID].count == 0
        listed = payouts.list_payouts(session, brand_id=till.shop.brand.id, states=[S.AWAITING_USER])
        assert [one.code_id for one in listed] == [till.code_id]
        last = listed[-1]
        assert payouts.list_payouts(session, brand_id=None, after=(last.changed_at, last.code_id)) == []


def test_what_the_provider_will_soon_forget_needs_a_person(till: Till) -> None:
    till.work()
    with till.wired.db.reading() as session:
        assert payouts.neglected(session, brand_id=None, now=till.now + timedelta(days=24)) == []
        assert len(payouts.neglected(session, brand_id=None, now=till.now + timedelta(days=26))) == 1


@pytest.mark.parametrize(("amount_fen", "allowed"), [(9, False), (10, True), (20_000, True), (20_001, False)])
def test_a_red_packet_has_a_least_and_a_most(till: Till, amount_fen: int, *, allowed: bool) -> None:
    with till.wired.db.transaction() as session:
        values = {
            "code_id": till.code_id + 1,
            "brand_id": till.shop.brand.id,
            "campaign_id": till.shop.campaign_id,
            "identity_id": None,
            "cause": "test",
            "prefix": "SC",
            "now": till.now,
        }
        if allowed:
            assert payouts.create(session, amount_fen=amount_fen, **values).amount_fen == amount_fen  # type: ignore[arg-type]
        else:
            with pytest.raises(AmountNotAllowed):
                payouts.create(session, amount_fen=amount_fen, **values)  # type: ignore[arg-type]
