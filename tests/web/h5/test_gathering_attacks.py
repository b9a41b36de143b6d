"""The worker under attack: nobody sees what is another's, nothing is counted wrongly, and what goes wrong for one visit
harms no other."""

from __future__ import annotations

import errno
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from scancode.claims.models import Claim
from scancode.config import Settings
from scancode.db import Database
from scancode.scans.models import Scan
from scancode.web import visitor
from scancode.web.gathering.hands import Group, Hand
from scancode.web.gathering.worker import Worker
from scancode.wiring import Wired
from tests import servers
from tests.web.h5.phone import Shop
from tests.web.h5.wire import Client, claim, count, forged, get, inside, whole_claim

PLAIN = "static/scanned.js"
"""Needs no database."""


@pytest.fixture(autouse=True)
def _hang_up() -> Iterator[None]:
    yield
    while Client.all:
        Client.all.pop().close()


def until(met: Callable[[], bool], within_s: float = 10) -> None:
    end = time.monotonic() + within_s
    while not met():
        assert time.monotonic() < end
        time.sleep(0.02)


def hook(names: str, call: Callable[[str], None]) -> dict[str, Any]:
    """An option of gunicorn's: calls with what the request says in its header X-HOOK."""

    def called(_: Any, request: Any, *more: Any) -> None:
        call(dict(request.headers).get("X-HOOK", ""))

    four = lambda worker, request, environ, response: called(worker, request)  # noqa: E731
    return {names: four if names == "post_request" else lambda worker, request: called(worker, request)}


def misbehave(what: str) -> None:
    if what == "slow":
        time.sleep(0.3)
    if what == "broken":
        raise ValueError(what)


def test_an_answer_that_cannot_be_given_harms_no_other(shop: Shop, app: Flask) -> None:
    with inside(app, **hook("pre_request", misbehave)) as (url, worker):
        assert [Client(url).ask(get(shop.code(0))) for _ in range(3)] == [200] * 3
        first, *others = [Client(url) for _ in range(6)]
        first.send(get(shop.code(1), "X-Hook: slow\r\n"))
        time.sleep(0.1)
        for place, client in enumerate(others):  # they come while the gatherer is held up, and make one group
            client.send(get(shop.code(2 + place), "X-Hook: broken\r\n" if place == 1 else ""))
        assert first.answer()[0] == 200
        assert [client.answer()[0] for client in others] == [200, 500, 200, 200, 200]
        until(lambda: not worker._gatherer._overdue)  # type: ignore[union-attr]


def test_nothing_is_said_after_an_answer(shop: Shop, app: Flask) -> None:
    with inside(app, **hook("post_request", misbehave)) as (url, _):
        client = Client(url)
        for wanted, status in ((shop.code(0), 200), ("0" * 20, 404)):  # by a group; at once
            assert [client.ask(get(wanted, "X-Hook: broken\r\n")) for _ in range(3)] == [status] * 3
        assert client.ask(forged()) == 404


def test_a_group_gets_its_own_outcomes_even_where_another_was_forgotten() -> None:
    hand = Hand(lambda steps: [step * 10 for step in steps], stall_s=5, stalled=ValueError)
    Group(hand, [SimpleNamespace(step=1)])  # type: ignore[list-item]
    kept = Group(hand, [SimpleNamespace(step=2), SimpleNamespace(step=3)])  # type: ignore[list-item]
    assert kept.is_done(5)
    assert kept.outcomes == [20, 30]
    hand.end()


def test_half_a_head_behind_a_request_takes_no_thread(shop: Shop, app: Flask) -> None:
    with inside(app, threads=2) as (url, _):
        slow = [Client(url) for _ in range(5)]
        for client in slow:
            client.send(get("healthz") + get(PLAIN)[:25])
            assert client.answer()[0] == 200
        assert Client(url).ask(get("healthz")) == 200
        slow[0].send(get(PLAIN)[25:])
        assert slow[0].answer()[0] == 200
        slow[1].send(get(PLAIN)[25:] + get(shop.code(0)))
        assert [slow[1].answer()[0] for _ in range(2)] == [200, 200]


@contextmanager
def locked(db: Database, table: str) -> Iterator[None]:
    """Nobody can read this. (SQLite lets everybody read at any time.)"""
    with db.engine.connect() as blocker, blocker.begin():
        if not db.is_sqlite:
            blocker.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.mark.parametrize("table", ["revision", "batches", "campaigns"])
def test_memory_that_cannot_be_filled_holds_up_nobody_who_does_not_need_it(
    shop: Shop, app: Flask, wired: Wired, table: str
) -> None:
    scan, wanted = get(shop.code(0)), whole_claim(shop, 1)
    with inside(app) as (url, _):
        assert Client(url).ask(get("healthz")) == 200
        with locked(wired.db, table):
            time.sleep(1.1)
            scanning, claiming = Client(url), Client(url)
            scanning.send(scan)
            claiming.send(wanted)
            asked = Client(url)
            asked.socket.settimeout(3)
            assert [asked.ask(get(PLAIN)) for _ in range(3)] == [200] * 3
        assert (scanning.answer()[0], claiming.answer()[0]) == (200, 303)
        assert count(wired.db, Claim) == 1
        assert count(wired.db, Scan) == 1


def test_what_is_not_in_memory_is_counted_once(shop: Shop, app: Flask) -> None:
    shared = app.extensions["scancode"]
    with inside(app) as (url, _):
        assert Client(url).ask(forged()) == 404
        assert Client(url).ask(get(shop.code(0))) == 200
    assert [sum(counts._own.values()) for counts in (shared.guard._misses, shared.guard._addresses)] == [1, 1]


def test_a_machine_without_free_files_serves_on() -> None:
    class Listener:
        def accept(self) -> None:
            raise OSError(errno.EMFILE, "too many open files")

    told: list[str] = []
    worker = SimpleNamespace(
        _gatherer=object(), nr_conns=0, log=SimpleNamespace(warning=lambda text, *_: told.append(text))
    )
    Worker.accept(worker, Listener())  # type: ignore[arg-type]
    assert worker.nr_conns == 0
    assert told


def test_who_never_reads_keeps_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scancode.web.gathering.worker.SENDING_S", 0.2)
    ours, theirs = socket.socketpair()
    ended: list[Any] = []
    with inside_pool() as worker, ours, theirs:
        worker.method_queue = SimpleNamespace(defer=lambda _, __, done: ended.append(done))
        Worker.send_rest(worker, SimpleNamespace(sock=ours), memoryview(bytes(10**7)), is_kept=True)  # type: ignore[arg-type]
        until(lambda: bool(ended), 5)
    assert isinstance(ended[0].exception(), TimeoutError)


@contextmanager
def inside_pool() -> Iterator[Any]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        yield SimpleNamespace(tpool=pool, finish_request=None)


def reset(client: Client) -> None:
    """Gone at once, without a word."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_connections_are_counted_to_the_last(shop: Shop, app: Flask) -> None:
    with inside(app) as (url, worker):
        scan, head = get(shop.code(0)), get(PLAIN)[:25]
        sent = [
            *(scan, scan + forged(), head, b"", b"\r\n\r\n", get("x" * 9000), get(PLAIN), get(PLAIN) + head, forged()),
            *(whole_claim(shop, 1), whole_claim(shop, 1)[:-5], get(shop.code(1), "Connection: close\r\n")),
            *(get(shop.code(2), "bad header\r\n"), get(shop.code(3), version="1.0"), b"HEAD" + scan[3:]),
        ]
        for leave in (reset, Client.close, lambda client: client.socket.shutdown(socket.SHUT_WR), Client.rest):
            clients = [Client(url) for _ in range(3) for _ in sent]
            for place, client in enumerate(clients):
                client.send(sent[place % len(sent)])
            if leave is Client.rest:
                clients = [client for client in clients if client.socket.fileno() >= 0][11::15]  # the server closes
            for client in clients:
                leave(client)
            if leave is not Client.rest:
                until(lambda: worker.nr_conns == 0)
        for client in Client.all:
            client.close()
        until(lambda: worker.nr_conns == 0)
        assert worker._gatherer._connections == {}  # type: ignore[union-attr]
        assert Client(url).ask(scan) == 200
        assert worker.nr_conns == 1


def test_visitors_see_only_what_is_theirs(shop: Shop, app: Flask, wired: Wired) -> None:
    """Many at once over kept connections: each page names the code that was asked for and holds the token of who asked,
    each claim leads to its own reward, and nobody is given a cookie of another."""
    signers = app.extensions["visitor_signers"]
    cookies: list[bytes] = []
    wrong: list[object] = []

    def visit(number: int, url: str) -> None:
        client, mine = Client(url), b""
        for turn in range(8):
            serial = number * 8 + turn
            client.send(get(shop_codes[serial], f"Cookie: {mine.decode()}\r\n" if mine else ""))
            status, page = client.answer()
            given = re.search(rb"Set-Cookie: (sv=[^;]+)", client.head)
            if (given is None) is not bool(mine) or status != 200:
                wrong.append((status, client.head))
            if given:
                mine = given[1]
                cookies.append(mine)
            who = visitor.read_visitor(signers, {"HTTP_COOKIE": mine.decode()})
            token = visitor.form_token_of(signers, who)
            if set(re.findall(rb'name="token" value="([^"]+)"', page)) != {token.encode()}:
                wrong.append(page)
            if f"/{shop_codes[serial]}/claim".encode() not in page:
                wrong.append(page)
            body = f"token={token}".encode()
            head = f"POST /{shop_codes[serial]}/claim HTTP/1.1\r\nHost: x\r\nCookie: {mine.decode()}\r\n"
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
            client.send(head.encode() + body)
            status, _ = client.answer()
            if status != 303:
                wrong.append(client.head)
            claimed[serial] = (who.id, client.head)
            if turn % 3 == 0 and client.ask(get(PLAIN)) != 200:
                wrong.append(client.head)

    shop_codes = [shop.code(serial) for serial in range(96)]
    claimed: dict[int, tuple[Any, bytes]] = {}
    with inside(app, threads=4) as (url, worker):
        threads = [threading.Thread(target=visit, args=(number, url)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert worker.nr_conns == 12
    assert wrong == []
    assert len(set(cookies)) == len(cookies) == 12
    with wired.db.reading() as session:
        owners = {row[0]: row[1] for row in session.execute(select(Claim.code_id, Claim.visitor_id))}
        scans = [(row[0], row[1]) for row in session.execute(select(Scan.code_id, Scan.visitor_id))]
    assert len(owners) == len(scans) == len(claimed) == 96
    assert dict(scans) == owners
    for who, head in claimed.values():
        led_to = re.search(rb"Location: /me/rewards/([0-9]+)", head)
        assert led_to is not None, head
        assert owners[int(led_to[1])] == who


@pytest.mark.xdist_group("servers")
def test_proxies_are_believed_once_wherever_a_request_is_answered(shop: Shop, wired: Wired, settings: Settings) -> None:
    """The address that is kept is the client's: of a gathered scan, of one in two parts, and of one given to Flask."""
    sealer = wired.sealer
    with servers.gunicorn(settings, workers=1, threads=2, SCANCODE_TRUSTED_PROXIES="1") as url:
        client = Client(url)
        said = "X-Forwarded-For: 192.0.2.99, 203.0.113.{}\r\nX-Forwarded-Proto: https\r\n"
        first = get(shop.code(0), said.format(1))
        assert client.ask(first) == 200
        assert b"; Secure" in client.head
        assert client.ask(get(shop.code(1), said.format(2))) == 200
        parts = get(shop.code(2), said.format(3))
        assert client.ask(parts[:40], parts[40:]) == 200
        assert client.ask(get(shop.code(3) + "?lang=en", said.format(4))) == 200
        client.send(get(shop.code(4), said.format(5)) + get(shop.code(5), said.format(6)))
        assert [client.answer()[0] for _ in range(2)] == [200, 200]
        assert client.ask(get(shop.code(0), said.format(7))) == 200  # met before: begun here, shown by Flask
        head, body = claim(shop, 6, said.format(8))
        assert client.ask(head + b"Content-Length: %d\r\n\r\n" % len(body) + body) == 303
    with wired.db.reading() as session:
        kept = session.scalars(select(Scan.address_digest).order_by(Scan.scanned_at)).all()
    assert kept == [sealer.digest(f"203.0.113.{place}", purpose="address") for place in range(1, 8)]
