"""What a claim is asked with, and what its making needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scancode.campaigns.rules import Offer, PrizeFacts
from scancode.catalog.rules import BrandFacts
from scancode.channels.rules import Attribution
from scancode.claims.risk import NO_GLIMPSE, Glimpse
from scancode.claims.rules import Claimant, ClaimCode
from scancode.claims.service.row import make_row, origin_of
from scancode.codes.rules import BatchFacts
from scancode.sealing import Sealer


@dataclass(frozen=True, kw_only=True)
class Request:
    """One claim to make. ``offer`` may be as old as a cache is: whether it still runs is read when it is made. Without
    ``attribution`` the claim takes that of the scan. ``turn`` is the turn of the wheel that is asked for; ``glimpse``
    is what memory knows of whoever asks."""

    code: ClaimCode
    batch: BatchFacts
    brand: BrandFacts
    offer: Offer | None
    claimant: Claimant
    attribution: Attribution | None = None
    now: datetime
    reservation_hours: int
    prefix: str
    draw_sealer: Sealer
    turn: int = 1
    glimpse: Glimpse = NO_GLIMPSE

    @property
    def smells(self) -> bool:
        """The campaign may hold it, and memory says that somebody should look closer."""
        return self.offer is not None and self.offer.conditions.hold_score is not None and self.glimpse.smells

    @property
    def day(self) -> str:
        return self.brand.day(self.now)

    def row(self, offer: Offer, prize: PrizeFacts) -> dict[str, Any]:
        """The claim as it is written."""
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
