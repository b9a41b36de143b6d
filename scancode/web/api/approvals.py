"""What becomes of an order: large ones wait for a second person, who says yes or no; one that is not ready may be
cancelled, one that failed is tried again.

A token speaks for its owner, who must be somebody else than who ordered. The right is one of its own, so that the
machine that orders cannot approve by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from flask import Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.errors import NotAllowed, NotFound
from scancode.staff import service as staff
from scancode.staff.rules import Role
from scancode.web.api.access import caller
from scancode.web.api.routes import BATCHES, post
from scancode.web.api.shapes import Answer, Asked, BatchPath, Nothing, reply, text_field
from scancode.web.runtime import runtime


class Approval(Answer):
    """What a second person says of a large order."""

    is_approved: bool | None = Field(description="null while it waits")
    limit: int = Field(description="items that one person may order in a day alone")
    asked_at: datetime
    decided_at: datetime | None
    reason: str = Field(description="why it was rejected")


class Decision(Approval):
    """What was decided, and for which batches of the order."""

    batches: list[int] = Field(description="a large order may be several batches: the answer holds for all of them")


class Consent(Asked):
    """Yes. There is nothing to say beside it."""


class Rejection(Asked):
    """No, and why: whoever ordered reads it."""

    reason: Annotated[str, text_field(300, min_length=1)]


@post("/batches/<number>/approve", scope="batches:approve", tag=BATCHES, answers={200: Decision}, refusals=(404, 409))
def approve_order(path: BatchPath, body: Consent) -> Response:
    """Approve a large order of somebody else.

    All its batches go to the press. 403 `approval_same_person` where the token's owner ordered it.
    """

    def work(session: Session) -> list[int]:
        return codes.approve(
            session, number=path.number, staff_id=caller().staff_id, actor=caller().actor, now=runtime().now()
        )

    return _decided(path.number, work)


@post("/batches/<number>/reject", scope="batches:approve", tag=BATCHES, answers={200: Decision}, refusals=(404, 409))
def reject_order(path: BatchPath, body: Rejection) -> Response:
    """Reject a large order of somebody else, with all its batches.

    403 `approval_same_person` where the token's owner ordered it.
    """

    def work(session: Session) -> list[int]:
        return codes.reject(
            session,
            number=path.number,
            staff_id=caller().staff_id,
            reason=body.reason,
            actor=caller().actor,
            now=runtime().now(),
        )

    return _decided(path.number, work)


class BatchMoved(Answer):
    """What became of an order."""

    number: int
    state: Literal["waiting", "rejected", "ordered", "minting", "ready", "failed", "cancelled"]


@post("/batches/<number>/cancel", scope="batches:write", tag=BATCHES, answers={200: BatchMoved}, refusals=(404, 409))
def cancel_order(path: BatchPath, body: Nothing) -> Response:
    """End the order of a batch that is not ready. Its codes will never be live."""
    return _moved(path.number, codes.cancel)


@post("/batches/<number>/retry", scope="batches:write", tag=BATCHES, answers={200: BatchMoved}, refusals=(404, 409))
def retry_order(path: BatchPath, body: Nothing) -> Response:
    """Have a failed batch made again.

    Files that are whole are kept. 409 `pack_never_twice` where the pack was finished once.
    """
    return _moved(path.number, codes.retry)


def _moved(number: int, move: Callable[..., None]) -> Response:
    token, shared = caller(), runtime()
    with shared.db.transaction() as session:
        codes.get_batch(session, number=number, brand_id=token.brand_id)
        move(session, number=number, actor=token.actor, now=shared.now())
        state = session.scalar(select(Batch.state).where(Batch.number == number))
    return reply(BatchMoved.model_validate({"number": number, "state": state}))


def _decided(number: int, work: Callable[[Session], list[int]]) -> Response:
    with runtime().db.transaction() as session:
        batch = codes.get_batch(session, number=number, brand_id=caller().brand_id)
        # The token may outlive what its owner may do: it is the person who stands behind the answer.
        person = staff.facts_of(staff.get_staff(session, staff_id=caller().staff_id))
        if not person.may((Role.FACTORY,)) or not person.sees(batch.brand_id):
            raise NotAllowed
        decided = work(session)
        answer = approval_of(session, number)
    if answer is None:
        raise NotFound
    return reply(Decision(**answer.model_dump(), batches=decided))


def approval_of(session: Session, number: int) -> Approval | None:
    """None for an order that never had to wait."""
    found = codes.find_approval(session, number=number)
    if found is None:
        return None
    return Approval(
        is_approved=found.is_approved,
        limit=found.limit,
        asked_at=found.asked_at,
        decided_at=found.decided_at,
        reason=found.reason,
    )
