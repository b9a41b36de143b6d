"""A connection on which one request follows the other, and a request under way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gunicorn.http import RequestParser
from gunicorn.workers.gthread import TConn

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from scancode.web.h5.front import Answer
    from scancode.web.h5.meeting import Step, Steps

READ_MAX = 8192
_KNOWN = re.compile(
    rb"(?:GET /(?:01/[0-9]{14}/21/)?[0-9A-Za-z]{20}(?:/|/seen\.css)?|POST /[0-9A-Za-z]{20}/claim) HTTP/1\.[01]\r\n"
)
_UNUSUAL = re.compile(rb"\r\n(?:transfer-encoding|upgrade|expect|content-length)[ \t]*:", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: ?([0-9]{1,3})\r\n", re.IGNORECASE)


def has_head(sent: bytes) -> bool:
    """Whether the head of a request is there, or so much of one that it has to be looked at."""
    return b"\r\n\r\n" in sent or len(sent) >= READ_MAX


def is_whole(sent: bytes) -> bool:
    """Whether this is one request that the front may know, with nothing missing and nothing after it."""
    end = sent.find(b"\r\n\r\n") + 4
    if end < 4 or not _KNOWN.match(sent):
        return False
    unusual = _UNUSUAL.findall(sent, 0, end)
    if sent.startswith(b"GET"):
        return not unusual and end == len(sent)
    length = _LENGTH.search(sent, 0, end)
    return length is not None and len(unusual) == 1 and end + int(length[1]) == len(sent)


class Parser(RequestParser):
    """Gunicorn's, which can be given back a request that it has read."""

    again: Any = None

    def __next__(self) -> Any:
        request, self.again = self.again, None
        return request or super().__next__()


class Connection(TConn):
    """``going_on``: how the pool goes on with the request that was given back. ``begun``: a head that is not whole.
    ``is_leaving``: we have said all, and wait a moment for the other side to close; who closes first while bytes are
    under way cuts off their last answer."""

    going_on: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]] | None = None
    is_leaving = False
    begun = b""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.parser = Parser(self.cfg, self.sock, self.client)
        self.initialized = True


@dataclass(slots=True)
class Visit:
    """A request under way. ``step`` is what it waits for."""

    connection: Connection
    request: Any
    response: Any
    environ: WSGIEnvironment
    began_at: float
    steps: Steps[Answer | None]
    step: Step | None = None
