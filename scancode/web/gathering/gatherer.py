"""The thread that reads all connections, begins what the front knows, and answers it: see the package."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gunicorn.http import wsgi

from scancode.catalog import revision
from scancode.claims import service as claims
from scancode.claims.desk import ClaimStalled
from scancode.scans.writer import Stalled
from scancode.web.gathering.hands import Group, Hand
from scancode.web.gathering.visits import READ_MAX, Connection, Visit, has_head, is_whole

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from scancode.web.gathering.worker import Worker
    from scancode.web.h5.front import Answer, Front
    from scancode.web.runtime import Runtime

SOON_S = 0.1
"""For so long the gatherer does nothing but wait for a group to be written."""
LOOK_S = 0.02
"""So often it looks whether a group that takes longer is there."""
LEAVING_S = 2.0


class Gatherer:
    """One per worker process, with a thread of its own. Connections are added by the worker's main thread, and closed
    there; in between they belong to this thread, or to the pool."""

    def __init__(self, worker: Worker, front: Front, shared: Runtime) -> None:
        self._worker = worker
        self._front = front
        self._scans = Hand(shared.writer.write_many, stall_s=shared.writer.stall_s, stalled=Stalled)
        self._claims = Hand(shared.desk.serve_many, stall_s=shared.desk.stall_s, stalled=ClaimStalled)
        self._selector = selectors.DefaultSelector()
        self._connections: dict[int, Connection] = {}
        self._overdue: list[Group] = []
        self._looked_at = 0.0
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="gatherer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Closes what is left. Whoever waits for an answer has had the worker's grace already."""
        self._is_over = True
        self._thread.join(2)
        for hand in (self._scans, self._claims):
            hand.end()
        for connection in [*self._connections.values()]:
            connection.close()
        self._selector.close()

    def add(self, connection: Connection, *, for_s: float) -> None:
        """A connection on which a request may begin within so many seconds."""
        connection.timeout = time.monotonic() + for_s
        if self._connections.get(connection.sock.fileno()) is not connection:
            connection.sock.setblocking(False)
            self._connections[connection.sock.fileno()] = connection
            self._selector.register(connection.sock, selectors.EVENT_READ, connection)

    def close_by(self, deadline: float) -> None:
        """Nothing begins later than this (by the monotonic clock)."""
        for connection in [*self._connections.values()]:
            connection.timeout = min(connection.timeout, deadline)

    def _run(self) -> None:
        revision.only_memory()
        while not self._is_over:
            try:
                self._turn()
            except Exception:  # one that hits a single visit is dealt with there: this is our own fault
                self._worker.log.exception("the gatherer failed and goes on")
                time.sleep(LOOK_S)

    def _turn(self) -> None:
        """All that can be read by now is read, and written as one group a hand."""
        events = self._selector.select(LOOK_S if self._overdue else 0.5)
        visits = [visit for key, _ in events if (visit := self._read(key.data)) is not None]
        claiming = [visit for visit in visits if isinstance(visit.step, claims.Request)]
        scanning = [visit for visit in visits if not isinstance(visit.step, claims.Request)]
        self._overdue += [Group(*given) for given in ((self._scans, scanning), (self._claims, claiming)) if given[1]]
        if self._overdue:
            self._overdue = [group for group in self._overdue if not self._is_through(group)]
            for group in self._overdue:
                for visit in group.visits:
                    self._release(visit.connection)  # nothing is read from it until its visit is answered
        if time.monotonic() > self._looked_at + 1:
            self._close_idle()

    def _is_through(self, group: Group) -> bool:
        """Whether this group's hand is free again. Its visits go on, or are told to come again."""
        waited_s = time.monotonic() - group.given_at
        if group.is_done(max(0.0, SOON_S - waited_s)):
            visits, group.visits = group.visits, []
            outcomes = group.outcomes[: len(visits)]
            for visit, outcome in zip(visits, outcomes, strict=True):
                self._go_on(visit, outcome)
            return True
        if waited_s > group.hand.stall_s:
            visits, group.visits = group.visits, []
            for visit in visits:
                self._go_on(visit, group.hand.stalled())
        return False

    def _close_idle(self) -> None:
        self._looked_at = time.monotonic()
        for connection in [*self._connections.values()]:
            if connection.timeout < self._looked_at:
                self._close(connection)

    # One request

    def _read(self, connection: Connection) -> Visit | None:
        """A visit that waits for a hand. Everything else has been answered, passed on or closed."""
        try:
            sent = connection.sock.recv(READ_MAX)
        except BlockingIOError:
            return None
        except OSError:
            sent = b""
        if not sent:
            self._close(connection)
        if not sent or connection.is_leaving:
            return None
        sent, connection.begun = connection.begun + sent, b""
        if not has_head(sent):
            connection.begun = sent  # the rest of the head may come, until the connection's time is over
            return None
        connection.parser.unreader.unread(sent)
        try:
            if not self._overdue and is_whole(sent):
                return self._begin(connection)
            self._pass_on(connection)
            return None
        except Exception as error:
            self._fail(connection, error)
            return None

    def _begin(self, connection: Connection) -> Visit | None:
        worker = self._worker
        request = next(connection.parser)
        response, environ = wsgi.create(request, connection.sock, connection.client, connection.server, worker.cfg)
        environ["wsgi.multithread"] = True
        if not worker.alive or not worker.cfg.keepalive or len(self._connections) > worker.max_keepalived:
            response.force_close()
        self._front.believe(environ)
        visit = Visit(connection, request, response, environ, time.monotonic(), self._front.begin(environ))
        try:
            visit.step = next(visit.steps)
        except StopIteration as end:
            self._end(visit, end.value)
            return None
        except revision.NotInMemory:  # nothing was recorded or counted yet
            self._give_back(visit, self._front.answer)
            return None
        return visit

    def _go_on(self, visit: Visit, outcome: Any) -> None:
        """Raises nothing: the others of its group go on as well."""
        try:
            self._take(visit, outcome)
        except Exception as error:
            self._fail(visit.connection, error)

    def _take(self, visit: Visit, outcome: Any) -> None:
        try:
            if outcome is None:
                self._leave_out(visit)
            elif isinstance(outcome, Exception):
                visit.step = visit.steps.throw(outcome)
            else:
                visit.step = visit.steps.send(outcome)
        except StopIteration as end:
            self._end(visit, end.value)
        else:
            if outcome is not None:  # it asks for one step more
                self._leave_out(visit)

    def _leave_out(self, visit: Visit) -> None:
        steps, step, front = visit.steps, visit.step, self._front
        assert step is not None
        self._give_back(visit, lambda environ, start: front.finish_alone(environ, start, steps, step))

    def _end(self, visit: Visit, answer: Answer | None) -> None:
        if answer is None:
            front = self._front
            self._give_back(visit, lambda environ, start: front.finish(environ, start, None))
        else:
            self._answer(visit, answer)

    def _answer(self, visit: Visit, answer: Answer) -> None:
        """One write for head and body, framed by gunicorn. What the socket does not take at once the pool sends."""
        connection, response, worker = visit.connection, visit.response, self._worker
        status, headers, body = self._front.written(answer)
        worker.cfg.pre_request(worker, visit.request)
        worker.count(response)
        response.start_response(status, headers)
        head = "".join([*response.default_headers(), *[f"{name}: {value}\r\n" for name, value in response.headers]])
        response.headers_sent, response.sent = True, len(body)
        rest = memoryview(head.encode("latin-1") + b"\r\n" + body)
        try:
            rest = rest[connection.sock.send(rest) :]
        except BlockingIOError:
            pass
        except OSError:
            self._close(connection)
            return
        took = timedelta(seconds=time.monotonic() - visit.began_at)
        try:
            worker.log.access(response, visit.request, visit.environ, took)
            worker.cfg.post_request(worker, visit.request, visit.environ, response)
        except Exception:  # the answer has been given: nothing may come after it
            worker.log.exception("what comes after an answer failed")
        if rest:
            self._release(connection)
            worker.send_rest(connection, rest, is_kept=not response.should_close())
        elif response.should_close():
            self.leave(connection)
        else:
            self.add(connection, for_s=worker.cfg.keepalive)

    # Connections that leave

    def _give_back(self, visit: Visit, going_on: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]) -> None:
        """The pool answers this request, from what is known of it."""

        def go_on(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            environ.update(visit.environ)
            return going_on(environ, start_response)

        visit.connection.parser.again = visit.request
        visit.connection.going_on = go_on
        self._pass_on(visit.connection)

    def _pass_on(self, connection: Connection) -> None:
        self._release(connection)
        self._worker.enqueue_req(connection)

    def _fail(self, connection: Connection, error: Exception) -> None:
        """As gunicorn's own threads do it."""
        self._release(connection)
        connection.sock.setblocking(True)
        self._worker.handle_error(None, connection.sock, connection.client, error)
        self.leave(connection)

    def leave(self, connection: Connection) -> None:
        """Nothing more will be sent. Gunicorn waits for the other side's end in its main thread, two seconds long; here
        the connection is kept in view for as long, and holds up nobody."""
        connection.is_leaving = True
        try:
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(connection)
        else:
            self.add(connection, for_s=LEAVING_S)

    def _close(self, connection: Connection) -> None:
        self._release(connection)
        self._worker.forget(connection)

    def _release(self, connection: Connection) -> None:
        """It is no longer ours. Twice does no harm."""
        if self._connections.pop(connection.sock.fileno(), None) is not None:
            self._selector.unregister(connection.sock)
