"""The verbs of uploads: asked for, taken up by the worker, confirmed, refused, cancelled, undone, tidied away.

Every step is a guarded UPDATE of the state, so a double click, a second worker and a cancellation settle it between
them. What the files mean is the business of the feature that they are for.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scancode.db import affected, new_id
from scancode.errors import NotFound
from scancode.jobs import service as jobs
from scancode.staff import service as staff
from scancode.uploads.models import Upload, UploadFile
from scancode.uploads.rules import (
    CANCELLABLE,
    FILES_MAX,
    FilesMissing,
    TooManyFiles,
    UploadKind,
    UploadMoved,
    UploadState,
    plain_name,
)

JOB = "upload"
REPORTS = {"csv": "text/csv", "json": "application/json"}


@dataclass(frozen=True)
class Received:
    """A file that lies on the disk of the server, named as it was sent."""

    path: Path
    name: str
    sha256: str
    size_bytes: int


def ask(
    session: Session,
    *,
    brand_id: UUID,
    kind: UploadKind,
    wish: Mapping[str, Any],
    files: Sequence[Received],
    var_dir: Path,
    actor: str,
    staff_id: UUID | None = None,
    now: datetime,
) -> UUID:
    """Has the worker take files in, and lays them where it looks. Raises FilesMissing, TooManyFiles."""
    if not files:
        raise FilesMissing
    if len(files) > FILES_MAX:
        raise TooManyFiles(limit=FILES_MAX)
    row = Upload(
        id=new_id(now),
        brand_id=brand_id,
        kind=kind.value,
        name=plain_name(files[0].name),
        wish=json.dumps(wish, ensure_ascii=False),
        state=UploadState.WAITING.value,
        asked_at=now,
        actor=actor[:80],
        staff_id=staff_id,
    )
    session.add(row)
    session.flush()
    sent = source_folder(var_dir, row.id)
    sent.mkdir(parents=True, exist_ok=True)
    for place, file in enumerate(files):
        session.add(
            UploadFile(
                upload_id=row.id,
                place=place,
                name=plain_name(file.name),
                size_bytes=file.size_bytes,
                sha256=file.sha256,
            )
        )
        _lay(file.path, sent / str(place))
    session.flush()
    jobs.enqueue(session, kind=JOB, key=job_key(row.id), payload={"id": str(row.id)}, run_at=now, now=now)
    named = [{"name": file.name, "sha256": file.sha256} for file in files[:20]]
    _audit(session, row, "send", {"files": named, "count": len(files)}, actor, now)
    return row.id


def _lay(path: Path, place: Path) -> None:
    """Puts a file where the worker looks. It stays where it came in, too: a transaction may have to be tried again."""
    try:
        os.link(path, place)
    except OSError:  # a file system without links
        shutil.copyfile(path, place)


def job_key(upload_id: UUID) -> str:
    return f"{JOB}:{upload_id}"


def folder(var_dir: Path, upload_id: UUID) -> Path:
    """All that lies on the disk of an upload: what was sent, until it is worked off, and the report."""
    return var_dir / "uploads" / str(upload_id)


def source_folder(var_dir: Path, upload_id: UUID) -> Path:
    return folder(var_dir, upload_id) / "sent"


def report_path(var_dir: Path, upload_id: UUID, ending: str = "csv") -> Path:
    return folder(var_dir, upload_id) / f"report.{ending}"


def get_upload(session: Session, *, upload_id: UUID) -> Upload:
    row = session.get(Upload, upload_id, populate_existing=True)
    if row is None:
        raise NotFound
    return row


def list_uploads(
    session: Session, *, brand_id: UUID | None, kind: UploadKind, limit: int = 50, offset: int = 0
) -> Sequence[Upload]:
    """The newest first; of every brand where None is named."""
    query = select(Upload).where(Upload.kind == kind.value)
    if brand_id is not None:
        query = query.where(Upload.brand_id == brand_id)
    return session.scalars(query.order_by(Upload.asked_at.desc(), Upload.id.desc()).limit(limit).offset(offset)).all()


def page_of_uploads(
    session: Session, *, brand_id: UUID | None, kinds: Collection[UploadKind], after: UUID | None, limit: int
) -> Sequence[Upload]:
    """The newest first; ``after`` is the id of the last one of the page before."""
    query = select(Upload).where(Upload.kind.in_(sorted(kinds))).order_by(Upload.id.desc()).limit(limit)
    for condition in (
        Upload.brand_id == brand_id if brand_id is not None else None,
        Upload.id < after if after is not None else None,
    ):
        if condition is not None:
            query = query.where(condition)
    return session.scalars(query).all()


def has_report(row: Upload) -> bool:
    """Whether there is a report to fetch: of a check that ended, or of lines that are wrong or name nobody."""
    if row.gone_at is not None:
        return False
    if row.kind == UploadKind.TAGS and row.state == UploadState.DONE:
        return bool(row.problems)
    if row.kind == UploadKind.CHECK:
        return row.state == UploadState.DONE
    return row.state == UploadState.REFUSED and bool(json.loads(row.result).get("problems"))


def note_report(session: Session, *, row: Upload, actor: str, now: datetime) -> None:
    """Puts on record that somebody fetches the report, which holds codes."""
    _audit(session, row, "report", {"problems": row.problems}, actor, now)


def files_of(session: Session, *, upload_id: UUID) -> Sequence[UploadFile]:
    query = select(UploadFile).where(UploadFile.upload_id == upload_id).order_by(UploadFile.place)
    return session.scalars(query.limit(FILES_MAX)).all()


def begin(session: Session, *, upload_id: UUID) -> Upload | None:
    """The worker takes it up, or again after a crash. None when nothing is to be done any more."""
    move(session, upload_id, was={UploadState.WAITING}, to=UploadState.RUNNING)
    row = get_upload(session, upload_id=upload_id)
    at_work = (UploadState.RUNNING, UploadState.CONFIRMED, UploadState.UNDOING)
    return row if row.state in at_work else None


def is_wanted(session: Session, *, upload_id: UUID) -> bool:
    """Whether nobody has cancelled it."""
    state = session.scalar(select(Upload.state).where(Upload.id == upload_id))
    return state in (UploadState.RUNNING, UploadState.CONFIRMED, UploadState.UNDOING)


def move(session: Session, upload_id: UUID, *, was: Collection[UploadState], to: UploadState, **values: Any) -> bool:
    """One step of an upload, once: False when its state is none of ``was`` any more. ``result`` is given as facts."""
    if "result" in values:
        values["result"] = json.dumps(values["result"], ensure_ascii=False)
    wanted = sorted(state.value for state in was)
    statement = update(Upload).where(Upload.id == upload_id, Upload.state.in_(wanted))
    return affected(session, statement.values(state=to.value, **values)) == 1


@dataclass(frozen=True)
class Step:
    """A step that a person has the worker take."""

    verb: str
    was: UploadState
    to: UploadState
    kinds: frozenset[UploadKind]
    """Of which files there is such a step."""


STEPS = {
    "confirm": Step("confirm", UploadState.READ, UploadState.CONFIRMED, frozenset({UploadKind.LIFE})),
    "undo": Step("undo", UploadState.DONE, UploadState.UNDOING, frozenset({UploadKind.PACKING})),
}


def go_on(
    session: Session, *, upload_id: UUID, step: Step, actor: str, staff_id: UUID | None = None, now: datetime
) -> None:
    """A person says yes to what the file would do, or wants it taken back; the worker does it in their name.

    Raises NotFound, UploadMoved.
    """
    row = get_upload(session, upload_id=upload_id)
    moved = {"actor": actor[:80], "staff_id": staff_id}
    if row.kind not in step.kinds or not move(session, upload_id, was={step.was}, to=step.to, **moved):
        raise UploadMoved
    jobs.requeue(session, key=job_key(upload_id), run_at=now, now=now)
    _audit(session, row, step.verb, {}, actor, now)


def cancel(session: Session, *, upload_id: UUID, actor: str, now: datetime) -> None:
    """Ends it before anything was changed. Raises NotFound, UploadMoved."""
    row = get_upload(session, upload_id=upload_id)
    if not move(session, upload_id, was=CANCELLABLE, to=UploadState.CANCELLED, ended_at=now):
        raise UploadMoved
    # A job that waits sees to the files; one that is over has to be woken for it.
    jobs.requeue(session, key=job_key(upload_id), run_at=now, now=now)
    _audit(session, row, "cancel", {}, actor, now)


def list_stale(session: Session, *, before: datetime, limit: int = 200) -> Sequence[UUID]:
    """Uploads that were over before then and whose folders are still there."""
    over = Upload.ended_at.is_not(None) & (Upload.ended_at < before) & Upload.gone_at.is_(None)
    asked = select(Upload.id).where(over, Upload.state.not_in([UploadState.UNDOING.value])).limit(limit)
    return session.scalars(asked).all()


def mark_gone(session: Session, *, upload_ids: Collection[UUID], now: datetime) -> int:
    if not upload_ids:
        return 0
    return affected(
        session, update(Upload).where(Upload.id.in_(upload_ids), Upload.gone_at.is_(None)).values(gone_at=now)
    )


def known(session: Session, *, upload_ids: Collection[UUID]) -> set[UUID]:
    """Those of them that there are."""
    return set(session.scalars(select(Upload.id).where(Upload.id.in_(upload_ids)))) if upload_ids else set()


def _audit(session: Session, row: Upload, verb: str, facts: dict[str, Any], actor: str, now: datetime) -> None:
    staff.audit(
        session,
        actor=actor,
        brand_id=row.brand_id,
        action=f"upload.{verb}",
        subject=f"upload:{row.id}",
        facts={"kind": row.kind, "name": row.name, **facts},
        now=now,
    )
