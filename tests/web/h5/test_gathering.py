"""The worker that gathers: a request is answered in whatever shape and company it comes, what a group cannot do is done
singly, and a database that hangs holds up nobody who does not need it."""

from __future__ import annotations

import re
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from scancode.campaigns.conditions import Conditions
from scancode.catalog import revision
from scancode.claims.models import Claim
from scancode.config import Settings
from scancode.db import Database
from scancode.scans.models import Scan
from scancode.web.gathering.gatherer import Gatherer
from scancode.web.gathering.visits import Connection, is_whole
from scancode.web.runtime import Runtime
from scancode.wiring import Wired
from tests import factories, servers
from tests.web.h5.phone import Shop
from tests.web.h5.wire import CODE, Client, claim, count, forged, get, whole_claim


@pytest.fixture(autouse=True)
def _hang_up() -> Iterator[None]:
    yield
    while Client.all:
        Client.all.pop().close()


def limit(shop: Shop, codes_a_day: int) -> Shop:
    """Another batch of the brand, whose campaign counts."""
    with shop.wired.db.transaction() as session:
        product = factories.make_product(session, brand_id=shop.brand_id)
        batch = factories.make_batch(session, brand_id=shop.brand_id, product_id=product.id, number=7_654_321)
        factories.make_life(session, batch_number=batch.number, first=0, last=99)
        around = Runtime.now()
        factories.make_offer(
            session, shop.wired.draw_sealer, batch=batch, conditions=Conditions(day_max=codes_a_day),
            starts_at=around - timedelta(days=9), ends_at=around + timedelta(days=9),
        )  # fmt: skip
        revision.bump(session)
    return replace(shop, batch_number=7_654_321)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (get(CODE), True),
        (get(CODE.lower() + "/"), True),
        (get(CODE + "/seen.css"), True),
        (get(f"01/09506000134352/21/{CODE}"), True),
        (get(CODE, version="1.0"), True),
        (get(CODE)[:-2], False),
        (get(CODE) + b"G", False),
        (get(CODE) + get(CODE), False),
        (get(CODE, "content-length: 3\r\n") + b"abc", False),
        (get(CODE, "Transfer-Encoding : chunked\r\n"), False),
        (get(CODE, "Upgrade: h2c\r\n"), False),
        (get(CODE + "?lang=en"), False),
        (get("static/h5.css"), False),
        (b"POST" + get(f"{CODE}/claim", "Content-Length: 3\r\n")[3:] + b"a=b", True),
        (b"POST" + get(f"{CODE}/claim", "Content-Length: 4\r\n")[3:] + b"a=b", False),
        (b"POST" + get(f"{CODE}/claim", "Content-Length: 2\r\n")[3:] + b"a=b", False),
        (b"POST" + get(f"{CODE}/claim", "Content-Length: 3\r\nContent-Length: 3\r\n")[3:] + b"a=b", False),
        (b"POST" + get(f"{CODE}/claim", "Expect: 100-continue\r\nContent-Length: 3\r\n")[3:] + b"a=b", False),
        (b"POST" + get(f"{CODE}/claim")[3:], False),
        (b"", False),
        (b"\r\n\r\n", False),
    ],
)
def test_only_whole_requests_that_stand_alone_are_gathered(sent: bytes, expected: bool) -> None:
    assert is_whole(sent) is expected


@pytest.mark.xdist_group("servers")
def test_requests_in_any_shape_are_answered(shop: Shop, wired: Wired, settings: Settings) -> None:
    with servers.gunicorn(settings, workers=1, threads=3) as url:
        scan = get(shop.code(0))
        kept = Client(url)
        assert [kept.ask(one) for one in (scan, forged(), get("healthz"), scan)] == [200, 404, 200, 200]
        assert kept.ask(scan[:30], scan[30:]) == 200
        looking = Client(url)
        looking.send(b"HEAD" + scan[3:] + get("healthz", "Connection: close\r\n"))
        assert looking.rest().count(b"HTTP/1.1 200") == 2
        kept = Client(url)
        kept.send(scan + forged() + get("nothing-here") + scan)
        assert [kept.answer()[0] for _ in range(4)] == [200, 404, 404, 200]
        assert kept.ask(get(shop.code(1).lower(), "x-very-long: " + 5000 * "x" + "\r\n")) == 200

        closing = Client(url)
        assert closing.ask(get(shop.code(2), "Connection: close\r\n")) == 200
        assert closing.answer()[0] == 0
        old = Client(url)
        assert old.ask(get(shop.code(2), version="1.0")) == 200
        assert old.answer()[0] == 0
        assert Client(url).ask(get("x" * 9000)) == 414
        assert Client(url).ask(get(shop.code(2), "bad header\r\n")) == 400
        with_page = Client(url)
        with_page.send(get(shop.code(3)))
        assert b"</html>" in with_page.answer()[1]
        began = time.monotonic()
        for _ in range(5):  # whoever does not close holds up nobody
            assert Client(url).ask(get(shop.code(3), "Connection: close\r\n")) == 200
        assert time.monotonic() - began < 2
        gone = Client(url)
        gone.send(get(shop.code(4)))
        gone.close()
        assert Client(url).ask(get(shop.code(5))) == 200
    assert count(wired.db, Scan) == 16


@pytest.mark.xdist_group("servers")
def test_claims_are_made_whether_a_group_takes_them_or_not(shop: Shop, wired: Wired, settings: Settings) -> None:
    limited = limit(shop, 3)
    with servers.gunicorn(settings, workers=1, threads=3) as url:
        wanted = [(shop, 0), (limited, 0), (shop, 1), (limited, 1), (limited, 2), (limited, 3), (shop, 0)]
        statuses = []
        for where, serial in wanted:
            head, body = claim(where, serial)
            statuses.append(Client(url).ask(head + b"Content-Length: %d\r\n\r\n" % len(body), body))
        assert statuses == [303, 303, 303, 303, 303, 409, 409]
        one = whole_claim(shop, 5)
        together = [Client(url) for _ in range(12)]
        for client in together:
            client.send(one)
        assert {client.answer()[0] for client in together} == {303}
        head, body = claim(shop, 6, more="Transfer-Encoding: chunked\r\n")
        assert Client(url).ask(head + b"\r\n%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n") == 303
    assert count(wired.db, Claim) == 7


@contextmanager
def hanging(db: Database) -> Iterator[None]:
    """Nobody can write a scan."""
    with db.engine.connect() as blocker, blocker.begin():
        if not db.is_sqlite:
            blocker.exec_driver_sql("LOCK TABLE scans IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.mark.xdist_group("servers")
def test_a_database_that_hangs_holds_up_nobody_who_does_not_need_it(
    shop: Shop, wired: Wired, settings: Settings
) -> None:
    with servers.gunicorn(settings, workers=1, threads=6, SCAN_STALL_S="1") as url:
        assert Client(url).ask(get(shop.code(0))) == 200
        with hanging(wired.db):
            waiting = [Client(url) for _ in range(3)]
            for place, client in enumerate(waiting):
                client.send(get(shop.code(place)))
                time.sleep(0.3)
            asked = Client(url)
            assert [asked.ask(forged(place)) for place in range(3)] == [404] * 3  # before anybody's second is over
            assert select.select([waiting[2].socket], [], [], 0)[0] == []
            assert [client.answer()[0] for client in waiting] == [503] * 3
            assert waiting[0].ask(forged(7)) == 404  # the connection is as good as before
        end = time.monotonic() + 20
        while Client(url).ask(get(shop.code(8))) != 200:
            assert time.monotonic() < end
        assert waiting[0].ask(get(shop.code(9))) == 200


@pytest.mark.xdist_group("servers")
def test_heads_that_never_end_take_no_thread(shop: Shop, wired: Wired, settings: Settings) -> None:
    with servers.gunicorn(settings, workers=1, threads=2) as url:
        slow = [Client(url) for _ in range(6)]
        for client in slow:
            client.send(get("console/")[:25])
        assert Client(url).ask(get("healthz")) == 200
        slow[0].send(get("console/")[25:])
        assert slow[0].answer()[0] == 302
        slow[1].socket.settimeout(30)
        assert slow[1].answer()[0] == 0  # its time is over


@pytest.mark.xdist_group("servers")
def test_a_server_that_is_told_to_end_answers_first(shop: Shop, wired: Wired, settings: Settings) -> None:
    with ExitStack() as stack:
        with servers.gunicorn(settings, workers=1, threads=2) as url:
            idle, busy = Client(url), Client(url)
            assert idle.ask(get(shop.code(0))) == 200
            blocked = stack.enter_context(ExitStack())
            blocked.enter_context(hanging(wired.db))
            busy.send(get(shop.code(1)))
            time.sleep(0.3)
            release = threading.Timer(0.7, blocked.close)
            release.start()
        release.join()
        assert busy.answer()[0] == 200
        assert busy.answer()[0] == idle.answer()[0] == 0


def test_what_the_socket_does_not_take_is_sent_by_the_pool() -> None:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    ours.setblocking(False)
    rest: list[bytes] = []
    page = "x" * 200_000
    front = SimpleNamespace(
        believe=lambda _: None,
        begin=lambda _: _at_once(("200 OK", [], page)),
        written=lambda answer: (answer[0], [("Content-Length", str(len(page)))], page.encode()),
    )
    log = SimpleNamespace(access=lambda *_: None, debug=lambda *_: None)
    worker = SimpleNamespace(
        cfg=Config(), log=log, alive=True, max_keepalived=10, count=lambda _: None,
        send_rest=lambda _, left, is_kept: rest.append(bytes(left)) if is_kept else None,
    )  # fmt: skip
    shared = SimpleNamespace(
        writer=SimpleNamespace(stall_s=1, write_many=None), desk=SimpleNamespace(stall_s=1, serve_many=None)
    )
    gatherer = Gatherer(worker, front, shared)  # type: ignore[arg-type]
    connection = Connection(worker.cfg, ours, ("127.0.0.1", 1), ("127.0.0.1", 2))
    gatherer.add(connection, for_s=5)
    theirs.sendall(get(CODE))
    gatherer._turn()
    received = theirs.recv(10**6)
    assert rest
    ours.close()
    theirs.close()
    assert re.sub(rb"^.*\r\n\r\n", b"", received, flags=re.DOTALL) + rest[0] == page.encode()


def _at_once(answer: Any) -> Iterator[Any]:
    return answer
    yield
