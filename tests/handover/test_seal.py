"""Sealing a pack: only the recipient opens it, the plain files go, and nothing is lost however the worker ends."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import pyzipper
from sqlalchemy import select

from batches.errors import NotSealedForYou
from batches.sealed import new_identity, unseal_files
from scancode.codes import service as codes
from scancode.errors import Invalid
from scancode.handover import service as handover
from scancode.handover.models import PrintHouse
from scancode.handover.rules import PackForm, SealState
from scancode.jobs import service as jobs
from scancode.jobs.rules import JobState
from scancode.staff.models import AuditRow
from scancode.wiring import Wired
from scancode.worker.seal import Sealing
from tests.handover.works import Works, open_works
from tests.worker import real


@pytest.fixture
def works(wired: Wired) -> Works:
    return open_works(wired)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_age_opens_for_the_print_house_alone_and_the_plain_files_are_gone(works: Works, tmp_path: Path) -> None:
    sealed_id, password = works.ask()
    assert password is None
    works.work()
    row, path = works.sealed(sealed_id)
    assert (row.state, row.size_bytes) == (SealState.READY, path.stat().st_size)
    assert not works.folder.exists()
    assert (works.batch().pack_gone_why, works.batch().pack_gone_at is not None) == ("sealed", True)
    assert b"https://q.example" not in path.read_bytes()
    unseal_files(path, works.identity, tmp_path / "opened")
    assert contents(tmp_path / "opened") == works.plain
    with pytest.raises(NotSealedForYou):
        unseal_files(path, new_identity()[0], tmp_path / "other")


def test_a_zip_opens_with_the_password_that_was_shown_once(works: Works) -> None:
    sealed_id, password = works.ask(PackForm.ZIP)
    row, _ = works.sealed(sealed_id)
    assert password is not None
    assert password not in (row.password or "")
    works.work()
    row, path = works.sealed(sealed_id)
    assert (row.state, row.password) == (SealState.READY, None)
    with pyzipper.AESZipFile(path) as archive:
        archive.setpassword(password.encode())
        assert {name: archive.read(name) for name in archive.namelist()} == works.plain
    with pyzipper.AESZipFile(path) as archive, pytest.raises(RuntimeError):
        archive.setpassword(b"another")
        archive.read(archive.namelist()[0])


def test_killed_while_it_seals_it_begins_again_and_the_contents_are_the_same(wired: Wired, tmp_path: Path) -> None:
    works = open_works(wired, count=300_000)
    sealed_id, _ = works.ask()
    _, path = works.sealed(sealed_id)
    part = path.with_name(path.name + ".part")
    kills = real.kill_when(wired, lambda: part.exists() and part.stat().st_size > 1_000_000)
    assert kills
    assert works.folder.exists()
    real.finish(wired)
    assert not works.folder.exists()
    unseal_files(path, works.identity, tmp_path / "opened")
    assert contents(tmp_path / "opened") == works.plain


def test_a_kill_between_sealing_and_deleting_leaves_no_plain_file(works: Works) -> None:
    sealed_id, _ = works.ask()
    now = datetime.now(UTC)
    works.work()
    works.folder.mkdir()  # as if the worker had died before it deleted them
    (works.folder / "left.csv").write_bytes(b"codes")
    with works.wired.db.transaction() as session:
        jobs.requeue(session, key=handover.seal_key(sealed_id), run_at=now, now=now)
    works.work()
    assert not works.folder.exists()


def test_cancelled_it_is_over_at_once_and_the_plain_files_stay(works: Works) -> None:
    sealed_id, _ = works.ask()
    now = datetime.now(UTC)
    with works.wired.db.transaction() as session:
        leased = jobs.lease(session, now=now, lease_s=60, kinds={"seal"})
    assert leased is not None
    with works.wired.db.transaction() as session:
        handover.cancel_seal(session, sealed_id=sealed_id, actor="staff:carol", now=now)
        job = jobs.find(session, key=handover.seal_key(sealed_id))
    assert job is not None
    assert job.state is JobState.CANCELLED
    assert works.sealed(sealed_id)[0].state == SealState.CANCELLED
    works.work()
    assert contents(works.folder) == works.plain


def test_too_little_space_is_told_in_figures_and_it_can_be_tried_again(works: Works) -> None:
    sealed_id, _ = works.ask(PackForm.ZIP)
    now = datetime.now(UTC)
    with works.wired.db.transaction() as session:
        leased = jobs.lease(session, now=now, lease_s=60, kinds={"seal"})
    assert leased is not None
    Sealing(works.wired, leased, lambda: now, free=lambda _: 1000).run()
    row, path = works.sealed(sealed_id)
    assert row.state == SealState.FAILED
    assert not path.parent.exists()
    with works.wired.db.transaction() as session:
        job = jobs.find(session, key=handover.seal_key(sealed_id))
        assert job is not None
        assert "磁盘空间不足：需要" in (job.error or "")
        handover.retry_seal(session, sealed_id=sealed_id, actor="staff:carol", now=now)
    works.work(now)
    assert works.sealed(sealed_id)[0].state == SealState.READY


def test_two_print_houses_are_served_before_the_plain_files_go(works: Works) -> None:
    first, _ = works.ask()
    second, _ = works.ask(PackForm.ZIP)
    works.work()
    assert [works.sealed(each)[0].state for each in (first, second)] == [SealState.READY] * 2
    assert not works.folder.exists()
    with pytest.raises(codes.PackGone):
        works.ask()


def test_a_contact_is_sealed_and_a_key_is_checked(works: Works) -> None:
    with works.wired.db.transaction() as session:
        row = session.get_one(PrintHouse, works.house_id)
        assert "138" not in row.contact
        assert handover.get_house(session, house_id=row.id, sealer=works.wired.sealer).contact.endswith("0000 0000")
        with pytest.raises(Invalid):
            handover.save_house(
                session, brand_id=works.brand_id, name="B", contact="", recipient="age1nonsense",
                sealer=works.wired.sealer, actor="x", now=row.created_at,
            )  # fmt: skip
        assert session.scalar(select(AuditRow.action).where(AuditRow.action == "house.save")) == "house.save"
