"""Checking the files of a batch as a stranger would: every hash, every row, every code; what it finds is kept."""

from __future__ import annotations

import structlog
from sqlalchemy.orm import Session

from batches.check import PackReport, check_pack
from batches.errors import BadManifest
from scancode.codes import service as codes
from scancode.errors import OutsideError
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.wiring import Wired
from scancode.worker.progress import Clock, Progress

log = structlog.get_logger(__name__)


def run(wired: Wired, leased: Leased, clock: Clock) -> None:
    """Runs a job of kind ``check``; payload ``{"number": …}``."""
    number = int(leased.payload["number"])
    with wired.db.reading() as session:
        batch = codes.get_batch(session, number=number)
    key = wired.keyring.derive(batch.kid, batch.salt)
    # Cancelling takes the job out of the worker's hands: the next report raises LeaseLost.
    progress = Progress(wired, leased, clock, lambda _: True)
    try:
        report = check_pack(codes.pack_folder(wired.settings.var_dir, number), key, on_progress=progress.report)
    except BadManifest as error:
        raise OutsideError("pack_gone", permanent=True) from error

    def keep(session: Session) -> None:
        jobs.hold(session, leased=leased)
        _keep(session, number, report, clock)

    wired.db.retrying(keep)
    log.info("pack_checked", number=number, rows=report.rows, findings=len(report.findings))


def _keep(session: Session, number: int, report: PackReport, clock: Clock) -> None:
    codes.record_check(
        session,
        number=number,
        rows=report.rows,
        codes_verified=report.codes_verified,
        findings=report.findings,
        now=clock(),
    )
