"""``GET /epcis/v2/events``: what happened to a brand's codes, as the REST binding of EPCIS 2.0 asks for it.

It stands beside ``/api/v1`` at the address that the standard gives it, with the same tokens, limits and refusals.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, request

from scancode.catalog.models import Brand
from scancode.catalog.rules import BrandFacts
from scancode.epcis import service as events
from scancode.epcis.epcs import BadEpc
from scancode.epcis.rules import (
    AGGREGATION,
    OBJECT,
    PER_PAGE,
    PER_PAGE_MAX,
    BadEpcisQuery,
    EpcisNotSupported,
    Question,
    query_document,
)
from scancode.epcis.service import Place
from scancode.errors import Invalid, Refusal
from scancode.packing.rules import Unit
from scancode.staff import service as staff
from scancode.web.api import access, errors
from scancode.web.api.described import CONTENT_TYPE
from scancode.web.api.refusals import ScopeMissing, TokenInvalid, TokenMissing
from scancode.web.api.routes import SCOPE_OF
from scancode.web.api.shapes import moment, read_cursor, write_cursor
from scancode.web.runtime import runtime

epcis = Blueprint("epcis", __name__, url_prefix="/epcis/v2")
epcis.before_request(access.enter)
for _kind in (TokenMissing, TokenInvalid, ScopeMissing, Invalid):
    epcis.register_error_handler(_kind, errors.refuse)
SCOPE_OF["epcis.list_events"] = "epcis:read"

LISTS = {"eventType": "types", "EQ_action": "actions", "EQ_bizStep": "steps", "EQ_disposition": "dispositions"}
TIMES = {
    "GE_eventTime": "since",
    "LT_eventTime": "until",
    # What we tell was on record when it happened.
    "GE_recordTime": "since",
    "LT_recordTime": "until",
}
MATCHES = {"MATCH_epc": "epcs", "MATCH_parentID": "parents", "MATCH_anyEPC": "anywhere"}
MATCHES_MAX = 50
OURS = {"perPage", "nextPageToken", "brand"}
STANDARD = ("EQ_", "GE_", "GT_", "LE_", "LT_", "MATCH_", "WD_", "EXISTS_", "HASATTR_", "EQATTR_", "INNER_", "UNION_")
OTHERWISE = "epcisException:ImplementationException"
EXCEPTIONS = {"epcis_query": "epcisException:QueryParameterException"}
EXCEPTIONS_BY_STATUS = {
    **dict.fromkeys((400, 409, 415, 422), "epcisException:ValidationException"),
    **dict.fromkeys((401, 403), "epcisException:SecurityException"),
    404: "epcisException:NoSuchResourceException",
    413: "epcisException:CaptureLimitExceededException",
}
HEADERS = {
    "GS1-EPCIS-Version": "2.0.0",
    "GS1-CBV-Version": "2.0.0",
    "GS1-EPCIS-Min": "2.0.0",
    "GS1-EPCIS-Max": "2.0.0",
}


@epcis.after_request
def finish(response: Response) -> Response:
    """The standard's headers, and its names of what went wrong; ours stay beside them."""
    response.headers.update(HEADERS)
    if response.mimetype == CONTENT_TYPE:
        told = json.loads(response.get_data())
        told["type"] = EXCEPTIONS.get(told["code"]) or EXCEPTIONS_BY_STATUS.get(response.status_code, OTHERWISE)
        response.set_data(json.dumps(told, ensure_ascii=False))
    return response


@epcis.get("/events")
def list_events() -> Response:
    """Raises BadEpcisQuery, EpcisNotSupported, Invalid (a token of ours that is none)."""
    shared, now = runtime(), runtime().now()
    question, limit = _question(), per_page()
    token = request.args.get("nextPageToken")
    place = _place(token) if token else None
    with shared.db.reading() as session:
        brand = access.brand_of_call(session, request.args.get("brand"))
        things = events.Things(session, shared.keyring, session.get_one(Brand, brand.id))
        question = _narrowed(question, things)
        page = events.page(
            session, brand_id=brand.id, keyring=shared.keyring, question=question, after=place, limit=limit
        )
    if place is None:
        _note(brand, question)
    body = json.dumps(query_document(page.events, now=now), ensure_ascii=False)
    response = Response(body, content_type="application/ld+json" if _wants_ld() else "application/json")
    if page.next is not None:
        at = page.next
        kept = [(name, value) for name, value in request.args.items(multi=True) if name != "nextPageToken"]
        kept.append(("nextPageToken", write_cursor(at.at.isoformat(), at.table, str(at.row_id), at.skip)))
        response.headers["Link"] = f'<{request.base_url}?{urlencode(kept)}>; rel="next"'
    return response


def _question() -> Question:
    values: dict[str, Any] = {}
    for name, text in request.args.items():
        if name in LISTS:
            values[LISTS[name]] = frozenset(_parts(name))
        elif name in TIMES:
            bound, pick = TIMES[name], max if name.startswith("GE") else min
            values[bound] = pick(_time(name, text), values.get(bound, _time(name, text)))
        elif name not in OURS and name not in MATCHES:
            raise (EpcisNotSupported if name.startswith(STANDARD) or name == "orderBy" else BadEpcisQuery)(
                parameter=name[:60]
            )
    if not values.get("types", frozenset()) <= {OBJECT, AGGREGATION, "TransactionEvent", "TransformationEvent"}:
        raise BadEpcisQuery(parameter="eventType")
    return Question(**values)


def _parts(name: str) -> list[str]:
    """The values of a list, which is written with commas, or by naming the parameter again."""
    return [part.strip() for text in request.args.getlist(name) for part in text.split(",") if part.strip()]


def _narrowed(question: Question, things: events.Things) -> Question:
    """With the things that must be named. Raises as ``_units``."""
    wishes: dict[str, Any] = {field: _units(things, name) for name, field in MATCHES.items() if name in request.args}
    return replace(question, **wishes)


def _units(things: events.Things, name: str) -> frozenset[Unit]:
    """The brand's things that the URIs of a parameter name. Raises BadEpcisQuery, EpcisNotSupported (patterns)."""
    parts = _parts(name)
    if not 1 <= len(parts) <= MATCHES_MAX:
        raise BadEpcisQuery(parameter=name)
    if any("*" in part or part.startswith("urn:epc:idpat:") for part in parts):
        raise EpcisNotSupported(parameter=name)
    try:
        found = [things.find(part) for part in parts]
    except BadEpc as error:
        raise BadEpcisQuery(parameter=name) from error
    return frozenset(unit for unit in found if unit is not None)


def _time(name: str, text: str) -> datetime:
    try:
        return moment(text)
    except (ValueError, OverflowError) as error:
        raise BadEpcisQuery(parameter=name) from error


def per_page() -> int:
    text = request.args.get("perPage", str(PER_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) < 9) or int(text) < 1:
        raise BadEpcisQuery(parameter="perPage")
    return min(int(text), PER_PAGE_MAX)


def _place(token: str) -> Place:
    try:
        return Place(*read_cursor(token[:300], moment, _small, UUID, _small))
    except Refusal as error:
        raise BadEpcisQuery(parameter="nextPageToken") from error


def _small(part: Any) -> int:
    if isinstance(part, int) and 0 <= part < 1 << 40:
        return part
    raise ValueError("no number of ours")


def _wants_ld() -> bool:
    best = request.accept_mimetypes.best_match(["application/json", "application/ld+json"], "application/json")
    return best == "application/ld+json"


def _note(brand: BrandFacts, question: Question) -> None:
    shared = runtime()
    facts = {"since": question.since, "until": question.until}
    with shared.db.transaction() as session:
        staff.audit(
            session,
            actor=access.caller().actor,
            brand_id=brand.id,
            action="epcis.export",
            subject=f"brand:{brand.id}",
            facts={name: value.isoformat() for name, value in facts.items() if value is not None},
            now=shared.now(),
        )
