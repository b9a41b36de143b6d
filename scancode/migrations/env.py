"""Alembic's environment: the same migrations run on SQLite and on PostgreSQL, called by ``scancode db upgrade``.

SQLite changes a table by copying it; with foreign keys on, dropping the old copy would delete the children of every
row. So they are off around the migration and checked after it.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from scancode.db import Base
from scancode.migrations import models_loaded


def run(connection: Connection) -> None:
    models_loaded()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
