"""How a connection is made and a transaction begins, on either database."""

from __future__ import annotations

import sqlite3
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Engine, create_engine, event

from scancode import patience

if TYPE_CHECKING:
    from psycopg import Connection

CONNECT_S = 5
SILENT_MS = 20_000
"""A network that swallows what is sent is noticed after so long."""


def sqlite(url: URL, synchronous: str, *, busy_s: float) -> Engine:
    """WAL, foreign keys on, and a write transaction that begins IMMEDIATE. The option ``within_s`` of a connection has
    its transactions wait no longer than that for their turn."""
    # Errors are logged: they must not quote what was to be written.
    engine = create_engine(url, connect_args={"timeout": busy_s, "check_same_thread": False}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours to say
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"synchronous={synchronous}", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        options = connection.get_execution_options()
        if (within_s := options.get("within_s")) is None:
            connection.exec_driver_sql("BEGIN" if options.get("reading") else "BEGIN IMMEDIATE")
            return
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(within_s * 1000)}")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(busy_s * 1000)}")

    return engine


def postgresql(url: URL, pool_size: int) -> Engine:
    """READ COMMITTED, times in UTC, and no wait for a lock longer than ten seconds; for an answer no longer than the
    thread's ``patience``."""
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=False,
        pool_timeout=10,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        connect_args={
            "options": "-c timezone=utc -c lock_timeout=10s",
            "tcp_user_timeout": SILENT_MS,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
        },
    )

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, arguments: Any, named: dict[str, Any]) -> Any:
        left_s = patience.left_s()
        wait_s = CONNECT_S if left_s is None else max(1, min(CONNECT_S, int(left_s)))  # the driver's least is two
        return _patient().connect(*arguments, **{**named, "connect_timeout": wait_s})

    return engine


@cache
def _patient() -> type[Connection[Any]]:
    """A connection that is given up when its thread's patience is over: what the server would still say is lost with
    it, and nobody else is given its answer."""
    from psycopg import Connection, OperationalError  # an extra: not there where the database is SQLite

    class Patient(Connection[Any]):
        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            left_s = patience.left_s()
            if left_s is None:
                return super().wait(gen, interval=interval, timeout=timeout)
            end = time.monotonic() + left_s
            try:
                return super().wait(gen, interval=interval, timeout=left_s if timeout is None else min(timeout, left_s))
            except OperationalError:
                if time.monotonic() >= end:
                    self.pgconn.finish()
                raise

    return Patient
