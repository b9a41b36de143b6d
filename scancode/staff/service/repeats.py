"""Calls that a machine may make again under the same key, and is answered as before instead of being done twice.

The row is written first, in the transaction of the work: of two calls at once the second waits for the first, and then
finds its answer. A call that was refused leaves nothing, so that it may be mended and sent again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from scancode.db import affected, insert_once
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.sealing import Sealer
from scancode.staff.models import TokenCall

ANSWERS_KEPT = timedelta(hours=24)
PURPOSE = "token_call.answer"


class KeyReused(Refusal):
    code = "idempotency_key_reused"
    text = N_("This Idempotency-Key was used before, for another call. Use a new key for each new call.")
    status = 422


def begin_call(
    session: Session, *, token_id: UUID, key: str, request: str, sealer: Sealer, now: datetime
) -> str | None:
    """None for a call that is new, and to be done now; else what was answered before. Raises KeyReused."""
    if insert_once(session, TokenCall, token_id=token_id, key=key, request=request, answer="", called_at=now):
        return None
    row = session.execute(
        select(TokenCall.request, TokenCall.answer).where(TokenCall.token_id == token_id, TokenCall.key == key)
    ).one()
    if row.request != request:
        raise KeyReused
    return sealer.open(row.answer, purpose=PURPOSE)


def end_call(session: Session, *, token_id: UUID, key: str, answer: str, sealer: Sealer) -> None:
    """Keeps what is answered."""
    own = (TokenCall.token_id == token_id, TokenCall.key == key)
    affected(session, update(TokenCall).where(*own).values(answer=sealer.seal(answer, purpose=PURPOSE)))


def forget_calls(session: Session, *, now: datetime, limit: int = 1000) -> int:
    """Forgets answers that nobody asks for again; returns how many."""
    old = select(TokenCall.token_id, TokenCall.key).where(TokenCall.called_at < now - ANSWERS_KEPT).limit(limit)
    gone = 0
    for token_id, key in session.execute(old).all():
        gone += affected(session, delete(TokenCall).where(TokenCall.token_id == token_id, TokenCall.key == key))
    return gone
