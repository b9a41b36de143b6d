"""After a restore the provider's book decides: nobody is paid twice, nobody is forgotten, differences to the fen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select, text

from scancode.campaigns.conditions import Conditions
from scancode.claims import rules as claim_rules
from scancode.claims import service as claims
from scancode.claims.models import Claim, PersonCount
from scancode.claims.rules import Claimant, Standing
from scancode.jobs import service as jobs
from scancode.jobs.models import Job
from scancode.payouts import service as payouts
from scancode.payouts.models import Payout, PayoutEvent, PayoutNumber
from scancode.payouts.rules import Contradicted, PayoutsStopped, PayoutState
from scancode.ports import Flow
from scancode.staff import service as staff
from scancode.stories import going_on, reconcile
from scancode.stories.books import Gap, Report
from scancode.wiring import Wired
from tests.claims.shop import PREFIX, open_shop, points, visitor
from tests.factories import NOW
from tests.payouts.conftest import Till, open_till

S = PayoutState


@pytest.fixture
def till(wired: Wired) -> Till:
    with wired.db.transaction() as session:
        shop = open_shop(session, wired)
        alice = Claimant(visitor().visitor_id, shop.openid(session))
        shop.claim(session, alice)
    return open_till(wired, shop, alice)


def forget_claims(till: Till) -> None:
    """What a restore does to everything since the backup."""
    with till.wired.db.transaction() as session:
        for table in (Job, PayoutEvent, PayoutNumber, Payout, Claim):
            session.execute(delete(table))
        for name in going_on.STOPS:
            jobs.stop(session, name=name, reason="restored", now=till.now)


def compare(till: Till, since: datetime = NOW - timedelta(days=3)) -> Report:
    gateway = till.wired.ports.payout
    assert gateway is not None
    return reconcile.reconcile(
        till.wired.db,
        gateway,
        sealer=till.wired.sealer,
        draw_sealer=till.wired.draw_sealer,
        prefix=PREFIX,
        since=since,
        actor="test",
        clock=till.clock,
    )


def go_on(till: Till, report: Report, *, accept: bool = False) -> None:
    with till.wired.db.transaction() as session:
        going_on.let_go_on(session, report=report, accept=accept, actor="test", now=till.now)


def pay(till: Till) -> None:
    till.work()
    till.world.confirm(till.find().package or "")


def test_books_that_agree_let_go_on(till: Till) -> None:
    pay(till)
    till.work(after_s=5)
    report = compare(till)
    assert report.agrees
    assert (report.bills, report.provider_paid_fen, report.our_paid_fen) == (1, 100, 100)
    go_on(till, report)


def test_a_lost_claim_that_was_paid_never_pays_again(till: Till) -> None:
    pay(till)
    forget_claims(till)
    report = compare(till)
    assert [one.gap for one in report.differences] == [Gap.FOUND]
    assert (report.provider_paid_fen, report.our_paid_fen) == (100, 100)
    go_on(till, report)
    assert till.find().state == S.PAID
    with till.wired.db.transaction() as session:
        assert jobs.is_stopped(session, "claims") is None
        with pytest.raises(claim_rules.ClaimedByAnother):
            till.shop.claim(session, visitor())
        mine = claims.find_claim(session, code_id=till.code_id, claimant=till.alice, now=till.now)
    assert mine is not None
    assert mine.standing == Standing.QUARANTINED
    assert mine.is_mine
    assert mine.claim.campaign_id == till.shop.campaign_id
    assert not till.work(after_s=100_000)


def test_a_lost_second_prize_that_was_paid_stays_its_persons_and_comes_no_more(wired: Wired) -> None:
    terms = {"budget_fen": 100_000, "budget_points": 10_000, "conditions": Conditions(nth=1, nth_fen=100)}
    with wired.db.transaction() as session:
        shop = open_shop(session, wired, prizes=points(7), campaign=terms)
        alice = Claimant(None, shop.openid(session))
        shop.claim(session, alice)
    till = open_till(wired, shop, alice)
    till = replace(till, code_id=claims.second_id(till.code_id))
    till.world.clock = till.clock
    pay(till)
    forget_claims(till)
    with wired.db.transaction() as session:
        session.execute(delete(PersonCount))
    report = compare(till)
    assert [one.gap for one in report.differences] == [Gap.FOUND]
    go_on(till, report)
    assert till.find().state == S.PAID
    with wired.db.transaction() as session:
        for serial in range(3):
            shop.claim(session, alice, serial)
        mine = claims.of_person(session, claimant=alice, now=till.now)
        assert [(one.claim.code_id, one.standing) for one in mine if one.claim.is_second] == [
            (till.code_id, Standing.QUARANTINED)
        ]
        assert session.scalar(select(func.count()).select_from(Payout)) == 1
    assert not till.work(after_s=100_000)


def test_a_lost_claim_whose_money_waits_is_made_again_under_the_same_number(till: Till) -> None:
    """It is in no file, since no money moved: the code is free, and whoever claims it again finds their old bill."""
    till.work()
    number = till.find().out_bill_no
    forget_claims(till)
    go_on(till, compare(till))
    with till.wired.db.transaction() as session:
        till.shop.claim(session, till.alice)
    till.work()
    assert (till.find().state, till.find().out_bill_no) == (S.AWAITING_USER, number)
    assert till.bills() == ["WAIT_USER_CONFIRM"]


def test_a_lost_claim_that_another_makes_again_is_left_to_a_person(till: Till) -> None:
    till.work()
    forget_claims(till)
    go_on(till, compare(till))
    with till.wired.db.transaction() as session:
        till.shop.claim(session, Claimant(visitor().visitor_id, till.shop.openid(session, "openid-bob")))
    till.work()
    till.work(after_s=10)
    assert till.find().state == S.QUARANTINED
    assert till.bills() == ["WAIT_USER_CONFIRM"]


def test_todays_file_that_is_not_there_yet_keeps_a_restore_stopped(till: Till) -> None:
    pay(till)
    forget_claims(till)
    till.world.has_today = False
    with till.wired.db.transaction() as session:
        facts = {"made_at": (NOW - timedelta(hours=1)).isoformat()}
        staff.audit(
            session, actor="cli", brand_id=None, action="database.restore", subject="x", facts=facts, now=till.now
        )
    report = compare(till)
    assert (report.bills, report.files_until) == (0, NOW.date())
    with pytest.raises(going_on.FilesPending):
        go_on(till, report)
    with till.wired.db.transaction() as session, pytest.raises(going_on.NotCompared):
        going_on.require_compared(session)
    till.now += timedelta(days=1)
    till.world.has_today = True
    report = compare(till)
    assert report.found == 1
    go_on(till, report)


def test_a_file_of_another_amount_than_the_query_is_a_difference(till: Till) -> None:
    pay(till)
    flows = till.world.flows

    def spoiled(day: date) -> Iterator[Flow] | None:
        return (replace(flow, amount_fen=flow.amount_fen + 1) for flow in flows(day) or ())

    till.world.flows = spoiled  # type: ignore[method-assign]
    report = compare(till)
    assert [(one.gap, one.provider_fen, one.our_fen) for one in report.open] == [(Gap.DISAGREES, 101, 100)]
    assert (report.provider_paid_fen, report.our_paid_fen) == (101, 100)


def test_claims_payouts_and_points_are_compared_with_each_other(till: Till) -> None:
    pay(till)
    assert compare(till).claims == 1
    for change, gap in (
        ("UPDATE payouts SET amount_fen = 99", Gap.UNEQUAL),
        ("DELETE FROM claims", Gap.UNCLAIMED),
    ):
        with till.wired.db.transaction() as session:
            session.execute(text(change))
        assert gap in [one.gap for one in compare(till).open]


def test_a_winning_claim_without_a_payout_or_an_entry_is_found(wired: Wired) -> None:
    with wired.db.transaction() as session:
        shop = open_shop(session, wired)
        alice = Claimant(visitor().visitor_id, shop.openid(session))
        shop.claim(session, alice)
        shop.claim(session, alice, serial=1)
        session.execute(delete(Payout).where(Payout.code_id == shop.code().code_id))
        code_id = shop.code(1).code_id
        session.execute(text("UPDATE claims SET prize_kind = 'points' WHERE code_id = :id"), {"id": code_id})
    report = compare(open_till(wired, shop, alice))
    assert [(one.gap, one.our_fen) for one in report.open] == [(Gap.UNPAID, 100), (Gap.UNPOSTED, 100)]


def test_a_lost_second_attempt_is_found_beside_the_first(till: Till) -> None:
    till.work()
    till.world.decline(till.find().package or "")
    till.work(after_s=5)
    with till.wired.db.transaction() as session:
        payouts.reissue(session, code_id=till.code_id, now=till.now)
    pay(till)
    with till.wired.db.transaction() as session:
        session.execute(delete(Payout).where(Payout.attempt == 2))
        session.execute(delete(PayoutNumber).where(PayoutNumber.attempt == 2))
    report = compare(till)
    assert report.found == 1
    assert till.find().attempt == 2
    assert till.find().state == S.PAID


def test_what_was_cancelled_before_the_books_were_compared_is_not_sent_again(till: Till) -> None:
    """The backup has it as never sent; the provider has paid it."""
    pay(till)
    with till.wired.db.transaction() as session:
        session.execute(text("UPDATE payouts SET state = 'created', \"order\" = NULL, package = NULL"))
        for name in going_on.STOPS:
            jobs.stop(session, name=name, reason="restored", now=till.now)
    with till.wired.db.transaction() as session:
        assert payouts.cancel(session, code_id=till.code_id, now=till.now).state == S.CANCELLED
    with pytest.raises(PayoutsStopped), till.wired.db.transaction() as session:
        payouts.reissue(session, code_id=till.code_id, now=till.now)
    report = compare(till)
    assert [one.gap for one in report.open] == [Gap.DISAGREES]
    go_on(till, report, accept=True)
    with pytest.raises(Contradicted), till.wired.db.transaction() as session:
        payouts.reissue(session, code_id=till.code_id, now=till.now)
    till.work(after_s=100_000)
    assert till.bills() == ["SUCCESS"]


def test_a_payout_restored_to_before_it_was_sent_learns_that_it_was_paid(till: Till) -> None:
    pay(till)
    with till.wired.db.transaction() as session:
        session.execute(text("UPDATE payouts SET state = 'created', \"order\" = NULL, package = NULL"))
    report = compare(till)
    assert report.agrees
    assert report.moved == 1
    assert till.find().state == S.PAID


def test_a_reservation_gives_way_to_whoever_was_paid_after_it(till: Till) -> None:
    pay(till)
    forget_claims(till)
    bob = visitor()
    with till.wired.db.transaction() as session:
        for name in going_on.STOPS:
            jobs.allow(session, name=name)
        till.shop.claim(session, bob)  # as the backup had it
    compare(till)
    with till.wired.db.transaction() as session, pytest.raises(claim_rules.ClaimedByAnother):
        till.shop.claim(session, bob)


@pytest.mark.parametrize("column", ["amount_fen", "openid"])
def test_a_bill_that_differs_keeps_everything_stopped(till: Till, column: str) -> None:
    till.work()
    till.world.tamper(**{column: 77 if column == "amount_fen" else "openid-77"})
    report = compare(till)
    assert [one.gap for one in report.open] == [Gap.DISAGREES]
    assert report.open[0].our_state == S.QUARANTINED
    with pytest.raises(going_on.NotReconciled):
        go_on(till, report)
    go_on(till, report, accept=True)


def test_a_payment_that_the_provider_does_not_have_is_missing(till: Till) -> None:
    pay(till)
    till.work(after_s=5)
    till.world.forget()
    report = compare(till, since=NOW - timedelta(minutes=1))
    assert [(one.gap, one.our_fen) for one in report.open] == [(Gap.MISSING, 100)]
    assert (report.provider_paid_fen, report.our_paid_fen) == (0, 100)


def test_bills_of_others_and_of_unknown_batches_are_told_apart(till: Till) -> None:
    pay(till)
    (number,) = till.world.book
    till.world.paid_at = {"PAYROLL1": till.now}
    till.world.book = {"PAYROLL1": replace(till.world.book[number], out_bill_no="PAYROLL1")}
    assert compare(till).foreign == 1
    till.world.paid_at = {"SC0000000000101": till.now}
    till.world.book = {"SC0000000000101": replace(till.world.book["PAYROLL1"], out_bill_no="SC0000000000101")}
    # The book has placed a bill of its own, which the provider now lacks.
    assert [one.gap for one in compare(till).open] == [Gap.UNPLACEABLE, Gap.MISSING]


def test_comparing_twice_finds_nothing_new(till: Till) -> None:
    pay(till)
    forget_claims(till)
    compare(till)
    again = compare(till)
    assert again.agrees
    assert again.differences == []
    with till.wired.db.reading() as session:
        assert len(session.scalars(select(Claim.code_id)).all()) == 1


def test_what_was_found_shows_no_openid(till: Till) -> None:
    pay(till)
    forget_claims(till)
    assert "openid-alice" not in repr(compare(till).facts())
