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
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Dialect,
    Engine,
    Executable,
    Insert,
    MetaData,
    Table,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.types import TypeDecorator

from scancode import engines, patience

if TYPE_CHECKING:
    from scancode.pipeline import Pipeline

T = TypeVar("T")
_PIPELINE = "scancode.pipeline"
KEPT_MAX = 2
"""Connections for groups that a process keeps: claims and scans have one thread each."""

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


def made_at(id_: UUID) -> datetime:
    """When ``new_id`` made this id, to the millisecond."""
    return datetime.fromtimestamp((id_.int >> 80) / 1000, UTC)


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


class Group:
    """The statements of one transaction on a driver's connection, where a session's machinery would cost more than the
    database does: see ``Database.group``.

    On PostgreSQL what is sent waits until rows are asked for, or for the end, and then goes together; errors come up
    there, as the driver's own. On SQLite, where nothing is ever waited for, each statement runs at once.
    """

    def __init__(self, connection: Any, pipeline: Pipeline | None) -> None:
        self._connection = connection
        self._pipeline = pipeline

    @property
    def is_sqlite(self) -> bool:
        return self._pipeline is None

    def send(self, text: str, values: Sequence[Any]) -> Callable[[], list[Any]]:
        if self._pipeline is not None:
            return self._pipeline.add(_numbered(text), values)
        rows = self._connection.execute(text, tuple(map(_for_sqlite, values))).fetchall()
        return lambda: rows

    def commit(self) -> None:
        """With the last statements, which saves a wait: nothing may come after."""
        if self._pipeline is not None:
            self._pipeline.flush(commit=True)
        else:
            self._connection.execute("COMMIT").close()


Sender = Session | Group
"""What a hot path writes with: a group of its own, or whatever transaction the caller has."""


def send(sender: Sender, text: str, values: Sequence[Any] = ()) -> Callable[[], list[Any]]:
    """Runs a statement in the driver's own words, ``?`` for its places; the answer fetches its rows.

    For hot paths: nothing is converted, so ids come back from SQLite as texts (see ``as_uuid``, ``as_moment``).
    """
    if isinstance(sender, Group):
        return sender.send(text, values)
    connection = sender.connection()
    if connection.dialect.name == "sqlite":
        result = connection.exec_driver_sql(text, tuple(map(_for_sqlite, values)))
    else:
        result = connection.exec_driver_sql(text.replace("?", "%s"), tuple(values))
    rows = list(result) if result.returns_rows else []
    return lambda: rows


def is_sqlite(sender: Sender) -> bool:
    return sender.is_sqlite if isinstance(sender, Group) else sender.connection().dialect.name == "sqlite"


@lru_cache(maxsize=4096)
def _numbered(text: str) -> str:
    """With ``$1``, ``$2`` … as PostgreSQL itself writes them."""
    first, *others = text.split("?")
    return first + "".join(f"${place}{part}" for place, part in enumerate(others, start=1))


def as_uuid(value: Any) -> Any:
    """An id, or None, as ``send`` brings it."""
    return UUID(hex=value) if isinstance(value, str) else value


def as_moment(value: Any) -> Any:
    """A moment, or None, as ``send`` brings it."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value


def insert_many(
    sender: Sender, table: Table | Any, rows: Sequence[Mapping[str, Any]], *, may_exist: bool = False
) -> None:
    """Many rows with the same columns by one ``send``. Column defaults are not filled in.

    One whose key is there fails them all, unless it ``may_exist``: then it stays as it is.
    """
    if rows:
        name = getattr(table, "__table__", table).name
        text = _insert_many(name, tuple(rows[0]), len(rows), may_exist)
        send(sender, text, [value for row in rows for value in row.values()])


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
        self._kept: dict[bool, list[PoolProxiedConnection]] = {True: [], False: []}
        self._before_close: list[Callable[[], None]] = []

    def _sqlite_engine(self, synchronous: str) -> Engine:
        return engines.sqlite(self.url, synchronous, busy_s=self._busy_s)

    def _postgres_engine(self, pool_size: int) -> Engine:
        return engines.postgresql(self.url, pool_size)

    @contextmanager
    def transaction(self, *, durable: bool = True, within_s: float | None = None) -> Iterator[Session]:
        """A write transaction: commits at the end, rolls back on any exception.

        What is not ``durable`` survives the death of every process, but on SQLite not a power cut: for scans. With
        ``within_s`` it gives up when a lock takes longer, for callers who cannot wait: raises DBAPIError or
        PoolTimeout.
        """
        engine = self.engine if durable else self._quick_engine
        if self._write_turn is None:
            with self._open(engine, {}) as session:
                if within_s is not None:
                    session.connection().exec_driver_sql(f"SET LOCAL lock_timeout = {int(within_s * 1000)}")
                yield session
            return
        # Threads of one process take turns here, in order, instead of polling SQLite's lock against each other.
        if not self._write_turn.acquire(timeout=-1 if within_s is None else within_s):
            raise PoolTimeout
        try:
            with self._open(engine, {} if within_s is None else {"within_s": within_s}) as session:
                yield session
        finally:
            self._write_turn.release()

    @contextmanager
    def group(self, *, durable: bool = True) -> Iterator[Group]:
        """A write transaction for ``send`` alone, on a connection that is kept from group to group.

        It commits with the last statements and rolls back on any exception. ``durable`` as for ``transaction``.
        """
        kept = self._kept[durable]
        with self._write_turn or nullcontext():
            held = kept.pop() if kept else (self.engine if durable else self._quick_engine).raw_connection()
            connection: Any = held.driver_connection
            try:
                group = Group(connection, None if self.is_sqlite else _pipeline_of(held))
                if self.is_sqlite:
                    connection.execute("BEGIN IMMEDIATE").close()
                yield group
                group.commit()
            except BaseException:
                try:
                    connection.rollback()
                except Exception:
                    held.invalidate()
                else:
                    self._keep(kept, held)
                raise
            self._keep(kept, held)

    def _keep(self, kept: list[PoolProxiedConnection], held: PoolProxiedConnection) -> None:
        """For the next group, unless it is dead or there are enough of them."""
        if getattr(held.driver_connection, "closed", False):
            held.invalidate()
        elif len(kept) < KEPT_MAX:
            kept.append(held)
        else:
            held.close()

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
        """Runs ``work`` in a write transaction, again after a deadlock or a lost connection, while patience lasts.

        The work must carry its own idempotency key: a lost connection may hide a commit.
        """
        for attempt in range(1, tries + 1):
            try:
                with self.transaction() as session:
                    return work(session)
            except DBAPIError as error:
                if attempt == tries or not is_passing(error) or patience.is_over():
                    raise
                time.sleep(0.02 * 4**attempt)
        raise AssertionError("unreachable")

    def before_close(self, call: Callable[[], None]) -> None:
        """Calls this first when the database is closed: ends a thread that would go on asking it."""
        self._before_close.append(call)

    def close(self) -> None:
        for call in self._before_close:
            call()
        for kept in self._kept.values():
            while kept:
                kept.pop().invalidate()
        self._disconnect()

    def _disconnect(self) -> None:
        self.engine.dispose()
        self._quick_engine.dispose()


def _pipeline_of(held: PoolProxiedConnection) -> Pipeline:
    from scancode.pipeline import Pipeline, Prepared  # psycopg is an extra: not there where the database is SQLite

    connection: Any = held.driver_connection
    return Pipeline(connection, held.info.setdefault(_PIPELINE, Prepared()))


def is_passing(error: DBAPIError) -> bool:
    """Whether the same work may succeed when it is simply run again."""
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.OperationalError):
        return "locked" in str(error.orig) or "busy" in str(error.orig)
    state = getattr(error.orig, "sqlstate", None)
    return state in RETRY_STATES or (isinstance(error, OperationalError) and state is None)
