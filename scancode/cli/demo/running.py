"""Keeps the demo's processes for as long as somebody looks: the payment server, which the story needs already, then web
and worker. All end when it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from types import FrameType

STARTS_WITHIN_S = 40.0
STOPS_WITHIN_S = 25.0


class Ended(Exception):
    """The demo was asked to stop."""


class ChildDied(Exception):
    """A process ended by itself; the message says which."""


class Processes:
    """``with Processes(environment) as running: running.start("serve"); running.wait()``."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        # A `make` that is killed outright must not leave a demo behind which holds the port; a shell may go.
        self._make = os.getppid() if "MAKELEVEL" in environ else None

    def __enter__(self) -> Processes:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _end)
        return self

    def start(self, *words: str) -> None:
        """A command of the program in a process of its own."""
        self._children[words[0]] = subprocess.Popen(  # noqa: S603  our own interpreter and words
            [sys.executable, "-m", "scancode", *words],
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=_end_with_parent,  # no threads run here
        )

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for child in self._children.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + STOPS_WITHIN_S
        for child in self._children.values():
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def wait_until_ready(self, name: str, url: str) -> None:
        """Returns when what was started under that name answers. Raises ChildDied when it does not."""
        deadline = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < deadline:
            self._check()
            try:
                with urllib.request.urlopen(url, timeout=3):  # noqa: S310  our own address
                    return
            except (OSError, HTTPException):  # a port where nobody listens yet may even answer with our own words
                time.sleep(0.05)
        raise ChildDied(name)

    def wait(self) -> None:
        """Returns never: raises Ended when asked to stop, ChildDied when a process is gone."""
        while True:
            self._check()
            time.sleep(0.5)

    def _check(self) -> None:
        if self._make is not None and os.getppid() != self._make:
            raise Ended
        for name, child in self._children.items():
            if child.poll() is not None:
                raise ChildDied(name)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise Ended


def _end_with_parent() -> None:
    """On Linux a child is told to stop when this process is killed outright; elsewhere Ctrl-C reaches it anyway."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
