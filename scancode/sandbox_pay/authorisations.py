"""Authorisations to be paid without confirmation, as the payment server has them: asked for, in effect, closed. They
lie in the same file as the bills."""

from __future__ import annotations

import secrets
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

from scancode.sandbox_pay.book import Book, moment
from scancode.sandbox_pay.keys import APP_ID, MCH_ID
from scancode.sandbox_pay.rules import Refused, Wish

WAITING, IN_EFFECT, CLOSED = "WAIT_USER_CONFIRM", "TAKING_EFFECT", "CLOSED"
COLUMNS = ("number", "package", "authorization_id", "openid")


@dataclass(frozen=True)
class Grant:
    """One authorisation as the server has it."""

    number: str
    authorization_id: str
    openid: str
    name: str
    notify_url: str
    same: str
    state: str
    reason: str | None
    package: str
    created_at: float
    updated_at: float

    def told(self, **changes: object) -> dict[str, Any]:
        """In the words of a query and of a notice."""
        found: dict[str, Any] = {
            "out_authorization_no": self.number,
            "appid": APP_ID,
            "openid": self.openid,
            "user_display_name": self.name,
            "state": self.state,
            "create_time": moment(self.created_at),
        }
        if self.state != WAITING:
            found["authorization_id"] = self.authorization_id
        if self.state == CLOSED:
            found["close_info"] = {"close_time": moment(self.updated_at), "close_reason": self.reason}
        return {**found, **changes}


class Grants:
    """Every method is one transaction of the book's."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def ask(self, wish: Wish) -> Grant:
        """Books it, or finds the same one booked. A person has one that is open. Raises Refused."""
        now = self._book.now()
        with self._book.open() as book:
            found = _find(book, "number", wish.number)
            if found is not None and found.same != wish.same:
                raise Refused(400, "INVALID_REQUEST", "单号已存在但信息不一致")
            if found is None:
                rows = book.execute(
                    "SELECT 1 FROM grants WHERE openid = ? AND state != ?", (wish.openid, CLOSED)
                ).fetchall()
                if rows:
                    raise Refused(400, "INVALID_REQUEST", "用户在当前场景下的授权数量达到限制")
                book.execute(
                    "INSERT INTO grants VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?)",
                    (
                        wish.number,
                        f"2025{secrets.randbelow(10**23):023}",
                        wish.openid,
                        wish.name,
                        wish.notify_url,
                        wish.same,
                        WAITING,
                        secrets.token_urlsafe(24),
                        now,
                        now,
                    ),
                )
            placed = _find(book, "number", wish.number)
        assert placed is not None
        return placed

    def find(self, column: str, value: str) -> Grant | None:
        """By number, package, provider's id or person; what nobody agreed to in time is closed by looking."""
        now = self._book.now()
        with self._book.open() as book:
            found = _find(book, column, value)
            if found and found.state == WAITING and found.created_at < now - self._book.confirm_s:
                _move(book, found, CLOSED, "USER_OVERDUE_UNCONFIRMED", now)
                found = _find(book, column, value)
            return found

    def settle(self, number: str, state: str, reason: str | None = None) -> bool:
        """The person agreed, or it was closed; a notice follows. False where it has ended."""
        now = self._book.now()
        with self._book.open() as book:
            found = _find(book, "number", number)
            allowed = found is not None and (
                (found.state == WAITING and state in (IN_EFFECT, CLOSED)) or (found.state, state) == (IN_EFFECT, CLOSED)
            )
            if found is None or not allowed:
                return False
            _move(book, found, state, reason, now)
        return True

    def close(self, number: str) -> Grant:
        """As the merchant asks; closing again changes nothing. Raises Refused."""
        if self.find("number", number) is None:
            raise Refused(404, "NOT_FOUND", "记录不存在")
        self.settle(number, CLOSED, "CLOSE_VIA_MCH_API")
        found = self.find("number", number)
        assert found is not None
        return found

    def in_effect(self, authorization_id: str) -> Grant:
        """What an order names. Raises Refused."""
        found = self.find("authorization_id", authorization_id)
        if found is None or found.state != IN_EFFECT:
            raise Refused(400, "INVALID_REQUEST", "授权不存在或未生效")
        return found

    def due_notices(self, limit: int = 50) -> list[tuple[str, Grant, str, int]]:
        """Id, authorisation, the state to tell and how often it was tried."""
        now = time.time()
        with self._book.open() as book:
            rows = book.execute("SELECT * FROM grant_notices WHERE due_at <= ? LIMIT ?", (now, limit)).fetchall()
            found = []
            for row in rows:
                book.execute("UPDATE grant_notices SET due_at = ? WHERE id = ?", (now + 60, row["id"]))
                grant = _find(book, "number", row["number"])
                if grant is not None:
                    found.append((str(row["id"]), grant, str(row["state"]), int(row["tries"])))
        return found

    def notice_done(self, notice_id: str) -> None:
        with self._book.open() as book:
            book.execute("DELETE FROM grant_notices WHERE id = ?", (notice_id,))

    def notice_again(self, notice_id: str, after_s: float) -> None:
        due_at = time.time() + after_s
        with self._book.open() as book:
            book.execute("UPDATE grant_notices SET due_at = ?, tries = tries + 1 WHERE id = ?", (due_at, notice_id))


def notice_of(grant: Grant, state: str) -> dict[str, Any]:
    """What is sealed in a notice about it."""
    found = {"mchid": MCH_ID, **grant.told(state=state)}
    if state != CLOSED:
        found.pop("close_info", None)
        found["authorize_time"] = moment(grant.updated_at)
    return found


def _find(book: sqlite3.Connection, column: str, value: str) -> Grant | None:
    assert column in COLUMNS
    row = book.execute(f"SELECT * FROM grants WHERE {column} = ? ORDER BY created_at DESC", (value,)).fetchone()
    return Grant(**dict(row)) if row else None


def _move(book: sqlite3.Connection, grant: Grant, state: str, reason: str | None, now: float) -> None:
    book.execute(
        "UPDATE grants SET state = ?, reason = ?, updated_at = ? WHERE number = ?", (state, reason, now, grant.number)
    )
    if grant.notify_url and reason != "USER_OVERDUE_UNCONFIRMED":
        place = (secrets.token_hex(16), grant.number, state, time.time())
        book.execute("INSERT INTO grant_notices VALUES (?, ?, ?, ?, 0)", place)
