"""Press kits of a batch that is made offline: asking for one, seeing what became of it, fetching the sealed file.

A kit holds the key of its batch. The second person's answer is therefore given by a person: in the console, or at a
terminal with a password, never by a token.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from batches.kit import SUFFIX
from scancode.codes import service as codes
from scancode.handover import service as handover
from scancode.web.api.access import caller
from scancode.web.api.handover import of_batch
from scancode.web.api.life import Serial
from scancode.web.api.once import Repeating, made_once
from scancode.web.api.routes import HANDOVER, get, post
from scancode.web.api.shapes import Answer, Asked, BatchPath, Nothing, reply
from scancode.web.runtime import runtime


class KitWish(Asked):
    """Which serials a print house may make without a network, and for how long they may be activated."""

    house: UUID = Field(description="id of a print house that has an age key")
    first: Serial = Field(examples=[0])
    last: Serial = Field(examples=[99999])
    days: Annotated[int, Field(strict=True, ge=1, le=365, description="activation ends after so many days")] = 30


class KitAnswer(Answer):
    """A press kit."""

    id: UUID
    batch: int
    house: str = Field(description="name of the print house")
    first: int
    last: int
    expires_at: datetime
    state: Literal["waiting", "approved", "rejected", "cancelled"]
    asked_at: datetime
    reason: str = Field(description="why it was rejected")


class KitList(Answer):
    """Press kits, the newest first."""

    items: list[KitAnswer]


class KitPath(Asked):
    """Names a press kit in an address."""

    kit_id: UUID


@post("/batches/<number>/kits", scope="batches:handover", tag=HANDOVER, answers={201: KitAnswer}, refusals=(404, 409))
def ask_kit(header: Repeating, path: BatchPath, body: KitWish) -> Response:
    """Ask for a press kit of a batch that was ordered `offline`.

    It waits until a person other than the token's owner approves it, in the console or at a terminal.
    """
    shared, token = runtime(), caller()

    def work(session: Session) -> KitAnswer:
        now = shared.now()
        codes.get_batch(session, number=path.number, brand_id=token.brand_id)
        made = handover.ask_kit(
            session,
            number=path.number,
            house_id=body.house,
            first=body.first,
            last=body.last,
            expires_at=now + timedelta(days=body.days),
            staff_id=token.staff_id,
            actor=token.actor,
            now=now,
        )
        return next(_answer(kit) for kit in _kits(session, path.number) if kit.id == made)

    return made_once(header.key, work)


@get("/batches/<number>/kits", scope="batches:read", tag=HANDOVER, answers={200: KitList}, refusals=(404,))
def list_kits(path: BatchPath) -> Response:
    """List the press kits of a batch."""
    return of_batch(path, lambda session: KitList(items=[_answer(kit) for kit in _kits(session, path.number)]))


@post("/kits/<kit_id>/withdraw", scope="batches:handover", tag=HANDOVER, answers={200: KitAnswer}, refusals=(404, 409))
def withdraw_kit(path: KitPath, body: Nothing) -> Response:
    """Take back a press kit that waits, and that the owner of this token asked for. Its serials are free again."""
    shared, token = runtime(), caller()

    def work(session: Session) -> KitAnswer:
        number = handover.get_kit(session, kit_id=path.kit_id).batch_number
        codes.get_batch(session, number=number, brand_id=token.brand_id)
        handover.withdraw_kit(session, kit_id=path.kit_id, staff_id=token.staff_id, actor=token.actor, now=shared.now())
        return next(_answer(kit) for kit in _kits(session, number) if kit.id == path.kit_id)

    return reply(shared.db.retrying(work))


@get(
    "/kits/<kit_id>/file",
    scope="batches:files",
    tag=HANDOVER,
    answers={
        200: {
            "description": "The sealed kit.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    refusals=(404,),
)
def fetch_kit(path: KitPath) -> Response:
    """Fetch a press kit that was approved. Only its print house can open it; fetching it is on record all the same."""
    shared, token = runtime(), caller()
    with shared.db.transaction() as session:
        row = handover.get_kit(session, kit_id=path.kit_id)
        codes.get_batch(session, number=row.batch_number, brand_id=token.brand_id)
        sealed = handover.fetch_kit(session, kit_id=path.kit_id, actor=token.actor, now=shared.now())
        name = f"batch-{row.batch_number}-{row.first:08d}-{row.last:08d}{SUFFIX}"
    response = Response(sealed, mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _kits(session: Session, number: int) -> list[handover.KitFacts]:
    return handover.list_kits(session, batch_number=number)


def _answer(kit: handover.KitFacts) -> KitAnswer:
    return KitAnswer(
        id=kit.id,
        batch=kit.batch_number,
        house=kit.house,
        first=kit.first,
        last=kit.last,
        expires_at=kit.expires_at,
        state=kit.state.value,
        asked_at=kit.asked_at,
        reason=kit.reason,
    )
