"""What the payment server remembers: bills and their states, the account's balance and movements, notices to post.

One SQLite file, or none for tests. Times are whole and fractional seconds since 1970 by the server's own clock, which
can be put wrong on purpose.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from scancode.sandbox_pay.rules import FINAL, Order, Refused

ZONE = ZoneInfo("Asia/Shanghai")
CONFIRM_S = 24 * 3600.0
LATE_S = 1.5
"""How long what is late stays so: unknown to queries, or ACCEPTED."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS bills (out_bill_no TEXT PRIMARY KEY, transfer_bill_no TEXT UNIQUE, openid TEXT,
    amount_fen INTEGER, remark TEXT, notify_url TEXT, same TEXT, state TEXT, fail_reason TEXT, package TEXT,
    created_at REAL, updated_at REAL, hidden_until REAL DEFAULT 0, ready_at REAL DEFAULT 0);
CREATE INDEX IF NOT EXISTS ix_bills_package ON bills (package);
CREATE INDEX IF NOT EXISTS ix_bills_state ON bills (state);
CREATE TABLE IF NOT EXISTS flows (id INTEGER PRIMARY KEY, at REAL, out_bill_no TEXT, transfer_bill_no TEXT, kind TEXT,
    amount_fen INTEGER, balance_fen INTEGER);
CREATE TABLE IF NOT EXISTS notices (id TEXT PRIMARY KEY, out_bill_no TEXT, state TEXT, due_at REAL, tries INTEGER);
CREATE TABLE IF NOT EXISTS grants (number TEXT PRIMARY KEY, authorization_id TEXT UNIQUE, openid TEXT, name TEXT,
    notify_url TEXT, same TEXT, state TEXT, reason TEXT, package TEXT, created_at REAL, updated_at REAL);
CREATE TABLE IF NOT EXISTS grant_notices (id TEXT PRIMARY KEY, number TEXT, state TEXT, due_at REAL, tries INTEGER);
CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, value REAL);
"""
OPENING_FEN = 10_000_000
BOOK = "book.sqlite"
"""The file within a folder."""


@dataclass(frozen=True)
class BillRow:
    """One bill as the server has it."""

    out_bill_no: str
    transfer_bill_no: str
    openid: str
    amount_fen: int
    remark: str
    notify_url: str
    same: str
    state: str
    fail_reason: str | None
    package: str
    created_at: float
    updated_at: float
    hidden_until: float
    ready_at: float


class Book:
    """Every method is one transaction. ``confirm_s`` is how long a person has."""

    def __init__(self, path: Path | None = None, *, confirm_s: float = CONFIRM_S) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._turn = threading.RLock()
        self.confirm_s = confirm_s
        for pragma in ("journal_mode=WAL", "synchronous=OFF"):  # make-believe money may be lost in a power cut
            self._connection.execute(f"PRAGMA {pragma}").close()
        self._connection.executescript(SCHEMA).close()
        self._connection.execute("INSERT OR IGNORE INTO account VALUES ('balance', ?)", (OPENING_FEN,)).close()
        self._connection.row_factory = sqlite3.Row

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            self._connection.execute("BEGIN IMMEDIATE").close()
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK").close()
                raise
            self._connection.execute("COMMIT").close()

    def now(self) -> float:
        """The server's clock, skewed or not."""
        with self._turn:
            row = self._connection.execute("SELECT value FROM account WHERE name = 'skew'").fetchone()
        return time.time() + (row["value"] if row else 0.0)

    def set(self, name: str, value: float) -> None:
        """``balance`` in fen, ``skew`` in seconds."""
        with self.open() as book:
            book.execute("INSERT OR REPLACE INTO account VALUES (?, ?)", (name, value))

    def balance_fen(self) -> int:
        with self._turn:
            row = self._connection.execute("SELECT value FROM account WHERE name = 'balance'").fetchone()
        return int(row["value"])

    def reset(self) -> None:
        with self.open() as book:
            for table in ("bills", "flows", "notices", "grants", "grant_notices", "account"):
                book.execute(f"DELETE FROM {table}")
            book.execute("INSERT INTO account VALUES ('balance', ?)", (OPENING_FEN,))

    def place(self, order: Order, *, is_late: bool = False, stays_accepted: bool = False) -> BillRow:
        """Books it, or finds the same one booked; money is set aside with the first call. Raises Refused."""
        now = self.now()
        with self.open() as book:
            found = self._find(book, "out_bill_no", order.out_bill_no)
            if found is not None:
                if found.same != order.same:
                    raise Refused(400, "INVALID_REQUEST", "单号已存在但信息不一致")
                return self._with_package(book, self._ripened(book, found, now))
            if int(book.execute("SELECT value FROM account WHERE name = 'balance'").fetchone()[0]) < order.amount_fen:
                raise Refused(403, "NOT_ENOUGH", "余额不足")
            book.execute("UPDATE account SET value = value - ? WHERE name = 'balance'", (order.amount_fen,))
            book.execute(
                "INSERT INTO bills VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?, ?)",
                (
                    order.out_bill_no,
                    f"13300{int(now)}{secrets.randbelow(10**17):017}",
                    order.openid,
                    order.amount_fen,
                    order.remark,
                    order.notify_url,
                    order.same,
                    "ACCEPTED" if stays_accepted else "WAIT_USER_CONFIRM",
                    secrets.token_urlsafe(24),
                    now,
                    now,
                    now + LATE_S if is_late else 0,
                    now + LATE_S if stays_accepted else 0,
                ),
            )
            placed = self._find(book, "out_bill_no", order.out_bill_no)
        assert placed is not None
        return placed

    def find(self, column: str, value: str, *, sees_hidden: bool = False) -> BillRow | None:
        """By ``out_bill_no``, ``transfer_bill_no`` or ``package``, with what time has done to it."""
        now = self.now()
        with self.open() as book:
            row = self._find(book, column, value)
            if row is None or (row.hidden_until > now and not sees_hidden):
                return None
            return self._ripened(book, row, now)

    def settle(self, out_bill_no: str, state: str, reason: str | None = None) -> bool:
        """The person confirmed, or nobody did, or it was cancelled: a waiting bill ends. False otherwise."""
        now = self.now()
        with self.open() as book:
            row = self._find(book, "out_bill_no", out_bill_no)
            return row is not None and self._end(book, self._ripened(book, row, now), state, reason, now)

    def cancel(self, out_bill_no: str) -> BillRow:
        """Takes the wish to cancel; the end comes a moment later. Raises Refused."""
        now = self.now()
        with self.open() as book:
            row = self._find(book, "out_bill_no", out_bill_no)
            if row is None:
                raise Refused(404, "NOT_FOUND", "记录不存在")
            row = self._ripened(book, row, now)
            if row.state in ("ACCEPTED", "WAIT_USER_CONFIRM"):
                book.execute(
                    "UPDATE bills SET state = 'CANCELING', updated_at = ?, ready_at = ? WHERE out_bill_no = ?",
                    (now, now, out_bill_no),
                )
            elif row.state not in ("CANCELING", "CANCELLED"):
                raise Refused(400, "INVALID_REQUEST", "the bill can no longer be cancelled")
            again = self._find(book, "out_bill_no", out_bill_no)
        assert again is not None
        return again

    def overdue(self) -> int:
        """Closes what nobody confirmed in time."""
        now = self.now()
        with self.open() as book:
            rows = book.execute(
                "SELECT * FROM bills WHERE state = 'WAIT_USER_CONFIRM' AND created_at < ? LIMIT 500",
                (now - self.confirm_s,),
            ).fetchall()
            return sum(self._end(book, BillRow(**dict(row)), "FAIL", "OVERDUE_CLOSE", now) for row in rows)

    def waiting(self, limit: int = 1000) -> list[BillRow]:
        with self._turn:
            rows = self._connection.execute(
                "SELECT * FROM bills WHERE state = 'WAIT_USER_CONFIRM' ORDER BY created_at LIMIT ?", (limit,)
            ).fetchall()
        return [BillRow(**dict(row)) for row in rows]

    def bills(self) -> list[BillRow]:
        with self._turn:
            return [BillRow(**dict(row)) for row in self._connection.execute("SELECT * FROM bills").fetchall()]

    def flows(self, day: str) -> list[dict[str, Any]]:
        """The movements of one day of Beijing's, the oldest first."""
        begin = datetime.fromisoformat(day).replace(tzinfo=ZONE).timestamp()
        with self._turn:
            rows = self._connection.execute(
                "SELECT * FROM flows WHERE at >= ? AND at < ? ORDER BY id", (begin, begin + 86400)
            ).fetchall()
        return [dict(row) for row in rows]

    def due_notices(self, limit: int = 50) -> list[tuple[str, BillRow, str, int]]:
        """Id, bill, the state to tell and how often it was tried; taken out until they are put back."""
        now = time.time()
        with self.open() as book:
            rows = book.execute("SELECT * FROM notices WHERE due_at <= ? LIMIT ?", (now, limit)).fetchall()
            found = []
            for row in rows:
                book.execute("UPDATE notices SET due_at = ? WHERE id = ?", (now + 60, row["id"]))
                bill = self._find(book, "out_bill_no", row["out_bill_no"])
                if bill is not None:
                    found.append((str(row["id"]), bill, str(row["state"]), int(row["tries"])))
        return found

    def notice_done(self, notice_id: str) -> None:
        with self.open() as book:
            book.execute("DELETE FROM notices WHERE id = ?", (notice_id,))

    def notice_again(self, notice_id: str, after_s: float) -> None:
        with self.open() as book:
            book.execute(
                "UPDATE notices SET due_at = ?, tries = tries + 1 WHERE id = ?", (time.time() + after_s, notice_id)
            )

    @staticmethod
    def _find(book: sqlite3.Connection, column: str, value: str) -> BillRow | None:
        row = book.execute(f"SELECT * FROM bills WHERE {column} = ?", (value,)).fetchone()
        return BillRow(**dict(row)) if row else None

    def _ripened(self, book: sqlite3.Connection, row: BillRow, now: float) -> BillRow:
        """What was accepted waits for its person after a while, what is being cancelled is; whoever looks."""
        if row.state == "CANCELING" and row.ready_at <= now:
            self._end(book, row, "CANCELLED", None, now)
        if row.state not in ("ACCEPTED", "CANCELING") or row.ready_at > now:
            return row
        book.execute(
            "UPDATE bills SET state = 'WAIT_USER_CONFIRM' WHERE out_bill_no = ? AND state = 'ACCEPTED'",
            (row.out_bill_no,),
        )
        again = self._find(book, "out_bill_no", row.out_bill_no)
        assert again is not None
        return again

    def _with_package(self, book: sqlite3.Connection, row: BillRow) -> BillRow:
        """Each repeat of an order brings a fresh package; the old one is void."""
        if row.state != "WAIT_USER_CONFIRM":
            return row
        book.execute("UPDATE bills SET package = ? WHERE out_bill_no = ?", (secrets.token_urlsafe(24), row.out_bill_no))
        again = self._find(book, "out_bill_no", row.out_bill_no)
        assert again is not None
        return again

    def _end(self, book: sqlite3.Connection, row: BillRow, state: str, reason: str | None, now: float) -> bool:
        if row.state not in ("WAIT_USER_CONFIRM", "CANCELING") or state not in FINAL:
            return False
        book.execute(
            "UPDATE bills SET state = ?, fail_reason = ?, updated_at = ? WHERE out_bill_no = ?",
            (state, reason, now, row.out_bill_no),
        )
        if state != "SUCCESS":
            book.execute("UPDATE account SET value = value + ? WHERE name = 'balance'", (row.amount_fen,))
        else:
            (balance,) = book.execute("SELECT value FROM account WHERE name = 'balance'").fetchone()
            book.execute(
                "INSERT INTO flows (at, out_bill_no, transfer_bill_no, kind, amount_fen, balance_fen) "
                "VALUES (?, ?, ?, '商家转账', ?, ?)",
                (now, row.out_bill_no, row.transfer_bill_no, row.amount_fen, balance),
            )
        if row.notify_url:
            book.execute(
                "INSERT INTO notices VALUES (?, ?, ?, ?, 0)",
                (secrets.token_hex(16), row.out_bill_no, state, time.time()),
            )
        return True


def moment(at: float) -> str:
    """As the provider writes times."""
    return datetime.fromtimestamp(at, UTC).astimezone(ZONE).isoformat(timespec="seconds")
