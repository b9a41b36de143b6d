"""The front: answers plain scans and claims before Flask does.

Nearly all that consumers send is ``GET /CODE`` by a browser that holds no session, whose page is mostly in memory, and
``POST /CODE/claim``. Setting up a Flask request for these costs more than all that they ask for, so they are read,
recorded and answered here. Whatever needs more (a language chosen by query, a session, a claim to look up, a page that
was not drawn yet, a refusal in words) goes on to the Flask view with what has been found out, so that nothing is read
or recorded twice.

A server that has several requests in hand (``gathering``) begins them all, makes their steps together, and writes the
answers; as WSGI middleware the front does so for one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import Flask
from markupsafe import escape

from batches.codes import normalise
from scancode import patience
from scancode.catalog.revision import NotInMemory
from scancode.web.clients import cookie_of
from scancode.web.guard import WorkNeeded
from scancode.web.h5.claim import address_after, take
from scancode.web.h5.digital_link import OPEN_HEADERS, base_of, headers_of
from scancode.web.h5.meeting import KNOWN, Step, Steps, alone, meet
from scancode.web.h5.scan import find_page, find_refused
from scancode.web.h5.seen import confirm
from scancode.web.h5.trial import trials_of
from scancode.web.h5.work import find_work_page
from scancode.web.language import locale_of
from scancode.web.people import person_in
from scancode.web.reading import NotOurs, read_code
from scancode.web.runtime import Runtime
from scancode.web.security import SESSION_COOKIE, Sessions, standard_headers
from scancode.web.visitor import Signers, cookie_header, form_token_of, is_form_of, read_visitor

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SCAN = re.compile(r"/([0-9A-Za-z]{20})")
_CLAIM = re.compile(r"/([0-9A-Za-z]{20})/claim")
_SEEN = re.compile(r"/([0-9A-Za-z]{20})/seen\.css")
_LINK = re.compile(r"/01/([0-9]{14})/21/([0-9A-Za-z]{20})/?")
_BODY = re.compile(rb"token=([0-9A-Za-z_-]{1,100})")
BODY_BYTES_MAX = 200
STAFF_S = 300.0
"""So long a page or a call of staff may wait for each answer of the database."""
OK = "200 OK"
HTML = ("Content-Type", "text/html; charset=utf-8")
CSS = ("Content-Type", "text/css; charset=utf-8")

Answer = tuple[str, list[tuple[str, str]], str]
"""Status line, own headers and page."""


class Front:
    """WSGI middleware around a Flask application that has been built."""

    def __init__(self, app: Flask) -> None:
        self._next: WSGIApplication = app.wsgi_app
        self._shared: Runtime = app.extensions["scancode"]
        self.believe: Callable[[WSGIEnvironment], None] = app.extensions["proxies"]
        """What proxies in front say of address, scheme and host, as far as they are trusted. Comes before ``begin``."""
        self._signers: Signers = app.extensions["visitor_signers"]
        self._addresses = app.url_map.bind("")
        self._rewards = self._addresses.build("h5.reward", {"code_id": 0}).removesuffix("0")
        assert isinstance(app.session_interface, Sessions)
        self._sessions = app.session_interface
        self._headers = [("Vary", "Cookie"), *standard_headers(app)]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.believe(environ)
        return self.answer(environ, start_response)

    def answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The whole way of one request, by one thread that may wait."""
        with patience.each(self._patience_s(environ)):
            met = alone(self._shared, self.begin(environ))
        return self.finish(environ, start_response, met)

    def _patience_s(self, environ: WSGIEnvironment) -> float:
        """Seconds that an answer of the database may take: people with a phone in their hand wait less long."""
        is_staff = environ["PATH_INFO"].startswith(("/console", "/api/", "/epcis/"))
        return STAFF_S if is_staff else self._shared.settings.page_stall_s

    def begin(self, environ: WSGIEnvironment) -> Steps[Answer | None]:
        """The way to the answer; None when Flask has to go on, or knows it all better.

        Raises nothing but NotInMemory, before its first step: then nothing has been counted, and ``answer`` may begin
        anew.
        """
        try:
            return (yield from self._begin(environ))
        except NotInMemory:
            raise
        except Exception as error:  # Flask knows how to say it
            environ[KNOWN] = error
            return None

    def finish(self, environ: WSGIEnvironment, start_response: StartResponse, answer: Answer | None) -> Iterable[bytes]:
        """Answers a request that was begun."""
        if answer is None:
            with patience.each(self._patience_s(environ)):
                return self._next(environ, start_response)
        status, headers, body = self.written(answer)
        start_response(status, headers)
        return [body]

    def finish_alone(
        self, environ: WSGIEnvironment, start_response: StartResponse, steps: Steps[Answer | None], left: Step
    ) -> Iterable[bytes]:
        """The same for one whose step a group left out."""
        return self.finish(environ, start_response, alone(self._shared, steps, left=left))

    def written(self, answer: Answer) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status line, all headers and body."""
        status, headers, page = answer
        body = page.encode()
        return status, [*headers, ("Content-Length", str(len(body))), *self._headers], body

    def _begin(self, environ: WSGIEnvironment) -> Steps[Answer | None]:
        if environ.get("QUERY_STRING") or environ.get("SCRIPT_NAME"):
            return None
        method = environ["REQUEST_METHOD"]
        if method == "GET" and (found := _SCAN.fullmatch(environ["PATH_INFO"])):
            return None if cookie_of(environ, SESSION_COOKIE) else (yield from self._scan(environ, found[1]))
        if method == "POST" and (found := _CLAIM.fullmatch(environ["PATH_INFO"])):
            return (yield from self._claim(environ, found[1]))
        if method == "GET" and (found := _SEEN.fullmatch(environ["PATH_INFO"])):
            return (yield from self._seen(environ, found[1]))
        if method == "GET" and (found := _LINK.fullmatch(environ["PATH_INFO"])) and _is_browser(environ):
            return None if cookie_of(environ, SESSION_COOKIE) else (yield from self._link(environ, found[1], found[2]))
        return None

    def _link(self, environ: WSGIEnvironment, gtin: str, text: str) -> Steps[Answer | None]:
        """The same page at a Digital Link as it is printed, with what a resolver says of itself."""
        answer = yield from self._scan(environ, text, gtin)
        if answer is None:
            return None
        status, headers, page = answer
        base = base_of(self._shared, environ.get("HTTP_HOST", ""))
        place = f"{base}/{normalise(text)}" if status == OK else ""
        told = headers_of(base, f"{base}/01/{gtin}/21/{text}", place)
        return status, [*headers, *told, *OPEN_HEADERS], page

    def _scan(self, environ: WSGIEnvironment, text: str, gtin: str = "") -> Steps[Answer | None]:
        shared, locale = self._shared, locale_of(environ)
        try:
            code = read_code(shared, text, met_in=environ)
        except NotOurs as refusal:
            try:
                page = find_refused(shared, locale, text, refusal)
            except NotInMemory:  # it is counted already
                page = None
            if page is None:
                raise refusal from None
            return "404 NOT FOUND", [HTML], page
        except WorkNeeded:
            page = find_work_page(locale)
            if page is None:
                raise
            return "429 TOO MANY REQUESTS", [HTML], page
        if gtin and gtin != code.product.gtin:
            return None
        visitor = read_visitor(self._signers, environ)
        meeting = yield from meet(shared, environ, code, visitor, shared.now())
        try:
            page = find_page(shared, locale, meeting, form_token_of(self._signers, visitor))
        except NotInMemory:  # it is recorded already
            page = None
        if page is None:
            environ[KNOWN] = meeting
            return None
        if not visitor.is_new:
            return OK, [HTML], page
        cookie = cookie_header(self._signers, visitor, is_secure=environ["wsgi.url_scheme"] == "https")
        return OK, [HTML, ("Set-Cookie", cookie)], page

    def _claim(self, environ: WSGIEnvironment, text: str) -> Steps[Answer | None]:
        token = _token(environ)
        visitor = read_visitor(self._signers, environ)
        if token is None or not is_form_of(self._signers, visitor, token):
            return None
        code = read_code(self._shared, text, met_in=environ)
        person = person_in(self._sessions.read(environ), code.brand.id)
        if trials_of(self._shared, code, person, self._shared.now()):
            return None
        answer = yield from take(self._shared, environ, code, visitor, person)
        address = address_after(self._shared, environ, code, answer, person, self._url)
        return "303 SEE OTHER", [HTML, ("Location", address)], f'<!doctype html><a href="{escape(address)}">→</a>'

    def _seen(self, environ: WSGIEnvironment, text: str) -> Steps[Answer | None]:
        shared = self._shared
        yield from confirm(shared, environ, read_code(shared, text), read_visitor(self._signers, environ), shared.now())
        return OK, [CSS], ""

    def _url(self, endpoint: str, **values: Any) -> str:
        if endpoint == "h5.reward":  # where nearly every claim leads: asking the map costs more than the prize
            return f"{self._rewards}{values['code_id']}{'?new=1' if 'new' in values else ''}"
        return self._addresses.build(endpoint, values)


def _is_browser(environ: WSGIEnvironment) -> bool:
    """Beyond doubt; who might want a list of links is read more carefully."""
    accepted: str = environ.get("HTTP_ACCEPT", "")
    return accepted.startswith(("text/html,", "text/html;")) and "json" not in accepted


def _token(environ: WSGIEnvironment) -> str | None:
    """The token of a form that holds nothing else. Flask can read the body once more."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isdecimal() and int(length) <= BODY_BYTES_MAX):
        return None
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return None
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)
    found = _BODY.fullmatch(body)
    return found[1].decode() if found else None
