"""Reads what a call sent before its model sees it: JSON or nothing, of bounded size, an object at the top (or, where
files are taken, a form). What does not fit a model is explained field by field, in the caller's language."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_babel import gettext
from flask_openapi import OpenAPI
from pydantic import ValidationError
from werkzeug.exceptions import BadRequest

from scancode.errors import Invalid
from scancode.i18n import N_
from scancode.web.api.errors import refuse
from scancode.web.api.refusals import BrokenJson, NotFiles, NotJson
from scancode.web.api.routes import TAKES_FILES
from scancode.web.api.shapes import FieldProblem
from scancode.web.security import allow_upload

BODY_BYTES_MAX = 256_000
"""A thousand ranges take a fifth of it."""
ERRORS_MAX = 20
FIELD_LENGTH_MAX = 100
BODY = "body"
BYTES_MAX_OF: dict[str, int] = {}
"""By endpoint, where it may be more."""

SENTENCES = {
    "missing": N_("This is needed."),
    "extra_forbidden": N_("There is no such field."),
    "int_type": N_("A whole number is needed."),
    "int_parsing": N_("A whole number is needed."),
    "int_from_float": N_("A whole number is needed."),
    "string_type": N_("A text is needed."),
    "string_unicode": N_("This text holds characters that cannot be stored."),
    "string_too_short": N_("At least {min_length} characters are needed."),
    "string_too_long": N_("At most {max_length} characters are possible."),
    "string_pattern_mismatch": N_("This has another form than is asked for: {pattern}"),
    "bool_type": N_("Either true or false is needed."),
    "list_type": N_("A list is needed."),
    "too_short": N_("At least {min_length} entries are needed."),
    "too_long": N_("At most {max_length} entries are possible."),
    "model_type": N_("An object is needed."),
    "greater_than_equal": N_("This must be {ge} or more."),
    "less_than_equal": N_("This must be {le} or less."),
    "literal_error": N_("One of these is needed: {expected}."),
    "moment": N_("A time with its zone is needed, such as 2026-11-22T04:00:00Z."),
    "uuid_parsing": N_("An id is needed, such as 019aa3c4-0000-7000-8000-000000000000."),
    "enum": N_("One of these is needed: {expected}."),
    "repeated": N_("Each entry may stand here only once."),
}
OTHERWISE = N_("This value cannot be taken.")


def install(app: OpenAPI) -> None:
    app.validation_error_callback = explain


def check() -> None:
    """Raises NotJson, BrokenJson, Invalid, NotFiles, DiskFull, or what werkzeug raises for a body that is too large."""
    if request.method not in {"POST", "PUT", "PATCH"}:
        return
    if request.endpoint in TAKES_FILES:
        if request.mimetype != "multipart/form-data":
            raise NotFiles
        allow_upload()
        return
    request.max_content_length = BYTES_MAX_OF.get(str(request.endpoint), BODY_BYTES_MAX)
    if not request.is_json:
        raise NotJson
    try:
        body = request.get_json()
    except (BadRequest, RecursionError) as error:
        raise BrokenJson from error
    if not isinstance(body, dict):
        raise Invalid(field=BODY, problem=SENTENCES["model_type"])


def explain(error: ValidationError) -> Response:
    """The answer to a call whose fields do not fit."""
    errors = [_field_problem(item) for item in error.errors(include_url=False, include_input=False)[:ERRORS_MAX]]
    first = Invalid(field=errors[0].field, problem=errors[0].problem)
    return refuse(first, errors=[item.model_dump() for item in errors])


def _field_problem(item: Any) -> FieldProblem:
    place = ".".join(str(part) for part in item["loc"])[:FIELD_LENGTH_MAX]
    sentence = gettext(SENTENCES.get(item["type"], OTHERWISE))
    facts = {name: str(value)[:200] for name, value in item.get("ctx", {}).items()}
    return FieldProblem(field=place or BODY, problem=sentence.format_map(facts), code=item["type"])
