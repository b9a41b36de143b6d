"""The figures of the service functions on PostgreSQL, without HTTP: claims against a single INSERT, claims in one
campaign against a thousand, scans among ten million against none.

Sixteen clients are eight threads in each of two processes, for ours as for the peer. The processes stay while ours and
the peer take turns.
"""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from batches import codes as press
from scancode import config
from scancode.campaigns import service as campaigns
from scancode.campaigns.planning import PrizeLine, RangeLine
from scancode.catalog import revision
from scancode.channels.rules import Attribution, Source
from scancode.claims import service as claims
from scancode.codes.models import Batch
from scancode.codes.rules import Life
from scancode.db import new_id
from scancode.scans.writer import Sighting
from scancode.web.runtime import build
from scancode.wiring import connect
from tests import factories
from tests.bench import world

Figure = dict[str, Any]
Work = Callable[[int], object]
"""What one client does for the n-th time of all."""

PROCESSES, THREADS, ROUNDS, SECONDS = 2, 8, 5, 2.0
CAMPAIGNS: Final = 1000
SCANS: Final = 10_000_000
SETUP: Final = f"{PROCESSES * THREADS} clients, {PROCESSES} processes"


def claim_db() -> Figure:
    """Claims through the desk, each with its promise of money or points, against one INSERT … ON CONFLICT."""
    with world.postgres_url() as url, tempfile.TemporaryDirectory() as folder, world.build(url, Path(folder)) as built:
        with built.wired.db.transaction() as session:
            session.execute(text("CREATE TABLE peer (code_id bigint PRIMARY KEY, subject uuid NOT NULL)"))
        people = world.identities(built, 200)
        ours = _Crew(_claiming, built.environment, (built.batch_number, people))
        peer = _Crew(_inserting, built.environment, ())
        return _turns(ours, peer) | {"against": "INSERT … ON CONFLICT", "least": 0.2}


def claim_one_campaign() -> Figure:
    """Claims of codes that lie in one campaign, against those of codes spread over a thousand."""
    with world.postgres_url() as url, tempfile.TemporaryDirectory() as folder, world.build(url, Path(folder)) as built:
        people = world.identities(built, 200)
        many = _thousand(built)
        one = _Crew(_claiming, built.environment, (built.batch_number, people))
        spread = _Crew(_claiming, built.environment, (many, people, world.COUNT // CAMPAIGNS))
        return _turns(one, spread) | {"against": "a thousand campaigns", "least": 0.9}


def claim_one_campaign_odds() -> Figure:
    """The same for a campaign whose codes turn a wheel: stock and budget are counted down. Shown beside, no goal."""
    with world.postgres_url() as url, tempfile.TemporaryDirectory() as folder, world.build(url, Path(folder)) as built:
        people = world.identities(built, 200)
        wheel, many = _wheel(built), _thousand(built)
        one = _Crew(_claiming, built.environment, (wheel, people))
        spread = _Crew(_claiming, built.environment, (many, people, world.COUNT // CAMPAIGNS))
        return _turns(one, spread) | {"against": "a thousand campaigns with exact tables"}


def scan_growth() -> Figure:
    """Seconds per scan among ten million scans, against a book that is empty."""
    with (
        tempfile.TemporaryDirectory() as folder,
        world.postgres_url() as url,
        world.build(url, Path(folder)) as full,
        world.postgres_url("other") as other_url,
        world.build(other_url, Path(folder)) as empty,
    ):
        _scan_much(full)
        ours = _Crew(_scanning, full.environment, (full.batch_number,))
        peer = _Crew(_scanning, empty.environment, (empty.batch_number,))
        figure = _turns(ours, peer)
    return figure | {
        "ratio": round(figure["peer"] / figure["ours"], 3),
        "against": "an empty book, in seconds a scan",
        "most": 1.15,
    }


FIGURES: Final[dict[str, Callable[[], Figure]]] = {
    "claim-db": claim_db,
    "claim-one-campaign": claim_one_campaign,
    "claim-one-campaign-odds": claim_one_campaign_odds,
    "scan-growth": scan_growth,
}


# What clients do


def _claiming(environment: dict[str, str], batch_number: int, people: Sequence[UUID], stride: int = 1) -> Work:
    """The n-th claim is of the n-th code; with a stride, of codes so far apart, then of those beside them."""
    wired = connect(config.load(environment))
    shared = build(**vars(wired))
    with wired.db.reading() as session:
        brand_id = session.get_one(Batch, batch_number).brand_id
    batch, brand = shared.batches.get(batch_number), shared.brands.get(brand_id)
    assert batch is not None
    assert brand is not None
    offers, width = shared.offers.get(batch_number), world.COUNT // stride

    def claim(number: int) -> None:
        serial = number % width * stride + number // width
        span = offers.find(serial)
        assert span is not None
        shared.desk.serve(
            claims.Request(
                code=claims.ClaimCode(
                    press.code_id(batch_number, press.Kind.INNER, serial), batch_number, press.Kind.INNER, serial
                ),
                batch=batch,
                brand=brand,
                offer=span.value,
                claimant=claims.Claimant(uuid4(), people[number % len(people)]),
                attribution=Attribution(Source.UNKNOWN),
                now=datetime.now(UTC),
                reservation_hours=72,
                prefix="SC",
                draw_sealer=wired.draw_sealer,
            )
        )

    return claim


def _inserting(environment: dict[str, str]) -> Work:
    """A statement and a commit through the driver, on a connection of each thread's own."""
    mine = threading.local()
    url = environment["DATABASE_URL"].replace("+psycopg", "")

    def insert(number: int) -> None:
        if not hasattr(mine, "connection"):
            mine.connection = psycopg.connect(url, autocommit=True)
        mine.connection.execute(
            "INSERT INTO peer (code_id, subject) VALUES (%s, %s) ON CONFLICT DO NOTHING", (number, uuid4())
        )

    return insert


def _scanning(environment: dict[str, str], batch_number: int) -> Work:
    wired = connect(config.load(environment))
    shared = build(**vars(wired))
    with wired.db.reading() as session:
        batch = session.get_one(Batch, batch_number)
        brand_id, product_id = batch.brand_id, batch.product_id

    def scan(number: int) -> None:
        now = datetime.now(UTC)
        shared.writer.record(
            Sighting(
                code_id=press.code_id(batch_number, press.Kind.INNER, number * 7919 % world.COUNT),
                scan_id=new_id(now),
                scanned_at=now,
                day=f"{now:%Y-%m-%d}",
                visitor_id=uuid4(),
                brand_id=brand_id,
                product_id=product_id,
                batch_number=batch_number,
                life=Life.ACTIVE,
                attribution=Attribution(Source.UNKNOWN),
                client="wechat",
                address_digest=None,
                is_test=False,
            )
        )

    return scan


# What they find


def _another_batch(session: Session, built: world.World, number: int) -> Batch:
    """Like the world's own."""
    batch = factories.make_batch(
        session,
        brand_id=built.brand_id,
        product_id=session.get_one(Batch, built.batch_number).product_id,
        count=world.COUNT,
        number=number,
        order_no=f"PO-{number}",
    )
    factories.make_life(session, batch_number=batch.number, first=0, last=world.COUNT - 1)
    return batch


def _wheel(built: world.World) -> int:
    """A batch whose codes turn one wheel, with the odds of the world's own table and enough of everything."""
    now = datetime.now(UTC)
    with built.wired.db.transaction() as session:
        batch = _another_batch(session, built, 3_333_333)
        factories.make_offer(
            session,
            built.wired.draw_sealer,
            batch=batch,
            mode="odds",
            starts_at=now - timedelta(days=1),
            ends_at=now + timedelta(days=30),
            budget_fen=world.COUNT * 100,
            budget_points=world.COUNT * 10,
            prizes=[
                PrizeLine("red_packet", 100, world.COUNT, "红包", "Red packet", chance_ppm=250_000),
                PrizeLine("points", 10, world.COUNT, "积分", "Points", chance_ppm=250_000),
            ],
        )
        revision.bump(session)
        return batch.number


def _thousand(built: world.World) -> int:
    """A batch like the world's own, whose codes lie in a thousand campaigns, each of the same prizes."""
    share, now = world.COUNT // CAMPAIGNS, datetime.now(UTC)
    with built.wired.db.transaction() as session:
        batch = _another_batch(session, built, 2_222_222)
        for place in range(CAMPAIGNS):
            campaign = factories.make_campaign(
                session, brand_id=built.brand_id, starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=30),
                budget_fen=share * 100, budget_points=share * 10,
            )  # fmt: skip
            campaigns.add_tranche(
                session,
                campaign_id=campaign.id,
                ranges=[RangeLine(batch.number, place * share, (place + 1) * share - 1)],
                prizes=[
                    PrizeLine("red_packet", 100, share // 4, "红包", "Red packet"),
                    PrizeLine("points", 10, share // 4, "积分", "Points"),
                ],
                actor="bench",
                now=now,
            )
            factories.publish_campaign(session, built.wired.draw_sealer, campaign_id=campaign.id)
        revision.bump(session)
        return batch.number


def _scan_much(built: world.World) -> None:
    """Ten million rows as a year leaves them: ids in the order of time, codes and visitors in none."""
    with built.wired.db.engine.begin() as connection:
        batch = connection.execute(
            text("SELECT brand_id, product_id FROM batches WHERE number = :n"), {"n": built.batch_number}
        ).one()
        base = press.code_id(built.batch_number, press.Kind.INNER, 0)
        for start in range(0, SCANS, 1_000_000):
            connection.execute(
                text(
                    "INSERT INTO scans (code_id, id, scanned_at, day, verdict, visitor_id, brand_id, product_id,"
                    " batch_number, source, client, is_test, is_confirmed) SELECT :base + (n * 7919::bigint) % :count,"
                    " (lpad(to_hex(1700000000000 + n * 3), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,"
                    " to_timestamp(1700000000 + n * 3), to_char(to_timestamp(1700000000 + n * 3), 'YYYY-MM-DD'),"
                    " 'repeat', gen_random_uuid(), :brand, :product, :batch, 'unknown', 'wechat', false, true"
                    " FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n"
                ),
                {
                    "base": base, "count": world.COUNT, "brand": batch.brand_id, "product": batch.product_id,
                    "batch": built.batch_number, "first": start, "last": start + 999_999,
                },
            )  # fmt: skip
    with built.wired.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE scans"))


# Clients


@dataclass(frozen=True)
class _Child:
    process: multiprocessing.process.BaseProcess
    pipe: Connection


class _Crew:
    """Processes of threads that all do the same work, each time for so many seconds."""

    def __init__(self, make: Callable[..., Work], environment: dict[str, str], given: tuple[Any, ...]) -> None:
        context = multiprocessing.get_context("spawn")
        self._next = 0
        self._children = []
        for _ in range(PROCESSES):
            ours, theirs = context.Pipe()
            child = context.Process(target=_serve, args=(theirs, make, environment, given), daemon=True)
            child.start()
            theirs.close()
            self._children.append(_Child(child, ours))

    def rate(self, seconds: float) -> float:
        """Works of all clients a second. Each client has numbers of its own, and none comes twice."""
        span = 1_000_000
        for place, child in enumerate(self._children):
            child.pipe.send((self._next + place, seconds))
        found = [child.pipe.recv() for child in self._children]
        self._next = max(last for last, _ in found) // PROCESSES * PROCESSES + PROCESSES
        assert self._next < span * PROCESSES
        return sum(rate for _, rate in found)

    def close(self) -> None:
        for child in self._children:
            child.pipe.close()
            child.process.join(20)


def _serve(pipe: Connection, make: Callable[..., Work], environment: dict[str, str], given: tuple[Any, ...]) -> None:
    work = make(environment, *given)
    with suppress(EOFError):
        while True:
            first, seconds = pipe.recv()
            pipe.send(_run(work, first, seconds))


def _run(work: Work, first: int, seconds: float) -> tuple[int, float]:
    """The greatest number that was used, and works a second."""
    counts, started = [0] * THREADS, time.perf_counter()

    def client(place: int) -> None:
        step = PROCESSES * THREADS
        number = first + place * PROCESSES
        while time.perf_counter() < started + seconds:
            work(number + counts[place] * step)
            counts[place] += 1

    threads = [threading.Thread(target=client, args=(place,)) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = first + max(counts) * PROCESSES * THREADS + PROCESSES * THREADS
    return last, sum(counts) / (time.perf_counter() - started)


def _turns(ours: _Crew, peer: _Crew) -> Figure:
    try:
        for crew in (ours, peer):
            crew.rate(SECONDS / 2)
        pairs = [(ours.rate(SECONDS), peer.rate(SECONDS)) for _ in range(ROUNDS)]
    finally:
        ours.close()
        peer.close()
    mine, theirs = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    return {
        "ratio": round(mine / theirs, 3),
        "ours": round(mine, 1),
        "peer": round(theirs, 1),
        "unit": "a second",
        "note": SETUP,
    }
