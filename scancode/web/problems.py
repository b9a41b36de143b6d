"""What went wrong, in the words of the face that asked: a page for people, ``application/problem+json`` for machines
(RFC 9457). Nothing here knows a feature: refusals bring their own code, sentence and status."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import structlog
from flask import Flask, Response, jsonify, render_template, request
from flask_babel import gettext
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from scancode.catalog import revision
from scancode.errors import NotFound, Refusal, Unavailable
from scancode.i18n import N_

log = structlog.get_logger(__name__)


class TooLarge(Refusal):
    code = "too_large"
    text = N_("What was sent is too large. Send a smaller file or less text.")
    status = 413


class TooMany(Refusal):
    code = "too_many_requests"
    text = N_("Too many requests from your network. Please wait a minute and try again.")
    status = 429


class WrongMethod(Refusal):
    code = "method_not_allowed"
    text = N_("This address does not take that kind of request.")
    status = 405


class BadRequest(Refusal):
    code = "bad_request"
    text = N_("The request could not be read. Check its form and send it again.")
    status = 400


class FormStale(Refusal):
    code = "form_expired"
    text = N_("The form has expired. Open the page again and repeat the last step; nothing was changed.")
    status = 400


class Broken(Refusal):
    code = "internal_error"
    text = N_("Something went wrong on our side. Nothing was lost; please try again, and tell us if it happens again.")
    status = 500


MACHINES = ("/api/", "/epcis/")
"""What answers below these addresses is for machines."""
_BY_STATUS: dict[int, type[Refusal]] = {404: NotFound, 405: WrongMethod, 413: TooLarge, 429: TooMany, 503: Unavailable}


def install(app: Flask) -> None:
    app.register_error_handler(Refusal, refused)
    app.register_error_handler(RateLimitExceeded, lambda _: refused(TooMany()))
    app.register_error_handler(CSRFError, lambda _: refused(FormStale()))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, silent_database)
    app.register_error_handler(PoolTimeout, silent_database)
    app.register_error_handler(DataError, _unfit)
    app.register_error_handler(Exception, _broken)


def refused(refusal: Refusal) -> Response:
    sentence = refusal.sentence(gettext)
    if request.path.startswith(MACHINES):
        return problem(refusal, sentence)
    face = "console" if request.path.startswith("/console") else "h5"
    with revision.in_memory() if isinstance(refusal, Unavailable) else nullcontext():
        body = render_template(f"{face}/refusal.html", code=refusal.code, sentence=sentence, status=refusal.status)
    response = Response(body, status=refusal.status)
    if refusal.status in {429, 503}:
        response.headers["Retry-After"] = "5"
    return response


def problem(refusal: Refusal, sentence: str, **more: Any) -> Response:
    """The refusal as problem+json; ``facts`` are its machine-readable members."""
    response = jsonify(
        {
            "type": f"urn:scancode:problem:{refusal.code}",
            "title": sentence,
            "status": refusal.status,
            "code": refusal.code,
            "facts": {key: _plain(value) for key, value in refusal.facts.items()},
            **more,
        }
    )
    response.status_code = refusal.status
    response.content_type = "application/problem+json"
    return response


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | bool | float | list | dict | None) else str(value)


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    kind = _BY_STATUS.get(error.code, BadRequest if error.code < 500 else Broken)
    response = refused(kind())
    response.status_code = error.code
    return response


def silent_database(error: DBAPIError | PoolTimeout) -> Response:
    log.error("database_unavailable", error=type(error).__name__, path=request.path)
    return refused(Unavailable())


def _unfit(error: DataError) -> Response:
    """The database has no room for a value: a number beyond its bounds. Whoever sent it can mend it; so can we."""
    log.warning("value_unfit", error=type(error.orig).__name__, path=request.path)
    return refused(BadRequest())


def _broken(error: Exception) -> Response:
    log.exception("request_failed", path=request.path, error=type(error).__name__)
    return refused(Broken())
