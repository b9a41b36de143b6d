"""Backups hold every row and come back as they were, or are refused; a restore stops money."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from scancode import config, migrations
from scancode.claims.models import Claim
from scancode.cli import backups
from scancode.db import Base, Database
from scancode.jobs import service as jobs
from scancode.scans.models import ScanMiss
from scancode.staff import service as staff
from tests import postgres
from tests.cli.conftest import Run
from tests.rows import contents, populate
from tests.servers import ROOT, environment

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
AFTER_RESTORE = {"audit_rows", "audit_head", "stops"}
"""What a restore itself adds to."""


def silent(_name: str, _done: int, _total: int) -> None:
    return None


@pytest.fixture
def full(db: Database) -> Database:
    """Rows in every table, and an audit chain that is a real one."""
    populate(db)
    with db.transaction() as session:
        for name in ("audit_rows", "audit_head", "stops"):
            session.execute(sa.delete(Base.metadata.tables[name]))
        note(session, "test.before")
    return db


@pytest.fixture
def elsewhere(db: Database, tmp_path: Path, worker_id: str) -> Iterator[Database]:
    """An empty database of the same kind, as after the loss of a machine."""
    if db.is_sqlite:
        other = Database(f"sqlite:///{tmp_path / 'elsewhere.sqlite'}")
        yield other
        other.close()
        return
    with postgres.fresh_database(f"scancode_elsewhere_{worker_id}") as url:
        other = Database(url)
        yield other
        other.close()


def note(session: sa.orm.Session, action: str) -> None:
    staff.audit(session, actor="test", brand_id=None, action=action, subject="x", facts={}, now=NOW)


def the_same(before: dict[str, list[tuple[object, ...]]], after: dict[str, list[tuple[object, ...]]]) -> bool:
    return {name: rows for name, rows in before.items() if name not in AFTER_RESTORE} == {
        name: rows for name, rows in after.items() if name not in AFTER_RESTORE
    }


def test_it_brings_every_row_back(full: Database, tmp_path: Path) -> None:
    before = contents(full)
    assert all(before[table.name] for table in Base.metadata.sorted_tables if table.name != "stops")
    backups.make(full, tmp_path / "b.zip", now=NOW, progress=silent)
    with full.transaction() as session:
        session.execute(sa.delete(Claim))
        session.execute(sa.update(ScanMiss).values(count=999))
    assert not the_same(before, contents(full))
    backups.restore(full, tmp_path / "b.zip", replace=True, now=NOW, progress=silent)
    assert the_same(before, contents(full))
    assert migrations.differences(full) == []


def test_it_comes_back_on_an_empty_machine(full: Database, elsewhere: Database, tmp_path: Path) -> None:
    backups.make(full, tmp_path / "b.zip", now=NOW, progress=silent)
    backups.restore(elsewhere, tmp_path / "b.zip", replace=False, now=NOW, progress=silent)
    assert the_same(contents(full), contents(elsewhere))
    assert migrations.current(elsewhere) == migrations.head()


def test_a_restore_stops_claims_and_payouts_and_is_in_the_audit_record(full: Database, tmp_path: Path) -> None:
    backups.make(full, tmp_path / "b.zip", now=NOW, progress=silent)
    backups.restore(full, tmp_path / "b.zip", replace=True, now=NOW, progress=silent)
    with full.reading() as session:
        assert jobs.is_stopped(session, "claims")
        assert jobs.is_stopped(session, "payouts")
        rows = staff.list_audit(session, brand_id=None, chosen=staff.AuditFilter(), limit=10)
        assert [row.action for row in rows] == ["database.restore", "test.before"]
        assert json.loads(rows[0].facts)["made_at"] == NOW.isoformat()
        assert staff.verify_chain(session).is_whole


class Killed(Exception):
    """Stands for the end of the process."""


def test_a_restore_that_is_killed_once_the_database_is_replaced_has_stopped_money(
    full: Database, tmp_path: Path
) -> None:
    with full.transaction() as session:
        jobs.stop(session, name="payouts", reason="an older stop", now=NOW - timedelta(days=1))
    backups.make(full, tmp_path / "b.zip", now=NOW, progress=silent)
    with full.transaction() as session:
        session.execute(sa.delete(Claim))
        session.execute(sa.delete(Base.metadata.tables["stops"]))

    def die_when_it_is_live(_name: str, done: int, total: int) -> None:
        if done == total:
            raise Killed

    with pytest.raises(Killed):
        backups.restore(full, tmp_path / "b.zip", replace=True, now=LATER, progress=die_when_it_is_live)
    with full.reading() as session:
        assert session.scalars(sa.select(Claim.code_id)).all()  # it is the restored one
        stops = [(stop.name, stop.reason, stop.since) for stop in jobs.list_stops(session)]
        assert staff.list_audit(session, brand_id=None, chosen=staff.AuditFilter(), limit=1)[0].action == "test.before"
    reason = f"restored from the backup of {NOW.isoformat()}"
    assert stops == [("claims", reason, LATER), ("payouts", reason, LATER)]
    assert not list(tmp_path.glob("*.restoring*"))


def test_the_manifest_counts_every_table(full: Database, tmp_path: Path) -> None:
    manifest = backups.make(full, tmp_path / "b.zip", now=NOW, progress=silent)
    assert backups.read_manifest(tmp_path / "b.zip") == manifest
    member = manifest["members"]
    counted = (
        member["database.sqlite"]["tables"]
        if full.is_sqlite
        else {name.removesuffix(".copy"): one["rows"] for name, one in member.items()}
    )
    assert counted == {name: len(rows) for name, rows in contents(full).items()}


@pytest.mark.parametrize("damage", ["middle", "end", "nothing", "manifest"])
def test_a_damaged_file_is_refused_and_nothing_changes(full: Database, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "b.zip"
    backups.make(full, path, now=NOW, progress=silent)
    content = bytearray(path.read_bytes())
    if damage == "middle":
        for place in range(len(content) // 3, len(content) // 3 + 200):  # more than the header of a member
            content[place] ^= 0xFF
    elif damage == "end":
        del content[-400:]
    elif damage == "nothing":
        content = bytearray(b"no zip at all")
    path.write_bytes(bytes(content))
    if damage == "manifest":
        _rewrite(path, "members", {})
        _rewrite(path, "format", "another")
    before = contents(full)
    with pytest.raises(backups.BackupBroken):
        backups.restore(full, path, replace=True, now=NOW, progress=silent)
    assert contents(full) == before


def test_a_member_that_is_missing_is_noticed(full: Database, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    backups.make(full, path, now=NOW, progress=silent)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        kept = {name: archive.read(name) for name in names if name != names[0]}
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in kept.items():
            archive.writestr(name, body)
    with pytest.raises(backups.BackupBroken):
        backups.restore(full, path, replace=True, now=NOW, progress=silent)


def test_the_other_kind_of_database_is_refused(full: Database, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    backups.make(full, path, now=NOW, progress=silent)
    _rewrite(path, "kind", "postgresql" if full.is_sqlite else "sqlite")
    before = contents(full)
    with pytest.raises(backups.BackupForeign):
        backups.restore(full, path, replace=True, now=NOW, progress=silent)
    assert contents(full) == before


def test_a_backup_of_a_newer_program_is_refused(full: Database, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    backups.make(full, path, now=NOW, progress=silent)
    _rewrite(path, "revision", "9999")
    before = contents(full)
    with pytest.raises(backups.BackupNewer):
        backups.restore(full, path, replace=True, now=NOW, progress=silent)
    assert contents(full) == before


def test_a_database_with_rows_is_not_replaced_unless_said(full: Database, tmp_path: Path) -> None:
    backups.make(full, tmp_path / "b.zip", now=NOW, progress=silent)
    before = contents(full)
    with pytest.raises(backups.TargetInUse):
        backups.restore(full, tmp_path / "b.zip", replace=False, now=NOW, progress=silent)
    assert contents(full) == before


def test_it_is_of_one_moment_while_others_write(full: Database, tmp_path: Path) -> None:
    """Rows that are written while the tables are read one after another are in none of them."""
    written: list[str] = []

    def write_more(name: str, done: int, _total: int) -> None:
        if full.is_sqlite or written or not done:
            return
        written.append(name)
        with full.transaction() as session:
            session.add(ScanMiss(day="2026-12-31", verdict="forged", count=1))
            session.execute(sa.delete(Claim))

    before = contents(full)
    backups.make(full, tmp_path / "b.zip", now=NOW, progress=write_more)
    assert full.is_sqlite or written
    backups.restore(full, tmp_path / "b.zip", replace=True, now=NOW, progress=silent)
    assert the_same(before, contents(full))


def test_a_killed_backup_leaves_no_half_file_under_its_name(
    full: Database, settings: config.Settings, tmp_path: Path
) -> None:
    path = tmp_path / "killed.zip"
    script = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from scancode import config
from scancode.cli import backups
from scancode.db import Database

calls = []
def die(name, done, total):
    calls.append(name)
    if len(calls) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

backups.make(Database(config.load().database_url), Path(sys.argv[1]), now=datetime.now(UTC), progress=die)
"""
    for moment in ("1", "1") if full.is_sqlite else ("2", "9"):
        ended = subprocess.run(
            [sys.executable, "-c", script, str(path), moment], cwd=ROOT, env=environment(settings), check=False
        )
        assert ended.returncode == -signal.SIGKILL
        assert not path.exists()
    backups.make(full, path, now=NOW, progress=silent)
    backups.read_manifest(path)
    assert [found.name for found in tmp_path.glob("killed*")] == ["killed.zip"]


def test_a_failed_restore_leaves_postgresql_as_it_was(full: Database, tmp_path: Path) -> None:
    """A row count that does not fit is found at the very end, within the one transaction."""
    if full.is_sqlite:
        pytest.skip("SQLite's file is checked whole before it takes the place of the old one")
    path = tmp_path / "b.zip"
    manifest = backups.make(full, path, now=NOW, progress=silent)
    manifest["members"]["claims.copy"]["rows"] += 1
    _rewrite(path, "members", manifest["members"])
    before = contents(full)
    with pytest.raises(backups.BackupBroken):
        backups.restore(full, path, replace=True, now=NOW, progress=silent)
    assert contents(full) == before


def _rewrite(path: Path, field: str, value: object) -> None:
    """Changes one field of the manifest of a backup that is otherwise whole."""
    fresh = path.with_suffix(".new")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(fresh, "w") as new:
        for name in old.namelist():
            body = old.read(name)
            if name == "manifest.json":
                body = json.dumps(json.loads(body) | {field: value}).encode()
            new.writestr(name, body)
    shutil.move(fresh, path)


# The command around it.


def test_the_commands_back_up_and_restore(run: Run, full: Database, tmp_path: Path) -> None:
    path = tmp_path / "backups" / "one.zip"
    made = run("backup", str(path))
    assert made.exit_code == 0, made.output
    assert "checked" in made.output
    refused = run("restore", str(path), "--yes")
    assert refused.exit_code == 1
    assert "restore_target_in_use" in refused.stderr
    asked = run("restore", str(path), "--replace", typed="n\n")
    assert asked.exit_code == 1
    restored = run("restore", str(path), "--replace", "--yes")
    assert restored.exit_code == 0, restored.output
    assert "reconcile" in restored.output
    path.write_bytes(b"rubbish")
    broken = run("restore", str(path), "--replace", "--yes", LC_ALL="zh_CN.UTF-8")
    assert broken.exit_code == 1
    assert "备份文件损坏" in broken.stderr


def test_without_a_name_the_backup_goes_to_the_var_folder(run: Run, full: Database, settings: config.Settings) -> None:
    assert run("backup").exit_code == 0
    assert len(list((settings.var_dir / "backups").glob("scancode-*.zip"))) == 1
    assert os.listdir(settings.var_dir / "backups")[0].endswith("Z.zip")


def test_nothing_of_a_person_is_in_the_manifest(full: Database, tmp_path: Path) -> None:
    manifest = backups.make(full, tmp_path / "b.zip", now=NOW, progress=silent)
    assert set(manifest) == {"format", "kind", "revision", "made_at", "members"}
    assert UUID(int=0).hex not in json.dumps(manifest)
