"""The preflight of returned files through a real worker: several at once, archives, verdict, reports, cancelling."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest

from batches.codes import Kind
from scancode.uploads import service as uploads
from scancode.uploads.rules import UploadKind
from scancode.wiring import Wired
from scancode.worker import preflight
from scancode.worker import uploads as runner
from tests.packing.floor import Floor, make_floor
from tests.uploads.sending import get, result, send, work

ANY = {"batch": None}


@pytest.fixture
def floor(wired: Wired) -> Floor:
    with wired.db.transaction() as session:
        return make_floor(session, wired)


def rows(floor: Floor, first: int, last: int) -> str:
    return "code\n" + "".join(f"{floor.code(floor.item(serial), Kind.INNER)}\n" for serial in range(first, last + 1))


def archive(**files: str | bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as writing:
        for name, content in files.items():
            writing.writestr(name.replace("__", "."), content)
    return made.getvalue()


def test_good_files_and_an_archive_are_good_to_print(wired: Wired, floor: Floor) -> None:
    packed = archive(b__csv=rows(floor, 10, 19), readme__pdf=b"%PDF", sub=b"")
    made = send(wired, floor.brand_id, UploadKind.CHECK, ANY, ("a.csv", rows(floor, 0, 9)), ("b.zip", packed))
    work(wired)
    row, facts = get(wired, made), result(wired, made)
    assert (row.state, row.rows, row.problems) == ("done", 22, 0)
    assert (facts["ok"], facts["codes_verified"]) == (True, 20)
    assert [file["name"] for file in facts["files"]] == ["a.csv", "b.zip/b.csv"]
    assert facts["skipped"] == ["b.zip/readme.pdf", "b.zip/sub"]
    assert facts["verdict"]["en"].startswith("Good to print")
    left = sorted(path.name for path in uploads.folder(wired.settings.var_dir, made).iterdir())
    assert left == ["report.csv", "report.json"]


def test_what_is_wrong_is_told_by_sort_with_lines_and_as_reports(wired: Wired, floor: Floor) -> None:
    foreign = floor.code(floor.item(0), Kind.INNER)[:-1]
    other = rows(floor, 3, 5) + foreign + "\n"
    files = ("a.csv", rows(floor, 0, 9)), ("a.csv", other), ("c.zip", b"PK\x03\x04")
    made = send(wired, floor.brand_id, UploadKind.CHECK, ANY, *files)
    work(wired)
    facts = result(wired, made)
    assert facts["counts"] == {"duplicate": 3, "truncated": 1, "unreadable": 1, "overlap": 1}
    assert facts["verdict"]["zh"].startswith("不要上机")
    first = facts["first"]["duplicate"][0]
    assert (first["file"], first["row"]) == ("a.csv (2)", 2)
    assert (first["zh"], first["en"]) == (
        "重复：此码已见于 a.csv 第 5 行",
        "duplicate: this code stands in a.csv, row 5",
    )
    var_dir = wired.settings.var_dir
    with uploads.report_path(var_dir, made).open(encoding="utf-8-sig", newline="") as file:
        listed = list(csv.DictReader(file))
    lines = sorted((line["code"], int(line["row"])) for line in listed)
    assert lines[:3] == [("duplicate", 2), ("duplicate", 3), ("duplicate", 4)]
    assert len(json.loads(uploads.report_path(var_dir, made, "json").read_text("utf-8"))["findings"]) == 6
    assert get(wired, made).problems == 6


def test_codes_of_another_brand_are_foreign_and_named_batches_must_be_whole(wired: Wired, floor: Floor) -> None:
    from scancode.packing.rules import Level, Unit

    strange = floor.code(Unit(floor.foreign, Level.ITEM, 0), Kind.INNER)
    made = send(wired, floor.brand_id, UploadKind.CHECK, ANY, ("a.txt", f"{strange}\n"))
    work(wired)
    assert result(wired, made)["counts"] == {"foreign": 1}


def test_without_room_for_what_is_in_an_archive_nothing_is_unpacked(wired: Wired, floor: Floor) -> None:
    from scancode.jobs import service as jobs
    from tests.conftest import NOW

    packed = archive(b__csv=rows(floor, 0, 9))
    made = send(wired, floor.brand_id, UploadKind.CHECK, ANY, ("b.zip", packed))
    with wired.db.transaction() as session:
        leased = jobs.lease(session, now=NOW, lease_s=60, kinds={"upload"})
    assert leased is not None
    runner.run(wired, leased, lambda: NOW, free=lambda _: 50_000_000)
    assert (get(wired, made).state, result(wired, made)["code"]) == ("refused", "disk_full")
    assert "磁盘" in result(wired, made)["zh"]


def test_cancelled_while_it_is_read_it_leaves_nothing(
    wired: Wired, floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = send(wired, floor.brand_id, UploadKind.CHECK, ANY, ("a.csv", rows(floor, 0, 9)))
    real = preflight.check_files

    def cancelled_meanwhile(*files: object, **more: object) -> object:
        with wired.db.transaction() as session:
            from tests.packing.floor import BY

            uploads.cancel(session, upload_id=made, **BY)
        monkeypatch.setattr("scancode.worker.progress.REPORT_EVERY_S", 0)
        return real(*files, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("scancode.worker.progress.Progress.shall_stop", lambda self: not _wanted(wired, made))
    monkeypatch.setattr(preflight, "check_files", cancelled_meanwhile)
    work(wired)
    work(wired)
    assert get(wired, made).state == "cancelled"
    assert not uploads.folder(wired.settings.var_dir, made).exists()


def _wanted(wired: Wired, upload_id: object) -> bool:
    with wired.db.reading() as session:
        return uploads.is_wanted(session, upload_id=upload_id)  # type: ignore[arg-type]


def test_a_killed_check_leaves_rubbish_that_the_next_one_clears(wired: Wired, floor: Floor) -> None:
    made = send(wired, floor.brand_id, UploadKind.CHECK, ANY, ("b.zip", archive(b__csv=rows(floor, 0, 9))))
    with wired.db.transaction() as session:
        assert uploads.begin(session, upload_id=made) is not None
    opened = uploads.folder(wired.settings.var_dir, made) / "opened"
    opened.mkdir()
    (opened / "000000").write_text("half")
    work(wired)
    assert (get(wired, made).state, get(wired, made).problems) == ("done", 0)
    assert not opened.exists()
