"""Uploads at the console: returned files checked, large files of codes asked about, other people's uploads unseen."""

from __future__ import annotations

import io
import shutil
import threading
from collections import namedtuple
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from batches.codes import Kind
from scancode.catalog import revision
from scancode.staff.rules import Role
from scancode.uploads import service as uploads
from scancode.uploads.rules import AT_ONCE_BYTES
from scancode.wiring import Wired
from scancode.worker import loop
from tests import factories
from tests.packing.floor import Floor, make_floor
from tests.web.console.desk import Desk, hire

ENGLISH = {"Accept-Language": "en"}
PADDING = "\n" * AT_ONCE_BYTES


@pytest.fixture
def floor(wired: Wired) -> Floor:
    with wired.db.transaction() as session:
        floor = make_floor(session, wired)
        revision.bump(session)
    return floor


@pytest.fixture
def carol(app: Flask, wired: Wired, floor: Floor) -> Desk:
    return Desk(app, wired.db, hire(wired.db, "Carol", Role.FACTORY, floor.brand_id))


def send(desk: Desk, path: str, *texts: str, field: str = "file", form: str | None = None, **over: str) -> TestResponse:
    data: dict[str, Any] = {"csrf_token": desk.token(form or path), **over}
    data[field] = [(io.BytesIO(text.encode()), f"{number}.csv") for number, text in enumerate(texts)]
    return desk.client.post(path, data=data, headers=ENGLISH)


def work(wired: Wired) -> None:
    loop.run(wired, stop_event=threading.Event(), once=True, kinds=["upload"])


def codes(floor: Floor, *serials: int) -> str:
    return "".join(f"{floor.code(floor.item(serial), Kind.OUTER)}\n" for serial in serials)


def test_returned_files_are_checked_together_and_reported(carol: Desk, wired: Wired, floor: Floor) -> None:
    answer = send(carol, "/console/preflight", codes(floor, 1, 2), codes(floor, 2, 3), field="files")
    assert answer.status_code == 302
    assert "Waiting for a worker." in carol.get(answer.location, headers=ENGLISH).text
    work(wired)
    page = carol.get(answer.location, headers=ENGLISH).text
    assert "Do not print" in page
    assert "duplicate: this code stands in 0.csv, row 2" in page
    assert "重复：此码已见于 0.csv 第 2 行" in carol.get(answer.location, headers={"Accept-Language": "zh"}).text
    with carol.get(f"{answer.location}/report.csv") as report:
        assert "duplicate,1.csv,1" in report.text
    with carol.get(f"{answer.location}/report.json") as report:
        assert report.json["counts"]["duplicate"] == 1
    assert "Do not print" in carol.get("/console/preflight", headers=ENGLISH).text


def test_a_batch_that_is_not_there_and_no_file_are_said_beside_their_fields(carol: Desk, floor: Floor) -> None:
    assert send(carol, "/console/preflight", "x", field="files", batch="no such").status_code == 422
    answer = send(carol, "/console/preflight", field="files")
    assert (answer.status_code, "Choose a file first." in answer.text) == (422, True)


def test_a_large_file_of_rejects_is_asked_about_on_its_page(carol: Desk, wired: Wired, floor: Floor) -> None:
    path = f"/console/batches/{floor.items}/life/void"
    answer = send(carol, path, codes(floor, 4, 5) + PADDING, reason="misprint")
    assert "/console/uploads/" in answer.location
    work(wired)
    assert "2 codes will be void." in carol.get(answer.location, headers=ENGLISH).text
    carol.post(f"{answer.location}/confirm")
    work(wired)
    page = carol.get(answer.location, headers=ENGLISH).text
    assert "To the batch" in page
    carol.post(f"{answer.location}/undo")  # there is no such thing for this kind
    assert carol.get(answer.location, headers=ENGLISH).text.count("Done") >= 1


def test_a_small_file_is_answered_at_once(carol: Desk, floor: Floor) -> None:
    answer = send(carol, f"/console/batches/{floor.items}/life/void", codes(floor, 4, 5), reason="misprint")
    assert (answer.status_code, "2 codes will be void." in answer.text) == (200, True)


def test_a_large_shipment_file_is_booked_by_the_worker(carol: Desk, wired: Wired, floor: Floor) -> None:
    with wired.db.transaction() as session:
        channel = factories.make_channel(session, brand_id=floor.brand_id)
    sent = {"kind": "out", "number": "D9", "place": f"channel:{channel.id}"}
    answer = send(carol, "/console/shipments/new", codes(floor, 4, 5) + PADDING, **sent)
    assert "/console/uploads/" in answer.location
    work(wired)
    page = carol.get(answer.location, headers=ENGLISH).text
    assert "To the shipment" in page
    again = send(carol, "/console/shipments/new", codes(floor, 6) + PADDING, **sent)
    assert again.status_code == 422
    assert "D9" in again.text


def test_nobody_sees_another_brands_upload(app: Flask, carol: Desk, wired: Wired, floor: Floor) -> None:
    answer = send(carol, "/console/preflight", codes(floor, 1), field="files")
    work(wired)
    with wired.db.transaction() as session:
        other = factories.make_brand(session).id
    mallory = Desk(app, wired.db, hire(wired.db, "Mallory", Role.FACTORY, other))
    dave = Desk(app, wired.db, hire(wired.db, "Dave", Role.MARKETING, floor.brand_id))
    for path in ("", "/report.csv", "/report.json"):
        assert mallory.get(answer.location + path).status_code == 404
        assert dave.get(answer.location + path).status_code == 403
    assert mallory.post(f"{answer.location}/cancel").status_code == 404


def test_a_full_disk_is_said_before_anything_is_read(
    carol: Desk, floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = carol.token("/console/preflight")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(1, 1, 50_000_000))
    monkeypatch.setattr("scancode.web.security.SMALL_BYTES", 1000)
    data = {"csrf_token": token, "files": (io.BytesIO(b"x" * 2000), "a.csv")}
    answer = carol.client.post("/console/preflight", data=data, headers=ENGLISH)
    assert answer.status_code == 507
    assert "There is no room" in answer.text


def test_who_has_not_signed_in_sends_nothing_large(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 100_000)
    data = {"files": (io.BytesIO(b"x" * 200_000), "a.csv")}
    assert app.test_client().post("/console/preflight", data=data).status_code == 413


def test_what_is_long_over_leaves_the_disk(carol: Desk, wired: Wired, floor: Floor) -> None:
    from datetime import UTC, datetime, timedelta

    from scancode.worker.uploads import sweep

    answer = send(carol, "/console/preflight", codes(floor, 1), field="files")
    work(wired)
    root = wired.settings.var_dir / "uploads"
    (root / "broken.sending").write_bytes(b"half")
    assert len(list(root.iterdir())) == 2
    for days in (1, 40):
        with wired.db.transaction() as session:
            sweep(wired, session, now=datetime.now(UTC) + timedelta(days=days, hours=1))
    assert list(root.iterdir()) == []
    page = carol.get(answer.location, headers=ENGLISH).text
    assert "tidied away" in page
    assert carol.get(f"{answer.location}/report.csv").status_code == 404
    with wired.db.reading() as session:
        assert uploads.list_stale(session, before=datetime.now(UTC) + timedelta(days=99)) == []
