"""Races over HTTP against four real server processes: a code rewards once whatever happens at once, and books agree.

One file, one xdist group: these tests load both processors.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlalchemy import func, select

from batches import codes as press
from scancode.app import create_app
from scancode.campaigns.planning import PrizeLine
from scancode.catalog import revision
from scancode.claims.models import Claim
from scancode.codes import service as codes
from scancode.codes.rules import Void, VoidReason
from scancode.config import Settings
from scancode.ledger.models import Entry
from scancode.members import service as members
from scancode.payouts.models import Payout, PayoutNumber
from scancode.scans.models import Scan
from scancode.web import people
from scancode.wiring import Wired
from tests import factories, servers
from tests.bench.world import World, claim_requests
from tests.servers import Browser

pytestmark = pytest.mark.xdist_group("servers")
REQUESTS = 64


@dataclass(frozen=True)
class Shop:
    """A served brand whose every inner code holds a red packet of 1.00 yuan."""

    wired: Wired
    url: str
    number: int
    brand_id: UUID
    key: bytes

    def code(self, serial: int) -> str:
        return press.mint_one(self.key, self.number, press.Kind.INNER, serial)

    def counts(self) -> dict[str, int]:
        with self.wired.db.reading() as session:
            return {
                table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
                for table in (Claim, Payout, PayoutNumber, Entry, Scan)
            }


@pytest.fixture
def shop(wired: Wired, settings: Settings) -> Iterator[Shop]:
    now = datetime.now(UTC)
    with wired.db.transaction() as session:
        brand = factories.make_brand(session)
        product = factories.make_product(session, brand_id=brand.id, gtin="06901234567892")
        batch = factories.make_batch(session, brand_id=brand.id, product_id=product.id)
        factories.make_life(session, batch_number=batch.number, first=0, last=999)
        factories.make_offer(
            session,
            wired.draw_sealer,
            batch=batch,
            starts_at=now - timedelta(days=1),
            ends_at=now + timedelta(days=1),
            prizes=[PrizeLine("red_packet", 100, 1000, "红包", "Red packet")],
        )
        revision.bump(session)
        number, brand_id, key = batch.number, brand.id, wired.keyring.derive(batch.kid, batch.salt)
    with servers.gunicorn(settings, workers=4) as url:
        yield Shop(wired, url, number, brand_id, key)


def signed_in(shop: Shop, openid: str, code: str) -> Browser:
    """A browser that opened the code's page and signed in with the make-believe WeChat."""
    browser = Browser(shop.url)
    browser.get(f"/{code}")
    _, place = browser.get(f"/login/wechat?next=/{code}", follow=False)
    _, page = browser.get(place)
    found = re.search(r'name="state" value="([^"]+)"', page)
    redirect = re.search(r'name="redirect_uri" value="([^"]+)"', page)
    assert found, page
    assert redirect, page
    status, page = browser.post(
        "/sandbox/wechat", openid=openid, person=openid, state=found[1], redirect_uri=redirect[1].replace("&amp;", "&")
    )
    assert status == 200, page
    return browser


def claim_all(browsers: list[Browser], code: str) -> list[int]:
    with ThreadPoolExecutor(len(browsers)) as pool:
        return [
            status for status, _ in pool.map(lambda browser: browser.post(f"/{code}/claim", follow=False), browsers)
        ]


def test_one_subject_claims_once_with_64_requests(shop: Shop) -> None:
    code = shop.code(1)
    browser = signed_in(shop, "Alice 小艾", code)
    statuses = claim_all([browser] * REQUESTS, code)
    assert set(statuses) <= {200, 302, 303}, statuses
    counts = shop.counts()
    assert (counts["claims"], counts["payouts"]) == (1, 1)


def test_64_subjects_claim_one_code_and_one_gets_it(shop: Shop) -> None:
    code = shop.code(2)
    browsers = known(shop, REQUESTS, code)
    statuses = claim_all(browsers, code)
    assert 500 not in statuses
    winners = [status for status in statuses if status < 400]
    assert len(winners) == 1, statuses
    assert statuses.count(409) == REQUESTS - 1
    counts = shop.counts()
    assert (counts["claims"], counts["payouts"]) == (1, 1)
    with shop.wired.db.reading() as session:
        payout = session.scalars(select(Payout)).one()
        assert payout.amount_fen == session.scalars(select(Claim.amount)).one() == 100


def test_a_thousand_at_once_claim_one_code_and_one_gets_it(shop: Shop) -> None:
    """All connections are open before the first request is sent."""
    world = World(shop.wired, shop.number, shop.brand_id, shop.key, {})
    requests = claim_requests(world, [shop.code(3)] * 1000)
    port = urlsplit(shop.url).port
    assert port is not None
    statuses = asyncio.run(send_at_once(port, requests))
    assert set(statuses) == {303, 409}
    counts = shop.counts()
    assert (counts["claims"], counts["payouts"]) == (1, 1)
    assert statuses.count(303) <= len(requests) // 200  # who won, as often as they asked


async def send_at_once(port: int, requests: list[bytes]) -> list[int]:
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in requests]

    async def send(stream: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes) -> int:
        reader, writer = stream
        writer.write(request)
        line = await asyncio.wait_for(reader.readline(), 60)
        writer.close()
        return int(line.split()[1])

    return await asyncio.gather(*map(send, streams, requests))


def known(shop: Shop, count: int, code: str) -> list[Browser]:
    """People whose openids were seen before: their sessions are made as the server makes them."""
    app = create_app(wired=shop.wired)
    browsers = []
    with app.test_request_context("/"):
        serializer = app.session_interface.get_signing_serializer(app)
        assert serializer is not None
        for number in range(count):
            with shop.wired.db.transaction() as session:
                identity = members.identify(
                    session,
                    brand_id=shop.brand_id,
                    kind="openid",
                    value=f"openid-{number}",
                    sealer=shop.wired.sealer,
                    is_snapshot=False,
                    now=datetime.now(UTC),
                )
            people_of = {shop.brand_id.hex: [identity.id.hex, "", ""]}
            browser = Browser(shop.url)
            browser.get(f"/{code}")
            browser.headers["Cookie"] = f"ss={serializer.dumps({people.KEY: people_of, '_permanent': True})}"
            browsers.append(browser)
    return browsers


def test_void_in_one_process_and_claim_in_another_is_refused(shop: Shop) -> None:
    """No cache may let a claim through after the void was acknowledged, not even for a moment."""
    for serial in range(10, 18):
        code = shop.code(serial)
        browsers = [Browser(shop.url) for _ in range(8)]
        for browser in browsers:
            browser.get(f"/{code}")
        with shop.wired.db.transaction() as session:
            codes.change(
                session,
                batch_number=shop.number,
                ranges=[(serial, serial)],
                what=Void(VoidReason.STOLEN),
                actor="test",
                now=datetime.now(UTC),
            )
        statuses = claim_all(browsers, code)
        assert set(statuses) == {409}, statuses
    assert shop.counts()["claims"] == 0


def test_scans_of_four_processes_are_all_there(shop: Shop) -> None:
    def scan(number: int) -> int:
        return Browser(shop.url).get(f"/{shop.code(100 + number % 50)}")[0]

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(scan, range(400))) == {200}
    assert shop.counts()["scans"] == 400
