"""A payout, its worker, its person and a provider that loses calls, in any order that hypothesis can think of.

Whatever happens: one number a live attempt, never two bills that pay, and a book that agrees in the end.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from scancode import config
from scancode.claims.rules import Claimant
from scancode.errors import Refusal
from scancode.jobs import service as jobs
from scancode.payouts import service as payouts
from scancode.payouts.rules import REISSUABLE, PayoutState
from scancode.wiring import connect
from tests.claims.shop import open_shop, visitor
from tests.conftest import SECRETS, with_fake_pay
from tests.kept import KeptDatabase
from tests.payouts.conftest import open_till

S = PayoutState


class Money(RuleBasedStateMachine):
    """One claim's money under every fault, in any order, on a database of its own."""

    template: ClassVar[Path]
    """A migrated database to copy; the test says where it is."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="money-"))
        shutil.copy(self.template, self.folder / "db.sqlite")
        given = {"env": "test", "var_dir": self.folder, "wechatpay_rate": 1000, **SECRETS}
        known = config.load({}, database_url=f"sqlite:///{self.folder}/db.sqlite", **given)
        wired = with_fake_pay(replace(connect(known), db=KeptDatabase(known.database_url)))
        with wired.db.transaction() as session:
            shop = open_shop(session, wired)
            alice = Claimant(visitor().visitor_id, shop.openid(session))
            shop.claim(session, alice)
        self.till = open_till(wired, shop, alice)
        self.ends: dict[int, PayoutState] = {}

    def teardown(self) -> None:
        self.settle()
        self.till.wired.db.close()
        shutil.rmtree(self.folder)

    @rule(seconds=st.sampled_from([0, 5, 61, 4000]))
    def work(self, seconds: int) -> None:
        self.till.work(after_s=seconds)

    @rule(fault=st.sampled_from(["send", "send_after", "query"]), times=st.integers(1, 3))
    def fail(self, fault: str, times: int) -> None:
        self.till.world.fail_next(fault, times)

    @rule(sends=st.booleans())
    def die_between_the_calls(self, *, sends: bool) -> None:
        """A worker that gets as far as the first transaction, or the call, and is killed."""
        till = self.till
        payout = till.find()
        with till.wired.db.transaction() as session:
            place = {"code_id": till.code_id, "attempt": payout.attempt, "sealer": till.wired.sealer}
            place |= {"compose": till.world.compose, "may_send": True, "now": till.now}
            errand = payouts.prepare(session, **place)  # type: ignore[arg-type]
        if sends and errand is not None and errand.task == "send" and errand.order:
            till.world.fail_next("send", 0)
            till.world.fail_next("send_after", 0)
            till.world.send(errand.order)

    @rule(confirms=st.booleans())
    def person(self, *, confirms: bool) -> None:
        package = self.till.find().package
        if package:
            (self.till.world.confirm if confirms else self.till.world.decline)(package)

    @rule()
    def cancel(self) -> None:
        self.ask(payouts.cancel)

    @rule()
    def reissue(self) -> None:
        self.ask(payouts.reissue)

    @rule()
    def retry(self) -> None:
        self.ask(payouts.retry)

    @rule()
    @precondition(lambda self: True)
    def stop_and_go(self) -> None:
        with self.till.wired.db.transaction() as session:
            if not jobs.allow(session, name="payouts"):
                jobs.stop(session, name="payouts", reason="look", now=self.till.now)

    def ask(self, verb: Any) -> None:
        try:
            with self.till.wired.db.transaction() as session:
                verb(session, code_id=self.till.code_id, now=self.till.now)
        except Refusal:
            pass

    @invariant()
    def at_most_one_bill_can_pay(self) -> None:
        states = self.till.bills()
        assert sum(state not in {"FAIL", "CANCELLED"} for state in states) <= 1
        assert len(states) <= self.till.find().attempt

    @invariant()
    def an_end_stays(self) -> None:
        payout = self.till.find()
        if payout.is_final:
            assert self.ends.setdefault(payout.attempt, payout.state) == payout.state

    @invariant()
    def nothing_is_quarantined_by_accident(self) -> None:
        assert self.till.find().state != S.QUARANTINED

    def settle(self) -> None:
        """Everything works again: the two books must come to agree."""
        till = self.till
        for name in ("send", "send_after", "query"):
            till.world.fail_next(name, 0)
        with till.wired.db.transaction() as session:
            jobs.allow(session, name="payouts")
        for _ in range(4):
            till.work(after_s=timedelta(hours=2).total_seconds())
        payout = till.find()
        if payout.state in REISSUABLE:
            assert "SUCCESS" not in till.bills()
        else:
            wanted = {S.PAID: "SUCCESS", S.AWAITING_USER: "WAIT_USER_CONFIRM"}
            assert wanted[payout.state] in till.bills()


@pytest.mark.parametrize("examples", [40])
def test_money_is_never_paid_twice_and_never_forgotten(sqlite_template: Path, examples: int) -> None:
    Money.template = sqlite_template
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
