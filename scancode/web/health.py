"""Whether this process lives, and whether it can do its work: for load balancers and operators."""

from __future__ import annotations

import structlog
from flask import Flask, Response, jsonify
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from scancode import migrations
from scancode.codes.models import Batch
from scancode.web.runtime import runtime

log = structlog.get_logger(__name__)


def install(app: Flask) -> None:
    app.add_url_rule("/healthz", "healthz", healthz)
    app.add_url_rule("/readyz", "readyz", readyz)


def healthz() -> Response:
    """200 while the process answers at all."""
    return jsonify({"status": "ok"})


def readyz() -> tuple[Response, int]:
    """200 when the database answers, its schema is current and every code key is there; else 503 and which is not."""
    shared = runtime()
    checks: dict[str, str] = {}
    try:
        with shared.db.reading() as session:
            kids = set(session.scalars(select(Batch.kid).distinct()).all())
        checks["database"] = "ok"
        at = migrations.current(shared.db)
        checks["schema"] = "ok" if at == migrations.head() else f"at {at}, wanted {migrations.head()}"
        missing = shared.keyring.missing(kids)
        checks["code_keys"] = "ok" if not missing else f"missing: {', '.join(missing)}"
    except SQLAlchemyError as error:
        log.warning("not_ready", error=type(error).__name__)
        checks["database"] = "unreachable"
    is_ready = all(value == "ok" for value in checks.values())
    return jsonify({"status": "ready" if is_ready else "not ready", "checks": checks}), 200 if is_ready else 503
