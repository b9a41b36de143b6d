"""A storm of scans over 200 connections on four real server processes, two of which are killed in the middle: each scan
that was acknowledged is there exactly once, a forgery leaves nothing, and whoever was cut off may come again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlalchemy import select

from batches.codes import Kind, code_id, mint_one
from scancode.app import create_app
from scancode.config import Settings
from scancode.db import new_id
from scancode.scans.models import Scan
from scancode.web import visitor
from scancode.wiring import Wired
from tests import factories, servers

pytestmark = pytest.mark.xdist_group("servers")
CONNECTIONS, REQUESTS, HOT = 200, 1500, 10
CUT_OFF = 0
"""Stands for the status of a request whose connection ended without an answer."""


@dataclass
class Asked:
    """One request of the storm: a browser of its own opens a code."""

    text: str
    cookie: str
    seen: tuple[int, UUID] | None
    """What is to be in the book when it is answered; nothing for a forgery."""
    statuses: list[int] = field(default_factory=list)


def ask_all(wired: Wired) -> list[Asked]:
    """A third are first scans, a third forgeries, a third scans of ten codes again and again."""
    with wired.db.transaction() as session:
        product = factories.make_product(session, brand_id=factories.make_brand(session).id)
        batch = factories.make_batch(session, brand_id=product.brand_id, product_id=product.id, count=10_000)
        factories.make_life(session, batch_number=batch.number, first=0, last=batch.count - 1)
        number, key = batch.number, wired.keyring.derive(batch.kid, batch.salt)
    signers = create_app(wired=wired).extensions["visitor_signers"]
    asked = []
    for place in range(REQUESTS):
        who = new_id(factories.NOW)
        cookie = signers.cookie.sign(visitor.encode(who)).decode()
        serial = place if place % 3 == 0 else place % HOT
        text = mint_one(os.urandom(32) if place % 3 == 1 else key, number, Kind.INNER, serial)
        seen = None if place % 3 == 1 else (code_id(number, Kind.INNER, serial), who)
        asked.append(Asked(text, cookie, seen))
    return asked


async def storm(port: int, asked: list[Asked], at: dict[int, Callable[[], None]]) -> None:
    """All connections take the next request in turn; after so many answers what stands in ``at`` is done."""
    waiting, answered = iter(asked), 0

    async def connection() -> None:
        nonlocal answered
        for one in waiting:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                head = f"GET /{one.text} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {visitor.COOKIE}={one.cookie}\r\n"
                writer.write(f"{head}User-Agent: {servers.AGENT}\r\nConnection: close\r\n\r\n".encode())
                status = (await asyncio.wait_for(reader.read(), 60))[9:12]
                writer.close()
            except OSError:
                status = b""
            one.statuses.append(int(status or CUT_OFF))
            answered += 1
            at.pop(answered, lambda: None)()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))


def kill_a_worker(port: int) -> None:
    """One of the processes that gunicorn has forked."""
    ours = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"--port\0{port}\0".encode() in (folder / "cmdline").read_bytes():
                ours[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    os.kill(max(pid for pid, parent in ours.items() if parent in ours), signal.SIGKILL)


def test_each_acknowledged_scan_is_there_once(wired: Wired, settings: Settings) -> None:
    asked = ask_all(wired)
    with servers.gunicorn(settings, workers=4) as url:
        port = urlsplit(url).port
        assert port is not None
        kills = dict.fromkeys((REQUESTS // 3, 2 * REQUESTS // 3), lambda: kill_a_worker(port))
        asyncio.run(storm(port, asked, kills))
        assert kills == {}
        again = [one for one in asked if one.statuses == [CUT_OFF]]
        assert len(again) < REQUESTS / 4
        asyncio.run(storm(port, again, {}))
    assert all(one.statuses[-1] == (200 if one.seen else 404) for one in asked)
    with wired.db.reading() as session:
        book = Counter((row.code_id, row.visitor_id) for row in session.execute(select(Scan.code_id, Scan.visitor_id)))
    assert set(book) == {one.seen for one in asked if one.seen}
    # Once for each answer; a scan that was cut off may have been written before its process died, and then comes again.
    assert all(book[one.seen] == 1 for one in asked if one.seen and len(one.statuses) == 1)
    assert all(book[one.seen] in (1, 2) for one in again if one.seen)
