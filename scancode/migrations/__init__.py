"""The schema's history, and the three things to do with it: upgrade, compare with the models, name the revision.

Every process asks for the revision when it starts; only upgrading and comparing load alembic, which takes its time.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text

from scancode.db import Base, Database

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER: Final = Path(__file__).parent

FEATURES = (
    "staff", "ledger", "jobs", "catalog", "uploads", "codes", "handover", "members", "packing", "resolver",
    "channels", "scans", "epcis", "campaigns", "payouts", "claims", "complaints",
    "diversion",
)  # fmt: skip


class MigrationBroken(Exception):
    """A migration left rows that point nowhere; it was rolled back."""


def models_loaded() -> None:
    """Imports every feature's models, so that the metadata is complete."""
    for feature in FEATURES:
        importlib.import_module(f"scancode.{feature}.models")


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def revisions() -> list[str]:
    """The names of all migrations, the oldest first: one follows the other, and the file's name begins with it."""
    return sorted(path.name.split("_")[0] for path in (FOLDER / "versions").glob("[0-9]*_*.py"))


def head() -> str:
    return revisions()[-1]


def knows(revision: str) -> bool:
    """Whether this program has the migration of that name."""
    return revision in revisions()


def current(db: Database) -> str | None:
    """The revision that the database is at; None where it has none yet."""
    with db.reading() as session:
        if not inspect(session.connection()).has_table("alembic_version"):
            return None
        found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def upgrade(db: Database, *, revision: str = "head") -> None:
    """Brings the schema up to date, in one transaction. Raises MigrationBroken and changes nothing on a bad row."""
    from alembic import command

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
    from alembic import command

    command.upgrade(_config(connection), revision)


def differences(db: Database) -> list[str]:
    """What the models say that the database does not, or the other way round; empty when they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    models_loaded()
    with db.reading() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        return [str(item) for item in compare_metadata(context, Base.metadata)]


def make(db: Database, message: str, number: str) -> None:
    """For developers: writes the next migration from the difference between models and database."""
    from alembic import command

    with db.engine.connect() as connection, connection.begin():
        command.revision(_config(connection), message=message, autogenerate=True, rev_id=number)
