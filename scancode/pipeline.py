"""Several statements, one wait: PostgreSQL's pipeline mode for the one connection of a transaction.

psycopg's own pipeline asks the socket before every statement, which gives up the interpreter's lock each time; under
many threads that turn is what a statement costs. Here statements are put together in memory, sent at once and waited
for once. Texts that come again are prepared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection, errors, generators
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

PREPARE_AFTER = 3
"""A text is prepared when it is sent for so many times on a connection."""
PREPARED_MAX = 250
COUNTED_MAX = 5000
_BEGIN = b"BEGIN ISOLATION LEVEL READ COMMITTED"


_Key = tuple[bytes, tuple[int, ...]]
"""A text and the types of its values."""


class _Statement(NamedTuple):
    text: bytes
    values: Sequence[Any]
    types: tuple[int, ...]
    formats: Sequence[Any]
    rows: list[tuple[Any, ...]]


class _Preparing(NamedTuple):
    key: _Key
    name: bytes


class Prepared:
    """What one connection has met: how often each text, and the names of those that the server has prepared."""

    def __init__(self) -> None:
        self.names: dict[_Key, bytes] = {}
        self._seen: dict[_Key, int] = {}
        self._given = 0

    def name_for(self, key: _Key) -> bytes | None:
        """A name that was never given, when it is time to prepare this text."""
        if len(self.names) >= PREPARED_MAX:
            return None
        if len(self._seen) >= COUNTED_MAX:
            self._seen.clear()
        count = self._seen[key] = self._seen.get(key, 0) + 1
        if count < PREPARE_AFTER:
            return None
        self._given += 1
        return b"_sc_%d" % self._given


class Pipeline:
    """Statements that wait to be sent on a connection. Not for use by several threads at once."""

    def __init__(self, connection: Connection[Any], prepared: Prepared) -> None:
        self._connection = connection
        self._prepared = prepared
        self._waiting: list[_Statement] = []

    def add(self, text: str, values: Sequence[Any]) -> Callable[[], list[tuple[Any, ...]]]:
        """``text`` with ``$1``, ``$2`` … for its places. The answer sends all that waits, and fetches the rows."""
        transformer = Transformer(self._connection)
        plain = [value.hex if type(value) is UUID else value for value in values]  # cheaper than the driver
        dumped = transformer.dump_sequence(plain, [PyFormat.AUTO] * len(plain)) if plain else ()
        statement = _Statement(text.encode(), dumped, transformer.types or (), transformer.formats or (), [])
        self._waiting.append(statement)

        def fetch() -> list[tuple[Any, ...]]:
            if statement in self._waiting:
                self.flush()
            return statement.rows

        return fetch

    def flush(self, *, commit: bool = False) -> None:
        """Sends what waits and has its answers, in a transaction that is begun where none is under way.

        With ``commit`` it is ended too, if all went well. Raises the first error, as the driver's own.
        """
        statements, self._waiting = self._waiting, []
        pgconn = self._connection.pgconn
        if not statements:
            if commit:
                self._connection.commit()
            return
        with self._connection.lock:
            is_idle = pgconn.transaction_status == TransactionStatus.IDLE
            pgconn.enter_pipeline_mode()
            try:
                kept: list[_Statement | _Preparing | None] = []
                if is_idle:
                    pgconn.send_query_params(_BEGIN, None)
                    kept.append(None)
                for statement in statements:
                    self._send(statement, kept)
                if commit:
                    pgconn.send_query_params(b"COMMIT", None)
                    kept.append(None)
                pgconn.pipeline_sync()
                results = self._connection.wait(_answers(pgconn, len(kept)))
            finally:
                self._leave()
        self._read(kept, results)

    def _send(self, statement: _Statement, kept: list[_Statement | _Preparing | None]) -> None:
        pgconn, key = self._connection.pgconn, (statement.text, statement.types)
        name = self._prepared.names.get(key)
        if name is None and (name := self._prepared.name_for(key)):
            pgconn.send_prepare(name, statement.text, statement.types)
            kept.append(_Preparing(key, name))
        if name is None:
            pgconn.send_query_params(statement.text, statement.values, statement.types, statement.formats)
        else:
            pgconn.send_query_prepared(name, statement.values, statement.formats)
        kept.append(statement)

    def _leave(self) -> None:
        try:
            self._connection.pgconn.exit_pipeline_mode()
        except errors.OperationalError:  # answers are still on their way: nobody can use this connection any more
            self._connection.close()

    def _read(self, kept: list[_Statement | _Preparing | None], results: list[list[PGresult]]) -> None:
        for sent, answers in zip(kept, results, strict=False):
            for result in answers:
                if result.status == ExecStatus.FATAL_ERROR:
                    raise errors.error_from_result(result)
                if isinstance(sent, _Preparing) and result.status == ExecStatus.COMMAND_OK:
                    self._prepared.names[sent.key] = sent.name  # it stays, also when the transaction does not
                if isinstance(sent, _Statement) and result.status == ExecStatus.TUPLES_OK:
                    transformer = Transformer(self._connection)
                    transformer.set_pgresult(result)
                    sent.rows[:] = transformer.load_rows(0, result.ntuples, tuple)


def _answers(pgconn: Any, count: int) -> PQGen[list[list[PGresult]]]:
    """The results of so many commands, and of the sync after them."""
    yield from generators.send(pgconn)
    found = []
    for _ in range(count + 1):
        found.append((yield from generators.fetch_many(pgconn)))
    return found
