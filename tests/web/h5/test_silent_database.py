"""A PostgreSQL that says nothing any more, for its processes are stopped or the network swallows all: people are told
in time to try again, and whoever does has one reward."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import make_url

from scancode.claims.models import Claim
from scancode.db import Database
from scancode.wiring import Wired
from tests.kept import web_app
from tests.web.h5.phone import Shop
from tests.web.h5.wire import Client, count, inside, whole_claim

pytestmark = pytest.mark.postgresql
STALL_S = 1.0
IN_TIME_S = 4 * STALL_S
"""A claim that a group left out waits once more, and a machine that is busy takes its time."""


class Network:
    """What lies between the program and PostgreSQL. While it is ``silent`` it takes all and passes on nothing."""

    def __init__(self, url: str) -> None:
        self.silent = False
        self._url = make_url(url)
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        way = self._url.set(host="127.0.0.1", port=self._server.getsockname()[1]).difference_update_query(["host"])
        return way.render_as_string(hide_password=False)

    def close(self) -> None:
        for end in (self._server, *self._ends):
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                ours, _ = self._server.accept()
                theirs = self._dial()
                self._ends += [ours, theirs]
                threading.Thread(target=self._carry, args=(ours, theirs), daemon=True).start()

    def _dial(self) -> socket.socket:
        host, port = str(self._url.query.get("host") or self._url.host or "127.0.0.1"), self._url.port or 5432
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        theirs = socket.socket(socket.AF_UNIX)
        theirs.connect(f"{host}/.s.PGSQL.{port}")
        return theirs

    def _carry(self, ours: socket.socket, theirs: socket.socket) -> None:
        with suppress(OSError, ValueError):
            while True:
                ready, _, _ = select.select([ours, theirs], [], [], 0.05)
                if self.silent:
                    time.sleep(0.02)
                    continue
                for one in ready:
                    found = one.recv(65536)
                    if not found:
                        ours.close()
                        theirs.close()
                        return
                    (theirs if one is ours else ours).sendall(found)


@pytest.fixture
def network(wired: Wired) -> Iterator[Network]:
    if wired.db.is_sqlite:
        pytest.skip("SQLite has no server that could fall silent")
    found = Network(wired.settings.database_url)
    yield found
    found.silent = False
    found.close()


@pytest.fixture
def served(wired: Wired, shop: Shop, network: Network) -> Iterator[tuple[str, Shop]]:
    """The shop's address, on connections of its own."""
    over = {"claim_stall_s": STALL_S, "scan_stall_s": STALL_S, "page_stall_s": 2 * STALL_S}
    known = wired.settings.model_copy(update=over)
    own = replace(wired, db=Database(network.url, pool_size=8), settings=known)
    app = web_app(own)
    try:
        with inside(app, threads=6) as (url, _):
            yield url, replace(shop, app=app)
    finally:
        network.silent = False
        own.db.close()


def asked(url: str, request: bytes) -> tuple[int, str]:
    """Status and page, in time."""
    began, client = time.monotonic(), Client(url)
    client.send(request)
    status, page = client.answer()
    assert time.monotonic() - began < IN_TIME_S + 2 * STALL_S
    return status, page.decode()


def until_taken(url: str, request: bytes) -> None:
    end = time.monotonic() + 20
    while (status := asked(url, request)[0]) != 303:
        assert status == 503
        assert time.monotonic() < end
        time.sleep(0.2)


def english(request: bytes) -> bytes:
    return request.replace(b"User-Agent:", b"Accept-Language: en\r\nUser-Agent:", 1)


def test_in_a_network_that_swallows_all_people_are_told_and_lose_nothing(
    served: tuple[str, Shop], network: Network, wired: Wired
) -> None:
    url, shop = served
    tries = [whole_claim(shop, serial) for serial in range(4)]
    until_taken(url, tries[0])
    network.silent = True
    for place, request in enumerate(tries[1:3]):  # the first may be in a group, the other is in the pool
        status, page = asked(url, request if place else english(request))
        assert (status, "claim_stalled" in page) == (503, True)
        assert ("could not be recorded" if not place else "没能登记您的领取") in page
        assert "/claim" in page, "a button to try again"
    network.silent = False
    for request in tries:
        until_taken(url, request)
    assert count(wired.db, Claim) == 4


@contextmanager
def stopped(wired: Wired) -> Iterator[None]:
    """Every process of the server that works for this database by now stands still."""
    url = make_url(wired.settings.database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        pids = [row[0] for row in connection.execute(others)]
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def test_what_a_stopped_process_commits_after_all_is_not_given_twice(served: tuple[str, Shop], wired: Wired) -> None:
    url, shop = served
    tries = [whole_claim(shop, serial) for serial in range(3)]
    until_taken(url, tries[0])
    try:
        with stopped(wired):
            status, page = asked(url, tries[1])
            assert (status, "claim_stalled" in page) == (503, True)
            until_taken(url, tries[2])  # on a new connection
    except PermissionError:
        pytest.skip("the server belongs to somebody else")
    until_taken(url, tries[1])  # it went on, and may have committed what nobody heard of
    assert count(wired.db, Claim) == 3
