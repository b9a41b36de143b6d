"""A brand with a print house and a batch whose files are made, for the tests of handing over."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from batches.codes import Kind
from batches.sealed import new_identity
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.handover import service as handover
from scancode.handover.models import SealedPack
from scancode.handover.passes import Passes
from scancode.handover.rules import PackForm
from scancode.wiring import Wired
from scancode.worker import loop
from tests import factories


@dataclass
class Works:
    wired: Wired
    brand_id: UUID
    product_id: UUID
    house_id: UUID
    identity: str
    number: int
    plain: dict[str, bytes]

    @property
    def folder(self) -> Path:
        return codes.pack_folder(self.wired.settings.var_dir, self.number)

    def batch(self) -> Batch:
        with self.wired.db.reading() as session:
            return codes.get_batch(session, number=self.number)

    def ask(self, form: PackForm = PackForm.AGE, *, now: datetime | None = None) -> tuple[UUID, str | None]:
        with self.wired.db.transaction() as session:
            row, password = handover.ask_seal(
                session, number=self.number, house_id=self.house_id, form=form, sealer=self.wired.sealer,
                staff_id=None, actor="staff:carol", now=now or datetime.now(UTC),
            )  # fmt: skip
            return row.id, password

    def sealed(self, sealed_id: UUID) -> tuple[SealedPack, Path]:
        with self.wired.db.reading() as session:
            row = handover.get_sealed(session, sealed_id=sealed_id)
        return row, handover.sealed_path(self.wired.settings.var_dir, row)

    def work(self, now: datetime | None = None, *kinds: str) -> None:
        moment = now or datetime.now(UTC)
        loop.run(self.wired, stop_event=threading.Event(), once=True, kinds=kinds or ("seal",), clock=lambda: moment)

    def link(self, sealed_id: UUID, **over: Any) -> tuple[UUID, str, str]:
        """Its id, its address and its passcode."""
        now = datetime.now(UTC)
        passes = Passes(self.wired.settings.link_keys.get_secret_value())
        wanted: dict[str, Any] = {"for_whom": "Li Wei", "expires_at": now + timedelta(days=2), "downloads_max": 2}
        with self.wired.db.transaction() as session:
            link_id, passcode = handover.make_link(
                session, sealed_id=sealed_id, passes=passes, staff_id=None, actor="staff:carol", now=now,
                **(wanted | over),
            )  # fmt: skip
        return link_id, f"/packs/{passes.address(link_id)}", passcode


def open_works(wired: Wired, *, count: int = 1000, **over: Any) -> Works:
    """Everything is real: the batch was ordered and its files were made by the worker."""
    identity, recipient = new_identity()
    now = over.pop("now", datetime.now(UTC))
    with wired.db.transaction() as session:
        brand = factories.make_brand(session)
        product = factories.make_product(session, brand_id=brand.id)
        house_id = handover.save_house(
            session, brand_id=brand.id, name="华彩印刷", contact="王师傅 138 0000 0000", recipient=recipient,
            sealer=wired.sealer, actor="staff:carol", now=now,
        )  # fmt: skip
        wanted: dict[str, Any] = {"order_no": "PO-1", "kinds": (Kind.INNER,), "formats": ("csv", "txt"), "kid": "t1"}
        number = codes.order(
            session, brand_id=brand.id, product_id=product.id, base_url="https://q.example", actor="staff:carol",
            count=count, now=now, **(wanted | over),
        ).number  # fmt: skip
    loop.run(wired, stop_event=threading.Event(), once=True, kinds=("mint",), clock=lambda: now)
    works = Works(wired, brand.id, product.id, house_id, identity, number, {})
    works.plain = {path.name: path.read_bytes() for path in works.folder.iterdir()}
    return works
