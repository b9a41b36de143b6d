"""A brand with one batch on sale and a campaign over it: where the tests of claims and payouts start from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from batches.codes import Kind, code_id
from scancode.campaigns import service as campaigns
from scancode.campaigns.planning import PrizeLine
from scancode.campaigns.rules import Offer
from scancode.catalog import service as catalog
from scancode.catalog.rules import BrandFacts
from scancode.claims import service as claims
from scancode.claims.rules import ClaimAnswer, Claimant, ClaimCode
from scancode.codes import service as codes
from scancode.codes.rules import BatchFacts
from scancode.db import new_id
from scancode.members import service as members
from scancode.scans.models import Suspicion
from scancode.wiring import Wired
from tests.factories import NOW, make_batch, make_brand, make_life, make_offer, make_product

PREFIX = "SC"
RED_PACKETS: Sequence[PrizeLine] = ()
"""Every code holds 1.00 yuan."""


def points(amount: int = 50) -> Sequence[PrizeLine]:
    return (PrizeLine("points", amount, 1000, "积分", "Points"),)


@dataclass(frozen=True)
class Shop:
    wired: Wired
    brand: BrandFacts
    batch: BatchFacts
    offer: Offer | None
    campaign_id: UUID

    def code(self, serial: int = 0, kind: Kind = Kind.INNER) -> ClaimCode:
        return ClaimCode(code_id(self.batch.number, kind, serial), self.batch.number, kind, serial)

    def text(self, serial: int = 0, kind: Kind = Kind.INNER) -> str:
        return self.batch.verifier.mint(self.batch.number, kind, serial)

    def claim(
        self, session: Session, claimant: Claimant, serial: int = 0, *, now: datetime = NOW, **over: Any
    ) -> ClaimAnswer:
        values = {
            "code": self.code(serial),
            "batch": self.batch,
            "brand": self.brand,
            "offer": self.offer,
            "claimant": claimant,
            "now": now,
            "reservation_hours": 72,
            "prefix": PREFIX,
            "draw_sealer": self.wired.draw_sealer,
        }
        return claims.claim(session, claims.Request(**(values | over)))

    def bind(self, session: Session, claimant: Claimant, *, now: datetime = NOW) -> int:
        return len(claims.bind(session, claimant=claimant, brand_id=self.brand.id, prefix=PREFIX, now=now))

    def openid(self, session: Session, value: str = "openid-alice", **over: Any) -> UUID:
        return members.identify(
            session, brand_id=self.brand.id, kind="openid", value=value, sealer=self.wired.sealer, now=NOW, **over
        ).id

    def phone(self, session: Session, value: str = "+8613800000001") -> UUID:
        return members.identify(
            session, brand_id=self.brand.id, kind="phone", value=value, sealer=self.wired.sealer, now=NOW
        ).id

    def member(self, session: Session, phone: str = "+8613800000001") -> tuple[UUID, UUID]:
        """Phone identity and member."""
        phone_id = self.phone(session, phone)
        member, _ = members.join(session, phone_identity_id=phone_id, brand_id=self.brand.id, language="zh", now=NOW)
        return phone_id, member.id


def open_shop(session: Session, wired: Wired, *, prizes: Sequence[PrizeLine] = RED_PACKETS, **over: Any) -> Shop:
    """Makes it all in this session. ``over``: columns of the batch, or ``campaign`` with its terms."""
    terms = over.pop("campaign", {})
    brand = make_brand(session)
    product = make_product(session, brand_id=brand.id)
    batch = make_batch(session, brand_id=brand.id, product_id=product.id, **({"kinds": "outer,inner"} | over))
    make_life(session, batch_number=batch.number, first=0, last=batch.count - 1)
    campaign = make_offer(session, wired.draw_sealer, batch=batch, prizes=prizes, **({"budget_fen": 200_000} | terms))
    facts = codes.load_batch(session, number=batch.number, keyring=wired.keyring)
    brand_facts = catalog.load_brand(session, brand_id=brand.id)
    assert facts is not None
    assert brand_facts is not None
    offer = campaigns.find_offer(session, batch_number=batch.number, serial=0, sealer=wired.draw_sealer)
    return Shop(wired, brand_facts, facts, offer, campaign.id)


def visitor() -> Claimant:
    """A browser that nobody knows."""
    return Claimant(new_id(NOW))


def mark(session: Session, shop: Shop, code_id: int) -> None:
    """A code of the shop looks copied."""
    values = {"state": "open", "signs": "visitors", "visitors": 20, "cities": 0, "found_at": NOW}
    where = {"brand_id": shop.brand.id, "product_id": shop.batch.product_id, "batch_number": shop.batch.number}
    session.add(Suspicion(code_id=code_id, **where, **values))
    session.flush()
