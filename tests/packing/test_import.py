"""A line's association file through a real worker: runs, refusals with their lines, all or nothing, undo."""

from __future__ import annotations

import csv
import hashlib
import json
import threading
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from batches.codes import Kind
from scancode.codes import service as codes
from scancode.codes.rules import Recall
from scancode.jobs import service as jobs
from scancode.packing import service as packing
from scancode.packing.models import PackedRange
from scancode.packing.service import Wish
from scancode.uploads import service as uploads
from scancode.uploads.models import Upload
from scancode.uploads.rules import UploadMoved
from scancode.uploads.service import Received
from scancode.wiring import Wired
from scancode.worker import loop
from scancode.worker import packing as worker_packing
from tests.conftest import NOW
from tests.packing.floor import BY, Floor, make_floor


@pytest.fixture
def floor(wired: Wired) -> Floor:
    with wired.db.transaction() as session:
        return make_floor(session, wired)


def ask(wired: Wired, floor: Floor, text: str | bytes, **wish: Any) -> UUID:
    content = text if isinstance(text, bytes) else text.encode()
    path = wired.settings.var_dir / "line.sending"
    path.write_bytes(content)
    file = Received(path, "line.csv", hashlib.sha256(content).hexdigest(), len(content))
    with wired.db.transaction() as session:
        return packing.ask_import(
            session, brand_id=floor.brand_id, file=file, wish=Wish(**wish), var_dir=wired.settings.var_dir, **BY
        )


def work(wired: Wired) -> None:
    loop.run(wired, stop_event=threading.Event(), once=True, kinds=["upload"], clock=lambda: NOW)


def found(wired: Wired, upload_id: UUID) -> Upload:
    with wired.db.reading() as session:
        return uploads.get_upload(session, upload_id=upload_id)


def bring(wired: Wired, floor: Floor, text: str | bytes, **wish: Any) -> Upload:
    made = ask(wired, floor, text, **wish)
    work(wired)
    return found(wired, made)


def step(wired: Wired, upload_id: UUID, verb: str) -> None:
    with wired.db.transaction() as session:
        uploads.go_on(session, upload_id=upload_id, step=uploads.STEPS[verb], **BY)


def rows_of(floor: Floor, count: int, *, size: int = 12, cases: int = 10, header: str = "item,case,pallet\n") -> str:
    lines = [
        f"{floor.code(floor.item(serial), Kind.OUTER)},{floor.code(floor.case(serial // size))},"
        f"{floor.code(floor.pallet(serial // size // cases))}\n"
        for serial in range(count)
    ]
    return header + "".join(lines)


def result(row: Upload) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(row.result)
    return facts


def problems(row: Upload) -> list[list[Any]]:
    listed: list[list[Any]] = result(row).get("problems", [])
    return listed


def counts(row: Upload) -> tuple[Any, ...]:
    facts = result(row)
    return row.state, row.rows, facts["cases"], facts["pallets"], facts["runs"]


def test_a_regular_file_becomes_two_runs(wired: Wired, floor: Floor) -> None:
    row = bring(wired, floor, rows_of(floor, 360), case_size=12, pallet_size=10)
    assert counts(row) == ("done", 360, 30, 3, 2)
    with wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(PackedRange)) == 2
        assert packing.parents(session, unit=floor.item(359)) == [floor.case(29), floor.pallet(2)]
        assert packing.contents(session, parent=floor.pallet(1)).items == 120
    assert not uploads.source_folder(wired.settings.var_dir, row.id).exists()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk"])
def test_chinese_headers_in_another_order_with_semicolons_addresses_and_crlf(
    wired: Wired, floor: Floor, encoding: str
) -> None:
    text = "箱码;备注;单品码\r\n" + "".join(
        f"{floor.code(floor.case(0)).lower()};好;https://q.example/{floor.code(floor.item(serial))}\r\n"
        for serial in range(3)
    )
    row = bring(wired, floor, text.encode(encoding))
    assert counts(row)[:4] == ("done", 3, 1, 0)


def test_serials_stand_for_items_when_the_batch_is_named(wired: Wired, floor: Floor) -> None:
    text = "".join(f"{serial},{floor.code(floor.case(serial // 5))}\n" for serial in range(10))
    row = bring(wired, floor, text, batch_number=floor.items)
    assert counts(row)[:3] == ("done", 10, 2)
    refused = bring(wired, floor, text)
    assert refused.state == "refused"


def test_cases_alone_go_onto_pallets(wired: Wired, floor: Floor) -> None:
    text = "case,pallet\n" + "".join(
        f"{floor.code(floor.case(serial))},{floor.code(floor.pallet(0))}\n" for serial in range(4)
    )
    row = bring(wired, floor, text)
    assert counts(row)[2:] == (4, 1, 1)


def wrong_files(floor: Floor) -> dict[str, tuple[str, str, list[int]]]:
    """By name: the file, the problem that is found, the lines on which."""
    item, case, pallet = (lambda n: floor.code(floor.item(n))), (lambda n: floor.code(floor.case(n))), (
        lambda n: floor.code(floor.pallet(n))
    )  # fmt: skip
    from scancode.packing.rules import Level, Unit

    foreign = floor.code(Unit(floor.foreign, Level.ITEM, 0))
    forged = item(0)[:-1] + ("0" if item(0)[-1] != "0" else "1")
    return {
        "twice": (f"{item(0)},{case(0)}\n{item(1)},{case(0)}\n{item(0)},{case(1)}\n", "twice", [3]),
        "foreign": (f"{item(0)},{case(0)}\n{foreign},{case(0)}\n", "foreign", [2]),
        "forged": (f"{item(1)},{case(0)}\n{forged},{case(0)}\n", "foreign", [2]),
        "malformed": (f"{item(0)},{case(0)}\nrubbish,{case(0)}\n", "malformed", [2]),
        "wrong_kind": (f"{item(0)},{case(0)}\n{case(1)},{case(0)}\n", "wrong_kind", [2]),
        "two_parents": (
            f"{item(0)},{case(0)},{pallet(0)}\n{item(1)},{case(0)},{pallet(1)}\n", "two_parents", [2],
        ),
        "empty_row": (f"{item(0)},{case(0)}\n{item(1)},\n", "empty_row", [2]),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["twice", "foreign", "forged", "malformed", "wrong_kind", "two_parents", "empty_row"])
def test_what_is_wrong_is_named_with_its_line_and_nothing_is_taken_in(wired: Wired, floor: Floor, name: str) -> None:
    text, code, lines = wrong_files(floor)[name]
    row = bring(wired, floor, text)
    assert row.state == "refused"
    assert [(line, found) for line, _, found, _ in problems(row)] == [(line, code) for line in lines]
    with wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(PackedRange)) == 0
    path = uploads.report_path(wired.settings.var_dir, row.id)
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert [(int(line["line"]), line["code"]) for line in csv.DictReader(file)] == [(n, code) for n in lines]


def test_wrong_counts_are_refused_and_a_short_last_case_only_when_allowed(wired: Wired, floor: Floor) -> None:
    text = rows_of(floor, 30)
    assert bring(wired, floor, text, case_size=12, may_be_short=False).state == "refused"
    row = bring(wired, floor, text, case_size=11)
    assert [(line, code) for line, _, code, _ in problems(row)] == [(2, "wrong_count"), (14, "wrong_count")]
    assert bring(wired, floor, text, case_size=12).state == "done"


def test_what_is_packed_already_is_refused(wired: Wired, floor: Floor) -> None:
    bring(wired, floor, rows_of(floor, 24))
    again = f"{floor.code(floor.item(23))},{floor.code(floor.case(5))}\n"
    assert [row[2] for row in problems(bring(wired, floor, again))] == ["packed_before"]
    more = f"{floor.code(floor.item(50))},{floor.code(floor.case(1))}\n"
    assert [row[2] for row in problems(bring(wired, floor, more))] == ["in_use"]


def test_a_recalled_item_is_refused(wired: Wired, floor: Floor) -> None:
    with wired.db.transaction() as session:
        codes.change(session, batch_number=floor.items, ranges=[(1, 1)], what=Recall("停", "stop"), **BY)
    assert [row[:3] for row in problems(bring(wired, floor, rows_of(floor, 3)))] == [[3, "item", "dead"]]


@pytest.mark.parametrize("text", [b"\x00\x01\x02", b"item\n1\n", b"", b"item,pallet\na,b\n"])
def test_a_file_that_is_none_is_refused_whole(wired: Wired, floor: Floor, text: bytes) -> None:
    assert bring(wired, floor, text).state == "refused"


def test_an_undone_file_leaves_what_was_moved_since(
    wired: Wired, floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken back in pieces; the worker dies after the first of them, and the next one goes on."""
    row = bring(wired, floor, rows_of(floor, 36))
    by = {"brand_id": floor.brand_id, **BY}
    with wired.db.transaction() as session:
        packing.open_container(session, parent=floor.case(50), capacity=None, **by)
        packing.pack(session, parent=floor.case(50), children=[floor.item(5)], move=True, **by)
        assert packing.still_there(session, import_id=row.id) == 35 + 3
    step(wired, row.id, "undo")
    with pytest.raises(UploadMoved):
        step(wired, row.id, "undo")
    assert found(wired, row.id).state == "undoing"
    monkeypatch.setattr(worker_packing, "RUNS_AT_ONCE", 2)
    with monkeypatch.context() as killed:
        killed.setattr(packing, "end_undoing", None)
        work(wired)
    assert found(wired, row.id).state == "undoing"
    with wired.db.transaction() as session:
        jobs.requeue(session, key=uploads.job_key(row.id), run_at=NOW, now=NOW)
    work(wired)
    ended = found(wired, row.id)
    assert (ended.state, json.loads(ended.result)["undone"]) == ("undone", 38)
    with wired.db.reading() as session:
        assert packing.parent_of(session, unit=floor.item(5)) == floor.case(50)
        assert packing.parent_of(session, unit=floor.item(4)) is None
        assert packing.still_there(session, import_id=row.id) == 0
    with pytest.raises(UploadMoved):
        step(wired, row.id, "undo")
    assert bring(wired, floor, rows_of(floor, 4)).state == "done"


def test_a_cancelled_file_is_not_taken_in(wired: Wired, floor: Floor) -> None:
    made = ask(wired, floor, rows_of(floor, 24))
    with wired.db.transaction() as session:
        uploads.cancel(session, upload_id=made, **BY)
    work(wired)
    assert found(wired, made).state == "cancelled"
    assert not uploads.folder(wired.settings.var_dir, made).exists()
    with wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(PackedRange)) == 0


def test_a_worker_that_died_halfway_is_followed_by_one_that_begins_anew(wired: Wired, floor: Floor) -> None:
    made = ask(wired, floor, rows_of(floor, 24))
    with wired.db.transaction() as session:
        assert uploads.begin(session, upload_id=made) is not None  # and then it was killed
    work(wired)
    assert found(wired, made).state == "done"


def test_taking_one_out_of_an_imported_run_splits_it(wired: Wired, floor: Floor) -> None:
    bring(wired, floor, rows_of(floor, 36))
    by = {"brand_id": floor.brand_id, **BY}
    with wired.db.transaction() as session:
        packing.unpack(session, children=[floor.item(13)], **by)
        assert packing.find_container(session, unit=floor.case(1)).count == 11
        assert packing.parent_of(session, unit=floor.item(14)) == floor.case(1)
        assert packing.parent_of(session, unit=floor.item(24)) == floor.case(2)
        assert packing.contents(session, parent=floor.pallet(0)).items == 35
        assert packing.empty(session, parent=floor.pallet(0), **by) == 3
        assert packing.find_container(session, unit=floor.case(2)).count == 12


def test_a_file_that_is_gone_is_to_be_sent_again(wired: Wired, floor: Floor) -> None:
    made = ask(wired, floor, rows_of(floor, 2))
    (uploads.source_folder(wired.settings.var_dir, made) / "0").unlink()
    work(wired)
    row = found(wired, made)
    assert (row.state, result(row)["code"]) == ("refused", "files_gone")
