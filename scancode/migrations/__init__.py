"""The schema's history, and the three things to do with it: upgrade, compare with the models, name the revision."""

from __future__ import annotations

import importlib
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from scancode.db import Base, Database

FEATURES = (
    "staff", "ledger", "jobs", "catalog", "uploads", "codes", "handover", "members", "packing", "resolver",
    "channels", "scans", "epcis", "campaigns", "payouts", "claims",
)  # fmt: skip


class MigrationBroken(Exception):
    """A migration left rows that point nowhere; it was rolled back."""


def models_loaded() -> None:
    """Imports every feature's models, so that the metadata is complete."""
    for feature in FEATURES:
        importlib.import_module(f"scancode.{feature}.models")


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def head() -> str:
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def knows(revision: str) -> bool:
    """Whether this program has the migration of that name."""
    return any(script.revision == revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def current(db: Database) -> str | None:
    with db.reading() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def upgrade(db: Database, *, revision: str = "head") -> None:
    """Brings the schema up to date, in one transaction. Raises MigrationBroken and changes nothing on a bad row."""
    with db.engine.connect() as connection:
        if db.is_sqlite:
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                command.upgrade(_config(connection), revision)
                if db.is_sqlite and connection.execute(text("PRAGMA foreign_key_check")).first():
                    raise MigrationBroken("rows without their parent after the migration; nothing was changed")
        finally:
            if db.is_sqlite:
                connection.connection.cursor().execute("PRAGMA foreign_keys=ON")


def upgrade_within(connection: Connection, *, revision: str) -> None:
    """Upgrades within the caller's transaction (PostgreSQL only: its schema changes roll back like any other)."""
    command.upgrade(_config(connection), revision)


def differences(db: Database) -> list[str]:
    """What the models say that the database does not, or the other way round; empty when they agree."""
    models_loaded()
    with db.reading() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        return [str(item) for item in compare_metadata(context, Base.metadata)]


def make(db: Database, message: str, number: str) -> None:
    """For developers: writes the next migration from the difference between models and database."""
    with db.engine.connect() as connection, connection.begin():
        command.revision(_config(connection), message=message, autogenerate=True, rev_id=number)
