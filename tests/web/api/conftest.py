"""A factory's world as a machine sees it: two brands with a batch each, and a client for any token."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from batches import codes as press
from scancode.catalog import revision
from scancode.db import new_id
from scancode.staff import service as staff
from scancode.staff.models import AuditRow, Staff
from scancode.staff.rules import SCOPES
from scancode.wiring import Wired
from tests import factories

GTIN = "06901234567892"


@dataclass(frozen=True)
class Brand:
    """A brand with a product and a ready batch of 1000 items, outer and inner; serials 0 to 899 are live."""

    id: UUID
    slug: str
    product_id: UUID
    batch: int
    key: bytes

    def code(self, serial: int, kind: press.Kind = press.Kind.INNER) -> str:
        return press.mint_one(self.key, self.batch, kind, serial)


@dataclass
class Machine:
    """A program that calls the API with one token."""

    client: FlaskClient
    token: str
    language: str = "en"
    headers: dict[str, str] = field(default_factory=dict)

    def _headers(self, more: dict[str, str] | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Language": self.language, **(more or {})}

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> TestResponse:
        return self.client.get(f"/api/v1{path}", query_string=query, headers=self._headers(headers))

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> TestResponse:
        return self.client.post(f"/api/v1{path}", json=body, headers=self._headers(headers))


@dataclass(frozen=True)
class World:
    wired: Wired
    app: Flask
    staff_id: UUID
    own: Brand
    other: Brand

    def token(
        self, scopes: Collection[str] = SCOPES, *, brand: Brand | None = None, expires_at: datetime | None = None
    ) -> tuple[UUID, str]:
        """A token of a brand (of every brand without one), made long ago."""
        with self.wired.db.transaction() as session:
            row, token = staff.issue_token(
                session,
                name="ERP",
                scopes=scopes,
                brand_id=brand.id if brand else None,
                staff_id=self.staff_id,
                actor="test",
                expires_at=expires_at,
                now=datetime(2026, 1, 1, tzinfo=UTC),
            )
        return row.id, token

    def machine(self, scopes: Collection[str] = SCOPES, *, brand: Brand | None = None) -> Machine:
        """A machine of the own brand, unless another is named."""
        return Machine(self.app.test_client(), self.token(scopes, brand=brand or self.own)[1])

    def operator(self) -> Machine:
        """A machine that sees every brand."""
        return Machine(self.app.test_client(), self.token()[1])

    def audited(self, action: str) -> list[AuditRow]:
        with self.wired.db.reading() as session:
            return list(session.scalars(select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.seq)))


@pytest.fixture
def world(wired: Wired, app: Flask) -> World:
    with wired.db.transaction() as session:
        person = Staff(
            id=new_id(factories.NOW),
            login="carol",
            name="Carol",
            password_hash="",
            role=staff.Role.ADMIN,
            created_at=factories.NOW,
        )
        session.add(person)
        session.flush()
        brands = []
        for slug, gtin in (("shanquan", GTIN), ("chalin", factories.make_gtin(690123456700))):
            brand = factories.make_brand(session, slug=slug)
            product = factories.make_product(session, brand_id=brand.id, gtin=gtin)
            batch = factories.make_batch(session, brand_id=brand.id, product_id=product.id, kinds="outer,inner")
            factories.make_life(session, batch_number=batch.number, first=0, last=899)
            key = wired.keyring.derive(batch.kid, batch.salt)
            brands.append(Brand(brand.id, slug, product.id, batch.number, key))
        revision.bump(session)
    return World(wired, app, person.id, *brands)


@pytest.fixture
def machine(world: World) -> Machine:
    """A machine with every scope, of the own brand."""
    return world.machine()


Scanned = Callable[..., UUID]


@pytest.fixture
def scanned(world: World) -> Scanned:
    """Puts a scan into the database and returns its id."""
    from scancode.scans.models import Scan

    def scan(brand: Brand, serial: int, *, at: datetime = factories.NOW, day: str = "2026-11-22", **over: Any) -> UUID:
        scan_id = new_id(at)
        columns: dict[str, Any] = {
            "verdict": "first",
            "visitor_id": new_id(at),
            "source": "unknown",
            "client": "wechat",
            "address_digest": "d" * 64,
            "is_test": False,
        }
        with world.wired.db.transaction() as session:
            session.add(
                Scan(
                    code_id=press.code_id(brand.batch, press.Kind.INNER, serial),
                    id=scan_id,
                    scanned_at=at,
                    day=day,
                    brand_id=brand.id,
                    product_id=brand.product_id,
                    batch_number=brand.batch,
                    **(columns | over),
                )
            )
        return scan_id

    return scan
