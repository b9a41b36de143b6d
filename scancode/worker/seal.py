"""Encrypting a pack for a print house; when that is done and written down, the plain files leave the disk.

It may be killed at any moment: until the sealed file is whole and on record the plain files stay, and what was half
sealed is made anew. From then on a new attempt has only the plain files left to delete.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from batches.errors import NoSpace, PressError, Stopped
from batches.manifest import MANIFEST_NAME, read_manifest
from batches.manifest_page import PAGE_NAME
from batches.part import sha256_of
from batches.sealed import seal_files, seal_files_with_password
from batches.words import spoken
from scancode.codes import service as codes
from scancode.handover import service as handover
from scancode.handover.models import SealedPack
from scancode.handover.rules import PackForm, SealState
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.wiring import Wired
from scancode.worker.progress import FULL, Clock, Progress, alone_in
from scancode.worker.watch import terms

SPARE_BYTES = 1 << 20
FreeBytes = Callable[[Path], int]
log = structlog.get_logger(__name__)


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    """Runs a job of kind ``seal``; payload ``{"sealed": …}``."""
    Sealing(wired, leased, clock).run()


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class Sealing:
    """One attempt at one sealed pack."""

    def __init__(self, wired: Wired, leased: Leased, clock: Clock, *, free: FreeBytes = free_bytes) -> None:
        self._wired = wired
        self._leased = leased
        self._clock = clock
        self._free = free
        self._id = UUID(hex=leased.payload["sealed"])
        self._progress = Progress(
            wired, leased, clock, lambda session: handover.is_seal_wanted(session, sealed_id=self._id)
        )

    def run(self) -> None:
        with self._wired.db.reading() as session:
            row = handover.get_sealed(session, sealed_id=self._id)
        folder = codes.pack_folder(self._wired.settings.var_dir, row.batch_number)
        out = handover.sealed_path(self._wired.settings.var_dir, row)
        with alone_in(folder):
            if row.state == SealState.QUEUED and not self._seal(row, folder, out):
                shutil.rmtree(out.parent, ignore_errors=True)
                return
            self._drop_plain(row.batch_number, folder)

    def _seal(self, row: SealedPack, folder: Path, out: Path) -> bool:
        """Whether the sealed file is whole and on record."""
        try:
            self._encrypt(row, folder, out)
        except Stopped:
            return False
        except PressError as error:
            return self._give_up(spoken(error))
        except OSError as error:
            if error.errno not in FULL:
                raise
            return self._give_up(spoken(self._no_space(folder, out)))
        sha256 = sha256_of(out)  # read before the transaction: gigabytes take longer than anybody waits for a lock
        return self._wired.db.retrying(lambda session: self._record(session, row, out, sha256))

    def _encrypt(self, row: SealedPack, folder: Path, out: Path) -> None:
        manifest = read_manifest(folder / MANIFEST_NAME)
        extra = [folder / name for name in (MANIFEST_NAME, PAGE_NAME) if (folder / name).exists()]
        paths = [folder / record.name for record in manifest.files] + extra
        out.parent.mkdir(parents=True, exist_ok=True)
        if self._free(out.parent) < sum(path.stat().st_size for path in paths) + SPARE_BYTES:
            raise self._no_space(folder, out)
        rows = {record.name: (record.rows, record.size_bytes) for record in manifest.files}
        total = sum(count for count, _ in rows.values())
        finished: dict[str, int] = {}

        def written(name: str, done_bytes: int) -> None:
            count, size = rows.get(name, (0, 1))
            finished[name] = count * done_bytes // max(size, 1)
            self._progress.report(min(sum(finished.values()), max(total - 1, 0)), total, "seal")
            if self._progress.shall_stop():
                raise Stopped("the sealing was cancelled")

        written(MANIFEST_NAME, 0)
        if row.form == PackForm.AGE:
            seal_files(paths, row.recipient, out, on_written=written)
        else:
            password = self._wired.sealer.open(row.password or "", purpose=handover.PASSWORD_PURPOSE)
            seal_files_with_password(paths, password, out, on_written=written)
        self._progress.report(total, total, "seal")

    def _record(self, session: Session, row: SealedPack, out: Path, sha256: str) -> bool:
        jobs.hold(session, leased=self._leased)
        batch = codes.get_batch(session, number=row.batch_number)
        now = self._clock()
        times = handover.terms_of(session, brand_id=batch.brand_id, otherwise=terms(self._wired))
        return handover.mark_sealed(
            session,
            sealed_id=self._id,
            size_bytes=out.stat().st_size,
            sha256=sha256,
            leaves_at=times.leaves_at(now),
            now=now,
        )

    def _drop_plain(self, number: int, folder: Path) -> None:
        """The plain files go once nobody else's sealing needs them."""

        def drop(session: Session) -> bool:
            jobs.hold(session, leased=self._leased)
            if not handover.may_drop_plain(session, batch_number=number):
                return False
            codes.mark_pack_gone(session, number=number, why="sealed", now=self._clock())
            return True

        if self._wired.db.retrying(drop):
            shutil.rmtree(folder, ignore_errors=True)
            log.info("pack_sealed", number=number)

    def _give_up(self, why: str) -> bool:
        def write(session: Session) -> None:
            jobs.hold(session, leased=self._leased)
            handover.mark_seal_failed(session, sealed_id=self._id)
            jobs.retry(session, leased=self._leased, error=why, now=self._clock(), is_permanent=True)

        self._wired.db.retrying(write)
        log.warning("seal_failed", sealed=str(self._id))
        return False

    def _no_space(self, folder: Path, out: Path) -> NoSpace:
        needs = sum(path.stat().st_size for path in folder.iterdir()) + SPARE_BYTES
        needs_mb, has_mb = round(needs / 1e6), round(self._free(out.parent) / 1e6)
        return NoSpace(
            f"the pack needs {needs_mb} MB, {out.parent} has {has_mb} MB",
            needs_mb=needs_mb,
            has_mb=has_mb,
            folder=str(out.parent),
        )
