"""``make soak``: 20,000 claims while the payment server misbehaves in every scripted way and web and worker are killed
with -9 every few seconds; in the middle a restore from a backup. Then everything works again, and the three books
(claims and points, payouts, the provider's) must agree: nobody paid twice, nobody forgotten, the budget kept. Half of
the codes lie in an exact table, the others turn a wheel whose money runs out: what it has counted must be what it gave.

``SOAK_S`` (600) is how long the storm lasts, over both databases together; ``ONLY`` (``sqlite postgresql``) which of
them; ``CLAIMS`` how many. Exits 1 when the books do not agree.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from scancode import config, migrations
from scancode.campaigns import service as campaigns
from scancode.campaigns.conditions import Conditions
from scancode.campaigns.planning import PrizeLine
from scancode.catalog import revision
from scancode.claims.models import Claim, ClaimState, PersonCount
from scancode.errors import Refusal
from scancode.payouts import service as payouts
from scancode.payouts.models import Payout
from scancode.payouts.rules import REISSUABLE, PayoutState
from scancode.sandbox_pay import keys
from scancode.sandbox_pay.faults import NAMES
from scancode.stories.reconcile import reconcile
from scancode.wiring import Wired, connect
from tests import factories, postgres, servers
from tests.bench.world import SECRETS, World, claim_requests
from tests.soak.crew import Claimers, Crew, People, ask

SOAK_S = float(os.environ.get("SOAK_S", "600"))
CLAIMS = int(os.environ.get("CLAIMS", "20000"))
ONLY = os.environ.get("ONLY", "sqlite postgresql").split()
HALF = CLAIMS // 2
CALM_S = 900
MONEY_EVERY = 5
"""One code in so many holds money, as in a real campaign; as many hold points."""
CHANCES = dict.fromkeys(NAMES, 0.02) | {"query:amount": 0.002, "query:openid": 0.002, "send:hang": 0.005,
                                              "query:hang": 0.005, "send:hang_after": 0.005}  # fmt: skip
S = PayoutState


def main() -> int:
    wrong = 0
    stop = postgres.start_own(durable=True) if "postgresql" in ONLY else None
    try:
        for kind in ONLY:
            with tempfile.TemporaryDirectory(prefix="soak-") as folder, ExitStack() as stack:
                here = Path(folder)
                url = f"sqlite:///{here / 'soak.sqlite'}"
                if kind == "postgresql":
                    url = stack.enter_context(postgres.fresh_database("scancode_soak"))
                wrong += Soak(kind, url, here, SOAK_S / len(ONLY)).run()
    finally:
        if stop is not None:
            stop()
    return 1 if wrong else 0


class Soak:
    """One database's storm and what comes after it."""

    def __init__(self, kind: str, url: str, folder: Path, seconds: float) -> None:
        self.kind, self.url, self.folder, self.seconds = kind, url, folder, seconds
        self.dice = random.Random(20261129)
        self.pay_port, self.web_port = servers.free_port(), servers.free_port()
        self.pay_url = f"http://127.0.0.1:{self.pay_port}"
        self.environ = self._environment()
        self.wired: Wired = connect(config.load(self.environ))
        migrations.upgrade(self.wired.db)

    def say(self, text: str) -> None:
        print(f"[{datetime.now(UTC):%H:%M:%S}] {self.kind}: {text}", flush=True)

    def run(self) -> int:
        self.worlds = self._fill()
        requests = [one for world in self.worlds for one in claim_requests(world, world.codes(0, HALF))]
        self.dice.shuffle(requests)
        crew = Crew(self.environ, self.folder, self.web_port, self.pay_port)
        claimers, people = Claimers(requests, self.web_port, self.seconds * 0.8), People(self.pay_url, self.dice)
        try:
            crew.start_all()
            ask(self.pay_url, "/sandbox/set", {"balance": CLAIMS * 200})
            ask(self.pay_url, "/sandbox/chances", CHANCES)
            claimers.start()
            people.start()
            self._storm(crew, claimers)
            self._calm(crew, claimers, people)
            return self._judge(crew, claimers)
        finally:
            claimers.stop()
            people.stop()
            crew.stop_all()
            self.wired.db.close()

    def _storm(self, crew: Crew, claimers: Claimers) -> None:
        begun, backup, restored = time.monotonic(), self.folder / "backup.zip", False
        end = begun + self.seconds
        while (now := time.monotonic()) < end or not restored:
            passed = now - begun
            time.sleep(self.dice.uniform(1.5, 4.0))
            crew.kill(self.dice.choice(["serve", "worker", "worker"]))
            self._look_after()
            if not backup.exists() and passed > self.seconds * 0.4:
                crew.command("backup", str(backup))
                self.say(f"backup after {claimers.done} claims")
            if not restored and backup.exists() and passed > self.seconds * 0.55:
                self._restore(crew, backup, claimers)
                restored, end = True, max(end, time.monotonic() + self.seconds * 0.3)  # it storms on afterwards
        self.say(f"storm over: {claimers.done} claims, {crew.kills} kills")

    def _restore(self, crew: Crew, backup: Path, claimers: Claimers) -> None:
        crew.pause()
        self.wired.db.close()
        crew.command("restore", str(backup), "--replace", "--yes")
        ask(self.pay_url, "/sandbox/chances", {})
        crew.resume()
        self.wired = connect(config.load(self.environ))
        for _ in range(40):
            if crew.command("reconcile", check=False) == 0:
                break
            self._look_after(everything=True)
            time.sleep(2)
        else:
            raise AssertionError("the books never agreed after the restore")
        claimers.again()
        ask(self.pay_url, "/sandbox/chances", CHANCES)
        self.say("restored, reconciled, going on")

    def _calm(self, crew: Crew, claimers: Claimers, people: People) -> None:
        """No more faults: everybody gets what is theirs. People who let it lapse have it sent again."""
        ask(self.pay_url, "/sandbox/chances", {})
        crew.kill_no_more()
        people.confirm_all()
        end = time.monotonic() + CALM_S
        while time.monotonic() < end:
            self._look_after(everything=True)
            left = self._left()
            self.say(f"{claimers.done} of {CLAIMS} claims, {left} payments under way")
            if claimers.done >= CLAIMS and left == 0:
                return
            time.sleep(5)
        raise AssertionError("it never came to rest")

    def _left(self) -> int:
        with self.wired.db.reading() as session:
            paid = select(Payout.code_id).where(Payout.state == S.PAID.value)
            return session.scalar(select(func.count()).select_from(Payout).where(Payout.code_id.not_in(paid))) or 0

    def _look_after(self, *, everything: bool = False) -> None:
        """Staff: quarantined payments are asked about again, ended ones sent again, the others looked at sooner."""
        states = [S.QUARANTINED, *REISSUABLE] + ([S.UNKNOWN, S.SENDING, S.AWAITING_USER] if everything else [])
        now = datetime.now(UTC)
        try:
            with self.wired.db.reading() as session:
                rows = payouts.list_payouts(session, brand_id=None, states=states, limit=400)
            for row in rows:
                self.wired.db.retrying(lambda session, row=row: _push(session, row, now))  # type: ignore[misc]
        except Exception as error:  # a database that is being replaced; the next round finds it
            self.say(f"staff wait: {type(error).__name__}")

    def _judge(self, crew: Crew, claimers: Claimers) -> int:
        assert self.wired.ports.payout is not None
        report = reconcile(
            self.wired.db,
            self.wired.ports.payout,
            sealer=self.wired.sealer,
            draw_sealer=self.wired.draw_sealer,
            prefix=self.wired.settings.payout_prefix,
            since=datetime.now(UTC) - timedelta(days=1),
            actor="soak",
            clock=lambda: datetime.now(UTC),
        )
        told = ask(self.pay_url, "/sandbox/state", {"bills": True})
        paid = Counter(row["out_bill_no"][2:-2] for row in told["bills"] if row["state"] == "SUCCESS")
        with self.wired.db.reading() as session:
            won = set(session.scalars(select(Claim.code_id).where(Claim.prize_kind == "red_packet")))
            owed = session.scalar(select(func.sum(Claim.amount)).where(Claim.prize_kind == "red_packet")) or 0
            claims = session.scalar(select(func.count()).select_from(Claim)) or 0
            adopted = session.scalar(select(func.count()).where(Claim.state == ClaimState.QUARANTINED.value)) or 0
        paid_fen = sum(row["amount_fen"] for row in told["bills"] if row["state"] == "SUCCESS")
        wrong = {
            "claims missing": CLAIMS - claims,
            "paid twice": sum(count > 1 for count in paid.values()),
            "forgotten": len(won) - len(paid),
            "over budget, fen": max(0, paid_fen - self.budget_fen),
            "owed and paid differ, fen": owed - paid_fen,
            "differences": len(report.open),
            "books differ, fen": report.provider_paid_fen - report.our_paid_fen,
            **self._counted(),
        }
        self.say(
            f"{claims} claims, {len(paid)} payments of {paid_fen / 100:.2f} yuan, {len(told['bills'])} bills, "
            f"{crew.kills} kills, {claimers.tries} requests; faults: {sum(told['happened'].values())} of "
            f"{len(told['happened'])} kinds; {adopted} claims of which only the provider knew"
        )
        for name, count in wrong.items():
            self.say(f"{'ok   ' if not count else 'WRONG'} {name}: {count}")
        for one in report.open[:20]:
            self.say(f"  {one}")
        return sum(1 for count in wrong.values() if count)

    def _counted(self) -> dict[str, int]:
        """How far what the wheel counted down is from what it gave; adopted claims count for no person."""
        with self.wired.db.reading() as session:
            claims = select(func.count()).where(Claim.campaign_id == self.wheel_id)
            adopted = session.scalar(claims.where(Claim.state == ClaimState.QUARANTINED.value)) or 0
            counted = session.scalar(
                select(func.sum(PersonCount.claims_count)).where(
                    PersonCount.campaign_id == self.wheel_id, PersonCount.period == ""
                )
            )
            off = (session.scalar(claims) or 0) - int(counted or 0)
            stock = 0
            for prize in campaigns.list_prizes(session, campaign_id=self.wheel_id):
                left = campaigns.find_left(session, owner_id=prize.id, name=campaigns.STOCK)
                given = session.scalar(claims.where(Claim.prize_id == prize.id)) or 0
                stock += abs(prize.count - left - given) if left is not None else 0
            left_fen = campaigns.find_left(session, owner_id=self.wheel_id, name=campaigns.BUDGET_FEN) or 0
            money = select(func.coalesce(func.sum(Claim.amount), 0)).where(Claim.campaign_id == self.wheel_id)
            given_fen = session.scalar(money.where(Claim.prize_kind == "red_packet")) or 0
        self.say(f"the wheel gave {given_fen / 100:.2f} yuan, has {left_fen / 100:.2f} left; {adopted} adopted")
        return {
            "wheel's stock and claims differ": stock,
            "wheel's budget and claims differ, fen": self.wheel_fen - left_fen - int(given_fen),
            "people's counts and claims differ": max(-off, off - adopted, 0),
        }

    def _environment(self) -> dict[str, str]:
        own = keys.load(self.folder / "pay").settings(self.pay_url)
        return {
            **{config.variable_of(name): value for name, value in SECRETS.items()},
            **own,
            "DATABASE_URL": self.url,
            "PORT": str(self.web_port),
            "SCANCODE_ENV": "test",
            "SCANCODE_VAR_DIR": str(self.folder),
            "SCANCODE_LOG_LEVEL": "ERROR",
            "SCANCODE_WEB_WORKERS": "2",
            "SCANCODE_BASE_URL": f"http://127.0.0.1:{self.web_port}",
            "SCANCODE_WECHATPAY_TIMEOUT_S": "2",
        }

    def _fill(self) -> list[World]:
        """A brand whose every code is on sale: half of them in a campaign with an exact table, half in one with a wheel
        that counts its prizes, its money and everybody's codes, and whose money does not last."""
        now, money = datetime.now(UTC), HALF // MONEY_EVERY
        self.wheel_fen = money * 90
        self.budget_fen = money * 100 + self.wheel_fen
        window = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=30)}
        prizes = [
            PrizeLine("red_packet", 100, money, "红包", "Red packet"),
            PrizeLine("points", 10, money, "积分", "Points"),
        ]
        with self.wired.db.transaction() as session:
            brand = factories.make_brand(session)
            product = factories.make_product(session, brand_id=brand.id, gtin="06901234567892")
            exact, wheel = (
                factories.make_batch(session, brand_id=brand.id, product_id=product.id, count=HALF, **more)
                for more in ({}, {"number": 2_222_222, "order_no": "PO-2"})
            )
            for batch in (exact, wheel):
                factories.make_life(session, batch_number=batch.number, first=0, last=HALF - 1)
            budget = {"budget_fen": money * 100, "budget_points": money * 10}
            factories.make_offer(session, self.wired.draw_sealer, batch=exact, prizes=prizes, **window, **budget)
            self.wheel_id = factories.make_offer(
                session,
                self.wired.draw_sealer,
                batch=wheel,
                mode="odds",
                prizes=[replace(one, chance_ppm=1_000_000 // MONEY_EVERY, count=HALF) for one in prizes],
                conditions=Conditions(person_max=HALF, person_day_max=HALF, day_max=HALF * 2),
                **window,
                budget_fen=self.wheel_fen,
                budget_points=HALF * 10,
            ).id
            revision.bump(session)
            keyring = self.wired.keyring
            return [
                World(self.wired, one.number, brand.id, keyring.derive(one.kid, one.salt), self.environ)
                for one in (exact, wheel)
            ]


def _push(session: object, row: payouts.PayoutFacts, now: datetime) -> None:  # type: ignore[name-defined]
    try:
        if row.state == S.QUARANTINED:
            payouts.recheck(session, code_id=row.code_id, now=now)  # type: ignore[arg-type]
        elif row.state in REISSUABLE:
            payouts.reissue(session, code_id=row.code_id, now=now)  # type: ignore[arg-type]
        else:
            payouts.retry(session, code_id=row.code_id, now=now)  # type: ignore[arg-type]
    except Refusal:
        return


if __name__ == "__main__":
    sys.exit(main())
