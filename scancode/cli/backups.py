"""Backups of the whole database in one file, on SQLite and PostgreSQL, and what must happen after a restore.

The file is a ZIP: ``manifest.json`` (format, kind of database, schema revision, moment, rows and SHA-256 of each
member) and the contents: the SQLite file as its online backup makes it, or one COPY text per PostgreSQL table, all
read in one snapshot. Secrets and packs are not in it: secrets live elsewhere, packs can be minted again.

A restored database knows nothing of what was claimed and paid after the backup. So a restore stops claims and payouts
until ``scancode reconcile`` has compared the books with the payment provider's. The stops are written before the
restored database is anybody's: whatever kills a restore, none that pays is left behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import inspect, text

from scancode import migrations
from scancode.db import Base, Database
from scancode.errors import Refusal
from scancode.i18n import N_
from scancode.jobs import service as jobs
from scancode.staff import service as staff

FORMAT = "scancode-backup-1"
CHUNK = 1 << 20
STOPPED = ("claims", "payouts")
STOP = """
INSERT INTO stops (name, reason, since) VALUES (:name, :reason, :since)
ON CONFLICT (name) DO UPDATE SET reason = excluded.reason, since = excluded.since
"""
Progress = Callable[[str, int, int], None]
"""Called with the name of a table or file, and how many of how many are done."""


class BackupBroken(Refusal):
    code = "backup_broken"
    text = N_("This backup file is damaged or incomplete ({problem}). Nothing was changed; use another copy.")


class BackupForeign(Refusal):
    code = "backup_foreign"
    text = N_("This backup was made from {backup_kind}; the database here is {kind}. Restore it to the same kind.")


class BackupNewer(Refusal):
    code = "backup_newer"
    text = N_("This backup is of schema {revision}, which this program does not know. Update the program first.")


class TargetInUse(Refusal):
    code = "restore_target_in_use"
    text = N_("The database already holds rows. Restoring replaces all of them: say --replace if you mean it.")


class NoRoom(Refusal):
    code = "no_room"
    text = N_("There is not enough room on the disk: {needed_mb} MB are needed, {free_mb} MB are free.")


def make(db: Database, path: Path, *, now: datetime, progress: Progress) -> dict[str, Any]:
    """Writes a backup of ``db`` to ``path`` while the service goes on; returns the manifest.

    The file appears under its name only when it is whole. Raises NoRoom; OSError as the disk does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=6, allowZip64=True) as archive:
            members = (_dump_sqlite if db.is_sqlite else _dump_postgres)(db, archive, progress)
            manifest = {
                "format": FORMAT,
                "kind": "sqlite" if db.is_sqlite else "postgresql",
                "revision": migrations.current(db),
                "made_at": now.isoformat(),
                "members": members,
            }
            archive.writestr("manifest.json", json.dumps(manifest, indent=1))
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _dump_sqlite(db: Database, archive: zipfile.ZipFile, progress: Progress) -> dict[str, Any]:
    source_path = Path(str(db.url.database))
    _require_room(source_path.parent, source_path.stat().st_size)
    with tempfile.TemporaryDirectory(dir=source_path.parent) as folder:
        copy = Path(folder) / "database.sqlite"
        with closing(sqlite3.connect(source_path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target, pages=4096, progress=lambda _, left, total: progress("database", total - left, total))
            rows = {
                table.name: target.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0] for table in _tables()
            }
        with copy.open("rb") as file:
            member = _store(archive, "database.sqlite", file)
    return {"database.sqlite": {**member, "tables": rows}}


def _dump_postgres(db: Database, archive: zipfile.ZipFile, progress: Progress) -> dict[str, Any]:
    members: dict[str, Any] = {}
    tables = _tables()
    with db.engine.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            connection.execute(text("SET TRANSACTION READ ONLY"))
            raw: Any = connection.connection.driver_connection
            for done, table in enumerate(tables):
                progress(table.name, done, len(tables))
                columns = ", ".join(f'"{column.name}"' for column in table.columns)
                rows = connection.execute(text(f"SELECT count(*) FROM {table.name}")).scalar_one()
                digest = hashlib.sha256()
                with (
                    archive.open(f"{table.name}.copy", "w", force_zip64=True) as target,
                    raw.cursor() as cursor,
                    cursor.copy(f"COPY {table.name} ({columns}) TO STDOUT") as copy,
                ):
                    for block in copy:
                        digest.update(block)
                        target.write(block)
                members[f"{table.name}.copy"] = {
                    "sha256": digest.hexdigest(),
                    "rows": rows,
                    "columns": [column.name for column in table.columns],
                }
            progress("", len(tables), len(tables))
    return members


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a backup, every member checked against its hash. Raises BackupBroken."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
            if manifest.get("format") != FORMAT:
                raise BackupBroken(problem=f"format {manifest.get('format')}")
            for name, member in manifest["members"].items():
                digest = hashlib.sha256()
                with archive.open(name) as file:
                    for block in iter(lambda: file.read(CHUNK), b""):
                        digest.update(block)
                if digest.hexdigest() != member["sha256"]:
                    raise BackupBroken(problem=f"{name} differs from its hash")
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, OSError, EOFError, RuntimeError) as error:
        raise BackupBroken(problem=type(error).__name__) from error
    return manifest


def restore(db: Database, path: Path, *, replace: bool, now: datetime, progress: Progress) -> dict[str, Any]:
    """Replaces the database by a backup, brings it up to date and stops claims and payouts; returns the manifest.

    Stop web and worker first. Raises BackupBroken, BackupForeign, BackupNewer, TargetInUse or NoRoom, having changed
    nothing.
    """
    manifest = read_manifest(path)
    kind = "sqlite" if db.is_sqlite else "postgresql"
    if manifest["kind"] != kind:
        raise BackupForeign(backup_kind=manifest["kind"], kind=kind)
    if not migrations.knows(manifest["revision"]):
        raise BackupNewer(revision=manifest["revision"])
    if not replace and _holds_rows(db):
        raise TargetInUse
    with zipfile.ZipFile(path) as archive:
        (_load_sqlite if db.is_sqlite else _load_postgres)(db, archive, manifest, now, progress)
    migrations.upgrade(db)
    with db.transaction() as session:
        for name in STOPPED:  # stopped by now, unless the backup's schema is older than stops
            jobs.stop(session, name=name, reason=_reason(manifest), now=now)
        staff.audit(
            session,
            actor="cli",
            brand_id=None,
            action="database.restore",
            subject=path.name[:80],
            facts={"made_at": manifest["made_at"], "revision": manifest["revision"]},
            now=now,
        )
    return manifest


def _reason(manifest: dict[str, Any]) -> str:
    return f"restored from the backup of {manifest['made_at']}"


def _load_sqlite(
    db: Database, archive: zipfile.ZipFile, manifest: dict[str, Any], now: datetime, progress: Progress
) -> None:
    target = Path(str(db.url.database))
    _require_room(target.parent, archive.getinfo("database.sqlite").file_size)
    fresh = target.with_name(target.name + ".restoring")
    for suffix in ("-wal", "-shm"):  # of a restore that was killed
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    with archive.open("database.sqlite") as source, fresh.open("wb") as file:
        shutil.copyfileobj(source, file, CHUNK)
        file.flush()
        os.fsync(file.fileno())
    with closing(sqlite3.connect(fresh)) as restored:
        if restored.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            fresh.unlink()
            raise BackupBroken(problem="integrity_check")
        if restored.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'stops'").fetchone():
            since = f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"  # as the column's type writes it
            stops = [{"name": name, "reason": _reason(manifest), "since": since} for name in STOPPED]
            with restored:
                restored.executemany(STOP, stops)
    db.close()
    with _alone(target):
        for suffix in ("-wal", "-shm"):
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        fresh.replace(target)
    progress("database", 1, 1)


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Nobody else writes to the file that is about to be replaced."""
    if not target.exists():
        yield
        return
    with closing(sqlite3.connect(target, timeout=5, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("ROLLBACK")
    yield


def _load_postgres(
    db: Database, archive: zipfile.ZipFile, manifest: dict[str, Any], now: datetime, progress: Progress
) -> None:
    """All in one transaction, from an empty schema of the backup's own revision: it is all there, or nothing is."""
    known = {table.name: table for table in _tables()}
    names = [name.removesuffix(".copy") for name in manifest["members"]]
    with db.engine.connect() as connection, connection.begin():
        for name in [*known, "alembic_version"]:
            connection.execute(text(f'DROP TABLE IF EXISTS "{name}" CASCADE'))
        migrations.upgrade_within(connection, revision=manifest["revision"])
        raw: Any = connection.connection.driver_connection
        order = [name for name in known if name in names] + [name for name in names if name not in known]
        for done, name in enumerate(order):
            progress(name, done, len(order))
            member = manifest["members"][f"{name}.copy"]
            columns = ", ".join(f'"{column}"' for column in member["columns"])
            with (
                archive.open(f"{name}.copy") as source,
                raw.cursor() as cursor,
                cursor.copy(f'COPY "{name}" ({columns}) FROM STDIN') as copy,
            ):
                for block in iter(lambda source=source: source.read(CHUNK), b""):  # type: ignore[misc]
                    copy.write(block)
            loaded = connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()
            if loaded != member["rows"]:
                raise BackupBroken(problem=f"{name}: {loaded} rows instead of {member['rows']}")
        if inspect(connection).has_table("stops"):
            stops = [{"name": name, "reason": _reason(manifest), "since": now} for name in STOPPED]
            connection.execute(text(STOP), stops)
    progress("", len(order), len(order))


def _tables() -> list[Any]:
    migrations.models_loaded()
    return list(Base.metadata.sorted_tables)


def _holds_rows(db: Database) -> bool:
    if migrations.current(db) is None:
        return False
    with db.reading() as session:
        return session.execute(text("SELECT 1 FROM staff LIMIT 1")).first() is not None or (
            session.execute(text("SELECT 1 FROM batches LIMIT 1")).first() is not None
        )


def _store(archive: zipfile.ZipFile, name: str, file: IO[bytes]) -> dict[str, Any]:
    digest = hashlib.sha256()
    with archive.open(name, "w", force_zip64=True) as target:
        for block in iter(lambda: file.read(CHUNK), b""):
            digest.update(block)
            target.write(block)
    return {"sha256": digest.hexdigest()}


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed * 1.2 + 50_000_000:
        raise NoRoom(needed_mb=int(needed * 1.2 / 1e6) + 50, free_mb=int(free / 1e6))
