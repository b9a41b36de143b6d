"""How a connection is made and a transaction begins, on either database."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event


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
    """READ COMMITTED, times in UTC, and no wait for a lock longer than ten seconds."""
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=False,
        pool_timeout=10,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        connect_args={"connect_timeout": 5, "options": "-c timezone=utc -c lock_timeout=10s"},
    )
