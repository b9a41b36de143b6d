"""The life of a batch's codes, decided purely: what a serial is now, what a change makes of it, and what is refused.

Serials in no span are inactive. A change is laid over the spans piece by piece, so that a code which somebody killed
stays dead when the rest of its range is activated: only ``Restore`` undoes a void or a recall, and it returns a code to
what it was before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from batches.codes import Kind, Verifier
from scancode.codes.ranges import Span, SpanMap, join
from scancode.errors import Refusal
from scancode.i18n import N_

Range = tuple[int, int]
"""First and last serial, both included."""


class BatchState(StrEnum):
    WAITING = "waiting"
    """For the approval of a second person."""
    REJECTED = "rejected"
    ORDERED = "ordered"
    MINTING = "minting"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Life(StrEnum):
    """The state of a serial."""

    INACTIVE = "inactive"
    ACTIVE = "active"
    VOID = "void"
    RECALLED = "recalled"


class VoidReason(StrEnum):
    OVERPRINT = "overprint"
    STOLEN = "stolen"
    DAMAGED = "damaged"
    LOST = "lost"
    MISPRINT = "misprint"
    NOT_SOLD = "not_sold"
    CANCELLED = "cancelled"
    OTHER = "other"


@dataclass(frozen=True)
class LifeFacts:
    """The state of a serial, and what a page says about it."""

    state: Life
    reason: str = ""
    message_zh: str = ""
    message_en: str = ""
    changed_at: datetime | None = field(default=None, compare=False)
    """When the first part of the span came to this state. Neighbours that differ in nothing else are joined, so that
    cases activated one by one end as one span; the events are exact."""
    prior: str = ""
    """What ``Restore`` returns it to: ``active``, ``inactive``, or ``void.REASON.PRIOR`` under a recall."""

    def message(self, locale: str) -> str:
        """The words of a recall, in the language asked for or else in the other."""
        first, second = (
            (self.message_zh, self.message_en) if locale.startswith("zh") else (self.message_en, self.message_zh)
        )
        return first or second


INACTIVE = LifeFacts(Life.INACTIVE)


@dataclass(frozen=True)
class BatchFacts:
    """A batch as the scan path keeps it in memory: its key ready for use, and the life of all its serials."""

    number: int
    brand_id: UUID
    product_id: UUID
    count: int
    kinds: tuple[Kind, ...]
    base_url: str
    is_test: bool
    state: BatchState
    lot: str
    life: SpanMap[LifeFacts]
    verifier: Verifier

    def life_of(self, serial: int) -> LifeFacts:
        span = self.life.find(serial)
        return span.value if span else INACTIVE


class NothingToChange(Refusal):
    """Every serial of the range is in a state that this change leaves alone. Facts: counts by state."""

    code = "life_nothing_to_change"
    text = N_(
        "Nothing was changed. Void: {void}, recalled: {recalled}, otherwise not fit for this: {other}. "
        "Void or recalled codes come back only by “Restore”."
    )


class ReasonNeeded(Refusal):
    code = "void_reason"
    text = N_("Choose a reason. “Other” needs a few words of explanation.")
    status = 422


class MessageNeeded(Refusal):
    code = "recall_message"
    text = N_("Write what people who scan these codes shall read, in Chinese and in English (up to 300 characters).")
    status = 422


class NoteNeeded(Refusal):
    code = "restore_note"
    text = N_("Write a note: why may these codes live again?")
    status = 422


@dataclass(frozen=True)
class Activate:
    verb: ClassVar[str] = "activate"
    note: str = ""

    def apply(self, old: LifeFacts, now: datetime) -> LifeFacts | None:
        return LifeFacts(Life.ACTIVE, changed_at=now) if old.state is Life.INACTIVE else None


@dataclass(frozen=True)
class Deactivate:
    verb: ClassVar[str] = "deactivate"
    note: str = ""

    def apply(self, old: LifeFacts, now: datetime) -> LifeFacts | None:
        return INACTIVE if old.state is Life.ACTIVE else None


@dataclass(frozen=True)
class Void:
    """Kills codes for a reason. What is recalled stays so: its message matters more to whoever holds the item."""

    verb: ClassVar[str] = "void"
    reason: VoidReason
    note: str = ""

    def __post_init__(self) -> None:
        if self.reason is VoidReason.OTHER and not self.note.strip():
            raise ReasonNeeded

    def apply(self, old: LifeFacts, now: datetime) -> LifeFacts | None:
        if old.state in (Life.VOID, Life.RECALLED):
            return None
        return LifeFacts(Life.VOID, reason=self.reason.value, changed_at=now, prior=old.state.value)


@dataclass(frozen=True)
class Recall:
    """Puts a message on every code of a lot, whatever its state; a new recall replaces the message."""

    verb: ClassVar[str] = "recall"
    message_zh: str
    message_en: str
    note: str = ""

    def __post_init__(self) -> None:
        for text in (self.message_zh, self.message_en):
            if not 1 <= len(text.strip()) <= 300:
                raise MessageNeeded

    def apply(self, old: LifeFacts, now: datetime) -> LifeFacts | None:
        prior = old.prior if old.state is Life.RECALLED else _remembered(old)
        new = LifeFacts(Life.RECALLED, "", self.message_zh.strip(), self.message_en.strip(), now, prior)
        return None if new == old else new


@dataclass(frozen=True)
class Restore:
    """Undoes a void or a recall."""

    verb: ClassVar[str] = "restore"
    note: str

    def __post_init__(self) -> None:
        if not self.note.strip():
            raise NoteNeeded

    def apply(self, old: LifeFacts, now: datetime) -> LifeFacts | None:
        if old.state not in (Life.VOID, Life.RECALLED):
            return None
        state, _, rest = old.prior.partition(".")
        if state == Life.VOID:
            reason, _, prior = rest.partition(".")
            return LifeFacts(Life.VOID, reason=reason, changed_at=now, prior=prior)
        return LifeFacts(Life.ACTIVE, changed_at=now) if state == Life.ACTIVE else INACTIVE


Change = Activate | Deactivate | Void | Recall | Restore


def _remembered(old: LifeFacts) -> str:
    return f"void.{old.reason}.{old.prior}" if old.state is Life.VOID else old.state.value


@dataclass(frozen=True)
class Plan:
    """What a change makes of the spans that it touches."""

    removed: tuple[Span[LifeFacts], ...]
    added: tuple[Span[LifeFacts], ...]
    changed: tuple[Span[LifeFacts], ...]
    """What was really changed, an event each: state and reason as they are now, ``prior`` as it was."""
    left: dict[Life, int]
    """How many serials were left alone, by their state."""

    @property
    def changed_count(self) -> int:
        return sum(span.count for span in self.changed)


def plan(old: Sequence[Span[LifeFacts]], ranges: Iterable[Range], change: Change, *, now: datetime) -> Plan:
    """Lays a change over ``old``: the sorted spans that meet the ranges or touch them, in order, without overlaps.

    Raises NothingToChange where every serial of every range is left as it was.
    """
    pieces: list[Span[LifeFacts]] = []
    changed: list[Span[LifeFacts]] = []
    left: Counter[Life] = Counter()
    wanted = SpanMap([Span(first, last, None) for first, last in sorted(ranges)])
    for piece in _pieces(old, wanted):
        new = change.apply(piece.value, now) if wanted.find(piece.first) else None
        if new is None:
            if wanted.find(piece.first):
                left[piece.value.state] += piece.count
            pieces.append(piece)
        else:
            changed.append(replace(piece, value=LifeFacts(new.state, new.reason, prior=piece.value.state.value)))
            pieces.append(replace(piece, value=new))
    if not changed:
        void, recalled = left[Life.VOID], left[Life.RECALLED]
        raise NothingToChange(void=void, recalled=recalled, other=left.total() - void - recalled)
    kept = [span for span in join(pieces) if span.value.state is not Life.INACTIVE]
    before, after = _exact(old), _exact(kept)
    return Plan(
        removed=tuple(span for key, span in before.items() if key not in after),
        added=tuple(span for key, span in after.items() if key not in before),
        changed=tuple(join(changed)),
        left=dict(left),
    )


def _exact(spans: Iterable[Span[LifeFacts]]) -> dict[tuple[int, int, LifeFacts], Span[LifeFacts]]:
    return {(span.first, span.last, span.value): span for span in spans}


def _pieces(old: Sequence[Span[LifeFacts]], wanted: SpanMap[None]) -> list[Span[LifeFacts]]:
    """Old spans and the gaps between them (inactive), cut at the ends of the wanted ranges; gaps only where wanted."""
    pieces: list[Span[LifeFacts]] = []
    rest = list(old)
    place = 0
    for want in wanted.spans:
        while place < len(rest) and rest[place].last < want.first:
            pieces.append(rest[place])
            place += 1
        at = want.first
        while place < len(rest) and rest[place].first <= want.last:
            span = rest[place]
            before, inside = span.cut(span.first, want.first - 1), span.cut(want.first, want.last)
            if before:
                pieces.append(before)
            if span.first > at:
                pieces.append(Span(at, span.first - 1, INACTIVE))
            if inside:
                pieces.append(inside)
                at = inside.last + 1
            if span.last > want.last:
                rest[place] = replace(span, first=want.last + 1)
                break
            place += 1
        if at <= want.last:
            pieces.append(Span(at, want.last, INACTIVE))
    return pieces + rest[place:]
