"""Minting an order: the press writes its files, this reports rows proved written and marks the batch ready at the end.

It may be killed at any moment: the job comes back when its lease has run out, and the press keeps every file that is
whole. Files are written outside any transaction; "ready", the manifest and the list of files are one transaction.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from batches import press
from batches.errors import NoSpace, OtherPack, PressError, Stopped
from batches.manifest import Manifest
from batches.spec import BatchSpec
from batches.words import spoken
from scancode.catalog import service as catalog
from scancode.codes import service as codes
from scancode.codes.orders import OrderDraft
from scancode.codes.rules import BatchState
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased, LeaseLost
from scancode.wiring import Wired
from scancode.worker.progress import FULL, Clock, Progress, alone_in

FreeBytes = Callable[[Path], int]
log = structlog.get_logger(__name__)


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    """Runs a job of kind ``mint``; payload ``{"number": …}``."""
    Minting(wired, leased, clock).run()


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class Minting:
    """One attempt at one batch."""

    def __init__(self, wired: Wired, leased: Leased, clock: Clock, *, free: FreeBytes = free_bytes) -> None:
        self._wired = wired
        self._leased = leased
        self._clock = clock
        self._free = free
        self._number = int(leased.payload["number"])
        self._folder = codes.pack_folder(wired.settings.var_dir, self._number)
        self._progress = Progress(wired, leased, clock, lambda session: codes.is_wanted(session, number=self._number))

    def run(self) -> None:
        with alone_in(self._folder):
            self._run()

    def _run(self) -> None:
        taken = self._wired.db.retrying(self._take_up)
        if taken is None:
            return
        draft, spec, key = taken
        try:
            manifest = self._press(spec, key, draft)
        except Stopped:
            self._drop_files()
            return
        except PressError as error:
            self._give_up(spoken(error))
            return
        except OSError as error:
            if error.errno not in FULL:
                self._fail_at_the_last_attempt(error)
                raise
            self._give_up(spoken(self._no_space(spec, draft)))
            return
        self._wired.db.retrying(lambda session: self._deliver(session, manifest))
        log.info("batch_ready", number=self._number, rows=manifest.count, files=len(manifest.files))

    def _take_up(self, session: Session) -> tuple[OrderDraft, BatchSpec, bytes] | None:
        """What the press needs; None where the order is not to be minted any more."""
        jobs.hold(session, leased=self._leased)
        if not codes.mark_minting(session, number=self._number):
            batch = codes.find_batch(session, number=self._number)
            if batch is not None and batch.state == BatchState.CANCELLED:
                self._drop_files()
            return None
        batch = codes.get_batch(session, number=self._number)
        product = catalog.get_product(session, product_id=batch.product_id)
        return codes.draft_of(batch), codes.spec_of(batch, product), self._wired.keyring.derive(batch.kid, batch.salt)

    def _press(self, spec: BatchSpec, key: bytes, draft: OrderDraft) -> Manifest:
        try:
            return self._run_press(spec, key, draft)
        except OtherPack:
            # The product was renamed since an earlier attempt. Nothing of that has been handed out: begin anew.
            self._drop_files()
            return self._run_press(spec, key, draft)

    def _run_press(self, spec: BatchSpec, key: bytes, draft: OrderDraft) -> Manifest:
        return press.run(
            spec,
            key,
            self._folder,
            formats=draft.formats,
            ticket=draft.ticket,
            now=self._clock(),
            on_progress=self._progress.report,
            stop=self._progress.shall_stop,
            free_bytes=self._free,
        )

    def _deliver(self, session: Session, manifest: Manifest) -> None:
        jobs.hold(session, leased=self._leased)
        delivered = codes.mark_ready(
            session,
            number=self._number,
            manifest=manifest.to_json().decode(),
            files=manifest.files,
            now=self._clock(),
        )
        if not delivered:  # cancelled in the last moment
            self._drop_files()
        jobs.finish(session, leased=self._leased, now=self._clock())

    def _give_up(self, why: str) -> None:
        """The batch fails for a reason that trying again does not mend: a person reads it on the batch's page."""
        log.warning("batch_failed", number=self._number)

        def write(session: Session) -> None:
            jobs.hold(session, leased=self._leased)
            codes.mark_failed(session, number=self._number)
            jobs.retry(session, leased=self._leased, error=why, now=self._clock(), is_permanent=True)

        self._wired.db.retrying(write)

    def _fail_at_the_last_attempt(self, error: OSError) -> None:
        if self._leased.attempts >= jobs.ATTEMPTS_MAX:
            self._give_up(f"无法写入文件：{error.strerror} / cannot write files: {error.strerror}")
            raise LeaseLost(self._leased.key) from error

    def _no_space(self, spec: BatchSpec, draft: OrderDraft) -> NoSpace:
        """The disk was filled up by others while the files were written: what is still missing, and what is free."""
        missing = [
            piece for piece in press.plan(spec, draft.formats, draft.ticket) if not (self._folder / piece.name).exists()
        ]
        needs_mb = round(sum(piece.size_bytes for piece in missing) / 1e6) + 1
        has_mb = round(self._free(self._folder) / 1e6)
        return NoSpace(
            f"the pack needs {needs_mb} MB, {self._folder} has {has_mb} MB",
            needs_mb=needs_mb,
            has_mb=has_mb,
            folder=str(self._folder),
        )

    def _drop_files(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
