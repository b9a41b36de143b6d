"""A brand with a live batch in which every code holds points or a red packet, a store it was shipped to, and people
who scan, claim and join."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from batches.codes import code_id
from scancode.campaigns.planning import PrizeLine
from scancode.catalog import service as catalog
from scancode.catalog.rules import BrandFacts
from scancode.channels.rules import UNKNOWN, Attribution, Seen, TouchpointFacts
from scancode.claims import service as claims
from scancode.claims.rules import ClaimAnswer, Claimant, ClaimCode
from scancode.codes import service as codes
from scancode.db import new_id
from scancode.members import service as members
from scancode.ports import Login
from scancode.scans.models import Scan
from scancode.stories import join as joining
from scancode.stories import sign_in as signing
from scancode.wiring import Wired
from tests import factories

NOW = factories.NOW
PHONE = "+8613812348000"
POINTS = [PrizeLine("points", 50, 1000, "50 积分", "50 points")]
MONEY = [PrizeLine("red_packet", 188, 1000, "红包", "Red packet")]


@dataclass(frozen=True)
class Scene:
    wired: Wired
    session: Session
    brand: BrandFacts
    product_id: UUID
    batch_number: int
    channel_id: UUID
    store_id: UUID

    def code_id(self, serial: int) -> int:
        return code_id(self.batch_number, 1, serial)

    @property
    def shipped(self) -> Attribution:
        return Attribution("shipment", self.channel_id, self.store_id)

    def touchpoint(self, **over: Any) -> TouchpointFacts:
        point = factories.make_touchpoint(self.session, brand_id=self.brand.id, channel_id=self.channel_id, **over)
        return TouchpointFacts(
            id=point.id,
            token=point.token,
            brand_id=point.brand_id,
            kind=point.kind,
            channel_id=point.channel_id,
            store_id=point.store_id,
            guide_id=point.guide_id,
            scene=point.scene,
            placement=point.placement,
            name=point.name,
            is_active=True,
        )

    def scan(
        self, visitor_id: UUID, serial: int, *, at: datetime = NOW, by: Attribution | None = None, **over: Any
    ) -> None:
        origin = by or self.shipped
        columns = {
            "code_id": self.code_id(serial),
            "id": new_id(at),
            "scanned_at": at,
            "day": self.brand.day(at),
            "verdict": "first",
            "visitor_id": visitor_id,
            "brand_id": self.brand.id,
            "product_id": self.product_id,
            "batch_number": self.batch_number,
            "source": origin.source,
            "channel_id": origin.channel_id,
            "store_id": origin.store_id,
            "guide_id": origin.guide_id,
            "touchpoint_id": origin.touchpoint_id,
            "client": "wechat",
            "is_test": False,
        }
        self.session.add(Scan(**(columns | over)))
        self.session.flush()

    def claim(self, claimant: Claimant, serial: int, *, at: datetime = NOW) -> ClaimAnswer:
        batch = codes.load_batch(self.session, number=self.batch_number, keyring=self.wired.keyring)
        assert batch is not None
        asked = claims.Request(
            code=ClaimCode(self.code_id(serial), self.batch_number, 1, serial),
            batch=batch,
            brand=self.brand,
            offer=None,
            claimant=claimant,
            now=at,
            reservation_hours=72,
            prefix="SC",
            draw_sealer=self.wired.draw_sealer,
            attribution=UNKNOWN,
        )
        return claims.claim(self.session, asked)

    def join(
        self,
        visitor_id: UUID,
        *,
        phone: str = PHONE,
        identity_id: UUID | None = None,
        touches: Sequence[Seen] = (),
        at: datetime = NOW,
        marketing: bool = False,
        terms: bool = True,
        can_write: bool = False,
    ) -> joining.Joined:
        return joining.join(
            self.session,
            brand=self.brand,
            phone=phone,
            arrival=joining.Arrival(visitor_id, identity_id, touches, touch_days=7),
            accepts_terms=terms,
            accepts_marketing=marketing,
            language="zh",
            can_write=can_write,
            sealer=self.wired.sealer,
            prefix="SC",
            now=at,
        )

    def sign_in(
        self, visitor_id: UUID, openid: str, *, member_id: UUID | None = None, at: datetime = NOW
    ) -> signing.SignedIn:
        return signing.sign_in(
            self.session,
            brand_id=self.brand.id,
            login=Login(openid),
            visitor_id=visitor_id,
            member_id=member_id,
            sealer=self.wired.sealer,
            prefix="SC",
            now=at,
        )

    def openid(self, value: str) -> UUID:
        return members.identify(
            self.session, brand_id=self.brand.id, kind="openid", value=value, sealer=self.wired.sealer, now=NOW
        ).id


def set_up(wired: Wired, session: Session, prizes: list[PrizeLine] | None = None, around: datetime = NOW) -> Scene:
    """``around`` is when the campaign runs: the tests' noon, or for pages the real time."""
    brand = factories.make_brand(session)
    product = factories.make_product(session, brand_id=brand.id)
    batch = factories.make_batch(session, brand_id=brand.id, product_id=product.id)
    factories.make_life(session, batch_number=batch.number, first=0, last=999)
    channel = factories.make_channel(session, brand_id=brand.id)
    store = factories.make_store(session, channel_id=channel.id)
    factories.make_offer(
        session,
        wired.draw_sealer,
        batch=batch,
        prizes=prizes or POINTS,
        budget_fen=1_000_000,
        starts_at=around - timedelta(days=30),
        ends_at=around + timedelta(days=30),
    )
    facts = catalog.load_brand(session, brand_id=brand.id)
    assert facts is not None
    return Scene(wired, session, facts, product.id, batch.number, channel.id, store.id)
