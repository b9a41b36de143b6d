"""From what somebody at the console pasted to a code of theirs: a code, its URL, or a serial of a known batch."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from batches import codes as press
from scancode.codes import service as codes
from scancode.codes.models import Batch
from scancode.codes.orders import kinds_of
from scancode.codes.typed import code_in
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.packing import service as packing
from scancode.packing.rules import Level, Unit
from scancode.web.console.access import brand_scope
from scancode.web.runtime import runtime

NAMED_UNIT = re.compile(r"([0-9]{1,8}):(item|case|pallet):([0-9]{1,9})")


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


Known = dict[int, tuple[Batch, press.Verifier] | None]
"""Batches that were met among many codes: each is looked up and its key derived once."""


def find_code(session: Session, typed: str, known: Known | None = None) -> FoundCode:
    """Raises UnreadableCode, NotOurCode."""
    shown = typed.strip()[:60]
    try:
        text = press.normalise(code_in(typed))
    except press.Malformed as error:
        raise UnreadableCode(typed=shown) from error
    known = {} if known is None else known
    number = press.batch_of(text)
    if number not in known:
        known[number] = _batch(session, number)
    held = known[number]
    if held is None:
        raise NotOurCode(typed=shown)
    batch, verifier = held
    try:
        parts = verifier.verify(text)
    except press.Forged as error:
        raise NotOurCode(typed=shown) from error
    if parts.serial >= batch.count or parts.kind not in kinds_of(batch.kinds):
        raise NotOurCode(typed=shown)
    return FoundCode(batch, parts.serial, press.Kind(parts.kind), text)


def find_unit(session: Session, typed: str) -> tuple[Batch, Unit]:
    """What a code stands for, or ``batch:level:serial`` where its code is not at hand; with its batch.

    Raises NotFound, UnreadableCode, NotOurCode.
    """
    if NAMED_UNIT.fullmatch(typed.strip()):
        return named_unit(session, typed)
    found = find_code(session, typed)
    return found.batch, Unit(found.batch.number, Level.of(found.kind or press.Kind.INNER), found.serial)


def named_unit(session: Session, name: str) -> tuple[Batch, Unit]:
    """A unit of the person's own brand by ``batch:level:serial``, with its batch. Raises NotFound."""
    named = NAMED_UNIT.fullmatch(name.strip())
    if named is None:
        raise NotFound
    batch, level, serial = _own_batch(session, int(named[1])), Level[named[2].upper()], int(named[3])
    if batch is None or serial >= batch.count or level not in {Level.of(kind) for kind in kinds_of(batch.kinds)}:
        raise NotFound
    return batch, Unit(batch.number, level, serial)


def _own_batch(session: Session, number: int) -> Batch | None:
    batch, scope = codes.find_batch(session, number=number), brand_scope()
    return None if batch is None or (scope is not None and batch.brand_id != scope) else batch


def _batch(session: Session, number: int) -> tuple[Batch, press.Verifier] | None:
    batch = _own_batch(session, number)
    return None if batch is None else (batch, press.Verifier(runtime().keyring.derive(batch.kid, batch.salt)))


def serials_in(batch: Batch) -> Callable[[str], int]:
    """Reads codes of one batch into their serials. What it gives raises UnreadableCode, NotOurCode, OtherBatch."""
    known: Known = {}

    def serial_of(typed: str) -> int:
        with runtime().db.reading() as session:
            found = find_code(session, typed, known)
        if found.batch.number != batch.number:
            raise OtherBatch(typed=typed.strip()[:60], batch=found.batch.number)
        return found.serial

    return serial_of


def serials_of(session: Session, lines: list[str]) -> dict[int, tuple[tuple[int, int], ...]]:
    """The serials by batch that these codes stand for: an item itself, a case or a pallet with everything in it.

    Raises UnreadableCode, NotOurCode.
    """
    units = []
    known: Known = {}
    for line in lines:
        found = find_code(session, line, known)
        units.append(Unit(found.batch.number, Level.of(found.kind or press.Kind.INNER), found.serial))
    return packing.everything(session, units=units)
