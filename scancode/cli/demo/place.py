"""Where the demo lives: a folder of its own, secrets made once, and the environment of its processes.

Nothing of it can be taken for a production install: every secret holds the word that production refuses, and the
payment, message and login services are the sandbox's.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

from scancode.config import NOTIFY_PATH, SECRETS, UNSAFE_MARK, ConfigError
from scancode.sandbox_pay import keys

SECRETS_FILE = "secrets.env"
PAY_FOLDER = "pay"
PORTS_TRIED = 50
KEPT = ("BIND_HOST", "WEB_WORKERS", "WEB_THREADS", "TRUSTED_PROXIES", "LOG_LEVEL", "BASE_URL")
"""Settings of the surrounding environment that the demo follows; all others are its own."""


def folder(environ: Mapping[str, str]) -> Path:
    """``var/demo``, or ``demo`` within SCANCODE_VAR_DIR."""
    return (Path(environ.get("SCANCODE_VAR_DIR") or "var") / "demo").absolute()


def environment(environ: Mapping[str, str], *, port: int, pay_port: int | None = None) -> dict[str, str]:
    """The demo's settings as environment variables. Makes the folder and its secrets on the first call.

    ``pay_port`` is where its payment server listens, on this machine only.
    """
    home = folder(environ)
    home.mkdir(parents=True, exist_ok=True)
    kept = {f"SCANCODE_{name}": environ[f"SCANCODE_{name}"] for name in KEPT if environ.get(f"SCANCODE_{name}")}
    return {
        "SCANCODE_BASE_URL": f"http://127.0.0.1:{port}",
        "SCANCODE_LOG_LEVEL": "WARNING",
        **kept,
        "SCANCODE_ENV": "demo",
        "SCANCODE_VAR_DIR": str(home),
        "PORT": str(port),
        "DATABASE_URL": environ.get("DATABASE_URL") or f"sqlite:///{home / 'scancode.sqlite'}",
        **keys.load(home / PAY_FOLDER).settings(f"http://127.0.0.1:{pay_port or port + 1}"),
        "SCANCODE_WECHATPAY_NOTIFY_URL": f"http://127.0.0.1:{port}{NOTIFY_PATH}",
        "SCANCODE_WECHATPAY_NO_CONFIRM": "*",
        "SCANCODE_SMS_GATEWAY": "sandbox",
        "SCANCODE_LOGIN_GATEWAY": "sandbox",
        "SCANCODE_DEMO_ACCOUNTS": "true",
        **_secrets(home / SECRETS_FILE),
    }


def child_environment(environ: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    """What a child process gets: everything but the settings, then ours."""
    others = {name: value for name, value in environ.items() if not name.startswith("SCANCODE_")}
    return {**others, **ours}


def _secrets(path: Path) -> dict[str, str]:
    if not path.exists():
        lines = [f"SCANCODE_{name.upper()}={_new_secret(name)}" for name in SECRETS]
        text = "# Made by `scancode demo` for this folder only. Production refuses them.\n" + "\n".join(lines) + "\n"
        part = path.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        part.replace(path)
    pairs = (line.partition("=") for line in path.read_text().splitlines() if line and not line.startswith("#"))
    found = {name: value for name, _, value in pairs}
    missing = [name for name in SECRETS if f"SCANCODE_{name.upper()}" not in found]
    if missing:
        raise ConfigError(f"{path} lacks {', '.join(missing)}: delete the folder {path.parent} and start again")
    return found


def _new_secret(name: str) -> str:
    """With a key id of its own, so that a database of other secrets is noticed rather than called forged."""
    return f"demo{secrets.token_hex(3)}:{UNSAFE_MARK}-{name.replace('_', '-')}-{secrets.token_urlsafe(24)}"


def free_port(after: int) -> int:
    """The first port above ``after`` on which this machine can listen."""
    for port in range(after + 1, min(after + PORTS_TRIED, 65536)):
        if is_free("127.0.0.1", port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    """Whether the web server will be able to listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
