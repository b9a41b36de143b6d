"""Who takes part in the soak: the processes that are killed, the claimers that try again, the people who take money."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.servers import ROOT, wait_for

THREADS = 8
BURST = 25
LEASE_S = 65
"""A killed worker's job is taken over after its lease."""


def ask(url: str, path: str, given: dict[str, Any]) -> dict[str, Any]:
    """A word with the payment server's keeper."""
    with urlopen(Request(url + path, data=json.dumps(given).encode()), timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


class Crew:
    """The payment server, which lives on, and web and worker, which are killed and started again."""

    def __init__(self, environ: dict[str, str], folder: Path, web_port: int, pay_port: int) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._environ = {**kept, "PYTHONPATH": str(ROOT), **environ}
        self._folder, self._web_port, self._pay_port = folder, web_port, pay_port
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._turn = threading.Lock()
        self._is_deadly = True
        self.kills = 0

    def start_all(self) -> None:
        pay = ("sandbox-pay", "--port", str(self._pay_port), "--folder", str(self._folder / "pay"))
        self._start(pay[0], *pay[1:], "--hang-s", "3", "--hurry", "10")
        wait_for(self._pay_port, self._children["sandbox-pay"])
        self.resume()

    def resume(self) -> None:
        self._start("serve")
        self._start("worker")
        wait_for(self._web_port, self._children["serve"])

    def pause(self) -> None:
        for name in ("serve", "worker"):
            self._end(name, signal.SIGKILL)

    def kill(self, name: str) -> None:
        """With -9, all its processes at once; and starts it again."""
        if self._is_deadly:
            self._end(name, signal.SIGKILL)
            self._start(name)
            self.kills += 1

    def kill_no_more(self) -> None:
        self._is_deadly = False

    def stop_all(self) -> None:
        for name in list(self._children):
            self._end(name, signal.SIGTERM)

    def command(self, *words: str, check: bool = True) -> int:
        done = subprocess.run(
            [sys.executable, "-m", "scancode", *words], env=self._environ, cwd=ROOT, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode and check:
            raise AssertionError(f"{words}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
        return done.returncode

    def _start(self, *words: str) -> None:
        with self._turn:
            self._children[words[0]] = subprocess.Popen(
                [sys.executable, "-m", "scancode", *words], env=self._environ, cwd=ROOT, start_new_session=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip

    def _end(self, name: str, number: int) -> None:
        with self._turn:
            child = self._children.pop(name, None)
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, number)
            child.wait(30)


class Claimers:
    """Each request is sent until its answer says that the claim is done: 303 to the reward, or «claimed already».

    They come in bursts, and last about so many seconds, so that a backup finds some of them and a restore forgets some.
    """

    def __init__(self, requests: list[bytes], port: int, seconds: float) -> None:
        self._requests, self._port = requests, port
        self._rest_s = seconds * THREADS * BURST / len(requests)
        self._left = list(range(len(requests)))
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(THREADS)]
        self.done = self.tries = 0

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()

    def again(self) -> None:
        """After a restore everybody tries once more: what was lost is claimed again, what is there stays."""
        with self._turn:
            self._left = list(range(len(self._requests)))
            self.done, self._rest_s = 0, 0.0

    def _run(self) -> None:
        sent = 0
        while not self._over.is_set():
            with self._turn:
                number = self._left.pop() if self._left else None
            if number is None:
                time.sleep(0.2)
                continue
            self.tries += 1
            sent += 1
            if sent % BURST == 0:
                self._over.wait(self._rest_s)
            is_done = self._claim(self._requests[number])
            with self._turn:
                if is_done:
                    self.done += 1
                else:
                    self._left.insert(0, number)
            if not is_done:
                time.sleep(0.3)

    def _claim(self, request: bytes) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=20) as line:
                line.sendall(request.replace(b"\r\nHost:", b"\r\nConnection: close\r\nHost:", 1))
                answer = line.makefile("rb").read(4096)
        except OSError:
            return False
        found = re.search(rb"Location: (\S+)", answer)
        return answer.startswith(b"HTTP/1.1 303") and found is not None and b"/me/rewards/" in found[1]


class People:
    """They take most of what waits for them, and let some of it lapse."""

    def __init__(self, url: str, dice: random.Random) -> None:
        self._url, self._dice = url, dice
        self._takes = 0.85
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()

    def confirm_all(self) -> None:
        self._takes = 1.0

    def _run(self) -> None:
        while not self._over.wait(0.3):
            try:
                for package in ask(self._url, "/sandbox/packages", {})["packages"]:
                    verb = "confirm" if self._dice.random() < self._takes else "decline"
                    ask(self._url, f"/sandbox/{verb}", {"package": package})
            except (URLError, OSError, ValueError):
                continue
