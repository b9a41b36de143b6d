"""``/epcis/v2/capture``: events that a line's system or a partner sends. A document is taken in at once (202) and
carried out by the worker; its job tells what became of it, event by event."""

from __future__ import annotations

import json
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request, url_for

from scancode.epcis import service as events
from scancode.epcis.captured import EVENTS_MAX, Behaviour
from scancode.epcis.models import EpcisCapture
from scancode.epcis.rules import BadEpcisQuery, stamp
from scancode.errors import Refusal
from scancode.web.api import access, bodies
from scancode.web.api.epcis import epcis, per_page
from scancode.web.api.routes import SCOPE_OF
from scancode.web.api.shapes import read_cursor, write_cursor
from scancode.web.runtime import runtime

BYTES_MAX = 4_000_000
BEHAVIOUR = "GS1-Capture-Error-Behaviour"
LIMITS = {"GS1-EPCIS-Capture-Limit": str(EVENTS_MAX), "GS1-EPCIS-Capture-File-Size-Limit": str(BYTES_MAX)}
SCOPE_OF.update(
    {f"epcis.{name}": "epcis:capture" for name in ("capture_document", "list_capture_jobs", "show_capture_job")}
)
bodies.BYTES_MAX_OF["epcis.capture_document"] = BYTES_MAX


@epcis.post("/capture")
def capture_document() -> Response:
    """Raises BadEpcisQuery, BadDocument, DocumentTooLarge, BrandNeeded."""
    shared, token = runtime(), access.caller()
    _only("brand")
    try:
        behaviour = Behaviour(request.headers.get(BEHAVIOUR, Behaviour.ROLLBACK.value))
    except ValueError as error:
        raise BadEpcisQuery(parameter=BEHAVIOUR) from error
    document = request.get_json()
    row = shared.db.retrying(
        lambda session: events.ask_capture(
            session,
            brand_id=access.brand_of_call(session, request.args.get("brand")).id,
            document=document,
            behaviour=behaviour,
            actor=token.actor,
            staff_id=token.staff_id,
            now=shared.now(),
        )
    )
    response = _answer(_job(row), 202)
    response.headers["Location"] = url_for("epcis.show_capture_job", capture_id=row.id)
    return response


@epcis.get("/capture/<uuid:capture_id>")
def show_capture_job(capture_id: UUID) -> Response:
    _only()
    with runtime().db.reading() as session:
        row = events.get_capture(session, capture_id=capture_id, brand_id=access.caller().brand_id)
    return _answer(_job(row))


@epcis.get("/capture")
def list_capture_jobs() -> Response:
    """The newest first. Raises BadEpcisQuery, BrandNeeded."""
    _only("brand", "perPage", "nextPageToken")
    token, limit = request.args.get("nextPageToken"), per_page()
    try:
        after = read_cursor(token[:300], UUID)[0] if token else None
    except Refusal as error:
        raise BadEpcisQuery(parameter="nextPageToken") from error
    with runtime().db.reading() as session:
        brand = access.brand_of_call(session, request.args.get("brand"))
        rows = events.list_captures(session, brand_id=brand.id, after=after, limit=limit + 1)
    response = _answer([_job(row) for row in rows[:limit]])
    if len(rows) > limit:
        kept = {name: value for name, value in request.args.items() if name != "nextPageToken"}
        kept["nextPageToken"] = write_cursor(str(rows[limit - 1].id))
        response.headers["Link"] = f'<{request.base_url}?{urlencode(kept)}>; rel="next"'
    return response


def _only(*known: str) -> None:
    """Raises BadEpcisQuery for a parameter that is none."""
    for name in request.args:
        if name not in known:
            raise BadEpcisQuery(parameter=name[:60])


def _job(row: EpcisCapture) -> dict[str, object]:
    """The standard's members, and ours: how many events there are, were carried out, had been before."""
    language = "en" if request.accept_languages.best_match(("zh", "en"), "zh") == "en" else "zh"
    errors = [
        {
            "type": "epcisException:ValidationException",
            "title": error[language],
            "status": error["status"],
            "code": error["code"],
            "index": error["index"],
            "eventID": error["eventID"],
        }
        for error in json.loads(row.errors)
    ]
    return {
        "captureID": str(row.id),
        "createdAt": stamp(row.created_at),
        "finishedAt": stamp(row.finished_at) if row.finished_at else None,
        "running": row.finished_at is None,
        "success": bool(row.is_success),
        "captureErrorBehaviour": row.behaviour,
        "errors": errors,
        "events": row.event_count,
        "applied": row.applied,
        "repeated": row.repeated,
    }


def _answer(value: object, status: int = 200) -> Response:
    response = Response(json.dumps(value, ensure_ascii=False), status=status, content_type="application/json")
    response.headers.update(LIMITS)
    return response
