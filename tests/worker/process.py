"""A worker of one slow kind of job in a process of its own, for the tests that stop and kill it.

``python -m tests.worker.process DATABASE_URL VAR_DIR SECONDS`` prints "running" when the job has begun.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from scancode import config
from scancode.jobs.rules import Leased
from scancode.wiring import Wired, connect
from scancode.worker import loop
from scancode.worker.runners import RUNNERS
from tests.conftest import SECRETS


def main() -> None:
    url, var_dir, seconds = sys.argv[1:4]

    def slow(_wired: Wired, _leased: Leased, _clock: Callable[[], datetime]) -> None:
        print("running", flush=True)
        time.sleep(float(seconds))

    RUNNERS.clear()
    RUNNERS["slow"] = slow
    loop.run_until_signal(connect(config.load({}, env="test", database_url=url, var_dir=Path(var_dir), **SECRETS)))


if __name__ == "__main__":
    main()
