"""The short form of ``make soak``: claims, a worker that is killed between any two steps, a payment server that
misbehaves in every scripted way, people who take their money or let it lapse, and one restore from a backup. In the end
the three books agree: nobody was paid twice, nobody forgotten, the budget kept.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine

from scancode.claims.rules import Claimant
from scancode.cli import backups
from scancode.db import new_id
from scancode.errors import Refusal
from scancode.jobs import service as jobs
from scancode.payouts import service as payouts
from scancode.payouts.rules import REISSUABLE, PayoutState
from scancode.sandbox_pay.faults import NAMES
from scancode.stories import going_on, reconcile
from scancode.stories.books import Report
from scancode.wiring import Wired
from scancode.worker import loop
from tests.bank import Town, open_bank
from tests.claims.shop import PREFIX, Shop, open_shop
from tests.conftest import NOW
from tests.kept import web_app

S = PayoutState
COUNT, ROUNDS, KILLED = 12, 8, 0.06
CHANCES = dict.fromkeys(NAMES, 0.04) | {"query:amount": 0.01, "query:openid": 0.01, "notice:lost": 0.2}


class Kill(BaseException):
    """``kill -9``: nothing catches it, nothing is tidied up."""


class Deadly:
    """The gateway of a worker that dies before or after any call."""

    def __init__(self, inner: Any, dice: random.Random) -> None:
        self._inner, self._dice = inner, dice
        self.is_deadly = True

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return found if name in ("compose", "confirmation", "read_notice", "close") else self._mortal(found)

    def _mortal(self, call: Any) -> Any:
        def mortal(*given: Any, **named: Any) -> Any:
            self._perhaps_die()
            answer = call(*given, **named)
            self._perhaps_die()
            return answer

        return mortal

    def _perhaps_die(self) -> None:
        if self.is_deadly and self._dice.random() < KILLED:
            raise Kill


@dataclass
class World:
    """Everybody who takes part, on a clock that moves by minutes."""

    wired: Wired
    town: Town
    shop: Shop
    people: list[UUID]
    gateway: Deadly
    dice: random.Random
    now: datetime

    def claim_all(self) -> None:
        """Everybody tries their code; what is theirs already, or stopped, is said and changes nothing."""
        for serial, identity_id in enumerate(self.people):
            try:
                with self.wired.db.transaction() as session:
                    self.shop.claim(session, Claimant(new_id(self.now), identity_id), serial, now=self.now)
            except Refusal:
                continue

    def turn(self) -> None:
        """Two minutes: the worker, perhaps killed; people; notices; whoever lets expired money be sent again."""
        self.now += timedelta(minutes=2)
        with contextlib.suppress(Kill):
            loop.run(self.wired, stop_event=threading.Event(), kinds=["payout"], once=True, clock=lambda: self.now)
        for row in self.town.bank.book.waiting():
            end = ("SUCCESS", None) if self.dice.random() < 0.7 else ("FAIL", "OVERDUE_CLOSE")
            self.town.bank.book.settle(row.out_bill_no, *end)
        self.town.bank.postman.deliver_due()
        self.look_after()

    def look_after(self) -> None:
        """What staff do: quarantined payments are asked about again, ended ones sent again."""
        for payout in self.latest():
            with contextlib.suppress(Refusal), self.wired.db.transaction() as session:
                if payout.state == S.QUARANTINED:
                    payouts.recheck(session, code_id=payout.code_id, now=self.now)
                elif payout.state in REISSUABLE:
                    payouts.reissue(session, code_id=payout.code_id, now=self.now)
                elif not payout.is_final:
                    payouts.retry(session, code_id=payout.code_id, now=self.now)

    def latest(self) -> list[Any]:
        with self.wired.db.reading() as session:
            found = (payouts.find(session, code_id=self.shop.code(serial).code_id) for serial in range(COUNT))
            return [one for one in found if one is not None]

    def compare(self) -> Report:
        return reconcile.reconcile(
            self.wired.db,
            self.gateway,
            sealer=self.wired.sealer,
            draw_sealer=self.wired.draw_sealer,
            prefix=PREFIX,
            since=self.now - timedelta(days=1),
            actor="test",
            clock=lambda: self.now,
        )

    def restore(self, backup: Path) -> None:
        """Back to the backup, everything stopped; then the books are compared until they agree."""
        backups.restore(self.wired.db, backup, now=self.now, progress=lambda *_: None, replace=True)
        self.calm()
        with self.wired.db.reading() as session:
            assert jobs.is_stopped(session, "payouts") is not None
        for _ in range(4):
            report = self.compare()
            if report.agrees:
                break
            self.look_after()
            self.turn()
        with self.wired.db.transaction() as session:
            going_on.let_go_on(session, report=report, accept=False, actor="test", now=self.now)

    def calm(self) -> None:
        self.town.bank.faults.chances({})
        self.gateway.is_deadly = False

    def storm(self) -> None:
        self.town.bank.faults.chances(CHANCES)
        self.gateway.is_deadly = True


@pytest.fixture
def noon() -> Iterator[None]:
    """Every clock shows noon in Shanghai and goes on, that of the payment server too, whose files are a day's."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def world(noon: None, wired: Wired) -> Iterator[World]:
    now, dice = datetime.now(UTC), random.Random(7)
    holder: dict[str, Any] = {}

    def post(_url: str, headers: dict[str, str], body: bytes) -> int:
        return int(holder["client"].post("/pay/wechat/notify", data=body, headers=headers).status_code)

    with open_bank(hang_s=0.01, send=post) as town:
        gateway = Deadly(town.gateway(), dice)
        wired = replace(wired, ports=replace(wired.ports, payout=gateway))
        with wired.db.transaction() as session:
            terms = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=9), "budget_fen": 200_000}
            shop = open_shop(session, wired, campaign=terms)
            people = [shop.openid(session, f"openid-{number}") for number in range(COUNT)]
        holder["client"] = web_app(wired).test_client()
        yield World(wired, town, shop, people, gateway, dice, now)


def test_after_every_fault_and_a_restore_the_three_books_agree(world: World, tmp_path: Path) -> None:
    world.storm()
    world.claim_all()
    backup = tmp_path / "backup.zip"
    for number in range(ROUNDS):
        world.turn()
        if number == 2:
            backups.make(world.wired.db, backup, now=world.now, progress=lambda *_: None)
    happened = world.town.bank.faults.happened
    assert len(happened) > 15, happened
    world.restore(backup)
    world.claim_all()
    world.storm()
    for _ in range(3):
        world.turn()
    world.calm()
    for _ in range(30):
        world.turn()
        if all(payout.state == S.PAID for payout in world.latest()) and len(world.latest()) == COUNT:
            break
    report = world.compare()
    assert report.open == []
    bills = world.town.bank.book.bills()
    paid = [bill for bill in bills if bill.state == "SUCCESS"]
    assert len(paid) == len({bill.openid for bill in paid}) == COUNT, "nobody twice, nobody forgotten"
    assert report.provider_paid_fen == report.our_paid_fen == sum(bill.amount_fen for bill in paid) == COUNT * 100
