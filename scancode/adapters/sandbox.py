"""A small make-believe outside world for the demo and the tests: a WeChat that knows people, a telephone that receives
passwords. It keeps its own file, apart from our database, as the real world does. Payments are a server of their own,
``scancode sandbox-pay``; here is only the person who receives them there.

Production refuses to start with any of it.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from scancode.errors import OutsideError
from scancode.ports import Login

SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (key TEXT PRIMARY KEY, phone TEXT, purpose TEXT, password TEXT, sent_at TEXT);
CREATE TABLE IF NOT EXISTS logins (code TEXT PRIMARY KEY, openid TEXT, used INTEGER);
CREATE TABLE IF NOT EXISTS faults (name TEXT PRIMARY KEY, left INTEGER);
"""
PEOPLE = ("Alice 小艾", "Bob 大博", "Chen 小晨")
"""Who may sign in to the make-believe WeChat."""


class World:
    """The file that holds it all. Threads and processes share it; each call is a transaction of its own."""

    people = PEOPLE

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=20, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            connection.execute("PRAGMA synchronous=OFF").close()  # no money in it: it need not survive a power cut
            connection.executescript(SCHEMA).close()
            connection.execute("BEGIN IMMEDIATE").close()
            with connection:
                yield connection
        finally:
            connection.close()

    def fail_next(self, name: str, times: int = 1) -> None:
        """The next calls of ``sms`` fail."""
        with self.open() as world:
            world.execute("INSERT OR REPLACE INTO faults VALUES (?, ?)", (name, times))

    def messages(self, limit: int = 20) -> list[tuple[str, str, str]]:
        """The newest messages: phone, password, time."""
        with self.open() as world:
            rows = world.execute(
                "SELECT phone, password, sent_at FROM messages ORDER BY sent_at DESC LIMIT ?", (limit,)
            )
            return [(str(a), str(b), str(c)) for a, b, c in rows.fetchall()]

    def login_code(self, openid: str) -> str:
        """The person agrees to sign in: a code that works once."""
        code = secrets.token_urlsafe(24)
        with self.open() as world:
            world.execute("INSERT INTO logins VALUES (?, ?, 0)", (code, openid))
        return code


def _fault(world: sqlite3.Connection, name: str) -> bool:
    return world.execute("UPDATE faults SET left = left - 1 WHERE name = ? AND left > 0", (name,)).rowcount == 1


@dataclass(frozen=True)
class Identity:
    world: World
    needs_app: bool = False

    def authorize_url(self, *, redirect_uri: str, state: str, with_consent: bool = False) -> str:
        return "/sandbox/wechat?" + urlencode({"redirect_uri": redirect_uri, "state": state})

    def exchange(self, *, code: str) -> Login:
        with self.world.open() as world:
            if world.execute("UPDATE logins SET used = 1 WHERE code = ? AND used = 0", (code,)).rowcount != 1:
                raise OutsideError("login_code", permanent=True)
            (openid,) = world.execute("SELECT openid FROM logins WHERE code = ?", (code,)).fetchone()
        return Login(openid=openid)


@dataclass(frozen=True)
class Sms:
    world: World

    def send(self, *, phone: str, purpose: str, password: str, language: str, key: str) -> None:
        with self.world.open() as world:
            failed = _fault(world, "sms")
            if not failed:
                world.execute(
                    "INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?, ?)",
                    (key, phone, purpose, password, datetime.now(UTC).isoformat()),
                )
        if failed:
            raise OutsideError("sms_unreachable", permanent=False)


class Person:
    """The person whose money waits at ``scancode sandbox-pay``: looks, and taps «receive» there."""

    def __init__(self, url: str) -> None:
        self._url = url

    def waiting_fen(self, package: str) -> int | None:
        found = self._ask("/sandbox/waiting", package)
        return int(found["amount_fen"]) if "amount_fen" in found else None

    def is_asked(self, package: str) -> bool:
        return bool(self._ask("/sandbox/waiting", package).get("is_authorisation"))

    def confirm(self, package: str) -> None:
        self._ask("/sandbox/confirm", package)

    def _ask(self, path: str, package: str) -> dict[str, Any]:
        try:
            request = Request(self._url + path, data=json.dumps({"package": package}).encode())  # noqa: S310  of the settings
            with urlopen(request, timeout=10) as answer:  # noqa: S310
                found: dict[str, Any] = json.load(answer)
        except (OSError, ValueError) as error:
            raise OutsideError("sandbox_unreachable", permanent=False) from error
        return found
