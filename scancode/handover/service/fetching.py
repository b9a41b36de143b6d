"""Downloads, one row for each: who fetched what and when, from which address, and how much of it arrived.

All range requests of one client are one download, until the whole file has been sent; beginning again after that is
another. A link's downloads are counted down by a guarded UPDATE in the transaction that makes the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from scancode.db import affected, insert_once, new_id
from scancode.handover.models import Download, PackLink
from scancode.handover.rules import LinkFacts
from scancode.handover.service.links import LinkOver
from scancode.sealing import Sealer
from scancode.staff import service as staff

ADDRESS_PURPOSE = "download.address"
AGENT_LENGTH_MAX = 120
SHOWN_MAX = 100
TRIES = 4


@dataclass(frozen=True)
class Client:
    """Who asks: ``actor`` as audit rows name them, ``permit`` what makes their requests one download."""

    actor: str
    permit: str
    address: str
    agent: str


@dataclass(frozen=True)
class FetchedFile:
    """What is asked for."""

    batch_number: int
    brand_id: UUID
    name: str
    size_bytes: int
    sealed_id: UUID | None = None


@dataclass(frozen=True)
class DownloadFacts:
    """A download as the console shows it. ``address`` is None when it was forgotten."""

    actor: str
    for_whom: str | None
    file_name: str
    size_bytes: int
    sent_bytes: int
    requests: int
    address: str | None
    agent: str
    started_at: datetime
    finished_at: datetime | None


def begin_download(
    session: Session,
    *,
    file: FetchedFile,
    client: Client,
    link: LinkFacts | None = None,
    is_beginning: bool,
    sealer: Sealer,
    now: datetime,
) -> UUID:
    """The download that this request belongs to; a new one is counted and goes on record. Raises LinkOver."""
    for _ in range(TRIES):
        last = session.execute(
            select(Download.id, Download.round, Download.finished_at)
            .where(Download.permit == client.permit)
            .order_by(Download.round.desc())
            .limit(1)
        ).one_or_none()
        if last is not None and (last.finished_at is None or not is_beginning):
            return UUID(str(last.id))
        download_id = new_id(now)
        is_new = insert_once(
            session,
            Download,
            id=download_id,
            batch_number=file.batch_number,
            sealed_id=file.sealed_id,
            link_id=link.id if link else None,
            permit=client.permit,
            round=(last.round + 1) if last else 1,
            actor=client.actor,
            file_name=file.name,
            size_bytes=file.size_bytes,
            sent_bytes=0,
            requests=0,
            address=sealer.seal(client.address, purpose=ADDRESS_PURPOSE),
            agent=client.agent[:AGENT_LENGTH_MAX],
            started_at=now,
        )
        if is_new:
            _count(session, link, now)
            _audit(session, file, client, download_id, now)
            return download_id
    raise AssertionError("a download of one client kept being another's")


def _count(session: Session, link: LinkFacts | None, now: datetime) -> None:
    if link is None:
        return
    fits = (PackLink.downloads < PackLink.downloads_max, PackLink.revoked_at.is_(None), PackLink.expires_at > now)
    counted = update(PackLink).where(PackLink.id == link.id, *fits).values(downloads=PackLink.downloads + 1)
    if affected(session, counted) != 1:
        raise LinkOver(state="used_up")


def _audit(session: Session, file: FetchedFile, client: Client, download_id: UUID, now: datetime) -> None:
    staff.audit(
        session,
        actor=client.actor,
        brand_id=file.brand_id,
        action="batch.download",
        subject=f"batch:{file.batch_number}",
        facts={"file": file.name, "size_bytes": file.size_bytes, "download": str(download_id)},
        now=now,
    )


def note_sent(session: Session, *, download_id: UUID, sent_bytes: int, now: datetime) -> None:
    """So many bytes of a request have gone out; when all have, the download is finished."""
    total = Download.sent_bytes + sent_bytes
    values = {
        "sent_bytes": total,
        "requests": Download.requests + 1,
        "finished_at": case((total >= Download.size_bytes, now), else_=Download.finished_at),
    }
    affected(session, update(Download).where(Download.id == download_id).values(values))


def list_downloads(session: Session, *, batch_number: int, sealer: Sealer) -> list[DownloadFacts]:
    """The downloads of a batch, the newest first."""
    statement = (
        select(Download, PackLink.for_whom)
        .outerjoin(PackLink, PackLink.id == Download.link_id)
        .where(Download.batch_number == batch_number)
        .order_by(Download.started_at.desc())
        .limit(SHOWN_MAX)
    )
    return [
        DownloadFacts(
            actor=row.actor,
            for_whom=for_whom,
            file_name=row.file_name,
            size_bytes=row.size_bytes,
            sent_bytes=row.sent_bytes,
            requests=row.requests,
            address=sealer.open(row.address, purpose=ADDRESS_PURPOSE) if row.address else None,
            agent=row.agent,
            started_at=row.started_at,
            finished_at=row.finished_at,
        )
        for row, for_whom in session.execute(statement)
    ]


def forget_addresses(session: Session, *, before: datetime, limit: int = 1000) -> int:
    """Addresses of downloads from before then; returns how many."""
    old = (Download.address.is_not(None), Download.started_at < before)
    ids = session.scalars(select(Download.id).where(*old).limit(limit)).all()
    return affected(session, update(Download).where(Download.id.in_(ids)).values(address=None)) if ids else 0
