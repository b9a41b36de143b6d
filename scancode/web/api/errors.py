"""How the API says no: problem+json (RFC 9457) in the language of ``Accept-Language``, with the headers that belong
to the status, and without any cookie."""

from __future__ import annotations

from typing import Any

from flask import Response, g, request
from flask_babel import gettext
from flask_limiter.errors import RateLimitExceeded
from flask_openapi import OpenAPI
from werkzeug.exceptions import MethodNotAllowed, RequestedRangeNotSatisfiable

from scancode.errors import Invalid, Refusal
from scancode.i18n import DEFAULT_LOCALE, LOCALES
from scancode.web.api import api
from scancode.web.api.described import CONTENT_TYPE
from scancode.web.api.refusals import MANY_RETRY_S, PartBeyond, ScopeMissing, TokenInvalid, TokenMissing, TooManyCalls
from scancode.web.problems import MACHINES, problem

REALM = "scancode"
UNAVAILABLE_RETRY_S = 5


def install(app: OpenAPI) -> None:
    app.before_request(_choose_language)
    # First in the list is called last: after everything that might set a cookie.
    app.after_request_funcs.setdefault(None, []).insert(0, _finish)


@api.errorhandler(TokenMissing)
@api.errorhandler(TokenInvalid)
@api.errorhandler(ScopeMissing)
@api.errorhandler(Invalid)
def refuse(refusal: Refusal, **more: Any) -> Response:
    """The refusal as an answer, with the headers that belong to it."""
    if isinstance(refusal, Invalid):
        refusal = Invalid(field=refusal.facts.get("field"), problem=gettext(str(refusal.facts.get("problem"))))
    response = problem(refusal, refusal.sentence(gettext), **more)
    if isinstance(refusal, TokenMissing):
        response.headers["WWW-Authenticate"] = f'Bearer realm="{REALM}"'
    elif isinstance(refusal, TokenInvalid):
        response.headers["WWW-Authenticate"] = f'Bearer realm="{REALM}", error="invalid_token"'
    elif isinstance(refusal, ScopeMissing):
        scope = refusal.facts["scope"]
        response.headers["WWW-Authenticate"] = f'Bearer realm="{REALM}", error="insufficient_scope", scope="{scope}"'
    elif isinstance(refusal, TooManyCalls):
        response.headers["Retry-After"] = str(MANY_RETRY_S)
    return response


@api.errorhandler(RequestedRangeNotSatisfiable)
def _refuse_part(_: RequestedRangeNotSatisfiable) -> Response:
    return refuse(PartBeyond())


@api.errorhandler(RateLimitExceeded)
def _refuse_more(_: RateLimitExceeded) -> Response:
    return refuse(TooManyCalls(seconds=MANY_RETRY_S))


def is_api() -> bool:
    """Whether this request is for a machine, known or unknown address alike."""
    return request.path.startswith(MACHINES)


def _choose_language() -> None:
    """Machines say their language in a header; what a browser keeps in its cookie is not asked."""
    if not is_api():
        return
    wished = request.accept_languages.best_match(("zh", "zh-CN", "zh-TW", "zh-HK", "en"), DEFAULT_LOCALE)
    g.locale = wished[:2] if wished[:2] in LOCALES else DEFAULT_LOCALE


def _finish(response: Response) -> Response:
    if not is_api():
        return response
    del response.headers["Set-Cookie"]
    if response.mimetype == CONTENT_TYPE:
        response.headers["Content-Language"] = g.get("locale", DEFAULT_LOCALE)
        response.vary.add("Accept-Language")
    if response.status_code == 503:
        response.headers.setdefault("Retry-After", str(UNAVAILABLE_RETRY_S))
    missed = request.routing_exception
    if response.status_code == 405 and isinstance(missed, MethodNotAllowed) and missed.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(missed.valid_methods))
    return response
