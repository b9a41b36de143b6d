"""The OpenAPI 3.1 document: what flask_openapi collected from the views, and what it cannot know."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from flask import Response, current_app
from flask_openapi import Info, OpenAPI
from flask_openapi.models import License, SecurityScheme, Server

import scancode
from scancode.staff.rules import SCOPES
from scancode.web.api import PREFIX, api, epcis_described
from scancode.web.api.described import Problem
from scancode.web.api.refusals import REFUSALS

VERSION = "3.1.1"
INTRODUCTION = """\
Order and follow batches of codes, change their life, look codes up, read scans and reports.

**Tokens.** An administrator makes a token in the console and gives it scopes and a brand. Send it with every call:
`Authorization: Bearer sct_…`. Scopes: {scopes}. What belongs to another brand does not exist for a token.

**Paging.** Lists answer `items` and `next`; send `next` back as `cursor` until it is null.

**Repeating.** A call may be repeated after a lost answer: an order is recognised by its `order_no`, and a change of
life that has been made answers 409 `life_nothing_to_change`.

**Refusals** are `application/problem+json` (RFC 9457). `code` is stable; `title` is a sentence in the language of
`Accept-Language` (Chinese unless English is asked for).

| code | status | means |
|---|---|---|
{refusals}
"""


def install(app: OpenAPI) -> None:
    """Called before the API is registered."""
    app.openapi_version = VERSION
    app.info = Info(
        title="scancode",
        version=scancode.__version__,
        description=introduction(),
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
    )
    app.severs = [Server(url="/")]  # the library's own spelling
    app.security_schemes = {
        "token": SecurityScheme(
            type="http",
            scheme="bearer",
            bearerFormat="sct_…",
            description="A token from the console. The list beside it names the scopes that a call needs.",
        )
    }
    app.validation_error_model = Problem


@api.route("/openapi.json")
def openapi_document() -> Response:
    """This document. It needs no token."""
    kept = current_app.extensions.get("api_document")
    if kept is None:
        kept = current_app.extensions["api_document"] = json.dumps(document(current_app), ensure_ascii=False)  # type: ignore[arg-type]
    response = Response(kept, content_type="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def document(app: OpenAPI) -> dict[str, Any]:
    """The document as plain values."""
    found: dict[str, Any] = deepcopy(app.api_doc)
    for path in found["paths"].values():
        for operation in path.values():
            operation["description"] = operation.get("description", "").replace("<br/>", "\n").strip()
    epcis_described.add_to(found)
    for report in ("funnel", "content"):
        answer = found["paths"][f"{PREFIX}/reports/{report}"]["get"]["responses"]["200"]
        answer["content"]["text/csv"] = {"schema": {"type": "string"}}
    return found


def introduction() -> str:
    rows = [f"| `{kind.code}` | {kind.status} | {kind.text} |" for kind in REFUSALS]
    return INTRODUCTION.format(scopes=", ".join(f"`{scope}`" for scope in SCOPES), refusals="\n".join(rows))
