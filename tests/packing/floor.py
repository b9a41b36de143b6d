"""A packing floor: a brand with a batch of items, one of cases and one of pallets, and another brand's items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from batches import codes as press
from scancode.codes.models import Batch
from scancode.packing.rules import Level, Unit
from scancode.wiring import Wired
from tests import factories

BY: dict[str, Any] = {"actor": "staff:carol", "now": factories.NOW}


@dataclass(frozen=True)
class Floor:
    brand_id: UUID
    product_id: UUID
    items: int
    cases: int
    pallets: int
    foreign: int
    keys: dict[int, bytes]

    def item(self, serial: int) -> Unit:
        return Unit(self.items, Level.ITEM, serial)

    def case(self, serial: int) -> Unit:
        return Unit(self.cases, Level.CASE, serial)

    def pallet(self, serial: int) -> Unit:
        return Unit(self.pallets, Level.PALLET, serial)

    def code(self, unit: Unit, kind: press.Kind | None = None) -> str:
        return press.mint_one(
            self.keys[unit.batch], unit.batch, press.Kind(int(unit.level)) if kind is None else kind, unit.serial
        )


def make_floor(session: Session, wired: Wired, *, count: int = 1000) -> Floor:
    brand, other = factories.make_brand(session), factories.make_brand(session)
    product = factories.make_product(session, brand_id=brand.id)
    foreign = factories.make_product(session, brand_id=other.id)

    def batch(kinds: str, **over: Any) -> Batch:
        columns = {"brand_id": brand.id, "product_id": product.id} | over
        return factories.make_batch(session, kinds=kinds, count=count, **columns)

    made = [
        batch("outer,inner"), batch("case"), batch("pallet"),
        batch("inner", brand_id=other.id, product_id=foreign.id),
    ]  # fmt: skip
    keys = {row.number: wired.keyring.derive(row.kid, row.salt) for row in made}
    return Floor(brand.id, product.id, *(row.number for row in made), keys)
