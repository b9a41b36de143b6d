"""A claim that nothing speaks against so far: what its making needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scancode.campaigns.rules import Offer, PrizeFacts
from scancode.catalog.rules import BrandFacts
from scancode.channels.rules import Attribution
from scancode.claims.risk import Glimpse
from scancode.claims.rules import Claimant, ClaimCode
from scancode.claims.service.row import make_row, origin_of
from scancode.codes.rules import BatchFacts


@dataclass(frozen=True)
class Wanted:
    """A claim that nothing speaks against so far."""

    code: ClaimCode
    batch: BatchFacts
    brand: BrandFacts
    claimant: Claimant
    attribution: Attribution | None
    now: datetime
    reservation_hours: int
    prefix: str
    glimpse: Glimpse

    @property
    def day(self) -> str:
        return self.brand.day(self.now)

    def row(self, offer: Offer, prize: PrizeFacts) -> dict[str, Any]:
        made = make_row(
            code=self.code,
            batch=self.batch,
            day=self.day,
            offer=offer,
            prize=prize,
            claimant=self.claimant,
            now=self.now,
            reservation_hours=self.reservation_hours,
        )
        return made | origin_of(self.attribution)
