"""How refusals stand in the OpenAPI document: one form for all, the codes in one table, what each status means."""

from __future__ import annotations

from typing import Any

from flask_openapi.types import ResponseDict
from pydantic import Field

from scancode.web.api.refusals import REFUSALS
from scancode.web.api.shapes import Answer, FieldProblem

CONTENT_TYPE = "application/problem+json"


class Problem(Answer):
    """Why a call was refused (RFC 9457)."""

    type: str = Field(description="`urn:scancode:problem:` and the code", examples=["urn:scancode:problem:not_found"])
    title: str = Field(description="a sentence for people, in Chinese or, by Accept-Language, in English")
    status: int = Field(description="the HTTP status again", examples=[404])
    code: str = Field(
        description="stable machine code; see the table in the description of this document",
        examples=["not_found"],
        json_schema_extra={"enum": [kind.code for kind in REFUSALS]},
    )
    facts: dict[str, Any] = Field(description="what the sentence speaks of, machine-readable")
    errors: list[FieldProblem] | None = Field(None, description="with `invalid`: every field that is wrong")


def problem_answer(description: str, **headers: str) -> dict[str, Any]:
    """A refusal as the OpenAPI document describes it; ``headers`` with what each of them says."""
    described: dict[str, Any] = {
        "description": description,
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if headers:
        described["headers"] = {
            name.replace("_", "-"): {"description": says, "schema": {"type": "string"}}
            for name, says in headers.items()
        }
    return described


COMMON: ResponseDict = {
    401: problem_answer("No token, or none that is valid.", WWW_Authenticate="`Bearer`, and why"),
    403: problem_answer("The token lacks the scope.", WWW_Authenticate="`Bearer`, and the scope"),
    422: problem_answer("A field cannot be taken: see `errors`, or the code."),
    429: problem_answer("Too many calls with this token.", Retry_After="seconds to wait"),
    500: problem_answer("A fault of ours; it is logged."),
    503: problem_answer("Busy or out of order for a moment; nothing was lost.", Retry_After="seconds to wait"),
}
MORE = {
    400: problem_answer("The body cannot be read."),
    404: problem_answer("There is no such thing, or it is another brand's."),
    409: problem_answer("The state of things is against it: see the code."),
    410: problem_answer("It was there, and is gone."),
    413: problem_answer("The body is too large."),
    415: problem_answer("The body is not sent as JSON (or, with files, not as a form)."),
    501: problem_answer("The standard has it, but it is not supported here."),
    507: problem_answer("There is no room on the server's disk."),
    416: problem_answer("The file ends before the part that `Range` asks for."),
}
