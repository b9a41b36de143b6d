"""Gunicorn's worker process, whose connections belong to the gatherer while nothing is under way on them."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from gunicorn.workers.gthread import DEFAULT_WORKER_DATA_TIMEOUT, ThreadWorker

from scancode.web.gathering.gatherer import Gatherer
from scancode.web.gathering.visits import Connection, has_head

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SENDING_S = 30.0
"""For so long a thread waits for a client that takes its answer slowly."""
SCARCE = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Worker(ThreadWorker):
    """``worker_class`` of ``scancode serve``. Any other application is served as by gunicorn's ``gthread``."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._gatherer: Gatherer | None = None
        self._here = threading.local()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self._app: WSGIApplication = self.app.wsgi()
        extensions = getattr(self._app, "extensions", {})
        is_plain = self.cfg.protocol == "http" and not self.cfg.is_ssl and self.cfg.http2_cleartext == "off"
        if "front" in extensions and is_plain:
            self.wsgi = self._dispatch
            self._gatherer = Gatherer(self, extensions["front"], extensions["scancode"])

    def run(self) -> None:
        if self._gatherer is None:
            super().run()
            return
        self._gatherer.start()
        try:
            super().run()
        finally:
            self._gatherer.stop()

    def accept(self, listener: Any) -> None:
        if self._gatherer is None:
            super().accept(listener)
            return
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in SCARCE:
                raise
            self.log.warning("no connection can be taken just now: %s", error)
            time.sleep(0.05)  # it waits in the listener; those that we have go on, and end
            return
        self.nr_conns += 1
        connection = Connection(self.cfg, client, address, listener.getsockname())
        self._gatherer.add(connection, for_s=DEFAULT_WORKER_DATA_TIMEOUT + self.cfg.keepalive)

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """In the main thread, when the pool is through with a connection."""
        is_kept = not fs.cancelled() and fs.exception() is None and fs.result() is True
        if self._gatherer is None or not isinstance(conn, Connection):
            super().finish_request(conn, fs)
        elif not is_kept:
            self._gatherer.leave(conn)
        elif not self.alive or has_head(conn.parser.unreader.buf.getvalue()):
            super().finish_request(conn, fs)  # it reads what is there, or waits for what may be on its way
        else:
            conn.begun = conn.parser.unreader.take_buffered()  # no thread waits for the rest of a head
            self._gatherer.add(conn, for_s=self.cfg.keepalive)

    def handle_request(self, req: Any, conn: Any) -> bool:
        """In a thread of the pool."""
        if isinstance(conn, Connection):
            self._here.going_on, conn.going_on = conn.going_on, None
        kept: bool = super().handle_request(req, conn)
        return kept

    def _dispatch(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        going_on, self._here.going_on = getattr(self._here, "going_on", None), None
        return (going_on or self._app)(environ, start_response)

    def count(self, response: Any) -> None:
        """One request more that this worker has answered; it retires after ``max_requests``."""
        self.nr += 1
        if self.nr >= self.max_requests:
            self.alive = False
            response.force_close()

    def send_rest(self, connection: Connection, rest: memoryview, *, is_kept: bool) -> None:
        """To a client that reads slowly: a thread of the pool waits for it."""

        def send() -> bool:
            connection.sock.settimeout(SENDING_S)
            connection.sock.sendall(rest)
            return is_kept

        future = self.tpool.submit(send)
        future.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, connection, done))

    def forget(self, connection: Connection) -> None:
        """Closes a connection, in the main thread."""
        self.method_queue.defer(self._close, connection)

    def _close(self, connection: Connection) -> None:
        self.nr_conns -= 1
        connection.close()

    def _cap_keepalive(self, deadline: float) -> None:
        super()._cap_keepalive(deadline)
        if self._gatherer is not None:
            self._gatherer.close_by(deadline)
