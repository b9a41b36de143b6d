"""Requests byte by byte, as only a hostile client sends them, and a worker that serves in a thread of this process and
can be asked what it counts."""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from flask import Flask
from gunicorn.config import Config
from gunicorn.glogging import Logger
from sqlalchemy import func, select

from batches.codes import Kind, mint_one
from scancode.db import Database, new_id
from scancode.web import visitor
from scancode.web.gathering.worker import Worker
from tests import factories, servers
from tests.web.h5.phone import Shop

CODE = "0123456789ABCDEFGHJK"
HEAD = f"Host: 127.0.0.1\r\nUser-Agent: {servers.AGENT}\r\n"


def get(path: str, more: str = "", version: str = "1.1") -> bytes:
    return f"GET /{path} HTTP/{version}\r\n{HEAD}{more}\r\n".encode()


class Client:
    """One connection; answers are read as they come."""

    all: ClassVar[list[Client]] = []

    def __init__(self, url: str) -> None:
        self.all.append(self)
        self.socket = socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=20)
        self._file = self.socket.makefile("rb")
        self.head = b""
        """Of the last answer."""

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        """Each part goes out by itself, some time after the one before."""
        for place, part in enumerate(parts):
            time.sleep(0.05 if place else 0)
            self.socket.sendall(part)

    def answer(self) -> tuple[int, bytes]:
        """Status and body of the next answer; 0 when the server has closed."""
        line = self._file.readline()
        if not line:
            return 0, b""
        length, self.head = 0, line
        while (header := self._file.readline()) not in (b"\r\n", b""):
            self.head += header
            if header.lower().startswith(b"content-length:"):
                length = int(header.partition(b":")[2])
        return int(line.split()[1]), self._file.read(length)

    def rest(self) -> bytes:
        """All until the server closes."""
        return self._file.read()

    def ask(self, *parts: bytes) -> int:
        self.send(*parts)
        return self.answer()[0]


def claim(shop: Shop, serial: int, more: str = "") -> tuple[bytes, bytes]:
    """Head and body of somebody's claim."""
    who, signers = new_id(factories.NOW), shop.app.extensions["visitor_signers"]
    cookie = signers.cookie.sign(visitor.encode(who)).decode()
    body = f"token={signers.form.get_signature(who.bytes).decode()}".encode()
    head = f"POST /{shop.code(serial)}/claim HTTP/1.1\r\n{HEAD}Cookie: {visitor.COOKIE}={cookie}\r\n{more}"
    return f"{head}Content-Type: application/x-www-form-urlencoded\r\n".encode(), body


def whole_claim(shop: Shop, serial: int) -> bytes:
    head, body = claim(shop, serial)
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def forged(serial: int = 0) -> bytes:
    return get(mint_one(b"\7" * 32, 1_234_567, Kind.INNER, serial))


def count(db: Database, table: Any) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@contextmanager
def inside(app: Flask, *, threads: int = 3, **options: Any) -> Iterator[tuple[str, Worker]]:
    """The URL and the worker itself. ``options`` are gunicorn's."""
    app.extensions["front"] = app.wsgi_app
    cfg = Config()
    for name, value in {"threads": threads, "keepalive": 5, "loglevel": "critical", **options}.items():
        cfg.set(name, value)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        worker = Worker(1, os.getppid(), [listener], SimpleNamespace(wsgi=lambda: app), 30, cfg, Logger(cfg))
        worker.tpool = worker.get_thread_pool()
        worker.poller = selectors.DefaultSelector()
        worker.method_queue.init()
        worker.load_wsgi()
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", worker
        finally:
            for client in Client.all:
                client.close()
            worker.handle_exit(None, None)
            thread.join(30)
            worker.tmp.close()
    assert not thread.is_alive()
