"""A load generator: so many keep-alive connections, each sending its next prepared request when the answer is in.

It runs in a process of its own, with one epoll loop and no parsing beyond status and length, so that it costs the
server under test as little of the shared processors as it can. Ours and the peer are loaded by the same code.
"""

from __future__ import annotations

import multiprocessing
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

DROPPED = 0
"""Stands for the status of a request whose connection was closed without an answer."""


@dataclass
class Result:
    """What a run saw. ``statuses`` counts answers by HTTP status; ``waits_s`` are the times of single requests."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    waits_s: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return sum(self.statuses.values()) / self.seconds if self.seconds else 0.0

    def percentile_ms(self, share: float) -> float:
        waits = sorted(self.waits_s)
        return 1000 * waits[min(len(waits) - 1, int(share * len(waits)))] if waits else 0.0


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.buffer = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def answer(self) -> tuple[int, bool] | None:
        """Status and whether the server closes, once the whole answer is in."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("closed in the middle of an answer")
        self.buffer += part
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self.buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 : head.find(b"\r\n", at) if b"\r\n" in head[at:] else None]) if at >= 0 else 0
        if len(self.buffer) < end + 4 + length:
            return None
        return int(self.buffer[9:12]), b"connection: close" in head


def _drive(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> Result:
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        connection = _Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(next(requests))
    result, started = Result(), time.perf_counter()
    end = started + seconds
    open_count = connections
    while open_count:
        ready = selector.select(timeout=30)
        if not ready:
            raise TimeoutError("no answer within 30 seconds")
        for key, _ in ready:
            connection = key.data
            try:
                answer = connection.answer()
            except ConnectionError:
                answer = (DROPPED, True)
            if answer is None:
                continue
            now = time.perf_counter()
            result.statuses[answer[0]] = result.statuses.get(answer[0], 0) + 1
            result.waits_s.append(now - connection.sent_at)
            if now >= end:
                selector.unregister(connection.socket)
                connection.socket.close()
                open_count -= 1
                continue
            if answer[1]:
                selector.unregister(connection.socket)
                connection.socket.close()
                connection = _Connection(port)
                selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(next(requests))
    result.seconds = time.perf_counter() - started
    return result


def _in_child(pipe: object, port: int, requests: Sequence[bytes], start: int, connections: int, seconds: float) -> None:
    def endless() -> Iterator[bytes]:
        position = start
        while True:
            yield requests[position % len(requests)]
            position += 1

    pipe.send(_drive(port, endless(), connections, seconds))  # type: ignore[attr-defined]


def run(port: int, requests: Sequence[bytes], *, start: int = 0, connections: int = 32, seconds: float = 3.0) -> Result:
    """Sends ``requests`` in order from index ``start``, round and round, over so many connections."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_in_child, args=(theirs, port, requests, start, connections, seconds))
    child.start()
    theirs.close()  # so that a child that died is an error here instead of an endless wait
    result: Result = ours.recv()
    child.join()
    return result
