"""What is due about packs, looked at every ten minutes: files whose time on the disk is over leave it, and what nobody
fetched or activated in time becomes an alert. One job, which puts itself back into the outbox."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from scancode.codes import service as codes
from scancode.errors import OutsideError
from scancode.handover import service as handover
from scancode.handover.rules import SealState, Terms
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.wiring import Wired
from scancode.worker.progress import Clock, alone_in

KIND = KEY = "watch"
EVERY = timedelta(minutes=10)
log = structlog.get_logger(__name__)


def terms(wired: Wired) -> Terms:
    """The installation's times, for brands that have none of their own."""
    settings = wired.settings
    return Terms(settings.pack_days, settings.download_days, settings.activate_days)


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    now = clock()
    with wired.db.reading() as session:
        packs = handover.due_packs(session, otherwise=terms(wired), now=now)
        sealed = handover.due_sealed(session, now=now)
    for number in packs:
        _leave(wired, number, clock)
    for row in sealed:
        wired.db.retrying(lambda session, row=row: handover.mark_gone(session, sealed_id=row.id, now=clock()))  # type: ignore[misc]
        shutil.rmtree(handover.sealed_path(wired.settings.var_dir, row).parent, ignore_errors=True)
    _drop_left_behind(wired)
    raised = wired.db.retrying(lambda session: handover.watch(session, otherwise=terms(wired), now=clock()))
    log.info("watched", packs_gone=len(packs), sealed_gone=len(sealed), alerts_raised=raised)
    with wired.db.transaction() as session:
        jobs.reschedule(session, leased=leased, run_at=clock() + EVERY, now=clock())


def _leave(wired: Wired, number: int, clock: Clock) -> None:
    folder = codes.pack_folder(wired.settings.var_dir, number)

    def mark(session: Session) -> bool:
        # A sealing that waits or failed still needs the plain files: they stay until it is done or cancelled.
        if not handover.may_drop_plain(session, batch_number=number):
            return False
        codes.mark_pack_gone(session, number=number, why="expired", now=clock())
        return True

    with alone_in(folder):
        if wired.db.retrying(mark):
            _drop(folder)


def _drop_left_behind(wired: Wired) -> None:
    """Files whose row says that they are gone: the worker was killed between writing that and deleting them."""
    var_dir = wired.settings.var_dir
    packs = [folder for folder in (var_dir / "packs").glob("[0-9]*") if folder.name.isdigit()]
    sealed = list((var_dir / "sealed").glob("[0-9a-f]" * 32))
    left: list[tuple[int, Path]] = []
    with wired.db.reading() as session:
        for folder in packs:
            batch = codes.find_batch(session, number=int(folder.name))
            if batch is not None and batch.pack_gone_at is not None:
                left.append((batch.number, folder))
        for folder in sealed:
            row = handover.find_sealed(session, sealed_id=UUID(folder.name))
            if row is not None and row.state in (SealState.GONE, SealState.CANCELLED):
                left.append((row.batch_number, folder))
    for number, folder in left:
        with suppress(OutsideError), alone_in(codes.pack_folder(var_dir, number)):
            _drop(folder)
            log.warning("left_behind_dropped", folder=folder.name)


def _drop(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
