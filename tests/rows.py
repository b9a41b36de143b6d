"""Rows in every table, put there by plain INSERTs of what the columns ask for: for tests of migrations and backups,
which must keep rows whatever they mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Integer, Table

from scancode.db import Database

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS_EACH = 2


def reflect(connection: sa.Connection) -> list[Table]:
    """The tables as the database has them, parents first."""
    found = sa.MetaData()
    found.reflect(bind=connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def populate(db: Database) -> dict[str, int]:
    """Some rows in every table, parents first; a reference takes the parent's row of the same number."""
    kept: dict[str, list[dict[str, Any]]] = {}
    with db.transaction() as session:
        tables = reflect(session.connection())
        for table in tables:
            rows = [_row(table, number, kept) for number in range(1, ROWS_EACH + 1)]
            if table.name in {"audit_head", "revision"}:
                session.execute(sa.delete(table))
                rows = rows[:1]
            session.execute(sa.insert(table), rows)
            kept[table.name] = rows
    return {table.name: len(kept[table.name]) for table in tables}


def _row(table: Table, number: int, kept: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column in table.columns:
        for key in column.foreign_keys:
            target = key.column
            rows = kept.get(target.table.name)
            values[column.name] = rows[number - 1][target.name] if rows else None  # a table may point at itself
            break
        else:
            values[column.name] = _value(table, column, number)
    return values


def _value(table: Table, column: sa.Column[Any], number: int) -> Any:
    """A value that the column's type and the tables' checks take; ``number`` makes it differ from row to row."""
    fitting = {
        "first": number * 10,
        "last": number * 10 + 9,
        "count": number,
        "amount_fen": 100 + number,
        "balance": number,
    }
    kind = column.type
    if column.name in fitting:
        return fitting[column.name]
    if isinstance(kind, sa.Uuid) or str(kind).startswith(("CHAR(32)", "UUID")):
        value = UUID(int=(sum(map(ord, table.name + column.name)) << 32) + number)
        return value if isinstance(kind, sa.Uuid) else value.hex
    if isinstance(kind, sa.Boolean):
        return number % 2 == 0
    if isinstance(kind, Integer):
        return number
    if isinstance(kind, sa.DateTime):
        moment = START + timedelta(days=number)
        return moment if kind.timezone else moment.replace(tzinfo=None)
    if isinstance(kind, sa.LargeBinary):
        return bytes(16)
    text = f"{number}-{column.name}"
    return text[: kind.length] if isinstance(kind, sa.String) and kind.length else text


def counts(db: Database) -> dict[str, int]:
    with db.reading() as session:
        return {
            table.name: session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in reflect(session.connection())
        }


def contents(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in the order of its text."""
    with db.reading() as session:
        return {
            table.name: sorted((tuple(row) for row in session.execute(sa.select(table))), key=str)
            for table in reflect(session.connection())
        }
