"""Rate limits by network address, for the endpoints that a storm could make costly. Shared through Redis when there
is one; else counted in each process, so a limit is then that many per process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, request
from flask_limiter import Limiter

from scancode.config import Settings


def address_of(environ: Mapping[str, Any]) -> str:
    """The caller's network address, through as many proxies as the settings believe."""
    return environ.get("REMOTE_ADDR") or "unknown"


def address() -> str:
    """That of the caller of this request."""
    return address_of(request.environ)


limiter = Limiter(key_func=address, default_limits=[], headers_enabled=False)


def install(app: Flask, settings: Settings) -> None:
    app.config["RATELIMIT_STORAGE_URI"] = settings.redis_url or "memory://"
    app.config["RATELIMIT_SWALLOW_ERRORS"] = True
    app.config["RATELIMIT_ENABLED"] = settings.env != "test"
    limiter.init_app(app)
