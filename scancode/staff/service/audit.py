"""The record of what was done: rows in a hash chain, appended one after the other, checked from the first to the head.

The head row is locked by the UPDATE that takes the next number, so numbers have no gaps however many processes write,
and a transaction that rolls back leaves none. Append last in a transaction: others wait for the lock until it ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scancode.db import affected, insert_once
from scancode.i18n import N_
from scancode.staff.models import AuditHead, AuditRow
from scancode.staff.rules import CHAIN_START, ChainRow, audit_facts, is_action

HEAD_ID = 1
CHUNK_ROWS = 1000


def audit(
    session: Session,
    *,
    actor: str,
    brand_id: UUID | None,
    action: str,
    subject: str,
    facts: Mapping[str, object],
    now: datetime,
) -> int:
    """Appends one row and returns its number. Facts hold ids and counts only, never a personal value.

    Raises ValueError for an action that is not ``noun.verb`` or facts too long to keep: mistakes of the caller.
    """
    if not is_action(action):
        raise ValueError(f"not an action: {action!r} (say noun.verb in lower case)")
    text = audit_facts(facts)
    session.flush()
    take = (
        update(AuditHead)
        .where(AuditHead.id == HEAD_ID)
        .values(seq=AuditHead.seq + 1)
        .returning(AuditHead.seq, AuditHead.hash)
    )
    head = session.execute(take, execution_options={"synchronize_session": False}).one_or_none()
    if head is None:
        insert_once(session, AuditHead, id=HEAD_ID, seq=0, hash=CHAIN_START)
        head = session.execute(take, execution_options={"synchronize_session": False}).one()
    row = ChainRow(
        seq=head.seq,
        at=now,
        actor=actor[:80],
        brand_id=brand_id,
        action=action,
        subject=subject[:120],
        facts=text,
        previous_hash=head.hash,
    )
    digest = row.digest()
    insert_once(session, AuditRow, **row.__dict__, hash=digest)
    affected(session, update(AuditHead).where(AuditHead.id == HEAD_ID).values(hash=digest))
    return row.seq


@dataclass(frozen=True)
class ChainReport:
    """What checking the chain found. ``problem`` is an English sentence (translated later) about row ``seq``."""

    rows: int
    head_hash: str
    seq: int | None = None
    problem: str | None = None

    @property
    def is_whole(self) -> bool:
        return self.problem is None


def verify_chain(session: Session) -> ChainReport:
    """Reads the whole chain, oldest first, and reports the first row that was changed, removed or put in between."""
    head = session.execute(select(AuditHead.seq, AuditHead.hash).where(AuditHead.id == HEAD_ID)).one_or_none()
    count, previous = 0, CHAIN_START
    for row in _oldest_first(session):
        count += 1
        fault = _fault_of(row, expected_seq=count, previous=previous)
        if fault:
            return ChainReport(count - 1, previous, seq=min(row.seq, count), problem=fault)
        previous = row.hash
    if head is None:
        problem = N_("The head of the record is missing.") if count else None
        return ChainReport(count, previous, seq=count or None, problem=problem)
    if head.seq != count:
        return ChainReport(count, previous, seq=count + 1, problem=N_("A row is missing."))
    if head.hash != previous:
        return ChainReport(count, previous, seq=count, problem=N_("The head of the record does not fit its last row."))
    return ChainReport(count, previous)


def _fault_of(row: AuditRow, *, expected_seq: int, previous: str) -> str | None:
    if row.seq != expected_seq:
        return N_("A row is missing.") if row.seq > expected_seq else N_("A row was put in.")
    facts = ChainRow(row.seq, row.at, row.actor, row.brand_id, row.action, row.subject, row.facts, row.previous_hash)
    if row.previous_hash != previous or facts.digest() != row.hash:
        return N_("A row was changed.")
    return None


def _oldest_first(session: Session) -> Iterator[AuditRow]:
    last: int | None = None
    while True:
        query = select(AuditRow).order_by(AuditRow.seq).limit(CHUNK_ROWS)
        if last is not None:
            query = query.where(AuditRow.seq > last)
        rows = session.scalars(query).all()
        yield from rows
        if len(rows) < CHUNK_ROWS:
            return
        last = rows[-1].seq
        session.expunge_all()


@dataclass(frozen=True)
class AuditFilter:
    """Which rows to show. Empty fields do not restrict; ``subject`` and ``action`` match from their beginning."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


def list_audit(
    session: Session,
    *,
    brand_id: UUID | None,
    chosen: AuditFilter,
    limit: int,
    before: int | None = None,
) -> list[AuditRow]:
    """The newest rows that fit, from before number ``before``. ``brand_id`` None: of every brand."""
    query = select(AuditRow).order_by(AuditRow.seq.desc()).limit(limit)
    if brand_id is not None:
        query = query.where(AuditRow.brand_id == brand_id)
    if before is not None:
        query = query.where(AuditRow.seq < before)
    if chosen.actor:
        query = query.where(AuditRow.actor == chosen.actor)
    if chosen.action:
        query = query.where(AuditRow.action.startswith(chosen.action, autoescape=True))
    if chosen.subject:
        query = query.where(AuditRow.subject.startswith(chosen.subject, autoescape=True))
    if chosen.since:
        query = query.where(AuditRow.at >= chosen.since)
    if chosen.until:
        query = query.where(AuditRow.at < chosen.until)
    return list(session.scalars(query))
