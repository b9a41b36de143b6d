"""The files of a batch on the disk, as the database knows them: whether they are there, and what a check found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from batches.check import Finding
from scancode.codes.models import Batch, PackCheck
from scancode.codes.rules import BatchState
from scancode.codes.service.reading import get_batch
from scancode.db import affected, insert_once
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.jobs import service as jobs
from scancode.staff import service as staff

CHECK = "check"
FINDINGS_KEPT = 20


class PackGone(Refusal):
    code = "pack_gone"
    text = N_(
        "This file is not on this machine any more. The batch is on record; ask for the sealed copy of its files."
    )
    status = 410


@dataclass(frozen=True)
class CheckFacts:
    """What a check of a pack found. ``findings`` are the first few, as ``file:row: message``."""

    checked_at: datetime
    is_good: bool
    rows: int
    codes_verified: int
    findings: tuple[str, ...]


def check_key(number: int) -> str:
    """The key of the job that checks a batch's files."""
    return f"{CHECK}:{number}"


def ask_check(session: Session, *, number: int, actor: str, now: datetime) -> None:
    """Has the files of a ready batch read again and every code verified. Raises NotFound, PackGone."""
    batch = get_batch(session, number=number)
    require_pack(batch)
    key = check_key(number)
    if not jobs.enqueue(session, kind=CHECK, key=key, payload={"number": number}, run_at=now, now=now):
        jobs.requeue(session, key=key, run_at=now, now=now)
    staff.audit(
        session,
        actor=actor,
        brand_id=batch.brand_id,
        action="batch.check",
        subject=f"batch:{number}",
        facts={},
        now=now,
    )


def stop_check(session: Session, *, number: int, actor: str, now: datetime) -> None:
    """Ends a check that waits or runs; one that is over stays as it is."""
    job = jobs.find(session, key=check_key(number))
    if job is None or job.state not in (jobs.JobState.QUEUED, jobs.JobState.LEASED):
        return
    jobs.cancel(session, job_id=job.id, now=now, running_kinds=(CHECK,))
    brand_id = get_batch(session, number=number).brand_id
    staff.audit(
        session,
        actor=actor,
        brand_id=brand_id,
        action="batch.stop_check",
        subject=f"batch:{number}",
        facts={},
        now=now,
    )


def require_pack(batch: Batch) -> None:
    """Raises PackGone where the plain files of a batch are not on the disk."""
    if batch.state != BatchState.READY or batch.is_offline or batch.pack_gone_at is not None:
        raise PackGone


def record_check(
    session: Session, *, number: int, rows: int, codes_verified: int, findings: Sequence[Finding], now: datetime
) -> None:
    """Keeps what a check found, in the place of what the one before it found."""
    told = [f"{each.file}:{each.row}: {each.message}"[:300] for each in findings[:FINDINGS_KEPT]]
    values = {
        "checked_at": now,
        "is_good": not findings,
        "rows": rows,
        "codes_verified": codes_verified,
        "findings": json.dumps(told, ensure_ascii=False),
    }
    if not insert_once(session, PackCheck, batch_number=number, **values):
        kept = session.get_one(PackCheck, number, populate_existing=True)
        for name, value in values.items():
            setattr(kept, name, value)
        session.flush()


def find_check(session: Session, *, number: int) -> CheckFacts | None:
    row = session.get(PackCheck, number)
    if row is None:
        return None
    return CheckFacts(row.checked_at, row.is_good, row.rows, row.codes_verified, tuple(json.loads(row.findings)))


def mark_pack_gone(session: Session, *, number: int, why: str, now: datetime) -> bool:
    """The plain files leave the disk, as ``sealed`` or ``expired``; they are never made again. True the first time.

    Commit first, then delete the files: a file without its row is deleted again, a row without its file is not.
    """
    statement = update(Batch).where(Batch.number == number, Batch.pack_gone_at.is_(None))
    if affected(session, statement.values(pack_gone_at=now, pack_gone_why=why)) != 1:
        return False
    staff.audit(
        session,
        actor="worker",
        brand_id=get_batch(session, number=number).brand_id,
        action="pack.leave",
        subject=f"batch:{number}",
        facts={"why": why},
        now=now,
    )
    return True
