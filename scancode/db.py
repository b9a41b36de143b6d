"""The database: one engine for SQLite or PostgreSQL, transactions owned by the edge, and the types that tables share.

SQLite runs in WAL mode with foreign keys on; a write transaction begins IMMEDIATE, so it never fails half way for
want of the lock, and commits with synchronous=FULL unless it asked for less. PostgreSQL runs READ COMMITTED: races
are settled by unique keys and guarded UPDATEs, never by isolation.
"""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Dialect,
    Engine,
    Executable,
    Insert,
    MetaData,
    Table,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.types import TypeDecorator

T = TypeVar("T")
_PIPELINE = "scancode.pipeline"

RETRY_STATES = frozenset({"40P01", "40001", "08000", "08003", "08006", "57P01", "57P02", "57P03"})
"""PostgreSQL: deadlock, serialization failure, lost connection, shutdown. Work with a key may simply run again."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC to the microsecond on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the database: pass an aware one")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table. Keys are named by rule, so that migrations can name them too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime()}


# Ids need not be secret, only different: asking the system for each one would give up the interpreter lock every time.
_random = random.Random()
os.register_at_fork(after_in_child=_random.seed)


def new_id(now: datetime) -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds, then random, so keys made later sort later."""
    value = int(now.timestamp() * 1000) << 80 | _random.getrandbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def insert_once(session: Session, table: Table | Any, **values: Any) -> bool:
    """INSERT … ON CONFLICT DO NOTHING. True when this call made the row, False when a unique key was there first."""
    connection = session.connection()
    statement = _insert_once(getattr(table, "__table__", table), connection.dialect.name)
    return connection.execute(statement, values, execution_options={"preserve_rowcount": True}).rowcount == 1


@cache
def _insert_once(table: Table, dialect: str) -> Insert:
    """Made once per table: building the statement would cost more than running it."""
    maker: Callable[[Any], Any] = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement: Insert = maker(table).on_conflict_do_nothing()
    return statement


@contextmanager
def gathering(session: Session, *, commit: bool = False) -> Iterator[None]:
    """What is ``sent`` within it goes to PostgreSQL together, when rows are asked for or at the end; one wait serves
    all. With ``commit`` the transaction ends with it, which saves another wait: nothing may come after. Within another
    one it does nothing.

    Errors come up at the end, or where rows are asked for, as the driver's own. On SQLite nothing is ever waited for.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite" or _PIPELINE in session.info:
        yield
        return
    from scancode.pipeline import Pipeline, Prepared  # psycopg is an extra: not there where the database is SQLite

    driver: Any = connection.connection.driver_connection
    pipeline = session.info[_PIPELINE] = Pipeline(driver, connection.connection.info.setdefault(_PIPELINE, Prepared()))
    try:
        yield
        pipeline.flush(commit=commit)
    finally:
        del session.info[_PIPELINE]


def send(session: Session, text: str, values: Sequence[Any] = ()) -> Callable[[], list[Any]]:
    """Runs a statement in the driver's own words, ``?`` for its places; the answer fetches its rows.

    For groups on hot paths: nothing is converted, so ids come back from SQLite as texts (see ``as_uuid``).
    """
    if _PIPELINE in session.info:
        fetch: Callable[[], list[Any]] = session.info[_PIPELINE].add(_numbered(text), values)
        return fetch
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        result = connection.exec_driver_sql(text, tuple(map(_for_sqlite, values)))
    else:
        result = connection.exec_driver_sql(text.replace("?", "%s"), tuple(values))
    rows = list(result) if result.returns_rows else []
    return lambda: rows


@lru_cache(maxsize=4096)
def _numbered(text: str) -> str:
    """With ``$1``, ``$2`` … as PostgreSQL itself writes them."""
    first, *others = text.split("?")
    return first + "".join(f"${place}{part}" for place, part in enumerate(others, start=1))


def as_uuid(value: Any) -> UUID | None:
    """An id as ``send`` brings it."""
    return UUID(hex=value) if isinstance(value, str) else value


def insert_many(
    session: Session, table: Table | Any, rows: Sequence[Mapping[str, Any]], *, may_exist: bool = False
) -> None:
    """Many rows with the same columns by one ``send``. Column defaults are not filled in.

    One whose key is there fails them all, unless it ``may_exist``: then it stays as it is.
    """
    if rows:
        name = getattr(table, "__table__", table).name
        text = _insert_many(name, tuple(rows[0]), len(rows), may_exist)
        send(session, text, [value for row in rows for value in row.values()])


COPY_FROM = 50
"""From so many rows on a COPY is cheaper than an INSERT with a parameter for each value."""


def insert_bulk(session: Session, table: Table | Any, rows: Sequence[Mapping[str, Any]], *, at_once: int = 500) -> None:
    """``insert_many`` for as many rows as there are: by COPY on PostgreSQL, in pieces on SQLite."""
    driver: Any = session.connection().connection.driver_connection
    if session.connection().dialect.name == "sqlite" or len(rows) < COPY_FROM:
        for start in range(0, len(rows), at_once):
            insert_many(session, table, rows[start : start + at_once])
        return
    name = getattr(table, "__table__", table).name
    names = ", ".join(f'"{column}"' for column in rows[0])
    with driver.cursor() as cursor, cursor.copy(f'COPY "{name}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(tuple(row.values()))


@lru_cache(maxsize=1024)
def _insert_many(table: str, columns: tuple[str, ...], count: int, may_exist: bool) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    row = f"({', '.join(['?'] * len(columns))})"
    text = f'INSERT INTO "{table}" ({names}) VALUES {", ".join([row] * count)}'
    return text + " ON CONFLICT DO NOTHING" if may_exist else text


def _for_sqlite(value: Any) -> Any:
    """As the types of this module and SQLAlchemy's own are kept: ids as 32 hexadecimal digits, moments in UTC."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return value


def affected(session: Session, statement: Executable) -> int:
    """Runs an INSERT, UPDATE or DELETE and returns how many rows it touched: who won a race."""
    result = session.execute(statement, execution_options={"preserve_rowcount": True, "synchronize_session": False})
    return int(result.rowcount)  # type: ignore[attr-defined]


class Database:
    """One process's way to the database. Made lazily: connecting happens on first use, so forking is safe."""

    def __init__(self, url: str, *, busy_s: float = 15.0, pool_size: int = 10) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite and self.url.database and self.url.database != ":memory:":
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        self._busy_s = busy_s
        self._write_turn = threading.RLock() if self.is_sqlite else None
        self.engine = self._sqlite_engine("FULL") if self.is_sqlite else self._postgres_engine(pool_size)
        self._quick_engine = self._sqlite_engine("NORMAL") if self.is_sqlite else self.engine
        self._scan_connection: PoolProxiedConnection | None = None
        self._before_close: list[Callable[[], None]] = []

    def _sqlite_engine(self, synchronous: str) -> Engine:
        # Errors are logged: they must not quote what was to be written.
        connect_args = {"timeout": self._busy_s, "check_same_thread": False}
        engine = create_engine(self.url, connect_args=connect_args, hide_parameters=True)

        @event.listens_for(engine, "connect")
        def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
            connection.isolation_level = None  # BEGIN is ours to say
            for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"synchronous={synchronous}", "temp_store=MEMORY"):
                connection.execute(f"PRAGMA {pragma}").close()

        @event.listens_for(engine, "begin")
        def _begin(connection: Any) -> None:
            mode = "BEGIN" if connection.get_execution_options().get("reading") else "BEGIN IMMEDIATE"
            connection.exec_driver_sql(mode)

        return engine

    def _postgres_engine(self, pool_size: int) -> Engine:
        return create_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=False,
            pool_timeout=10,
            isolation_level="READ COMMITTED",
            hide_parameters=True,
            connect_args={"connect_timeout": 5, "options": "-c timezone=utc -c lock_timeout=10s"},
        )

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Session]:
        """A write transaction: commits at the end, rolls back on any exception.

        What is not ``durable`` survives the death of every process, but on SQLite not a power cut: for scans.
        """
        engine = self.engine if durable else self._quick_engine
        if self._write_turn is not None:
            # Threads of one process take turns here, in order, instead of polling SQLite's lock against each other.
            with self._write_turn, self._open(engine, {}) as session:
                yield session
        else:
            with self._open(engine, {}) as session:
                yield session

    @contextmanager
    def writing_scans(self) -> Iterator[Any]:
        """A driver's own connection, for the one thread that writes scans; it is kept from group to group.

        On PostgreSQL every statement commits by itself, which saves the round trips of BEGIN and COMMIT; on SQLite
        it is one transaction that survives the death of every process. After an error the connection is given up.
        """
        with self._write_turn or nullcontext():
            held = self._scan_connection
            if held is None:
                held = self._scan_connection = self._quick_engine.raw_connection()
            connection: Any = held.driver_connection
            try:
                if self.is_sqlite:
                    connection.execute("BEGIN IMMEDIATE").close()
                else:
                    connection.autocommit = True
                yield connection
                if self.is_sqlite:
                    connection.execute("COMMIT").close()
            except BaseException:
                self._scan_connection = None
                with suppress(Exception):
                    connection.rollback()
                held.invalidate()
                raise

    def is_passing_raw(self, error: Exception) -> bool:
        """``is_passing`` for an error of the driver itself: the database was busy, or is not there."""
        dbapi = self.engine.dialect.loaded_dbapi
        return isinstance(error, (dbapi.OperationalError, dbapi.InterfaceError, DBAPIError))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads; on SQLite it waits for no writer."""
        with self._open(self.engine, {"reading": True}) as session:
            yield session

    @contextmanager
    def _open(self, engine: Engine, options: dict[str, Any]) -> Iterator[Session]:
        with engine.connect().execution_options(**options) as connection, connection.begin():
            session = Session(connection, expire_on_commit=False, join_transaction_mode="rollback_only")
            try:
                yield session
                session.flush()
            finally:
                session.close()

    def retrying(self, work: Callable[[Session], T], *, tries: int = 4) -> T:
        """Runs ``work`` in a write transaction, again after a deadlock or a lost connection.

        The work must carry its own idempotency key: a lost connection may hide a commit.
        """
        for attempt in range(1, tries + 1):
            try:
                with self.transaction() as session:
                    return work(session)
            except DBAPIError as error:
                if attempt == tries or not is_passing(error):
                    raise
                time.sleep(0.02 * 4**attempt)
        raise AssertionError("unreachable")

    def before_close(self, call: Callable[[], None]) -> None:
        """Calls this first when the database is closed: ends a thread that would go on asking it."""
        self._before_close.append(call)

    def close(self) -> None:
        for call in self._before_close:
            call()
        if self._scan_connection is not None:
            self._scan_connection.invalidate()
            self._scan_connection = None
        self.engine.dispose()
        self._quick_engine.dispose()


def is_passing(error: DBAPIError) -> bool:
    """Whether the same work may succeed when it is simply run again."""
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.OperationalError):
        return "locked" in str(error.orig) or "busy" in str(error.orig)
    state = getattr(error.orig, "sqlstate", None)
    return state in RETRY_STATES or (isinstance(error, OperationalError) and state is None)
