"""The verbs of complaints: made by a person, worked on by staff, erased after a while."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import case, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from scancode.catalog.pictures import Encoded
from scancode.complaints.models import Complaint, ComplaintNote, ComplaintPhoto
from scancode.complaints.rules import (
    NOTE_LENGTH_MAX,
    OF_VISITOR_MAX,
    OF_VISITOR_PERIOD,
    ComplaintMoved,
    ComplaintState,
    Draft,
    NothingToAnswer,
    TooManyComplaints,
)
from scancode.db import affected, insert_once
from scancode.errors import NotFound
from scancode.sealing import Sealer
from scancode.staff import service as staff

PURPOSE = "complaint"
PIECE = 500


@dataclass(frozen=True)
class About:
    """What a complaint is about: a code of ours, or a ``typed`` text that is none. ``verdict`` as its page said."""

    verdict: str
    brand_id: UUID | None = None
    product_id: UUID | None = None
    batch_number: int | None = None
    code_id: int | None = None
    typed: str = ""


def complain(
    session: Session,
    *,
    about: About,
    draft: Draft,
    photo: Encoded | None,
    visitor_id: UUID,
    language: str,
    consent_version: str | None,
    sealer: Sealer,
    now: datetime,
) -> UUID:
    """A new complaint, open. Raises TooManyComplaints, and what ``Draft.checked`` raises."""
    draft = draft.checked()
    row = {
        "brand_id": about.brand_id,
        "product_id": about.product_id,
        "batch_number": about.batch_number,
        "code_id": about.code_id,
        "typed": about.typed[:40],
        "verdict": about.verdict,
        "kind": draft.kind.value,
        "text": draft.text,
        "state": ComplaintState.OPEN.value,
        "visitor_id": visitor_id,
        "language": language,
        "contact": sealer.seal(draft.contact, purpose=PURPOSE) if draft.contact else None,
        "contact_hint": draft.hint,
        "consent_version": consent_version if draft.contact else None,
        "answer": "",
        "made_at": now,
        "changed_at": now,
    }
    made = _in_turn(session, visitor_id, row, now)
    if photo is not None:
        session.add(
            ComplaintPhoto(
                complaint_id=made, mime=photo.mime, width=photo.width, height=photo.height, content=photo.content
            )
        )
        session.flush()
    return made


def _in_turn(session: Session, visitor_id: UUID, row: dict[str, Any], now: datetime) -> UUID:
    """Writes it as the next one of the browser: its id follows from that, so of two posts at once one is overtaken and
    counts again. Raises TooManyComplaints."""
    own, recent = Complaint.visitor_id == visitor_id, Complaint.made_at > now - OF_VISITOR_PERIOD
    for _ in range(OF_VISITOR_MAX + 1):
        counted = select(func.count(), func.count(case((recent, 1)))).where(own)
        turn, lately = session.execute(counted).one()
        if lately >= OF_VISITOR_MAX:
            break
        made = uuid5(visitor_id, f"complaint:{turn}")
        if insert_once(session, Complaint, id=made, **row):
            return made
    raise TooManyComplaints


def get_complaint(session: Session, *, complaint_id: UUID) -> Complaint:
    """Raises NotFound."""
    row = session.get(Complaint, complaint_id, populate_existing=True)
    if row is None:
        raise NotFound
    return row


def list_complaints(
    session: Session,
    *,
    brand_id: UUID | None,
    states: Collection[ComplaintState] = tuple(ComplaintState),
    code_ids: Collection[int] | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int,
) -> list[Complaint]:
    """The newest first. ``brand_id`` None: of every brand, and those of which nobody knows the brand."""
    query = select(Complaint).where(Complaint.state.in_([state.value for state in states]))
    if brand_id is not None:
        query = query.where(Complaint.brand_id == brand_id)
    if code_ids is not None:
        query = query.where(Complaint.code_id.in_(sorted(code_ids)))
    if before is not None:
        query = query.where(tuple_(Complaint.made_at, Complaint.id) < tuple_(*before))
    return list(session.scalars(query.order_by(Complaint.made_at.desc(), Complaint.id.desc()).limit(limit)))


def count_open(session: Session, *, brand_id: UUID | None) -> int:
    """How many wait for an answer."""
    query = select(func.count()).select_from(Complaint).where(Complaint.state == ComplaintState.OPEN.value)
    return session.scalar(query if brand_id is None else query.where(Complaint.brand_id == brand_id)) or 0


def of_visitor(session: Session, *, visitor_id: UUID, limit: int) -> list[Complaint]:
    """What a browser told us, the newest first."""
    query = select(Complaint).where(Complaint.visitor_id == visitor_id)
    return list(session.scalars(query.order_by(Complaint.made_at.desc()).limit(limit)))


def find_photo(session: Session, *, complaint_id: UUID) -> ComplaintPhoto | None:
    return session.get(ComplaintPhoto, complaint_id)


def with_photo(session: Session, *, complaint_ids: Collection[UUID]) -> set[UUID]:
    """Those of them that have a photo."""
    query = select(ComplaintPhoto.complaint_id).where(ComplaintPhoto.complaint_id.in_(complaint_ids))
    return set(session.scalars(query)) if complaint_ids else set()


def notes_of(session: Session, *, complaint_id: UUID) -> list[tuple[ComplaintNote, str | None]]:
    """What staff did and wrote, the oldest first, each with the name of who did."""
    return staff.notes_about(session, ComplaintNote, about_id=complaint_id)


STEPS: dict[str, tuple[tuple[ComplaintState, ...], ComplaintState | None]] = {
    "note": (tuple(ComplaintState), None),
    "answer": ((ComplaintState.OPEN, ComplaintState.ANSWERED), ComplaintState.ANSWERED),
    "close": ((ComplaintState.OPEN, ComplaintState.ANSWERED), ComplaintState.CLOSED),
    "reopen": ((ComplaintState.ANSWERED, ComplaintState.CLOSED), ComplaintState.OPEN),
}
"""By verb: from which states, and to which (None: it stays)."""
NEEDS_WORDS = ("note", "answer")


def work_on(
    session: Session,
    *,
    complaint_id: UUID,
    verb: str,
    text: str,
    staff_id: UUID | None = None,
    actor: str,
    now: datetime,
) -> None:
    """One step: ``note`` (for colleagues), ``answer`` (the person reads it), ``close`` or ``reopen``.

    Raises NotFound, NothingToAnswer, ComplaintMoved.
    """
    row, words = get_complaint(session, complaint_id=complaint_id), text.strip()[:NOTE_LENGTH_MAX]
    if verb in NEEDS_WORDS and not words:
        raise NothingToAnswer
    was, to = STEPS[verb]
    values = {"changed_at": now} | ({"state": to.value} if to else {}) | ({"answer": words} if verb == "answer" else {})
    moved = update(Complaint).where(
        Complaint.id == complaint_id,
        Complaint.state.in_([state.value for state in was]),
        Complaint.erased_at.is_(None),
    )
    if affected(session, moved.values(values)) != 1:
        raise ComplaintMoved
    staff.note(
        session,
        ComplaintNote,
        about_id=complaint_id,
        step=verb,
        text=words,
        staff_id=staff_id,
        actor=actor,
        now=now,
    )
    _audit(session, row, verb, actor, now)


def reveal_contact(session: Session, *, complaint_id: UUID, sealer: Sealer, actor: str, now: datetime) -> str | None:
    """The number to call; who asked for it is on the audit record. Raises NotFound."""
    row = get_complaint(session, complaint_id=complaint_id)
    if row.contact is None:
        return None
    _audit(session, row, "contact", actor, now)
    return sealer.open(row.contact, purpose=PURPOSE)


def erase_of_visitors(session: Session, *, visitor_ids: Collection[UUID], brand_id: UUID, now: datetime) -> int:
    """What these browsers told a brand is erased, because their person closed the account."""
    if not visitor_ids:
        return 0
    own = Complaint.visitor_id.in_(visitor_ids) & (Complaint.brand_id == brand_id)
    query = select(Complaint.id).where(own, Complaint.erased_at.is_(None))
    return _erase(session, list(session.scalars(query)), now)


def sweep(session: Session, *, before: datetime, now: datetime) -> int:
    """Erases, a piece at a time, complaints that were answered or closed before then. Returns how many."""
    query = (
        select(Complaint.id)
        .where(
            Complaint.state != ComplaintState.OPEN.value, Complaint.changed_at < before, Complaint.erased_at.is_(None)
        )
        .limit(PIECE)
    )
    return _erase(session, list(session.scalars(query)), now)


def _erase(session: Session, ids: list[UUID], now: datetime) -> int:
    """That there was a complaint, about what and when, stays; words, photo and number go."""
    if not ids:
        return 0
    session.execute(delete(ComplaintPhoto).where(ComplaintPhoto.complaint_id.in_(ids)))
    session.execute(delete(ComplaintNote).where(ComplaintNote.about_id.in_(ids)))
    gone = {"text": "", "answer": "", "contact": None, "contact_hint": "", "typed": "", "erased_at": now}
    closed = {"state": ComplaintState.CLOSED.value}
    statement = update(Complaint).where(Complaint.id.in_(ids), Complaint.erased_at.is_(None))
    return affected(session, statement.values(gone | closed))


def _audit(session: Session, row: Complaint, verb: str, actor: str, now: datetime) -> None:
    staff.audit(
        session,
        actor=actor,
        brand_id=row.brand_id,
        action=f"complaint.{verb}",
        subject=f"complaint:{row.id}",
        facts={"from": row.state},
        now=now,
    )
