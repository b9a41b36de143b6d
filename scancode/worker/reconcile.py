"""Compares our book of payments with the provider's, when somebody at the console asks for it. Nothing is let go on by
it: a person lifts the stops."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from scancode.errors import OutsideError
from scancode.jobs import service as jobs
from scancode.jobs.rules import Leased
from scancode.stories.reconcile import reconcile
from scancode.wiring import Wired
from scancode.worker.pace import wait_for_turn


def run(wired: Wired, leased: Leased, clock: Callable[[], datetime]) -> None:
    """``leased.payload``: ``since`` (a moment in ISO form) and ``actor``."""
    gateway = wired.ports.payout
    if gateway is None:
        raise OutsideError("no_payout_gateway", permanent=True)

    def report(count: int) -> None:
        with wired.db.transaction() as session:
            jobs.report_progress(
                session,
                job_id=leased.id,
                fence=leased.fence,
                done_rows=count,
                total_rows=0,
                stage="bills",
                now=clock(),
            )

    reconcile(
        wired.db,
        gateway,
        sealer=wired.sealer,
        draw_sealer=wired.draw_sealer,
        prefix=wired.settings.payout_prefix,
        since=datetime.fromisoformat(leased.payload["since"]),
        actor=str(leased.payload["actor"]),
        clock=clock,
        progress=report,
        wait=lambda: wait_for_turn(wired),
    )
