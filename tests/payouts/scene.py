"""A shop whose money is paid at the payment server that misbehaves, and Alice, who may be paid without confirming."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient
from sqlalchemy import select

from scancode.claims.rules import Claimant
from scancode.jobs import service as jobs
from scancode.payouts import service as payouts
from scancode.payouts.authorisation import AuthorisationFacts
from scancode.payouts.models import Authorisation
from scancode.payouts.rules import PayoutFacts
from scancode.wiring import Wired, connect
from scancode.worker import authorisation, payout
from tests.bank import Town
from tests.claims.shop import PREFIX, Shop, open_shop, visitor
from tests.kept import web_app

RUNNERS = {"payout": payout.run, "authorisation": authorisation.run}


@dataclass
class Scene:
    """One shop with a red packet in each code, and Alice in WeChat."""

    wired: Wired
    town: Town
    shop: Shop
    alice: Claimant
    now: datetime

    def work(self, *, after_s: float = 0) -> None:
        """Runs each job that is due by then, once."""
        self.now += timedelta(seconds=after_s)
        for _ in range(4):
            with self.wired.db.transaction() as session:
                leased = jobs.lease(session, now=self.now, lease_s=60, kinds=list(RUNNERS))
            if leased is None:
                return
            RUNNERS[leased.kind](self.wired, leased, lambda: self.now)
            with self.wired.db.transaction() as session:
                jobs.finish(session, leased=leased, now=self.now)

    def ask(self) -> AuthorisationFacts:
        assert self.alice.identity_id
        with self.wired.db.transaction() as session:
            return payouts.ask_authorisation(
                session,
                brand_id=self.shop.brand.id,
                identity_id=self.alice.identity_id,
                prefix=PREFIX,
                now=self.now,
            )

    def find(self, number: str) -> AuthorisationFacts:
        with self.wired.db.reading() as session:
            return payouts.get_authorisation(session, number=number)

    def find_all(self) -> list[AuthorisationFacts]:
        """Alice's, newest first."""
        assert self.alice.identity_id
        with self.wired.db.reading() as session:
            return payouts.list_authorisations(session, identity_ids=[self.alice.identity_id])

    def order_kept(self, number: str) -> str | None:
        """What is kept of the request, sealed."""
        with self.wired.db.reading() as session:
            return session.scalar(select(Authorisation.order).where(Authorisation.number == number))

    def is_due(self, *, after_s: float) -> bool:
        """Whether anything will be worked off by then."""
        with self.wired.db.reading() as session:
            return jobs.is_due(session, now=self.now + timedelta(seconds=after_s), kinds=list(RUNNERS))

    def grant(self) -> AuthorisationFacts:
        """Asked for, agreed to, heard of."""
        number = self.ask().number
        self.work()
        self.town.bank.grants.settle(number, "TAKING_EFFECT")
        self.work(after_s=5)
        return self.find(number)

    def claim(self, serial: int = 0) -> int:
        with self.wired.db.transaction() as session:
            self.shop.claim(session, self.alice, serial)
        return self.shop.code(serial).code_id

    def money(self, code_id: int) -> PayoutFacts:
        with self.wired.db.reading() as session:
            return payouts.get(session, code_id=code_id)

    def end(self, number: str) -> None:
        assert self.alice.identity_id
        with self.wired.db.transaction() as session:
            payouts.end_authorisation(session, number=number, identity_ids=[self.alice.identity_id], now=self.now)

    def client(self) -> FlaskClient:
        return web_app(self.wired).test_client()

    def notices(self) -> list[int]:
        """Posts what is due to the program; how each was answered."""
        client, answers = self.client(), list[int]()

        def send(url: str, headers: dict[str, str], body: bytes) -> int:
            answers.append(client.post("/pay/wechat/notify", data=body, headers=headers).status_code)
            return answers[-1]

        self.town.bank.postman._send = send
        self.town.bank.postman.deliver_due()
        return answers


@contextmanager
def open_scene(wired: Wired, town: Town) -> Iterator[Scene]:
    ports = connect(town.settings(database_url="sqlite://")).ports
    paying = replace(
        wired,
        settings=wired.settings.model_copy(update={"wechatpay_no_confirm": "*", "wechatpay_rate": 1000}),
        ports=replace(wired.ports, payout=ports.payout, authorisations=ports.authorisations),
    )
    with paying.db.transaction() as session:
        shop = open_shop(session, paying)
        alice = Claimant(visitor().visitor_id, shop.openid(session))
    yield Scene(paying, town, shop, alice, datetime.now(UTC))
    ports.payout.close()  # type: ignore[union-attr]
