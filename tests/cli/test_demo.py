"""``scancode demo`` as a person starts it: twice, with real processes, and stopped by a signal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scancode import config
from scancode.cli.demo import brand as words
from scancode.cli.demo import pictures, place
from scancode.members import tiers
from tests.servers import ROOT, free_port

WITHIN_S = 240.0


@contextmanager
def demo(folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running demo and what it has printed once it serves."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PORT": str(port), "LANG": "C.UTF-8"}
    log = folder / f"log-{time.monotonic_ns()}"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "scancode", "demo"], cwd=folder, env=environ, stdout=file, stderr=file, text=True
        )
    try:
        end = time.monotonic() + WITHIN_S
        while "Ctrl-C stops" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        yield process, log.read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def page(url: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"Accept-Language": "en", "User-Agent": "Mozilla/5.0 Firefox/140"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
def test_it_starts_twice_and_ends_with_its_processes(tmp_path: Path) -> None:
    port = free_port()
    with demo(tmp_path, port) as (process, printed):
        first = re.findall(rf"http://127\.0\.0\.1:{port}/[0-9A-HJKMNP-TV-Z]{{20}}", printed)
        assert len(first) == len(set(first)) == 6
        answers = [page(url) for url in first]
        assert [status for status, _ in answers] == [200] * 6
        assert all("genuine" in body for _, body in answers[:4])
        assert "no longer valid" in answers[4][1]
        assert "Not yet released" in answers[5][1]
        assert page(f"http://127.0.0.1:{port}/readyz")[0] == 200
        assert page(f"http://127.0.0.1:{port}/console/login")[0] == 200
        assert page(f"http://127.0.0.1:{port}/sandbox/phone")[0] == 200
        running = children(process.pid)
        assert len(running) == 3
        taken = subprocess.run(
            [sys.executable, "-m", "scancode", "demo", "--port", str(port)],
            cwd=tmp_path, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert taken.returncode == 1
        assert "port_in_use" in taken.stderr
        assert f"PORT={port + 1}" in taken.stderr
    assert process.returncode == 0
    assert not any(map(is_alive, running))
    with demo(tmp_path, port) as (process, printed):
        assert "First start" not in printed
        second = re.findall(rf"http://127\.0\.0\.1:{port}/[0-9A-HJKMNP-TV-Z]{{20}}", printed)
        assert not {*first[:3]} & {*second[:3]}, "what was scanned is not offered again"
    assert process.returncode == 0


def test_its_secrets_are_kept_private_and_refused_by_production(tmp_path: Path) -> None:
    environ = {"SCANCODE_VAR_DIR": str(tmp_path), "SCANCODE_ENV": "production", "SCANCODE_PAYOUT_GATEWAY": "none"}
    ours = place.environment(environ, port=8000)
    again = place.environment(environ, port=8000)
    assert ours == again
    assert (tmp_path / "demo" / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert config.load(ours).check().env == "demo"
    with pytest.raises(config.ConfigError) as refused:
        config.load(ours, env="production").check()
    for name in config.SECRETS:
        assert f"SCANCODE_{name.upper()} holds a default" in str(refused.value)


def test_it_takes_nothing_from_a_real_installation(tmp_path: Path) -> None:
    """Secrets and gateways of the surrounding environment never reach the demo; a database may."""
    environ = {
        "SCANCODE_VAR_DIR": str(tmp_path),
        "SCANCODE_CODE_KEYS": "real:0123456789abcdef0123456789abcdef",
        "SCANCODE_SEAL_KEYS_FILE": "/etc/secret",
        "SCANCODE_LOG_LEVEL": "DEBUG",
        "DATABASE_URL": "postgresql://somewhere/demo",
        "PATH": "/bin",
    }
    child = place.child_environment(environ, place.environment(environ, port=8000))
    assert "real:" not in child["SCANCODE_CODE_KEYS"]
    assert "SCANCODE_SEAL_KEYS_FILE" not in child
    assert child["DATABASE_URL"] == "postgresql://somewhere/demo"
    assert child["SCANCODE_LOG_LEVEL"] == "DEBUG"
    assert child["PATH"] == "/bin"


def test_its_brand_and_products_would_be_accepted_in_the_console() -> None:
    words.BRAND.checked()
    assert len(tiers.checked(12, words.TIERS)) == len(words.TIERS)
    assert words.TAG.checked() == words.TAG
    for item in (words.JASMINE, words.PEACH):
        item.draft.checked()
        assert pictures.bottle(item.flavour).startswith(b"\x89PNG")
