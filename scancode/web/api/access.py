"""Lets a request in: a bearer token, not too many calls, the scope that the endpoint needs, and the token's brand.

That a token was used is noted at most once a minute by each process, apart from the request's own work: a call that
only reads must not wait for a write.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from flask import Flask, current_app, g, request
from flask_openapi import OpenAPI
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from scancode.catalog import service as catalog
from scancode.catalog.rules import BrandFacts
from scancode.staff import service as staff
from scancode.staff.rules import TokenFacts
from scancode.web.api import api, bodies
from scancode.web.api.refusals import BrandNeeded, BrandUnknown, ScopeMissing, TokenInvalid, TokenMissing
from scancode.web.api.routes import SCOPE_OF
from scancode.web.limits import address, limiter
from scancode.web.runtime import Runtime, runtime

CALLS = "1200 per minute"
"""Of one token. Twenty a second is more than a factory line needs."""
STRANGER_CALLS = "120 per minute"
"""Of one network address without a valid token."""
NOTE_EVERY = timedelta(minutes=1)
TOKENS_REMEMBERED = 10_000
PUBLIC = frozenset({"api.openapi_document"})
log = structlog.get_logger(__name__)


class Uses:
    """When this process last noted the use of each token."""

    def __init__(self) -> None:
        self._noted: dict[UUID, datetime] = {}
        self._lock = threading.Lock()

    def is_due(self, token_id: UUID, now: datetime) -> bool:
        """Whether the use is to be noted now; says so once, however many threads ask."""
        with self._lock:
            noted = self._noted.get(token_id)
            if noted is not None and now - noted < NOTE_EVERY:
                return False
            if len(self._noted) >= TOKENS_REMEMBERED:
                self._noted.clear()
            self._noted[token_id] = now
            return True


def install(app: OpenAPI) -> None:
    app.extensions["api_uses"] = Uses()
    app.config.update(API_CALLS=CALLS, API_STRANGER_CALLS=STRANGER_CALLS)


def caller() -> TokenFacts:
    """The machine that makes this call."""
    token: TokenFacts = g.api_token
    return token


def brand_of_call(session: Session, slug: str | None) -> BrandFacts:
    """The brand of the token; for a token that sees every brand, the one that it names.

    Raises BrandUnknown, BrandNeeded.
    """
    brand = find_brand_of_call(session, slug)
    if brand is None:
        raise BrandNeeded
    return brand


def find_brand_of_call(session: Session, slug: str | None) -> BrandFacts | None:
    """The same; None when the token sees every brand and names none. Raises BrandUnknown."""
    own = caller().brand_id
    if slug is not None:
        named = catalog.find_brand(session, slug=slug)
        if named is None or (own is not None and named.id != own):
            raise BrandUnknown
        return named
    return catalog.load_brand(session, brand_id=own) if own is not None else None


@api.before_request
def enter() -> None:
    """Lets the request in, or raises why not."""
    if request.endpoint in PUBLIC:
        return
    shared = runtime()
    token = _identify(shared)
    if token is None:
        raise TokenInvalid if request.headers.get("Authorization") else TokenMissing
    g.api_token = token
    _count_call()
    scope = SCOPE_OF[str(request.endpoint)]
    if scope not in token.scopes:
        raise ScopeMissing(scope=scope)
    _note_use(current_app, shared, token)
    bodies.check()


def _identify(shared: Runtime) -> TokenFacts | None:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    token = None
    if kind.lower() == "bearer" and secret.strip():
        with shared.db.reading() as session:
            token = staff.find_token(session, token=secret.strip(), now=shared.now())
    if token is None:
        _count_stranger()
    return token


@limiter.shared_limit(lambda: str(current_app.config["API_CALLS"]), scope="api", key_func=lambda: str(caller().id))
def _count_call() -> None:
    """Raises RateLimitExceeded."""


@limiter.shared_limit(lambda: str(current_app.config["API_STRANGER_CALLS"]), scope="api-strangers", key_func=address)
def _count_stranger() -> None:
    """Raises RateLimitExceeded."""


def _note_use(app: Flask, shared: Runtime, token: TokenFacts) -> None:
    uses: Uses = app.extensions["api_uses"]
    now = shared.now()
    if not uses.is_due(token.id, now):
        return
    try:
        with shared.db.transaction(durable=False) as session:
            staff.note_token_used(session, token_id=token.id, now=now)
    except SQLAlchemyError as error:
        log.warning("token_use_not_noted", token_id=str(token.id), error=type(error).__name__)
