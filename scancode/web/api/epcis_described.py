"""The EPCIS addresses as the OpenAPI document describes them. Their form is the standard's, which no model of ours
makes, so it is written down here; a test compares it with what is served."""

from __future__ import annotations

from typing import Any, Final

from scancode.epcis.captured import EVENTS_MAX, Behaviour
from scancode.epcis.rules import PER_PAGE, PER_PAGE_MAX
from scancode.web.api.described import COMMON, MORE, problem_answer
from scancode.web.api.routes import SCOPE_OF

TAG: Final = {"name": "epcis", "description": "GS1 EPCIS 2.0: events to be read, events to be carried out."}
STANDARD: Final = "https://ref.gs1.org/standards/epcis/2.0.1/"
LISTS: Final = {
    "eventType": "`ObjectEvent`, `AggregationEvent`",
    "EQ_action": "`ADD`, `OBSERVE`, `DELETE`",
    "EQ_bizStep": "short names of the CBV, such as `shipping`",
    "EQ_disposition": "short names of the CBV, such as `in_transit`",
    "MATCH_epc": "things that the event itself names: Digital Link URIs or URNs",
    "MATCH_parentID": "cases and pallets",
    "MATCH_anyEPC": "things that the event names anywhere",
}
TIMES: Final = ("GE_eventTime", "LT_eventTime", "GE_recordTime", "LT_recordTime")
BRAND: Final = {
    "name": "brand",
    "in": "query",
    "description": "short name of a brand; only a token that sees every brand needs it",
    "schema": {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,39}$"},
}
PAGE: Final = [
    {
        "name": "perPage",
        "in": "query",
        "description": f"most items of this page; more than {PER_PAGE_MAX} are never sent at once",
        "schema": {"type": "integer", "minimum": 1, "default": PER_PAGE},
    },
    {
        "name": "nextPageToken",
        "in": "query",
        "description": "from the header `Link` of the page before, unchanged",
        "schema": {"type": "string", "maxLength": 300},
    },
]
JOB: Final = {
    "type": "object",
    "description": "What became of a document (the standard's members, and `events`, `applied`, `repeated`).",
    "required": ["captureID", "createdAt", "running", "success", "captureErrorBehaviour", "errors"],
    "properties": {
        "captureID": {"type": "string", "format": "uuid"},
        "createdAt": {"type": "string", "format": "date-time"},
        "finishedAt": {"type": ["string", "null"], "format": "date-time"},
        "running": {"type": "boolean"},
        "success": {"type": "boolean"},
        "captureErrorBehaviour": {"type": "string", "enum": [each.value for each in Behaviour]},
        "errors": {"type": "array", "items": {"type": "object"}},
        "events": {"type": "integer"},
        "applied": {"type": "integer", "description": "events that were carried out"},
        "repeated": {"type": "integer", "description": "events that had been carried out before"},
    },
}
DOCUMENT: Final = {
    "type": "object",
    "description": "An EPCISDocument in JSON-LD.",
    "externalDocs": {"url": STANDARD},
    "required": ["@context", "type", "schemaVersion", "epcisBody"],
    "properties": {"type": {"type": "string"}, "schemaVersion": {"type": "string"}, "epcisBody": {"type": "object"}},
}
REFUSED: Final = problem_answer("A parameter, or the document, is not the standard's.")
JOB_REF: Final = {"$ref": "#/components/schemas/EpcisCaptureJob"}
BEHAVIOUR: Final = {
    "name": "GS1-Capture-Error-Behaviour",
    "in": "header",
    "description": "whole or not at all; or as far as can be",
    "schema": {"type": "string", "enum": [each.value for each in Behaviour], "default": Behaviour.ROLLBACK.value},
}


def add_to(document: dict[str, Any]) -> None:
    """Puts the addresses, their tag and their schemas into the document."""
    document["tags"].append(TAG)
    document["components"]["schemas"] |= {"EpcisCaptureJob": JOB, "EpcisDocument": DOCUMENT}
    job = {"application/json": {"schema": JOB_REF}}
    jobs = {"application/json": {"schema": {"type": "array", "items": JOB_REF}}}
    document["paths"] |= {
        "/epcis/v2/events": {"get": _operation("list_events", _EVENTS, [*_query(), *PAGE, BRAND], _events(), 400, 501)},
        "/epcis/v2/capture": {
            "post": _operation("capture_document", _CAPTURE, [BEHAVIOUR, BRAND], {"202": _answer(job)}, 400, 413, 415)
            | {"requestBody": {"required": True, "content": {"application/json": {"schema": _DOCUMENT_REF}}}},
            "get": _operation("list_capture_jobs", _JOBS, [*PAGE, BRAND], {"200": _answer(jobs)}, 400),
        },
        "/epcis/v2/capture/{capture_id}": {
            "get": _operation("show_capture_job", _JOB, [_CAPTURE_ID], {"200": _answer(job)}, 400, 404)
        },
    }


_DOCUMENT_REF: Final = {"$ref": "#/components/schemas/EpcisDocument"}
_CAPTURE_ID: Final = {
    "name": "capture_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}
_EVENTS: Final = (
    "List what happened to the codes.",
    "Oldest first. The next page stands in the header `Link`; a page may be empty and still have a next one.",
)
_CAPTURE: Final = (
    "Have events carried out.",
    f"At most {EVENTS_MAX} of them. `Location` names the job that tells, event by event, what became of them. An event "
    "is recognised by its `eventID` and never carried out twice.",
)
_JOBS: Final = ("List the documents that were sent.", "The newest first.")
_JOB: Final = ("Show what became of a document.", "")


def _operation(
    name: str, words: tuple[str, str], parameters: list[dict[str, Any]], answers: dict[str, Any], *refusals: int
) -> dict[str, Any]:
    said: dict[str, Any] = {str(status): kind for status, kind in (COMMON | MORE).items() if status in COMMON}
    said |= {str(status): REFUSED if status == 400 else MORE[status] for status in refusals}
    return {
        "tags": [TAG["name"]],
        "operationId": name,
        "summary": words[0],
        "description": words[1],
        "security": [{"token": [SCOPE_OF[f"epcis.{name}"]]}],
        "parameters": parameters,
        "responses": {**answers, **said},
    }


def _query() -> list[dict[str, Any]]:
    lists = [
        {
            "name": name,
            "in": "query",
            "description": words,
            "style": "form",
            "explode": False,
            "schema": {"type": "array", "items": {"type": "string"}},
        }
        for name, words in LISTS.items()
    ]
    return lists + [
        {"name": name, "in": "query", "schema": {"type": "string", "format": "date-time"}} for name in TIMES
    ]


def _events() -> dict[str, Any]:
    schema = {"type": "object", "description": "An EPCISQueryDocument.", "externalDocs": {"url": STANDARD}}
    kinds = ("application/json", "application/ld+json")
    return {"200": _answer({kind: {"schema": schema} for kind in kinds})}


def _answer(content: dict[str, Any]) -> dict[str, Any]:
    return {"description": "OK", "content": content}
