"""A committed shop with one claim to pay, a clock that moves, and the worker's runner on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from scancode.claims.rules import Claimant
from scancode.jobs import service as jobs
from scancode.payouts import service as payouts
from scancode.payouts.rules import PayoutFacts
from scancode.wiring import Wired
from scancode.worker import payout as runner
from tests.bank import Town
from tests.claims.shop import Shop, open_shop, visitor
from tests.factories import NOW
from tests.fakes.pay import FakePay
from tests.payouts.scene import Scene, open_scene


@dataclass
class Till:
    """One claim of 1.00 yuan by Alice, and everything that may happen to its money."""

    wired: Wired
    shop: Shop
    world: FakePay
    alice: Claimant
    code_id: int
    now: datetime = NOW
    seen: list[str] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    def find(self) -> PayoutFacts:
        with self.wired.db.reading() as session:
            return payouts.get(session, code_id=self.code_id)

    def work(self, *, after_s: float = 0) -> bool:
        """Runs the job that is due after this many seconds, if any."""
        self.now += timedelta(seconds=after_s)
        with self.wired.db.transaction() as session:
            leased = jobs.lease(session, now=self.now, lease_s=60, kinds=["payout"])
        if leased is None:
            return False
        runner.run(self.wired, leased, self.clock)
        with self.wired.db.transaction() as session:
            jobs.finish(session, leased=leased, now=self.now)
        return True

    def job(self) -> jobs.JobFacts | None:
        payout = self.find()
        with self.wired.db.reading() as session:
            return jobs.find(session, key=payouts.job_key(payout.code_id, payout.attempt))

    def bills(self) -> list[str]:
        """States of every bill that the provider has."""
        return [bill.state for bill in self.world.book.values()]

    @property
    def identity_id(self) -> UUID:
        assert self.alice.identity_id is not None
        return self.alice.identity_id


@pytest.fixture
def till(wired: Wired) -> Till:
    with wired.db.transaction() as session:
        shop = open_shop(session, wired)
        alice = Claimant(visitor().visitor_id, shop.openid(session))
        shop.claim(session, alice)
    return open_till(wired, shop, alice)


def open_till(wired: Wired, shop: Shop, alice: Claimant) -> Till:
    """With the provider's clock set to the till's."""
    pay = wired.ports.payout
    assert isinstance(pay, FakePay)
    till = Till(wired, shop, pay, alice, shop.code().code_id)
    pay.clock = till.clock
    return till


@pytest.fixture
def scene(wired: Wired, town: Town) -> Iterator[Scene]:
    with open_scene(wired, town) as found:
        yield found
