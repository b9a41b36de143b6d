"""A worker that is killed in the middle of long work: what it leaves is gone on with, and the bytes are the same."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from batches import press
from batches.codes import Kind
from scancode.catalog import service as catalog
from scancode.codes import service as codes
from scancode.codes.rules import BatchState
from scancode.jobs import service as jobs
from scancode.jobs.rules import JobState
from scancode.wiring import Wired
from scancode.worker import loop
from scancode.worker.mint import Minting
from scancode.worker.progress import alone_in
from tests.factories import make_brand, make_product
from tests.worker import real

COUNT = 150_000


def place(wired: Wired, count: int = COUNT, formats: tuple[str, ...] = ("csv", "txt")) -> int:
    with wired.db.transaction() as session:
        product = make_product(session, brand_id=make_brand(session).id)
        return codes.order(
            session,
            brand_id=product.brand_id,
            product_id=product.id,
            order_no="PO-1",
            base_url="https://q.example",
            kid="t1",
            actor="staff:carol",
            now=datetime.now(UTC),
            count=count,
            kinds=(Kind.OUTER, Kind.INNER),
            formats=formats,
        ).number


def state(wired: Wired, number: int) -> str:
    with wired.db.reading() as session:
        return codes.get_batch(session, number=number).state


def job(wired: Wired, key: str) -> jobs.JobFacts:
    with wired.db.reading() as session:
        found = jobs.find(session, key=key)
    assert found is not None
    return found


def undisturbed(wired: Wired, number: int, folder: Path) -> dict[str, bytes]:
    """The same order, made here in one go."""
    with wired.db.reading() as session:
        batch = codes.get_batch(session, number=number)
        product = catalog.get_product(session, product_id=batch.product_id)
        draft, spec = codes.draft_of(batch), codes.spec_of(batch, product)
    press.run(spec, wired.keyring.derive(batch.kid, batch.salt), folder, formats=draft.formats, now=datetime.now(UTC))
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix not in (".json", ".html")}


def test_killed_again_and_again_it_makes_the_files_of_an_undisturbed_run(wired: Wired, tmp_path: Path) -> None:
    number = place(wired)
    folder = codes.pack_folder(wired.settings.var_dir, number)
    moments: list[Callable[[], bool]] = [
        lambda: (folder / "begun.manifest.json").exists(),
        lambda: any(path.stat().st_size > 100_000 for path in folder.glob("*.csv.part")),
        lambda: any(folder.glob("*.csv")),
        lambda: any(folder.glob("*outer.txt.part")),
        lambda: any(folder.glob("*inner.txt.part")),
        lambda: (folder / "manifest.json").exists(),
    ]
    kills = sum(real.kill_when(wired, moment) for moment in moments)
    assert kills >= 3
    if state(wired, number) != BatchState.READY:
        assert state(wired, number) == BatchState.MINTING
        real.finish(wired)
    assert state(wired, number) == BatchState.READY
    assert contents(folder) == undisturbed(wired, number, tmp_path / "undisturbed")
    done = job(wired, codes.mint_key(number))
    assert (done.state, done.done_rows, done.total_rows) == (JobState.DONE, 3 * COUNT, 3 * COUNT)


def test_cancelled_while_a_killed_worker_held_it_leaves_nothing(wired: Wired) -> None:
    number = place(wired)
    folder = codes.pack_folder(wired.settings.var_dir, number)
    assert real.kill_when(wired, lambda: any(folder.glob("*.part")))
    with wired.db.transaction() as session:
        codes.cancel(session, number=number, actor="staff:carol", now=datetime.now(UTC))
    assert state(wired, number) == BatchState.CANCELLED  # at once, before any worker looks
    real.finish(wired)
    assert not folder.exists()


def test_a_check_goes_on_after_a_kill_and_says_what_it_found(wired: Wired) -> None:
    number = place(wired)
    real.finish(wired)
    with wired.db.transaction() as session:
        codes.ask_check(session, number=number, actor="staff:carol", now=datetime.now(UTC))
    assert real.kill_when(wired, lambda: job(wired, codes.check_key(number)).state is JobState.LEASED)
    real.finish(wired)
    with wired.db.reading() as session:
        found = codes.find_check(session, number=number)
    assert found is not None
    assert (found.is_good, found.rows, found.codes_verified) == (True, 3 * COUNT, 6 * COUNT)


def test_a_check_finds_a_file_that_was_changed(wired: Wired) -> None:
    number = place(wired, count=1000)
    loop.run(wired, stop_event=threading.Event(), once=True)
    path = next(codes.pack_folder(wired.settings.var_dir, number).glob("*.csv"))
    path.write_bytes(path.read_bytes().replace(b"\r\n5,", b"\r\n6,", 1))
    with wired.db.transaction() as session:
        codes.ask_check(session, number=number, actor="staff:carol", now=datetime.now(UTC))
    loop.run(wired, stop_event=threading.Event(), once=True)
    with wired.db.reading() as session:
        found = codes.find_check(session, number=number)
    assert found is not None
    assert not found.is_good
    assert "serial 5 was expected" in " ".join(found.findings)


def test_a_stopped_check_is_over_at_once_and_writes_nothing(wired: Wired) -> None:
    number = place(wired, count=1000)
    loop.run(wired, stop_event=threading.Event(), once=True)
    now = datetime.now(UTC)
    with wired.db.transaction() as session:
        codes.ask_check(session, number=number, actor="staff:carol", now=now)
    with wired.db.transaction() as session:
        leased = jobs.lease(session, now=now, lease_s=60, kinds={"check"})
    assert leased is not None
    with wired.db.transaction() as session:
        codes.stop_check(session, number=number, actor="staff:carol", now=now)
    assert job(wired, codes.check_key(number)).state is JobState.CANCELLED
    with wired.db.transaction() as session:
        assert not jobs.finish(session, leased=leased, now=now)


def test_two_workers_are_never_in_one_folder(wired: Wired) -> None:
    number = place(wired, count=1000)
    with alone_in(codes.pack_folder(wired.settings.var_dir, number)):
        loop.run(wired, stop_event=threading.Event(), once=True, kinds={"mint"})
        waiting = job(wired, codes.mint_key(number))
        assert (waiting.state, waiting.error) == (JobState.QUEUED, "folder_in_use")
    later = waiting.run_at
    loop.run(wired, stop_event=threading.Event(), once=True, kinds={"mint"}, clock=lambda: later)
    assert state(wired, number) == BatchState.READY


def test_a_disk_that_fills_up_meanwhile_fails_the_order_with_both_figures(wired: Wired, tmp_path: Path) -> None:
    """A file system of 3 MB, where this machine lets us make one; the look before the work is told that all is well."""
    number = place(wired, count=100_000, formats=("csv",))
    folder = codes.pack_folder(wired.settings.var_dir, number)
    folder.mkdir(parents=True)
    has_own = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", folder], capture_output=True).returncode
    now = datetime.now(UTC)
    with wired.db.transaction() as session:
        leased = jobs.lease(session, now=now, lease_s=60, kinds={"mint"})
    assert leased is not None
    try:
        if has_own == 0:
            Minting(wired, leased, lambda: now, free=lambda _: 1 << 40).run()
        else:
            Minting(wired, leased, lambda: now, free=lambda _: 1_000_000).run()
        assert state(wired, number) == BatchState.FAILED
        told = job(wired, codes.mint_key(number)).error or ""
        assert "磁盘空间不足：需要" in told
        assert "the pack needs" in told
        assert not any(folder.glob("*.part"))
    finally:
        if has_own == 0:
            subprocess.run(["umount", folder], check=True)
    with wired.db.transaction() as session:
        codes.retry(session, number=number, actor="staff:carol", now=now)
    loop.run(wired, stop_event=threading.Event(), once=True, kinds={"mint"}, clock=lambda: now)
    assert state(wired, number) == BatchState.READY
