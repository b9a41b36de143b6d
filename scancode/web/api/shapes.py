"""The forms that requests and answers share: strict where something comes in, complete where something goes out."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from scancode.errors import Invalid
from scancode.i18n import N_

LIMIT_MAX = 100
BATCH_NUMBER_MAX = (1 << 25) - 1
_DIGITS = re.compile(r"[0-9]{1,9}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]{8,15}([Zz]|[+-][0-9]{2}:[0-9]{2})")

KindName = Literal["outer", "inner", "case", "pallet"]
FormatName = Literal["csv", "txt", "xlsx", "png", "svg", "zpl", "pdf"]
LifeName = Literal["inactive", "active", "void", "recalled"]
BatchStateName = Literal["waiting", "rejected", "ordered", "minting", "ready", "failed", "cancelled"]


class Asked(BaseModel):
    """Something that a client sends. A field that we do not know is refused: it is a mistake somewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """Something that we send. Later versions may add fields, so clients shall ignore those they do not know."""

    model_config = ConfigDict(frozen=True)


def _plain_digits(value: Any) -> Any:
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise PydanticCustomError("int_parsing", "not a whole number")
    return value


def _each_once(values: list[Any]) -> list[Any]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("repeated", "named more than once")
    return values


def _moment(value: Any) -> Any:
    if value is not None and not (isinstance(value, str) and _MOMENT.fullmatch(value)):
        raise PydanticCustomError("moment", "not a time with its zone")
    return value


def text_field(length_max: int, **more: Any) -> Any:
    """A line of text without control characters, which some databases cannot store."""
    return Field(max_length=length_max, pattern=r"^[^\x00-\x1f\x7f]*$", **more)


Whole = BeforeValidator(_plain_digits)
"""A whole number in an address: digits only. Stands last, or the document would lose the bounds beside it."""
EachOnce = AfterValidator(_each_once)
Moment = Annotated[AwareDatetime, Field(examples=["2026-11-22T04:00:00Z"]), BeforeValidator(_moment)]
"""A time with its zone, as RFC 3339 writes it: never a number."""

BrandSlug = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9-]{0,39}$",
        description="short name of a brand; only a token that sees every brand needs it",
        examples=["shanquan"],
    ),
]
ProductRef = Annotated[
    str,
    Field(
        pattern=r"^([0-9]{8}|[0-9]{12,14}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$",
        description="a product: its GTIN (8, 12, 13 or 14 digits), or its id (UUID)",
        examples=["6901234567892"],
    ),
]
OrderNumber = Annotated[str, text_field(60, min_length=1, examples=["PO-2026-1122"])]
Limit = Annotated[int, Field(ge=1, le=LIMIT_MAX, description="most items of this page", examples=[50]), Whole]
Cursor = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_-]{1,200}$",
        description="`next` of the page before, unchanged",
    ),
]
Day = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        description="a day in the brand's time zone",
        examples=["2026-11-22"],
    ),
]
BatchNumber = Annotated[
    int, Field(ge=0, le=BATCH_NUMBER_MAX, description="number of a batch", examples=[1234567]), Whole
]


class Nothing(Asked):
    """There is nothing to say."""


class BatchPath(Asked):
    """Names a batch in an address."""

    number: BatchNumber


class ProductAnswer(Answer):
    """What was ordered."""

    id: UUID
    gtin: str = Field(description="14 digits", examples=["06901234567892"])
    name_zh: str = Field(examples=["山泉柠檬水"])
    name_en: str = Field(examples=["Lemon water"])


class FieldProblem(Answer):
    """One field that cannot be taken."""

    field: str = Field(description="path to the field, dots between its parts", examples=["ranges.0.last"])
    problem: str = Field(description="a sentence in the language asked for", examples=["A whole number is needed."])
    code: str = Field(description="machine code of the problem", examples=["int_type"])


def reply(body: Answer, status: int = 200, **headers: str) -> Response:
    """The answer as JSON."""
    response = Response(body.model_dump_json(), status=status, content_type="application/json")
    response.headers.update(headers)
    return response


def write_cursor(*parts: str | int) -> str:
    """Where a page ended, opaque to clients."""
    text = json.dumps(parts, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str, *kinds: Callable[[Any], Any]) -> tuple[Any, ...]:
    """The parts of a cursor, each through its ``kinds``. Raises Invalid for one that we did not write."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(parts, list) or any(not isinstance(part, str | int) for part in parts):
            raise ValueError("no list of plain values")
        return tuple(kind(part) for kind, part in zip(kinds, parts, strict=True))
    except (ValueError, TypeError, OverflowError, AttributeError, RecursionError) as error:
        raise Invalid(field="cursor", problem=N_("Send “next” of the page before, unchanged.")) from error


def moment(part: Any) -> datetime:
    """An aware time from a cursor, in UTC. Raises ValueError, OverflowError."""
    found = datetime.fromisoformat(str(part))
    if found.tzinfo is None:
        raise ValueError("a time without its zone")
    return found.astimezone(UTC)


def number(part: Any) -> int:
    """A batch number or a serial from a cursor. Raises ValueError."""
    if isinstance(part, int) and 0 <= part <= BATCH_NUMBER_MAX:
        return part
    raise ValueError("no number of ours")


def day(part: Any) -> str:
    """A day from a cursor, as ``2026-11-22``. Raises ValueError."""
    return date.fromisoformat(str(part)).isoformat()
