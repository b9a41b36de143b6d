"""Sending a file of a pack in ranges, so that a broken download goes on where it broke, and counting what went out.

Pages of every face use it. The answer is made by the framework (conditions, ranges, tags); the body is read here, so
that the bytes that really went out are known when the connection ends, however it ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

from flask import Response, request, send_file

from scancode.handover import service as handover
from scancode.web.limits import address
from scancode.web.runtime import runtime

CHUNK_BYTES = 1 << 18
Sent = Callable[[int], None]
Begin = Callable[[bool], Sent]
"""Called with whether the answer begins at the first byte; answers whom to tell how many bytes went out."""


def send_pack_file(
    path: Path, *, name: str, sha256: str | None, begin: Begin, mimetype: str = "application/octet-stream"
) -> Response:
    """The file, or the part that is asked for. ``begin`` is called only where a body is going to be sent."""
    response = send_file(
        path,
        mimetype=mimetype,
        as_attachment=True,
        download_name=name,
        etag=sha256 or True,
        max_age=0,
        conditional=True,
    )
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.method != "GET" or response.status_code not in (200, 206):
        return response
    content = response.content_range
    first = content.start or 0 if response.status_code == 206 and content is not None else 0
    opened = response.response
    try:
        sent = begin(first == 0)
    finally:
        if hasattr(opened, "close"):
            opened.close()
    body = _Counted(path, first, int(response.content_length or 0), sent)
    response.response = body
    return response


class _Counted:
    """Reads a part of a file, and tells at the end how much was handed over."""

    def __init__(self, path: Path, first: int, length: int, sent: Sent) -> None:
        self._file = path.open("rb")
        self._file.seek(first)
        self._left = length
        self._done = 0
        self._sent = sent
        self._is_open = True

    def __iter__(self) -> Iterator[bytes]:
        while self._left > 0 and (piece := self._file.read(min(CHUNK_BYTES, self._left))):
            self._left -= len(piece)
            yield piece
            self._done += len(piece)

    def close(self) -> None:
        """Called by the server whatever became of the connection."""
        if self._is_open:
            self._is_open = False
            self._file.close()
            self._sent(self._done)


def client_of_request(*, actor: str, permit: str) -> handover.Client:
    """Who makes this request. ``permit`` may be of any length."""
    name = hashlib.sha256(permit.encode()).hexdigest()[:40]
    return handover.Client(actor, name, address(), request.headers.get("User-Agent", "")[:120])


def counting(download_id: UUID) -> Sent:
    """Writes down what a request of this download has sent. It is called when the connection is over, outside the
    request: nobody waits for it."""
    shared = runtime()

    def note(sent_bytes: int) -> None:
        now = shared.now()
        shared.db.retrying(
            lambda session: handover.note_sent(session, download_id=download_id, sent_bytes=sent_bytes, now=now)
        )

    return note
