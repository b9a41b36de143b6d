"""Files at the root of the host: put there, listed, taken away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from scancode.catalog import revision
from scancode.db import affected, insert_once
from scancode.errors import NotFound, Refusal
from scancode.i18n import N_
from scancode.resolver.models import SiteFile
from scancode.resolver.site_files import CONTENT_BYTES_MAX, is_site_file, read_content
from scancode.staff import service as staff
from scancode.staff.models import Staff

FILES_MAX = 100


class NotASiteFile(Refusal):
    code = "site_file"
    text = N_(
        "This is no verification file: its name is like MP_verify_Abc123.txt, exactly as the platform gave it, "
        "and it holds a short text of at most {kilobytes} KB."
    )
    status = 422


class FileNameTaken(Refusal):
    code = "site_file_taken"
    text = N_("There is a file of this name already. Remove it first.")


class TooManyFiles(Refusal):
    code = "site_files_full"
    text = N_("There are {limit} files at most. Remove one that nobody needs.")


@dataclass(frozen=True)
class FileFacts:
    name: str
    brand_id: UUID | None
    content: str
    added_at: datetime
    added_by: str | None


def load_files(session: Session) -> dict[str, str]:
    """The text of every file by its name."""
    return {row.name: row.content for row in session.execute(select(SiteFile.name, SiteFile.content))}


def list_files(session: Session, *, brand_id: UUID | None) -> list[FileFacts]:
    """A brand's own; everybody's for the operator."""
    query = select(SiteFile, Staff.name).outerjoin(Staff, Staff.id == SiteFile.added_by).order_by(SiteFile.name)
    if brand_id is not None:
        query = query.where(SiteFile.brand_id == brand_id)
    return [
        FileFacts(row.name, row.brand_id, row.content, row.added_at, who)
        for row, who in session.execute(query.limit(FILES_MAX))
    ]


def add_file(
    session: Session, *, name: str, upload: bytes, brand_id: UUID | None, staff_id: UUID, actor: str, now: datetime
) -> None:
    """Raises NotASiteFile, FileNameTaken, TooManyFiles."""
    content = read_content(upload)
    if not is_site_file(name) or content is None:
        raise NotASiteFile(kilobytes=CONTENT_BYTES_MAX // 1024)
    if (session.scalar(select(func.count()).select_from(SiteFile)) or 0) >= FILES_MAX:
        raise TooManyFiles(limit=FILES_MAX)
    if not insert_once(
        session, SiteFile, name=name, brand_id=brand_id, content=content, added_at=now, added_by=staff_id
    ):
        raise FileNameTaken
    _audit(session, "site_file.add", name, brand_id, len(upload), actor, now)


def remove_file(session: Session, *, name: str, brand_id: UUID | None, actor: str, now: datetime) -> None:
    """``brand_id`` is that of who asks: another brand's file is not there. Raises NotFound."""
    row = session.get(SiteFile, name) if is_site_file(name) else None
    if row is None or (brand_id is not None and row.brand_id != brand_id):
        raise NotFound
    if affected(session, delete(SiteFile).where(SiteFile.name == name)) != 1:
        raise NotFound
    _audit(session, "site_file.remove", name, row.brand_id, len(row.content), actor, now)


def _audit(
    session: Session, action: str, name: str, brand_id: UUID | None, size: int, actor: str, now: datetime
) -> None:
    revision.bump(session)
    facts = {"bytes": size}
    staff.audit(session, actor=actor, brand_id=brand_id, action=action, subject=f"file:{name}", facts=facts, now=now)
