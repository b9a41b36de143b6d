"""A small make-believe outside world for the demo and the tests: a bank that pays, a WeChat that knows people, a
telephone that receives passwords. It keeps its own file, apart from our database, as the real world does.

Production refuses to start with any of it. The full payment server that checks signatures comes with the rewards.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from scancode.errors import OutsideError
from scancode.ports import Bill, BillState, Confirmation, Login

SCHEMA = """
CREATE TABLE IF NOT EXISTS bills (out_bill_no TEXT PRIMARY KEY, openid TEXT, amount_fen INTEGER, state TEXT,
    provider_bill_no TEXT, package TEXT, fail_reason TEXT, created_at TEXT);
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
        """The next calls of ``send``, ``send_after`` (booked, then silence), ``query`` or ``sms`` fail."""
        with self.open() as world:
            world.execute("INSERT OR REPLACE INTO faults VALUES (?, ?)", (name, times))

    def messages(self, limit: int = 20) -> list[tuple[str, str, str]]:
        """The newest messages: phone, password, time."""
        with self.open() as world:
            rows = world.execute(
                "SELECT phone, password, sent_at FROM messages ORDER BY sent_at DESC LIMIT ?", (limit,)
            )
            return [(str(a), str(b), str(c)) for a, b, c in rows.fetchall()]

    def confirm(self, package: str) -> None:
        """The person taps «receive»: a waiting bill is paid."""
        self._settle(package, "SUCCESS", None)

    def decline(self, package: str) -> None:
        """Nobody confirms in time: a waiting bill is closed and the money returns."""
        self._settle(package, "FAIL", "OVERDUE_CLOSE")

    def _settle(self, package: str, state: str, reason: str | None) -> None:
        with self.open() as world:
            world.execute(
                "UPDATE bills SET state = ?, fail_reason = ? WHERE package = ? AND state = 'WAIT_USER_CONFIRM'",
                (state, reason, package),
            )

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


@dataclass(frozen=True)
class Payout:
    world: World

    def send(self, bill: Bill) -> BillState:
        with self.world.open() as world:
            lost = _fault(world, "send")
            if not lost:
                self._book(world, bill)
            silent = _fault(world, "send_after")
            state = self._find(world, "out_bill_no", bill.out_bill_no)
        if lost or silent:
            raise OutsideError("pay_timeout", permanent=False)
        if state is None or (state.amount_fen, state.openid) != (bill.amount_fen, bill.openid):
            raise OutsideError("bill_differs", permanent=True)
        return state

    @staticmethod
    def _book(world: sqlite3.Connection, bill: Bill) -> None:
        world.execute(
            "INSERT OR IGNORE INTO bills VALUES (?, ?, ?, 'WAIT_USER_CONFIRM', ?, ?, NULL, ?)",
            (
                bill.out_bill_no,
                bill.openid,
                bill.amount_fen,
                "SBX" + secrets.token_hex(12),
                secrets.token_urlsafe(24),
                datetime.now(UTC).isoformat(),
            ),
        )

    def query(self, out_bill_no: str) -> BillState | None:
        with self.world.open() as world:
            failed = _fault(world, "query")
            state = self._find(world, "out_bill_no", out_bill_no)
        if failed:
            raise OutsideError("pay_unreachable", permanent=False)
        return state

    def cancel(self, out_bill_no: str) -> BillState:
        with self.world.open() as world:
            world.execute(
                "UPDATE bills SET state = 'CANCELLED' WHERE out_bill_no = ? AND state = 'WAIT_USER_CONFIRM'",
                (out_bill_no,),
            )
            state = self._find(world, "out_bill_no", out_bill_no)
        if state is None:
            raise OutsideError("bill_unknown", permanent=True)
        return state

    def bills(self, *, since: datetime) -> list[BillState]:
        with self.world.open() as world:
            rows = world.execute("SELECT * FROM bills WHERE created_at >= ?", (since.isoformat(),)).fetchall()
        return [_state(row) for row in rows]

    def confirmation(self, *, package: str) -> Confirmation:
        return Confirmation(mch_id="1900000001", app_id="wxsandbox", package=package)

    def confirm_url(self, *, package: str, return_url: str) -> str | None:
        return "/sandbox/pay?" + urlencode({"package": package, "return_url": return_url})

    @staticmethod
    def _find(world: sqlite3.Connection, column: str, value: str) -> BillState | None:
        row = world.execute(f"SELECT * FROM bills WHERE {column} = ?", (value,)).fetchone()
        return _state(row) if row else None


def _state(row: tuple[str, str, int, str, str, str, str | None, str]) -> BillState:
    number, openid, amount_fen, state, provider_no, package, reason, created = row
    return BillState(
        out_bill_no=number,
        state=state,
        amount_fen=amount_fen,
        openid=openid,
        provider_bill_no=provider_no,
        package=package if state == "WAIT_USER_CONFIRM" else None,
        fail_reason=reason,
        created_at=datetime.fromisoformat(created),
    )
