"""Real processes for tests: gunicorn with several workers, and the program's own worker."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

from scancode import config

ROOT = Path(__file__).parent.parent
AGENT = "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0"


def environment(settings: config.Settings, **over: str) -> dict[str, str]:
    """The variables that make a child process read the same settings."""
    found = {}
    for name in config.Settings.model_fields:
        value = getattr(settings, name)
        if value is None:
            continue
        text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        if text and text != "False":
            found[config.variable_of(name)] = text
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), **found, **over}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def gunicorn(
    settings: config.Settings, *, workers: int = 4, threads: int = 8, port: int | None = None, **over: str
) -> Iterator[str]:
    """The base URL of ``scancode serve`` with so many processes; on a free port unless told."""
    port = port or free_port()
    command = [sys.executable, "-m", "scancode", "serve", "--port", str(port)]
    settings = settings.model_copy(update={"web_workers": workers, "web_threads": threads, "bind_host": "127.0.0.1"})
    server = subprocess.Popen(command, cwd=ROOT, env=environment(settings, **over), start_new_session=True)
    try:
        wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(server)


@contextmanager
def worker(settings: config.Settings, **over: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program's own worker process."""
    command = [sys.executable, "-m", "scancode", "worker"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(settings, **over), start_new_session=True)
    try:
        yield process
    finally:
        stop(process)


def wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("the server did not start")


def stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


class Browser:
    """A person's browser without a screen: keeps cookies, finds the form token of a page, posts forms."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.jar = CookieJar()
        self._follow = build_opener(HTTPCookieProcessor(self.jar))
        self._stay = build_opener(HTTPCookieProcessor(self.jar), _Stay())
        self.token = ""
        self.headers = {"User-Agent": AGENT}

    def get(self, path: str, *, follow: bool = True) -> tuple[int, str]:
        return self._open(Request(self._url(path), headers=self._sent()), follow=follow)

    def post(self, path: str, *, follow: bool = True, **fields: str) -> tuple[int, str]:
        body = urlencode({"token": self.token, **fields}).encode()
        return self._open(Request(self._url(path), data=body, headers=self._sent()), follow=follow)

    def _sent(self) -> dict[str, str]:
        """The headers; a cookie given by hand goes with those of the jar."""
        own = dict(self.headers)
        if "Cookie" in own:
            own["Cookie"] = "; ".join([own["Cookie"], *(f"{item.name}={item.value}" for item in self.jar)])
        return own

    def _url(self, path: str) -> str:
        return path if path.startswith("http") else self.base_url + path

    def _open(self, request: Request, *, follow: bool) -> tuple[int, str]:
        try:
            with (self._follow if follow else self._stay).open(request, timeout=60) as answer:
                status, body = answer.status, answer.read().decode()
        except HTTPError as error:
            status, body = error.code, error.read().decode()
            if status in {302, 303, 307}:
                body = error.headers["Location"]
        found = re.search(r'name="token" value="([^"]+)"', body)
        self.token = found[1] if found else self.token
        for sheet in re.findall(r'media="print" href="([^"]+)"', body):  # a browser shows its page
            self._open(Request(self._url(sheet), headers=self._sent()), follow=True)
        return status, body
