"""Calls that make something and may be made again: with an ``Idempotency-Key`` the second one is answered as the first
was, a password or a passcode in it included. That is for a day, to the same token, for the same content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Annotated

from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from scancode.staff import service as staff
from scancode.web.api.access import caller
from scancode.web.api.shapes import Answer
from scancode.web.runtime import runtime


class Repeating(BaseModel):
    """Names a call, so that it may be sent again after a lost answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: Annotated[
        str | None,
        Field(
            alias="Idempotency-Key",
            pattern=r"^[A-Za-z0-9._:-]{1,80}$",
            description="your name for this call; sent again within a day, it is answered again, not done again",
            examples=["seal-PO-2026-1122"],
        ),
    ] = None


def made_once(key: str | None, work: Callable[[Session], Answer], *, status: int = 201) -> Response:
    """Does the work in a transaction and answers it; or answers again what it was answered under this key.

    Raises KeyReused.
    """
    shared, token_id = runtime(), caller().id

    def attempt(session: Session) -> tuple[str, bool]:
        if key is None:
            return work(session).model_dump_json(), False
        earlier = staff.begin_call(
            session, token_id=token_id, key=key, request=_digest(), sealer=shared.sealer, now=shared.now()
        )
        if earlier is not None:
            return earlier, True
        answer = work(session).model_dump_json()
        staff.end_call(session, token_id=token_id, key=key, answer=answer, sealer=shared.sealer)
        return answer, False

    answer, is_again = shared.db.retrying(attempt)
    response = Response(answer, status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    if is_again:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _digest() -> str:
    """The same for the same call, however its JSON or its form is laid out."""
    sent = request.get_json() if request.is_json else _form()
    content = json.dumps(sent, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{request.method} {request.path}\n{content}".encode()).hexdigest()


def _form() -> dict[str, list[str]]:
    """Fields and files by name; of a file its SHA-256 counts."""
    found = dict(request.form.lists())
    for name, files in request.files.lists():
        for file in files:
            file.stream.seek(0)
            digest = hashlib.sha256()
            while piece := file.stream.read(1 << 20):
                digest.update(piece)
            found.setdefault(name, []).append(digest.hexdigest())
    return found
