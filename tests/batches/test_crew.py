"""Files written by several processes: the same bytes as by one, and nothing left behind when something goes wrong."""

import contextlib
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from batches import codes, crew, files
from batches.errors import Stopped
from batches.items import Kind
from batches.part import PartFile
from batches.rows import SERIALS, RowPlan
from batches.spec import BatchSpec

KEY = bytes(range(32))
SPEC = BatchSpec(number=7, kinds=(Kind.OUTER, Kind.INNER), first=9_990, count=2_000, host="q.example.cn")
PLAN = RowPlan(KEY, 7, (SERIALS, b",", Kind.INNER, b"\n"))


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_the_bytes_do_not_depend_on_the_number_of_processes(tmp_path, processes):
    seen = []
    path = tmp_path / "a.csv"
    record = files.write_csv(SPEC, KEY, path, processes=processes, chunk_rows=70, on_progress=seen.append)
    lines = path.read_text("utf-8-sig").splitlines()[1:]
    assert lines == [
        f"{serial},{outer},HTTPS://Q.EXAMPLE.CN/{outer},{inner},HTTPS://Q.EXAMPLE.CN/{inner}"
        for serial in range(9_990, 11_990)
        for outer, inner in [[codes.mint_one(KEY, 7, kind, serial) for kind in (0, 1)]]
    ]
    assert record.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert seen == [*range(70, 2_000, 70), 2_000]
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize(("first", "end"), [(0, 1), (8, 12), (99, 1_001), (9_998, 10_003), (99_999, 140_001)])
def test_rows_know_their_length_and_their_serials(first, end):
    rows = b"".join(block.tobytes() for block in PLAN.maker().blocks(first, end))
    assert len(rows) == PLAN.size_bytes(first, end)
    found = rows.decode().splitlines()
    assert [int(line.partition(",")[0]) for line in found] == list(range(first, end))
    for place in (0, -1):
        serial, _, code = found[place].partition(",")
        assert code == codes.mint_one(KEY, 7, 1, int(serial))


def test_a_stopped_crew_ends_and_leaves_nothing(tmp_path, monkeypatch):
    started = started_processes(monkeypatch)
    seen = []
    with pytest.raises(Stopped):
        files.write_csv(
            SPEC, KEY, tmp_path / "a.csv", processes=2, chunk_rows=50, on_progress=seen.append, stop=lambda: bool(seen)
        )
    assert [process.returncode for process in started] == [0]
    assert not list(tmp_path.iterdir())


def started_processes(monkeypatch):
    started = []
    start = subprocess.Popen

    def noting(*args, **kwargs):
        started.append(start(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(crew.subprocess, "Popen", noting)
    return started


def test_a_helper_that_dies_fails_the_file(tmp_path, monkeypatch):
    started = started_processes(monkeypatch)

    def kill(rows):
        started[0].kill()
        started[0].wait()

    with pytest.raises(OSError, match="helper"):
        files.write_csv(SPEC, KEY, tmp_path / "a.csv", processes=2, chunk_rows=1, on_progress=kill)
    assert not list(tmp_path.iterdir())


def test_what_a_helper_cannot_write_is_told_with_its_reason(tmp_path):
    """Its file is gone before it opens it, as when somebody clears a folder."""
    part = PartFile(tmp_path / "a.txt")
    job = crew.Job(PLAN, 0, 100, 0)
    with part, pytest.raises(FileNotFoundError):  # noqa: SIM117
        with crew._employed(tmp_path / "gone", job, 1) as hired:
            list(hired.answers(wait=True))
    assert not [each for each in tmp_path.iterdir() if each.name != "a.txt"]


def test_large_files_take_several_processes_and_small_ones_do_not(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr(crew.sys, "platform", "linux")
    assert crew.usual_processes(crew.ALONE_ROWS - 1) == 1
    assert crew.usual_processes(crew.ALONE_ROWS) == 4
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3})
    assert crew.usual_processes(crew.ALONE_ROWS) == 1


def test_a_plan_shows_no_key():
    assert KEY.hex() not in repr(PLAN)
    assert "key" not in repr(PLAN)


def test_a_helper_is_told_nothing_on_its_command_line(tmp_path, monkeypatch):
    started = started_processes(monkeypatch)
    files.write_txt(SPEC, KEY, tmp_path / "a.txt", kind=Kind.INNER, processes=2, chunk_rows=500)
    assert [process.args[1:] for process in started] == [["-m", "batches.crew"]]


FOREVER = """
import sys
from pathlib import Path
from batches import files
from batches.items import Kind
from batches.spec import BatchSpec
spec = BatchSpec(number=1, kinds=(Kind.INNER,), count=33_000_000, host="q.cn")
files.write_txt(spec, bytes(32), Path(sys.argv[1]), processes=3, chunk_rows=1000)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_helpers_end_with_a_press_that_is_killed(tmp_path):
    press = subprocess.Popen([sys.executable, "-c", FOREVER, str(tmp_path / "a.txt")], cwd=Path(__file__).parents[2])
    try:
        children = []
        until(
            lambda: children.extend(pid for pid in children_of(press.pid) if pid not in children) or len(children) == 2
        )
    finally:
        press.kill()
        press.wait()
    until(lambda: not [pid for pid in children if is_helper(pid)])


def until(reached):
    for _ in range(600):
        if reached():
            return
        time.sleep(0.1)
    raise AssertionError("not within a minute")


def children_of(parent):
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            stat = path.read_text()
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.split()[0]))
    return found


def is_helper(pid):
    try:
        return b"batches.crew" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
