"""Headers that every answer carries, and the limits that every request meets."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask, Request, Response, current_app, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from scancode.config import Settings
from scancode.uploads.rules import require_space
from scancode.web.clients import cookie_of
from scancode.web.problems import BadRequest

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
CAMERA_POLICY = CONTENT_SECURITY_POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
"""The decoder of the camera's pictures is WebAssembly, which needs a word of its own; other pages lack it."""


FORM_ACTION = "form-action 'self'"


def policy_of(settings: Settings) -> str:
    """The policy of every page. A claim within WeChat is a form whose answer leads to WeChat's login page and back;
    browsers hold each step of that against ``form-action``, so the login's origin is named there, and nowhere else."""
    if settings.login_gateway != "wechat":
        return CONTENT_SECURITY_POLICY
    return CONTENT_SECURITY_POLICY.replace(FORM_ACTION, f"{FORM_ACTION} {settings.wechat_open_url}")


SESSION_COOKIE, SESSION_S = "ss", 30 * 24 * 3600
STANDARD_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Permissions-Policy", "camera=(self), geolocation=(self), microphone=(), payment=()"),
    ("Cache-Control", "no-store"),
)
FORM_BYTES_MAX = 1_000_000
"""A form without files. Nobody types more, and reading one makes an object of every field."""
SMALL_BYTES = 1_000_000
"""A request for which nobody looks at the disk first."""
NUMBER_MAX = (1 << 53) - 1
LEFT_OVER_BYTES_MAX, LEFT_OVER_S = 32_000_000, 10.0


def with_camera(page: str) -> Response:
    """A page that may decode what the camera sees."""
    response = Response(page, mimetype="text/html")
    response.headers["Content-Security-Policy"] = CAMERA_POLICY
    return response


class Sessions(SecureCookieSessionInterface):
    """Flask's sessions in signed cookies; what signs them is made once, here, instead of for every request."""

    def __init__(self, keys: list[str], lifetime_s: int) -> None:
        derived = [hmac.digest(key.encode(), b"scancode.session", "sha256") for key in keys]
        kwargs = {"key_derivation": "none", "digest_method": hashlib.sha256}
        self._serializer = URLSafeTimedSerializer(derived, serializer=self.serializer, signer_kwargs=kwargs)
        self._lifetime_s = lifetime_s

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer:
        return self._serializer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        return self.read(request.environ)

    def read(self, environ: Mapping[str, Any]) -> SecureCookieSession:
        """The session that the browser sent: empty when there is none, or one that is broken or too old."""
        sent = cookie_of(environ, SESSION_COOKIE)
        try:
            return (
                SecureCookieSession(self._serializer.loads(sent, max_age=self._lifetime_s))
                if sent
                else SecureCookieSession()
            )
        except BadSignature:
            return SecureCookieSession()


class BoundedNumber(IntegerConverter):
    """``<int:…>`` in an address: beyond what a database can hold there is no page."""

    def __init__(self, url_map: Map, fixed_digits: int = 0, min: int | None = None, max: int = NUMBER_MAX) -> None:
        super().__init__(url_map, fixed_digits=fixed_digits, min=min, max=max)


def install(app: Flask, settings: Settings) -> None:
    keys = [key.strip() for key in settings.session_keys.get_secret_value().split(",")]
    is_https = settings.base_url.lower().startswith("https://")
    app.config.update(
        SECRET_KEY=keys[-1],
        SECRET_KEY_FALLBACKS=keys[:-1],
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        UPLOAD_BYTES_MAX=settings.max_upload_bytes,
        VAR_DIR=settings.var_dir,
        MAX_FORM_MEMORY_SIZE=FORM_BYTES_MAX,
        MAX_FORM_PARTS=500,
        SESSION_COOKIE_NAME=SESSION_COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=is_https,
        PERMANENT_SESSION_LIFETIME=SESSION_S,
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        WTF_CSRF_CHECK_DEFAULT=False,
    )
    app.session_interface = Sessions(keys, SESSION_S)
    app.url_map.converters["int"] = BoundedNumber
    app.before_request(_limit_form)
    app.before_request(_refuse_nul)
    app.extensions["standard_headers"] = [
        ("Content-Security-Policy", policy_of(settings)),
        *STANDARD_HEADERS,
        *([("Strict-Transport-Security", "max-age=31536000")] if is_https else []),
    ]
    app.after_request(_harden)
    app.after_request(_hear_out)


def standard_headers(app: Flask) -> list[tuple[str, str]]:
    """What every answer carries that does not say otherwise."""
    found: list[tuple[str, str]] = app.extensions["standard_headers"]
    return found


def trust_proxies(app: Flask, settings: Settings) -> None:
    """Believes so many proxies about address, scheme and host: ``app.extensions["proxies"]`` is called with the WSGI
    environment by whatever stands outermost."""
    count = settings.trusted_proxies
    proxies = ProxyFix(lambda environ, start_response: [], x_for=count, x_proto=count, x_host=count)
    app.extensions["proxies"] = lambda environ: proxies(environ, lambda *_: bytes) if count else None


def _harden(response: Response) -> Response:
    headers = response.headers
    given = {name.lower() for name, _ in headers}
    for name, value in standard_headers(current_app):
        if name.lower() not in given:
            headers.add(name, value)
    return response


LARGE_UPLOADS = frozenset(
    {
        "console.import_packing",
        "console.send_preflight",
        "console.change_life",
        "console.new_shipment",
        "console.send_tag_file",
    }
)
"""Where files come in that are larger than any form: up to ``max_upload_bytes``, straight to the disk."""


def _limit_form() -> None:
    """The library's own limit for forms is not applied to this kind of them."""
    is_large = request.endpoint in LARGE_UPLOADS and request.mimetype == "multipart/form-data"
    if is_large and "_user_id" in session:  # only for who has signed in: nobody else fills our disk
        allow_upload()
    if request.mimetype == "application/x-www-form-urlencoded":
        request.max_content_length = min(FORM_BYTES_MAX, request.max_content_length or FORM_BYTES_MAX)


def allow_upload() -> None:
    """Lets this request be as large as uploads may be. Raises DiskFull before a byte is read."""
    request.max_content_length = current_app.config["UPLOAD_BYTES_MAX"]
    _require_space(Path(tempfile.gettempdir()), current_app.config["VAR_DIR"])


def _require_space(*folders: Path) -> None:
    """Before a byte is read: what is sent lies in the one folder while it comes, and then in the other. Raises
    DiskFull."""
    length = request.content_length or current_app.config["UPLOAD_BYTES_MAX"]
    if length <= SMALL_BYTES:
        return
    found = [
        next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists()) for folder in folders
    ]
    is_one = len({each.stat().st_dev for each in found}) == 1
    for each in found:
        require_space(needs_bytes=length * 2 if is_one else length, free_bytes=shutil.disk_usage(each).free)


def _refuse_nul() -> None:
    """No keyboard types a NUL, and PostgreSQL keeps none: what holds one is refused before any view. The API looks
    into its bodies and parameters itself, and of what the payment provider posts nothing is parsed before its view."""
    if request.path.startswith(("/api/", "/epcis/", "/pay/")):
        return
    if b"%00" in request.query_string or b"\x00" in request.query_string:
        raise BadRequest
    if request.method == "POST" and any("\x00" in name + value for name, value in request.form.items(multi=True)):
        raise BadRequest


def _hear_out(response: Response) -> Response:
    """Takes in what is left of a body that was refused unread: else the connection breaks while the browser is still
    sending, and it never reads why. Within limits, and only where the server says where a body ends."""
    if not request.environ.get("wsgi.input_terminated") or not (
        request.content_length or request.headers.get("Transfer-Encoding")
    ):
        return response
    body, left, end = request.environ["wsgi.input"], LEFT_OVER_BYTES_MAX, time.monotonic() + LEFT_OVER_S
    with contextlib.suppress(Exception):  # a body that breaks off changes nothing about the answer
        while left > 0 and time.monotonic() < end and (piece := body.read(min(left, 1 << 16))):
            left -= len(piece)
    return response
