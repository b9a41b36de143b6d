"""The anonymous visitor: a random id in a signed cookie, and with it the placed codes that the browser opened last.

The cookie is also what protects the consumer pages' forms: their hidden token is a signature over the visitor's id,
so no server-side state and no extra cookie are needed on the path of a scan.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask, Response, current_app, g, request
from itsdangerous import BadSignature, Signer

from scancode.catalog.rules import TOUCH_DAYS_MAX
from scancode.config import Settings
from scancode.db import new_id
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.web.clients import cookie_of

COOKIE = "sv"
COOKIE_S = 400 * 24 * 3600
"""Browsers keep no cookie for longer than 400 days."""
TOUCHES_KEPT = 4
TOUCH_MAX = timedelta(days=TOUCH_DAYS_MAX)
"""Longer than any brand looks back."""


class FormExpired(Refusal):
    code = "form_expired"
    text = N_("This page was open for too long or came from elsewhere. Please open it again and repeat the last step.")
    status = 400


@dataclass(frozen=True)
class CookieTouch:
    """A placed code that this browser opened, and the guide to whom it led, if it is a live code."""

    token: str
    at: datetime
    guide_id: UUID | None = None


@dataclass(frozen=True)
class Visitor:
    id: UUID
    touches: tuple[CookieTouch, ...] = ()
    """The oldest first: the first that may still count, and the latest ones."""
    is_new: bool = False

    @property
    def touch(self) -> CookieTouch | None:
        """The last one."""
        return self.touches[-1] if self.touches else None


@dataclass(frozen=True)
class Signers:
    """What signs the visitor's cookie, and what signs the token of their forms."""

    cookie: Signer
    form: Signer


def install(app: Flask, settings: Settings) -> None:
    keys = [key.strip().encode() for key in settings.session_keys.get_secret_value().split(",")]
    app.extensions["visitor_signers"] = Signers(_signer(keys, b"scancode.visitor"), _signer(keys, b"scancode.form"))
    app.jinja_env.globals["form_token"] = form_token
    app.after_request(_write_cookie)


def _signer(keys: list[bytes], purpose: bytes) -> Signer:
    """A signer whose keys are derived once, here, instead of at every signature."""
    derived = [hmac.digest(key, purpose, "sha256") for key in keys]
    return Signer(derived, key_derivation="none", digest_method=hashlib.sha256)


def _signers() -> Signers:
    found: Signers = current_app.extensions["visitor_signers"]
    return found


def current_visitor() -> Visitor:
    """The browser of this request; a new one gets its cookie with the answer."""
    if "visitor" not in g:
        g.visitor = read_visitor(_signers(), request.environ)
    found: Visitor = g.visitor
    return found


def known_visitor() -> Visitor | None:
    """The browser of this request where it brought a cookie of ours; no other gets one."""
    found = read_visitor(_signers(), request.environ)
    return None if found.is_new else found


def read_visitor(signers: Signers, environ: Mapping[str, Any]) -> Visitor:
    """The browser that sent this request: the one that its cookie names, else a new one."""
    sent = cookie_of(environ, COOKIE)
    return (_read(signers, sent) if sent else None) or Visitor(new_id(datetime.now(UTC)), is_new=True)


def remember_touch(token: str, guide_id: UUID | None, now: datetime) -> None:
    """Later scans of this browser are explained by this placed code, until a newer touch or the time limit."""
    visitor = current_visitor()
    kept = [touch for touch in visitor.touches if now - touch.at <= TOUCH_MAX]
    if len(kept) >= TOUCHES_KEPT:  # the first one is the answer to a question of its own
        del kept[1]
    g.visitor = Visitor(visitor.id, (*kept, CookieTouch(token, now, guide_id)), is_new=True)


def form_token() -> str:
    """The hidden field ``token`` of a consumer form; its stand-in while a page is rendered for many visitors."""
    stand_in: str | None = g.get("form_token_stand_in")
    return stand_in or real_form_token()


def real_form_token() -> str:
    """The token of this request's visitor."""
    return form_token_of(_signers(), current_visitor())


def form_token_of(signers: Signers, visitor: Visitor) -> str:
    return signers.form.get_signature(visitor.id.bytes).decode()


def check_form_token() -> None:
    """Raises FormExpired unless the form was made for this visitor. Called before every POST of the h5 pages."""
    given = request.form.get("token", "") or request.headers.get("X-Form-Token", "")
    if not is_form_of(_signers(), current_visitor(), given):
        raise FormExpired


def is_form_of(signers: Signers, visitor: Visitor, token: str) -> bool:
    return not visitor.is_new and signers.form.verify_signature(visitor.id.bytes, token.encode("ascii", "replace"))


def encode(id_: UUID) -> str:
    """An id as it stands in the cookie, before the signature."""
    return base64.urlsafe_b64encode(id_.bytes).decode().rstrip("=")


def _read(signers: Signers, text: str) -> Visitor | None:
    try:
        identity, *rest = signers.cookie.unsign(text).decode("ascii").split(",")
        return Visitor(_read_id(identity), tuple(map(_read_touch, rest[::2], rest[1::2])) if rest else ())
    except (BadSignature, ValueError, UnicodeError):
        return None


def _read_id(text: str) -> UUID:
    return UUID(bytes=base64.urlsafe_b64decode(text + "=="))


def _read_touch(token: str, at: str) -> CookieTouch:
    """``TOKEN``, ``SECONDS`` or ``SECONDS.GUIDE``."""
    seconds, _, guide = at.partition(".")
    return CookieTouch(token, datetime.fromtimestamp(int(seconds), UTC), _read_id(guide) if guide else None)


def _write_cookie(response: Response) -> Response:
    visitor: Visitor | None = g.get("visitor")
    if visitor is None or not visitor.is_new:
        return response
    response.headers.add("Set-Cookie", cookie_header(_signers(), visitor, is_secure=request.is_secure))
    return response


def cookie_header(signers: Signers, visitor: Visitor, *, is_secure: bool) -> str:
    """The value of the header that keeps the visitor in their browser."""
    plain = encode(visitor.id)
    for touch in visitor.touches:
        guide = f".{encode(touch.guide_id)}" if touch.guide_id else ""
        plain += f",{touch.token},{int(touch.at.timestamp())}{guide}"
    attributes = f"Max-Age={COOKIE_S}; HttpOnly; Path=/; SameSite=Lax{'; Secure' if is_secure else ''}"
    return f"{COOKIE}={signers.cookie.sign(plain).decode()}; {attributes}"


def new_state() -> str:
    """A random value that a login must bring back; 32 of 0-9a-f, as WeChat takes it."""
    return secrets.token_hex(16)
