"""From what somebody at the console pasted to a code of theirs: a code, its URL, or a serial of a known batch."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from batches import codes as press
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.codes.orders import kinds_of
from scancode.codes.typed import code_in
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.web.console.access import brand_scope
from scancode.web.runtime import runtime


class UnreadableCode(Refusal):
    code = "code_unreadable"
    text = N_("“{typed}” is no complete code: it has 20 letters and digits.")
    status = 422


class NotOurCode(Refusal):
    code = "code_not_ours"
    text = N_("“{typed}” is not a code of yours: it is mistyped, forged, or belongs to another brand.")
    status = 422


class OtherBatch(Refusal):
    code = "code_other_batch"
    text = N_("“{typed}” belongs to batch {batch}, not to this one.")
    status = 422


@dataclass(frozen=True)
class FoundCode:
    """A genuine code. ``kind`` and ``text`` are None where only a serial was given."""

    batch: Batch
    serial: int
    kind: press.Kind | None
    text: str | None


def find_code(session: Session, typed: str) -> FoundCode:
    """Raises UnreadableCode, NotOurCode."""
    shown = typed.strip()[:60]
    try:
        text = press.normalise(code_in(typed))
    except press.Malformed as error:
        raise UnreadableCode(typed=shown) from error
    batch = codes.find_batch(session, number=press.batch_of(text))
    scope = brand_scope()
    if batch is None or (scope is not None and batch.brand_id != scope):
        raise NotOurCode(typed=shown)
    verifier = press.Verifier(runtime().keyring.derive(batch.kid, batch.salt))
    try:
        parts = verifier.verify(text)
    except press.Forged as error:
        raise NotOurCode(typed=shown) from error
    if parts.serial >= batch.count or parts.kind not in kinds_of(batch.kinds):
        raise NotOurCode(typed=shown)
    return FoundCode(batch, parts.serial, press.Kind(parts.kind), text)


def serial_in_batch(batch: Batch, typed: str) -> int:
    """The serial of a code of this batch. Raises UnreadableCode, NotOurCode, OtherBatch."""
    with runtime().db.reading() as session:
        found = find_code(session, typed)
    if found.batch.number != batch.number:
        raise OtherBatch(typed=typed.strip()[:60], batch=found.batch.number)
    return found.serial
