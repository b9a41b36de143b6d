"""A real worker process, started by the real command, to be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import update

from scancode.jobs.models import Job
from scancode.wiring import Wired
from tests.conftest import SECRETS

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


def start(wired: Wired) -> subprocess.Popen[bytes]:
    """``scancode worker --once`` on the database of ``wired``."""
    secrets = {f"SCANCODE_{name.upper()}": value for name, value in SECRETS.items()}
    environ = os.environ | secrets | {
        "SCANCODE_ENV": "test",
        "DATABASE_URL": wired.db.url.render_as_string(hide_password=False),
        "SCANCODE_VAR_DIR": str(wired.settings.var_dir),
        "SCANCODE_LOG_LEVEL": "ERROR",
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "scancode", "worker", "--once"], env=environ, cwd=ROOT, stderr=subprocess.DEVNULL
    )


def kill_when(wired: Wired, is_time: Callable[[], bool]) -> bool:
    """Starts a worker and kills it (SIGKILL) as soon as ``is_time``. False when it had finished before."""
    process = start(wired)
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None and not is_time():
        assert time.monotonic() < deadline
        time.sleep(0.001)
    was_alive = process.poll() is None
    process.kill()
    process.wait(timeout=20)
    lapse(wired)
    return was_alive


def finish(wired: Wired) -> None:
    """Lets a worker end what there is to do."""
    assert start(wired).wait(timeout=PATIENCE_S) == 0


def lapse(wired: Wired) -> None:
    """Leases of killed workers run out, as they do after a minute."""
    with wired.db.transaction() as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        session.execute(update(Job).where(Job.state == "leased").values(lease_until=past))
