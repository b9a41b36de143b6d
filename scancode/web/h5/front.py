"""The front: answers plain scans before Flask does.

Nearly all that consumers ask for is ``GET /CODE`` by a browser that holds no session, and the page for it is mostly in
memory. Setting up a Flask request for that costs more than everything that the scan itself does, so these requests are
read, recorded and answered here. Whatever needs more (a language chosen by query, a session, a claim to look up, a page
that was not drawn yet, a refusal in any but its plainest form) goes on to the Flask view with what has been found out,
so that nothing is read or recorded twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from scancode.web.clients import cookie_of
from scancode.web.h5.meeting import KNOWN, meet
from scancode.web.h5.scan import find_page, find_refused
from scancode.web.language import locale_of
from scancode.web.reading import NotOurs, Unreadable, read_code
from scancode.web.runtime import Runtime
from scancode.web.security import standard_headers
from scancode.web.visitor import Signers, cookie_header, form_token_of, read_visitor

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CODE_LENGTH = 20


class Front:
    """WSGI middleware around a Flask application that has been built."""

    def __init__(self, app: Flask) -> None:
        self._next: WSGIApplication = app.wsgi_app
        self._shared: Runtime = app.extensions["scancode"]
        self._signers: Signers = app.extensions["visitor_signers"]
        self._headers = [("Content-Type", "text/html; charset=utf-8"), ("Vary", "Cookie"), *standard_headers(app)]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        text = environ["PATH_INFO"][1:]
        if (
            len(text) == CODE_LENGTH
            and environ["REQUEST_METHOD"] == "GET"
            and not environ.get("QUERY_STRING")
            and text.isascii()
            and text.isalnum()
            and cookie_of(environ, "ss") is None
        ):
            try:
                answer = self._answer(environ, text)
            except Exception as error:  # Flask knows how to say it
                environ[KNOWN] = error
                answer = None
            if answer is not None:
                status, headers, page = answer
                body = page.encode()
                start_response(status, [*headers, ("Content-Length", str(len(body))), *self._headers])
                return [body]
        return self._next(environ, start_response)

    def _answer(self, environ: WSGIEnvironment, text: str) -> tuple[str, list[tuple[str, str]], str] | None:
        """Status line, own headers and page; None when Flask has to go on."""
        shared, locale = self._shared, locale_of(environ)
        try:
            code = read_code(shared, text)
        except NotOurs as refusal:
            if isinstance(refusal, Unreadable):
                raise
            page = find_refused(locale, text, refusal)
            if page is None:
                raise
            return "404 NOT FOUND", [], page
        now = shared.now()
        visitor = read_visitor(self._signers, environ)
        meeting = meet(shared, environ, code, visitor, now)
        page = find_page(shared, locale, meeting, form_token_of(self._signers, visitor))
        if page is None:
            environ[KNOWN] = meeting
            return None
        if not visitor.is_new:
            return "200 OK", [], page
        cookie = cookie_header(self._signers, visitor, is_secure=environ["wsgi.url_scheme"] == "https")
        return "200 OK", [("Set-Cookie", cookie)], page
