"""Files of codes through a real worker: camera rejects are voided after a question, a shipment is booked whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from batches.codes import Kind
from scancode.channels.models import Shipment
from scancode.codes import service as codes
from scancode.codes.models import Life, LifeOrder
from scancode.codes.rules import Void, VoidReason
from scancode.uploads import service as uploads
from scancode.uploads.rules import UploadKind, UploadMoved
from scancode.wiring import Wired
from tests import factories
from tests.conftest import NOW
from tests.packing.floor import BY, Floor, make_floor
from tests.uploads.sending import get, go_on, result, send, work


@pytest.fixture
def floor(wired: Wired) -> Floor:
    with wired.db.transaction() as session:
        return make_floor(session, wired)


def voiding(floor: Floor, **over: Any) -> dict[str, Any]:
    what = {"reason": "misprint", "note": ""}
    return {"batch": floor.items, "verb": "void", "what": what, "run_at": None, **over}


def code(floor: Floor, serial: int) -> str:
    return floor.code(floor.item(serial), Kind.OUTER)


def state(wired: Wired, floor: Floor, serial: int) -> Life:
    with wired.db.reading() as session:
        return codes.life_of(session, batch_number=floor.items, serial=serial).state


def rejects(floor: Floor) -> str:
    lines = [f"https://q.example/{code(floor, 5)},12:01:07", code(floor, 6).lower(), "8", "10-12", "", code(floor, 5)]
    return "code,time\n" + "\n".join(lines) + "\n"


def test_rejects_are_voided_once_somebody_has_seen_how_many(wired: Wired, floor: Floor) -> None:
    made = send(wired, floor.brand_id, UploadKind.LIFE, voiding(floor), ("rejects.csv", rejects(floor)))
    work(wired)
    assert get(wired, made).state == "read"
    facts = result(wired, made)
    assert (facts["count"], facts["ranges"], facts["first"], facts["last"]) == (6, 3, [5, 6], [10, 12])
    assert state(wired, floor, 5) is Life.INACTIVE
    go_on(wired, made, "confirm")
    with pytest.raises(UploadMoved):
        go_on(wired, made, "confirm")
    work(wired)
    assert get(wired, made).state == "done"
    assert [state(wired, floor, serial) for serial in (5, 7, 12)] == [Life.VOID, Life.INACTIVE, Life.VOID]
    assert not uploads.source_folder(wired.settings.var_dir, made).exists()


def test_a_number_that_has_changed_meanwhile_is_asked_again(wired: Wired, floor: Floor) -> None:
    made = send(wired, floor.brand_id, UploadKind.LIFE, voiding(floor), ("rejects.csv", rejects(floor)))
    work(wired)
    with wired.db.transaction() as session:
        codes.change(session, batch_number=floor.items, ranges=[(5, 5)], what=Void(VoidReason.LOST), **BY)
    go_on(wired, made, "confirm")
    work(wired)
    assert (get(wired, made).state, result(wired, made)["count"]) == ("read", 5)
    assert state(wired, floor, 6) is Life.INACTIVE
    go_on(wired, made, "confirm")
    work(wired)
    assert get(wired, made).state == "done"


def test_a_killed_worker_voids_once(wired: Wired, floor: Floor) -> None:
    made = send(wired, floor.brand_id, UploadKind.LIFE, voiding(floor), ("rejects.csv", rejects(floor)))
    work(wired)
    go_on(wired, made, "confirm")
    work(wired)
    with wired.db.transaction() as session:  # as if it had died before it could say that the job is done
        from scancode.jobs import service as jobs

        jobs.requeue(session, key=uploads.job_key(made), run_at=NOW, now=NOW)
    work(wired)
    with wired.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(LifeOrder)) == 1


def test_a_time_may_be_set_and_no_is_no(wired: Wired, floor: Floor) -> None:
    later = (NOW + timedelta(hours=1)).isoformat()
    made = send(wired, floor.brand_id, UploadKind.LIFE, voiding(floor, run_at=later), ("r.csv", "5\n"))
    refused = send(wired, floor.brand_id, UploadKind.LIFE, voiding(floor), ("r.csv", "6\n"))
    work(wired)
    go_on(wired, made, "confirm")
    with wired.db.transaction() as session:
        uploads.cancel(session, upload_id=refused, **BY)
    work(wired)
    with wired.db.reading() as session:
        assert [row.state for row in session.scalars(select(LifeOrder))] == ["scheduled"]
    assert get(wired, refused).state == "cancelled"
    assert state(wired, floor, 5) is Life.INACTIVE


def test_lines_that_are_wrong_refuse_the_whole_file(wired: Wired, floor: Floor) -> None:
    text = f"5\n1000\n9-7\nrubbish7\n{floor.code(floor.case(0))}\n"
    made = send(wired, floor.brand_id, UploadKind.LIFE, voiding(floor), ("r.csv", text))
    work(wired)
    assert get(wired, made).state == "refused"
    listed = result(wired, made)["problems"]
    assert [(line, found) for line, _, found, _ in listed] == [
        (2, "outside"), (3, "outside"), (4, "malformed"), (5, "foreign"),
    ]  # fmt: skip
    assert uploads.report_path(wired.settings.var_dir, made).read_text("utf-8-sig").count("\n") == 5


@pytest.mark.parametrize(("text", "code"), [(b"", "range_missing"), (b"code\n", "range_missing")])
def test_a_file_that_names_nothing_is_refused_with_words(wired: Wired, floor: Floor, text: bytes, code: str) -> None:
    made = send(wired, floor.brand_id, UploadKind.LIFE, voiding(floor), ("r.csv", text))
    work(wired)
    assert (get(wired, made).state, result(wired, made)["code"]) == ("refused", code)


def shipping(wired: Wired, floor: Floor, **over: Any) -> dict[str, Any]:
    with wired.db.transaction() as session:
        channel = factories.make_channel(session, brand_id=floor.brand_id)
    return {
        "number": "D1", "kind": "out", "channel": str(channel.id), "store": None, "selection": {}, "note": "",
        "move": False, "leave_out_dead": False, **over,
    }  # fmt: skip


def shipments(wired: Wired) -> list[str]:
    with wired.db.reading() as session:
        return list(session.scalars(select(Shipment.number)))


def test_a_shipment_by_a_file_is_booked_with_all_in_its_cases(wired: Wired, floor: Floor) -> None:
    with wired.db.transaction() as session:
        from scancode.packing import service as packing

        by = {"brand_id": floor.brand_id, **BY}
        packing.open_container(session, parent=floor.case(1), capacity=None, **by)
        packing.pack(session, parent=floor.case(1), children=[floor.item(20), floor.item(21)], **by)
    text = f"code\n{floor.code(floor.case(1))}\n{code(floor, 7)};x\n"
    made = send(wired, floor.brand_id, UploadKind.SHIPMENT, shipping(wired, floor), ("s.csv", text))
    work(wired)
    facts = result(wired, made)
    assert get(wired, made).state == "done"
    assert (facts["number"], facts["case"], facts["item"], facts["count"]) == ("D1", 1, 1, 4)
    assert shipments(wired) == ["D1"]
    assert UUID(facts["shipment"])


def test_a_refused_shipment_says_why_in_both_languages(wired: Wired, floor: Floor) -> None:
    wish = shipping(wired, floor)
    for number in ("D1", "D2"):
        made = send(wired, floor.brand_id, UploadKind.SHIPMENT, {**wish, "number": number}, ("s.csv", code(floor, 7)))
        work(wired)
    facts = result(wired, made)
    assert (get(wired, made).state, facts["code"]) == ("refused", "already_shipped")
    assert "D1" in facts["zh"]
    assert shipments(wired) == ["D1"]


def test_a_shipment_that_was_cancelled_is_not_booked(wired: Wired, floor: Floor) -> None:
    made = send(wired, floor.brand_id, UploadKind.SHIPMENT, shipping(wired, floor), ("s.csv", code(floor, 7)))
    with wired.db.transaction() as session:
        uploads.cancel(session, upload_id=made, **BY)
    work(wired)
    assert (get(wired, made).state, shipments(wired)) == ("cancelled", [])
