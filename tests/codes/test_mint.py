"""Minting in the worker: files, progress, a kill and a new start, a full disk, a cancelled order."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from batches.codes import Kind
from batches.manifest import read_manifest
from scancode.codes import service as codes
from scancode.codes.rules import BatchState
from scancode.jobs import service as jobs
from scancode.jobs.rules import JobState, Leased, LeaseLost
from scancode.wiring import Wired
from scancode.worker import loop
from scancode.worker.mint import Minting
from tests.factories import make_brand, make_product


def place(wired: Wired, now: datetime, **over: Any) -> int:
    with wired.db.transaction() as session:
        product = make_product(session, brand_id=make_brand(session).id)
        wanted: dict[str, Any] = {"count": 1000, "kinds": (Kind.OUTER, Kind.INNER), "formats": ("csv", "txt")}
        return codes.order(
            session,
            brand_id=product.brand_id,
            product_id=product.id,
            order_no="PO-1",
            base_url="https://q.example",
            kid="t1",
            actor="staff:carol",
            now=now,
            **(wanted | over),
        ).number


def lease(wired: Wired, now: datetime) -> Leased:
    with wired.db.transaction() as session:
        leased = jobs.lease(session, now=now, lease_s=60, kinds={"mint"})
    assert leased is not None
    return leased


def work(wired: Wired, now: datetime) -> int:
    return loop.run(wired, stop_event=threading.Event(), kinds={"mint"}, once=True, clock=lambda: now)


def state(wired: Wired, number: int) -> str:
    with wired.db.reading() as session:
        return codes.get_batch(session, number=number).state


def job(wired: Wired, number: int) -> jobs.JobFacts:
    with wired.db.reading() as session:
        found = jobs.find(session, key=codes.mint_key(number))
    assert found is not None
    return found


def test_it_makes_the_files_and_marks_the_batch_ready(wired: Wired, now: datetime) -> None:
    number = place(wired, now)
    assert work(wired, now) == 1
    assert state(wired, number) == BatchState.READY
    folder = codes.pack_folder(wired.settings.var_dir, number)
    manifest = read_manifest(folder / "manifest.json")
    with wired.db.reading() as session:
        batch = codes.get_batch(session, number=number)
        files = codes.list_files(session, batch_number=number)
        assert json.loads(batch.manifest or "")["batch"] == number
        assert batch.ready_at == now
    assert {(file.name, file.rows, file.size_bytes, file.sha256) for file in files} == {
        (file.name, file.rows, file.size_bytes, file.sha256) for file in manifest.files
    }
    assert len(files) == 3
    done = job(wired, number)
    assert (done.state, done.done_rows, done.total_rows) == (JobState.DONE, 3000, 3000)


def test_its_codes_verify_with_the_key_of_the_batch(wired: Wired, now: datetime) -> None:
    number = place(wired, now, formats=("txt",), kinds=(Kind.INNER,), count=20)
    work(wired, now)
    with wired.db.reading() as session:
        facts = codes.load_batch(session, number=number, keyring=wired.keyring)
    assert facts is not None
    path = next(codes.pack_folder(wired.settings.var_dir, number).glob("*.txt"))
    lines = path.read_text().split()
    found = [facts.verifier.verify(line.rsplit("/", 1)[1]) for line in lines]
    assert [parts.serial for parts in found] == list(range(20))
    assert {parts.batch for parts in found} == {number}


class Killed(BaseException):
    """Stands for kill -9: nothing of the worker runs afterwards."""


def dying(wired: Wired, leased: Leased, now: datetime, at_report: int) -> Minting:
    reports = 0

    def clock() -> datetime:
        nonlocal reports
        reports += 1
        if reports > at_report:
            raise Killed
        return now

    return Minting(wired, leased, clock)


def test_it_goes_on_where_it_was_killed(wired: Wired, now: datetime) -> None:
    number = place(wired, now)
    with pytest.raises(Killed):
        dying(wired, lease(wired, now), now, 1).run()
    assert state(wired, number) == BatchState.MINTING
    folder = codes.pack_folder(wired.settings.var_dir, number)
    (folder / "left-over.part").write_bytes(b"half")
    assert work(wired, now.replace(hour=now.hour + 1)) == 1
    assert state(wired, number) == BatchState.READY


def test_a_worker_that_lost_its_lease_changes_nothing(wired: Wired, now: datetime) -> None:
    number = place(wired, now)
    old = lease(wired, now)
    new = lease(wired, now.replace(hour=now.hour + 1))
    assert new.fence > old.fence
    with pytest.raises(LeaseLost):
        Minting(wired, old, lambda: now).run()
    assert state(wired, number) == BatchState.ORDERED


def test_a_full_disk_fails_with_a_sentence_and_can_be_tried_again(wired: Wired, now: datetime) -> None:
    number = place(wired, now)
    nothing: Callable[[Path], int] = lambda folder: 0  # noqa: E731
    Minting(wired, lease(wired, now), lambda: now, free=nothing).run()
    assert state(wired, number) == BatchState.FAILED
    failed = job(wired, number)
    assert failed.state is JobState.DEAD
    assert "磁盘空间不足" in (failed.error or "")
    assert "MB" in (failed.error or "")
    with wired.db.transaction() as session:
        codes.retry(session, number=number, actor="staff:carol", now=now)
    assert work(wired, now) == 1
    assert state(wired, number) == BatchState.READY


def test_a_cancelled_order_stops_and_leaves_no_files(wired: Wired, now: datetime) -> None:
    number = place(wired, now)
    minting = Minting(wired, lease(wired, now), lambda: now)
    with wired.db.transaction() as session:
        assert codes.mark_minting(session, number=number)
        codes.cancel(session, number=number, actor="staff:carol", now=now)
    minting.run()
    assert state(wired, number) == BatchState.CANCELLED
    assert not codes.pack_folder(wired.settings.var_dir, number).exists()


def test_a_failed_order_that_is_cancelled_is_cleared_away(wired: Wired, now: datetime) -> None:
    number = place(wired, now)
    Minting(wired, lease(wired, now), lambda: now, free=lambda folder: 0).run()
    assert codes.pack_folder(wired.settings.var_dir, number).exists()
    with wired.db.transaction() as session:
        codes.cancel(session, number=number, actor="staff:carol", now=now)
    assert work(wired, now) == 1
    assert not codes.pack_folder(wired.settings.var_dir, number).exists()


def test_a_product_renamed_between_two_attempts_is_no_obstacle(wired: Wired, now: datetime) -> None:
    number = place(wired, now)
    with pytest.raises(Killed):
        dying(wired, lease(wired, now), now, 1).run()
    folder = codes.pack_folder(wired.settings.var_dir, number)
    begun = folder / "begun.manifest.json"
    assert begun.exists()
    begun.write_text(begun.read_text().replace("山泉柠檬水", "旧名"))
    assert work(wired, now.replace(hour=now.hour + 1)) == 1
    assert state(wired, number) == BatchState.READY
