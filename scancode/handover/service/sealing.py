"""Packs sealed for a print house: asked for, made by the worker, cancelled, tried again, gone from the disk.

A password for an AES ZIP is shown once, to who asked; until the file is made it is kept sealed, for the worker needs
it. Nobody can read it afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from batches.sealed import new_password
from scancode.codes import service as codes
from scancode.db import affected, new_id
from scancode.errors import NotFound, Refusal
from scancode.handover.models import PrintHouse, SealedPack
from scancode.handover.rules import PackForm, SealState
from scancode.i18n import N_
from scancode.jobs import service as jobs
from scancode.sealing import Sealer
from scancode.staff import service as staff

SEAL = "seal"
PASSWORD_PURPOSE = "sealed_pack.password"  # noqa: S105  (the name of a purpose)
SEALED_SHOWN = 100


class NoRecipient(Refusal):
    code = "house_no_recipient"
    text = N_("This print house has no public key yet. Save its age key first, or use a ZIP with a password.")
    status = 422


class HouseClosed(Refusal):
    code = "house_closed"
    text = N_("This print house is not in use, or belongs to another brand.")
    status = 422


class NotSealing(Refusal):
    code = "seal_state"
    text = N_("This sealed pack has moved on meanwhile. Look at the page again.")


def seal_key(sealed_id: UUID) -> str:
    """The key of the job that seals a pack."""
    return f"{SEAL}:{sealed_id}"


def sealed_path(var_dir: Path, row: SealedPack) -> Path:
    """Where a sealed pack is."""
    return var_dir / "sealed" / row.id.hex / row.file_name


def ask_seal(
    session: Session,
    *,
    number: int,
    house_id: UUID,
    form: PackForm,
    sealer: Sealer,
    staff_id: UUID | None,
    actor: str,
    now: datetime,
) -> tuple[SealedPack, str | None]:
    """Has a batch's files encrypted for a print house; they leave the disk in plain when that is done.

    Returns the row and, for a ZIP, the password: the only time that anybody sees it. Raises NotFound, PackGone,
    HouseClosed, NoRecipient.
    """
    batch = codes.get_batch(session, number=number)
    codes.require_pack(batch)
    house = session.get(PrintHouse, house_id)
    if house is None or house.brand_id != batch.brand_id or not house.is_active:
        raise HouseClosed
    if form is PackForm.AGE and not house.recipient:
        raise NoRecipient
    password = new_password() if form is PackForm.ZIP else None
    test = "test-" if batch.is_test else ""
    row = SealedPack(
        id=new_id(now),
        batch_number=number,
        house_id=house_id,
        form=form.value,
        state=SealState.QUEUED.value,
        file_name=f"{test}batch-{number}.zip" + (".age" if form is PackForm.AGE else ""),
        recipient=house.recipient if form is PackForm.AGE else "",
        password=sealer.seal(password, purpose=PASSWORD_PURPOSE) if password else None,
        size_bytes=0,
        sha256="",
        asked_at=now,
        asked_by=staff_id,
    )
    session.add(row)
    session.flush()
    jobs.enqueue(session, kind=SEAL, key=seal_key(row.id), payload={"sealed": row.id.hex}, run_at=now, now=now)
    _audit(session, "pack.seal", row, batch.brand_id, {"form": form.value, "house": str(house_id)}, actor, now)
    return row, password


def find_sealed(session: Session, *, sealed_id: UUID) -> SealedPack | None:
    return session.get(SealedPack, sealed_id, populate_existing=True)


def get_sealed(session: Session, *, sealed_id: UUID) -> SealedPack:
    """Raises NotFound."""
    row = find_sealed(session, sealed_id=sealed_id)
    if row is None:
        raise NotFound
    return row


def list_sealed(session: Session, *, batch_number: int) -> list[tuple[SealedPack, str]]:
    """The sealed packs of a batch with the names of their print houses, the newest first."""
    statement = (
        select(SealedPack, PrintHouse.name)
        .join(PrintHouse, PrintHouse.id == SealedPack.house_id)
        .where(SealedPack.batch_number == batch_number)
        .order_by(SealedPack.id.desc())
        .limit(SEALED_SHOWN)
    )
    return [(row, name) for row, name in session.execute(statement)]


def is_seal_wanted(session: Session, *, sealed_id: UUID) -> bool:
    """Whether the worker shall go on."""
    return session.scalar(select(SealedPack.state).where(SealedPack.id == sealed_id)) == SealState.QUEUED


def mark_sealed(
    session: Session, *, sealed_id: UUID, size_bytes: int, sha256: str, leaves_at: datetime, now: datetime
) -> bool:
    """The file is whole; its password is forgotten. False when it is wanted no more."""
    values = {
        "state": SealState.READY.value,
        "size_bytes": size_bytes,
        "sha256": sha256,
        "ready_at": now,
        "leaves_at": leaves_at,
        "password": None,
    }
    return _moved(session, sealed_id, [SealState.QUEUED], values)


def may_drop_plain(session: Session, *, batch_number: int) -> bool:
    """Whether no other sealing of the batch needs its plain files any more."""
    busy = (SealState.QUEUED.value, SealState.FAILED.value)
    waiting = select(SealedPack.id).where(SealedPack.batch_number == batch_number, SealedPack.state.in_(busy)).limit(1)
    return session.scalar(waiting) is None


def mark_seal_failed(session: Session, *, sealed_id: UUID) -> bool:
    return _moved(session, sealed_id, [SealState.QUEUED], {"state": SealState.FAILED.value})


def cancel_seal(session: Session, *, sealed_id: UUID, actor: str, now: datetime) -> None:
    """Ends a sealing that is not done; the plain files stay. Raises NotFound, NotSealing."""
    row = get_sealed(session, sealed_id=sealed_id)
    values = {"state": SealState.CANCELLED.value, "password": None}
    if not _moved(session, sealed_id, [SealState.QUEUED, SealState.FAILED], values):
        raise NotSealing
    job = jobs.find(session, key=seal_key(sealed_id))
    if job is not None and job.state in (jobs.JobState.QUEUED, jobs.JobState.LEASED, jobs.JobState.DEAD):
        jobs.cancel(session, job_id=job.id, now=now, running_kinds=(SEAL,))
    brand_id = codes.get_batch(session, number=row.batch_number).brand_id
    _audit(session, "pack.cancel_seal", row, brand_id, {}, actor, now)


def retry_seal(session: Session, *, sealed_id: UUID, actor: str, now: datetime) -> None:
    """Tries a failed sealing again. Raises NotFound, NotSealing."""
    row = get_sealed(session, sealed_id=sealed_id)
    if not _moved(session, sealed_id, [SealState.FAILED], {"state": SealState.QUEUED.value}):
        raise NotSealing
    jobs.requeue(session, key=seal_key(sealed_id), run_at=now, now=now)
    brand_id = codes.get_batch(session, number=row.batch_number).brand_id
    _audit(session, "pack.retry_seal", row, brand_id, {}, actor, now)


def due_sealed(session: Session, *, now: datetime, limit: int = 100) -> list[SealedPack]:
    """Sealed packs whose time on the disk is over."""
    due = (SealedPack.state == SealState.READY.value, SealedPack.leaves_at <= now)
    return list(session.scalars(select(SealedPack).where(*due).order_by(SealedPack.leaves_at).limit(limit)))


def mark_gone(session: Session, *, sealed_id: UUID, now: datetime) -> bool:
    """The sealed file is to leave the disk: nobody is served any more."""
    return _moved(session, sealed_id, [SealState.READY], {"state": SealState.GONE.value, "gone_at": now})


def _moved(session: Session, sealed_id: UUID, states: Sequence[SealState], values: Mapping[str, object]) -> bool:
    from_states = [state.value for state in states]
    guarded = update(SealedPack).where(SealedPack.id == sealed_id, SealedPack.state.in_(from_states))
    return affected(session, guarded.values(values)) == 1


def _audit(
    session: Session, action: str, row: SealedPack, brand_id: UUID, facts: dict[str, object], actor: str, now: datetime
) -> None:
    staff.audit(
        session,
        actor=actor,
        brand_id=brand_id,
        action=action,
        subject=f"batch:{row.batch_number}",
        facts={"sealed": str(row.id), **facts},
        now=now,
    )
