"""From a thing to its name in the world, and back: GS1 URIs of codes and SSCCs on the one side, units of batches on the
other. Keeps what it has read of batches for as long as it lives, which is one query or one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from batches.codes import CodeError, Kind, Verifier, batch_of, normalise
from batches.sscc import sscc_range
from scancode.catalog.models import Brand, Product
from scancode.codes.keys import Keyring
from scancode.codes.models import Batch
from scancode.codes.orders import kinds_of
from scancode.codes.rules import Range
from scancode.epcis import epcs
from scancode.packing.rules import Level, Unit

SHIPPED = (Kind.CASE, Kind.PALLET)


@dataclass(frozen=True)
class KnownBatch:
    """What names of its things are made of. ``sscc_prefix`` is empty where cases and pallets have no SSCC."""

    verifier: Verifier
    gtin: str
    kinds: tuple[Kind, ...]
    count: int
    is_test: bool
    sscc_prefix: str
    sscc_first: int

    @property
    def level(self) -> Level:
        """What a serial of the batch is, as life and shipments know it."""
        return min(Level.of(kind) for kind in self.kinds)

    @property
    def shipped(self) -> tuple[Kind, ...]:
        """The kinds that have an SSCC, in the order in which numbers were taken for them."""
        return tuple(kind for kind in self.kinds if kind in SHIPPED) if self.sscc_prefix else ()


class Things:
    """The things of one brand."""

    def __init__(self, session: Session, keyring: Keyring, brand: Brand) -> None:
        self._session = session
        self._keyring = keyring
        self.brand_id = brand.id
        self.zone = ZoneInfo(brand.timezone)
        self._known: dict[int, KnownBatch | None] = {}

    def batch(self, number: int) -> KnownBatch:
        """A batch of the brand."""
        found = self._find(number)
        if found is None:
            raise LookupError(f"there is no batch {number} of this brand")
        return found

    def _find(self, number: int) -> KnownBatch | None:
        if number not in self._known:
            query = select(Batch, Product.gtin).join(Product, Product.id == Batch.product_id)
            own = (Batch.number == number, Batch.brand_id == self.brand_id)
            found = self._session.execute(query.where(*own)).one_or_none()
            self._known[number] = self._make(*found) if found is not None else None
        return self._known[number]

    def _make(self, row: Batch, gtin: str) -> KnownBatch:
        return KnownBatch(
            Verifier(self._keyring.derive(row.kid, row.salt)),
            gtin,
            kinds_of(row.kinds),
            row.count,
            row.is_test,
            row.sscc_prefix,
            row.sscc_first,
        )

    def names(self, number: int, level: Level, ranges: list[Range]) -> list[str]:
        """URIs of what is printed outside: the SSCC of a case or a pallet that has one, the code of anything else."""
        batch, kind = self.batch(number), Kind(int(level))
        if kind in batch.shipped:
            step, place = len(batch.shipped), batch.shipped.index(kind)
            return [
                epcs.sscc(bytes(row).decode("ascii"))
                for first, last in ranges
                for row in sscc_range(
                    batch.sscc_prefix, batch.sscc_first + first * step + place, last - first + 1, step
                )
            ]
        if level is Level.ITEM and Kind.OUTER in batch.kinds:
            kind = Kind.OUTER  # what a partner can scan; the inner code is the prize
        return [
            epcs.sgtin(batch.gtin, batch.verifier.mint(number, kind, serial))
            for first, last in ranges
            for serial in range(first, last + 1)
        ]

    def find(self, text: str) -> Unit | None:
        """The brand's thing that a URI names; None where it names none. Raises BadEpc."""
        named = epcs.read(text)
        if isinstance(named, epcs.Sgtin):
            return self._of_code(named)
        return self._of_sscc(named.digits) if named is not None else None

    def _of_code(self, named: epcs.Sgtin) -> Unit | None:
        try:
            code = normalise(named.serial)
            number = batch_of(code)
            batch = self._find(number)
            if batch is None or batch.gtin != named.gtin:
                return None
            parts = batch.verifier.verify(code)
        except CodeError:
            return None
        kind = Kind(parts.kind)
        if kind not in batch.kinds or parts.serial >= batch.count:
            return None
        return Unit(number, Level.of(kind), parts.serial)

    def _of_sscc(self, digits: str) -> Unit | None:
        prefixes = self._session.scalars(
            select(Batch.sscc_prefix).where(Batch.brand_id == self.brand_id, Batch.sscc_prefix != "").distinct()
        )
        for prefix in prefixes:
            if not digits[1:].startswith(prefix):
                continue
            reference = int(digits[0] + digits[1 + len(prefix) : -1])
            number = self._session.scalar(
                select(Batch.number)
                .where(Batch.brand_id == self.brand_id, Batch.sscc_prefix == prefix, Batch.sscc_first <= reference)
                .order_by(Batch.sscc_first.desc())
                .limit(1)
            )
            batch = self._find(number) if number is not None else None
            if batch is None or number is None:
                continue
            serial, place = divmod(reference - batch.sscc_first, len(batch.shipped))
            if serial < batch.count:
                return Unit(number, Level.of(batch.shipped[place]), serial)
        return None
