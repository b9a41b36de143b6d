"""A database to measure on: one brand, one product, ready and active batches, a campaign, people who can claim."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from batches import codes as press
from scancode import config, migrations
from scancode.campaigns.planning import PrizeLine
from scancode.catalog import revision
from scancode.wiring import Wired, connect
from tests import factories, postgres

SECRETS = {name: f"t1:insecure-bench-{name}-0123456789abcdef012345" for name in config.SECRETS}
COUNT = 2_000_000


@dataclass(frozen=True)
class World:
    """What the measured server works on."""

    wired: Wired
    batch_number: int
    brand_id: UUID
    key: bytes
    environment: dict[str, str]

    def codes(self, first: int, count: int) -> list[str]:
        block = press.mint_range(self.key, self.batch_number, press.Kind.INNER, first, count)
        return [bytes(row).decode() for row in block]

    def forgeries(self, count: int) -> list[str]:
        block = press.mint_range(os.urandom(32), self.batch_number, press.Kind.INNER, 0, count)
        return [bytes(row).decode() for row in block]


@contextmanager
def postgres_url(name: str = "one") -> Iterator[str]:
    """A PostgreSQL that commits durably: one of our own is told to sync, whatever the tests like."""
    stop = postgres.start_own(durable=True)
    try:
        with postgres.fresh_database(f"scancode_bench_{name}_{os.getpid()}") as url:
            yield url
    finally:
        if stop is not None:
            stop()


@contextmanager
def build(url: str, folder: Path) -> Iterator[World]:
    """A migrated and filled world on an empty database."""
    settings = config.load(
        {}, env="test", database_url=url, var_dir=folder, sms_gateway="sandbox",
        login_gateway="sandbox", log_level="ERROR", **SECRETS,
    )  # fmt: skip
    wired = connect(settings)
    migrations.upgrade(wired.db)
    now = datetime.now(UTC)
    with wired.db.transaction() as session:
        brand = factories.make_brand(session)
        product = factories.make_product(session, brand_id=brand.id, gtin="06901234567892")
        batch = factories.make_batch(session, brand_id=brand.id, product_id=product.id, count=COUNT)
        factories.make_life(session, batch_number=batch.number, first=0, last=COUNT - 1)
        factories.make_offer(
            session,
            wired.draw_sealer,
            batch=batch,
            starts_at=now - timedelta(days=1),
            ends_at=now + timedelta(days=30),
            budget_fen=COUNT * 100,
            budget_points=COUNT * 10,
            prizes=[
                PrizeLine("red_packet", 100, COUNT // 4, "红包", "Red packet"),
                PrizeLine("points", 10, COUNT // 4, "积分", "Points"),
            ],
        )
        revision.bump(session)
        number, brand_id, key = batch.number, brand.id, wired.keyring.derive(batch.kid, batch.salt)
    environment = {config.variable_of(name): value for name, value in SECRETS.items()} | {
        "DATABASE_URL": url,
        "SCANCODE_ENV": "test",
        "SCANCODE_VAR_DIR": str(folder),
        "SCANCODE_LOG_LEVEL": "ERROR",
        **{f"SCANCODE_{name}_GATEWAY": "sandbox" for name in ("SMS", "LOGIN")},
    }
    try:
        yield World(wired, number, brand_id, key, environment)
    finally:
        wired.db.close()


def claim_requests(world: World, codes: Sequence[str]) -> list[bytes]:
    """Prepared ``POST /CODE/claim`` of people who are signed in, each with a browser of their own."""
    from scancode.app import create_app
    from scancode.web import people, visitor

    app = create_app(wired=world.wired)
    requests = []
    with app.test_request_context("/"):
        writer = app.session_interface.get_signing_serializer(app)
        assert writer is not None
        signers = app.extensions["visitor_signers"]
        identity_ids = identities(world, 200)
        for position, code in enumerate(codes):
            visitor_id = uuid4()
            plain = visitor.encode(visitor_id)
            session = writer.dumps(
                {people.KEY: {world.brand_id.hex: [identity_ids[position % 200].hex, "", ""]}, "_permanent": True}
            )
            body = f"token={signers.form.get_signature(visitor_id.bytes).decode()}"
            requests.append(
                (
                    f"POST /{code}/claim HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/5.0 MicroMessenger\r\n"
                    f"Cookie: sv={signers.cookie.sign(plain).decode()}; ss={session}\r\n"
                    f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
                ).encode()
            )
    return requests


def identities(world: World, count: int) -> list[UUID]:
    """So many people who are known by their openid."""
    from scancode.members import service as members

    now = datetime.now(UTC)
    with world.wired.db.transaction() as session:
        return [
            members.identify(
                session, brand_id=world.brand_id, kind="openid", value=f"bench-{n}", sealer=world.wired.sealer,
                is_snapshot=False, now=now,
            ).id
            for n in range(count)
        ]  # fmt: skip
