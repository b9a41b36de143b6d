"""The two statements of a scan, in the words of each driver.

Everything else speaks SQLAlchemy; here, where a process spends most of its life, its machinery cost more than the
database did. Both statements are plain, carry ``code_id`` and do the same on both databases.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from scancode.scans.models import Scan
from scancode.scans.rules import LIVE

ROWS_MAX = 256
PREPARED_MAX = 32
COLUMNS = tuple(column.name for column in Scan.__table__.columns)
_LIVE = ", ".join(f"'{verdict}'" for verdict in LIVE)
_EARLIER = (
    "SELECT code_id, visitor_id, scanned_at FROM scans "
    f"WHERE code_id {{codes}} AND verdict IN ({_LIVE}) ORDER BY code_id, id LIMIT {{most}}"
)
_EARLIER_POSTGRES = _EARLIER.format(codes="= ANY($1)", most="$2")
_NAMES = ", ".join(COLUMNS)


def earlier(cursor: Any, *, is_sqlite: bool, codes: Sequence[int], most: int) -> list[tuple[int, UUID, datetime]]:
    """Live scans of the codes, by code and then oldest first; at most ``most`` rows in all."""
    if not is_sqlite:
        cursor.execute(_EARLIER_POSTGRES, (list(codes), most), prepare=True)
        return list(cursor.fetchall())
    cursor.execute(_earlier_sqlite(len(codes)), (*codes, most))
    return [
        (code_id, UUID(hex=visitor), datetime.fromisoformat(at).replace(tzinfo=UTC))
        for code_id, visitor, at in cursor.fetchall()
    ]


def insert(cursor: Any, *, is_sqlite: bool, rows: Sequence[tuple[Any, ...]]) -> None:
    """Inserts rows of ``COLUMNS``; one whose key is there already is left as it is."""
    if is_sqlite:
        cursor.executemany(_INSERT_SQLITE, [tuple(map(_for_sqlite, row)) for row in rows])
    else:
        # One answer to wait for, whatever the size of the group: each wait costs a turn at the interpreter's lock.
        for start in range(0, len(rows), ROWS_MAX):
            part = rows[start : start + ROWS_MAX]
            flat = [value for row in part for value in row]
            cursor.execute(_insert_postgres(len(part)), flat, prepare=len(part) <= PREPARED_MAX)


def open_cursor(connection: Any, *, is_sqlite: bool) -> Any:
    """A cursor for these statements on a driver's connection: PostgreSQL's takes ``$1`` as the server does."""
    if is_sqlite:
        return connection.cursor()
    import psycopg  # an extra: not there where the database is SQLite

    return psycopg.RawCursor(connection)


@lru_cache(maxsize=512)
def _earlier_sqlite(count: int) -> str:
    return _EARLIER.format(codes=f"IN ({', '.join('?' * count)})", most="?")


_INSERT = f"INSERT INTO scans ({_NAMES}) VALUES ({{marks}}) ON CONFLICT DO NOTHING"
_INSERT_SQLITE = _INSERT.format(marks=", ".join(["?"] * len(COLUMNS)))


@lru_cache(maxsize=512)
def _insert_postgres(count: int) -> str:
    width = len(COLUMNS)
    rows = (", ".join(f"${row * width + column + 1}" for column in range(width)) for row in range(count))
    return f"INSERT INTO scans ({_NAMES}) VALUES {', '.join(f'({row})' for row in rows)} ON CONFLICT DO NOTHING"


def _for_sqlite(value: Any) -> Any:
    """As SQLAlchemy's own types store it: ids as 32 hexadecimal digits, moments in UTC without their zone."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return value
