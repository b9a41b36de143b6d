"""After a restore the provider's book decides: nobody is paid twice, nobody is forgotten, differences to the fen."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select, text

from scancode.adapters.sandbox import World
from scancode.claims import rules as claim_rules
from scancode.claims import service as claims
from scancode.claims.models import Claim
from scancode.claims.rules import Claimant, Standing
from scancode.jobs import service as jobs
from scancode.jobs.models import Job
from scancode.payouts import service as payouts
from scancode.payouts.models import Payout, PayoutEvent, PayoutNumber
from scancode.payouts.rules import PayoutState
from scancode.stories import reconcile
from scancode.stories.reconcile import Gap, Report
from scancode.wiring import Wired
from tests.claims.shop import PREFIX, open_shop, visitor
from tests.factories import NOW
from tests.payouts.conftest import Till

S = PayoutState


@pytest.fixture
def till(wired: Wired) -> Till:
    with wired.db.transaction() as session:
        shop = open_shop(session, wired)
        alice = Claimant(visitor().visitor_id, shop.openid(session))
        shop.claim(session, alice)
    return Till(wired, shop, World(wired.settings.var_dir / "sandbox.sqlite"), alice, shop.code().code_id)


def forget_claims(till: Till) -> None:
    """What a restore does to everything since the backup."""
    with till.wired.db.transaction() as session:
        for table in (Job, PayoutEvent, PayoutNumber, Payout, Claim):
            session.execute(delete(table))
        for name in reconcile.STOPS:
            jobs.stop(session, name=name, reason="restored", now=till.now)


def compare(till: Till, since: datetime = NOW - timedelta(days=9999)) -> Report:
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
        reconcile.let_go_on(session, report=report, accept=accept, actor="test", now=till.now)


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


def test_a_lost_claim_whose_money_waits_is_left_to_a_person(till: Till) -> None:
    till.work()
    forget_claims(till)
    go_on(till, compare(till))
    assert till.find().state == S.QUARANTINED
    with till.wired.db.transaction() as session:
        payouts.recheck(session, code_id=till.code_id, now=till.now)
    till.work()
    assert till.find().state == S.AWAITING_USER
    till.world.confirm(till.find().package or "")
    till.work(after_s=10)
    assert till.find().state == S.PAID


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
        for name in reconcile.STOPS:
            jobs.allow(session, name=name)
        till.shop.claim(session, bob)  # as the backup had it
    compare(till)
    with till.wired.db.transaction() as session, pytest.raises(claim_rules.ClaimedByAnother):
        till.shop.claim(session, bob)


@pytest.mark.parametrize("column", ["amount_fen", "openid"])
def test_a_bill_that_differs_keeps_everything_stopped(till: Till, column: str) -> None:
    till.work()
    with sqlite3.connect(till.wired.settings.var_dir / "sandbox.sqlite") as book:
        book.execute(f"UPDATE bills SET {column} = 77")
    report = compare(till)
    assert [one.gap for one in report.open] == [Gap.DISAGREES]
    assert report.open[0].our_state == S.QUARANTINED
    with pytest.raises(reconcile.NotReconciled):
        go_on(till, report)
    go_on(till, report, accept=True)


def test_a_payment_that_the_provider_does_not_have_is_missing(till: Till) -> None:
    pay(till)
    till.work(after_s=5)
    with sqlite3.connect(till.wired.settings.var_dir / "sandbox.sqlite") as book:
        book.execute("DELETE FROM bills")
    report = compare(till, since=NOW - timedelta(minutes=1))
    assert [(one.gap, one.our_fen) for one in report.open] == [(Gap.MISSING, 100)]
    assert (report.provider_paid_fen, report.our_paid_fen) == (0, 100)


def test_bills_of_others_and_of_unknown_batches_are_told_apart(till: Till) -> None:
    till.work()
    with sqlite3.connect(till.wired.settings.var_dir / "sandbox.sqlite") as book:
        book.execute("UPDATE bills SET out_bill_no = 'PAYROLL1'")
    assert compare(till).foreign == 1
    with sqlite3.connect(till.wired.settings.var_dir / "sandbox.sqlite") as book:
        book.execute("UPDATE bills SET out_bill_no = 'SC0000000000101'")
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
